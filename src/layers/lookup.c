// See lookup.h.
#include "layers/lookup.h"

#include "base/memory.h"
#include "layers/preprocess.h"

#include <math.h>
#include <string.h>

// ---- Settings ----

cj__lookup *cj__lookup_of(const cj_layer *layer)
{
    const cj__layer_kind *kind = layer ? layer->kind : NULL;
    return kind == &cj__layer_text_vectorization || kind == &cj__layer_string_lookup ||
                   kind == &cj__layer_integer_lookup ?
               (cj__lookup *)(uintptr_t)layer :
               NULL;
}

static cj__lookup_settings of_vectorization(cj_text_vectorization_args *a)
{
    return (cj__lookup_settings){.max_tokens = a->max_tokens,
                                 .oov_count = 1,
                                 .masked = true,
                                 .pad = a->pad_to_max_tokens,
                                 .mask = "",
                                 .oov = "[UNK]",
                                 .mode = a->output_mode,
                                 .texts = &a->vocabulary,
                                 .idf = &a->idf_weights};
}

static cj__lookup_settings of_strings(cj_string_lookup_args *a)
{
    const bool salted = a->salt[0] >= 0;
    return (cj__lookup_settings){.max_tokens = a->max_tokens,
                                 .oov_count = a->num_oov_indices,
                                 .masked = a->mask_token != NULL,
                                 .invert = a->invert,
                                 .pad = a->pad_to_max_tokens,
                                 .mask = a->mask_token,
                                 .oov = a->oov_token,
                                 .mode = a->output_mode,
                                 .hash = salted ? CJ__HASH_SALTED : CJ__HASH_FINGERPRINT,
                                 .salt = {(uint64_t)a->salt[0], (uint64_t)a->salt[1]},
                                 .texts = &a->vocabulary,
                                 .idf = &a->idf_weights};
}

static cj__lookup_settings of_numbers(cj_integer_lookup_args *a)
{
    const bool salted = a->salt[0] >= 0, hashed = strcmp(a->oov_method, "farmhash") == 0;
    return (cj__lookup_settings){.whole = true,
                                 .max_tokens = a->max_tokens,
                                 .oov_count = a->num_oov_indices,
                                 .masked = !isinf(a->mask_token),
                                 .invert = a->invert,
                                 .pad = a->pad_to_max_tokens,
                                 .mask_number = isinf(a->mask_token) ? 0 : (int64_t)a->mask_token,
                                 .oov_number = isinf(a->oov_token) ? -1 : (int64_t)a->oov_token,
                                 .mode = a->output_mode,
                                 .hash = salted ? CJ__HASH_SALTED :
                                         hashed ? CJ__HASH_FINGERPRINT :
                                                  CJ__HASH_REMAINDER,
                                 .salt = {(uint64_t)a->salt[0], (uint64_t)a->salt[1]},
                                 .numbers = &a->vocabulary,
                                 .idf = &a->idf_weights};
}

cj__lookup_settings cj__lookup_settings_of(const cj_layer *layer)
{
    return layer->kind == &cj__layer_text_vectorization ? of_vectorization(layer->args) :
           layer->kind == &cj__layer_string_lookup      ? of_strings(layer->args) :
                                                          of_numbers(layer->args);
}

static bool is_mode(const cj__lookup_settings *s, const char *mode)
{
    return strcmp(s->mode, mode) == 0;
}

static int64_t given_count(const cj__lookup_settings *s)
{
    return s->whole ? s->numbers->count : s->texts->count;
}

// Indices before those of the vocabulary.
static int64_t special_count(const cj__lookup_settings *s)
{
    return s->oov_count + (s->masked && is_mode(s, "int"));
}

static cj_status check_settings(const cj_layer *layer, const cj__lookup_settings *s)
{
    const char *wrong = NULL;
    const bool weighted = is_mode(s, "tf_idf");
    if (s->max_tokens != -1 && s->max_tokens < 2)
        wrong = "max_tokens must be at least 2, or -1 for any";
    else if (s->pad && s->max_tokens == -1)
        wrong = "pad_to_max_tokens needs max_tokens";
    else if (s->invert && !is_mode(s, "int"))
        wrong = "invert needs output_mode \"int\"";
    else if (s->idf->count > 0 && !weighted)
        wrong = "idf_weights need output_mode \"tf_idf\"";
    else if (s->idf->count > 0 && given_count(s) == 0)
        wrong = "idf_weights need a vocabulary";
    else if (weighted && given_count(s) > 0 && s->idf->count == 0)
        wrong = "output_mode \"tf_idf\" needs idf_weights with the vocabulary";
    if (wrong)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s", layer->name, wrong);
    if (s->idf->count > 0 && s->idf->count != given_count(s))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld idf_weights for a vocabulary of %lld",
                        layer->name, (long long)s->idf->count, (long long)given_count(s));
    return CJ_OK;
}

// ---- Taking a vocabulary in ----

// Whether entry `index` of the setting is the mask (`mask`) or stands for what is unknown.
static bool is_special(const cj__lookup_settings *s, int64_t index, bool mask)
{
    if (s->whole)
        return s->numbers->values[index] == (double)(mask ? s->mask_number : s->oov_number);
    const char *special = mask ? s->mask : s->oov;
    return special && strcmp(s->texts->values[index], special) == 0;
}

// How many entries at the beginning of the setting are special: all that there can be, or none.
static int64_t leading_specials(const cj__lookup_settings *s)
{
    const int64_t specials = special_count(s), masks = specials - s->oov_count;
    if (given_count(s) < specials)
        return 0;
    for (int64_t i = 0; i < specials; i++)
        if (!is_special(s, i, i < masks))
            return 0;
    return specials;
}

static cj_status check_tokens(const cj_layer *layer, const cj__lookup_settings *s, int64_t skip)
{
    const int64_t count = given_count(s), size = special_count(s) + count - skip;
    for (int64_t i = skip; i < count; i++) {
        if (s->masked && is_special(s, i, true))
            return cj__fail(
                CJ_INVALID_ARGUMENT,
                "%s: entry %lld of the vocabulary is the mask_token, which may stand at "
                "the beginning only, with the oov_token after it, or be left out",
                layer->name, (long long)i);
        if (s->invert && is_special(s, i, false))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: entry %lld of the vocabulary is the oov_token", layer->name,
                            (long long)i);
        if (s->whole && !(s->numbers->values[i] == floor(s->numbers->values[i]) &&
                          fabs(s->numbers->values[i]) <= 0x1p53))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: entry %lld of the vocabulary is %.17g, needs a "
                            "whole number of at most 2^53 either way",
                            layer->name, (long long)i, s->numbers->values[i]);
    }
    if (s->max_tokens != -1 && size > s->max_tokens)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a vocabulary of %lld indices, max_tokens is %lld",
                        layer->name, (long long)size, (long long)s->max_tokens);
    return CJ_OK;
}

// The mask, if there is one, and the tokens from `skip` on.
static cj_status make_tokens(const cj__lookup_settings *s, int64_t skip, cj_tensor **tokens)
{
    const int64_t count = given_count(s) - skip, all = count + s->masked;
    if (s->whole) {
        CJ_TRY(cj_tensor_new(CJ_I64, CJ_SHAPE(all), tokens));
        int64_t *at = cj_tensor_data(*tokens);
        if (s->masked)
            *at++ = s->mask_number;
        for (int64_t i = 0; i < count; i++)
            at[i] = (int64_t)s->numbers->values[skip + i];
        return CJ_OK;
    }
    const char **values = cj__new((size_t)all, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    if (s->masked)
        values[0] = s->mask;
    for (int64_t i = 0; i < count; i++)
        values[i + s->masked] = s->texts->values[skip + i];
    const cj_status status = cj_tensor_from(CJ_STRING, CJ_SHAPE(all), values, (size_t)all, tokens);
    cj__free(values);
    return status;
}

// A weight for each index: the special ones have the mean, those that only fill up 0.
static cj_status make_weights(const cj__lookup_settings *s, int64_t skip, cj_tensor **weights)
{
    const int64_t given = s->idf->count, front = special_count(s) - skip, size = front + given;
    double sum = 0;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(s->pad ? s->max_tokens : size), weights));
    float *at = cj_tensor_data(*weights);
    for (int64_t i = 0; i < given; i++)
        sum += s->idf->values[i];
    for (int64_t i = 0; i < size; i++)
        at[i] = (float)(i < front ? sum / (double)given : s->idf->values[i - front]);
    return CJ_OK;
}

cj_status cj__lookup_take(cj_layer *layer)
{
    cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const int64_t skip = leading_specials(&s);
    cj_tensor *tokens = NULL, *weights = NULL;
    cj__vocabulary *vocabulary = NULL;
    CJ_TRY(check_tokens(layer, &s, skip));
    if (is_mode(&s, "tf_idf"))
        CJ_TRY(make_weights(&s, skip, &weights));
    cj_status status = make_tokens(&s, skip, &tokens);
    if (status == CJ_OK)
        status = cj__vocabulary_new(tokens, layer->name, &vocabulary);
    if (status != CJ_OK) {
        cj_release(weights);
        return status;
    }
    cj_release(l->vocabulary);
    cj_release(l->weights);
    l->vocabulary = vocabulary;
    l->weights = cj__own(weights);
    return CJ_OK;
}

cj_status cj__lookup_check(cj_layer *layer)
{
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    CJ_TRY(check_settings(layer, &s));
    if (given_count(&s) == 0)
        return CJ_OK;
    cj__lookup_of(layer)->given = true;
    return cj__lookup_take(layer);
}

void cj__lookup_free(cj_layer *layer)
{
    cj__lookup *l = cj__lookup_of(layer);
    cj_release(l->vocabulary);
    cj_release(l->weights);
}

// A vocabulary that was learnt stands in the settings, as one that was given.
void cj__lookup_copy_state(cj_layer *made, const cj_layer *layer)
{
    cj__lookup_of(made)->given = cj__lookup_of(layer)->given;
}

// ---- Another vocabulary ----

static cj_status check_unused(const cj_layer *layer)
{
    const cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    if (l->used)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: its model has been run with the vocabulary that it has; give it "
                        "another before that",
                        layer->name);
    if (layer->built && !is_mode(&s, "int") && !s.pad)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "%s: it was applied already, and the size of its vocabulary is part of that "
            "model: adapt it first",
            layer->name);
    return CJ_OK;
}

// Exchanges the vocabulary in the settings with these.
static void exchange(const cj__lookup_settings *s, cj__learnt *other)
{
    const cj_numbers idf = *s->idf;
    *s->idf = other->idf;
    other->idf = idf;
    if (s->whole) {
        const cj_numbers numbers = *s->numbers;
        *s->numbers = other->numbers;
        other->numbers = numbers;
    } else {
        const cj_texts texts = *s->texts;
        *s->texts = other->texts;
        other->texts = texts;
    }
}

cj_status cj__lookup_replace(cj_layer *layer, cj_texts texts, cj_numbers numbers, cj_numbers idf)
{
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    cj__learnt other = {texts, numbers, idf};
    cj_status status = check_unused(layer);
    if (status == CJ_OK) {
        exchange(&s, &other);
        status = check_settings(layer, &s);
        if (status == CJ_OK)
            status = cj__lookup_take(layer);
        if (status != CJ_OK)
            exchange(&s, &other);
    }
    cj__free((void *)(uintptr_t)other.texts.values);
    cj__free((void *)(uintptr_t)other.numbers.values);
    cj__free((void *)(uintptr_t)other.idf.values);
    return status;
}

cj_status cj__lookup_adapt(cj_layer *layer, const cj_tensor *data)
{
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const cj__text_rules rules = layer->kind == &cj__layer_text_vectorization ?
                                     cj__text_rules_of(layer) :
                                     (cj__text_rules){.lower = 0};
    cj__learnt learnt = {0};
    if (cj__lookup_of(layer)->given)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: it was given its vocabulary: leave that out to adapt it", layer->name);
    CJ_TRY(check_unused(layer));
    CJ_TRY(cj__learn(layer, &s, &rules, data, &learnt));
    return cj__lookup_replace(layer, learnt.texts, learnt.numbers, learnt.idf);
}

// ---- Being called ----

cj_status cj__lookup_need(const cj_layer *layer, bool running)
{
    const cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const bool shaped = is_mode(&s, "int") || (s.pad && !is_mode(&s, "tf_idf"));
    if (l->vocabulary || (!running && shaped))
        return CJ_OK;
    return cj__fail(CJ_NOT_BUILT,
                    "%s: it has no vocabulary yet: call cj_adapt() with data, or give it "
                    ".vocabulary",
                    layer->name);
}

void cj__lookup_note(const cj__layer_context *context)
{
    if (context->trace->running)
        cj__lookup_of(context->layer)->used = true;
}

int64_t cj__lookup_size(const cj_layer *layer)
{
    const cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    return special_count(&s) + (l->vocabulary ? l->vocabulary->count - s.masked : 0);
}

int64_t cj__lookup_depth(const cj_layer *layer)
{
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    return s.pad ? s.max_tokens : cj__lookup_size(layer);
}

cj__lookup_attrs cj__lookup_attrs_of(const cj_layer *layer)
{
    const cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const bool whole_index = is_mode(&s, "int");
    cj__lookup_attrs attrs = {.first = special_count(&s),
                              .oov = special_count(&s) - s.oov_count,
                              .oov_count = l->vocabulary ? s.oov_count : -1,
                              .mask = !s.masked   ? CJ__TOKEN_PLAIN :
                                      whole_index ? CJ__TOKEN_MASK :
                                                    CJ__TOKEN_DROPPED,
                              .hash = s.hash,
                              .salt = {s.salt[0], s.salt[1]}};
    attrs.tokens.vocabulary = l->vocabulary;
    return attrs;
}

cj_symbol *cj__lookup_weigh(cj__layer_context *c, cj_symbol *counts)
{
    const cj__lookup *l = cj__lookup_of(c->layer);
    if (!l->weights || !counts)
        return counts;
    return cj__mul(c->build, counts, cj__build_keep(c->build, cj_symbol_constant(l->weights)));
}

cj_status cj__encode_indices(cj__layer_context *c, cj_symbol *indices, const char *mode,
                             int64_t depth)
{
    cj__build *g = c->build;
    cj__index_attrs attrs = {.size = depth, .once = strcmp(mode, "multi_hot") == 0};
    if (!indices)
        return g->status;
    cj_shape shape = *cj_symbol_shape(indices);
    const bool single = shape.rank > 1 && shape.dims[shape.rank - 1] == 1;
    if (strcmp(mode, "one_hot") != 0)
        CJ_TRY(cj__layer_need_rank(c->layer, &shape, 2, 2));
    else if (!single) {
        CJ_TRY(cj__layer_need_rank(c->layer, &shape, 1, CJ_MAX_RANK - 1));
        shape.dims[shape.rank++] = 1;
        indices = cj__reshape(g, indices, &shape);
    }
    c->outputs[0].symbol = cj__append(g, &cj__op_index_counts, &attrs, &indices, 1);
    return CJ_OK;
}
