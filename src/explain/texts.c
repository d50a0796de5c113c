// TextVectorization, the look-ups and Hashing: tokens found in the vocabulary one by one, and counted.
#include "explain/explain.h"
#include "layers/lookup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 160 };

// An element of an input as it is written in a line: a text in quotes, or a whole number.
static const char *words_of(const cj_tensor *x, int64_t offset, char words[WORDS])
{
    if (cj_tensor_dtype(x) == CJ_STRING)
        snprintf(words, WORDS, "\"%.120s\"", cj__string_at(cj_tensor_data(x), offset).data);
    else
        snprintf(words, WORDS, "%" PRId64, (int64_t)cj__element_at(x, offset));
    return words;
}

// ---- Tokens ----

// The index of the token at `place` of a layer's vocabulary; -1 for what is dropped.
static int64_t index_of_place(const cj__lookup_attrs *a, int64_t place)
{
    if (a->mask == CJ__TOKEN_PLAIN)
        return a->first + place;
    return place > 0 ? a->first + place - 1 : a->mask == CJ__TOKEN_MASK ? 0 : -1;
}

static int64_t place_of_text(const cj__vocabulary *v, cj_text text)
{
    for (int64_t i = 0; i < v->count; i++) {
        const cj_text token = cj__string_at(cj_tensor_data(v->tokens), i);
        if (token.length == text.length && memcmp(token.data, text.data, (size_t)text.length) == 0)
            return i;
    }
    return -1;
}

static int64_t place_of_number(const cj__vocabulary *v, int64_t number)
{
    for (int64_t i = 0; i < v->count; i++)
        if (((const int64_t *)cj_tensor_data(v->tokens))[i] == number)
            return i;
    return -1;
}

// The index of an element of the input; *known says whether it is in the vocabulary.
static int64_t look_up(const cj__explanation *e, int64_t offset, bool *known)
{
    const cj_tensor *x = e->record->inputs[0];
    const cj__lookup_attrs a = cj__lookup_attrs_of(e->record->layer);
    const cj__vocabulary *v = a.tokens.vocabulary;
    const bool texts = cj_tensor_dtype(x) == CJ_STRING;
    const int64_t number = texts ? 0 : (int64_t)cj__element_at(x, offset);
    const cj_text text = texts ? cj__string_at(cj_tensor_data(x), offset) : (cj_text){"", 0};
    const int64_t place = texts ? place_of_text(v, text) : place_of_number(v, number);
    *known = place >= 0;
    if (*known)
        return index_of_place(&a, place);
    return texts ? cj__index_of_text(&a, text) : cj__index_of_number(&a, number);
}

// Ends with a count of `found` in an entry, of which the mode makes the value.
static cj_status conclude_count(const cj__explanation *e, const char *mode, int64_t entry,
                                double found)
{
    const cj__lookup *l = cj__lookup_of(e->record->layer);
    char text[CJ__DIGITS_TEXT];
    double value = found;
    if (strcmp(mode, "multi_hot") == 0)
        value = found > 0;
    cj__print_line(e, "index %lld comes %g times in the sample", (long long)entry, found);
    if (l && l->weights) {
        const double weight = cj__element_at(l->weights, entry);
        cj__print_line(e, "times its weight %s", cj__digits(weight, text));
        value = found * weight;
    }
    return cj__conclude(e, value, value);
}

static cj_status explain_name(const cj__explanation *e)
{
    const int64_t index = (int64_t)cj__element_at(e->record->inputs[0], e->offset);
    char words[WORDS], where[CJ__INDEX_TEXT];
    const cj_tensor *y = e->record->outputs[0];
    cj__print_line(e, "index %lld stands for %s", (long long)index, words_of(y, e->offset, words));
    if (cj_tensor_dtype(y) != CJ_STRING) {
        const double value = cj__element_at(y, e->offset);
        return cj__conclude(e, value, value);
    }
    cj__print_line(e, "so output%s = %s", cj__index_text(e->index, cj_tensor_shape(y)->rank, where),
                   words);
    return CJ_OK;
}

// ---- Layers ----

cj_status cj__explain_lookup(cj__explanation *e)
{
    const cj__lookup_settings s = cj__lookup_settings_of(e->record->layer);
    const cj_tensor *x = e->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(e->record->outputs[0]);
    const int64_t depth = shape->dims[shape->rank - 1], entry = e->offset % depth;
    char words[WORDS];
    bool known = false;
    double found = 0;
    if (s.invert)
        return explain_name(e);
    if (strcmp(s.mode, "int") == 0) {
        const int64_t index = look_up(e, e->offset, &known);
        cj__print_line(e, "%s is %s the vocabulary: index %lld", words_of(x, e->offset, words),
                       known ? "in" : "not in", (long long)index);
        return cj__conclude(e, (double)index, (double)index);
    }
    const bool one = strcmp(s.mode, "one_hot") == 0;
    const int64_t first = one ? e->offset / depth : 0, last = one ? first : cj_tensor_count(x) - 1;
    for (int64_t i = first; i <= last; i++)
        found += look_up(e, i, &known) == entry;
    return conclude_count(e, s.mode, entry, found);
}

// N-grams of a text, counted until the wanted one.
typedef struct reading {
    const cj__lookup_attrs *attrs;
    int64_t wanted, met; // the number of an n-gram
    int64_t index;       // its index
    char words[WORDS];   // its text, cut
    int64_t entry;       // an index, and how often it was met
    double found;
} reading;

static bool read_ngram(void *context, const cj__ngram *ngram)
{
    reading *r = context;
    char bytes[4096];
    const size_t length = cj__ngram_length(ngram);
    int64_t place = -1;
    if (length < sizeof bytes) {
        cj__ngram_copy(ngram, bytes);
        bytes[length] = '\0';
        place = place_of_text(r->attrs->tokens.vocabulary, (cj_text){bytes, (int64_t)length});
    } else { // longer than is worth copying
        snprintf(bytes, sizeof bytes, "a token of %zu bytes", length);
        place = cj__ngram_find(ngram, r->attrs->tokens.vocabulary);
    }
    const int64_t index = place >= 0 ? index_of_place(r->attrs, place) : r->attrs->oov;
    if (r->met++ == r->wanted) {
        r->index = index;
        snprintf(r->words, sizeof r->words, "%.150s", bytes);
    }
    r->found += index == r->entry;
    return true;
}

cj_status cj__explain_text_vectorization(cj__explanation *e)
{
    const cj_layer *layer = e->record->layer;
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const cj__lookup_attrs attrs = cj__lookup_attrs_of(layer);
    const cj__text_rules rules = cj__text_rules_of(layer);
    const cj_tensor *x = e->record->inputs[0];
    const int64_t count = cj_tensor_count(x);
    cj_text *texts = cj__new((size_t)count, sizeof *texts);
    if (!texts)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++)
        texts[i] = cj__string_at(cj_tensor_data(x), i);
    reading r = {.attrs = &attrs, .wanted = e->offset, .entry = e->offset};
    cj__each_ngram(&rules, texts, count, read_ngram, &r);
    cj__free(texts);
    if (strcmp(s.mode, "int") != 0)
        return conclude_count(e, s.mode, r.entry, r.found);
    if (r.wanted < r.met)
        cj__print_line(e, "token %lld of the text is \"%s\": index %lld", (long long)r.wanted,
                       r.words, (long long)r.index);
    else
        cj__print_line(e, "the text has %lld tokens, and the rest is filled up with 0",
                       (long long)r.met);
    return cj__conclude(e, (double)r.index, (double)r.index);
}

static int64_t bin_of(const cj__explanation *e, int64_t offset)
{
    const cj_hashing_args *a = e->record->layer->args;
    const cj_tensor *x = e->record->inputs[0];
    const bool salted = a->salt[0] >= 0, texts = cj_tensor_dtype(x) == CJ_STRING;
    const int64_t number = texts ? 0 : (int64_t)cj__element_at(x, offset);
    const cj_text text = texts ? cj__string_at(cj_tensor_data(x), offset) : (cj_text){"", 0};
    const bool masks = texts ? a->mask_value != NULL : !isinf(a->mask_number);
    const int64_t reserved = masks && a->num_bins > 1;
    const cj__bins_attrs attrs = {.size = a->num_bins - reserved,
                                  .hash = salted ? CJ__HASH_SALTED : CJ__HASH_FINGERPRINT,
                                  .salt = {(uint64_t)a->salt[0], (uint64_t)a->salt[1]}};
    if (reserved &&
        (texts ? strcmp(text.data, a->mask_value) == 0 : (double)number == a->mask_number))
        return 0;
    return reserved + (texts ? cj__bin_of_text(&attrs, text) : cj__bin_of_number(&attrs, number));
}

cj_status cj__explain_hashing(cj__explanation *e)
{
    const cj_hashing_args *a = e->record->layer->args;
    const cj_tensor *x = e->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(e->record->outputs[0]);
    const int64_t depth = shape->dims[shape->rank - 1], entry = e->offset % depth;
    char words[WORDS];
    double found = 0;
    if (strcmp(a->output_mode, "int") == 0) {
        const int64_t bin = bin_of(e, e->offset);
        cj__print_line(e, "the hash of %s falls into bin %lld of %lld",
                       words_of(x, e->offset, words), (long long)bin, (long long)a->num_bins);
        return cj__conclude(e, (double)bin, (double)bin);
    }
    const bool one = strcmp(a->output_mode, "one_hot") == 0;
    const int64_t first = one ? e->offset / depth : 0, last = one ? first : cj_tensor_count(x) - 1;
    for (int64_t i = first; i <= last; i++)
        found += bin_of(e, i) == entry;
    return conclude_count(e, a->output_mode, entry, found);
}

// The bin follows from the hashes of all elements at one place.
cj_status cj__explain_hashed_crossing(cj__explanation *e)
{
    const cj_hashed_crossing_args *a = e->record->layer->args;
    const bool whole = strcmp(a->output_mode, "int") == 0;
    const int64_t at = whole ? e->offset : e->offset / a->num_bins;
    uint64_t hash = CJ__CROSSING_SEED;
    char words[WORDS];
    for (int i = 0; i < e->record->input_count; i++) {
        const cj_tensor *x = e->record->inputs[i];
        const bool texts = cj_tensor_dtype(x) == CJ_STRING;
        hash = texts ? cj__cross_text(hash, cj__string_at(cj_tensor_data(x), at)) :
                       cj__cross_number(hash, (int64_t)cj__element_at(x, at));
        cj__print_line(e, "input %d: %s", i, words_of(x, at, words));
    }
    const int64_t bin = (int64_t)(hash % (uint64_t)a->num_bins);
    cj__print_line(e, "the hash of all of them falls into bin %lld of %lld", (long long)bin,
                   (long long)a->num_bins);
    const double value = whole ? (double)bin : bin == e->offset % a->num_bins;
    return cj__conclude(e, value, value);
}
