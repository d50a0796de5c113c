// Layers that move the pixels of images at random, each in its own way, while training; when
// predicting they pass images on. RandomFlip, RandomTranslation, RandomRotation, RandomZoom,
// RandomCrop. What is drawn for an image depends on the layer's key, the step and the image's place
// in the batch alone.
#include "layers/random_images.h"

#include <math.h>
#include <string.h>

CJ__DEFAULTS(random_flip, RANDOM_FLIP)
CJ__DEFAULTS(random_translation, RANDOM_TRANSLATION)
CJ__DEFAULTS(random_rotation, RANDOM_ROTATION)
CJ__DEFAULTS(random_zoom, RANDOM_ZOOM)
CJ__DEFAULTS(random_crop, RANDOM_CROP)

// Turning, zooming, shifting
// -----------------------------------------------------------------------------------------------

// The attributes that leave images as they are.
static cj__warp_attrs warp_of(const cj__layer_context *c, int64_t seed)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const int32_t height = (int32_t)x->dims[1], width = (int32_t)x->dims[2];
    return (cj__warp_attrs){.key = cj__image_key(c, seed),
                            .zoom = {{1, 1}, {1, 1}},
                            .size = {height, width},
                            .input = {height, width}};
}

static void set_pixels(cj__warp_attrs *w, const char *interpolation, const char *fill_mode,
                       double fill_value)
{
    w->nearest = strcmp(interpolation, "nearest") == 0;
    w->beside = cj__beside(fill_mode);
    w->fill_value = fill_value;
}

static cj_status warp(cj__layer_context *c, const cj__warp_attrs *w)
{
    c->outputs[0].symbol = cj__warp(c->build, c->inputs[0].symbol, c->trace->step, w);
    return CJ_OK;
}

static const cj__field random_translation_fields[] = {
    CJ__FACTOR(cj_random_translation_args, height_factor, .required = true),
    CJ__FACTOR(cj_random_translation_args, width_factor, .required = true),
    CJ__PIXEL_FIELDS(cj_random_translation_args),
};

static cj_status translation_ends(const cj_layer *layer, double rows[2], double cols[2])
{
    const cj_random_translation_args *a = layer->args;
    CJ_TRY(cj__ends_of(layer, "height_factor", a->height_factor, &a->height_factor_range, -1, 1,
                       rows));
    return cj__ends_of(layer, "width_factor", a->width_factor, &a->width_factor_range, -1, 1, cols);
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
    if (cj__images_pass(c))
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

CJ__IMAGE_KIND(random_translation, "RandomTranslation")

static const cj__field random_rotation_fields[] = {
    CJ__FACTOR(cj_random_rotation_args, factor, .required = true),
    CJ__PIXEL_FIELDS(cj_random_rotation_args),
};

static cj_status rotation_ends(const cj_layer *layer, double ends[2])
{
    const cj_random_rotation_args *a = layer->args;
    return cj__ends_of(layer, "factor", a->factor, &a->factor_range, -1, 1, ends);
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
    if (cj__images_pass(c))
        return CJ_OK;
    cj__warp_attrs w = warp_of(c, a->seed);
    CJ_TRY(rotation_ends(c->layer, w.angle));
    for (int end = 0; end < 2; end++)
        w.angle[end] *= 2 * 3.14159265358979323846;
    set_pixels(&w, a->interpolation, a->fill_mode, a->fill_value);
    return warp(c, &w);
}

CJ__IMAGE_KIND(random_rotation, "RandomRotation")

static const cj__field random_zoom_fields[] = {
    CJ__FACTOR(cj_random_zoom_args, height_factor, .required = true),
    CJ__FACTOR(cj_random_zoom_args, width_factor, .required = false),
    CJ__PIXEL_FIELDS(cj_random_zoom_args),
};

static bool zooms_alike(const cj_random_zoom_args *a)
{
    return a->width_factor_range.count == 0 && isnan(a->width_factor);
}

static cj_status zoom_ends(const cj_layer *layer, double rows[2], double cols[2])
{
    const cj_random_zoom_args *a = layer->args;
    const double low = -0.999999; // above -1, where nothing would be seen
    CJ_TRY(cj__ends_of(layer, "height_factor", a->height_factor, &a->height_factor_range, low, 1,
                       rows));
    cols[0] = cols[1] = 0;
    return zooms_alike(a) ? CJ_OK :
                            cj__ends_of(layer, "width_factor", a->width_factor,
                                        &a->width_factor_range, low, 1, cols);
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
    if (cj__images_pass(c))
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

CJ__IMAGE_KIND(random_zoom, "RandomZoom")

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
    if (cj__images_pass(c) || down <= 0 || right <= 0) {
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

CJ__IMAGE_KIND(random_crop, "RandomCrop")

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
    if (cj__images_pass(c))
        return CJ_OK;
    cj_symbol *turned = c->inputs[0].symbol;
    if (strcmp(a->mode, "vertical") != 0)
        turned = cj__reverse(g, turned, 2);
    if (strcmp(a->mode, "horizontal") != 0)
        turned = cj__reverse(g, turned, 1);
    cj__draws draws = cj__draw_for_images(c, a->seed, 1);
    cj_symbol *drawn = cj__next_draw(c, &draws, 0, 1);
    cj_symbol *half = cj__compare(g, CJ__COMPARISON_less_equal, drawn, cj__scalar(g, CJ_F32, 0.5));
    c->outputs[0].symbol = cj__select(g, half, turned, c->inputs[0].symbol);
    return CJ_OK;
}

CJ__IMAGE_KIND(random_flip, "RandomFlip")
