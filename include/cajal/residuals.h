/**
 * @file residuals.h
 * Layers of residual branches that Keras has within its applications: ConvNeXt scales and drops its
 * branches, InceptionResNetV2 scales them. They are read and written under Keras's names and modules.
 *
 * What layers.h says of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_RESIDUALS_H
#define CAJAL_RESIDUALS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * LayerScale of keras.applications.convnext: gamma x, a learnt factor for each channel (Touvron et al.,
 * "Going deeper with Image Transformers", 2021).
 */
typedef struct cj_layer_scale_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t projection_dim; ///< required: the length of the last axis, at least 1
    double init_values;     ///< default 1e-6: gamma before training
} cj_layer_scale_args;
/** The defaults of cj_layer_scale_args. */
#define CJ_LAYER_SCALE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_layer_scale_args), .projection_dim = 0, .init_values = 1e-6
/** Sets `args` to CJ_LAYER_SCALE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_layer_scale_defaults(cj_layer_scale_args *args);
/** Any shape whose last axis has projection_dim entries; it stays. */
CJ_API cj_layer *cj_layer_scale_new(const cj_layer_scale_args *args);
/** `cj_layer_scale(96)`. */
#define cj_layer_scale(...) \
    cj_layer_scale_new(&(cj_layer_scale_args){CJ_LAYER_SCALE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * StochasticDepth of keras.applications.convnext: in training a sample is 0 with the probability
 * drop_path_rate, and divided by 1 - drop_path_rate otherwise (Huang et al., "Deep Networks with Stochastic
 * Depth", 2016). As the end of a residual branch it leaves the branch out. Nothing is done in prediction.
 */
typedef struct cj_stochastic_depth_args {
    CJ_LAYER_MEMBERS
    int _;                 ///< what follows may be given by position
    double drop_path_rate; ///< required: 0 to less than 1
} cj_stochastic_depth_args;
/** The defaults of cj_stochastic_depth_args. */
#define CJ_STOCHASTIC_DEPTH_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_stochastic_depth_args), .drop_path_rate = NAN
/** Sets `args` to CJ_STOCHASTIC_DEPTH_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_stochastic_depth_defaults(cj_stochastic_depth_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_stochastic_depth_new(const cj_stochastic_depth_args *args);
/** `cj_stochastic_depth(0.1)`. */
#define cj_stochastic_depth(...) \
    cj_stochastic_depth_new(     \
        &(cj_stochastic_depth_args){CJ_STOCHASTIC_DEPTH_DEFAULTS, ._ = 0, __VA_ARGS__})

/** CustomScaleLayer of keras.applications.inception_resnet_v2: the first input + scale times the second. */
typedef struct cj_custom_scale_layer_args {
    CJ_LAYER_MEMBERS
    int _;        ///< what follows may be given by position
    double scale; ///< required: finite
} cj_custom_scale_layer_args;
/** The defaults of cj_custom_scale_layer_args. */
#define CJ_CUSTOM_SCALE_LAYER_DEFAULTS CJ_LAYER_DEFAULTS(cj_custom_scale_layer_args), .scale = NAN
/** Sets `args` to CJ_CUSTOM_SCALE_LAYER_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_custom_scale_layer_defaults(cj_custom_scale_layer_args *args);
/** Two inputs of one shape, which stays. */
CJ_API cj_layer *cj_custom_scale_layer_new(const cj_custom_scale_layer_args *args);
/** `cj_custom_scale_layer(0.17)`. */
#define cj_custom_scale_layer(...) \
    cj_custom_scale_layer_new(     \
        &(cj_custom_scale_layer_args){CJ_CUSTOM_SCALE_LAYER_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
