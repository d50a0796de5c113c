// Activations: element-wise functions, and softmax over the last axis. Definitions are Keras's
// (keras/src/activations).
#include "layers/kind.h"
#include "layers/operation.h"
#include "ops/words.h"
#include <math.h>
#include <string.h>

typedef struct slope_args {
    double negative_slope;
} slope_args;
static const slope_args slope_defaults = {.negative_slope = 0.2};
typedef struct alpha_args {
    double alpha;
} alpha_args;
static const alpha_args alpha_defaults = {.alpha = 1};
typedef struct gelu_args {
    bool approximate;
} gelu_args;
static const gelu_args gelu_defaults = {.approximate = false};
typedef struct relu_args {
    double negative_slope, max_value, threshold;
} relu_args;
static const relu_args relu_defaults = {.max_value = INFINITY};
typedef struct shrink_args {
    double threshold;
} shrink_args;
static const shrink_args shrink_defaults = {.threshold = 0.5};
typedef struct threshold_args {
    double threshold, default_value;
} threshold_args;
static const threshold_args threshold_defaults = {.threshold = NAN, .default_value = NAN};
typedef struct squareplus_args {
    double b;
} squareplus_args;
static const squareplus_args squareplus_defaults = {.b = 4};

typedef struct activation {
    cj__choice choice;
    cj__unary function; // of plain rows
    cj_symbol *(*apply)(cj__build *g, cj_symbol *x, const void *args);
} activation;

cj_symbol *cj__relu_of(cj__build *g, cj_symbol *x, double negative_slope, double max_value,
                       double threshold)
{
    const bool plain = threshold >= 0 && threshold <= 0,
               flat = negative_slope >= 0 && negative_slope <= 0;
    cj_symbol *y;
    if (!plain)
        y = cj__select(g,
                       cj__compare(g, CJ__COMPARISON_greater, x, cj__scalar_like(g, x, threshold)),
                       x, cj__scale(g, cj__shift(g, x, -threshold), negative_slope));
    else if (flat)
        y = cj__apply_unary(g, CJ__UNARY_relu, x, 0, 0);
    else
        y = cj__apply_unary(g, CJ__UNARY_leaky_relu, x, negative_slope, 0);
    return isinf(max_value) ?
               y :
               cj__apply_binary(g, CJ__BINARY_minimum, y, cj__scalar_like(g, x, max_value));
}

static cj_symbol *apply_linear(cj__build *g, cj_symbol *x, const void *args)
{
    (void)g, (void)args;
    return x;
}

static cj_symbol *apply_relu(cj__build *g, cj_symbol *x, const void *args)
{
    const relu_args *a = args;
    return cj__relu_of(g, x, a->negative_slope, a->max_value, a->threshold);
}

static cj_symbol *apply_leaky_relu(cj__build *g, cj_symbol *x, const void *args)
{
    return cj__apply_unary(g, CJ__UNARY_leaky_relu, x, ((const slope_args *)args)->negative_slope,
                           0);
}

static cj_symbol *apply_elu(cj__build *g, cj_symbol *x, const void *args)
{
    return cj__apply_unary(g, CJ__UNARY_elu, x, ((const alpha_args *)args)->alpha, 0);
}

static cj_symbol *apply_gelu(cj__build *g, cj_symbol *x, const void *args)
{
    const bool approximate = ((const gelu_args *)args)->approximate;
    return cj__apply_unary(g, approximate ? CJ__UNARY_gelu_tanh : CJ__UNARY_gelu, x, 0, 0);
}

static cj_symbol *apply_softmax(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return cj__softmax(g, x);
}

static cj_symbol *apply_log_softmax(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return cj__log_softmax(g, x);
}

static cj_symbol *apply_tanh_shrink(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return cj__sub(g, x, cj__apply_unary(g, CJ__UNARY_tanh, x, 0, 0));
}

#define BINARY(function, a, b) cj__apply_binary(g, CJ__BINARY_##function, a, b)
#define UNARY(function, x)     cj__apply_unary(g, CJ__UNARY_##function, x, 0, 0)
#define CLIP(x, low, high)     cj__apply_unary(g, CJ__UNARY_clip, x, low, high)
#define WHERE(a, comparison, b, yes, no) \
    cj__select(g, cj__compare(g, CJ__COMPARISON_##comparison, a, b), yes, no)

// max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1)
static cj_symbol *apply_celu(cj__build *g, cj_symbol *x, const void *args)
{
    const double alpha = ((const alpha_args *)args)->alpha;
    cj_symbol *zero = cj__scalar_like(g, x, 0);
    cj_symbol *low = cj__scale(g, BINARY(minimum, x, zero), 1 / alpha);
    low = cj__scale(g, cj__apply_unary(g, CJ__UNARY_elu, low, 1, 0), alpha);
    return cj__add(g, BINARY(maximum, x, zero), low);
}

static cj_symbol *apply_hard_tanh(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return CLIP(x, -1, 1);
}

// x where |x| is above the threshold, 0 elsewhere
static cj_symbol *apply_hard_shrink(cj__build *g, cj_symbol *x, const void *args)
{
    const shrink_args *a = args;
    return WHERE(UNARY(absolute, x), greater, cj__scalar_like(g, x, a->threshold), x,
                 cj__scalar_like(g, x, 0));
}

// x less what of it is within the threshold
static cj_symbol *apply_soft_shrink(cj__build *g, cj_symbol *x, const void *args)
{
    const shrink_args *a = args;
    return cj__sub(g, x, CLIP(x, -a->threshold, a->threshold));
}

static cj_symbol *apply_threshold(cj__build *g, cj_symbol *x, const void *args)
{
    const threshold_args *a = args;
    return WHERE(x, greater, cj__scalar_like(g, x, a->threshold), x,
                 cj__scalar_like(g, x, a->default_value));
}

// ln sigmoid(x) = -softplus(-x)
static cj_symbol *apply_log_sigmoid(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return UNARY(negative, UNARY(softplus, UNARY(negative, x)));
}

// x from 1 on, (x + 1)^2 / 4 from -1 to 1, 0 below
static cj_symbol *apply_sparse_plus(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    cj_symbol *inside = cj__scale(g, UNARY(square, cj__shift(g, CLIP(x, -1, 1), 1)), 0.25);
    return WHERE(x, greater_equal, cj__scalar_like(g, x, 1), x, inside);
}

// (x + 1) / 2 from -1 to 1, 0 below and 1 above
static cj_symbol *apply_sparse_sigmoid(cj__build *g, cj_symbol *x, const void *args)
{
    (void)args;
    return cj__scale(g, cj__shift(g, CLIP(x, -1, 1), 1), 0.5);
}

// (x + sqrt(x^2 + b)) / 2
static cj_symbol *apply_squareplus(cj__build *g, cj_symbol *x, const void *args)
{
    const squareplus_args *a = args;
    cj_symbol *root = UNARY(sqrt, cj__shift(g, UNARY(square, x), a->b));
    return cj__scale(g, cj__add(g, x, root), 0.5);
}

// The first half of the last axis times the sigmoid of the second.
static cj_symbol *apply_glu(cj__build *g, cj_symbol *x, const void *args)
{
    const cj_shape *shape = cj_symbol_shape(x);
    const int last = shape->rank - 1;
    char text[CJ__SHAPE_WORDS];
    (void)args;
    if (last < 1 || shape->dims[last] < 2 || shape->dims[last] % 2 != 0) {
        cj__build_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH,
                        "glu: the last axis of %s cannot be halved: it needs an even length",
                        cj_shape_text(shape, text, sizeof text)));
        return NULL;
    }
    const int64_t half = shape->dims[last] / 2;
    cj_symbol *gate = UNARY(sigmoid, cj__slice(g, x, last, half, half));
    return cj__mul(g, cj__slice(g, x, last, 0, half), gate);
}

// Over the last axis, whose length must be known.
static cj_symbol *apply_sparsemax(cj__build *g, cj_symbol *x, const void *args)
{
    const cj_shape *shape = cj_symbol_shape(x);
    char text[CJ__SHAPE_WORDS];
    (void)args;
    if (shape->rank < 1 || shape->dims[shape->rank - 1] < 1) {
        cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                     "sparsemax: the length of the last axis of %s must be known",
                                     cj_shape_text(shape, text, sizeof text)));
        return NULL;
    }
    return cj__sparsemax(g, x, shape->rank - 1);
}

static const cj__field shrink_fields[] = {
    CJ__FIELD(shrink_args, threshold, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE)};
static const cj__field threshold_fields[] = {
    CJ__FIELD(threshold_args, threshold, CJ__FIELD_NUMBER, .required = true),
    CJ__FIELD(threshold_args, default_value, CJ__FIELD_NUMBER, .required = true),
};
static const cj__field celu_fields[] = {
    CJ__FIELD(alpha_args, alpha, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30)};
static const cj__field squareplus_fields[] = {
    CJ__FIELD(squareplus_args, b, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE)};
static const cj__field relu_fields[] = {
    CJ__FIELD(relu_args, negative_slope, CJ__FIELD_NUMBER),
    CJ__FIELD(relu_args, max_value, CJ__FIELD_LIMIT),
    CJ__FIELD(relu_args, threshold, CJ__FIELD_NUMBER),
};
static const cj__field slope_fields[] = {CJ__FIELD(slope_args, negative_slope, CJ__FIELD_NUMBER)};
static const cj__field alpha_fields[] = {CJ__FIELD(alpha_args, alpha, CJ__FIELD_NUMBER)};
static const cj__field gelu_fields[] = {CJ__FIELD(gelu_args, approximate, CJ__FIELD_BOOL)};

#define PLAIN(keras, unary)                                                           \
    {                                                                                 \
        .choice = {.name = keras, .class_name = keras}, .function = CJ__UNARY_##unary \
    }
#define COMPOSED(keras, how)                                                                     \
    {                                                                                            \
        .choice = {.name = keras, .class_name = keras}, .function = CJ__UNARY_NONE, .apply = how \
    }
#define WITH_ARGS(keras, table, standard, how)                                           \
    {                                                                                    \
        .choice = CJ__CHOICE(keras, keras, table, standard), .function = CJ__UNARY_NONE, \
        .apply = how                                                                     \
    }

static const activation rows[] = {
    COMPOSED("linear", apply_linear),
    WITH_ARGS("relu", relu_fields, relu_defaults, apply_relu),
    WITH_ARGS("leaky_relu", slope_fields, slope_defaults, apply_leaky_relu),
    PLAIN("relu6", relu6),
    WITH_ARGS("elu", alpha_fields, alpha_defaults, apply_elu),
    PLAIN("selu", selu),
    COMPOSED("softmax", apply_softmax),
    COMPOSED("log_softmax", apply_log_softmax),
    PLAIN("softplus", softplus),
    PLAIN("softsign", softsign),
    PLAIN("tanh", tanh),
    COMPOSED("tanh_shrink", apply_tanh_shrink), // x - tanh(x)
    PLAIN("sigmoid", sigmoid),
    PLAIN("hard_sigmoid", hard_sigmoid),
    PLAIN("silu", silu),
    PLAIN("swish", silu),
    PLAIN("hard_silu", hard_silu),
    PLAIN("hard_swish", hard_silu),
    WITH_ARGS("gelu", gelu_fields, gelu_defaults, apply_gelu),
    PLAIN("mish", mish),
    PLAIN("exponential", exp),
    WITH_ARGS("celu", celu_fields, alpha_defaults, apply_celu),
    COMPOSED("hard_tanh", apply_hard_tanh),
    WITH_ARGS("hard_shrink", shrink_fields, shrink_defaults, apply_hard_shrink),
    WITH_ARGS("soft_shrink", shrink_fields, shrink_defaults, apply_soft_shrink),
    WITH_ARGS("threshold", threshold_fields, threshold_defaults, apply_threshold),
    COMPOSED("log_sigmoid", apply_log_sigmoid),
    COMPOSED("sparse_plus", apply_sparse_plus),
    COMPOSED("sparse_sigmoid", apply_sparse_sigmoid),
    WITH_ARGS("squareplus", squareplus_fields, squareplus_defaults, apply_squareplus),
    COMPOSED("glu", apply_glu),
    COMPOSED("sparsemax", apply_sparsemax),
};

const cj__catalog cj__activations = {.what = "activation",
                                     .rows = rows,
                                     .stride = sizeof rows[0],
                                     .count = sizeof rows / sizeof rows[0]};

cj_symbol *cj__activation(cj__build *build, const char *spec, const char *who, cj_symbol *x)
{
    cj__chosen chosen;
    if (!x)
        return NULL;
    const cj_status status = cj__spec_parse(&cj__activations, spec, who, &chosen);
    if (status != CJ_OK) {
        if (build->status == CJ_OK)
            build->status = status;
        return NULL;
    }
    const activation *row = (const activation *)(const void *)chosen.choice;
    if (row)
        x = row->apply ? row->apply(build, x, chosen.args) :
                         cj__apply_unary(build, row->function, x, 0, 0);
    cj__chosen_free(&chosen);
    return x;
}

// Ends cj_op_activation() as the word that the activation is, if Keras has it as an operation.
static cj_symbol *end_as_word(cj__build *g, cj_symbol *y, cj_symbol *x, const char *spec)
{
    cj__chosen chosen = {0};
    if (!y || g->status != CJ_OK || cj__spec_parse(&cj__activations, spec, NULL, &chosen) != CJ_OK)
        return cj__build_result(g, y);
    const cj__word *word = chosen.choice ? cj__word_of_activation(chosen.choice->name) : NULL;
    const bool sparse = chosen.choice && strcmp(chosen.choice->name, "sparsemax") == 0;
    if (sparse) // a word of the ops' room
        y = cj__word_result(g, y, &cj__word_sparsemax, &x, 1, &(cj__axis_settings){.axis = -1});
    else
        y = word ? cj__word_result(g, y, word, &x, 1, word->catalog ? chosen.args : NULL) :
                   cj__build_result(g, y);
    cj__chosen_free(&chosen);
    return y;
}

cj_symbol *cj_op_activation(const char *name, cj_symbol *x)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &x, 1) == CJ_OK && !name)
        cj__fail_null("cj_op_activation: the name");
    else if (g.status == CJ_OK && !*name)
        cj__fail(CJ_INVALID_ARGUMENT,
                 "cj_op_activation: the name is empty, needed is one such as \"relu\"");
    else if (g.status == CJ_OK)
        y = cj__activation(&g, name, NULL, x);
    return end_as_word(&g, y, x, name);
}
