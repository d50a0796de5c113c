// Resizing and CenterCrop. Resizing is two products, of every column and of every row with a matrix of
// weights (resample.h); "nearest" picks rows and columns instead.
#include "base/memory.h"
#include "layers/preprocess.h"
#include "layers/resample.h"

#include <math.h>
#include <string.h>

CJ__DEFAULTS(resizing, RESIZING)
CJ__DEFAULTS(center_crop, CENTER_CROP)

static const char *const fill_modes[] = {"constant", NULL};

static const char *const interpolations[] = {"nearest",  "bilinear", "bicubic",
                                             "lanczos3", "lanczos5", NULL};

// Resizing along an axis
// -----------------------------------------------------------------------------------------------

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
    const bool picks = strcmp(a->interpolation, "nearest") == 0;
    for (int axis = 1; x && axis <= 2; axis++)
        if (cj_symbol_shape(x)->dims[axis] != to[axis - 1])
            x = picks ? pick(g, x, axis, to[axis - 1]) :
                        cj__interpolate(g, x, axis, to[axis - 1], a->interpolation, a->antialias);
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
