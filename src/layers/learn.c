// Vocabularies learnt from data: tokens counted in a hash table that grows, then put in order, the most
// frequent first and of equally frequent ones the greatest first, as Keras does
// (keras/src/layers/preprocessing/index_lookup.py, finalize_state).
#include "layers/lookup.h"

#include "base/memory.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A token and how often it was met. Texts lie in blocks that are never moved.
typedef struct counted {
    const char *text; // with a 0 after it; NULL for a number
    int64_t number;   // or the length of the text
    int64_t count, documents, last_document;
    uint64_t hash;
} counted;

enum { BLOCK = 1 << 16 };

typedef struct block {
    struct block *next;
    size_t used, size;
    char bytes[];
} block;

typedef struct counter {
    counted *tokens;
    size_t count, capacity;
    uint32_t *slots; // places in `tokens` from 1; 0: free
    size_t last;     // slot
    block *blocks;
    const cj__text_rules *rules;
    char *scratch; // an n-gram
    size_t scratch_size;
    int64_t document;
    bool failed; // out of memory
} counter;

static void counter_free(counter *c)
{
    while (c->blocks) {
        block *next = c->blocks->next;
        cj__free(c->blocks);
        c->blocks = next;
    }
    cj__free(c->tokens);
    cj__free(c->slots);
    cj__free(c->scratch);
}

static const char *keep_text(counter *c, const char *text, size_t length)
{
    if (!c->blocks || c->blocks->size - c->blocks->used < length + 1) {
        const size_t size = length + 1 > BLOCK ? length + 1 : BLOCK;
        block *made = cj__new(sizeof *made + size, 1);
        if (!made)
            return NULL;
        made->next = c->blocks;
        made->size = size;
        c->blocks = made;
    }
    char *at = c->blocks->bytes + c->blocks->used;
    memcpy(at, text, length);
    c->blocks->used += length + 1;
    return at;
}

// Twice the slots, at most half of them taken.
static bool grow(counter *c)
{
    const size_t last = c->slots ? c->last * 2 + 1 : 1023;
    uint32_t *slots = last < UINT32_MAX / 2 ? cj__new(last + 1, sizeof *slots) : NULL;
    if (!slots)
        return false;
    for (size_t i = 0; i < c->count; i++) {
        size_t at = c->tokens[i].hash & last;
        while (slots[at])
            at = (at + 1) & last;
        slots[at] = (uint32_t)i + 1;
    }
    cj__free(c->slots);
    c->slots = slots;
    c->last = last;
    return true;
}

static bool equal(const counted *token, const char *text, int64_t number)
{
    return token->number == number && (!text || memcmp(token->text, text, (size_t)number) == 0);
}

// Counts a text of `number` bytes, or the number if `text` is NULL.
static void count_one(counter *c, const char *text, int64_t number)
{
    if (c->failed)
        return;
    if ((!c->slots || c->count * 2 > c->last) && !grow(c)) {
        c->failed = true;
        return;
    }
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; text && i < number; i++)
        hash = cj__hash_byte(hash, (unsigned char)text[i]);
    hash = cj__hash_end(text ? hash : (hash ^ (uint64_t)number) * UINT64_C(0xff51afd7ed558ccd));
    size_t at = hash & c->last;
    while (c->slots[at] && !(c->tokens[c->slots[at] - 1].hash == hash &&
                             equal(&c->tokens[c->slots[at] - 1], text, number)))
        at = (at + 1) & c->last;
    if (!c->slots[at]) {
        const char *kept = text ? keep_text(c, text, (size_t)number) : NULL;
        if ((text && !kept) ||
            !cj__reserve((void **)&c->tokens, &c->capacity, c->count + 1, sizeof *c->tokens)) {
            c->failed = true;
            return;
        }
        c->tokens[c->count++] =
            (counted){.text = kept, .number = number, .last_document = -1, .hash = hash};
        c->slots[at] = (uint32_t)c->count;
    }
    counted *token = &c->tokens[c->slots[at] - 1];
    token->count++;
    token->documents += token->last_document != c->document;
    token->last_document = c->document;
}

// ---- Reading the data ----

static bool count_ngram(void *context, const cj__ngram *ngram)
{
    counter *c = context;
    const size_t length = cj__ngram_length(ngram);
    if (length > c->scratch_size) {
        char *larger = cj__resize(c->scratch, length * 2, 1);
        if (!larger) {
            c->failed = true;
            return false;
        }
        c->scratch = larger;
        c->scratch_size = length * 2;
    }
    if (length > 0)
        cj__ngram_copy(ngram, c->scratch);
    if (cj__is_utf8(c->scratch, length))
        count_one(c, length > 0 ? c->scratch : "", (int64_t)length);
    return !c->failed;
}

// A document is what lies at one place along the first axis.
static void count_data(counter *c, const cj_tensor *data)
{
    const cj_shape *shape = cj_tensor_shape(data);
    const int64_t documents = shape->dims[0], each = cj_tensor_count(data) / documents;
    for (c->document = 0; c->document < documents && !c->failed; c->document++) {
        for (int64_t i = 0; i < each; i++) {
            const int64_t at = c->document * each + i;
            if (data->dtype == CJ_STRING) {
                const cj_text text = cj__string_at(data->data, at);
                cj__each_ngram(c->rules, &text, 1, count_ngram, c);
            } else
                count_one(c, NULL, ((const int64_t *)(const void *)data->data)[at]);
        }
    }
}

// ---- Putting tokens in order ----

static int by_frequency(const void *a, const void *b)
{
    const counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (!x->text)
        return x->number < y->number ? 1 : -1;
    const int64_t common = x->number < y->number ? x->number : y->number;
    const int order = memcmp(y->text, x->text, (size_t)common);
    return order != 0 ? order : x->number < y->number ? 1 : -1;
}

static bool is_special(const counted *token, const cj__lookup_settings *s)
{
    if (s->whole)
        return (s->masked && token->number == s->mask_number) || token->number == s->oov_number;
    return (s->masked && strcmp(token->text, s->mask) == 0) ||
           (s->oov && strcmp(token->text, s->oov) == 0);
}

// The special tokens are left out, then all but the first `most`.
static void choose(counter *c, const cj__lookup_settings *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++)
        if (!is_special(&c->tokens[i], s))
            c->tokens[kept++] = c->tokens[i];
    if (kept > 0)
        qsort(c->tokens, kept, sizeof *c->tokens, by_frequency);
    const int64_t specials = s->oov_count + (s->masked && strcmp(s->mode, "int") == 0);
    const int64_t most = s->max_tokens == -1      ? INT64_MAX :
                         s->max_tokens > specials ? s->max_tokens - specials :
                                                    0;
    c->count = (int64_t)kept < most ? kept : (size_t)most;
}

// ---- The result ----

static cj_status list_texts(const counter *c, cj_texts *texts)
{
    size_t bytes = c->count * sizeof(char *);
    for (size_t i = 0; i < c->count; i++)
        bytes += (size_t)c->tokens[i].number + 1;
    const char **values = cj__new(bytes, 1);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    char *at = (char *)(values + c->count);
    for (size_t i = 0; i < c->count; i++) {
        values[i] = memcpy(at, c->tokens[i].text, (size_t)c->tokens[i].number + 1);
        at += c->tokens[i].number + 1;
    }
    *texts = (cj_texts){.values = values, .count = (int64_t)c->count};
    return CJ_OK;
}

static cj_status list_numbers(const counter *c, bool weights, int64_t documents,
                              cj_numbers *numbers)
{
    double *values = cj__new(c->count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->count; i++)
        values[i] =
            !weights ?
                (double)c->tokens[i].number :
                (double)(float)log(1 + (double)documents / (1 + (double)c->tokens[i].documents));
    *numbers = (cj_numbers){values, (int64_t)c->count};
    return CJ_OK;
}

static cj_status check_learnt(const cj_layer *layer, const counter *c)
{
    if (c->failed)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->count; i++)
        if (!c->tokens[i].text && llabs(c->tokens[i].number) > INT64_C(1) << 53)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: %" PRId64 " is above 2^53 and cannot be in a vocabulary",
                            layer->name, c->tokens[i].number);
    return c->count > 0 ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT, "%s: the data has no tokens to learn", layer->name);
}

static cj_status learn_from(const cj_layer *layer, const cj__lookup_settings *s, counter *c,
                            const cj_tensor *data, cj__learnt *learnt)
{
    count_data(c, data);
    if (!c->failed)
        choose(c, s);
    CJ_TRY(check_learnt(layer, c));
    if (strcmp(s->mode, "tf_idf") == 0)
        CJ_TRY(list_numbers(c, true, cj_tensor_shape(data)->dims[0], &learnt->idf));
    return s->whole ? list_numbers(c, false, 0, &learnt->numbers) : list_texts(c, &learnt->texts);
}

cj_status cj__learn(const cj_layer *layer, const cj__lookup_settings *s,
                    const cj__text_rules *rules, const cj_tensor *data, cj__learnt *learnt)
{
    counter c = {.rules = rules};
    cj_tensor *copy = NULL;
    if ((data->dtype == CJ_STRING) == s->whole)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the data is %s, needs %s", layer->name,
                        cj_dtype_name(data->dtype), s->whole ? "whole numbers" : "texts");
    if (s->whole && (data->dtype == CJ_F32 || data->dtype == CJ_F64 || data->dtype == CJ_BF16))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the data is %s, needs whole numbers", layer->name,
                        cj_dtype_name(data->dtype));
    CJ_TRY(cj_tensor_convert(data, s->whole ? CJ_I64 : CJ_STRING, &copy));
    cj_status status = learn_from(layer, s, &c, copy, learnt);
    if (status != CJ_OK)
        cj__free((void *)(uintptr_t)learnt->idf.values);
    counter_free(&c);
    cj_release(copy);
    return status;
}
