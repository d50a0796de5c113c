// What the layers that change images at random share: factors, ranges of values, numbers drawn for
// images, and the changes that layers made of several of them need.
#ifndef CJ_LAYERS_RANDOM_IMAGES_H
#define CJ_LAYERS_RANDOM_IMAGES_H

#include "layers/preprocess.h"
#include "ops/images.h"
#include <cajal/augmentation.h>

// A factor of Keras: a number, or a list of the lower and the upper end.
#define CJ__FACTOR(args, name, ...)                                                      \
    {                                                                                    \
        .key = #name, .kind = CJ__FIELD_NUMBERS, .offset = offsetof(args, name##_range), \
        .single = offsetof(args, name), __VA_ARGS__                                      \
    }
// A factor, a range of values and a seed; an operand for cj__ends_of().
#define CJ__COLOR_FIELDS(args, ...)                                                         \
    CJ__FACTOR(args, factor, __VA_ARGS__), CJ__FIELD(args, value_range, CJ__FIELD_NUMBERS), \
        CJ__FIELD(args, seed, CJ__FIELD_SEED), CJ__LAYER_FIELDS(args)
#define CJ__ENDS_OF(layer, a, name, low, high, ends) \
    cj__ends_of(layer, #name, (a)->name, &(a)->name##_range, low, high, ends)

// How pixels are read, as settings: fields of any arguments struct that has them.
extern const char *const cj__fill_modes[], *const cj__interpolations[];
#define CJ__PIXEL_FIELDS(args)                                                                \
    CJ__FIELD(args, fill_mode, CJ__FIELD_TEXT, .required = true, .words = cj__fill_modes),    \
        CJ__FIELD(args, interpolation, CJ__FIELD_TEXT, .required = true,                      \
                  .words = cj__interpolations),                                               \
        CJ__FIELD(args, fill_value, CJ__FIELD_NUMBER), CJ__FIELD(args, seed, CJ__FIELD_SEED), \
        CJ__LAYER_FIELDS(args)
// CJ__BESIDE_... of a fill mode.
int32_t cj__beside(const char *fill_mode);

// Config keys of all of them.
extern const cj__config_key cj__image_keys[];

// A kind of one input, images, from PLAIN_fields, check_PLAIN and call_PLAIN; or with further members.
#define CJ__IMAGE_KIND(plain, class) CJ__IMAGE_KIND_WITH(plain, class, .max_inputs = 1)
#define CJ__IMAGE_KIND_WITH(plain, class, ...)                                 \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .keys = cj__image_keys,                                                \
        .min_inputs = 1,                                                       \
        .check = check_##plain,                                                \
        .call = call_##plain,                                                  \
        .any_training = true,                                                  \
        __VA_ARGS__,                                                           \
    };                                                                         \
    CJ__CONSTRUCTOR(plain)

// The ends of a factor: those of the list, or -f and f, but not below `low`.
cj_status cj__ends_of(const cj_layer *layer, const char *what, double one, const cj_numbers *list,
                      double low, double high, double ends[2]);
// A range of values: one that was not given becomes 0 to 255.
cj_status cj__check_values(const cj_layer *layer, cj_numbers *range);
// Images of three channels, or (grey too) of one.
cj_status cj__need_colors(const cj__layer_context *c, bool grey);
// Images as they are become the output; whether they stay so, since the trace is for predicting.
bool cj__images_pass(cj__layer_context *c);

// Numbers drawn for each image, in the order of Keras's calls, or for a whole batch.
typedef struct cj__draws {
    cj_symbol *numbers; // (batch, count) in [0, 1); (1, count) for a batch
    int taken;
} cj__draws;
cj__draws cj__draw_for_images(cj__layer_context *c, int64_t seed, int count);
cj__draws cj__draw_for_batch(cj__layer_context *c, int64_t seed, int count);
// The next of them, (batch, 1, 1, 1), from low up to high.
cj_symbol *cj__next_draw(cj__layer_context *c, cj__draws *draws, double low, double high);
// Whether a second number is below a first one, drawn from `ends`: the image is changed.
cj_symbol *cj__next_chance(cj__layer_context *c, cj__draws *draws, const double ends[2]);
// A key of the layer's own; each call gives another one.
uint64_t cj__image_key(const cj__layer_context *c, int64_t seed);

// Expressions
// Where a rectangle begins and ends along an axis of `length`, as (batch, 1, 1, 1): its length is a
// share of it, its place the next draw.
void cj__rectangle_side(cj__layer_context *c, cj__draws *draws, cj_symbol *share, int64_t length,
                        cj_symbol *side[2]);
// min(max(x, low), high) of a range of values.
cj_symbol *cj__within(cj__build *g, cj_symbol *x, const cj_numbers *range);
// From one range of values to another: (x - from[0]) / (from[1] - from[0]) (to[1] - to[0]) + to[0].
cj_symbol *cj__from_range(cj__build *g, cj_symbol *x, const double from[2], const double to[2]);
extern const double cj__byte_range[2], cj__unit_range[2];

// first, first + 1, ... along one axis of four.
cj_symbol *cj__image_places(cj__build *g, int64_t length, int axis, double first);
// Rounded towards 0. Numbers are far from where an int32 ends.
cj_symbol *cj__truncated(cj__build *g, cj_symbol *x);

// The changes themselves; each takes its numbers from `draws` after the ends of its factor.
cj_symbol *cj__brightened(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range);
cj_symbol *cj__contrasted(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range);
cj_symbol *cj__saturated(cj__layer_context *c, cj_symbol *x, cj__draws *draws, const double ends[2],
                         const cj_numbers *range);
cj_symbol *cj__hue_turned(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range);
cj_symbol *cj__degenerated(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                           const double ends[2], const cj_numbers *range);
cj_symbol *cj__sharpened(cj__layer_context *c, cj_symbol *x, cj__draws *draws, const double ends[2],
                         const cj_numbers *range);
cj_symbol *cj__posterized(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                          const double ends[2], const cj_numbers *range);
// additions[] and thresholds[]: in bytes, as they are drawn from.
cj_symbol *cj__solarized(cj__layer_context *c, cj_symbol *x, cj__draws *draws,
                         const double additions[2], const double thresholds[2],
                         const cj_numbers *range);
cj_symbol *cj__auto_contrasted(cj__layer_context *c, cj_symbol *x, const cj_numbers *range);
cj_symbol *cj__equalized(cj__layer_context *c, cj_symbol *x, int64_t bins, const cj_numbers *range);
// How many numbers they draw for an image.
enum { CJ__DRAWS_OF_HUE = 2, CJ__DRAWS_OF_SOLARIZATION = 2 };

#endif
