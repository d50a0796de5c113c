// Attention by several heads: what MultiHeadAttention and GroupQueryAttention share
// (keras/src/layers/attention; Vaswani and others 2017; Ainslie and others 2023). The projections are
// sublayers, each an EinsumDense with Keras's name and weights.
#include "layers/multi_head.h"
#include "layers/attention.h"
#include "layers/composite.h"
#include "ops/infer.h"

#include <math.h>
#include <string.h>

enum { QUERY, VALUE, KEY, MASK, INPUTS = CJ__HEADS_INPUTS };
const char *const cj__heads_arguments[] = {"query", "value", "key", "attention_mask", NULL};
const char *const cj__attention_call_settings[] = {
    "use_causal_mask", "return_attention_scores", "query_mask", "value_mask", "key_mask", NULL};

// The axes between batch and features that a call attends over, and the others, both in their order.
typedef struct axes {
    int attended[CJ_MAX_RANK], other[CJ_MAX_RANK];
    int attended_count, other_count;
} axes;

// The sizes of what is attended over: queries and keys, how many times by itself, and over how many axes.
typedef struct sizes {
    int64_t queries, keys, others;
    int axes;
} sizes;

// All axes between batch and features, or those that attention_axes names.
static cj_status find_axes(const cj_layer *layer, const cj__heads *h, const cj_shape *query,
                           axes *a)
{
    char text[CJ__SHAPE_WORDS];
    uint32_t named = 0;
    int before = 0;
    *a = (axes){.attended_count = 0};
    for (int i = 0; i < CJ_MAX_RANK && h->attention_axes && h->attention_axes[i] != 0; i++) {
        const int64_t axis =
            h->attention_axes[i] < 0 ? h->attention_axes[i] + query->rank : h->attention_axes[i];
        if (axis < 1 || axis > query->rank - 2)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: attention_axes has %lld, which is no axis between batch and "
                            "features of query %s",
                            layer->name, (long long)h->attention_axes[i],
                            cj_shape_text(query, text, sizeof text));
        if (axis <= before)
            return cj__fail(CJ_UNSUPPORTED, "%s: attention_axes are not in rising order",
                            layer->name);
        before = (int)axis;
        named |= 1u << axis;
    }
    for (int axis = 1; axis < query->rank - 1; axis++) {
        if (!named || (named >> axis & 1))
            a->attended[a->attended_count++] = axis;
        else
            a->other[a->other_count++] = axis;
    }
    return CJ_OK;
}

static int64_t product_of(const cj_shape *shape, const int *list, int count)
{
    int64_t product = 1;
    for (int i = 0; i < count; i++)
        product *= shape->dims[list[i]];
    return product;
}

// Value and key have the query's rank; all three have known lengths; and so on.
static cj_status check_inputs(const cj_layer *layer, const cj__heads *h,
                              const cj_shape *const *shapes, int count)
{
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    const cj_shape *query = shapes[QUERY], *value = shapes[VALUE];
    for (int i = 0; i < count && i < MASK; i++) {
        CJ_TRY(cj__layer_need_rank(layer, shapes[i], 3, h->most_axes));
        for (int axis = 1; axis < shapes[i]->rank; axis++)
            if (shapes[i]->dims[axis] <= 0)
                return cj__fail(CJ_SHAPE_MISMATCH,
                                "%s: axis %d of input %s must have a known, positive length",
                                layer->name, axis, cj_shape_text(shapes[i], first, sizeof first));
        if (shapes[i]->rank != query->rank)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: query %s and %s %s have different ranks",
                            layer->name, cj_shape_text(query, first, sizeof first),
                            cj__heads_arguments[i],
                            cj_shape_text(shapes[i], second, sizeof second));
    }
    axes a;
    const size_t sequence = (size_t)(query->rank - 2) * sizeof *value->dims;
    if (count > KEY && memcmp(value->dims + 1, shapes[KEY]->dims + 1, sequence) != 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: value %s and key %s differ in more than their features", layer->name,
                        cj_shape_text(value, first, sizeof first),
                        cj_shape_text(shapes[KEY], second, sizeof second));
    CJ_TRY(find_axes(layer, h, query, &a));
    for (int i = 0; i < a.other_count; i++)
        if (query->dims[a.other[i]] != value->dims[a.other[i]])
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: query %s and value %s differ along axis %d, which is not among "
                            "attention_axes",
                            layer->name, cj_shape_text(query, first, sizeof first),
                            cj_shape_text(value, second, sizeof second), a.other[i]);
    return CJ_OK;
}

// Sublayers
// -----------------------------------------------------------------------------------------------

// "...a,abc->...bc", of which the first `summed` letters are summed and `made` come in.
static cj_layer *projection(const cj__heads *h, const char *name, int summed,
                            const int64_t *lengths, int made, const char *activation)
{
    static const char letters[] = "abcdefghijklmnop";
    char equation[64], bias[CJ_MAX_RANK + 1];
    snprintf(equation, sizeof equation, "...%.*s,%.*s->...%.*s", summed, letters, summed + made,
             letters, made, letters + summed);
    snprintf(bias, sizeof bias, "%.*s", made, letters + summed);
    cj_einsum_dense_args args = {CJ_EINSUM_DENSE_DEFAULTS,
                                 .name = name,
                                 .equation = equation,
                                 .activation = activation,
                                 .bias_axes = h->use_bias ? bias : NULL,
                                 .kernel_initializer = h->kernel_initializer,
                                 .bias_initializer = h->bias_initializer,
                                 .kernel_regularizer = h->kernel_regularizer,
                                 .bias_regularizer = h->bias_regularizer,
                                 .activity_regularizer = h->activity_regularizer};
    memcpy(args.output_shape, lengths, (size_t)made * sizeof *lengths);
    return cj_einsum_dense_new(&args);
}

// Into heads: (..., features) becomes (..., heads, depth).
static cj_layer *into_heads(const cj__heads *h, const char *name, int64_t heads, int64_t depth,
                            const char *activation)
{
    return projection(h, name, 1, (const int64_t[]){heads, depth}, 2, activation);
}

// Out of the heads: (..., heads, value_dim) becomes (..., output_shape).
static cj_status add_output(cj_layer *layer, const cj__heads *h, const cj__type *query)
{
    cj__type heads = *query;
    int made = 0;
    while (made < CJ_MAX_RANK && h->output_shape && h->output_shape[made] != 0)
        made++;
    const int64_t *features = &query->shape.dims[query->shape.rank - 1];
    heads.shape.dims[heads.shape.rank - 1] = h->heads;
    heads.shape.dims[heads.shape.rank++] = h->width;
    return cj__add_sublayer(layer,
                            projection(h, "attention_output", 2, made ? h->output_shape : features,
                                       made ? made : 1, NULL),
                            &heads);
}

cj_status cj__build_heads(cj_layer *layer, const cj__heads *h, const cj__type *inputs)
{
    const cj_shape *shapes[INPUTS] = {0};
    cj__type given[INPUTS];
    for (int i = 0; i < layer->input_count; i++) {
        given[i] = inputs[i];
        given[i].dtype = CJ_F32;
        shapes[i] = &inputs[i].shape;
    }
    CJ_TRY(check_inputs(layer, h, shapes, layer->input_count));
    const cj__type *key = &given[layer->input_count > KEY ? KEY : VALUE];
    CJ_TRY(
        cj__add_sublayer(layer, into_heads(h, "query", h->heads, h->depth, NULL), &given[QUERY]));
    CJ_TRY(cj__add_sublayer(layer, into_heads(h, "key", h->key_heads, h->depth, NULL), key));
    if (h->use_gate)
        CJ_TRY(cj__add_sublayer(layer, into_heads(h, "gate", h->heads, h->width, "sigmoid"),
                                &given[QUERY]));
    CJ_TRY(cj__add_sublayer(layer, into_heads(h, "value", h->key_heads, h->width, NULL),
                            &given[VALUE]));
    return add_output(layer, h, &given[QUERY]);
}

// The call
// -----------------------------------------------------------------------------------------------

// A mask for each entry of the other axes as one for each of these and each head: (b, o, t, s) becomes
// (b, o heads, t, s).
static cj_symbol *for_each_head(cj__build *g, cj_symbol *mask, const cj_shape *m, int64_t heads)
{
    cj_symbol **copies = cj__build_memory(g, (size_t)heads, sizeof *copies);
    if (!copies)
        return NULL;
    cj_symbol *column =
        cj__reshape(g, mask, &CJ_SHAPE(m->dims[0], m->dims[1], 1, m->dims[2], m->dims[3]));
    for (int64_t i = 0; i < heads; i++)
        copies[i] = column;
    return cj__reshape(g, cj__concat(g, copies, (int)heads, 2),
                       &CJ_SHAPE(m->dims[0], m->dims[1] * heads, m->dims[2], m->dims[3]));
}

// The attention mask of the inputs as (b, h, t, s), with 1 for axes that it does not have. Over several
// axes it is (b, t1, t2, s1, s2) or so.
static cj_status given_mask(cj__layer_context *c, const cj__heads *h, const sizes *f,
                            cj_symbol **mask)
{
    cj_symbol *given = c->inputs[MASK].symbol;
    cj_shape m = *cj_symbol_shape(given);
    char text[CJ__SHAPE_WORDS];
    if (f->axes > 1 && m.rank == 1 + 2 * f->axes && cj__span(&m, 1, 1 + f->axes) == f->queries &&
        cj__span(&m, 1 + f->axes, m.rank) == f->keys)
        m = CJ_SHAPE(m.dims[0], f->queries, f->keys);
    const bool heads = m.rank == 4, each = heads && f->others > 1 && m.dims[1] > 1;
    const int64_t *last = m.dims + m.rank - 2;
    const bool fits = (m.rank == 3 || heads) && (last[0] == 1 || last[0] == f->queries) &&
                      (last[1] == 1 || last[1] == f->keys) &&
                      (!heads || m.dims[1] == 1 || m.dims[1] == (each ? f->others : h->heads));
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: attention_mask %s does not fit %lld queries and %lld keys",
                        c->layer->name, cj_shape_text(cj_symbol_shape(given), text, sizeof text),
                        (long long)f->queries, (long long)f->keys);
    given = cj__mask_of_input(c->build, given);
    *mask = each ? for_each_head(c->build, given, &m, h->heads) :
                   cj__reshape(c->build, given,
                               &CJ_SHAPE(m.dims[0], heads ? m.dims[1] : 1, last[0], last[1]));
    return c->build->status;
}

// All masks but the causal one: the inputs', the window, the one that was given.
static cj_status mask_of(cj__layer_context *c, const cj__heads *h, const sizes *f, cj_symbol **mask)
{
    const int64_t queries = f->queries, keys = f->keys;
    cj__build *g = c->build;
    *mask = NULL;
    for (int i = 0; i < c->input_count && i < MASK; i++) {
        const cj_shape *m = c->inputs[i].mask ? cj_symbol_shape(c->inputs[i].mask) : NULL;
        if (!m || (i == KEY && c->inputs[i].mask == c->inputs[VALUE].mask))
            continue;
        if (m->rank != 2 || m->dims[1] != (i == QUERY ? queries : keys))
            return cj__fail(CJ_UNSUPPORTED,
                            "%s: the mask of its %s has more than one axis beside the batch",
                            c->layer->name, cj__heads_arguments[i]);
        *mask = cj__mask_and(g, *mask,
                             i == QUERY ? cj__mask_of_queries(g, c->inputs[i].mask) :
                                          cj__mask_of_keys(g, c->inputs[i].mask));
    }
    if (h->window > 0)
        *mask = cj__mask_and(g, *mask, cj__mask_of_band(g, queries, keys, h->window, h->window));
    if (c->input_count > MASK) {
        cj_symbol *given = NULL;
        CJ_TRY(given_mask(c, h, f, &given));
        *mask = cj__mask_and(g, *mask, given);
    }
    return g->status;
}

// (b, ..., heads, depth) as (b, attended, others heads, depth): an entry of the others is as a head.
static cj_symbol *folded(cj__build *g, const axes *a, cj_symbol *x)
{
    const cj_shape *s = x ? cj_symbol_shape(x) : NULL;
    int order[CJ_MAX_RANK] = {0}, next = 1;
    if (!s || s->rank == 4)
        return x;
    const int64_t attended = product_of(s, a->attended, a->attended_count),
                  others = product_of(s, a->other, a->other_count);
    const cj_shape shape =
        CJ_SHAPE(s->dims[0], attended, others * s->dims[s->rank - 2], s->dims[s->rank - 1]);
    for (int i = 0; i < a->attended_count; i++)
        order[next++] = a->attended[i];
    for (int i = 0; i < a->other_count; i++)
        order[next++] = a->other[i];
    for (; next < s->rank; next++)
        order[next] = next;
    return cj__reshape(g, a->other_count ? cj__transpose(g, x, order) : x, &shape);
}

// The opposite, for the axes of the query.
static cj_symbol *unfolded(cj__build *g, const axes *a, const cj__heads *h, const cj_shape *query,
                           cj_symbol *x)
{
    cj_shape shape = {.rank = 1, .dims = {query->dims[0]}};
    int order[CJ_MAX_RANK] = {0};
    if (query->rank == 3)
        return x;
    for (int i = 0; i < a->attended_count; i++) {
        order[a->attended[i]] = shape.rank;
        shape.dims[shape.rank++] = query->dims[a->attended[i]];
    }
    for (int i = 0; i < a->other_count; i++) {
        order[a->other[i]] = shape.rank;
        shape.dims[shape.rank++] = query->dims[a->other[i]];
    }
    for (int i = 0; i < 2; i++) {
        order[shape.rank] = shape.rank;
        shape.dims[shape.rank++] = i == 0 ? h->heads : h->width;
    }
    x = cj__reshape(g, x, &shape);
    return a->other_count ? cj__transpose(g, x, order) : x;
}

// The scores with the other axes, the heads, and the attended axes of both sequences.
static cj_symbol *all_axes(cj__build *g, const axes *a, const cj__heads *h, cj_symbol *scores,
                           const cj_shape *query, const cj_shape *value)
{
    const cj_shape *s = scores ? cj_symbol_shape(scores) : NULL;
    if (!s || query->rank == 3)
        return scores;
    cj_shape shape = {.rank = 1, .dims = {s->dims[0]}};
    for (int i = 0; i < a->other_count; i++)
        shape.dims[shape.rank++] = query->dims[a->other[i]];
    shape.dims[shape.rank++] = h->heads;
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < a->attended_count; i++)
            shape.dims[shape.rank++] = (side == 0 ? query : value)->dims[a->attended[i]];
    return cj__reshape(g, scores, &shape);
}

static cj_status check_call(cj__layer_context *c, const cj__heads *h, axes *a)
{
    const cj_shape *shapes[INPUTS] = {0};
    for (int i = 0; i < c->input_count; i++)
        shapes[i] = cj__value_shape(&c->inputs[i]);
    CJ_TRY(check_inputs(c->layer, h, shapes, c->input_count));
    CJ_TRY(find_axes(c->layer, h, shapes[QUERY], a));
    if (cj__called_with(c, "return_attention_scores") &&
        2 + a->other_count + 2 * a->attended_count > CJ_MAX_RANK)
        return cj__fail(CJ_UNSUPPORTED, "%s: its scores have more than %d axes", c->layer->name,
                        CJ_MAX_RANK);
    return CJ_OK;
}

cj_status cj__call_heads(cj__layer_context *c, const cj__heads *h)
{
    cj__build *g = c->build;
    axes a;
    CJ_TRY(check_call(c, h, &a));
    const cj_shape query = *cj__value_shape(&c->inputs[QUERY]),
                   value = *cj__value_shape(&c->inputs[VALUE]);
    const sizes s = {.queries = product_of(&query, a.attended, a.attended_count),
                     .keys = product_of(&value, a.attended, a.attended_count),
                     .others = product_of(&query, a.other, a.other_count),
                     .axes = a.attended_count};
    const bool with_scores = cj__called_with(c, "return_attention_scores");
    cj__attending how = {.scale = 1 / sqrt((double)h->depth),
                         .causal = cj__called_with(c, "use_causal_mask"),
                         .dropout = h->dropout,
                         .seed = h->seed,
                         .scores = with_scores,
                         .zero_if_masked = h->dropout > 0 || with_scores || query.rank > 3};
    CJ_TRY(mask_of(c, h, &s, &how.mask));
    cj_symbol *x[3], *scores = NULL;
    for (int i = 0; i < 3; i++)
        x[i] = cj__cast(g, c->inputs[i == KEY && c->input_count <= KEY ? VALUE : i].symbol, CJ_F32);
    int at = 0;
    cj_symbol *q = folded(g, &a, cj__call_sublayer(c, at++, x[QUERY]));
    cj_symbol *k = folded(g, &a, cj__call_sublayer(c, at++, x[KEY]));
    cj_symbol *gate = h->use_gate ? cj__call_sublayer(c, at++, x[QUERY]) : NULL;
    cj_symbol *v = folded(g, &a, cj__call_sublayer(c, at++, x[VALUE]));
    cj_symbol *y = cj__trace_round(c->trace, cj__attend(c, &how, q, k, v, &scores));
    y = y ? unfolded(g, &a, h, &query, y) : NULL;
    if (h->use_gate)
        y = cj__mul(g, y, gate);
    c->outputs[0] = (cj__value){y ? cj__call_sublayer(c, at, y) : NULL, c->inputs[QUERY].mask};
    if (with_scores) {
        c->outputs[1].symbol = all_axes(g, &a, h, scores, &query, &value);
        c->output_count = 2;
    }
    return g->status;
}
