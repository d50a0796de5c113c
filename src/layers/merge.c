// Add, Subtract, Multiply, Average, Maximum, Minimum; Concatenate. Dot is in dot.c.
//
// Inputs of different ranks get axes of length 1 after the batch axis, as in Keras, and then broadcast.
#include "layers/kind.h"
#include <cajal/merging.h>
#include <limits.h>

CJ__DEFAULTS(merge, MERGE)

static const cj__field merge_fields[] = {CJ__LAYER_FIELDS(cj_merge_args)};
CJ__DEFAULTS(concatenate, CONCATENATE)

static const cj__field concatenate_fields[] = {
    CJ__FIELD(cj_concatenate_args, axis, CJ__FIELD_INT32),
    CJ__LAYER_FIELDS(cj_concatenate_args),
};

// True where one of two masks is.
static cj_symbol *either(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    cj_symbol *both =
        cj__apply_binary(g, CJ__BINARY_maximum, cj__cast(g, a, CJ_F32), cj__cast(g, b, CJ_F32));
    return cj__compare(g, CJ__COMPARISON_greater, both, cj__scalar_like(g, both, 0));
}

// x with axes of length 1 after the batch axis, so that it has `rank` axes.
static cj_symbol *with_rank(cj__build *g, cj_symbol *x, int rank)
{
    const cj_shape *shape = cj_symbol_shape(x);
    cj_shape longer = {.rank = rank};
    const int added = rank - shape->rank;
    for (int i = 0; i < rank; i++)
        longer.dims[i] = i == 0 ? shape->dims[0] : i <= added ? 1 : shape->dims[i - added];
    return added > 0 ? cj__reshape(g, x, &longer) : x;
}

// What the inputs of a merging layer are brought to: one rank.
typedef struct merged {
    cj_symbol **x;
    // of each input: a mask of x's rank, its last axis of length 1, or NULL; as in Keras an input that
    // gets further axes has none
    cj_symbol **mask;
    int count;
} merged;

// The masks of the inputs, with an axis of length 1 at their ends.
static cj_status take_masks(const cj__layer_context *c, merged *m)
{
    for (int i = 0; i < c->input_count; i++) {
        const cj_shape *x = cj__value_shape(&c->inputs[i]);
        const cj_shape *mask = c->inputs[i].mask ? cj_symbol_shape(c->inputs[i].mask) : NULL;
        char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
        if (!mask || m->x[i] != c->inputs[i].symbol)
            continue;
        if (mask->rank != x->rank - 1)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: a mask %s does not fit input %s: it needs all axes but the last",
                            c->layer->name, cj_shape_text(mask, first, sizeof first),
                            cj_shape_text(x, second, sizeof second));
        cj_shape longer = *mask;
        longer.dims[longer.rank++] = 1;
        m->mask[i] = cj__reshape(c->build, c->inputs[i].mask, &longer);
    }
    return CJ_OK;
}

// Stretches `joint` to what numpy makes of it and `shape`, of the same rank.
static cj_status stretch(const cj_layer *layer, const char *what, const cj_shape *shape,
                         cj_shape *joint)
{
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    for (int i = 0; i < shape->rank; i++)
        if (joint->dims[i] != shape->dims[i] && joint->dims[i] != 1 && shape->dims[i] != 1)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: inputs %s and %s cannot be %s", layer->name,
                            cj_shape_text(joint, first, sizeof first),
                            cj_shape_text(shape, second, sizeof second), what);
    for (int i = 0; i < shape->rank; i++)
        if (joint->dims[i] == 1)
            joint->dims[i] = shape->dims[i];
    return CJ_OK;
}

// Brings the inputs to one rank and checks that they fit each other. The output's mask is as in
// Keras: true where one of the inputs' masks is; none if an input has none.
static cj_status take_inputs(cj__layer_context *c, const char *what, merged *m)
{
    cj_symbol *mask = c->inputs[0].mask;
    cj_shape joint;
    int rank = 0;
    *m = (merged){.count = c->input_count};
    m->x = cj__build_memory(c->build, (size_t)m->count, sizeof *m->x);
    m->mask = cj__build_memory(c->build, (size_t)m->count, sizeof *m->mask);
    if (!m->x || !m->mask)
        return c->build->status;
    for (int i = 0; i < m->count; i++)
        if (cj__value_shape(&c->inputs[i])->rank > rank)
            rank = cj__value_shape(&c->inputs[i])->rank;
    for (int i = 0; i < m->count; i++) {
        m->x[i] = with_rank(c->build, c->inputs[i].symbol, rank);
        if (!m->x[i])
            return c->build->status;
        if (i == 0)
            joint = *cj_symbol_shape(m->x[i]);
        CJ_TRY(stretch(c->layer, what, cj_symbol_shape(m->x[i]), &joint));
        if (i > 0)
            mask = mask && c->inputs[i].mask ? either(c->build, mask, c->inputs[i].mask) : NULL;
    }
    c->outputs[0].mask = mask;
    return CJ_OK;
}

static cj_symbol *sum_of(cj__build *g, const merged *m)
{
    cj_symbol *sum = m->x[0];
    for (int i = 1; i < m->count; i++)
        sum = cj__add(g, sum, m->x[i]);
    return sum;
}

static cj_status call_add(cj__layer_context *c)
{
    merged m;
    CJ_TRY(take_inputs(c, "added", &m));
    c->outputs[0].symbol = sum_of(c->build, &m);
    return CJ_OK;
}

static cj_status call_average(cj__layer_context *c)
{
    merged m;
    CJ_TRY(take_inputs(c, "averaged", &m));
    cj_symbol *sum = sum_of(c->build, &m);
    c->outputs[0].symbol =
        sum ? cj__div(c->build, sum, cj__scalar_like(c->build, sum, m.count)) : NULL;
    return CJ_OK;
}

static cj_status call_subtract(cj__layer_context *c)
{
    merged m;
    CJ_TRY(take_inputs(c, "subtracted", &m));
    c->outputs[0].symbol = cj__sub(c->build, m.x[0], m.x[1]);
    return CJ_OK;
}

// As in Keras, what a mask leaves out counts as 1; where all masks leave an element out it is 0.
static cj_status call_multiply(cj__layer_context *c)
{
    cj__build *g = c->build;
    merged m;
    CJ_TRY(take_inputs(c, "multiplied", &m));
    CJ_TRY(take_masks(c, &m));
    cj_symbol *product = NULL, *mask = NULL;
    bool all = true;
    for (int i = 0; i < m.count; i++) {
        cj_symbol *x = m.x[i];
        if (m.mask[i]) {
            x = cj__select(g, m.mask[i], x, cj__scalar_like(g, x, 1));
            mask = mask ? either(g, mask, m.mask[i]) : m.mask[i];
        }
        all = all && m.mask[i];
        product = i == 0 ? x : cj__mul(g, product, x);
    }
    if (all && product)
        product = cj__select(g, mask, product, cj__scalar_like(g, product, 0));
    c->outputs[0].symbol = product;
    return CJ_OK;
}

// As in Keras, of two elements that which its mask leaves out does not count.
static cj_status extreme(cj__layer_context *c, cj__binary function)
{
    cj__build *g = c->build;
    merged m;
    CJ_TRY(take_inputs(c, "compared", &m));
    CJ_TRY(take_masks(c, &m));
    cj_symbol *y = m.x[0], *mask = m.mask[0];
    for (int i = 1; i < m.count; i++) {
        cj_symbol *x = m.x[i];
        if (m.mask[i])
            x = cj__select(g, m.mask[i], x, y);
        if (mask)
            y = cj__select(g, mask, y, x);
        mask = mask && m.mask[i] ? either(g, mask, m.mask[i]) : NULL;
        y = cj__apply_binary(g, function, y, x);
    }
    c->outputs[0].symbol = y;
    return CJ_OK;
}

static cj_status call_maximum(cj__layer_context *c)
{
    return extreme(c, CJ__BINARY_maximum);
}

static cj_status call_minimum(cj__layer_context *c)
{
    return extreme(c, CJ__BINARY_minimum);
}

#define ELEMENT_WISE(plain, class, least, most)                            \
    const cj__layer_kind cj__layer_##plain = {                             \
        .choice = CJ__CHOICE(#plain, class, merge_fields, merge_defaults), \
        .min_inputs = least,                                               \
        .max_inputs = most,                                                \
        .call = call_##plain,                                              \
        .mask = CJ__MASK_OWN,                                              \
    };                                                                     \
    cj_layer *cj_##plain##_new(const cj_merge_args *args)                  \
    {                                                                      \
        return cj__layer_new(&cj__layer_##plain, args);                    \
    }
ELEMENT_WISE(add, "Add", 1, INT_MAX)
ELEMENT_WISE(subtract, "Subtract", 2, 2)
ELEMENT_WISE(multiply, "Multiply", 1, INT_MAX)
ELEMENT_WISE(average, "Average", 1, INT_MAX)
ELEMENT_WISE(maximum, "Maximum", 1, INT_MAX)
ELEMENT_WISE(minimum, "Minimum", 1, INT_MAX)

// The mask as in Keras: those of the inputs are concatenated like the inputs, an input without one
// counts as true, and a step is true if any of its entries is. So along the last axis the mask is
// the "or" of all masks, and there is none if one input has none.
static cj_symbol *joined_mask(cj__build *g, const cj__value *inputs, int count, int axis, int rank)
{
    cj_symbol *any = NULL, **parts = cj__build_memory(g, (size_t)count, sizeof *parts);
    int masked = 0;
    for (int i = 0; i < count; i++)
        masked += inputs[i].mask && cj_symbol_shape(inputs[i].mask)->rank == rank - 1;
    if (!parts || masked == 0 || (axis == rank - 1 && masked < count))
        return NULL;
    for (int i = 0; i < count; i++) {
        if (axis == rank - 1) {
            any = any ? either(g, any, inputs[i].mask) : inputs[i].mask;
            continue;
        }
        cj_symbol *ones =
            inputs[i].mask ? NULL : cj__max(g, inputs[i].symbol, 1u << (rank - 1), false);
        ones = ones ? cj__ones_over(g, ones, 0) : NULL;
        parts[i] = inputs[i].mask ?
                       inputs[i].mask :
                       cj__compare(g, CJ__COMPARISON_greater, ones, cj__scalar(g, CJ_F32, 0));
    }
    return axis == rank - 1 ? any : cj__concat(g, parts, count, axis);
}

static cj_status call_concatenate(cj__layer_context *c)
{
    const cj_concatenate_args *a = c->layer->args;
    const cj_shape *first = cj__value_shape(&c->inputs[0]);
    cj_symbol **symbols = cj__value_symbols(c->build, c->inputs, c->input_count);
    int axis = 0;
    if (!symbols)
        return c->build->status;
    CJ_TRY(cj__layer_axis(c->layer, first, a->axis, &axis));
    for (int i = 0; i < c->input_count; i++) {
        const cj_shape *shape = cj__value_shape(&c->inputs[i]);
        char one[CJ__SHAPE_WORDS], other[CJ__SHAPE_WORDS];
        bool fits = shape->rank == first->rank;
        for (int j = 0; fits && j < first->rank; j++)
            fits = j == axis || shape->dims[j] == first->dims[j];
        if (!fits)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: inputs %s and %s differ along more than axis %d", c->layer->name,
                            cj_shape_text(first, one, sizeof one),
                            cj_shape_text(shape, other, sizeof other), axis);
    }
    c->outputs[0].symbol =
        c->input_count == 1 ? symbols[0] : cj__concat(c->build, symbols, c->input_count, axis);
    c->outputs[0].mask = joined_mask(c->build, c->inputs, c->input_count, axis, first->rank);
    return CJ_OK;
}

const cj__layer_kind cj__layer_concatenate = {
    .choice = CJ__CHOICE("concatenate", "Concatenate", concatenate_fields, concatenate_defaults),
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .call = call_concatenate,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(concatenate)
