// Layers that change the values of pixels: RandomSharpness, RandomPosterization, RandomInvert,
// Solarization, RandomErasing while training; AutoContrast always.
#include "base/memory.h"
#include "layers/random_images.h"

#include <math.h>

CJ__DEFAULTS(random_sharpness, RANDOM_SHARPNESS)
CJ__DEFAULTS(random_posterization, RANDOM_POSTERIZATION)
CJ__DEFAULTS(random_invert, RANDOM_INVERT)
CJ__DEFAULTS(solarization, SOLARIZATION)
CJ__DEFAULTS(random_erasing, RANDOM_ERASING)
CJ__DEFAULTS(auto_contrast, AUTO_CONTRAST)

static cj_symbol *where(cj__build *g, cj__comparison function, cj_symbol *a, cj_symbol *b,
                        cj_symbol *yes, cj_symbol *no)
{
    return cj__select(g, cj__compare(g, function, a, b), yes, no);
}

// RandomSharpness
// -----------------------------------------------------------------------------------------------

// The mean of 3 x 3 pixels of which the middle one counts five times, with zeros beside the image.
static cj_symbol *smoothed(cj__build *g, cj_symbol *x)
{
    const double a = 1.0 / 13, weights[9] = {a, a, a, a, 5 * a, a, a, a, a};
    if (!x)
        return NULL;
    cj_symbol *kernel =
        cj__constant_of(g, cj__symbol_type(x)->dtype, &CJ_SHAPE(3, 3, 1, 1), weights);
    return cj__conv2d_symbol(g, x, cj__mul(g, kernel, cj__ones_over(g, x, 7)),
                             &(cj__conv2d_attrs){.strides = {1, 1},
                                                 .dilation = {1, 1},
                                                 .groups = (int32_t)cj_symbol_shape(x)->dims[3],
                                                 .same = true});
}

// x + (1 - 2 f) (smooth - x).
cj_symbol *cj__sharpened(cj__layer_context *c, cj_symbol *x, cj__draws *draws, const double ends[2],
                         const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *f = cj__next_draw(c, draws, ends[0], ends[1]);
    cj_symbol *share = cj__shift(g, cj__scale(g, f, -2), 1);
    return cj__within(g, cj__add(g, x, cj__mul(g, share, cj__sub(g, smoothed(g, x), x))), range);
}

// The table and the check of a layer with a factor, a range of values and a seed.
#define FACTOR_FIELDS(plain)                    \
    static const cj__field plain##_fields[] = { \
        CJ__COLOR_FIELDS(cj_##plain##_args, .required = true)};
#define FACTOR_CHECK(plain, low, high)                         \
    static cj_status check_##plain(cj_layer *layer)            \
    {                                                          \
        cj_##plain##_args *a = layer->args;                    \
        double ends[2];                                        \
        CJ_TRY(cj__check_values(layer, &a->value_range));      \
        return CJ__ENDS_OF(layer, a, factor, low, high, ends); \
    }

FACTOR_FIELDS(random_sharpness)
FACTOR_CHECK(random_sharpness, 0, 1)

static cj_status call_random_sharpness(cj__layer_context *c)
{
    const cj_random_sharpness_args *a = c->layer->args;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 0, 1, ends));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 1);
    c->outputs[0].symbol = cj__sharpened(c, c->inputs[0].symbol, &draws, ends, &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_sharpness, "RandomSharpness")

// RandomPosterization
// -----------------------------------------------------------------------------------------------

cj_symbol *cj__truncated(cj__build *g, cj_symbol *x)
{
    return x ? cj__cast(g, cj__cast(g, x, CJ_I32), cj__symbol_type(x)->dtype) : NULL;
}

// Of a byte the upper `bits` bits: y = floor(x / s) s with s = 2^(8 - bits). Keras draws the bits from
// ends[0] up to but not ends[1], unless they are equal.
cj_symbol *cj__posterized(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *bits = cj__truncated(g, cj__next_draw(c, draws, ends[0], ends[1]));
    cj_symbol *rest = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, bits, 0, 0), 8);
    cj_symbol *two = cj__scalar_like(g, bits, 2);
    cj_symbol *step = cj__apply_binary(g, CJ__BINARY_power, two, rest);
    x = cj__from_range(g, x, range->values, cj__byte_range);
    x = cj__truncated(g, cj__apply_unary(g, CJ__UNARY_clip, x, 0, 255));
    x = cj__mul(g, cj__truncated(g, cj__div(g, x, step)), step);
    return cj__from_range(g, x, cj__byte_range, range->values);
}

FACTOR_FIELDS(random_posterization)

static cj_status check_random_posterization(cj_layer *layer)
{
    cj_random_posterization_args *a = layer->args;
    double ends[2];
    CJ_TRY(cj__check_values(layer, &a->value_range));
    CJ_TRY(CJ__ENDS_OF(layer, a, factor, 1, 8, ends));
    if (ends[0] == floor(ends[0]) && ends[1] == floor(ends[1]))
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: factor must be whole numbers of bits, not %g and %g",
                    layer->name, ends[0], ends[1]);
}

static cj_status call_random_posterization(cj__layer_context *c)
{
    const cj_random_posterization_args *a = c->layer->args;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 1, 8, ends));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 1);
    c->outputs[0].symbol = cj__posterized(c, c->inputs[0].symbol, &draws, ends, &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_posterization, "RandomPosterization")

// RandomInvert
// -----------------------------------------------------------------------------------------------

FACTOR_FIELDS(random_invert)
FACTOR_CHECK(random_invert, 0, 1)

static cj_status call_random_invert(cj__layer_context *c)
{
    const cj_random_invert_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 0, 1, ends));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 2);
    cj_symbol *inverse =
        cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, x, 0, 0), a->value_range.values[1]);
    c->outputs[0].symbol = cj__select(g, cj__next_chance(c, &draws, ends), inverse, x);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_invert, "RandomInvert")

// Solarization
// -----------------------------------------------------------------------------------------------

cj_symbol *cj__solarized(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                         const double additions[2], const double thresholds[2],
                         const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *addition = cj__next_draw(c, draws, additions[0], additions[1]),
              *threshold = cj__next_draw(c, draws, thresholds[0], thresholds[1]);
    x = cj__add(g, cj__from_range(g, x, range->values, cj__byte_range), addition);
    x = cj__apply_unary(g, CJ__UNARY_clip, x, 0, 255);
    cj_symbol *inverse = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, x, 0, 0), 255);
    x = where(g, CJ__COMPARISON_less, x, threshold, x, inverse);
    return cj__from_range(g, x, cj__byte_range, range->values);
}

static const cj__field solarization_fields[] = {
    CJ__FACTOR(cj_solarization_args, addition_factor, .required = true),
    CJ__FACTOR(cj_solarization_args, threshold_factor, .required = true),
    CJ__FIELD(cj_solarization_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_solarization_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_solarization_args),
};

static cj_status solarization_ends(const cj_layer *layer, double additions[2], double thresholds[2])
{
    const cj_solarization_args *a = layer->args;
    CJ_TRY(CJ__ENDS_OF(layer, a, addition_factor, 0, 1, additions));
    CJ_TRY(CJ__ENDS_OF(layer, a, threshold_factor, 0, 1, thresholds));
    additions[1] *= 255;
    thresholds[1] *= 255;
    return CJ_OK;
}

static cj_status check_solarization(cj_layer *layer)
{
    cj_solarization_args *a = layer->args;
    double additions[2], thresholds[2];
    CJ_TRY(cj__check_values(layer, &a->value_range));
    return solarization_ends(layer, additions, thresholds);
}

static cj_status call_solarization(cj__layer_context *c)
{
    const cj_solarization_args *a = c->layer->args;
    double additions[2], thresholds[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(solarization_ends(c->layer, additions, thresholds));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, CJ__DRAWS_OF_SOLARIZATION);
    c->outputs[0].symbol =
        cj__solarized(c, c->inputs[0].symbol, &draws, additions, thresholds, &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(solarization, "Solarization")

// AutoContrast
// -----------------------------------------------------------------------------------------------

// 255 (x - low) / (high - low) for each channel of an image; one of a single value stays. Divisors of
// such channels are 1, so that no gradient is NaN.
cj_symbol *cj__auto_contrasted(cj__layer_context *c, cj_symbol *x, const cj_numbers *range)
{
    cj__build *g = c->build;
    const uint32_t pixels = 1u << 1 | 1u << 2;
    cj_symbol *bytes = cj__from_range(g, x, range->values, cj__byte_range);
    cj_symbol *low = cj__min(g, bytes, pixels, true);
    cj_symbol *width = cj__sub(g, cj__max(g, bytes, pixels, true), low);
    cj_symbol *spread = cj__compare(g, CJ__COMPARISON_greater, width, cj__scalar_like(g, width, 0));
    width = cj__select(g, spread, width, cj__scalar_like(g, width, 1));
    cj_symbol *scale = cj__div(g, cj__scalar_like(g, width, 255), width);
    cj_symbol *y = cj__sub(g, cj__mul(g, bytes, scale), cj__mul(g, low, scale));
    y = cj__apply_unary(g, CJ__UNARY_clip, y, 0, 255);
    return cj__select(g, spread, cj__from_range(g, y, cj__byte_range, range->values), x);
}

static const cj__field auto_contrast_fields[] = {
    CJ__FIELD(cj_auto_contrast_args, value_range, CJ__FIELD_NUMBERS),
    CJ__LAYER_FIELDS(cj_auto_contrast_args),
};

static cj_status check_auto_contrast(cj_layer *layer)
{
    return cj__check_values(layer, &((cj_auto_contrast_args *)layer->args)->value_range);
}

static cj_status call_auto_contrast(cj__layer_context *c)
{
    const cj_auto_contrast_args *a = c->layer->args;
    CJ_TRY(cj__need_images(c));
    c->outputs[0].symbol = cj__auto_contrasted(c, c->inputs[0].symbol, &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND(auto_contrast, "AutoContrast")

// RandomErasing
// -----------------------------------------------------------------------------------------------

static const cj__field random_erasing_fields[] = {
    CJ__FACTOR(cj_random_erasing_args, factor, .required = true),
    CJ__FIELD(cj_random_erasing_args, scale, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_random_erasing_args, fill_value, CJ__FIELD_NUMBERS, .scalar = true),
    CJ__FIELD(cj_random_erasing_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_random_erasing_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_erasing_args),
};

// The ends of the chance and of the squares of a rectangle's sides.
static cj_status erasing_ends(const cj_layer *layer, double chances[2], double squares[2])
{
    const cj_random_erasing_args *a = layer->args;
    CJ_TRY(CJ__ENDS_OF(layer, a, factor, 0, 1, chances));
    return cj__ends_of(layer, "scale", 0, &a->scale, 0, 1, squares);
}

static cj_status check_random_erasing(cj_layer *layer)
{
    cj_random_erasing_args *a = layer->args;
    const int64_t fills = a->fill_value.count;
    double chances[2], squares[2];
    CJ_TRY(cj__check_values(layer, &a->value_range));
    if (a->scale.count == 0) { // Keras's default, which its JSON has as numbers
        double *usual = cj__new(2, sizeof *usual);
        if (!usual)
            return CJ_OUT_OF_MEMORY;
        usual[0] = 0.02;
        usual[1] = 0.33;
        a->scale = (cj_numbers){usual, 2};
    }
    if (fills != 0 && fills != 1 && fills != 3)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: fill_value needs one number or three, %lld were given", layer->name,
                        (long long)fills);
    return erasing_ends(layer, chances, squares);
}

void cj__rectangle_side(cj__layer_context *c, cj__draws *draws, cj_symbol *share, int64_t length,
                        cj_symbol *side[2])
{
    cj__build *g = c->build;
    share = cj__scale(g, share, (double)length);
    cj_symbol *rest =
        cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, share, 0, 0), (double)length);
    side[0] = cj__mul(g, cj__next_draw(c, draws, 0, 1), rest);
    side[1] = cj__add(g, side[0], share);
}

static cj_status call_random_erasing(cj__layer_context *c)
{
    const cj_random_erasing_args *a = c->layer->args;
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    double chances[2], squares[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(erasing_ends(c->layer, chances, squares));
    if (a->fill_value.count == 3)
        CJ_TRY(cj__need_colors(c, false));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 6);
    cj_symbol *shares[2], *sides[4];
    for (int i = 0; i < 2; i++)
        shares[i] = cj__apply_unary(g, CJ__UNARY_sqrt,
                                    cj__next_draw(c, &draws, squares[0], squares[1]), 0, 0);
    cj__rectangle_side(c, &draws, shares[0], shape->dims[2], sides);
    cj__rectangle_side(c, &draws, shares[1], shape->dims[1], sides + 2);
    // An image that is not erased has an empty rectangle.
    sides[1] = cj__select(g, cj__next_chance(c, &draws, chances), sides[1], sides[0]);
    cj__erase_attrs attrs = {.key = cj__image_key(c, a->seed),
                             .low = a->value_range.values[0],
                             .high = a->value_range.values[1],
                             .fills = a->fill_value.count};
    for (int i = 0; i < (int)attrs.fills; i++)
        attrs.fill[i] = fmin(fmax(a->fill_value.values[i], attrs.low), attrs.high);
    cj_symbol *box = cj__concat(g, sides, 4, 3);
    box = box ? cj__reshape(g, box, &CJ_SHAPE(shape->dims[0], 4)) : NULL;
    c->outputs[0].symbol = cj__erase(g, c->inputs[0].symbol, box, c->trace->step, &attrs);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_erasing, "RandomErasing")
