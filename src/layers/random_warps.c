// Layers that take the pixels of images from other places while training: RandomShear,
// RandomPerspective, RandomElasticTransform; and RandomGaussianBlur, of whose kernel the last of them
// makes its field. When predicting they pass images on.
#include "layers/random_images.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

CJ__DEFAULTS(random_gaussian_blur, RANDOM_GAUSSIAN_BLUR)
CJ__DEFAULTS(random_shear, RANDOM_SHEAR)
CJ__DEFAULTS(random_perspective, RANDOM_PERSPECTIVE)
CJ__DEFAULTS(random_elastic_transform, RANDOM_ELASTIC_TRANSFORM)

static cj_symbol *negative(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_negative, x, 0, 0);
}

// The greatest whole number that is not above x, from -1e6 to 1e6; 1e6 for NaN.
static cj_symbol *rounded_down(cj__build *g, cj_symbol *x)
{
    if (!x)
        return NULL;
    cj_symbol *far = cj__scalar_like(g, x, 1e6);
    x = cj__select(g, cj__compare(g, CJ__COMPARISON_less, x, far), x, far);
    x = cj__apply_unary(g, CJ__UNARY_clip, x, -1e6, 1e6);
    cj_symbol *whole = cj__truncated(g, x);
    return cj__select(g, cj__compare(g, CJ__COMPARISON_greater, whole, x), cj__shift(g, whole, -1),
                      whole);
}

// How pixels are taken: bilinear or the nearest one.
typedef struct sampling {
    bool nearest;
    cj__pixels_attrs attrs;
} sampling;

static sampling sampling_of(const char *interpolation, const char *fill_mode, double fill_value)
{
    return (sampling){strcmp(interpolation, "nearest") == 0,
                      {.fill_value = fill_value, .beside = cj__beside(fill_mode)}};
}

// The pixels in whole rows and columns.
static cj_symbol *pixels_in(cj__build *g, cj_symbol *x, cj_symbol *row, cj_symbol *col,
                            const sampling *how)
{
    cj_symbol *at = cj__concat(g, (cj_symbol *[]){row, col}, 2, 3);
    return at ? cj__sample_pixels(g, x, cj__cast(g, at, CJ_I32), &how->attrs) : NULL;
}

// a (1 - share) + b share.
static cj_symbol *between(cj__build *g, cj_symbol *a, cj_symbol *b, cj_symbol *share)
{
    cj_symbol *rest = cj__shift(g, negative(g, share), 1);
    return cj__add(g, cj__mul(g, a, rest), cj__mul(g, b, share));
}

// Halves are rounded away from 0.
static cj_symbol *rounded(cj__build *g, cj_symbol *x)
{
    cj_symbol *sign = cj__apply_unary(g, CJ__UNARY_sign, x, 0, 0);
    cj_symbol *size = cj__apply_unary(g, CJ__UNARY_absolute, x, 0, 0);
    return cj__mul(g, sign, rounded_down(g, cj__shift(g, size, 0.5)));
}

// The pixels of x at rows and columns (n, h, w, 1), as jax.scipy.ndimage.map_coordinates takes them.
static cj_symbol *pixels_at(cj__layer_context *c, cj_symbol *x, cj_symbol *rows, cj_symbol *cols,
                            const sampling *how)
{
    cj__build *g = c->build;
    if (how->nearest)
        return pixels_in(g, x, rounded(g, rows), rounded(g, cols), how);
    cj_symbol *top = rounded_down(g, rows), *left = rounded_down(g, cols);
    cj_symbol *down = cj__sub(g, rows, top), *right = cj__sub(g, cols, left);
    cj_symbol *bottom = cj__shift(g, top, 1), *beside = cj__shift(g, left, 1);
    cj_symbol *upper = between(g, pixels_in(g, x, top, left, how),
                               pixels_in(g, x, top, beside, how), right),
              *lower = between(g, pixels_in(g, x, bottom, left, how),
                               pixels_in(g, x, bottom, beside, how), right);
    return between(g, upper, lower, down);
}

// RandomShear
// -----------------------------------------------------------------------------------------------

static const cj__field random_shear_fields[] = {
    CJ__FACTOR(cj_random_shear_args, x_factor, .required = true),
    CJ__FACTOR(cj_random_shear_args, y_factor, .required = true),
    CJ__PIXEL_FIELDS(cj_random_shear_args),
};

// Ends of -f and f are the number f: Keras writes the one and reads the other alone.
static cj_status check_shear(cj_layer *layer, const char *what, double *one, cj_numbers *list)
{
    double ends[2];
    if (list->count == 2 && list->values[0] <= 0 && -list->values[0] >= list->values[1] &&
        -list->values[0] <= list->values[1]) {
        *one = list->values[1];
        cj__free((void *)(uintptr_t)list->values);
        *list = (cj_numbers){0};
    }
    return cj__ends_of(layer, what, *one, list, list->count ? 0 : -1, 1, ends);
}

static cj_status check_random_shear(cj_layer *layer)
{
    cj_random_shear_args *a = layer->args;
    CJ_TRY(check_shear(layer, "x_factor", &a->x_factor, &a->x_factor_range));
    return check_shear(layer, "y_factor", &a->y_factor, &a->y_factor_range);
}

static cj_symbol *sheared(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double down[2], const double right[2], const sampling *how)
{
    cj__build *g = c->build;
    if (!x)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(x);
    cj_symbol *side = cj__next_draw(c, draws, 0, 1);
    cj_symbol *sign =
        cj__select(g, cj__compare(g, CJ__COMPARISON_greater, side, cj__scalar(g, CJ_F32, 0.5)),
                   cj__scalar(g, CJ_F32, -1), cj__scalar(g, CJ_F32, 1));
    cj_symbol *by_row = cj__mul(g, cj__next_draw(c, draws, down[0], down[1]), sign),
              *by_col = cj__mul(g, cj__next_draw(c, draws, right[0], right[1]), sign);
    cj_symbol *rows = cj__image_places(g, shape->dims[1], 1, 0),
              *cols = cj__image_places(g, shape->dims[2], 2, 0);
    return pixels_at(c, x, cj__add(g, rows, cj__mul(g, by_row, cols)),
                     cj__add(g, cols, cj__mul(g, by_col, rows)), how);
}

static cj_status call_random_shear(cj__layer_context *c)
{
    const cj_random_shear_args *a = c->layer->args;
    double down[2], right[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, y_factor, -1, 1, down));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, x_factor, -1, 1, right));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 3);
    const sampling how = sampling_of(a->interpolation, a->fill_mode, a->fill_value);
    c->outputs[0].symbol = sheared(c, c->inputs[0].symbol, &draws, down, right, &how);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_shear, "RandomShear")

// RandomPerspective
// -----------------------------------------------------------------------------------------------

static const cj__field random_perspective_fields[] = {
    CJ__FACTOR(cj_random_perspective_args, factor, .required = true),
    CJ__FIELD(cj_random_perspective_args, scale, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj_random_perspective_args, interpolation, CJ__FIELD_TEXT, .required = true,
              .words = cj__interpolations),
    CJ__FIELD(cj_random_perspective_args, fill_value, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_random_perspective_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_perspective_args),
};

static cj_status check_random_perspective(cj_layer *layer)
{
    const cj_random_perspective_args *a = layer->args;
    double ends[2];
    return CJ__ENDS_OF(layer, a, factor, 0, 1, ends);
}

// Number `which` of those that are left, times `length` and added to it.
static cj_symbol *moved(cj__layer_context *c, const cj__draws *draws, int which, double scale,
                        double length)
{
    cj__draws at = {draws->numbers, draws->taken + which};
    return cj__next_draw(c, &at, length * (1 - scale / 2), length * (1 + scale / 2));
}

// The corners (x, y) of the image move from (0, 0), (w, 0), (0, v), (w, v) to (0, 0), (a, 0), (0, b),
// (c, d), since a coordinate of 0 is moved by a share of 0. Pixel (x, y) of the result comes from
// (p x, q y) / (s x + t y + 1) with t = (c / a - 1) / d, s = (d / b - 1) / c, p = w (s + 1 / a) and
// q = v (t + 1 / b), as the four corners say.
static cj_symbol *in_perspective(cj__layer_context *c, cj_symbol *x, const cj__draws *draws,
                                 double scale, const sampling *how)
{
    cj__build *g = c->build;
    const cj_shape *shape = cj_symbol_shape(x);
    const double w = (double)(shape->dims[2] - 1), v = (double)(shape->dims[1] - 1);
    cj_symbol *one = cj__scalar(g, CJ_F32, 1);
    cj_symbol *a = moved(c, draws, 2, scale, w), *b = moved(c, draws, 5, scale, v),
              *right = moved(c, draws, 6, scale, w), *down = moved(c, draws, 7, scale, v);
    cj_symbol *t = cj__div(g, cj__shift(g, cj__div(g, right, a), -1), down),
              *s = cj__div(g, cj__shift(g, cj__div(g, down, b), -1), right);
    cj_symbol *p = cj__scale(g, cj__add(g, s, cj__div(g, one, a)), w),
              *q = cj__scale(g, cj__add(g, t, cj__div(g, one, b)), v);
    cj_symbol *rows = cj__image_places(g, shape->dims[1], 1, 0),
              *cols = cj__image_places(g, shape->dims[2], 2, 0);
    cj_symbol *by = cj__add(g, cj__mul(g, s, cols), cj__shift(g, cj__mul(g, t, rows), 1));
    return pixels_at(c, x, cj__div(g, cj__mul(g, q, rows), by), cj__div(g, cj__mul(g, p, cols), by),
                     how);
}

// An image of one row or column has no perspective.
static cj_status call_random_perspective(cj__layer_context *c)
{
    const cj_random_perspective_args *a = c->layer->args;
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    cj_symbol *x = c->inputs[0].symbol;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 0, 1, ends));
    if (cj__images_pass(c) || shape->dims[1] < 2 || shape->dims[2] < 2)
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 10);
    cj_symbol *changes = cj__next_chance(c, &draws, ends);
    const sampling how = sampling_of(a->interpolation, "constant", a->fill_value);
    c->outputs[0].symbol =
        cj__select(c->build, changes, in_perspective(c, x, &draws, a->scale, &how), x);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_perspective, "RandomPerspective")

// RandomGaussianBlur
// -----------------------------------------------------------------------------------------------

// exp(-(i / sigma)^2 / 2) for the places i = -(size - 1) / 2 .. along an axis, over their sum; 0
// where |i| is above `half`, if that is not NULL.
static cj_symbol *gaussian(cj__build *g, int64_t size, int axis, cj_symbol *sigma, cj_symbol *half)
{
    cj_symbol *places = cj__image_places(g, size, axis, -(double)(size - 1) / 2);
    cj_symbol *square = cj__apply_unary(g, CJ__UNARY_square, cj__div(g, places, sigma), 0, 0);
    cj_symbol *weights = cj__apply_unary(g, CJ__UNARY_exp, cj__scale(g, square, -0.5), 0, 0);
    if (half) {
        cj_symbol *far = cj__apply_unary(g, CJ__UNARY_absolute, places, 0, 0);
        weights = cj__select(g, cj__compare(g, CJ__COMPARISON_less_equal, far, half), weights,
                             cj__scalar(g, CJ_F32, 0));
    }
    return weights ? cj__div(g, weights, cj__sum(g, weights, cj__all_axes(weights), true)) : NULL;
}

// Each channel of x under the product of two kernels, with zeros beside the image.
static cj_symbol *blurred(cj__build *g, cj_symbol *x, cj_symbol *down, cj_symbol *right)
{
    if (!x)
        return NULL;
    cj_symbol *kernel = cj__mul(g, cj__mul(g, down, right), cj__ones_over(g, x, 7));
    return cj__conv2d_symbol(g, x, kernel,
                             &(cj__conv2d_attrs){.strides = {1, 1},
                                                 .dilation = {1, 1},
                                                 .groups = (int32_t)cj_symbol_shape(x)->dims[3],
                                                 .same = true});
}

static const cj__field random_gaussian_blur_fields[] = {
    CJ__FACTOR(cj_random_gaussian_blur_args, factor, .required = true),
    CJ__FIELD(cj_random_gaussian_blur_args, kernel_size, CJ__FIELD_PAIR, .low = 1, .high = 1023),
    CJ__FACTOR(cj_random_gaussian_blur_args, sigma, .required = true),
    CJ__FIELD(cj_random_gaussian_blur_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_random_gaussian_blur_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_gaussian_blur_args),
};

static cj_status check_random_gaussian_blur(cj_layer *layer)
{
    cj_random_gaussian_blur_args *a = layer->args;
    double ends[2];
    CJ_TRY(cj__check_values(layer, &a->value_range));
    if (a->kernel_size[0] % 2 == 0 || a->kernel_size[1] % 2 == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: kernel_size must be odd, not %lldx%lld",
                        layer->name, (long long)a->kernel_size[0], (long long)a->kernel_size[1]);
    CJ_TRY(CJ__ENDS_OF(layer, a, sigma, 0, 1, ends));
    return CJ__ENDS_OF(layer, a, factor, 0, 1, ends);
}

static cj_status call_random_gaussian_blur(cj__layer_context *c)
{
    const cj_random_gaussian_blur_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    double ends[2], sigmas[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 0, 1, ends));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, sigma, 0, 1, sigmas));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 2);
    cj_symbol *changes = cj__next_chance(c, &draws, ends);
    cj__draws shared = cj__draw_for_batch(c, a->seed, 2);
    cj_symbol *kernels[2]; // along columns, along rows
    for (int i = 0; i < 2; i++)
        kernels[i] =
            gaussian(g, a->kernel_size[i], 1 - i,
                     cj__shift(g, cj__next_draw(c, &shared, sigmas[0], sigmas[1]), 1e-6), NULL);
    c->outputs[0].symbol = cj__within(
        g, cj__select(g, changes, blurred(g, x, kernels[1], kernels[0]), x), &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_gaussian_blur, "RandomGaussianBlur")

// RandomElasticTransform
// -----------------------------------------------------------------------------------------------

static const char *const elastic_fills[] = {"constant", "nearest", "reflect",
                                            "wrap",     "mirror",  NULL};

static const cj__field random_elastic_transform_fields[] = {
    CJ__FACTOR(cj_random_elastic_transform_args, factor, .required = true),
    CJ__FACTOR(cj_random_elastic_transform_args, scale, .required = true),
    CJ__FIELD(cj_random_elastic_transform_args, interpolation, CJ__FIELD_TEXT, .required = true,
              .words = cj__interpolations),
    CJ__FIELD(cj_random_elastic_transform_args, fill_mode, CJ__FIELD_TEXT, .required = true,
              .words = elastic_fills),
    CJ__FIELD(cj_random_elastic_transform_args, fill_value, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_random_elastic_transform_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_random_elastic_transform_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_elastic_transform_args),
};

static cj_status elastic_ends(const cj_layer *layer, double chances[2], double scales[2])
{
    const cj_random_elastic_transform_args *a = layer->args;
    CJ_TRY(CJ__ENDS_OF(layer, a, factor, 0, 1, chances));
    return CJ__ENDS_OF(layer, a, scale, 0, 1, scales);
}

static cj_status check_random_elastic_transform(cj_layer *layer)
{
    cj_random_elastic_transform_args *a = layer->args;
    double chances[2], scales[2];
    CJ_TRY(cj__check_values(layer, &a->value_range));
    return elastic_ends(layer, chances, scales);
}

static double lesser(int64_t a, int64_t b)
{
    return (double)(a < b ? a : b);
}

// How far the pixels are moved, (n, h, w, 1), along both axes alike, as Keras draws it: noise of the
// deviation sigma under a Gaussian of it and of 6 sigma places, times 0.1 s times the longer side.
// The kernel has room for the greatest sigma.
static cj_symbol *elastic_field(cj__layer_context *c, const double scales[2], int64_t seed)
{
    cj__build *g = c->build;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const double side = lesser(x->dims[1], x->dims[2]), longer = -lesser(-x->dims[1], -x->dims[2]);
    const int64_t size = (int64_t)(6 * 0.05 * side * scales[1]) | 1;
    cj__draws shared = cj__draw_for_batch(c, seed, 1);
    cj_symbol *scale = cj__next_draw(c, &shared, scales[0], scales[1]);
    cj_symbol *sigma = cj__scale(g, scale, 0.05 * side);
    cj_symbol *like = cj__slice(g, c->inputs[0].symbol, 3, 0, 1);
    cj_symbol *noise =
        cj__random_normal_like(g, like, c->trace->step, cj__image_key(c, seed), 0, 1);
    noise = cj__mul(g, noise, sigma);
    sigma = cj__apply_binary(g, CJ__BINARY_maximum, sigma, cj__scalar(g, CJ_F32, 1e-6));
    cj_symbol *half = cj__truncated(g, cj__scale(g, cj__truncated(g, cj__scale(g, sigma, 6)), 0.5));
    noise = blurred(g, noise, gaussian(g, size, 0, sigma, half), gaussian(g, size, 1, sigma, half));
    return cj__mul(g, noise, cj__scale(g, scale, 0.1 * longer));
}

static cj_status call_random_elastic_transform(cj__layer_context *c)
{
    const cj_random_elastic_transform_args *a = c->layer->args;
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    double chances[2], scales[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(elastic_ends(c->layer, chances, scales));
    if (cj__images_pass(c) || !(chances[1] > 0 && scales[1] > 0))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 2);
    cj_symbol *changes = cj__next_chance(c, &draws, chances);
    cj_symbol *field = elastic_field(c, scales, a->seed);
    const sampling how = sampling_of(a->interpolation, a->fill_mode, a->fill_value);
    cj_symbol *y = pixels_at(c, x, cj__add(g, cj__image_places(g, shape->dims[1], 1, 0), field),
                             cj__add(g, cj__image_places(g, shape->dims[2], 2, 0), field), &how);
    c->outputs[0].symbol = cj__within(g, cj__select(g, changes, y, x), &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_elastic_transform, "RandomElasticTransform")
