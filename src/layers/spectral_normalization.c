// SpectralNormalization: keras/src/layers/normalization/spectral_normalization.py (Miyato and others
// 2018, "Spectral Normalization for Generative Adversarial Networks").
//
// Keras divides the kernel itself before each training step, and the optimizer steps from what came of
// it. Here the trace's symbol of the kernel becomes the quotient, so that the layer, the penalties and
// the optimizer read it; gradients are taken by the quotient, as after an assignment.
#include "layers/kind.h"
#include "layers/model.h"
#include "ops/infer.h"
#include "ops/variable.h"

#include <cajal/wrappers.h>
#include <string.h>

CJ__DEFAULTS(spectral_normalization, SPECTRAL_NORMALIZATION)

static const cj__field fields[] = {
    CJ__FIELD(cj_spectral_normalization_args, power_iterations, CJ__FIELD_INT, .low = 1,
              .high = 1000),
    CJ__LAYER_FIELDS(cj_spectral_normalization_args),
};

static const cj__sublayer sublayers[] = {
    {"layer", offsetof(cj_spectral_normalization_args, layer), false, false},
    {NULL, 0, false, false},
};

static const cj__config_key keys[] = {
    CJ__KEY_HARMLESS("layer"),
    {.key = NULL},
};

// The variable that is divided; NULL if the layer has none.
static cj_variable *kernel_of(const cj_layer *layer)
{
    static const char *const names[] = {"kernel", "embeddings"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int k = 0; k < layer->variable_count; k++) {
            const char *slash = strrchr(layer->variables[k]->name, '/');
            if (strcmp(slash ? slash + 1 : layer->variables[k]->name, names[i]) == 0)
                return layer->variables[k];
        }
    return NULL;
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    cj_layer *child = layer->sublayers[0];
    const cj__type given = {CJ_F32, inputs[0].shape};
    CJ_TRY(cj__sublayer_build(child, &given, 1));
    const cj_variable *kernel = child->kind->children ? NULL : kernel_of(child);
    if (!kernel || cj__layer_setting(child, "recurrent_initializer"))
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: %s (%s) has no kernel and no embeddings to be normalized", layer->name,
                        child->name, cj_layer_class(child));
    const cj_shape shape = cj__variable_type(kernel).shape;
    return cj__layer_add_variable(layer, "vector_u", CJ_SHAPE(1, shape.dims[shape.rank - 1]),
                                  "truncated_normal(stddev=0.02)", NULL, false, NULL);
}

// x / |x|, the length being at least 1e-7.
static cj_symbol *unit(cj__build *g, cj_symbol *x)
{
    cj_symbol *squares = cj__sum(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), 3, true);
    cj_symbol *inverse = cj__apply_unary(g, CJ__UNARY_rsqrt, squares, 0, 0);
    inverse = cj__apply_binary(g, CJ__BINARY_minimum, inverse, cj__scalar_like(g, inverse, 1e7));
    return cj__mul(g, x, inverse);
}

// W' = W / (v W u^T) after some rounds of v = unit(u W^T), u = unit(v W); W unchanged if it is all 0.
static cj_status normalize(cj__layer_context *c, cj_variable *kernel)
{
    const cj_spectral_normalization_args *a = c->layer->args;
    cj__build *g = c->build;
    const cj_shape shape = cj__variable_type(kernel).shape;
    const int64_t units = shape.dims[shape.rank - 1];
    cj_symbol *w = cj__trace_variable(c->trace, kernel),
              *old = cj__trace_variable(c->trace, c->layer->variables[0]), *u = old, *v = NULL;
    cj_symbol *rows = cj__reshape(g, w, &CJ_SHAPE(cj__span(&shape, 0, shape.rank - 1), units));
    for (int64_t i = 0; i < a->power_iterations && g->status == CJ_OK; i++) {
        v = unit(g, cj__matmul(g, u, rows, false, true));
        u = unit(g, cj__matmul(g, v, rows, false, false));
    }
    cj_symbol *sigma = cj__matmul(g, cj__matmul(g, v, rows, false, false), u, false, true);
    CJ_TRY(g->status);
    cj_symbol *filled = cj__compare(g, CJ__COMPARISON_not_equal, rows, cj__scalar_like(g, rows, 0));
    filled = cj__max(g, cj__cast(g, filled, CJ_F32), 3, true);
    CJ_TRY(g->status);
    cj_symbol *empty = cj__compare(g, CJ__COMPARISON_equal, filled, cj__scalar(g, CJ_F32, 0));
    cj_symbol *quotient = cj__select(g, empty, rows, cj__div(g, rows, sigma));
    CJ_TRY(cj__trace_update(c->trace, c->layer->variables[0], cj__select(g, empty, old, u)));
    quotient = cj__reshape(g, quotient, &shape);
    CJ_TRY(g->status);
    CJ_TRY(cj__trace_replace(c->trace, kernel, quotient));
    // a kernel that the optimizer does not write is written here
    if (!cj__layer_trains(c->layer->sublayers[0], c->trace->flags))
        CJ_TRY(cj__trace_update(c->trace, kernel, quotient));
    return g->status;
}

static cj_status call(cj__layer_context *c)
{
    cj_variable *kernel = kernel_of(c->layer->sublayers[0]);
    if (c->trace->training && !cj__trace_replaced(c->trace, kernel))
        CJ_TRY(normalize(c, kernel));
    return cj__layer_call(c->layer->sublayers[0], c->trace, c->inputs, c->input_count, &c->outputs,
                          &c->output_count);
}

const cj__layer_kind cj__layer_spectral_normalization = {
    .choice = CJ__CHOICE("spectral_normalization", "SpectralNormalization", fields,
                         spectral_normalization_defaults),
    .keys = keys,
    .sublayers = sublayers,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
    .call = call,
    .mask = CJ__MASK_PASS,
};

CJ__CONSTRUCTOR(spectral_normalization)
