/**
 * @file conversion.h
 * A trained network with ReLU as a spiking network.
 *
 * The rate of a neuron stands for the activation of a ReLU: integrate-and-fire neurons in its place gather
 * what the layer before gives, fire at a threshold, and are reset by subtraction. A neuron fires once a
 * step at most, so the threshold must be as great as the activations: they are measured on data, and the
 * greatest ones may be left out (Diehl and others 2015; Rueckauer and others 2017). The rate over T steps
 * is a multiple of 1 / T, so predictions come nearer to those of the trained network the more steps there
 * are. docs/spiking.md has a table of the accuracy against the number of steps.
 */
#ifndef CAJAL_CONVERSION_H
#define CAJAL_CONVERSION_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_spiking_convert(). */
typedef struct cj_spiking_convert_args {
    size_t size;   ///< bytes of the struct
    int _;         ///< what follows may be given by position
    int64_t steps; ///< how many steps of time a prediction takes, default 64
    /**
     * of the positive activations of a ReLU, the percentage that its threshold is not below: 100 for the
     * maximum; default 99.9, so that a few outliers do not slow down all others
     */
    double percentile;
    double start; ///< the membrane before the first step, as a share of the threshold, default 0.5
    /**
     * "mean" (default): what the trained network predicts, of the means over all steps; "steps": what
     * comes to the last layer in each step, (steps, ...), without an activation after it, so that running
     * means show the prediction after any number of steps
     */
    const char *output;
    const char *name; ///< of the new model, default NULL: "functional"
} cj_spiking_convert_args;
/** The defaults of cj_spiking_convert_args. */
#define CJ_SPIKING_CONVERT_DEFAULTS                                                         \
    .size = sizeof(cj_spiking_convert_args), .steps = 64, .percentile = 99.9, .start = 0.5, \
    .output = "mean"
/** Sets `args` to CJ_SPIKING_CONVERT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_spiking_convert_defaults(cj_spiking_convert_args *args);

/**
 * Makes a spiking network of a trained one with one input. Each ReLU, as an activation or as a layer, also
 * "relu6", becomes IntegrateFire neurons. What comes before the first of them is computed once; the input
 * is a constant current. Between them there may be Dense, convolutions of all kinds, BatchNormalization
 * (folded into the weights before it where it follows a Dense or Conv layer), average and max pooling, Flatten,
 * Reshape, padding, cropping, up-sampling, Add, Subtract, Average, Concatenate, models, and layers that
 * only do something in training, which are left out. Max pooling passes on the spikes of the neuron that has
 * fired most so far. An activation other than ReLU may end the network.
 *
 * @param model the trained network, which stays as it is
 * @param x     data (batch, ...) to measure activations on: some hundred samples of the training data
 * @param args  the settings
 * @return a new floating model, not compiled, whose layers have the names of the trained ones. NULL with
 *         CJ_INVALID_ARGUMENT (a NULL; a setting out of range; activations that are not finite),
 *         CJ_UNSUPPORTED (a layer that has no place in a spiking network; no ReLU; several inputs),
 *         CJ_NOT_BUILT, CJ_SHAPE_MISMATCH (the data does not fit the model), CJ_OUT_OF_MEMORY
 *
 * The model must not be trained by another thread meanwhile.
 */
CJ_API cj_model *cj_spiking_convert_with(cj_model *model, const cj_tensor *x,
                                         const cj_spiking_convert_args *args);
/** `cj_spiking_convert(model, x, .steps = 100)` */
#define cj_spiking_convert(model, ...)   \
    cj_spiking_convert_with(             \
        model, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_spiking_convert_args){CJ_SPIKING_CONVERT_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif

#endif
