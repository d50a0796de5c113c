/**
 * @file normalization.h
 * Layers that normalize, beside BatchNormalization and LayerNormalization (layers.h), as Keras has
 * them: over groups of channels, by the root mean square, to length 1.
 *
 * All that layers.h says of constructors, arguments and specs holds here.
 */
#ifndef CAJAL_NORMALIZATION_H
#define CAJAL_NORMALIZATION_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * GroupNormalization (Wu and He 2018; keras/src/layers/normalization/group_normalization.py): the
 * channels are cut into groups; each group of each sample, over all its places, has its mean taken
 * away and is divided by sqrt(variance + epsilon), with the biased variance; then gamma and beta of
 * each channel.
 */
typedef struct cj_group_normalization_args {
    CJ_LAYER_MEMBERS
    int _;                         ///< what follows may be given by position
    int64_t groups;                ///< default 32; -1: each channel by itself (instances)
    int axis;                      ///< of the channels, default -1
    double epsilon;                ///< default 1e-3
    bool center;                   ///< default true: has a beta
    bool scale;                    ///< default true: has a gamma
    const char *beta_initializer;  ///< spec, default "zeros"
    const char *gamma_initializer; ///< spec, default "ones"
    const char *beta_regularizer;  ///< spec, default NULL: none
    const char *gamma_regularizer; ///< spec, default NULL: none
} cj_group_normalization_args;
/** The defaults of cj_group_normalization_args. */
#define CJ_GROUP_NORMALIZATION_DEFAULTS                                           \
    CJ_LAYER_DEFAULTS(cj_group_normalization_args),                               \
        .groups = 32, .axis = -1, .epsilon = 1e-3, .center = true, .scale = true, \
        .beta_initializer = "zeros", .gamma_initializer = "ones"
/** Sets `args` to CJ_GROUP_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_group_normalization_defaults(cj_group_normalization_args *args);
/** Any shape with channels, which stays. */
CJ_API cj_layer *cj_group_normalization_new(const cj_group_normalization_args *args);
#define cj_group_normalization(...) \
    cj_group_normalization_new(     \
        &(cj_group_normalization_args){CJ_GROUP_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RMSNormalization (Zhang and Sennrich 2019; keras/src/layers/normalization/rms_normalization.py):
 * x / sqrt(mean(x^2) + epsilon) over the axes, times a learned "scale" of their lengths, from 1.
 */
typedef struct cj_rms_normalization_args {
    CJ_LAYER_MEMBERS
    int _;                     ///< what follows may be given by position
    int64_t axis[CJ_MAX_RANK]; ///< normalized axes, ended by 0; default {-1}; they must come last
    double epsilon;            ///< default 1e-6
} cj_rms_normalization_args;
/** The defaults of cj_rms_normalization_args. */
#define CJ_RMS_NORMALIZATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_rms_normalization_args), .axis = {-1}, .epsilon = 1e-6
/** Sets `args` to CJ_RMS_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rms_normalization_defaults(cj_rms_normalization_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_rms_normalization_new(const cj_rms_normalization_args *args);
#define cj_rms_normalization(...) \
    cj_rms_normalization_new(     \
        &(cj_rms_normalization_args){CJ_RMS_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * UnitNormalization: x min(1 / sqrt(sum(x^2)), 1e12) over the axes, so that their length is 1
 * (keras/src/layers/normalization/unit_normalization.py).
 */
typedef struct cj_unit_normalization_args {
    CJ_LAYER_MEMBERS
    int _;                     ///< what follows may be given by position
    int64_t axis[CJ_MAX_RANK]; ///< normalized axes, ended by 0; default {-1}
} cj_unit_normalization_args;
/** The defaults of cj_unit_normalization_args. */
#define CJ_UNIT_NORMALIZATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_unit_normalization_args), .axis = {-1}
/** Sets `args` to CJ_UNIT_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_unit_normalization_defaults(cj_unit_normalization_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_unit_normalization_new(const cj_unit_normalization_args *args);
#define cj_unit_normalization(...) \
    cj_unit_normalization_new(     \
        &(cj_unit_normalization_args){CJ_UNIT_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
