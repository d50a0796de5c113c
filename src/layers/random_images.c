// Layers that change images at random, each in its own way, while training; when predicting they
// pass them on. RandomFlip, RandomTranslation, RandomRotation, RandomZoom, RandomCrop,
// RandomContrast, RandomBrightness. What is drawn for an image depends on the layer's key, the
// step and the image's place in the batch alone.
#include "base/memory.h"
#include "layers/preprocess.h"
#include "ops/images.h"

#include <math.h>
#include <string.h>

CJ__DEFAULTS(random_flip, RANDOM_FLIP)
CJ__DEFAULTS(random_translation, RANDOM_TRANSLATION)
CJ__DEFAULTS(random_rotation, RANDOM_ROTATION)
CJ__DEFAULTS(random_zoom, RANDOM_ZOOM)
CJ__DEFAULTS(random_crop, RANDOM_CROP)
CJ__DEFAULTS(random_contrast, RANDOM_CONTRAST)
CJ__DEFAULTS(random_brightness, RANDOM_BRIGHTNESS)

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};

// A factor of Keras: a number, or a list of the lower and the upper end.
#define FACTOR(args, name, ...)                                                          \
    {                                                                                    \
        .key = #name, .kind = CJ__FIELD_NUMBERS, .offset = offsetof(args, name##_range), \
        .single = offsetof(args, name), __VA_ARGS__                                      \
    }
#define NUMBER_AND_SEED(args) \
    CJ__FIELD(args, fill_value, CJ__FIELD_NUMBER), CJ__FIELD(args, seed, CJ__FIELD_SEED)

static const char *const fill_modes[] = {"constant", "nearest", "reflect", "wrap", NULL};
static const int32_t sides[] = {CJ__BESIDE_CONSTANT, CJ__BESIDE_NEAREST, CJ__BESIDE_REFLECT,
                                CJ__BESIDE_WRAP};
static const char *const interpolations[] = {"nearest", "bilinear", NULL};
#define PIXELS(args)                                                                               \
    CJ__FIELD(args, fill_mode, CJ__FIELD_TEXT, .required = true, .words = fill_modes),             \
        CJ__FIELD(args, interpolation, CJ__FIELD_TEXT, .required = true, .words = interpolations), \
        NUMBER_AND_SEED(args), CJ__LAYER_FIELDS(args)

// The ends of a factor: those of the list, or -f and f, but not below `low`.
static cj_status ends_of(const cj_layer *layer, const char *what, double one,
                         const cj_numbers *list, double low, double high, double ends[2])
{
    ends[1] = fabs(one);
    ends[0] = -ends[1] > low ? -ends[1] : low;
    if (list->count != 0 && list->count != 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s needs two numbers, %lld were given",
                        layer->name, what, (long long)list->count);
    if (list->count == 2) {
        const bool sorted = list->values[0] <= list->values[1];
        ends[0] = list->values[sorted ? 0 : 1];
        ends[1] = list->values[sorted ? 1 : 0];
    }
    if (!(ends[0] >= low && ends[1] <= high))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be from %g to %g, not %g and %g",
                        layer->name, what, low, high, ends[0], ends[1]);
    return CJ_OK;
}

static uint64_t key_of(const cj__layer_context *c, int64_t seed)
{
    return cj__trace_key(c->trace, seed, c->layer->name);
}

// A number for each image, (batch, 1, 1, 1), from `ends`.
static cj_symbol *number_of(cj__layer_context *c, int64_t seed, const double ends[2])
{
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    const cj_shape each = CJ_SHAPE(cj_symbol_shape(x)->dims[0], 1, 1, 1);
    cj_symbol *drawn = cj__sample_uniform(g, x, c->trace->step, key_of(c, seed), 1);
    return cj__shift(g, cj__scale(g, cj__reshape(g, drawn, &each), ends[1] - ends[0]), ends[0]);
}

// Predicting: the images as they are.
static bool passes(cj__layer_context *c)
{
    c->outputs[0].symbol = c->inputs[0].symbol;
    return !c->trace->training;
}

#define KIND(plain, class)                                                     \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .keys = keys,                                                          \
        .min_inputs = 1,                                                       \
        .max_inputs = 1,                                                       \
        .check = check_##plain,                                                \
        .call = call_##plain,                                                  \
        .mask = CJ__MASK_DROP,                                                 \
        .any_training = true,                                                  \
    };                                                                         \
    CJ__CONSTRUCTOR(plain)

// Turning, zooming, shifting
// -----------------------------------------------------------------------------------------------

static int place_of(const char *const *words, const char *word)
{
    int i = 0;
    while (words[i] && strcmp(words[i], word) != 0)
        i++;
    return i;
}

// The attributes that leave images as they are.
static cj__warp_attrs warp_of(const cj__layer_context *c, int64_t seed)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const int32_t height = (int32_t)x->dims[1], width = (int32_t)x->dims[2];
    return (cj__warp_attrs){.key = key_of(c, seed),
                            .zoom = {{1, 1}, {1, 1}},
                            .size = {height, width},
                            .input = {height, width}};
}

static void set_pixels(cj__warp_attrs *w, const char *interpolation, const char *fill_mode,
                       double fill_value)
{
    w->nearest = strcmp(interpolation, "nearest") == 0;
    w->beside = sides[place_of(fill_modes, fill_mode)];
    w->fill_value = fill_value;
}

static cj_status warp(cj__layer_context *c, const cj__warp_attrs *w)
{
    c->outputs[0].symbol = cj__warp(c->build, c->inputs[0].symbol, c->trace->step, w);
    return CJ_OK;
}

static const cj__field random_translation_fields[] = {
    FACTOR(cj_random_translation_args, height_factor, .required = true),
    FACTOR(cj_random_translation_args, width_factor, .required = true),
    PIXELS(cj_random_translation_args),
};

static cj_status translation_ends(const cj_layer *layer, double rows[2], double cols[2])
{
    const cj_random_translation_args *a = layer->args;
    CJ_TRY(ends_of(layer, "height_factor", a->height_factor, &a->height_factor_range, -1, 1, rows));
    return ends_of(layer, "width_factor", a->width_factor, &a->width_factor_range, -1, 1, cols);
}

static cj_status check_random_translation(cj_layer *layer)
{
    double rows[2], cols[2];
    return translation_ends(layer, rows, cols);
}

static cj_status call_random_translation(cj__layer_context *c)
{
    const cj_random_translation_args *a = c->layer->args;
    CJ_TRY(cj__need_images(c));
    if (passes(c))
        return CJ_OK;
    cj__warp_attrs w = warp_of(c, a->seed);
    CJ_TRY(translation_ends(c->layer, w.shift[0], w.shift[1]));
    for (int end = 0; end < 2; end++) {
        w.shift[0][end] *= w.input[0];
        w.shift[1][end] *= w.input[1];
    }
    set_pixels(&w, a->interpolation, a->fill_mode, a->fill_value);
    return warp(c, &w);
}

KIND(random_translation, "RandomTranslation")

static const cj__field random_rotation_fields[] = {
    FACTOR(cj_random_rotation_args, factor, .required = true),
    PIXELS(cj_random_rotation_args),
};

static cj_status rotation_ends(const cj_layer *layer, double ends[2])
{
    const cj_random_rotation_args *a = layer->args;
    return ends_of(layer, "factor", a->factor, &a->factor_range, -1, 1, ends);
}

static cj_status check_random_rotation(cj_layer *layer)
{
    double ends[2];
    return rotation_ends(layer, ends);
}

static cj_status call_random_rotation(cj__layer_context *c)
{
    const cj_random_rotation_args *a = c->layer->args;
    CJ_TRY(cj__need_images(c));
    if (passes(c))
        return CJ_OK;
    cj__warp_attrs w = warp_of(c, a->seed);
    CJ_TRY(rotation_ends(c->layer, w.angle));
    for (int end = 0; end < 2; end++)
        w.angle[end] *= 2 * 3.14159265358979323846;
    set_pixels(&w, a->interpolation, a->fill_mode, a->fill_value);
    return warp(c, &w);
}

KIND(random_rotation, "RandomRotation")

static const cj__field random_zoom_fields[] = {
    FACTOR(cj_random_zoom_args, height_factor, .required = true),
    FACTOR(cj_random_zoom_args, width_factor, .required = false),
    PIXELS(cj_random_zoom_args),
};

static bool zooms_alike(const cj_random_zoom_args *a)
{
    return a->width_factor_range.count == 0 && isnan(a->width_factor);
}

static cj_status zoom_ends(const cj_layer *layer, double rows[2], double cols[2])
{
    const cj_random_zoom_args *a = layer->args;
    const double low = -0.999999; // above -1, where nothing would be seen
    CJ_TRY(
        ends_of(layer, "height_factor", a->height_factor, &a->height_factor_range, low, 1, rows));
    cols[0] = cols[1] = 0;
    return zooms_alike(a) ? CJ_OK :
                            ends_of(layer, "width_factor", a->width_factor, &a->width_factor_range,
                                    low, 1, cols);
}

static cj_status check_random_zoom(cj_layer *layer)
{
    double rows[2], cols[2];
    return zoom_ends(layer, rows, cols);
}

static cj_status call_random_zoom(cj__layer_context *c)
{
    const cj_random_zoom_args *a = c->layer->args;
    CJ_TRY(cj__need_images(c));
    if (passes(c))
        return CJ_OK;
    cj__warp_attrs w = warp_of(c, a->seed);
    CJ_TRY(zoom_ends(c->layer, w.zoom[0], w.zoom[1]));
    for (int end = 0; end < 2; end++) {
        w.zoom[0][end] += 1;
        w.zoom[1][end] += 1;
    }
    w.same_zoom = zooms_alike(a);
    set_pixels(&w, a->interpolation, a->fill_mode, a->fill_value);
    return warp(c, &w);
}

KIND(random_zoom, "RandomZoom")

// RandomCrop
// -----------------------------------------------------------------------------------------------

static const cj__field random_crop_fields[] = {
    CJ__FIELD(cj_random_crop_args, height, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_random_crop_args, width, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_random_crop_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_crop_args),
};

static cj_status check_random_crop(cj_layer *layer)
{
    (void)layer;
    return CJ_OK;
}

// Predicting, and of images that are not larger: the middle, as Resizing has it.
static cj_status call_random_crop(cj__layer_context *c)
{
    const cj_random_crop_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__need_images(c));
    const int64_t down = x->dims[1] - a->height, right = x->dims[2] - a->width;
    if (passes(c) || down <= 0 || right <= 0) {
        c->outputs[0].symbol =
            cj__resized_middle(c->build, c->inputs[0].symbol, a->height, a->width);
        return CJ_OK;
    }
    cj__warp_attrs w = warp_of(c, a->seed);
    w.size[0] = (int32_t)a->height;
    w.size[1] = (int32_t)a->width;
    // from -down up to, but not, 1: rounded down one of -down .. 0
    w.shift[0][0] = -(double)down;
    w.shift[0][1] = 1;
    w.shift[1][0] = -(double)right;
    w.shift[1][1] = 1;
    w.nearest = w.whole = true;
    return warp(c, &w);
}

KIND(random_crop, "RandomCrop")

// RandomFlip
// -----------------------------------------------------------------------------------------------

static const char *const flips[] = {"horizontal", "vertical", "horizontal_and_vertical", NULL};

static const cj__field random_flip_fields[] = {
    CJ__FIELD(cj_random_flip_args, mode, CJ__FIELD_TEXT, .required = true, .words = flips),
    CJ__FIELD(cj_random_flip_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_random_flip_args),
};

static cj_status check_random_flip(cj_layer *layer)
{
    (void)layer;
    return CJ_OK;
}

// Half of the images; those that are turned round both ways are turned round together.
static cj_status call_random_flip(cj__layer_context *c)
{
    const cj_random_flip_args *a = c->layer->args;
    cj__build *g = c->build;
    CJ_TRY(cj__need_images(c));
    if (passes(c))
        return CJ_OK;
    cj_symbol *turned = c->inputs[0].symbol;
    if (strcmp(a->mode, "vertical") != 0)
        turned = cj__reverse(g, turned, 2);
    if (strcmp(a->mode, "horizontal") != 0)
        turned = cj__reverse(g, turned, 1);
    cj_symbol *drawn = number_of(c, a->seed, (const double[]){0, 1});
    cj_symbol *half = cj__compare(g, CJ__COMPARISON_less_equal, drawn, cj__scalar(g, CJ_F32, 0.5));
    c->outputs[0].symbol = cj__select(g, half, turned, c->inputs[0].symbol);
    return CJ_OK;
}

KIND(random_flip, "RandomFlip")

// RandomContrast and RandomBrightness
// -----------------------------------------------------------------------------------------------

#define COLORS(args)                                                                         \
    FACTOR(args, factor, .required = true), CJ__FIELD(args, value_range, CJ__FIELD_NUMBERS), \
        CJ__FIELD(args, seed, CJ__FIELD_SEED), CJ__LAYER_FIELDS(args)

// A range that was not given becomes 0 to 255.
static cj_status check_values(const cj_layer *layer, cj_numbers *range)
{
    if (range->count == 0) {
        double *usual = cj__new(2, sizeof *usual);
        if (!usual)
            return CJ_OUT_OF_MEMORY;
        usual[1] = 255;
        *range = (cj_numbers){usual, 2};
    }
    if (range->count != 2 || !(range->values[0] < range->values[1]))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: value_range needs two numbers, the lower one first", layer->name);
    return CJ_OK;
}

static cj_symbol *within(cj__build *g, cj_symbol *x, const cj_numbers *range)
{
    return cj__apply_unary(g, CJ__UNARY_clip, x, range->values[0], range->values[1]);
}

static const cj__field random_contrast_fields[] = {COLORS(cj_random_contrast_args)};

static cj_status check_random_contrast(cj_layer *layer)
{
    cj_random_contrast_args *a = layer->args;
    double ends[2];
    CJ_TRY(check_values(layer, &a->value_range));
    return ends_of(layer, "factor", a->factor, &a->factor_range, 0, 1, ends);
}

// y = (x - mean) f + mean for each channel of an image, f from 1 - factor[0] to 1 + factor[1].
static cj_status call_random_contrast(cj__layer_context *c)
{
    const cj_random_contrast_args *a = c->layer->args;
    cj__build *g = c->build;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(ends_of(c->layer, "factor", a->factor, &a->factor_range, 0, 1, ends));
    if (passes(c))
        return CJ_OK;
    cj_symbol *x = c->inputs[0].symbol, *mean = cj__mean(g, x, 1u << 1 | 1u << 2, true);
    cj_symbol *factor = number_of(c, a->seed, (const double[]){1 - ends[0], 1 + ends[1]});
    cj_symbol *y = cj__add(g, cj__mul(g, cj__sub(g, x, mean), factor), mean);
    c->outputs[0].symbol = within(g, y, &a->value_range);
    return CJ_OK;
}

KIND(random_contrast, "RandomContrast")

static const cj__field random_brightness_fields[] = {COLORS(cj_random_brightness_args)};

static cj_status check_random_brightness(cj_layer *layer)
{
    cj_random_brightness_args *a = layer->args;
    double ends[2];
    CJ_TRY(check_values(layer, &a->value_range));
    return ends_of(layer, "factor", a->factor, &a->factor_range, -1, 1, ends);
}

// y = x + f (high - low) of the range of values.
static cj_status call_random_brightness(cj__layer_context *c)
{
    const cj_random_brightness_args *a = c->layer->args;
    cj__build *g = c->build;
    double ends[2];
    CJ_TRY(cj__need_images(c));
    CJ_TRY(ends_of(c->layer, "factor", a->factor, &a->factor_range, -1, 1, ends));
    if (passes(c))
        return CJ_OK;
    const double width = a->value_range.values[1] - a->value_range.values[0];
    cj_symbol *delta = number_of(c, a->seed, (const double[]){ends[0] * width, ends[1] * width});
    c->outputs[0].symbol = within(g, cj__add(g, c->inputs[0].symbol, delta), &a->value_range);
    return CJ_OK;
}

KIND(random_brightness, "RandomBrightness")
