// Attention and AdditiveAttention: keras/src/layers/attention/attention.py, additive_attention.py.
#include "layers/attention.h"
#include "layers/kind.h"
#include "layers/multi_head.h"

#include <string.h>

enum { QUERY, VALUE, KEY, INPUTS };

static const char *const score_modes[] = {"dot", "concat", NULL};

CJ__DEFAULTS(attention, ATTENTION)

static const cj__field dot_fields[] = {
    CJ__FIELD(cj_attention_args, use_scale, CJ__FIELD_BOOL),
    CJ__FIELD(cj_attention_args, score_mode, CJ__FIELD_TEXT, .required = true,
              .words = score_modes),
    CJ__FIELD(cj_attention_args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj_attention_args, seed, CJ__FIELD_SEED),
    CJ__FIELD(cj_attention_args, use_causal_mask, CJ__FIELD_BOOL, .hidden = true),
    CJ__FIELD(cj_attention_args, return_attention_scores, CJ__FIELD_BOOL, .hidden = true),
    CJ__LAYER_FIELDS(cj_attention_args),
};

CJ__DEFAULTS(additive_attention, ADDITIVE_ATTENTION)

static const cj__field additive_fields[] = {
    CJ__FIELD(cj_additive_attention_args, use_scale, CJ__FIELD_BOOL),
    CJ__FIELD(cj_additive_attention_args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj_additive_attention_args, seed, CJ__FIELD_SEED),
    CJ__FIELD(cj_additive_attention_args, use_causal_mask, CJ__FIELD_BOOL, .hidden = true),
    CJ__FIELD(cj_additive_attention_args, return_attention_scores, CJ__FIELD_BOOL, .hidden = true),
    CJ__LAYER_FIELDS(cj_additive_attention_args),
};

static cj_status check_shapes(const cj_layer *layer, const cj_shape *const *shapes, int count)
{
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    const cj_shape *query = shapes[QUERY], *value = shapes[VALUE],
                   *key = shapes[count > KEY ? KEY : VALUE];
    for (int i = 0; i < count; i++)
        CJ_TRY(cj__layer_need_rank(layer, shapes[i], 3, 3));
    for (int i = 0; i < count; i++)
        for (int axis = 1; axis < 3; axis++)
            if (shapes[i]->dims[axis] <= 0)
                return cj__fail(CJ_SHAPE_MISMATCH,
                                "%s: axis %d of input %s must have a known, positive length",
                                layer->name, axis, cj_shape_text(shapes[i], first, sizeof first));
    if (query->dims[2] != key->dims[2])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: query %s and key %s differ in their features",
                        layer->name, cj_shape_text(query, first, sizeof first),
                        cj_shape_text(key, second, sizeof second));
    if (value->dims[1] != key->dims[1])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: value %s and key %s differ in length", layer->name,
                        cj_shape_text(value, first, sizeof first),
                        cj_shape_text(key, second, sizeof second));
    return CJ_OK;
}

static cj_status check_types(const cj_layer *layer, const cj__type *inputs)
{
    const cj_shape *shapes[INPUTS] = {0};
    for (int i = 0; i < layer->input_count; i++)
        shapes[i] = &inputs[i].shape;
    return check_shapes(layer, shapes, layer->input_count);
}

static cj_status build_dot(cj_layer *layer, const cj__type *inputs)
{
    const cj_attention_args *a = layer->args;
    CJ_TRY(check_types(layer, inputs));
    if (a->use_scale)
        CJ_TRY(cj__layer_add_variable(layer, "scale", (cj_shape){0}, "ones", NULL, true, NULL));
    if (strcmp(a->score_mode, "concat") != 0)
        return CJ_OK;
    return cj__layer_add_variable(layer, "concat_score_weight", (cj_shape){0}, "ones", NULL, true,
                                  NULL);
}

static cj_status build_additive(cj_layer *layer, const cj__type *inputs)
{
    const cj_additive_attention_args *a = layer->args;
    CJ_TRY(check_types(layer, inputs));
    if (!a->use_scale)
        return CJ_OK;
    return cj__layer_add_variable(layer, "scale", CJ_SHAPE(inputs[QUERY].shape.dims[2]),
                                  "glorot_uniform", NULL, true, NULL);
}

// Inputs as the call takes them: query, value, key, and the mask of the scores but the causal one.
typedef struct operands {
    cj_symbol *q, *v, *k, *mask;
} operands;

static cj_status operands_of(cj__layer_context *c, operands *o)
{
    const cj_shape *shapes[INPUTS] = {0};
    for (int i = 0; i < c->input_count; i++)
        shapes[i] = cj__value_shape(&c->inputs[i]);
    CJ_TRY(check_shapes(c->layer, shapes, c->input_count));
    o->q = c->inputs[QUERY].symbol;
    o->v = c->inputs[VALUE].symbol;
    o->k = c->inputs[c->input_count > KEY ? KEY : VALUE].symbol;
    o->mask = c->inputs[VALUE].mask ? cj__mask_of_keys(c->build, c->inputs[VALUE].mask) : NULL;
    return CJ_OK;
}

// The output is 0 where the query is masked.
static cj_status finish(cj__layer_context *c, cj_symbol *y, cj_symbol *scores, bool wanted)
{
    cj__build *g = c->build;
    cj_symbol *mask = c->inputs[QUERY].mask;
    if (mask) {
        cj_shape shape = *cj_symbol_shape(mask);
        shape.dims[shape.rank++] = 1;
        y = cj__select(g, cj__reshape(g, mask, &shape), y, cj__scalar(g, CJ_F32, 0));
    }
    c->outputs[0] = (cj__value){y, mask};
    if (wanted) {
        c->outputs[1].symbol = scores;
        c->output_count = 2;
    }
    return g->status;
}

// x (b, n, d) as one head: (b, n, 1, d).
static cj_symbol *one_head(cj__build *g, cj_symbol *x)
{
    const cj_shape *s = x ? cj_symbol_shape(x) : NULL;
    return s ? cj__reshape(g, x, &CJ_SHAPE(s->dims[0], s->dims[1], 1, s->dims[2])) : NULL;
}

static cj_symbol *without_head(cj__build *g, cj_symbol *x, int axis)
{
    const cj_shape *s = x ? cj_symbol_shape(x) : NULL;
    cj_shape shape = {.rank = 0};
    for (int i = 0; s && i < s->rank; i++)
        if (i != axis)
            shape.dims[shape.rank++] = s->dims[i];
    return s ? cj__reshape(g, x, &shape) : NULL;
}

// Scores that are products: the op attention, with one head.
static cj_status call_products(cj__layer_context *c, const operands *o)
{
    const cj_attention_args *a = c->layer->args;
    cj__build *g = c->build;
    const cj__attending how = {.scale = 1,
                               .causal = cj__called_with(c, "use_causal_mask"),
                               .mask = o->mask,
                               .dropout = a->dropout,
                               .seed = a->seed,
                               .scores = cj__called_with(c, "return_attention_scores"),
                               .scores_dropped = true};
    cj_symbol *q = o->q, *scores = NULL;
    if (a->use_scale)
        q = cj__mul(g, q, cj__trace_variable(c->trace, c->layer->variables[0]));
    cj_symbol *y =
        cj__attend(c, &how, one_head(g, q), one_head(g, o->k), one_head(g, o->v), &scores);
    scores = how.scores ? without_head(g, scores, 1) : NULL;
    return finish(c, without_head(g, y, 2), scores, how.scores);
}

// tanh(scale (q + k)) for each query and key: (b, t, s, d); scale may be NULL.
static cj_symbol *tanh_of_sums(cj__build *g, const operands *o, cj_symbol *scale)
{
    const cj_shape *q = cj_symbol_shape(o->q), *k = cj_symbol_shape(o->k);
    cj_symbol *sum =
        cj__add(g, cj__reshape(g, o->q, &CJ_SHAPE(q->dims[0], q->dims[1], 1, q->dims[2])),
                cj__reshape(g, o->k, &CJ_SHAPE(k->dims[0], 1, k->dims[1], k->dims[2])));
    return cj__apply_unary(g, CJ__UNARY_tanh, scale ? cj__mul(g, sum, scale) : sum, 0, 0);
}

// The rest for given scores (b, t, s): mask, softmax, dropout, product with the values.
static cj_status apply_scores(cj__layer_context *c, const operands *o, cj_symbol *scores,
                              const cj__attending *how)
{
    cj__build *g = c->build;
    const int64_t queries = cj_symbol_shape(o->q)->dims[1], keys = cj_symbol_shape(o->k)->dims[1];
    cj_symbol *mask = o->mask;
    if (how->causal)
        mask = cj__mask_and(g, mask, cj__mask_of_band(g, queries, keys, INT64_MAX, 1));
    if (mask)
        scores = cj__select(g, without_head(g, mask, 1), scores, cj__shift(g, scores, -1e9));
    scores = cj__softmax(g, scores);
    if (c->trace->training && how->dropout > 0)
        scores = cj__dropout(g, scores, c->trace->step,
                             cj__trace_key(c->trace, how->seed, c->layer->name), how->dropout);
    return finish(c, cj__einsum(g, "bts,bse->bte", scores, o->v), scores, how->scores);
}

static cj_status call_dot(cj__layer_context *c)
{
    const cj_attention_args *a = c->layer->args;
    cj_variable *const *variables = c->layer->variables;
    cj__build *g = c->build;
    operands o;
    CJ_TRY(operands_of(c, &o));
    if (strcmp(a->score_mode, "concat") != 0)
        return call_products(c, &o);
    cj_symbol *scale = a->use_scale ? cj__trace_variable(c->trace, variables[0]) : NULL;
    cj_symbol *sum = cj__sum(g, tanh_of_sums(g, &o, scale), 1u << 3, false);
    cj_symbol *scores = cj__mul(g, sum, cj__trace_variable(c->trace, variables[a->use_scale]));
    return apply_scores(c, &o, scores,
                        &(cj__attending){.causal = cj__called_with(c, "use_causal_mask"),
                                         .dropout = a->dropout,
                                         .seed = a->seed,
                                         .scores = cj__called_with(c, "return_attention_scores")});
}

static cj_status call_additive(cj__layer_context *c)
{
    const cj_additive_attention_args *a = c->layer->args;
    cj__build *g = c->build;
    operands o;
    CJ_TRY(operands_of(c, &o));
    cj_symbol *terms = tanh_of_sums(g, &o, NULL);
    if (a->use_scale)
        terms = cj__mul(g, terms, cj__trace_variable(c->trace, c->layer->variables[0]));
    return apply_scores(c, &o, cj__sum(g, terms, 1u << 3, false),
                        &(cj__attending){.causal = cj__called_with(c, "use_causal_mask"),
                                         .dropout = a->dropout,
                                         .seed = a->seed,
                                         .scores = cj__called_with(c, "return_attention_scores")});
}

static const cj__given_mask masks[] = {
    {"query_mask", QUERY}, {"value_mask", VALUE}, {"key_mask", KEY}, {NULL, 0}};

#define ATTENTION(plain, class, name)                                         \
    const cj__layer_kind cj__layer_##plain = {                                \
        .choice = CJ__CHOICE(#plain, class, name##_fields, plain##_defaults), \
        .min_inputs = 2,                                                      \
        .max_inputs = INPUTS,                                                 \
        .call_settings = cj__attention_call_settings,                         \
        .given_masks = masks,                                                 \
        .masks_in_list = true,                                                \
        .build = build_##name,                                                \
        .call = call_##name,                                                  \
        .mask = CJ__MASK_OWN,                                                 \
    };                                                                        \
    CJ__CONSTRUCTOR(plain)

ATTENTION(attention, "Attention", dot)
ATTENTION(additive_attention, "AdditiveAttention", additive)
