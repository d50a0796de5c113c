/**
 * @file augmentation.h
 * Layers that change images while a model is trained, beside those of preprocessing.h: colours,
 * patches, blur, mixtures of images. What layers.h says of arguments, shapes and failures holds
 * here too, and what preprocessing.h says of images changed at random: predicting, they pass images
 * on (AutoContrast and ContrastLimitedAdaptiveHistogramEqualization change them then as well); what
 * is drawn for an image is a function of the seed, the step and the image's place in the batch.
 *
 * A factor is one number f, which stands for a range that its comment gives, or the two ends of a
 * range as a list, for which a member with "_range" is there. `value_range` is the least and the
 * greatest value of a pixel, the lower one first; default none: 0 and 255.
 */
#ifndef CAJAL_AUGMENTATION_H
#define CAJAL_AUGMENTATION_H

#include <cajal/layers.h>
#include <cajal/numbers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** RandomHue: the hue of each image turned by one number, in HSV. Images of three channels. */
typedef struct cj_random_hue_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * required, from 0 to 1: half of a number from 0 to factor is added to the hue, or subtracted
     */
    double factor;
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_hue_args;
/** The defaults of cj_random_hue_args. */
#define CJ_RANDOM_HUE_DEFAULTS CJ_LAYER_DEFAULTS(cj_random_hue_args), .factor = NAN, .seed = -1
/** Sets `args` to CJ_RANDOM_HUE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_hue_defaults(cj_random_hue_args *args);
/** (h, w, 3), which stays. `cj_random_hue(0.2)`. */
CJ_API cj_layer *cj_random_hue_new(const cj_random_hue_args *args);
#define cj_random_hue(...) \
    cj_random_hue_new(&(cj_random_hue_args){CJ_RANDOM_HUE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomSaturation: the saturation of each image times f / (1 - f), in HSV: f = 0.5 changes
 * nothing, 0 makes it grey. Images of three channels.
 */
typedef struct cj_random_saturation_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** required, from -1 to 1: f is from -factor to factor, where less than 0 is as 0 */
    double factor;
    cj_numbers value_range;  ///< the saturation is cut to it (as in Keras); default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_saturation_args;
/** The defaults of cj_random_saturation_args. */
#define CJ_RANDOM_SATURATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_saturation_args), .factor = NAN, .seed = -1
/** Sets `args` to CJ_RANDOM_SATURATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_saturation_defaults(cj_random_saturation_args *args);
/** (h, w, 3), which stays. `cj_random_saturation(.factor_range = CJ_NUMBERS(0.4, 0.6))`. */
CJ_API cj_layer *cj_random_saturation_new(const cj_random_saturation_args *args);
#define cj_random_saturation(...) \
    cj_random_saturation_new(     \
        &(cj_random_saturation_args){CJ_RANDOM_SATURATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomColorJitter: RandomBrightness, RandomContrast, RandomSaturation and RandomHue one after the
 * other; those whose factor is not given are left out.
 */
typedef struct cj_random_color_jitter_args {
    CJ_LAYER_MEMBERS
    int _;                              ///< what follows may be given by position
    cj_numbers value_range;             ///< default none: 0 and 255
    double brightness_factor;           ///< default NAN: none
    double contrast_factor;             ///< default NAN: none
    double saturation_factor;           ///< default NAN: none
    double hue_factor;                  ///< default NAN: none
    int64_t seed;                       ///< not negative; default -1: the model's
    cj_numbers brightness_factor_range; ///< two ends in place of brightness_factor; default none
    cj_numbers contrast_factor_range;   ///< two ends in place of contrast_factor; default none
    cj_numbers saturation_factor_range; ///< two ends in place of saturation_factor; default none
    cj_numbers hue_factor_range;        ///< two ends in place of hue_factor; default none
} cj_random_color_jitter_args;
/** The defaults of cj_random_color_jitter_args. */
#define CJ_RANDOM_COLOR_JITTER_DEFAULTS                                             \
    CJ_LAYER_DEFAULTS(cj_random_color_jitter_args),                                 \
        .brightness_factor = NAN, .contrast_factor = NAN, .saturation_factor = NAN, \
        .hue_factor = NAN, .seed = -1
/**
 * Sets `args` to CJ_RANDOM_COLOR_JITTER_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_random_color_jitter_defaults(cj_random_color_jitter_args *args);
/**
 * (h, w, channels), which stays; three channels for saturation and hue.
 * `cj_random_color_jitter(.brightness_factor = 0.2, .hue_factor = 0.1)`.
 */
CJ_API cj_layer *cj_random_color_jitter_new(const cj_random_color_jitter_args *args);
#define cj_random_color_jitter(...) \
    cj_random_color_jitter_new(     \
        &(cj_random_color_jitter_args){CJ_RANDOM_COLOR_JITTER_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomGrayscale: some of the images become grey, 0.2989 red + 0.587 green + 0.114 blue in each
 * channel.
 */
typedef struct cj_random_grayscale_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    double factor; ///< default 0.5, from 0 to 1: the share of the images
    int64_t seed;  ///< not negative; default -1: the model's
} cj_random_grayscale_args;
/** The defaults of cj_random_grayscale_args. */
#define CJ_RANDOM_GRAYSCALE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_grayscale_args), .factor = 0.5, .seed = -1
/** Sets `args` to CJ_RANDOM_GRAYSCALE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_grayscale_defaults(cj_random_grayscale_args *args);
/** (h, w, channels), one or three channels, which stays. */
CJ_API cj_layer *cj_random_grayscale_new(const cj_random_grayscale_args *args);
#define cj_random_grayscale(...) \
    cj_random_grayscale_new(     \
        &(cj_random_grayscale_args){CJ_RANDOM_GRAYSCALE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomColorDegeneration: x + f (grey - x), grey as RandomGrayscale has it. */
typedef struct cj_random_color_degeneration_args {
    CJ_LAYER_MEMBERS
    int _;                   ///< what follows may be given by position
    double factor;           ///< required, from -1 to 1: f is from -factor to factor
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_color_degeneration_args;
/** The defaults of cj_random_color_degeneration_args. */
#define CJ_RANDOM_COLOR_DEGENERATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_color_degeneration_args), .factor = NAN, .seed = -1
/**
 * Sets `args` to CJ_RANDOM_COLOR_DEGENERATION_DEFAULTS, for languages without the macros; NULL is
 * fine.
 */
CJ_API void cj_random_color_degeneration_defaults(cj_random_color_degeneration_args *args);
/** (h, w, channels), one or three channels, which stays. `cj_random_color_degeneration(0.5)`. */
CJ_API cj_layer *cj_random_color_degeneration_new(const cj_random_color_degeneration_args *args);
#define cj_random_color_degeneration(...)                                  \
    cj_random_color_degeneration_new(&(cj_random_color_degeneration_args){ \
        CJ_RANDOM_COLOR_DEGENERATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomSharpness: x + (1 - 2 f) (smooth - x), where smooth is the mean of 3 x 3 pixels in which
 * the middle counts five times: f = 0 is smooth, 0.5 changes nothing, 1 is sharp.
 */
typedef struct cj_random_sharpness_args {
    CJ_LAYER_MEMBERS
    int _;                   ///< what follows may be given by position
    double factor;           ///< required, from 0 to 1: f is from 0 to factor
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_sharpness_args;
/** The defaults of cj_random_sharpness_args. */
#define CJ_RANDOM_SHARPNESS_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_sharpness_args), .factor = NAN, .seed = -1
/** Sets `args` to CJ_RANDOM_SHARPNESS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_sharpness_defaults(cj_random_sharpness_args *args);
/** (h, w, channels), which stays. `cj_random_sharpness(.factor_range = CJ_NUMBERS(0.3, 0.8))`. */
CJ_API cj_layer *cj_random_sharpness_new(const cj_random_sharpness_args *args);
#define cj_random_sharpness(...) \
    cj_random_sharpness_new(     \
        &(cj_random_sharpness_args){CJ_RANDOM_SHARPNESS_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomPosterization: pixels keep so many of the upper bits of a byte, the others become 0. Pixels
 * are brought to bytes and back by value_range.
 */
typedef struct cj_random_posterization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * required, from 1 to 8: the bits are from 1 to factor - 1 (factor 1: one); with two ends from
     * the lower to the upper one - 1, or both if they are equal
     */
    double factor;
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_posterization_args;
/** The defaults of cj_random_posterization_args. */
#define CJ_RANDOM_POSTERIZATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_posterization_args), .factor = NAN, .seed = -1
/**
 * Sets `args` to CJ_RANDOM_POSTERIZATION_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_random_posterization_defaults(cj_random_posterization_args *args);
/**
 * (h, w, channels), which stays. No gradient passes back. `cj_random_posterization(.factor_range =
 * CJ_NUMBERS(4, 4))`.
 */
CJ_API cj_layer *cj_random_posterization_new(const cj_random_posterization_args *args);
#define cj_random_posterization(...) \
    cj_random_posterization_new(     \
        &(cj_random_posterization_args){CJ_RANDOM_POSTERIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomInvert: some of the images become value_range[1] - x. */
typedef struct cj_random_invert_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default 1, from 0 to 1: the chance of each image is a number from 0 to factor */
    double factor;
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_invert_args;
/** The defaults of cj_random_invert_args. */
#define CJ_RANDOM_INVERT_DEFAULTS CJ_LAYER_DEFAULTS(cj_random_invert_args), .factor = 1, .seed = -1
/** Sets `args` to CJ_RANDOM_INVERT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_invert_defaults(cj_random_invert_args *args);
/** (h, w, channels), which stays. */
CJ_API cj_layer *cj_random_invert_new(const cj_random_invert_args *args);
#define cj_random_invert(...) \
    cj_random_invert_new(&(cj_random_invert_args){CJ_RANDOM_INVERT_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Solarization: a number is added to an image, and pixels that are not below a threshold are
 * inverted. Both are in the units of a byte, to which pixels are brought by value_range.
 */
typedef struct cj_solarization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * default 0, from 0 to 1: the number is from 0 to 255 addition_factor; with two ends from the
     * lower one itself to 255 times the upper one (as in Keras)
     */
    double addition_factor;
    double threshold_factor;           ///< default 0; the threshold, likewise
    cj_numbers value_range;            ///< default none: 0 and 255
    int64_t seed;                      ///< not negative; default -1: the model's
    cj_numbers addition_factor_range;  ///< two ends in place of addition_factor; default none
    cj_numbers threshold_factor_range; ///< two ends in place of threshold_factor; default none
} cj_solarization_args;
/** The defaults of cj_solarization_args. */
#define CJ_SOLARIZATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_solarization_args), .seed = -1
/** Sets `args` to CJ_SOLARIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_solarization_defaults(cj_solarization_args *args);
/** (h, w, channels), which stays. `cj_solarization(0.1, 0.5)`. */
CJ_API cj_layer *cj_solarization_new(const cj_solarization_args *args);
#define cj_solarization(...) \
    cj_solarization_new(&(cj_solarization_args){CJ_SOLARIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomErasing: a rectangle of some of the images is replaced by noise or by a value. */
typedef struct cj_random_erasing_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default 1, from 0 to 1: the chance of each image is a number from 0 to factor */
    double factor;
    /**
     * two numbers from 0 to 1, between which the squares of the rectangle's height and width lie,
     * as shares of the image's; default none: 0.02 and 0.33
     */
    cj_numbers scale;
    /**
     * default none: a standard normal number times the greatest value for each element; one number;
     * or one for each of three channels. It is cut to value_range
     */
    cj_numbers fill_value;
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_random_erasing_args;
/** The defaults of cj_random_erasing_args. */
#define CJ_RANDOM_ERASING_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_random_erasing_args), .factor = 1, .seed = -1
/** Sets `args` to CJ_RANDOM_ERASING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_erasing_defaults(cj_random_erasing_args *args);
/**
 * (h, w, channels), which stays. What is erased passes no gradient back.
 * `cj_random_erasing(.fill_value = CJ_NUMBERS(0))`.
 */
CJ_API cj_layer *cj_random_erasing_new(const cj_random_erasing_args *args);
#define cj_random_erasing(...) \
    cj_random_erasing_new(     \
        &(cj_random_erasing_args){CJ_RANDOM_ERASING_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomGaussianBlur: some of the images become smooth, by a Gaussian kernel. */
typedef struct cj_random_gaussian_blur_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default 1, from 0 to 1: the chance of each image is a number from 0 to factor */
    double factor;
    int64_t kernel_size[2]; ///< default {3, 3}: columns and rows, odd
    /**
     * default 1, from 0 to 1: the kernel's standard deviations, along columns and rows, are two
     * numbers from 0 to sigma, the same for the whole batch
     */
    double sigma;
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
    cj_numbers sigma_range;  ///< two ends in place of sigma; default none
} cj_random_gaussian_blur_args;
/** The defaults of cj_random_gaussian_blur_args. */
#define CJ_RANDOM_GAUSSIAN_BLUR_DEFAULTS                                                 \
    CJ_LAYER_DEFAULTS(cj_random_gaussian_blur_args), .factor = 1, .kernel_size = {3, 3}, \
                                                     .sigma = 1, .seed = -1
/**
 * Sets `args` to CJ_RANDOM_GAUSSIAN_BLUR_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_random_gaussian_blur_defaults(cj_random_gaussian_blur_args *args);
/**
 * (h, w, channels), which stays. `cj_random_gaussian_blur(.kernel_size = {5}, .sigma_range =
 * CJ_NUMBERS(1, 1))`.
 */
CJ_API cj_layer *cj_random_gaussian_blur_new(const cj_random_gaussian_blur_args *args);
#define cj_random_gaussian_blur(...) \
    cj_random_gaussian_blur_new(     \
        &(cj_random_gaussian_blur_args){CJ_RANDOM_GAUSSIAN_BLUR_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandomShear: pixel (i, j) of the result is that at (i + y j, j + x i) of the image. */
typedef struct cj_random_shear_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * default 0, from 0 to 1: x is from -x_factor to x_factor; with two ends, both at least 0, x
     * has either sign, and y the same
     */
    double x_factor;
    double y_factor;           ///< default 0; likewise
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    /** beside the image: "reflect" (default), "constant" (fill_value), "nearest" or "wrap" */
    const char *fill_mode;
    double fill_value;         ///< default 0
    int64_t seed;              ///< not negative; default -1: the model's
    cj_numbers x_factor_range; ///< two ends in place of x_factor; default none
    cj_numbers y_factor_range; ///< two ends in place of y_factor; default none
} cj_random_shear_args;
/** The defaults of cj_random_shear_args. */
#define CJ_RANDOM_SHEAR_DEFAULTS                                                                  \
    CJ_LAYER_DEFAULTS(cj_random_shear_args), .interpolation = "bilinear", .fill_mode = "reflect", \
                                             .seed = -1
/** Sets `args` to CJ_RANDOM_SHEAR_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_random_shear_defaults(cj_random_shear_args *args);
/** (h, w, channels), which stays. `cj_random_shear(0.2, 0.2)`. */
CJ_API cj_layer *cj_random_shear_new(const cj_random_shear_args *args);
#define cj_random_shear(...) \
    cj_random_shear_new(&(cj_random_shear_args){CJ_RANDOM_SHEAR_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomPerspective: some of the images seen at an angle: each corner but the first is moved, and
 * all between them with it.
 */
typedef struct cj_random_perspective_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default 1, from 0 to 1: the chance of each image is a number from 0 to factor */
    double factor;
    /**
     * default 1, from 0 to 1: a corner's row and column are each changed by up to half of that
     * share
     */
    double scale;
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    double fill_value;         ///< default 0: beside the image
    int64_t seed;              ///< not negative; default -1: the model's
    cj_numbers factor_range;   ///< two ends in place of factor; default none
} cj_random_perspective_args;
/** The defaults of cj_random_perspective_args. */
#define CJ_RANDOM_PERSPECTIVE_DEFAULTS                                      \
    CJ_LAYER_DEFAULTS(cj_random_perspective_args), .factor = 1, .scale = 1, \
                                                   .interpolation = "bilinear", .seed = -1
/**
 * Sets `args` to CJ_RANDOM_PERSPECTIVE_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_random_perspective_defaults(cj_random_perspective_args *args);
/** (h, w, channels), which stays. `cj_random_perspective(.scale = 0.3)`. */
CJ_API cj_layer *cj_random_perspective_new(const cj_random_perspective_args *args);
#define cj_random_perspective(...) \
    cj_random_perspective_new(     \
        &(cj_random_perspective_args){CJ_RANDOM_PERSPECTIVE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RandomElasticTransform: in some of the images each pixel is moved by a smooth random field,
 * Gaussian noise after a Gaussian blur.
 */
typedef struct cj_random_elastic_transform_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default 1, from 0 to 1: the chance of each image is a number from 0 to factor */
    double factor;
    /**
     * default 1, from 0 to 1: s is a number from 0 to scale for the whole batch; the standard
     * deviation of the blur, and of the noise, is 0.05 s times the shorter side, and the field is
     * 0.1 s times the longer side times what comes of it
     */
    double scale;
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    /**
     * beside the image: "reflect" (default), "mirror" (which does not repeat the ends), "constant"
     * (fill_value), "nearest" or "wrap"
     */
    const char *fill_mode;
    double fill_value;       ///< default 0
    cj_numbers value_range;  ///< default none: 0 and 255
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
    cj_numbers scale_range;  ///< two ends in place of scale; default none
} cj_random_elastic_transform_args;
/** The defaults of cj_random_elastic_transform_args. */
#define CJ_RANDOM_ELASTIC_TRANSFORM_DEFAULTS             \
    CJ_LAYER_DEFAULTS(cj_random_elastic_transform_args), \
        .factor = 1, .scale = 1, .interpolation = "bilinear", .fill_mode = "reflect", .seed = -1
/**
 * Sets `args` to CJ_RANDOM_ELASTIC_TRANSFORM_DEFAULTS, for languages without the macros; NULL is
 * fine.
 */
CJ_API void cj_random_elastic_transform_defaults(cj_random_elastic_transform_args *args);
/**
 * (h, w, channels), which stays. `cj_random_elastic_transform(.scale_range = CJ_NUMBERS(0.5,
 * 0.5))`.
 */
CJ_API cj_layer *cj_random_elastic_transform_new(const cj_random_elastic_transform_args *args);
#define cj_random_elastic_transform(...)                                 \
    cj_random_elastic_transform_new(&(cj_random_elastic_transform_args){ \
        CJ_RANDOM_ELASTIC_TRANSFORM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AutoContrast: each channel of an image spread over value_range, so that its least value becomes
 * the lower end and its greatest the upper one; a channel of one value stays. When predicting too.
 */
typedef struct cj_auto_contrast_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    cj_numbers value_range; ///< default none: 0 and 255
} cj_auto_contrast_args;
/** The defaults of cj_auto_contrast_args. */
#define CJ_AUTO_CONTRAST_DEFAULTS CJ_LAYER_DEFAULTS(cj_auto_contrast_args)
/** Sets `args` to CJ_AUTO_CONTRAST_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_auto_contrast_defaults(cj_auto_contrast_args *args);
/** (h, w, channels), which stays. `cj_auto_contrast(.value_range = CJ_NUMBERS(0, 1))`. */
CJ_API cj_layer *cj_auto_contrast_new(const cj_auto_contrast_args *args);
#define cj_auto_contrast(...) \
    cj_auto_contrast_new(&(cj_auto_contrast_args){CJ_AUTO_CONTRAST_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Equalization: in training, values of each channel are mapped so that all become about equally
 * frequent in the batch (Keras counts over the batch too).
 */
typedef struct cj_equalization_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    cj_numbers value_range; ///< default none: 0 and 255
    int64_t bins;           ///< default 256, from 2 to 65536: of the histogram
} cj_equalization_args;
/** The defaults of cj_equalization_args. */
#define CJ_EQUALIZATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_equalization_args), .bins = 256
/** Sets `args` to CJ_EQUALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_equalization_defaults(cj_equalization_args *args);
/** (h, w, channels), which stays. No gradient passes back. */
CJ_API cj_layer *cj_equalization_new(const cj_equalization_args *args);
#define cj_equalization(...) \
    cj_equalization_new(&(cj_equalization_args){CJ_EQUALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ContrastLimitedAdaptiveHistogramEqualization (CLAHE): as Equalization, but by the histogram of
 * the image's surroundings, with what is above a limit spread over all bins. When predicting too.
 */
typedef struct cj_contrast_limited_adaptive_histogram_equalization_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    cj_numbers value_range; ///< default none: 0 and 255
    /** default 4, not negative: times the mean height of a histogram; 0: no limit */
    double clip_limit;
    /** default {8, 8}: tiles along rows and columns, each with a histogram of its own */
    int64_t tile_grid_size[2];
} cj_contrast_limited_adaptive_histogram_equalization_args;
/** The defaults of cj_contrast_limited_adaptive_histogram_equalization_args. */
#define CJ_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS             \
    CJ_LAYER_DEFAULTS(cj_contrast_limited_adaptive_histogram_equalization_args), \
        .clip_limit = 4, .tile_grid_size = {8, 8}
/**
 * Sets `args` to CJ_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS, for languages
 * without the macros; NULL is fine.
 */
CJ_API void cj_contrast_limited_adaptive_histogram_equalization_defaults(
    cj_contrast_limited_adaptive_histogram_equalization_args *args);
/** (h, w, channels), which stays. No gradient passes back. */
CJ_API cj_layer *cj_contrast_limited_adaptive_histogram_equalization_new(
    const cj_contrast_limited_adaptive_histogram_equalization_args *args);
#define cj_contrast_limited_adaptive_histogram_equalization(...)     \
    cj_contrast_limited_adaptive_histogram_equalization_new(         \
        &(cj_contrast_limited_adaptive_histogram_equalization_args){ \
            CJ_CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * MixUp: each image is mixed with another one of the batch, w x + (1 - w) x', w of a Beta(alpha,
 * alpha) distribution; so are labels, if they are given (https://arxiv.org/abs/1710.09412).
 */
typedef struct cj_mix_up_args {
    CJ_LAYER_MEMBERS
    int _;        ///< what follows may be given by position
    double alpha; ///< default 0.2, positive
    int64_t seed; ///< not negative; default -1: the model's
} cj_mix_up_args;
/** The defaults of cj_mix_up_args. */
#define CJ_MIX_UP_DEFAULTS CJ_LAYER_DEFAULTS(cj_mix_up_args), .alpha = 0.2, .seed = -1
/** Sets `args` to CJ_MIX_UP_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_mix_up_defaults(cj_mix_up_args *args);
/**
 * One input: images (h, w, channels). Two: images and labels (classes), as one_hot makes them; the
 * outputs are both, mixed with the same numbers. To train on mixed labels, see cj_compile_args.mix.
 * `cj_mix_up(0.2)`.
 */
CJ_API cj_layer *cj_mix_up_new(const cj_mix_up_args *args);
#define cj_mix_up(...) cj_mix_up_new(&(cj_mix_up_args){CJ_MIX_UP_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * CutMix: a rectangle of each image is replaced by that of another one of the batch; labels, if
 * they are given, are mixed by the areas (https://arxiv.org/abs/1905.04899).
 */
typedef struct cj_cut_mix_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * default 1, from 0 to 1: the shares that stay are of a Beta(a, a) distribution, a being a
     * number from 0 to factor for the whole batch
     */
    double factor;
    int64_t seed;            ///< not negative; default -1: the model's
    cj_numbers factor_range; ///< two ends in place of factor; default none
} cj_cut_mix_args;
/** The defaults of cj_cut_mix_args. */
#define CJ_CUT_MIX_DEFAULTS CJ_LAYER_DEFAULTS(cj_cut_mix_args), .factor = 1, .seed = -1
/** Sets `args` to CJ_CUT_MIX_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cut_mix_defaults(cj_cut_mix_args *args);
/** As cj_mix_up(). `cj_cut_mix(1)`. */
CJ_API cj_layer *cj_cut_mix_new(const cj_cut_mix_args *args);
#define cj_cut_mix(...) cj_cut_mix_new(&(cj_cut_mix_args){CJ_CUT_MIX_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RandAugment (Cubuk and others 2019): some changes of images, chosen at random. */
typedef struct cj_rand_augment_args {
    CJ_LAYER_MEMBERS
    int _;                     ///< what follows may be given by position
    cj_numbers value_range;    ///< default none: 0 and 255
    int64_t num_ops;           ///< default 2, from 0 to 16: changes one after another
    double factor;             ///< default 0.5, from 0 to 1: each is of a strength from 0 to factor
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< not negative; default -1: the model's
    cj_numbers factor_range;   ///< two ends in place of factor; default none
} cj_rand_augment_args;
/** The defaults of cj_rand_augment_args. */
#define CJ_RAND_AUGMENT_DEFAULTS                                          \
    CJ_LAYER_DEFAULTS(cj_rand_augment_args), .num_ops = 2, .factor = 0.5, \
                                             .interpolation = "bilinear", .seed = -1
/** Sets `args` to CJ_RAND_AUGMENT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rand_augment_defaults(cj_rand_augment_args *args);
/**
 * (h, w, 3), which stays. In training num_ops changes are drawn for a batch, each with equal chance one of
 * RandomShear, RandomTranslation, RandomRotation, RandomPosterization, Solarization, AutoContrast,
 * Equalization, RandomBrightness, RandomColorDegeneration, RandomContrast and RandomSharpness with
 * this factor; what these draw, they draw for each image. Each change draws anew, where Keras repeats the
 * numbers of one that is chosen twice.
 */
CJ_API cj_layer *cj_rand_augment_new(const cj_rand_augment_args *args);
#define cj_rand_augment(...) \
    cj_rand_augment_new(&(cj_rand_augment_args){CJ_RAND_AUGMENT_DEFAULTS, ._ = 0, __VA_ARGS__})

/** AugMix (Hendrycks and others 2019): an image mixed with the mean of some chains of changes of it. */
typedef struct cj_aug_mix_args {
    CJ_LAYER_MEMBERS
    int _;                     ///< what follows may be given by position
    cj_numbers value_range;    ///< default none: 0 and 255
    int64_t num_chains;        ///< default 3, from 1 to 8
    int64_t chain_depth;       ///< default 3, from 0 to 8: changes of a chain
    double factor;             ///< default 0.3, from 0 to 1: each is of a strength from 0 to factor
    double alpha;              ///< default 1, positive: of the distributions of shares
    bool all_ops;              ///< default true; false: without the four that change colours
    const char *interpolation; ///< "bilinear" (default) or "nearest"
    int64_t seed;              ///< not negative; default -1: the model's
    cj_numbers factor_range;   ///< two ends in place of factor; default none
} cj_aug_mix_args;
/** The defaults of cj_aug_mix_args. */
#define CJ_AUG_MIX_DEFAULTS                                                                       \
    CJ_LAYER_DEFAULTS(cj_aug_mix_args), .num_chains = 3, .chain_depth = 3, .factor = 0.3,         \
                                        .alpha = 1, .all_ops = true, .interpolation = "bilinear", \
                                        .seed = -1
/** Sets `args` to CJ_AUG_MIX_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_aug_mix_defaults(cj_aug_mix_args *args);
/**
 * (h, w, channels), which stays; with all_ops three channels. In training m x + (1 - m) sum of w[k] c[k],
 * cut off at value_range, where m is drawn from Beta(alpha, alpha) and w from the Dirichlet distribution
 * of alpha, for a batch, and c[k] are images after chain_depth changes, each one of RandAugment's or none with
 * equal chance.
 */
CJ_API cj_layer *cj_aug_mix_new(const cj_aug_mix_args *args);
#define cj_aug_mix(...) cj_aug_mix_new(&(cj_aug_mix_args){CJ_AUG_MIX_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
