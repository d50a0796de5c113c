// Layers that change the colours of images at random while training: RandomContrast,
// RandomBrightness, RandomHue, RandomSaturation, RandomColorJitter, RandomGrayscale,
// RandomColorDegeneration. When predicting they pass images on.
#include "layers/random_images.h"

#include <math.h>

CJ__DEFAULTS(random_contrast, RANDOM_CONTRAST)
CJ__DEFAULTS(random_brightness, RANDOM_BRIGHTNESS)
CJ__DEFAULTS(random_hue, RANDOM_HUE)
CJ__DEFAULTS(random_saturation, RANDOM_SATURATION)
CJ__DEFAULTS(random_color_jitter, RANDOM_COLOR_JITTER)
CJ__DEFAULTS(random_grayscale, RANDOM_GRAYSCALE)
CJ__DEFAULTS(random_color_degeneration, RANDOM_COLOR_DEGENERATION)

// The changes
// -----------------------------------------------------------------------------------------------

// y = (x - mean) f + mean for each channel of an image, f from 1 - factor[0] to 1 + factor[1].
cj_symbol *cj__contrasted(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *mean = cj__mean(g, x, 1u << 1 | 1u << 2, true);
    cj_symbol *factor = cj__next_draw(c, draws, 1 - ends[0], 1 + ends[1]);
    return cj__within(g, cj__add(g, cj__mul(g, cj__sub(g, x, mean), factor), mean), range);
}

// y = x + f (high - low) of the range of values.
cj_symbol *cj__brightened(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range)
{
    const double width = range->values[1] - range->values[0];
    cj_symbol *delta = cj__next_draw(c, draws, ends[0] * width, ends[1] * width);
    return cj__within(c->build, cj__add(c->build, x, delta), range);
}

// Three planes (batch, h, w): of an image, or its hue, saturation and value.
typedef struct planes {
    cj_symbol *at[3];
} planes;

static planes planes_of(cj__build *g, cj_symbol *x)
{
    planes p = {{NULL}};
    if (x && cj__unstack(g, x, 3, p.at) != CJ_OK)
        p = (planes){{NULL}};
    return p;
}

static cj_symbol *where(cj__build *g, cj__comparison function, cj_symbol *a, cj_symbol *b,
                        cj_symbol *yes, cj_symbol *no)
{
    return cj__select(g, cj__compare(g, function, a, b), yes, no);
}

static cj_symbol *clipped(cj__build *g, cj_symbol *x, double low, double high)
{
    return cj__apply_unary(g, CJ__UNARY_clip, x, low, high);
}

// As keras.ops.image.rgb_to_hsv: the hue in [0, 1), 0 of greys.
static planes hsv_of(cj__build *g, planes rgb)
{
    cj_symbol *red = rgb.at[0], *green = rgb.at[1], *blue = rgb.at[2];
    cj_symbol *zero = cj__scalar_like(g, red, 0), *one = cj__scalar_like(g, red, 1);
    cj_symbol *value = cj__apply_binary(g, CJ__BINARY_maximum, red, green),
              *least = cj__apply_binary(g, CJ__BINARY_minimum, red, green);
    value = cj__apply_binary(g, CJ__BINARY_maximum, value, blue);
    least = cj__apply_binary(g, CJ__BINARY_minimum, least, blue);
    cj_symbol *width = cj__sub(g, value, least);
    cj_symbol *wide = cj__compare(g, CJ__COMPARISON_greater, width, zero),
              *bright = cj__compare(g, CJ__COMPARISON_greater, value, zero);
    cj_symbol *saturation = cj__div(g, width, cj__select(g, bright, value, one));
    saturation = cj__select(g, bright, saturation, zero);
    cj_symbol *sixths = cj__scale(g, cj__select(g, wide, width, one), 6);
    cj_symbol *of_green = cj__shift(g, cj__div(g, cj__sub(g, blue, red), sixths), 2.0 / 6),
              *of_blue = cj__shift(g, cj__div(g, cj__sub(g, red, green), sixths), 4.0 / 6);
    cj_symbol *hue = where(g, CJ__COMPARISON_equal, value, green, of_green, of_blue);
    hue = where(g, CJ__COMPARISON_equal, value, red, cj__div(g, cj__sub(g, green, blue), sixths),
                hue);
    hue = cj__select(g, wide, hue, zero);
    hue = where(g, CJ__COMPARISON_less, hue, zero, cj__shift(g, hue, 1), hue);
    return (planes){{hue, saturation, value}};
}

// value (1 - saturation + saturation part), where the part of a channel depends on the hue.
static cj_symbol *channel_of(cj__build *g, planes hsv, cj_symbol *part)
{
    cj_symbol *rest = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, hsv.at[1], 0, 0), 1);
    part = cj__mul(g, hsv.at[1], clipped(g, part, 0, 1));
    return cj__mul(g, hsv.at[2], cj__add(g, rest, part));
}

// As keras.ops.image.hsv_to_rgb, of a hue in [0, 1].
static cj_symbol *image_of(cj__build *g, planes hsv)
{
    cj_symbol *sixths = cj__scale(g, hsv.at[0], 6), *channels[3];
    const double middle[3] = {3, 2, 4};
    for (int i = 0; i < 3; i++) {
        cj_symbol *far =
            cj__apply_unary(g, CJ__UNARY_absolute, cj__shift(g, sixths, -middle[i]), 0, 0);
        cj_symbol *part = i == 0 ?
                              cj__shift(g, far, -1) :
                              cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, far, 0, 0), 2);
        channels[i] = channel_of(g, hsv, part);
    }
    return cj__stack(g, channels, 3, 3);
}

// A number of an image, (batch, 1, 1, 1), beside planes.
static cj_symbol *beside_planes(cj__build *g, cj_symbol *number)
{
    return number ? cj__reshape(g, number, &CJ_SHAPE(cj_symbol_shape(number)->dims[0], 1, 1)) :
                    NULL;
}

// Half of a number of the ends is added to the hue or, as often, subtracted.
cj_symbol *cj__hue_turned(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *side = cj__next_draw(c, draws, 0, 1),
              *shift = cj__next_draw(c, draws, ends[0] / 2, ends[1] / 2);
    shift = where(g, CJ__COMPARISON_greater, side, cj__scalar_like(g, side, 0.5),
                  cj__apply_unary(g, CJ__UNARY_negative, shift, 0, 0), shift);
    planes hsv = hsv_of(g, planes_of(g, cj__from_range(g, x, range->values, cj__unit_range)));
    cj_symbol *hue = cj__add(g, hsv.at[0], beside_planes(g, shift));
    hue = where(g, CJ__COMPARISON_greater, hue, cj__scalar_like(g, hue, 1), cj__shift(g, hue, -1),
                hue);
    hsv.at[0] =
        where(g, CJ__COMPARISON_less, hue, cj__scalar_like(g, hue, 0), cj__shift(g, hue, 1), hue);
    return cj__from_range(g, clipped(g, image_of(g, hsv), 0, 1), cj__unit_range, range->values);
}

// The saturation times f / (1 - f + 1e-7), cut to the range of values, as Keras does it.
cj_symbol *cj__saturated(cj__layer_context *c, cj_symbol *x, cj__draws *draws, const double ends[2],
                         const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *f = cj__next_draw(c, draws, ends[0], ends[1]);
    cj_symbol *rest = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, f, 0, 0), 1);
    cj_symbol *factor = beside_planes(g, cj__div(g, f, cj__shift(g, rest, 1e-7)));
    planes hsv = hsv_of(g, planes_of(g, x));
    hsv.at[1] = cj__within(g, cj__mul(g, hsv.at[1], factor), range);
    return image_of(g, hsv);
}

// 0.2989 red + 0.587 green + 0.114 blue, (batch, h, w, 1); an image of one channel as it is.
static cj_symbol *grey_of(cj__build *g, cj_symbol *x)
{
    if (!x || cj_symbol_shape(x)->dims[3] == 1)
        return x;
    const double weights[] = {0.2989, 0.5870, 0.1140};
    cj_symbol *each = cj__constant_of(g, cj__symbol_type(x)->dtype, &CJ_SHAPE(3), weights);
    return cj__sum(g, cj__mul(g, x, each), 1u << 3, true);
}

// x + f (grey - x).
cj_symbol *cj__degenerated(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                           const double ends[2], const cj_numbers *range)
{
    cj__build *g = c->build;
    cj_symbol *factor = cj__next_draw(c, draws, ends[0], ends[1]);
    cj_symbol *y = cj__add(g, x, cj__mul(g, factor, cj__sub(g, grey_of(g, x), x)));
    return cj__within(g, y, range);
}

// The layers of one factor
// -----------------------------------------------------------------------------------------------

// A layer with a factor and a range of values: its fields, its check, and its call by `change`, which
// draws `count` numbers. `grey`: 0 for images of three channels, 1 for those of one too, 2 for any.
#define COLOR_LAYER(plain, class, low, high, grey, count, change)                             \
    static const cj__field plain##_fields[] = {                                               \
        CJ__COLOR_FIELDS(cj_##plain##_args, .required = true)};                               \
    static cj_status check_##plain(cj_layer *layer)                                           \
    {                                                                                         \
        cj_##plain##_args *a = layer->args;                                                   \
        double ends[2];                                                                       \
        CJ_TRY(cj__check_values(layer, &a->value_range));                                     \
        return CJ__ENDS_OF(layer, a, factor, low, high, ends);                                \
    }                                                                                         \
    static cj_status call_##plain(cj__layer_context *c)                                       \
    {                                                                                         \
        const cj_##plain##_args *a = c->layer->args;                                          \
        double ends[2];                                                                       \
        CJ_TRY((grey) == 2 ? cj__need_images(c) : cj__need_colors(c, (grey) == 1));           \
        CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, low, high, ends));                            \
        if (cj__images_pass(c))                                                               \
            return CJ_OK;                                                                     \
        cj__draws draws = cj__draw_for_images(c, a->seed, count);                             \
        c->outputs[0].symbol = change(c, c->inputs[0].symbol, &draws, ends, &a->value_range); \
        return CJ_OK;                                                                         \
    }                                                                                         \
    CJ__IMAGE_KIND(plain, class)

COLOR_LAYER(random_contrast, "RandomContrast", 0, 1, 2, 1, cj__contrasted)
COLOR_LAYER(random_brightness, "RandomBrightness", -1, 1, 2, 1, cj__brightened)
COLOR_LAYER(random_hue, "RandomHue", 0, 1, 0, CJ__DRAWS_OF_HUE, cj__hue_turned)
COLOR_LAYER(random_saturation, "RandomSaturation", -1, 1, 0, 1, cj__saturated)
COLOR_LAYER(random_color_degeneration, "RandomColorDegeneration", -1, 1, 1, 1, cj__degenerated)

// RandomGrayscale
// -----------------------------------------------------------------------------------------------

static const cj__field random_grayscale_fields[] = {
    CJ__FIELD(cj_random_grayscale_args, factor, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj_random_grayscale_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_grayscale_args),
};

static cj_status check_random_grayscale(cj_layer *layer)
{
    (void)layer;
    return CJ_OK;
}

static cj_status call_random_grayscale(cj__layer_context *c)
{
    const cj_random_grayscale_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__need_colors(c, true));
    if (cj__images_pass(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 1);
    cj_symbol *drawn = cj__next_draw(c, &draws, 0, 1);
    c->outputs[0].symbol = where(g, CJ__COMPARISON_less, drawn,
                                 cj__scalar_like(g, drawn, a->factor), grey_of(g, x), x);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_grayscale, "RandomGrayscale")

// RandomColorJitter
// -----------------------------------------------------------------------------------------------

static const cj__field random_color_jitter_fields[] = {
    CJ__FIELD(cj_random_color_jitter_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FACTOR(cj_random_color_jitter_args, brightness_factor, .required = false),
    CJ__FACTOR(cj_random_color_jitter_args, contrast_factor, .required = false),
    CJ__FACTOR(cj_random_color_jitter_args, saturation_factor, .required = false),
    CJ__FACTOR(cj_random_color_jitter_args, hue_factor, .required = false),
    CJ__FIELD(cj_random_color_jitter_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_color_jitter_args),
};

// The changes of a jitter in their order; ends only of those that are used.
enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, JITTERS };
typedef struct jitters {
    bool used[JITTERS];
    double ends[JITTERS][2];
} jitters;

static cj_status jitters_of(const cj_layer *layer, jitters *j)
{
    static const char *const names[] = {"brightness_factor", "contrast_factor", "saturation_factor",
                                        "hue_factor"};
    static const double lows[] = {-1, 0, -1, 0};
    const cj_random_color_jitter_args *a = layer->args;
    const double single[] = {a->brightness_factor, a->contrast_factor, a->saturation_factor,
                             a->hue_factor};
    const cj_numbers *lists[] = {&a->brightness_factor_range, &a->contrast_factor_range,
                                 &a->saturation_factor_range, &a->hue_factor_range};
    for (int i = 0; i < JITTERS; i++) {
        j->used[i] = !isnan(single[i]) || lists[i]->count != 0;
        if (j->used[i])
            CJ_TRY(cj__ends_of(layer, names[i], single[i], lists[i], lows[i], 1, j->ends[i]));
    }
    return CJ_OK;
}

static cj_status check_random_color_jitter(cj_layer *layer)
{
    cj_random_color_jitter_args *a = layer->args;
    jitters j;
    CJ_TRY(cj__check_values(layer, &a->value_range));
    return jitters_of(layer, &j);
}

static cj_status call_random_color_jitter(cj__layer_context *c)
{
    static cj_symbol *(*const change[])(cj__layer_context *, cj_symbol *, cj__draws *,
                                        const double *, const cj_numbers *) = {
        cj__brightened, cj__contrasted, cj__saturated, cj__hue_turned};
    const cj_random_color_jitter_args *a = c->layer->args;
    jitters j;
    CJ_TRY(jitters_of(c->layer, &j));
    CJ_TRY(j.used[SATURATION] || j.used[HUE] ? cj__need_colors(c, false) : cj__need_images(c));
    if (cj__images_pass(c))
        return CJ_OK;
    const int count = j.used[BRIGHTNESS] + j.used[CONTRAST] + j.used[SATURATION] +
                      (j.used[HUE] ? CJ__DRAWS_OF_HUE : 0);
    cj__draws draws = {0};
    if (count > 0)
        draws = cj__draw_for_images(c, a->seed, count);
    cj_symbol *x = c->inputs[0].symbol;
    for (int i = 0; i < JITTERS; i++)
        if (j.used[i])
            x = change[i](c, x, &draws, j.ends[i], &a->value_range);
    c->outputs[0].symbol = x;
    return CJ_OK;
}

CJ__IMAGE_KIND(random_color_jitter, "RandomColorJitter")
