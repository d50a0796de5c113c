/**
 * @file regularization.h
 * Layers that make training harder so that a network generalises: dropout of whole channels, noise,
 * and a penalty on what passes through. Dropout itself is in layers.h. But for ActivityRegularization
 * they do nothing when a model predicts.
 *
 * Random numbers are a function of the seed, the layer's place and the training step alone: the same
 * for any number of threads, and for a run that was resumed. They are not Keras's numbers; their
 * distributions are.
 *
 * What layers.h says of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_REGULARIZATION_H
#define CAJAL_REGULARIZATION_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * SpatialDropout1D, 2D and 3D: dropout of whole channels of a sample (Tompson et al., "Efficient
 * Object Localization Using Convolutional Networks", 2014). What is kept is divided by 1 - rate.
 */
typedef struct cj_spatial_dropout_args {
    CJ_LAYER_MEMBERS
    int _;        ///< what follows may be given by position
    double rate;  ///< share of the channels that are dropped, 0 to 1
    int64_t seed; ///< not negative; default -1: from the model's
} cj_spatial_dropout_args;
/** The defaults of cj_spatial_dropout_args. */
#define CJ_SPATIAL_DROPOUT_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_spatial_dropout_args), .rate = NAN, .seed = -1
/** Sets `args` to CJ_SPATIAL_DROPOUT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_spatial_dropout_defaults(cj_spatial_dropout_args *args);
/** Of (steps, channels), which stays. */
CJ_API cj_layer *cj_spatial_dropout1d_new(const cj_spatial_dropout_args *args);
#define cj_spatial_dropout1d(...) \
    cj_spatial_dropout1d_new(     \
        &(cj_spatial_dropout_args){CJ_SPATIAL_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Of (height, width, channels), which stays. */
CJ_API cj_layer *cj_spatial_dropout2d_new(const cj_spatial_dropout_args *args);
#define cj_spatial_dropout2d(...) \
    cj_spatial_dropout2d_new(     \
        &(cj_spatial_dropout_args){CJ_SPATIAL_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Of (depth, height, width, channels), which stays. */
CJ_API cj_layer *cj_spatial_dropout3d_new(const cj_spatial_dropout_args *args);
#define cj_spatial_dropout3d(...) \
    cj_spatial_dropout3d_new(     \
        &(cj_spatial_dropout_args){CJ_SPATIAL_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/** GaussianNoise: x + z, z normally distributed around 0. */
typedef struct cj_gaussian_noise_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    double stddev; ///< required: standard deviation of z, 0 to 1
    int64_t seed;  ///< not negative; default -1: from the model's
} cj_gaussian_noise_args;
/** The defaults of cj_gaussian_noise_args. */
#define CJ_GAUSSIAN_NOISE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_gaussian_noise_args), .stddev = NAN, .seed = -1
/** Sets `args` to CJ_GAUSSIAN_NOISE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_gaussian_noise_defaults(cj_gaussian_noise_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_gaussian_noise_new(const cj_gaussian_noise_args *args);
#define cj_gaussian_noise(...) \
    cj_gaussian_noise_new(     \
        &(cj_gaussian_noise_args){CJ_GAUSSIAN_NOISE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * GaussianDropout: x z, z normally distributed around 1 with the standard deviation
 * sqrt(rate / (1 - rate)) (Srivastava et al., "Dropout", 2014, section 10).
 */
typedef struct cj_gaussian_dropout_args {
    CJ_LAYER_MEMBERS
    int _;        ///< what follows may be given by position
    double rate;  ///< required: 0 to less than 1
    int64_t seed; ///< not negative; default -1: from the model's
} cj_gaussian_dropout_args;
/** The defaults of cj_gaussian_dropout_args. */
#define CJ_GAUSSIAN_DROPOUT_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_gaussian_dropout_args), .rate = NAN, .seed = -1
/** Sets `args` to CJ_GAUSSIAN_DROPOUT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_gaussian_dropout_defaults(cj_gaussian_dropout_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_gaussian_dropout_new(const cj_gaussian_dropout_args *args);
#define cj_gaussian_dropout(...) \
    cj_gaussian_dropout_new(     \
        &(cj_gaussian_dropout_args){CJ_GAUSSIAN_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AlphaDropout: dropout for networks of SELU, which keeps mean 0 and variance 1 (Klambauer et al.,
 * "Self-Normalizing Neural Networks", 2017). With p = -1.0507009873554805 * 1.6732632423543772 it is
 * a x + b where x is kept and a p + b where not, a = ((1 - rate) (1 + rate p^2))^(-1/2), b = -a p rate.
 */
typedef struct cj_alpha_dropout_args {
    CJ_LAYER_MEMBERS
    int _;       ///< what follows may be given by position
    double rate; ///< required: share of the elements that are dropped, 0 to less than 1
    /**
     * default {0}: of the input's shape; else the shape of what is drawn, the batch axis included: its
     * lengths are 1, which serves the whole axis, -1 or the input's; ended by 0
     */
    int64_t noise_shape[CJ_MAX_RANK];
    int64_t seed; ///< not negative; default -1: from the model's
} cj_alpha_dropout_args;
/** The defaults of cj_alpha_dropout_args. */
#define CJ_ALPHA_DROPOUT_DEFAULTS CJ_LAYER_DEFAULTS(cj_alpha_dropout_args), .rate = NAN, .seed = -1
/** Sets `args` to CJ_ALPHA_DROPOUT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_alpha_dropout_defaults(cj_alpha_dropout_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_alpha_dropout_new(const cj_alpha_dropout_args *args);
#define cj_alpha_dropout(...) \
    cj_alpha_dropout_new(&(cj_alpha_dropout_args){CJ_ALPHA_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ActivityRegularization: x as it is, and (l1 sum |x| + l2 sum x^2) / batch added to the loss.
 */
typedef struct cj_activity_regularization_args {
    CJ_LAYER_MEMBERS
    int _;     ///< what follows may be given by position
    double l1; ///< default 0
    double l2; ///< default 0
} cj_activity_regularization_args;
/** The defaults of cj_activity_regularization_args. */
#define CJ_ACTIVITY_REGULARIZATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_activity_regularization_args)
/** Sets `args` to CJ_ACTIVITY_REGULARIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_activity_regularization_defaults(cj_activity_regularization_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_activity_regularization_new(const cj_activity_regularization_args *args);
#define cj_activity_regularization(...)                                \
    cj_activity_regularization_new(&(cj_activity_regularization_args){ \
        CJ_ACTIVITY_REGULARIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
