// StringLookup and IntegerLookup: see lookup.h for what they share.
#include "base/memory.h"
#include "layers/lookup.h"

#include <math.h>
#include <string.h>

CJ__DEFAULTS(string_lookup, STRING_LOOKUP)
CJ__DEFAULTS(integer_lookup, INTEGER_LOOKUP)

static const char *const modes[] = {"int", "one_hot", "multi_hot", "count", "tf_idf", NULL};
static const char *const methods[] = {"floormod", "farmhash", NULL};

// Indices that fit into int32 with a vocabulary.
#define OOV_RANGE .low = 0, .high = 1 << 28

static const cj__field string_fields[] = {
    CJ__FIELD(cj_string_lookup_args, max_tokens, CJ__FIELD_SEED),
    CJ__FIELD(cj_string_lookup_args, num_oov_indices, CJ__FIELD_INT, OOV_RANGE),
    CJ__FIELD(cj_string_lookup_args, mask_token, CJ__FIELD_TEXT),
    CJ__FIELD(cj_string_lookup_args, oov_token, CJ__FIELD_TEXT),
    CJ__FIELD(cj_string_lookup_args, vocabulary, CJ__FIELD_TEXTS),
    CJ__FIELD(cj_string_lookup_args, idf_weights, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_string_lookup_args, invert, CJ__FIELD_BOOL),
    CJ__FIELD(cj_string_lookup_args, output_mode, CJ__FIELD_TEXT, .required = true, .words = modes),
    CJ__FIELD(cj_string_lookup_args, pad_to_max_tokens, CJ__FIELD_BOOL),
    CJ__FIELD(cj_string_lookup_args, salt, CJ__FIELD_AMOUNTS, .rows = 2, .columns = 1,
              .optional = true),
    CJ__LAYER_FIELDS(cj_string_lookup_args),
};

static const cj__field integer_fields[] = {
    CJ__FIELD(cj_integer_lookup_args, max_tokens, CJ__FIELD_SEED),
    CJ__FIELD(cj_integer_lookup_args, num_oov_indices, CJ__FIELD_INT, OOV_RANGE),
    CJ__FIELD(cj_integer_lookup_args, mask_token, CJ__FIELD_LIMIT, .whole = true),
    CJ__FIELD(cj_integer_lookup_args, oov_token, CJ__FIELD_LIMIT, .whole = true),
    CJ__FIELD(cj_integer_lookup_args, vocabulary, CJ__FIELD_NUMBERS, .whole = true),
    CJ__FIELD(cj_integer_lookup_args, idf_weights, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_integer_lookup_args, invert, CJ__FIELD_BOOL),
    CJ__FIELD(cj_integer_lookup_args, output_mode, CJ__FIELD_TEXT, .required = true,
              .words = modes),
    CJ__FIELD(cj_integer_lookup_args, pad_to_max_tokens, CJ__FIELD_BOOL),
    CJ__FIELD(cj_integer_lookup_args, oov_method, CJ__FIELD_TEXT, .required = true,
              .words = methods),
    CJ__FIELD(cj_integer_lookup_args, salt, CJ__FIELD_AMOUNTS, .rows = 2, .columns = 1,
              .optional = true),
    CJ__LAYER_FIELDS(cj_integer_lookup_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("sparse", "false"),
    CJ__KEY_ONLY("encoding", "utf-8"),
    CJ__KEY_ONLY("vocabulary_dtype", "int64"),
    CJ__KEY_ONLY("oov_method", "floormod"), // of StringLookup, which always hashes
    CJ__KEY_HARMLESS("vocabulary_size"),
    CJ__KEY_HARMLESS("has_input_vocabulary"),
    {.key = NULL},
};

static cj_status check_integers(cj_layer *layer)
{
    const cj_integer_lookup_args *a = layer->args;
    if (a->salt[0] >= 0 && strcmp(a->oov_method, "farmhash") != 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: salt needs oov_method \"farmhash\"", layer->name);
    if (a->invert && isinf(a->oov_token))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: invert needs an oov_token", layer->name);
    return cj__lookup_check(layer);
}

// What each index stands for, and last of all the oov_token.
static cj_status make_entries(const cj_layer *layer, cj_tensor **entries)
{
    const cj__lookup *l = cj__lookup_of(layer);
    const cj__lookup_settings s = cj__lookup_settings_of(layer);
    const int64_t size = cj__lookup_size(layer), all = size + 1;
    const int64_t tokens = l->vocabulary ? l->vocabulary->count - s.masked : 0;
    const cj_texts none = {0};
    if (s.whole)
        CJ_TRY(cj_tensor_new(CJ_I64, CJ_SHAPE(all), entries));
    else {
        const char **values = cj__new((size_t)all, sizeof *values);
        cj_status status = values ? CJ_OK : CJ_OUT_OF_MEMORY;
        for (int64_t i = 0; i < all && values; i++)
            values[i] = i < size ? cj_vocabulary_token(layer, i) : s.oov;
        if (values)
            status = cj_tensor_from(CJ_STRING, CJ_SHAPE(all), values, (size_t)all, entries);
        cj__free(values);
        return status;
    }
    (void)none;
    int64_t *at = cj_tensor_data(*entries);
    for (int64_t i = 0; i < all; i++)
        at[i] = s.oov_number;
    if (s.masked)
        at[0] = s.mask_number;
    for (int64_t i = 0; i < tokens; i++)
        at[size - tokens + i] =
            ((const int64_t *)(const void *)l->vocabulary->tokens->data)[i + s.masked];
    return CJ_OK;
}

static cj_status call_inverted(cj__layer_context *c)
{
    cj__build *g = c->build;
    cj_tensor *entries = NULL;
    CJ_TRY(make_entries(c->layer, &entries));
    cj_symbol *constant = cj__build_keep(g, cj_symbol_constant(entries));
    c->outputs[0].symbol =
        cj__append(g, &cj__op_entry, NULL,
                   (cj_symbol *[]){constant, cj__cast(g, c->inputs[0].symbol, CJ_I32)}, 2);
    return CJ_OK;
}

static cj_status call(cj__layer_context *c)
{
    const cj__lookup_settings s = cj__lookup_settings_of(c->layer);
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__lookup_need(c->layer, c->trace->running));
    cj__lookup_note(c);
    if (s.invert)
        return call_inverted(c);
    const cj__lookup_attrs attrs = cj__lookup_attrs_of(c->layer);
    if (!s.whole && cj_symbol_dtype(x) != CJ_STRING)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the input is %s, needs texts", c->layer->name,
                        cj_dtype_name(cj_symbol_dtype(x)));
    if (s.whole)
        x = cj__cast(g, x, CJ_I64);
    cj_symbol *indices = cj__append(g, &cj__op_lookup, &attrs, &x, 1);
    if (strcmp(s.mode, "int") == 0) {
        c->outputs[0].symbol = indices;
        return CJ_OK;
    }
    const bool weighted = strcmp(s.mode, "tf_idf") == 0;
    CJ_TRY(cj__encode_indices(c, indices, weighted ? "count" : s.mode, cj__lookup_depth(c->layer)));
    c->outputs[0].symbol = cj__lookup_weigh(c, c->outputs[0].symbol);
    return CJ_OK;
}

#define LOOKUP(plain, class_name, table, check_function)                   \
    const cj__layer_kind cj__layer_##plain = {                             \
        .choice = CJ__CHOICE(#plain, class_name, table, plain##_defaults), \
        .keys = keys,                                                      \
        .min_inputs = 1,                                                   \
        .max_inputs = 1,                                                   \
        .check = check_function,                                           \
        .adapt = cj__lookup_adapt,                                         \
        .copy_state = cj__lookup_copy_state,                               \
        .call = call,                                                      \
        .free = cj__lookup_free,                                           \
        .mask = CJ__MASK_DROP,                                             \
        .size = sizeof(cj__lookup),                                        \
        .any_dtype = true,                                                 \
    }
LOOKUP(string_lookup, "StringLookup", string_fields, cj__lookup_check);
LOOKUP(integer_lookup, "IntegerLookup", integer_fields, check_integers);

CJ__CONSTRUCTOR(string_lookup)
CJ__CONSTRUCTOR(integer_lookup)
