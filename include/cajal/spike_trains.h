/**
 * @file spike_trains.h
 * What the neurons of a model do on an input: their spikes and membranes as a picture, how many spikes there
 * are, and how many operations they save; and how often a neuron fires for a current.
 */
#ifndef CAJAL_SPIKE_TRAINS_H
#define CAJAL_SPIKE_TRAINS_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_model_spikes_plot(). */
typedef struct cj_model_spikes_plot_args {
    size_t size;       ///< bytes of the struct
    int _;             ///< what follows may be given by position
    const char *layer; ///< only this layer of neurons; default NULL: all
    int64_t rows;      ///< neurons of a layer that have a row, the first ones; default 40
    int64_t membranes; ///< neurons of a layer whose membrane is drawn, the first ones; default 3
} cj_model_spikes_plot_args;
/** The defaults of cj_model_spikes_plot_args. */
#define CJ_MODEL_SPIKES_PLOT_DEFAULTS \
    .size = sizeof(cj_model_spikes_plot_args), .rows = 40, .membranes = 3
/** Sets `args` to CJ_MODEL_SPIKES_PLOT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_model_spikes_plot_defaults(cj_model_spikes_plot_args *args);
/**
 * Runs a model on one sample and writes what its layers of neurons did as SVG 1.1: for each layer a row for
 * each neuron with a stroke for each spike, over the steps, and below them membranes. Layers that never fire
 * have membranes alone. Membranes are those after each step, as the layers give them with the output "both";
 * states of stateful layers begin anew.
 *
 * @param model  a built model with one input
 * @param input  one sample, with or without a batch axis of 1
 * @param stream where the SVG is written, in UTF-8
 * @param args   the settings
 * @return CJ_OK; CJ_INVALID_ARGUMENT (a NULL; a number that is negative); CJ_NOT_FOUND (no layer of that
 *         name); CJ_UNSUPPORTED (a model without layers of neurons, or with several inputs; a layer that is
 *         given its states, or a mask); CJ_SHAPE_MISMATCH; CJ_NOT_BUILT; CJ_IO; CJ_OUT_OF_MEMORY
 */
CJ_API cj_status cj_model_spikes_plot_with(cj_model *model, const cj_tensor *input, FILE *stream,
                                           const cj_model_spikes_plot_args *args);
/** `cj_model_spikes_plot(model, image, file, .layer = "lif")` */
#define cj_model_spikes_plot(model, input, ...)                                                   \
    cj_model_spikes_plot_with(model, input, CJ__HEAD(__VA_ARGS__, ~),                             \
                              &(cj_model_spikes_plot_args){CJ_MODEL_SPIKES_PLOT_DEFAULTS, ._ = 0, \
                                                           CJ__TAIL(__VA_ARGS__, )})

/**
 * What a layer did on some samples. An entry of an array whose length the caller gives: new members come
 * in the place of reserved ones.
 */
typedef struct cj_spike_activity {
    char layer[64];  ///< its name, shortened if it is longer
    int64_t neurons; ///< how many; 0 for a layer with a kernel
    int64_t steps;   ///< of time
    double spikes;   ///< of all its neurons, the mean over the samples
    double rate;     ///< spikes of a neuron in a step, the mean
    double silent;   ///< the share of neurons that fire for no sample
    /** multiplications whose input is not 0, of a sample: of a layer with a kernel, and of the recurrent
     * input of neurons */
    double operations;
    double all;         ///< multiplications if all inputs counted
    double reserved[4]; ///< zero
} cj_spike_activity;
/**
 * Runs a model on samples and says what its layers did, in their order: of each layer of neurons how much it
 * fires, and of each layer with a kernel (Dense, convolutions) how many multiplications of a sample have an
 * input that is not 0. A machine that works on spikes alone does those and saves the others; inputs that are
 * spikes need additions only.
 * A separable convolution has those of both its kernels. The spikes of a recurrent layer are heard in the
 * step after them: those of its last step save nothing.
 *
 * @param model    a built model with one input
 * @param x        (batch, ...): samples
 * @param rows     receives what the first `capacity` layers did; NULL if that is 0
 * @param capacity how many rows there is room for
 * @param count    receives how many layers there are
 * @return CJ_OK; CJ_INVALID_ARGUMENT (a NULL); CJ_UNSUPPORTED (a model with several inputs, or without layers
 *         of neurons); CJ_SHAPE_MISMATCH; CJ_NOT_BUILT; CJ_OUT_OF_MEMORY
 */
CJ_API cj_status cj_spike_activities(cj_model *model, const cj_tensor *x, cj_spike_activity *rows,
                                     int capacity, int *count);
/** The same, printed as a table with the totals. CJ_IO besides. */
CJ_API cj_status cj_spike_activities_print(cj_model *model, const cj_tensor *x, FILE *stream);

/**
 * How often one neuron of a layer fires for constant currents (its f-I curve): spikes in a unit of time, that
 * of `dt`, counted over so many steps from its first state on. Recurrent input is left out.
 *
 * @param layer    a built layer of neurons that fires
 * @param neuron   which one, where each has numbers of its own; else 0
 * @param currents `count` of them
 * @param rates    receives as many
 * @param count    1 and more
 * @param steps    1 and more: rates are multiples of 1 / (steps dt)
 * @return CJ_OK; CJ_INVALID_ARGUMENT (a NULL; what is no layer of neurons that fires; a number out of range);
 *         CJ_NOT_BUILT; CJ_OUT_OF_MEMORY
 */
CJ_API cj_status cj_neuron_rates(cj_layer *layer, int64_t neuron, const double *currents,
                                 double *rates, int64_t count, int64_t steps);

#ifdef __cplusplus
}
#endif

#endif
