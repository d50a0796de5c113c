/**
 * @file preprocessing.h
 * Layers that prepare data within a model: features brought to one scale, numbers and classes
 * encoded, images resized and cropped. (Rescaling is in layers.h.) What layers.h says of arguments,
 * shapes and failures holds here too.
 *
 * Two of them, Normalization and Discretization, learn from data before training: cj_adapt().
 * The Random layers change images while a model is trained.
 */
#ifndef CAJAL_PREPROCESSING_H
#define CAJAL_PREPROCESSING_H

#include <cajal/layers.h>
#include <cajal/numbers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Learns the state of a layer from all of `data`, whose first axis is the batch: Keras's
 * `layer.adapt(data)`. What was learnt before is replaced.
 *
 * Normalization: mean and variance over every axis that it does not keep; the layer may be in a
 * model already. Discretization: the quantiles that are its boundaries, by Keras's summary of at
 * most 1 / epsilon values; it must not have been applied yet, because the boundaries are constants
 * of the models that it is in.
 *
 * `data` has any dtype and at least one sample; it is read while the call lasts. Fails with
 * CJ_INVALID_ARGUMENT (NULL, no samples, a kind of layer that has nothing to adapt, a layer that
 * was given its values), CJ_SHAPE_MISMATCH (not the shape that the layer was built for),
 * CJ_OUT_OF_MEMORY. On failure the layer is as it was. Nothing else may use the layer, or a model
 * that it is in, meanwhile.
 */
CJ_API cj_status cj_adapt(cj_layer *layer, const cj_tensor *data);

/**
 * Normalization: (x - mean) / max(sqrt(variance), 1e-7) for each entry of the axes that are kept, or
 * with `invert` x * max(sqrt(variance), 1e-7) + mean (keras/src/layers/preprocessing/normalization.py).
 *
 * Mean and variance are those of cj_adapt(), or given. Without either, training, evaluating and
 * predicting fail with CJ_NOT_BUILT.
 */
typedef struct cj_normalization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** the axes that are kept, the batch axis counted, ended by 0; default {-1}, the last; {0} is
     * Keras's None: one mean and one variance of all */
    int64_t axis[CJ_MAX_RANK];
    /** default none: from cj_adapt(); one number, or one for each entry of the last kept axis */
    cj_numbers mean;
    cj_numbers variance; ///< as many; both or neither are given
    bool invert;         ///< default false
} cj_normalization_args;
/** The defaults of cj_normalization_args. */
#define CJ_NORMALIZATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_normalization_args), .axis = {-1}
/** Sets `args` to CJ_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_normalization_defaults(cj_normalization_args *args);
/** Any shape, which stays. `cj_normalization(.mean = CJ_NUMBERS(3), .variance = CJ_NUMBERS(4))`. */
CJ_API cj_layer *cj_normalization_new(const cj_normalization_args *args);
#define cj_normalization(...) \
    cj_normalization_new(&(cj_normalization_args){CJ_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** CategoryEncoding: whole numbers from 0 to num_tokens - 1 as vectors of num_tokens numbers. */
typedef struct cj_category_encoding_args {
    CJ_LAYER_MEMBERS
    int _;              ///< what follows may be given by position
    int64_t num_tokens; ///< required, positive
    /**
     * "multi_hot" (default): 1 where a number occurs in the sample; "count": how often, or the sum of
     * the weights of a second input (cj_apply_many()); "one_hot": a vector for each number
     */
    const char *output_mode;
} cj_category_encoding_args;
/** The defaults of cj_category_encoding_args. */
#define CJ_CATEGORY_ENCODING_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_category_encoding_args), .output_mode = "multi_hot"
/** Sets `args` to CJ_CATEGORY_ENCODING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_category_encoding_defaults(cj_category_encoding_args *args);
/**
 * (numbers) becomes (num_tokens) by "multi_hot" and "count". By "one_hot" (...) becomes (...,
 * num_tokens), and a last axis of length 1 is dropped first. A number out of range fails the run,
 * as in Keras on TensorFlow. No gradient passes back.
 */
CJ_API cj_layer *cj_category_encoding_new(const cj_category_encoding_args *args);
#define cj_category_encoding(...) \
    cj_category_encoding_new(     \
        &(cj_category_encoding_args){CJ_CATEGORY_ENCODING_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Discretization: for each number the index of its bin, which is how many of the boundaries are at
 * most the number. NaN is in the last bin.
 */
typedef struct cj_discretization_args {
    CJ_LAYER_MEMBERS
    int _;                     ///< what follows may be given by position
    cj_numbers bin_boundaries; ///< default none: from cj_adapt(); in increasing order
    /** bins of about equal share that cj_adapt() makes, at least 2; default -1: none. Only one of
     * these two is given, but in files both are, once the layer was adapted */
    int64_t num_bins;
    double epsilon; ///< default 0.01: the share of the data within which a boundary is right
    /** "int" (default): the index; else "one_hot", "multi_hot" or "count" as CategoryEncoding */
    const char *output_mode;
} cj_discretization_args;
/** The defaults of cj_discretization_args. */
#define CJ_DISCRETIZATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_discretization_args), .num_bins = -1, .epsilon = 0.01, .output_mode = "int"
/** Sets `args` to CJ_DISCRETIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_discretization_defaults(cj_discretization_args *args);
/**
 * Any shape, which stays, in int32; other output modes as CategoryEncoding has them, of as many
 * tokens as there are boundaries, and one. A layer that has no boundaries yet cannot be applied.
 * `cj_discretization(.bin_boundaries = CJ_NUMBERS(0, 10, 100))`. No gradient passes back.
 */
CJ_API cj_layer *cj_discretization_new(const cj_discretization_args *args);
#define cj_discretization(...) \
    cj_discretization_new(     \
        &(cj_discretization_args){CJ_DISCRETIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Resizing: images brought to another height and width, by jax.image.resize's rules. */
typedef struct cj_resizing_args {
    CJ_LAYER_MEMBERS
    int _;          ///< what follows may be given by position
    int64_t height; ///< required, positive
    int64_t width;  ///< required, positive
    /** "bilinear" (default), "nearest", "bicubic", "lanczos3" or "lanczos5" */
    const char *interpolation;
    /** default false; true: the middle part of the wanted aspect ratio alone is resized */
    bool crop_to_aspect_ratio;
    /** default false; true: fill_value beside the image to the wanted aspect ratio, then resized */
    bool pad_to_aspect_ratio;
    const char *fill_mode; ///< "constant", the only one
    double fill_value;     ///< default 0
    bool antialias; ///< default false; true: smoothed where it becomes smaller; not "nearest"
} cj_resizing_args;
/** The defaults of cj_resizing_args. */
#define CJ_RESIZING_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_resizing_args), .interpolation = "bilinear", .fill_mode = "constant"
/** Sets `args` to CJ_RESIZING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_resizing_defaults(cj_resizing_args *args);
/**
 * (h, w, channels) becomes (height, width, channels) in float32. (Keras rounds to integers what it
 * makes of images of integers; here bytes become float32.)
 */
CJ_API cj_layer *cj_resizing_new(const cj_resizing_args *args);
#define cj_resizing(...) \
    cj_resizing_new(&(cj_resizing_args){CJ_RESIZING_DEFAULTS, ._ = 0, __VA_ARGS__})

/** CenterCrop: the middle of an image. */
typedef struct cj_center_crop_args {
    CJ_LAYER_MEMBERS
    int _;          ///< what follows may be given by position
    int64_t height; ///< required, positive
    int64_t width;  ///< required, positive
} cj_center_crop_args;
/** The defaults of cj_center_crop_args. */
#define CJ_CENTER_CROP_DEFAULTS CJ_LAYER_DEFAULTS(cj_center_crop_args)
/** Sets `args` to CJ_CENTER_CROP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_center_crop_defaults(cj_center_crop_args *args);
/**
 * (h, w, channels) becomes (height, width, channels); an image that is smaller along either axis is
 * resized by Resizing's rules with crop_to_aspect_ratio.
 */
CJ_API cj_layer *cj_center_crop_new(const cj_center_crop_args *args);
#define cj_center_crop(...) \
    cj_center_crop_new(&(cj_center_crop_args){CJ_CENTER_CROP_DEFAULTS, ._ = 0, __VA_ARGS__})

/*
 * Images changed at random. These layers change images in training only; predicting, they pass them
 * on. Each image is changed in its own way, drawn anew in each step: a function of the seed, the step
 * and the image's place in the batch, so a run that is resumed goes on with the same changes, by any
 * number of threads. Keras draws other numbers from the same ranges. A factor is one number f, which
 * stands for -f to f, or the two ends as a list, for which a member with "_range" is there.
 */

/** RandomFlip: half of the images turned round. */
typedef struct cj_random_flip_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** "horizontal", "vertical" or "horizontal_and_vertical" (default: both ways at once) */
    const char *mode;
    int64_t seed; ///< not negative; default -1: the model's
} cj_random_flip_args;
/** The defaults of cj_random_flip_args. */
#define CJ_RANDOM_FLIP_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_flip_args), .mode = "horizontal_and_vertical", .seed = -1
/** Sets `args` to CJ_RANDOM_FLIP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_flip_defaults(cj_random_flip_args *args);
/** (h, w, channels), which stays. `cj_random_flip("horizontal")`. */
CJ_API cj_layer *cj_random_flip_new(const cj_random_flip_args *args);
#define cj_random_flip(...) \
    cj_random_flip_new(&(cj_random_flip_args){CJ_RANDOM_FLIP_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomTranslation: images shifted. */
typedef struct cj_random_translation_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    double height_factor; ///< required: shares of the height, from -1 to 1; positive is down
    double width_factor;  ///< required: shares of the width; positive is to the right
    /** beside the image: "reflect" (default), "constant" (fill_value), "nearest" or "wrap" */
    const char *fill_mode;
    const char *interpolation;      ///< "bilinear" (default) or "nearest"
    int64_t seed;                   ///< not negative; default -1: the model's
    double fill_value;              ///< default 0
    cj_numbers height_factor_range; ///< two ends in place of height_factor; default none
    cj_numbers width_factor_range;  ///< likewise
} cj_random_translation_args;
/** The defaults of cj_random_translation_args. */
#define CJ_RANDOM_TRANSLATION_DEFAULTS                                                        \
    CJ_LAYER_DEFAULTS(cj_random_translation_args), .height_factor = NAN, .width_factor = NAN, \
                                                   .fill_mode = "reflect",                    \
                                                   .interpolation = "bilinear", .seed = -1
/** Sets `args` to CJ_RANDOM_TRANSLATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_translation_defaults(cj_random_translation_args *args);
/** (h, w, channels), which stays. `cj_random_translation(0.1, 0.2)`. */
CJ_API cj_layer *cj_random_translation_new(const cj_random_translation_args *args);
#define cj_random_translation(...) \
    cj_random_translation_new(     \
        &(cj_random_translation_args){CJ_RANDOM_TRANSLATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomRotation: images turned about their middle. */
typedef struct cj_random_rotation_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    double factor; ///< required: shares of a full turn, from -1 to 1; positive is anticlockwise
    /** beside the image: "reflect" (default), "constant" (fill_value), "nearest" or "wrap" */
    const char *fill_mode;
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< not negative; default -1: the model's
    double fill_value;         ///< default 0
    cj_numbers factor_range;   ///< two ends in place of factor; default none
} cj_random_rotation_args;
/** The defaults of cj_random_rotation_args. */
#define CJ_RANDOM_ROTATION_DEFAULTS                                                    \
    CJ_LAYER_DEFAULTS(cj_random_rotation_args), .factor = NAN, .fill_mode = "reflect", \
                                                .interpolation = "bilinear", .seed = -1
/** Sets `args` to CJ_RANDOM_ROTATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_rotation_defaults(cj_random_rotation_args *args);
/** (h, w, channels), which stays. `cj_random_rotation(0.1)`. */
CJ_API cj_layer *cj_random_rotation_new(const cj_random_rotation_args *args);
#define cj_random_rotation(...) \
    cj_random_rotation_new(     \
        &(cj_random_rotation_args){CJ_RANDOM_ROTATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomZoom: images made larger or smaller about their middle. */
typedef struct cj_random_zoom_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    double height_factor; ///< required: above -1, at most 1; 0.2 shows 1.2 times the height
    double width_factor;  ///< default NAN: what is drawn for the height
    /** beside the image: "reflect" (default), "constant" (fill_value), "nearest" or "wrap" */
    const char *fill_mode;
    const char *interpolation;      ///< "bilinear" (default) or "nearest"
    int64_t seed;                   ///< not negative; default -1: the model's
    double fill_value;              ///< default 0
    cj_numbers height_factor_range; ///< two ends in place of height_factor; default none
    cj_numbers width_factor_range;  ///< likewise
} cj_random_zoom_args;
/** The defaults of cj_random_zoom_args. */
#define CJ_RANDOM_ZOOM_DEFAULTS                                                                  \
    CJ_LAYER_DEFAULTS(cj_random_zoom_args), .height_factor = NAN, .width_factor = NAN,           \
                                            .fill_mode = "reflect", .interpolation = "bilinear", \
                                            .seed = -1
/** Sets `args` to CJ_RANDOM_ZOOM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_zoom_defaults(cj_random_zoom_args *args);
/** (h, w, channels), which stays. `cj_random_zoom(0.2)`. */
CJ_API cj_layer *cj_random_zoom_new(const cj_random_zoom_args *args);
#define cj_random_zoom(...) \
    cj_random_zoom_new(&(cj_random_zoom_args){CJ_RANDOM_ZOOM_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomCrop: a part of each image. (Keras cuts all images of a batch at one place, here each has
 * its own.) */
typedef struct cj_random_crop_args {
    CJ_LAYER_MEMBERS
    int _;          ///< what follows may be given by position
    int64_t height; ///< required, positive
    int64_t width;  ///< required, positive
    int64_t seed;   ///< not negative; default -1: the model's
} cj_random_crop_args;
/** The defaults of cj_random_crop_args. */
#define CJ_RANDOM_CROP_DEFAULTS CJ_LAYER_DEFAULTS(cj_random_crop_args), .seed = -1
/** Sets `args` to CJ_RANDOM_CROP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_crop_defaults(cj_random_crop_args *args);
/** (h, w, channels) becomes (height, width, channels). Predicting, and of images that are not
 * larger both ways, it is the middle, resized as by Resizing with crop_to_aspect_ratio. (Keras
 * 3.15 returns the whole image when predicting.) */
CJ_API cj_layer *cj_random_crop_new(const cj_random_crop_args *args);
#define cj_random_crop(...) \
    cj_random_crop_new(&(cj_random_crop_args){CJ_RANDOM_CROP_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomContrast: (x - mean) * f + mean for each channel of an image. */
typedef struct cj_random_contrast_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** required, from 0 to 1: f is from 1 to 1 + factor; with two ends from 1 - low to 1 + high */
    double factor;
    /** the least and the greatest value of a pixel, to which results are cut; default none: 0 and
     * 255 */
    cj_numbers value_range;
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_contrast_args;
/** The defaults of cj_random_contrast_args. */
#define CJ_RANDOM_CONTRAST_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_contrast_args), .factor = NAN, .seed = -1
/** Sets `args` to CJ_RANDOM_CONTRAST_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_contrast_defaults(cj_random_contrast_args *args);
/** (h, w, channels), which stays. `cj_random_contrast(0.2)`. */
CJ_API cj_layer *cj_random_contrast_new(const cj_random_contrast_args *args);
#define cj_random_contrast(...) \
    cj_random_contrast_new(     \
        &(cj_random_contrast_args){CJ_RANDOM_CONTRAST_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomBrightness: x + f * (the width of value_range). */
typedef struct cj_random_brightness_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    double factor; ///< required, from -1 to 1: f is from -factor to factor
    /** the least and the greatest value of a pixel, to which results are cut; default none: 0 and
     * 255 */
    cj_numbers value_range;
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_brightness_args;
/** The defaults of cj_random_brightness_args. */
#define CJ_RANDOM_BRIGHTNESS_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_brightness_args), .factor = NAN, .seed = -1
/** Sets `args` to CJ_RANDOM_BRIGHTNESS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_brightness_defaults(cj_random_brightness_args *args);
/** (h, w, channels), which stays. `cj_random_brightness(0.2)`. */
CJ_API cj_layer *cj_random_brightness_new(const cj_random_brightness_args *args);
#define cj_random_brightness(...) \
    cj_random_brightness_new(     \
        &(cj_random_brightness_args){CJ_RANDOM_BRIGHTNESS_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
