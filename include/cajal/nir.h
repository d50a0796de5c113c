/**
 * @file nir.h
 * Spiking networks in files of NIR, the neuromorphic intermediate representation (Pedersen and others
 * 2024, "Neuromorphic intermediate representation: A unified instruction set for interoperable
 * brain-inspired computing"), which snnTorch, Norse, Sinabs, Lava and others read and write.
 *
 * Such a file is a graph of nodes with differential equations. Here it becomes a functional model of
 * the layers of spiking.h and others, with one layer a node and the node's name, which is run, trained,
 * saved and explained as any model. Its input is a sequence (time, ...), one entry a step.
 *
 * NIR has no step: here its equations are Euler steps of `dt`. What comes first is channels in NIR
 * and channels last here, so a sample (channels, height, width) is given as (height, width, channels),
 * and one of (channels, length) as (length, channels); weights are turned accordingly.
 *
 * A node that several edges lead to gets their sum. Recurrent edges: a LIF, CubaLIF or IF whose
 * spikes come back to it through one Affine, Linear or Scale, or directly, reads them one step later.
 * The nodes of any other cycle become one layer, a RecurrentModel, which runs them step by step.
 *
 * docs/spiking.md says what each node becomes.
 */
#ifndef CAJAL_NIR_H
#define CAJAL_NIR_H

#include <cajal/files.h>
#include <cajal/layers.h>
#include <cajal/numbers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_load_nir(). */
typedef struct cj_nir_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * seconds of a step; default 0: what the file says in its metadata (as files of cj_save_nir() do),
     * else that of the preset
     */
    double dt;
    /**
     * whose files these are, which settles what a file leaves open:
     *
     * - "nir" (default): the equations of NIR; a dt of 1e-4, a reset to v_reset in the step of the spike
     * - "snntorch": the same, but neurons are reset by subtraction in the step after the spike, as
     *   snnTorch's classes do by default; a dt of 1e-4
     * - "norse": an IF and an I gather r x in a step, and a CubaLIF's current w_in x, whatever dt
     *   is; a dt of 1e-6, as Norse 1.1.0 writes time constants times its dt of 1e-3
     */
    const char *preset;
    const char *surrogate; ///< spec of cj_op_spike(); default NULL: the preset's
    /** default false; true: decays and thresholds of neurons are weights to train */
    bool learn_neurons;
    /** default false; true: what neurons and delays hold lasts from call to call, so that a sequence
     * may be given in parts, or step by step; cj_reset_states() begins anew */
    bool stateful;
    int64_t batch_size; ///< default 0: any, with `stateful` 1
} cj_nir_args;
/** The defaults of cj_nir_args. */
#define CJ_NIR_DEFAULTS .size = sizeof(cj_nir_args), .preset = "nir"
/** Sets `args` to CJ_NIR_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_nir_defaults(cj_nir_args *args);

/**
 * Loads a model from a file of NIR; cj_load() does it with the defaults. The version of NIR and the
 * metadata of the graph become notes of the model ("nir/version", "nir/metadata/..."), `dt` and
 * `preset` too. The model is new and floating: the caller releases it.
 *
 * NULL on failure, with cj_error_status() one of CJ_INVALID_ARGUMENT (NULL, an unknown preset, a dt
 * that is not positive), CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (damaged; no graph; an unknown type of node;
 * an edge to a node that is not there), CJ_SHAPE_MISMATCH (a node does not fit what comes to it),
 * CJ_UNSUPPORTED (cycles other than those above) and CJ_OUT_OF_MEMORY.
 */
CJ_API cj_model *cj_load_nir_with(const char *path, const cj_nir_args *args);
/** `cj_load_nir("network.nir", .dt = 1e-3)`. */
#define cj_load_nir(...)                       \
    cj_load_nir_with(CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_nir_args){CJ_NIR_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_save_nir(). */
typedef struct cj_nir_save_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** seconds of a step; default 0: that of the file which the model was loaded from, else 1e-4 */
    double dt;
    /** "nir" (default), or "norse": r of IF and I is what they gather in a step, as Norse reads it */
    const char *preset;
    /**
     * default false: neurons that NIR has no words for are refused: its neurons are reset to v_reset in
     * the step of their spike, which comes above the threshold, and know no rest; true: they are
     * written all the same, as if they were reset so, as snnTorch does it
     */
    bool approximate;
} cj_nir_save_args;
/** The defaults of cj_nir_save_args. */
#define CJ_NIR_SAVE_DEFAULTS .size = sizeof(cj_nir_save_args), .preset = "nir"
/** Sets `args` to CJ_NIR_SAVE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_nir_save_defaults(cj_nir_save_args *args);

/**
 * Saves a built model as a file of NIR; cj_save() does it with the defaults for a name that ends in
 * ".nir". Dense, EinsumDense as cj_load_nir() makes it, Conv1D, Conv2D, DepthwiseConv2D,
 * AveragePooling2D, ZeroPadding before these, Flatten, Reshape, Add, Rescaling, LIF, IntegrateFire,
 * LeakyIntegrator, CubaLIF and Delay are written, alone or in TimeDistributed; Dropout, Identity and
 * linear activations are left out. A recurrent layer becomes a graph of four nodes. A neuron with
 * `steps` stands for an input that is given anew in each step. `dt` is written into the metadata.
 *
 * One of CJ_OK, CJ_INVALID_ARGUMENT (NULL, an unknown preset), CJ_NOT_BUILT, CJ_UNSUPPORTED (a layer or
 * a setting that NIR has no words for; the sentence names it), CJ_IO, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_save_nir_with(cj_model *model, const char *path, const cj_nir_save_args *args);
/** `cj_save_nir(model, "network.nir", .dt = 1e-3)`. */
#define cj_save_nir(model, ...)                       \
    cj_save_nir_with(model, CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_nir_save_args){CJ_NIR_SAVE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Delay: each entry of a sequence comes so many steps later; before the first there are zeros.
 */
typedef struct cj_delay_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    int64_t steps; ///< required: how many, 0 or more
    /** default false; true: the last entries of a batch begin the next; needs a fixed batch size */
    bool stateful;
    bool return_state; ///< default false; true: a second output, the last `steps` entries
} cj_delay_args;
/** The defaults of cj_delay_args. */
#define CJ_DELAY_DEFAULTS CJ_LAYER_DEFAULTS(cj_delay_args), .steps = -1
/** Sets `args` to CJ_DELAY_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_delay_defaults(cj_delay_args *args);
/**
 * (time, ...) becomes (time, ...): y(t) = x(t - steps). Applied with cj_apply_many() it takes a second
 * input (steps, ...), which stands in the place of the zeros. NULL with CJ_INVALID_ARGUMENT or
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_layer *cj_delay_new(const cj_delay_args *args);
/** `cj_delay(5)` */
#define cj_delay(...) cj_delay_new(&(cj_delay_args){CJ_DELAY_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RecurrentModel: a model as the step of a recurrence. Of the model's inputs the last `states` are the
 * states before a step, of its outputs the last `states` those after it, in the same order; the other
 * inputs and outputs are sequences of one step, (1, ...), so that any layer for sequences may be in it.
 * What goes around in a cycle of a file of NIR is such a state.
 */
typedef struct cj_recurrent_model_args {
    CJ_LAYER_MEMBERS
    int _;           ///< what follows may be given by position
    cj_layer *layer; ///< required: cj_model_layer() of a built model, whose states are float32
    int64_t states;  ///< required: how many, 1 or more
    /** default none: states begin with zeros; else a number for each, which fills it */
    cj_numbers initial_values;
    /** default false; true: the states after a batch begin the next; needs a fixed batch size */
    bool stateful;
} cj_recurrent_model_args;
/** The defaults of cj_recurrent_model_args. */
#define CJ_RECURRENT_MODEL_DEFAULTS CJ_LAYER_DEFAULTS(cj_recurrent_model_args)
/** Sets `args` to CJ_RECURRENT_MODEL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_recurrent_model_defaults(cj_recurrent_model_args *args);
/**
 * Sequences (time, ...) become sequences (time, ...): apply it with cj_apply_many() where there are
 * several. It owns the model. A mask of dropout is the same in all steps; layers that add a loss or an
 * update in the model, such as BatchNormalization in training, are refused when the layer is called.
 *
 * NULL with CJ_INVALID_ARGUMENT, CJ_NOT_BUILT (the model), CJ_SHAPE_MISMATCH (an input or output that is
 * no sequence of one step, a state of two shapes or not float32), CJ_UNSUPPORTED (more states than
 * can last) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_layer *cj_recurrent_model_new(const cj_recurrent_model_args *args);
/** `cj_recurrent_model(cj_model_layer(step), .states = 2)` */
#define cj_recurrent_model(...) \
    cj_recurrent_model_new(     \
        &(cj_recurrent_model_args){CJ_RECURRENT_MODEL_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
