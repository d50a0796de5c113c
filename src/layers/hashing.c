// Hashing and HashedCrossing: bins without a vocabulary.
#include "layers/lookup.h"

#include <math.h>
#include <limits.h>
#include <string.h>

CJ__DEFAULTS(hashing, HASHING)
CJ__DEFAULTS(hashed_crossing, HASHED_CROSSING)

static const char *const modes[] = {"int", "one_hot", "multi_hot", "count", NULL};
static const char *const crossing_modes[] = {"int", "one_hot", NULL};

#define BINS_RANGE .required = true, .low = 1, .high = INT32_MAX

static const cj__field hashing_fields[] = {
    CJ__FIELD(cj_hashing_args, num_bins, CJ__FIELD_INT, BINS_RANGE),
    CJ__FIELD(cj_hashing_args, mask_value, CJ__FIELD_TEXT,
              .single = offsetof(cj_hashing_args, mask_number)),
    CJ__FIELD(cj_hashing_args, mask_number, CJ__FIELD_LIMIT, .whole = true, .hidden = true),
    CJ__FIELD(cj_hashing_args, salt, CJ__FIELD_AMOUNTS, .rows = 2, .columns = 1, .optional = true),
    CJ__FIELD(cj_hashing_args, output_mode, CJ__FIELD_TEXT, .required = true, .words = modes),
    CJ__LAYER_FIELDS(cj_hashing_args),
};

static const cj__field crossing_fields[] = {
    CJ__FIELD(cj_hashed_crossing_args, num_bins, CJ__FIELD_INT, BINS_RANGE),
    CJ__FIELD(cj_hashed_crossing_args, output_mode, CJ__FIELD_TEXT, .required = true,
              .words = crossing_modes),
    CJ__FIELD(cj_hashed_crossing_args, name, CJ__FIELD_TEXT),
    CJ__FIELD(cj_hashed_crossing_args, trainable, CJ__FIELD_BOOL, .hidden = true), // not in Keras
    CJ__FIELD(cj_hashed_crossing_args, dtype, CJ__FIELD_TEXT),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("sparse", "false"),
    {.key = NULL},
};

// A Hashing layer, and the mask as a vocabulary of one token.
typedef struct hashing {
    cj_layer layer;
    cj__vocabulary *mask; // or NULL
} hashing;

static cj_status check_hashing(cj_layer *layer)
{
    const cj_hashing_args *a = layer->args;
    const int64_t number = isinf(a->mask_number) ? 0 : (int64_t)a->mask_number;
    cj_tensor *token = NULL;
    if (a->mask_value && !isinf(a->mask_number))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: give it one of mask_value and mask_number",
                        layer->name);
    if (a->mask_value)
        CJ_TRY(cj_tensor_from(CJ_STRING, CJ_SHAPE(1), &a->mask_value, 1, &token));
    else if (!isinf(a->mask_number))
        CJ_TRY(cj_tensor_from(CJ_I64, CJ_SHAPE(1), &number, 1, &token));
    hashing *h = (hashing *)(void *)layer;
    return token ? cj__vocabulary_new(token, layer->name, &h->mask) : CJ_OK;
}

static void free_hashing(cj_layer *layer)
{
    cj_release(((hashing *)(void *)layer)->mask);
}

// Texts as they are, numbers as int64.
static cj_symbol *hashable(cj__layer_context *c, int index)
{
    cj_symbol *x = c->inputs[index].symbol;
    return x && cj_symbol_dtype(x) != CJ_STRING ? cj__cast(c->build, x, CJ_I64) : x;
}

static cj_status call_hashing(cj__layer_context *c)
{
    const cj_hashing_args *a = c->layer->args;
    const bool salted = a->salt[0] >= 0;
    cj__bins_attrs attrs = {.size = a->num_bins,
                            .hash = salted ? CJ__HASH_SALTED : CJ__HASH_FINGERPRINT,
                            .salt = {(uint64_t)a->salt[0], (uint64_t)a->salt[1]}};
    attrs.mask.vocabulary = ((const hashing *)(const void *)c->layer)->mask;
    cj_symbol *x = hashable(c, 0);
    cj_symbol *bins = cj__append(c->build, &cj__op_bins, &attrs, &x, 1);
    if (strcmp(a->output_mode, "int") != 0)
        return cj__encode_indices(c, bins, a->output_mode, a->num_bins);
    c->outputs[0].symbol = bins;
    return CJ_OK;
}

const cj__layer_kind cj__layer_hashing = {
    .choice = CJ__CHOICE("hashing", "Hashing", hashing_fields, hashing_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_hashing,
    .call = call_hashing,
    .free = free_hashing,
    .mask = CJ__MASK_DROP,
    .size = sizeof(hashing),
    .any_dtype = true,
    .no_dtype = true,
};

CJ__CONSTRUCTOR(hashing)

static cj_status call_crossing(cj__layer_context *c)
{
    const cj_hashed_crossing_args *a = c->layer->args;
    const cj__bins_attrs attrs = {.size = a->num_bins};
    cj_symbol **inputs = cj__value_symbols(c->build, c->inputs, c->input_count);
    if (!inputs)
        return c->build->status;
    for (int i = 0; i < c->input_count; i++) {
        const cj_dtype dtype = cj_symbol_dtype(c->inputs[i].symbol);
        const cj_shape *shape = cj__value_shape(&c->inputs[i]);
        char text[CJ__SHAPE_WORDS];
        if (dtype == CJ_F32 || dtype == CJ_F64 || dtype == CJ_BF16)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d is %s, needs texts or whole numbers",
                            c->layer->name, i, cj_dtype_name(dtype));
        if (shape->rank < 1 || shape->rank > 2 || (shape->rank == 2 && shape->dims[1] != 1))
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: input %d has shape %s, needs (None,) or "
                            "(None, 1)",
                            c->layer->name, i, cj_shape_text(shape, text, sizeof text));
        inputs[i] = hashable(c, i);
    }
    cj_symbol *bins = cj__append(c->build, &cj__op_crossed_bins, &attrs, inputs, c->input_count);
    if (strcmp(a->output_mode, "int") != 0)
        return cj__encode_indices(c, bins, a->output_mode, a->num_bins);
    c->outputs[0].symbol = bins;
    return CJ_OK;
}

const cj__layer_kind cj__layer_hashed_crossing = {
    .choice =
        CJ__CHOICE("hashed_crossing", "HashedCrossing", crossing_fields, hashed_crossing_defaults),
    .keys = keys,
    .min_inputs = 2,
    .max_inputs = INT_MAX,
    .call = call_crossing,
    .mask = CJ__MASK_DROP,
    .any_dtype = true,
    .no_dtype = true,
};

CJ__CONSTRUCTOR(hashed_crossing)
