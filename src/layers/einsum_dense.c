// EinsumDense (keras/src/layers/core/einsum_dense.py): a dense layer whose product is any sum of
// products of input and kernel. Where the equation is a product of matrices (the last axes of the
// input by the first ones of the kernel), it runs as one, with the bias in it.
#include "layers/kind.h"
#include "ops/infer.h"
#include "ops/variable.h"

#include <cajal/attention.h>
#include <string.h>

CJ__DEFAULTS(einsum_dense, EINSUM_DENSE)

static const cj__field fields[] = {
    CJ__FIELD(cj_einsum_dense_args, equation, CJ__FIELD_TEXT, .required = true),
    CJ__FIELD(cj_einsum_dense_args, output_shape, CJ__FIELD_LIST, .required = true,
              .optional = true),
    CJ__SPEC_FIELD(cj_einsum_dense_args, activation, cj__activations),
    CJ__FIELD(cj_einsum_dense_args, bias_axes, CJ__FIELD_TEXT),
    CJ__SPEC_FIELD(cj_einsum_dense_args, kernel_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_einsum_dense_args, bias_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_einsum_dense_args, kernel_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_einsum_dense_args, bias_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_einsum_dense_args, activity_regularizer, cj__regularizers),
    CJ__LAYER_FIELDS(cj_einsum_dense_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("kernel_constraint", "null"),
    CJ__KEY_ONLY("bias_constraint", "null"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_ONLY("gptq_unpacked_column_size", "null"),
    {.key = NULL},
};

// The letters of an operand, and where it has "...".
typedef struct operand {
    char letters[CJ_MAX_RANK + 1];
    enum { NOWHERE, IN_FRONT, BEHIND } dots;
} operand;

typedef struct equation {
    operand x, w, y;
} equation;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Reads an operand and the `end` behind it.
static bool read_operand(const char **at, const char *end, operand *o)
{
    int count = 0;
    *o = (operand){.dots = NOWHERE};
    if (strncmp(*at, "...", 3) == 0)
        o->dots = IN_FRONT, *at += 3;
    for (; is_letter(**at); ++*at) {
        if (count == CJ_MAX_RANK || strchr(o->letters, **at))
            return false;
        o->letters[count++] = **at;
    }
    if (strncmp(*at, "...", 3) == 0 && o->dots == NOWHERE)
        o->dots = BEHIND, *at += 3;
    const size_t length = strlen(end);
    const bool ended = length > 0 ? strncmp(*at, end, length) == 0 : !**at;
    *at += ended ? length : 0;
    return count > 0 && ended;
}

static bool read_equation(const char *text, equation *e)
{
    return read_operand(&text, ",", &e->x) && read_operand(&text, "->", &e->w) &&
           read_operand(&text, "", &e->y) && e->w.dots == NOWHERE && e->x.dots == e->y.dots;
}

static equation equation_of(const cj_layer *layer)
{
    equation e = {{{0}, NOWHERE}, {{0}, NOWHERE}, {{0}, NOWHERE}};
    read_equation(((const cj_einsum_dense_args *)layer->args)->equation, &e);
    return e;
}

// The first of `letters` that none of the others has; 0 if there is none.
static char stranger(const char *letters, const operand *a, const operand *b)
{
    for (; *letters; letters++)
        if (!strchr(a->letters, *letters) && !(b && strchr(b->letters, *letters)))
            return *letters;
    return 0;
}

static cj_status check(cj_layer *layer)
{
    const cj_einsum_dense_args *a = layer->args;
    equation e;
    if (!read_equation(a->equation, &e))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: equation \"%.60s\" is not of the form \"X,Y->Z\", \"...X,Y->...Z\" or "
                        "\"X...,Y->Z...\" with a letter for each axis",
                        layer->name, a->equation);
    char letter = stranger(e.y.letters, &e.x, &e.w);
    letter = letter ? letter : stranger(e.w.letters, &e.x, &e.y);
    if (letter)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: axis %c of equation \"%.60s\" stands in one operand only", layer->name,
                        letter, a->equation);
    if (e.x.dots != IN_FRONT && e.x.letters[0] != e.y.letters[0])
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: equation \"%.60s\" moves the batch axis, which must come first",
                        layer->name, a->equation);
    letter = a->bias_axes ? stranger(a->bias_axes, &e.y, NULL) : 0;
    if (letter || (a->bias_axes && !*a->bias_axes))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: bias_axes \"%.40s\" are not axes of the output in \"%.60s\"",
                        layer->name, a->bias_axes, a->equation);
    return CJ_OK;
}

// The axis of an input of `rank` axes that has a letter; -1 if none has.
static int axis_of(const operand *o, int rank, char letter)
{
    const char *at = strchr(o->letters, letter);
    const int behind = o->dots == IN_FRONT ? rank - (int)strlen(o->letters) : 0;
    return at ? behind + (int)(at - o->letters) : -1;
}

// The lengths of an output's letters: those of output_shape, or else the input's.
static cj_status output_lengths(const cj_layer *layer, const equation *e, const cj_shape *x,
                                int64_t *lengths)
{
    const cj_einsum_dense_args *a = layer->args;
    const int letters = (int)strlen(e->y.letters), elided = x->rank - (int)strlen(e->x.letters);
    const bool with_batch = e->x.dots != IN_FRONT || elided == 0;
    int given = 0;
    while (given < CJ_MAX_RANK && a->output_shape[given] != 0)
        given++;
    if (given != letters - with_batch)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: output_shape has %d lengths, equation \"%.60s\" needs %d for an input "
                        "of %d axes",
                        layer->name, given, a->equation, letters - with_batch, x->rank);
    for (int i = 0; i < letters; i++) {
        const int axis = axis_of(&e->x, x->rank, e->y.letters[i]);
        const int64_t setting = i < with_batch ? -1 : a->output_shape[i - with_batch];
        lengths[i] = setting > 0 ? setting : axis >= 0 ? x->dims[axis] : -1;
        if ((setting <= 0 && axis < 0) || (axis >= 0 && lengths[i] != x->dims[axis]))
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: length %lld of axis %c in output_shape does not fit %s",
                            layer->name, (long long)setting, e->y.letters[i],
                            axis >= 0 ? "the input" : "a kernel, which needs a positive one");
    }
    return CJ_OK;
}

static cj_status need_fitting_rank(const cj_layer *layer, const equation *e, const cj_shape *x)
{
    const int letters = (int)strlen(e->x.letters);
    return cj__layer_need_rank(layer, x, letters, e->x.dots == NOWHERE ? letters : CJ_MAX_RANK);
}

static cj_status kernel_shape(const cj_layer *layer, const equation *e, const cj_shape *x,
                              const int64_t *lengths, cj_shape *kernel)
{
    *kernel = (cj_shape){.rank = (int)strlen(e->w.letters)};
    for (int i = 0; i < kernel->rank; i++) {
        const char *in_y = strchr(e->y.letters, e->w.letters[i]);
        const int axis = axis_of(&e->x, x->rank, e->w.letters[i]);
        if (axis >= 0)
            CJ_TRY(cj__layer_need_length(layer, x, axis));
        kernel->dims[i] = in_y ? lengths[in_y - e->y.letters] : x->dims[axis];
    }
    return CJ_OK;
}

// The bias has the output's axes from the first that bias_axes name, of length 1 where they do not.
static cj_status bias_shape(const cj_layer *layer, const equation *e, const cj_shape *x,
                            const int64_t *lengths, cj_shape *bias)
{
    const cj_einsum_dense_args *a = layer->args;
    const int elided = x->rank - (int)strlen(e->x.letters);
    int at = 0;
    while (!strchr(a->bias_axes, e->y.letters[at]))
        at++;
    *bias = (cj_shape){.rank = 0};
    for (; e->y.letters[at]; at++) {
        const bool has = strchr(a->bias_axes, e->y.letters[at]);
        if (has && lengths[at] <= 0)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: axis %c in bias_axes must have a known, positive length",
                            layer->name, e->y.letters[at]);
        bias->dims[bias->rank++] = has ? lengths[at] : 1;
    }
    for (int i = 0; e->y.dots == BEHIND && i < elided; i++)
        bias->dims[bias->rank++] = 1;
    return CJ_OK;
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_einsum_dense_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    const equation e = equation_of(layer);
    int64_t lengths[CJ_MAX_RANK];
    cj_shape kernel, bias;
    CJ_TRY(need_fitting_rank(layer, &e, x));
    CJ_TRY(output_lengths(layer, &e, x, lengths));
    CJ_TRY(kernel_shape(layer, &e, x, lengths, &kernel));
    CJ_TRY(cj__layer_add_variable(layer, "kernel", kernel, a->kernel_initializer,
                                  a->kernel_regularizer, true, NULL));
    if (!a->bias_axes)
        return CJ_OK;
    CJ_TRY(bias_shape(layer, &e, x, lengths, &bias));
    return cj__layer_add_variable(layer, "bias", bias, a->bias_initializer, a->bias_regularizer,
                                  true, NULL);
}

// The kernel's inputs are the axes that the output does not have.
static uint32_t input_axes(const cj_layer *layer, int index)
{
    const equation e = equation_of(layer);
    uint32_t axes = 0;
    for (int i = 0; index == 0 && e.w.letters[i]; i++)
        if (!strchr(e.y.letters, e.w.letters[i]))
            axes |= 1u << i;
    return axes;
}

// How many last axes of the input are the first ones of the kernel, summed, if the output has the
// input's other axes and then the kernel's, and the bias the kernel's; 0 if that is not so.
static int summed_axes(const cj_layer *layer, const equation *e)
{
    const int all_x = (int)strlen(e->x.letters), all_w = (int)strlen(e->w.letters);
    for (int count = 1; e->x.dots != BEHIND && count <= all_x && count < all_w; count++) {
        const size_t kept = (size_t)(all_x - count);
        if (strncmp(e->x.letters + kept, e->w.letters, (size_t)count) != 0 ||
            strncmp(e->y.letters, e->x.letters, kept) != 0 ||
            strcmp(e->y.letters + kept, e->w.letters + count) != 0)
            continue;
        const cj_shape kernel = cj__variable_type(layer->variables[0]).shape;
        cj_shape bias = {.rank = kernel.rank - count};
        memcpy(bias.dims, kernel.dims + count, (size_t)bias.rank * sizeof *bias.dims);
        if (layer->variable_count == 1)
            return count;
        const cj_shape own = cj__variable_type(layer->variables[1]).shape;
        return cj_shape_equal(&own, &bias) ? count : 0;
    }
    return 0;
}

// x w + bias as a product of matrices: (..., in) by (in, out).
static cj_symbol *multiply(cj__layer_context *c, cj_symbol *x, int count)
{
    cj__build *g = c->build;
    cj_variable *const *variables = c->layer->variables;
    const cj_shape *input = cj_symbol_shape(x);
    const cj_shape kernel = cj__variable_type(variables[0]).shape;
    const int kept = input->rank - count;
    const int64_t in = cj__span(&kernel, 0, count), out = cj__span(&kernel, count, kernel.rank);
    cj_shape rows = {.rank = kept + 1}, whole = {.rank = kept + kernel.rank - count};
    memcpy(rows.dims, input->dims, (size_t)kept * sizeof *rows.dims);
    memcpy(whole.dims, input->dims, (size_t)kept * sizeof *whole.dims);
    memcpy(whole.dims + kept, kernel.dims + count,
           (size_t)(kernel.rank - count) * sizeof *whole.dims);
    rows.dims[kept] = in;
    cj_symbol *w = cj__reshape(g, cj__trace_variable(c->trace, variables[0]), &CJ_SHAPE(in, out));
    cj_symbol *y = cj__matmul(g, cj__reshape(g, x, &rows), w, false, false);
    if (c->layer->variable_count > 1)
        y = cj__add(g, y,
                    cj__reshape(g, cj__trace_variable(c->trace, variables[1]), &CJ_SHAPE(out)));
    return whole.rank == rows.rank ? y : cj__reshape(g, y, &whole);
}

static cj_status call(cj__layer_context *c)
{
    const cj_einsum_dense_args *a = c->layer->args;
    cj_variable *const *variables = c->layer->variables;
    const equation e = equation_of(c->layer);
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    int64_t lengths[CJ_MAX_RANK];
    cj_shape kernel;
    CJ_TRY(need_fitting_rank(c->layer, &e, shape));
    CJ_TRY(output_lengths(c->layer, &e, shape, lengths));
    CJ_TRY(kernel_shape(c->layer, &e, shape, lengths, &kernel));
    const int count = summed_axes(c->layer, &e);
    cj_symbol *y = NULL;
    if (count > 0) {
        y = multiply(c, c->inputs[0].symbol, count);
    } else {
        y = cj__einsum(c->build, a->equation, c->inputs[0].symbol,
                       cj__trace_variable(c->trace, variables[0]));
        if (a->bias_axes)
            y = cj__add(c->build, y, cj__trace_variable(c->trace, variables[1]));
    }
    c->outputs[0].symbol = cj__activation(c->build, a->activation, c->layer->name, y);
    cj__add_activity_loss(c, a->activity_regularizer);
    return CJ_OK;
}

const cj__layer_kind cj__layer_einsum_dense = {
    .choice = CJ__CHOICE("einsum_dense", "EinsumDense", fields, einsum_dense_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .input_axes = input_axes,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(einsum_dense)
