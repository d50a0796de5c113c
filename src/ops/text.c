// Ops on texts. Their words, such as "token" and "mask", are those of text.h.
//
//   token_indices  texts (n) or (n, k) -> int32 (n, attrs.size): the indices of a sample's first
//                  tokens, filled up with 0
//   token_counts   the same -> float32 (n, attrs.size): how often each index occurs, or whether
//   lookup         texts or int64 (...) -> int32 (...): the index of each
//   bins           texts or int64 (...) -> int32 (...): the bin of each
//   crossed_bins   two or more of one shape -> int32: the bin of what is at one place in all of them
//   index_counts   int32 (..., k) -> float32 (..., attrs.size): how often each index occurs, or
//                  whether; those out of range are left out
//   entry          entries (m), int32 (...) -> (...): the entry of each index; the last one where
//                  there is none
#include "ops/text.h"

#include "base/hash.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <limits.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Work of an element, in additions: a text of some hundred bytes, a word, a number.
enum { COST_TEXT = 1000, COST_WORD = 60, COST_NUMBER = 20 };

// ---- One element ----

static uint64_t hash_of(int64_t how, const uint64_t *salt, cj_text text)
{
    return how == CJ__HASH_SALTED ? cj__siphash(salt, text.data, (size_t)text.length) :
                                    cj__fingerprint(text.data, (size_t)text.length);
}

// The bucket of a number, of `count`.
static int64_t bucket(int64_t how, const uint64_t *salt, int64_t number, int64_t count)
{
    char digits[24];
    if (how == CJ__HASH_REMAINDER)
        return (number % count + count) % count;
    const int length = snprintf(digits, sizeof digits, "%" PRId64, number);
    return (int64_t)(hash_of(how, salt, (cj_text){digits, length}) % (uint64_t)count);
}

// The index of the token at a place of the vocabulary.
static int32_t index_at(const cj__lookup_attrs *a, int64_t place)
{
    if (a->mask == CJ__TOKEN_PLAIN)
        return (int32_t)(a->first + place);
    if (place == 0)
        return a->mask == CJ__TOKEN_MASK ? 0 : -1;
    return (int32_t)(a->first + place - 1);
}

int32_t cj__index_of_text(const cj__lookup_attrs *a, cj_text text)
{
    const int64_t place = cj__vocabulary_find_text(a->tokens.vocabulary, text);
    if (place >= 0)
        return index_at(a, place);
    if (a->oov_count <= 1)
        return a->oov_count == 1 ? (int32_t)a->oov : INT32_MIN;
    return (int32_t)(a->oov + (int64_t)(hash_of(a->hash, a->salt, text) % (uint64_t)a->oov_count));
}

int32_t cj__index_of_number(const cj__lookup_attrs *a, int64_t number)
{
    const int64_t place = cj__vocabulary_find_number(a->tokens.vocabulary, number);
    if (place >= 0)
        return index_at(a, place);
    if (a->oov_count <= 1)
        return a->oov_count == 1 ? (int32_t)a->oov : INT32_MIN;
    return (int32_t)(a->oov + bucket(a->hash, a->salt, number, a->oov_count));
}

// Bins beside that of the mask.
static int64_t free_bins(const cj__bins_attrs *a)
{
    return a->mask.vocabulary && a->size > 1 ? a->size - 1 : a->size;
}

int32_t cj__bin_of_text(const cj__bins_attrs *a, cj_text text)
{
    const int64_t bins = free_bins(a);
    if (bins < a->size && cj__vocabulary_find_text(a->mask.vocabulary, text) == 0)
        return 0;
    return (int32_t)(hash_of(a->hash, a->salt, text) % (uint64_t)bins) + (bins < a->size);
}

int32_t cj__bin_of_number(const cj__bins_attrs *a, int64_t number)
{
    const int64_t bins = free_bins(a);
    if (bins < a->size && cj__vocabulary_find_number(a->mask.vocabulary, number) == 0)
        return 0;
    return (int32_t)bucket(a->hash, a->salt, number, bins) + (bins < a->size);
}

// ---- Tokens of texts ----

// What an n-gram's index is written to.
typedef struct listing {
    const cj__text_attrs *attrs;
    int32_t *indices; // NULL to count only
    float *counts;
    int64_t found;
} listing;

static int32_t index_of_ngram(const cj__text_attrs *a, const cj__ngram *ngram)
{
    const int64_t place = cj__ngram_find(ngram, a->lookup.tokens.vocabulary);
    return place >= 0 ? index_at(&a->lookup, place) : (int32_t)a->lookup.oov;
}

static bool list_index(void *context, const cj__ngram *ngram)
{
    listing *l = context;
    if (l->indices)
        l->indices[l->found] = index_of_ngram(l->attrs, ngram);
    l->found++;
    return !l->indices || l->found < l->attrs->size;
}

int64_t cj__text_indices(const cj__text_attrs *attrs, const cj_text *texts, int64_t count,
                         int32_t *indices)
{
    listing l = {.attrs = attrs, .indices = indices};
    if (!indices || attrs->size > 0)
        cj__each_ngram(&attrs->rules, texts, count, list_index, &l);
    return l.found;
}

static bool count_index(void *context, const cj__ngram *ngram)
{
    const listing *l = context;
    const int32_t index = index_of_ngram(l->attrs, ngram);
    if (index >= 0 && index < l->attrs->size)
        l->counts[index] = l->attrs->once ? 1 : l->counts[index] + 1;
    return true;
}

// Texts of a sample, a few at a time: a sample that is split has one, another perhaps many.
enum { TEXTS_MAX = 64 };

static int64_t texts_of(const cj__operand *x)
{
    return cj__span(&x->type.shape, 1, x->type.shape.rank);
}

static void index_sample(const cj__text_attrs *a, const cj__operand *x, int64_t sample,
                         int32_t *indices)
{
    const int64_t count = texts_of(x);
    cj_text texts[TEXTS_MAX];
    for (int64_t i = 0; i < count; i++)
        texts[i] = cj__string_at(x->data, sample * count + i);
    const int64_t found = cj__text_indices(a, texts, count, indices);
    memset(indices + found, 0, (size_t)(a->size - found) * sizeof *indices);
}

static void count_sample(const cj__text_attrs *a, const cj__operand *x, int64_t sample,
                         float *counts)
{
    const int64_t count = texts_of(x);
    cj_text texts[TEXTS_MAX];
    listing l = {.attrs = a, .counts = counts};
    memset(counts, 0, (size_t)a->size * sizeof *counts);
    for (int64_t i = 0; i < count; i++)
        texts[i] = cj__string_at(x->data, sample * count + i);
    cj__each_ngram(&a->rules, texts, count, count_index, &l);
}

static void indices_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__text_attrs *a = call->attrs;
    for (int64_t i = begin; i < end; i++)
        index_sample(a, &call->inputs[0], i, (int32_t *)call->outputs[0].data + i * a->size);
}

static void counts_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__text_attrs *a = call->attrs;
    for (int64_t i = begin; i < end; i++)
        count_sample(a, &call->inputs[0], i, (float *)call->outputs[0].data + i * a->size);
}

static cj_status infer_tokens(cj__inference *r)
{
    const cj__text_attrs *a = r->attrs;
    const cj_shape *x = &r->inputs[0].shape;
    CJ_TRY(cj__need_dtype(r, 0, CJ_STRING));
    CJ_TRY(cj__need_rank(r, 0, 1, 2));
    if (a->size < 1 || a->size > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld indices a sample, needs 1 or more",
                        r->op->name, (long long)a->size);
    if (x->rank == 2 && (x->dims[1] < 0 || x->dims[1] > TEXTS_MAX ||
                         (a->rules.split != CJ__SPLIT_NONE && x->dims[1] != 1)))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        a->rules.split != CJ__SPLIT_NONE ?
                            "%s: a sample of %lld texts, needs one where texts are split" :
                            "%s: a sample of %lld texts, at most 64 are possible",
                        r->op->name, (long long)x->dims[1]);
    const bool counts = r->op == &cj__op_token_counts;
    r->outputs[0] = (cj__type){counts ? CJ_F32 : CJ_I32, CJ_SHAPE(x->dims[0], a->size)};
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_token_indices(const cj__call *call)
{
    cj__each_item(call, call->outputs[0].type.shape.dims[0], COST_TEXT, indices_task, (void *)call);
    return CJ_OK;
}

static cj_status run_token_counts(const cj__call *call)
{
    const int64_t size = ((const cj__text_attrs *)call->attrs)->size;
    cj__each_item(call, call->outputs[0].type.shape.dims[0], COST_TEXT + size, counts_task,
                  (void *)call);
    return CJ_OK;
}

// ---- Lookups and bins ----

static cj_status infer_each(cj__inference *r)
{
    for (int i = 0; i < r->input_count; i++) {
        if (r->inputs[i].dtype != CJ_STRING)
            CJ_TRY(cj__need_dtype(r, i, CJ_I64));
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    r->outputs[0] = (cj__type){CJ_I32, r->inputs[0].shape};
    return CJ_OK;
}

static cj_status infer_lookup(cj__inference *r)
{
    const cj__lookup_attrs *a = r->attrs;
    const cj__vocabulary *v = a->tokens.vocabulary;
    CJ_TRY(infer_each(r));
    if (v && v->tokens->dtype != r->inputs[0].dtype)
        return cj__fail(CJ_SHAPE_MISMATCH, "lookup: the input is %s, the vocabulary %s",
                        cj_dtype_name(r->inputs[0].dtype), cj_dtype_name(v->tokens->dtype));
    return CJ_OK;
}

static cj_status infer_bins(cj__inference *r)
{
    const cj__bins_attrs *a = r->attrs;
    const cj__vocabulary *mask = a->mask.vocabulary;
    CJ_TRY(infer_each(r));
    if (a->size < 1 || a->size > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld bins, needs 1 or more", r->op->name,
                        (long long)a->size);
    if (mask && mask->tokens->dtype != r->inputs[0].dtype)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the input is %s, the mask %s", r->op->name,
                        cj_dtype_name(r->inputs[0].dtype), cj_dtype_name(mask->tokens->dtype));
    return CJ_OK;
}

static bool holds_texts(const cj__operand *x)
{
    return x->type.dtype == CJ_STRING;
}

static int64_t number_at(const cj__operand *x, int64_t index)
{
    return ((const int64_t *)x->data)[index];
}

static void lookup_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__operand *x = &call->inputs[0];
    int32_t *y = call->outputs[0].data;
    for (int64_t i = begin; i < end; i++)
        y[i] = holds_texts(x) ? cj__index_of_text(call->attrs, cj__string_at(x->data, i)) :
                                cj__index_of_number(call->attrs, number_at(x, i));
}

static cj_status run_lookup(const cj__call *call)
{
    const cj__operand *x = &call->inputs[0];
    const int32_t *y = call->outputs[0].data;
    const int64_t count = cj__count(x);
    cj__each_item(call, count, COST_WORD, lookup_task, (void *)call);
    if (((const cj__lookup_attrs *)call->attrs)->oov_count > 0)
        return CJ_OK;
    for (int64_t i = 0; i < count; i++) {
        if (y[i] != INT32_MIN)
            continue;
        if (!holds_texts(x))
            return cj__fail(CJ_INVALID_ARGUMENT, "lookup: %" PRId64 " is not in the vocabulary",
                            number_at(x, i));
        return cj__fail(CJ_INVALID_ARGUMENT, "lookup: \"%.100s\" is not in the vocabulary",
                        cj__string_at(x->data, i).data);
    }
    return CJ_OK;
}

static void bins_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__operand *x = &call->inputs[0];
    int32_t *y = call->outputs[0].data;
    for (int64_t i = begin; i < end; i++)
        y[i] = holds_texts(x) ? cj__bin_of_text(call->attrs, cj__string_at(x->data, i)) :
                                cj__bin_of_number(call->attrs, number_at(x, i));
}

static cj_status run_bins(const cj__call *call)
{
    cj__each_item(call, cj__count(&call->inputs[0]), COST_WORD, bins_task, (void *)call);
    return CJ_OK;
}

// TensorFlow's SparseCross: fingerprints of texts, and numbers as they are, joined in order.
uint64_t cj__cross_text(uint64_t hash, cj_text text)
{
    return cj__fingerprint_pair(hash, cj__fingerprint(text.data, (size_t)text.length));
}

uint64_t cj__cross_number(uint64_t hash, int64_t number)
{
    return cj__fingerprint_pair(hash, (uint64_t)number);
}

static void crossed_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__bins_attrs *a = call->attrs;
    int32_t *y = call->outputs[0].data;
    for (int64_t i = begin; i < end; i++) {
        uint64_t hash = CJ__CROSSING_SEED;
        for (int j = 0; j < call->input_count; j++) {
            const cj__operand *x = &call->inputs[j];
            hash = holds_texts(x) ? cj__cross_text(hash, cj__string_at(x->data, i)) :
                                    cj__cross_number(hash, number_at(x, i));
        }
        y[i] = (int32_t)(hash % (uint64_t)a->size);
    }
}

static cj_status run_crossed_bins(const cj__call *call)
{
    cj__each_item(call, cj__count(&call->inputs[0]), COST_WORD * call->input_count, crossed_task,
                  (void *)call);
    return CJ_OK;
}

// ---- Counts and entries ----

static cj_status infer_index_counts(cj__inference *r)
{
    const cj__index_attrs *a = r->attrs;
    CJ_TRY(cj__need_dtype(r, 0, CJ_I32));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    const int last = r->inputs[0].shape.rank - 1;
    CJ_TRY(cj__need_axis(r, &r->inputs[0], last, false));
    if (a->size < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: counts of %lld indices, needs 1 or more",
                        r->op->name, (long long)a->size);
    r->outputs[0] = (cj__type){CJ_F32, r->inputs[0].shape};
    r->outputs[0].shape.dims[last] = a->size;
    return cj__check_output(r, &r->outputs[0].shape);
}

static void index_counts_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__index_attrs *a = call->attrs;
    const cj_shape *x = &call->inputs[0].type.shape;
    const int64_t each = x->dims[x->rank - 1];
    for (int64_t row = begin; row < end; row++) {
        const int32_t *index = (const int32_t *)call->inputs[0].data + row * each;
        float *counts = (float *)call->outputs[0].data + row * a->size;
        memset(counts, 0, (size_t)a->size * sizeof *counts);
        for (int64_t i = 0; i < each; i++)
            if (index[i] >= 0 && index[i] < a->size)
                counts[index[i]] = a->once ? 1 : counts[index[i]] + 1;
    }
}

static cj_status run_index_counts(const cj__call *call)
{
    const cj_shape *x = &call->inputs[0].type.shape;
    const cj__index_attrs *a = call->attrs;
    cj__each_item(call, cj__span(x, 0, x->rank - 1), x->dims[x->rank - 1] + a->size,
                  index_counts_task, (void *)call);
    return CJ_OK;
}

static cj_status infer_entry(cj__inference *r)
{
    if (r->inputs[0].dtype != CJ_STRING)
        CJ_TRY(cj__need_dtype(r, 0, CJ_I64));
    CJ_TRY(cj__need_rank(r, 0, 1, 1));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 0, false));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    if (r->inputs[0].shape.dims[0] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "entry: no entries, needs 1 or more");
    r->outputs[0] = (cj__type){r->inputs[0].dtype, r->inputs[1].shape};
    return CJ_OK;
}

// Both kinds of entries have eight bytes.
static void entry_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t last = call->inputs[0].type.shape.dims[0] - 1;
    const uint64_t *entries = call->inputs[0].data;
    const int32_t *index = call->inputs[1].data;
    uint64_t *y = call->outputs[0].data;
    for (int64_t i = begin; i < end; i++)
        y[i] = entries[index[i] >= 0 && index[i] < last ? index[i] : last];
}

static cj_status run_entry(const cj__call *call)
{
    cj__each_item(call, cj__count(&call->inputs[1]), COST_NUMBER, entry_task, (void *)call);
    return CJ_OK;
}

// ---- The ops ----

static void *vocabulary_of_lookup(const void *attrs)
{
    return ((const cj__lookup_attrs *)attrs)->tokens.vocabulary; // first in cj__text_attrs too
}

static void *vocabulary_of_bins(const void *attrs)
{
    return ((const cj__bins_attrs *)attrs)->mask.vocabulary;
}

#define TEXT_OP(op_name, most, attrs_type, sampled, rule, object_function) \
    const cj__op cj__op_##op_name = {                                      \
        .name = #op_name,                                                  \
        .flags = CJ__OP_NO_GRADIENT,                                       \
        .min_inputs = 1,                                                   \
        .max_inputs = most,                                                \
        .samples = sampled,                                                \
        .on_blocks = CJ__ON_BLOCKS_NO,                                     \
        .identity = CJ__IDENTITY_NEVER,                                    \
        .bf16 = CJ__BF16_NEVER,                                            \
        .attrs_size = CJ__ATTRS_SIZE(attrs_type),                          \
        .object = object_function,                                         \
        .infer = rule,                                                     \
        .run = run_##op_name,                                              \
    }
TEXT_OP(token_indices, 1, cj__text_attrs, "s>s", infer_tokens, vocabulary_of_lookup);
TEXT_OP(token_counts, 1, cj__text_attrs, "s>s", infer_tokens, vocabulary_of_lookup);
TEXT_OP(lookup, 1, cj__lookup_attrs, "s>s", infer_lookup, vocabulary_of_lookup);
TEXT_OP(bins, 1, cj__bins_attrs, "s>s", infer_bins, vocabulary_of_bins);
TEXT_OP(crossed_bins, INT_MAX, cj__bins_attrs, CJ__WHOLE_BATCH, infer_bins, vocabulary_of_bins);
TEXT_OP(index_counts, 1, cj__index_attrs, CJ__WHOLE_BATCH, infer_index_counts, NULL);

const cj__op cj__op_entry = {
    .name = "entry",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = "ws>s",
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .infer = infer_entry,
    .run = run_entry,
};
