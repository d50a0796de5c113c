// Resizing and CenterCrop. Resizing is two products: of every column with a matrix of weights (height
// by rows of the image), and of every row with one (width by columns). The weights are those of
// jax.image.resize: a kernel around the place of each new pixel in the old image, made to sum to 1.
// "nearest" picks rows and columns instead.
#include "base/memory.h"
#include "layers/preprocess.h"

#include <math.h>
#include <string.h>

CJ__DEFAULTS(resizing, RESIZING)
CJ__DEFAULTS(center_crop, CENTER_CROP)

static const char *const fill_modes[] = {"constant", NULL};

// Kernels of the distance x >= 0 in pixels
// -----------------------------------------------------------------------------------------------

static const double pi = 3.14159265358979323846;

static double triangle(double x)
{
    return x < 1 ? 1 - x : 0;
}

// Keys's cubic (1981) with a = -0.5.
static double cubic(double x)
{
    if (x >= 2)
        return 0;
    return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
}

static double lanczos(double radius, double x)
{
    if (x > radius)
        return 0;
    return x > 1e-3 ? radius * sin(pi * x) * sin(pi * x / radius) / (pi * pi * x * x) : 1;
}

static double lanczos3(double x)
{
    return lanczos(3, x);
}

static double lanczos5(double x)
{
    return lanczos(5, x);
}

typedef double (*kernel)(double x);

static const char *const interpolations[] = {"nearest",  "bilinear", "bicubic",
                                             "lanczos3", "lanczos5", NULL};
static const kernel kernels[] = {NULL, triangle, cubic, lanczos3, lanczos5}; // in the same order

static kernel kernel_of(const char *interpolation)
{
    int i = 0;
    while (interpolations[i] && strcmp(interpolations[i], interpolation) != 0)
        i++;
    return interpolations[i] ? kernels[i] : NULL;
}

// Resizing along an axis
// -----------------------------------------------------------------------------------------------

// The weights of one of `to` pixels over `from` ones.
static void weigh(kernel of, bool antialias, int64_t from, int64_t to, int64_t pixel,
                  double *weights)
{
    const double inverse = (double)from / (double)to, wide = antialias && inverse > 1 ? inverse : 1,
                 place = ((double)pixel + 0.5) * inverse - 0.5;
    double sum = 0;
    for (int64_t i = 0; i < from; i++)
        sum += weights[i] = of(fabs(place - (double)i) / wide);
    const bool fades = fabs(sum) <= 1000 * 1.1920929e-07; // JAX's bound: float32's epsilon
    for (int64_t i = 0; i < from; i++)
        weights[i] = fades ? 0 : weights[i] / sum;
}

enum { WEIGHTS_MAX = 1 << 26 };

// x (n, h, w, c) with axis 1 or 2 brought to another length by weights.
static cj_symbol *blend(cj__build *g, cj_symbol *x, int axis, int64_t to, kernel of, bool antialias)
{
    const int64_t from = cj_symbol_shape(x)->dims[axis];
    if (from > WEIGHTS_MAX / to) {
        cj__build_refuse(g, cj__fail(CJ_UNSUPPORTED, "%lld pixels resized to %lld are too many",
                                     (long long)from, (long long)to));
        return NULL;
    }
    double *weights = cj__new((size_t)(from * to), sizeof *weights);
    if (!weights) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t i = 0; i < to; i++)
        weigh(of, antialias, from, to, i, weights + i * from);
    cj_symbol *matrix = cj__constant_of(g, CJ_F32, &CJ_SHAPE(to, from), weights);
    cj__free(weights);
    return cj__einsum(g, axis == 1 ? "yh,nhwc->nywc" : "xw,nhwc->nhxc", matrix, x);
}

// The nearest rows or columns: floor((i + 1/2) from / to), in float as JAX computes it.
static cj_symbol *pick(cj__build *g, cj_symbol *x, int axis, int64_t to)
{
    const int order[][4] = {{1, 0, 2, 3}, {2, 1, 0, 3}};
    const int64_t from = cj_symbol_shape(x)->dims[axis];
    double *places = cj__new((size_t)to, sizeof *places);
    if (!places) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t i = 0; i < to; i++) {
        const float place = floorf(((float)i + 0.5f) * (float)from / (float)to);
        places[i] = place < (float)from ? place : (double)(from - 1);
    }
    cj_symbol *rows = cj__constant_of(g, CJ_I32, &CJ_SHAPE(to), places);
    cj__free(places);
    cj_symbol *turned = cj__transpose(g, x, order[axis - 1]);
    return cj__transpose(g, cj__gather(g, turned, rows), order[axis - 1]);
}

static cj_symbol *resize(cj__build *g, cj_symbol *x, const cj_resizing_args *a)
{
    const int64_t to[] = {a->height, a->width};
    const kernel of = kernel_of(a->interpolation);
    for (int axis = 1; x && axis <= 2; axis++)
        if (cj_symbol_shape(x)->dims[axis] != to[axis - 1])
            x = of ? blend(g, x, axis, to[axis - 1], of, a->antialias) :
                     pick(g, x, axis, to[axis - 1]);
    return x;
}

// Aspect ratios
// -----------------------------------------------------------------------------------------------

static int64_t within(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

// Lengths that have the aspect ratio of the result with the other length of the image.
static void fitting(const cj_shape *x, const cj_resizing_args *a, int64_t fit[2])
{
    const int64_t height = x->dims[1], width = x->dims[2];
    fit[0] = (int64_t)((double)width * (double)a->height / (double)a->width);
    fit[1] = (int64_t)((double)height * (double)a->width / (double)a->height);
}

static cj_symbol *crop(cj__build *g, cj_symbol *x, const cj_resizing_args *a)
{
    const cj_shape shape = *cj_symbol_shape(x);
    int64_t fit[2];
    fitting(&shape, a, fit);
    for (int axis = 1; axis <= 2; axis++) {
        const int64_t length = within(fit[axis - 1], 1, shape.dims[axis]);
        if (length < shape.dims[axis])
            x = cj__slice(g, x, axis, (shape.dims[axis] - length) / 2, length);
    }
    return x;
}

// fill_value along the axis that is too short, as much on both sides. Adding 0 to the image itself
// changes nothing.
static cj_symbol *fill(cj__build *g, cj_symbol *x, const cj_resizing_args *a)
{
    const cj_shape shape = *cj_symbol_shape(x);
    int64_t fit[2];
    fitting(&shape, a, fit);
    const int axis = (fit[0] - shape.dims[1]) / 2 > 0 ? 1 : 2;
    const int64_t length = shape.dims[axis], side = (fit[axis - 1] - length) / 2,
                  all = length + 2 * side;
    if (side <= 0)
        return x;
    x = cj__pad(g, x, axis, side, side);
    double *values = cj__new((size_t)all, sizeof *values);
    if (!values) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t i = 0; i < all; i++)
        values[i] = i < side || i >= side + length ? a->fill_value : 0;
    cj_shape beside = CJ_SHAPE(1, 1, 1, 1);
    beside.dims[axis] = all;
    cj_symbol *border = cj__constant_of(g, CJ_F32, &beside, values);
    cj__free(values);
    return cj__add(g, x, border);
}

cj_symbol *cj__resized_middle(cj__build *g, cj_symbol *x, int64_t height, int64_t width)
{
    const cj_resizing_args middle = {CJ_RESIZING_DEFAULTS, .height = height, .width = width};
    return resize(g, crop(g, x, &middle), &middle);
}

// Resizing
// -----------------------------------------------------------------------------------------------

static const cj__field resizing_fields[] = {
    CJ__FIELD(cj_resizing_args, height, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_resizing_args, width, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_resizing_args, interpolation, CJ__FIELD_TEXT, .required = true,
              .words = interpolations),
    CJ__FIELD(cj_resizing_args, crop_to_aspect_ratio, CJ__FIELD_BOOL),
    CJ__FIELD(cj_resizing_args, pad_to_aspect_ratio, CJ__FIELD_BOOL),
    CJ__FIELD(cj_resizing_args, fill_mode, CJ__FIELD_TEXT, .required = true, .words = fill_modes),
    CJ__FIELD(cj_resizing_args, fill_value, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_resizing_args, antialias, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_resizing_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};

static cj_status check_resizing(cj_layer *layer)
{
    const cj_resizing_args *a = layer->args;
    return !a->crop_to_aspect_ratio || !a->pad_to_aspect_ratio ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other",
                        layer->name);
}

static cj_status call_resizing(cj__layer_context *c)
{
    const cj_resizing_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__need_images(c));
    if (a->crop_to_aspect_ratio)
        x = crop(c->build, x, a);
    else if (a->pad_to_aspect_ratio)
        x = fill(c->build, x, a);
    c->outputs[0].symbol = resize(c->build, x, a);
    return CJ_OK;
}

const cj__layer_kind cj__layer_resizing = {
    .choice = CJ__CHOICE("resizing", "Resizing", resizing_fields, resizing_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_resizing,
    .call = call_resizing,
    .any_training = true,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(resizing)

// CenterCrop
// -----------------------------------------------------------------------------------------------

static const cj__field center_crop_fields[] = {
    CJ__FIELD(cj_center_crop_args, height, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_center_crop_args, width, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__LAYER_FIELDS(cj_center_crop_args),
};

static cj_status call_center_crop(cj__layer_context *c)
{
    const cj_center_crop_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__need_images(c));
    const cj_shape shape = *cj_symbol_shape(x);
    const int64_t down = shape.dims[1] - a->height, right = shape.dims[2] - a->width;
    if (down < 0 || right < 0)
        x = cj__resized_middle(c->build, x, a->height, a->width);
    else {
        x = down > 0 ? cj__slice(c->build, x, 1, down / 2, a->height) : x;
        x = right > 0 ? cj__slice(c->build, x, 2, right / 2, a->width) : x;
    }
    c->outputs[0].symbol = x;
    return CJ_OK;
}

const cj__layer_kind cj__layer_center_crop = {
    .choice = CJ__CHOICE("center_crop", "CenterCrop", center_crop_fields, center_crop_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_center_crop,
    .any_training = true,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(center_crop)
