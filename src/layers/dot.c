// Dot: the product of two inputs over one axis of each, for every sample.
#include "layers/kind.h"
#include <cajal/merging.h>

CJ__DEFAULTS(dot, DOT)

static const cj__field fields[] = {
    CJ__FIELD(cj_dot_args, axes, CJ__FIELD_PAIR, .required = true),
    CJ__FIELD(cj_dot_args, normalize, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_dot_args),
};

// x / |x| along an axis. Keras limits 1 / |x| to 1e7 (keras.ops.normalize); a least square of 1e-14 is
// the same number, and leaves the gradient finite at 0, where Keras's is not a number.
static cj_symbol *normalized(cj__build *g, cj_symbol *x, int axis)
{
    cj_symbol *square = cj__apply_unary(g, CJ__UNARY_square, x, 0, 0);
    cj_symbol *sum = square ? cj__sum(g, square, 1u << axis, true) : NULL;
    if (!sum)
        return NULL;
    sum = cj__apply_binary(g, CJ__BINARY_maximum, sum, cj__scalar_like(g, sum, 1e-14));
    return cj__mul(g, x, cj__apply_unary(g, CJ__UNARY_rsqrt, sum, 0, 0));
}

// The letters of an input's axes: "a" for the batch, "b" for the one that is summed over, the next
// letters for the others, which are put to the end of `result`.
static void letters_of(int rank, int axis, char *next, char *letters, char *result)
{
    int length = 0;
    while (result[length])
        length++;
    for (int i = 0; i < rank; i++) {
        letters[i] = i == 0 ? 'a' : i == axis ? 'b' : (*next)++;
        if (i != 0 && i != axis)
            result[length++] = letters[i];
    }
    letters[rank] = result[length] = 0;
}

static cj_status check_shapes(const cj__layer_context *c, int axis, int other)
{
    const cj_shape *a = cj__value_shape(&c->inputs[0]), *b = cj__value_shape(&c->inputs[1]);
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    if (a->dims[axis] != b->dims[other])
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: inputs %s and %s differ in the lengths of axes %d and %d",
                        c->layer->name, cj_shape_text(a, first, sizeof first),
                        cj_shape_text(b, second, sizeof second), axis, other);
    if (a->rank + b->rank - 3 > CJ_MAX_RANK)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the product of inputs %s and %s would have more than %d axes",
                        c->layer->name, cj_shape_text(a, first, sizeof first),
                        cj_shape_text(b, second, sizeof second), CJ_MAX_RANK);
    return CJ_OK;
}

// The axes of the first input without the one summed over, then those of the second without it and
// the batch axis; (n, 1) where none is left.
static cj_status call(cj__layer_context *c)
{
    const cj_dot_args *args = c->layer->args;
    cj_symbol *x[2] = {c->inputs[0].symbol, c->inputs[1].symbol};
    char letters[2][CJ_MAX_RANK + 1], result[2 * CJ_MAX_RANK] = "a", next = 'c';
    char equation[4 * CJ_MAX_RANK + 8];
    int axes[2];
    for (int i = 0; i < 2; i++) {
        const cj_shape *shape = cj_symbol_shape(x[i]);
        CJ_TRY(cj__layer_need_rank(c->layer, shape, 2, CJ_MAX_RANK));
        CJ_TRY(cj__layer_axis(c->layer, shape, (int)args->axes[i], &axes[i]));
        letters_of(shape->rank, axes[i], &next, letters[i], result);
    }
    CJ_TRY(check_shapes(c, axes[0], axes[1]));
    if (args->normalize)
        for (int i = 0; i < 2; i++)
            x[i] = normalized(c->build, x[i], axes[i]);
    snprintf(equation, sizeof equation, "%s,%s->%s", letters[0], letters[1], result);
    cj_symbol *y = cj__einsum(c->build, equation, x[0], x[1]);
    if (y && cj_symbol_shape(y)->rank == 1)
        y = cj__reshape(c->build, y, &CJ_SHAPE(cj_symbol_shape(y)->dims[0], 1));
    c->outputs[0].symbol = y;
    return CJ_OK;
}

// Axes are small numbers, so that an int holds them.
static cj_status check(cj_layer *layer)
{
    const cj_dot_args *args = layer->args;
    for (int i = 0; i < 2; i++)
        if (args->axes[i] < -CJ_MAX_RANK || args->axes[i] >= CJ_MAX_RANK || args->axes[i] == 0)
            return cj__fail(
                CJ_INVALID_ARGUMENT,
                "%s: axes %lld is none of an input's: needed is 1 to %d, or -1 to -%d from the "
                "end; 0 is the batch axis",
                layer->name, (long long)args->axes[i], CJ_MAX_RANK - 1, CJ_MAX_RANK - 1);
    return CJ_OK;
}

const cj__layer_kind cj__layer_dot = {
    .choice = CJ__CHOICE("dot", "Dot", fields, dot_defaults),
    .min_inputs = 2,
    .max_inputs = 2,
    .check = check,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(dot)
