// MultiHeadAttention: keras/src/layers/attention/multi_head_attention.py; Vaswani and others 2017.
// Its projections are sublayers, each an EinsumDense with Keras's name and weights.
#include "layers/attention.h"
#include "layers/kind.h"
#include "layers/composite.h"
#include "ops/infer.h"

#include <cajal/attention.h>
#include <math.h>
#include <string.h>

CJ__DEFAULTS(multi_head_attention, MULTI_HEAD_ATTENTION)

static const cj__field fields[] = {
    CJ__FIELD(cj_multi_head_attention_args, num_heads, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, key_dim, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, value_dim, CJ__FIELD_SEED),
    CJ__FIELD(cj_multi_head_attention_args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj_multi_head_attention_args, use_bias, CJ__FIELD_BOOL),
    CJ__FIELD(cj_multi_head_attention_args, use_gate, CJ__FIELD_BOOL),
    CJ__FIELD(cj_multi_head_attention_args, output_shape, CJ__FIELD_LIST, CJ__POSITIVE),
    CJ__FIELD(cj_multi_head_attention_args, attention_axes, CJ__FIELD_LIST),
    CJ__FIELD(cj_multi_head_attention_args, sliding_window, CJ__FIELD_SEED),
    CJ__SPEC_FIELD(cj_multi_head_attention_args, kernel_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_multi_head_attention_args, bias_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_multi_head_attention_args, kernel_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_multi_head_attention_args, bias_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_multi_head_attention_args, activity_regularizer, cj__regularizers),
    CJ__FIELD(cj_multi_head_attention_args, seed, CJ__FIELD_SEED),
    CJ__FIELD(cj_multi_head_attention_args, use_causal_mask, CJ__FIELD_BOOL, .hidden = true),
    CJ__FIELD(cj_multi_head_attention_args, return_attention_scores, CJ__FIELD_BOOL,
              .hidden = true),
    CJ__LAYER_FIELDS(cj_multi_head_attention_args),
};

static const cj__config_key config_keys[] = {
    CJ__KEY_ONLY("kernel_constraint", "null"),
    CJ__KEY_ONLY("bias_constraint", "null"),
    CJ__KEY_HARMLESS("flash_attention"),
    {.key = NULL},
};

enum { QUERY, VALUE, KEY, MASK, INPUTS };
static const char *const arguments[] = {"query", "value", "key", "attention_mask", NULL};
static const char *const call_settings[] = {"use_causal_mask", "return_attention_scores", NULL};

// Settings
// -----------------------------------------------------------------------------------------------

static cj_status check(cj_layer *layer)
{
    const cj_multi_head_attention_args *a = layer->args;
    const bool window = a->sliding_window == 0;
    if (window || a->value_dim == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be positive, or -1 for none, not 0",
                        layer->name, window ? "sliding_window" : "value_dim");
    return CJ_OK;
}

static int64_t value_dim(const cj_layer *layer)
{
    const cj_multi_head_attention_args *a = layer->args;
    return a->value_dim > 0 ? a->value_dim : a->key_dim;
}

// The axes between batch and features, which attention_axes may name, but no others.
static cj_status check_axes(const cj_layer *layer, const cj_shape *query)
{
    const cj_multi_head_attention_args *a = layer->args;
    char text[CJ__SHAPE_WORDS];
    uint32_t named = 0;
    for (int i = 0; i < CJ_MAX_RANK && a->attention_axes[i] != 0; i++) {
        // Keras counts negative axes from the end of the input with its heads apart
        const int64_t axis =
            a->attention_axes[i] < 0 ? a->attention_axes[i] + query->rank : a->attention_axes[i];
        if (axis < 1 || axis > query->rank - 2)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: attention_axes has %lld, which is no axis between batch and "
                            "features of query %s",
                            layer->name, (long long)a->attention_axes[i],
                            cj_shape_text(query, text, sizeof text));
        named |= 1u << axis;
    }
    const uint32_t all = (1u << (query->rank - 1)) - 2;
    if (named && named != all)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: this version has attention over all axes between batch and features "
                        "only; attention_axes names some of those of query %s",
                        layer->name, cj_shape_text(query, text, sizeof text));
    return CJ_OK;
}

// Value and key have the query's rank; all three have known lengths; and so on.
static cj_status check_inputs(const cj_layer *layer, const cj_shape *const *shapes, int count)
{
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    const cj_shape *query = shapes[QUERY], *value = shapes[VALUE];
    for (int i = 0; i < count && i < MASK; i++) {
        CJ_TRY(cj__layer_need_rank(layer, shapes[i], 3, CJ_MAX_RANK - 1));
        for (int axis = 1; axis < shapes[i]->rank; axis++)
            if (shapes[i]->dims[axis] <= 0)
                return cj__fail(CJ_SHAPE_MISMATCH,
                                "%s: axis %d of input %s must have a known, positive length",
                                layer->name, axis, cj_shape_text(shapes[i], first, sizeof first));
        if (shapes[i]->rank != query->rank)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: query %s and %s %s have different ranks",
                            layer->name, cj_shape_text(query, first, sizeof first), arguments[i],
                            cj_shape_text(shapes[i], second, sizeof second));
    }
    const size_t sequence = (size_t)(query->rank - 2) * sizeof *value->dims;
    if (count > KEY && memcmp(value->dims + 1, shapes[KEY]->dims + 1, sequence) != 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: value %s and key %s differ in more than their features", layer->name,
                        cj_shape_text(value, first, sizeof first),
                        cj_shape_text(shapes[KEY], second, sizeof second));
    return check_axes(layer, query);
}

// Sublayers
// -----------------------------------------------------------------------------------------------

// "...a,abc->...bc", of which the first `summed` letters are summed and `made` come in.
static cj_layer *projection(const cj_layer *layer, const char *name, int summed,
                            const int64_t *lengths, int made, const char *activation)
{
    static const char letters[] = "abcdefghijklmnop";
    const cj_multi_head_attention_args *a = layer->args;
    char equation[64], bias[CJ_MAX_RANK + 1];
    snprintf(equation, sizeof equation, "...%.*s,%.*s->...%.*s", summed, letters, summed + made,
             letters, made, letters + summed);
    snprintf(bias, sizeof bias, "%.*s", made, letters + summed);
    cj_einsum_dense_args args = {CJ_EINSUM_DENSE_DEFAULTS,
                                 .name = name,
                                 .equation = equation,
                                 .activation = activation,
                                 .bias_axes = a->use_bias ? bias : NULL,
                                 .kernel_initializer = a->kernel_initializer,
                                 .bias_initializer = a->bias_initializer,
                                 .kernel_regularizer = a->kernel_regularizer,
                                 .bias_regularizer = a->bias_regularizer,
                                 .activity_regularizer = a->activity_regularizer};
    memcpy(args.output_shape, lengths, (size_t)made * sizeof *lengths);
    return cj_einsum_dense_new(&args);
}

// Into heads: (..., features) becomes (..., heads, depth).
static cj_status add_heads(cj_layer *layer, const char *name, int64_t depth, const char *activation,
                           const cj__type *input)
{
    const cj_multi_head_attention_args *a = layer->args;
    const int64_t lengths[] = {a->num_heads, depth};
    return cj__add_sublayer(layer, projection(layer, name, 1, lengths, 2, activation), input);
}

// Out of the heads: (..., heads, value_dim) becomes (..., output_shape).
static cj_status add_output(cj_layer *layer, const cj__type *query)
{
    const cj_multi_head_attention_args *a = layer->args;
    cj__type heads = *query;
    int made = 0;
    while (made < CJ_MAX_RANK && a->output_shape[made] != 0)
        made++;
    const int64_t *features = &query->shape.dims[query->shape.rank - 1];
    heads.shape.dims[heads.shape.rank - 1] = a->num_heads;
    heads.shape.dims[heads.shape.rank++] = value_dim(layer);
    return cj__add_sublayer(layer,
                            projection(layer, "attention_output", 2,
                                       made ? a->output_shape : features, made ? made : 1, NULL),
                            &heads);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_multi_head_attention_args *a = layer->args;
    const cj_shape *shapes[INPUTS] = {0};
    cj__type given[INPUTS];
    for (int i = 0; i < layer->input_count; i++) {
        given[i] = inputs[i];
        given[i].dtype = CJ_F32;
        shapes[i] = &inputs[i].shape;
    }
    CJ_TRY(check_inputs(layer, shapes, layer->input_count));
    const cj__type *key = &given[layer->input_count > KEY ? KEY : VALUE];
    CJ_TRY(add_heads(layer, "query", a->key_dim, NULL, &given[QUERY]));
    CJ_TRY(add_heads(layer, "key", a->key_dim, NULL, key));
    if (a->use_gate)
        CJ_TRY(add_heads(layer, "gate", value_dim(layer), "sigmoid", &given[QUERY]));
    CJ_TRY(add_heads(layer, "value", value_dim(layer), NULL, &given[VALUE]));
    return add_output(layer, &given[QUERY]);
}

// The call
// -----------------------------------------------------------------------------------------------

// The attention mask of the inputs as (b, h, t, s), with 1 for axes that it does not have.
static cj_status given_mask(cj__layer_context *c, int64_t queries, int64_t keys, cj_symbol **mask)
{
    const cj_multi_head_attention_args *a = c->layer->args;
    cj_symbol *given = c->inputs[MASK].symbol;
    const cj_shape *m = cj_symbol_shape(given);
    char text[CJ__SHAPE_WORDS];
    const bool heads = m->rank == 4;
    const int64_t *last = m->dims + m->rank - 2;
    const bool fits = (m->rank == 3 || heads) && (last[0] == 1 || last[0] == queries) &&
                      (last[1] == 1 || last[1] == keys) &&
                      (!heads || m->dims[1] == 1 || m->dims[1] == a->num_heads);
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: attention_mask %s does not fit %lld queries and %lld keys",
                        c->layer->name, cj_shape_text(m, text, sizeof text), (long long)queries,
                        (long long)keys);
    *mask = cj__reshape(c->build, cj__mask_of_input(c->build, given),
                        &CJ_SHAPE(m->dims[0], heads ? m->dims[1] : 1, last[0], last[1]));
    return CJ_OK;
}

// All masks but the causal one: the inputs', the window, the one that was given.
static cj_status mask_of(cj__layer_context *c, int64_t queries, int64_t keys, cj_symbol **mask)
{
    const cj_multi_head_attention_args *a = c->layer->args;
    cj__build *g = c->build;
    *mask = NULL;
    for (int i = 0; i < c->input_count && i < MASK; i++) {
        const cj_shape *m = c->inputs[i].mask ? cj_symbol_shape(c->inputs[i].mask) : NULL;
        if (!m || (i == KEY && c->inputs[i].mask == c->inputs[VALUE].mask))
            continue;
        if (m->rank != 2 || m->dims[1] != (i == QUERY ? queries : keys))
            return cj__fail(CJ_UNSUPPORTED,
                            "%s: the mask of its %s has more than one axis beside the batch",
                            c->layer->name, arguments[i]);
        *mask = cj__mask_and(g, *mask,
                             i == QUERY ? cj__mask_of_queries(g, c->inputs[i].mask) :
                                          cj__mask_of_keys(g, c->inputs[i].mask));
    }
    if (a->sliding_window > 0)
        *mask = cj__mask_and(
            g, *mask, cj__mask_of_band(g, queries, keys, a->sliding_window, a->sliding_window));
    if (c->input_count > MASK) {
        cj_symbol *given = NULL;
        CJ_TRY(given_mask(c, queries, keys, &given));
        *mask = cj__mask_and(g, *mask, given);
    }
    return g->status;
}

// (b, ..., heads, depth) with all axes of the sequence as one.
static cj_symbol *one_sequence(cj__build *g, cj_symbol *x)
{
    const cj_shape *s = x ? cj_symbol_shape(x) : NULL;
    if (!s || s->rank == 4)
        return x;
    return cj__reshape(g, x,
                       &CJ_SHAPE(s->dims[0], cj__span(s, 1, s->rank - 2), s->dims[s->rank - 2],
                                 s->dims[s->rank - 1]));
}

// The scores with the axes of both sequences.
static cj_symbol *all_axes(cj__build *g, cj_symbol *scores, const cj_shape *query,
                           const cj_shape *value)
{
    const cj_shape *s = scores ? cj_symbol_shape(scores) : NULL;
    if (!s || query->rank == 3)
        return scores;
    cj_shape shape = {.rank = 2, .dims = {s->dims[0], s->dims[1]}};
    for (int i = 0; i < 2; i++)
        for (int axis = 1; axis < query->rank - 1; axis++)
            shape.dims[shape.rank++] = (i == 0 ? query : value)->dims[axis];
    return cj__reshape(g, scores, &shape);
}

static cj_status check_call(cj__layer_context *c)
{
    const cj_multi_head_attention_args *a = c->layer->args;
    const cj_shape *shapes[INPUTS] = {0};
    for (int i = 0; i < c->input_count; i++)
        shapes[i] = cj__value_shape(&c->inputs[i]);
    CJ_TRY(check_inputs(c->layer, shapes, c->input_count));
    if (a->return_attention_scores && 2 + 2 * (shapes[QUERY]->rank - 2) > CJ_MAX_RANK)
        return cj__fail(CJ_UNSUPPORTED, "%s: its scores have more than %d axes", c->layer->name,
                        CJ_MAX_RANK);
    return CJ_OK;
}

static cj_status call(cj__layer_context *c)
{
    const cj_multi_head_attention_args *a = c->layer->args;
    cj__build *g = c->build;
    CJ_TRY(check_call(c));
    const cj_shape query = *cj__value_shape(&c->inputs[QUERY]),
                   value = *cj__value_shape(&c->inputs[VALUE]);
    const int64_t queries = cj__span(&query, 1, query.rank - 1),
                  keys = cj__span(&value, 1, value.rank - 1);
    cj__attending how = {.scale = 1 / sqrt((double)a->key_dim),
                         .causal = a->use_causal_mask,
                         .dropout = a->dropout,
                         .seed = a->seed,
                         .scores = a->return_attention_scores,
                         .zero_if_masked =
                             a->dropout > 0 || a->return_attention_scores || query.rank > 3};
    CJ_TRY(mask_of(c, queries, keys, &how.mask));
    cj_symbol *x[3], *scores = NULL;
    for (int i = 0; i < 3; i++)
        x[i] = cj__cast(g, c->inputs[i == KEY && c->input_count <= KEY ? VALUE : i].symbol, CJ_F32);
    int at = 0;
    cj_symbol *q = one_sequence(g, cj__call_sublayer(c, at++, x[QUERY]));
    cj_symbol *k = one_sequence(g, cj__call_sublayer(c, at++, x[KEY]));
    cj_symbol *gate = a->use_gate ? one_sequence(g, cj__call_sublayer(c, at++, x[QUERY])) : NULL;
    cj_symbol *v = one_sequence(g, cj__call_sublayer(c, at++, x[VALUE]));
    cj_symbol *y = cj__trace_round(c->trace, cj__attend(c, &how, q, k, v, &scores));
    if (a->use_gate)
        y = cj__mul(g, y, gate);
    if (query.rank > 3) {
        cj_shape shape = {.rank = query.rank + 1};
        memcpy(shape.dims, query.dims, (size_t)(query.rank - 1) * sizeof *shape.dims);
        shape.dims[query.rank - 1] = a->num_heads;
        shape.dims[query.rank] = value_dim(c->layer);
        y = cj__reshape(g, y, &shape);
    }
    c->outputs[0] = (cj__value){y ? cj__call_sublayer(c, at, y) : NULL, c->inputs[QUERY].mask};
    if (a->return_attention_scores) {
        c->outputs[1].symbol = all_axes(g, scores, &query, &value);
        c->output_count = 2;
    }
    return g->status;
}

const cj__layer_kind cj__layer_multi_head_attention = {
    .choice = CJ__CHOICE("multi_head_attention", "MultiHeadAttention", fields,
                         multi_head_attention_defaults),
    .keys = config_keys,
    .min_inputs = 2,
    .max_inputs = INPUTS,
    .arguments = arguments,
    .call_settings = call_settings,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_OWN,
    .children = cj__composite_children,
    .free = cj__composite_free,
    .size = sizeof(cj__composite),
    .any_dtype = true,
};

CJ__CONSTRUCTOR(multi_head_attention)
