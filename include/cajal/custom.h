/**
 * @file custom.h
 * Layers, losses and metrics of a program's own, written with the operators of graph.h and
 * operators.h.
 *
 * A *class* is a struct of names and functions: what a class in Python is. It is registered by its
 * name, and then serves as those of the library do: a layer is trained, saved, loaded, shown and
 * explained; a loss or a metric is chosen in cj_compile() by its name, with settings in the spec, as
 * in "my_loss(alpha=0.5)". A program that loads a file with such a class registers it first.
 * `examples/own_layer.c` has one of each.
 *
 * The settings of a class are a struct, described by a table of cj_setting; they are checked, and
 * saved in files, by that table.
 *
 * @code
 * typedef struct scale { double start; bool center; } scale;
 * static const scale defaults = {.start = 1, .center = true};
 * static const cj_setting settings[] = {CJ_SETTING(scale, start), CJ_SETTING(scale, center)};
 *
 * static cj_status build(cj_layer *layer, const void *of, const cj_shape *inputs, int count)
 * {
 *     return cj_add_weight(layer, "gain", CJ_SHAPE(inputs[0].dims[1]), "ones", NULL, true);
 * }
 *
 * static cj_symbol *call(const cj_layer_call *c)
 * {
 *     return cj_op_multiply(c->inputs[0], c->weights[0]);
 * }
 *
 * static const cj_custom_layer_class scale_class =
 *     CJ_CUSTOM_LAYER("Scale", CJ_SETTINGS(settings, defaults), .build = build, .call = call);
 * @endcode
 *
 * Classes and the tables and defaults in them are copied when they are registered; the functions must
 * stay. Registrations last as long as the process, and may be made by several threads at once.
 */
#ifndef CAJAL_CUSTOM_H
#define CAJAL_CUSTOM_H

#include <cajal/layers.h>
#include <cajal/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One call of a layer: what its function is given. Made by the library, which may append members. */
typedef struct cj_layer_call {
    cj_layer *layer;           ///< the layer
    const void *settings;      ///< its settings, checked
    cj_symbol *const *inputs;  ///< the batch axis first
    int input_count;           ///< how many inputs
    cj_symbol *const *masks;   ///< of each input its mask, bool (batch, time), or NULL
    cj_symbol *const *weights; ///< in the order in which they were added
    int weight_count;          ///< how many weights
    bool training;             ///< whether it is a training step
    /** the outputs after the first, to be set: output_count - 1 of them; floating or not */
    cj_symbol **more_outputs;
    struct cj__layer_context *context; ///< the library's
} cj_layer_call;

/** A class of layers: Keras's subclass of Layer. Set `size` by CJ_CUSTOM_LAYER. */
typedef struct cj_custom_layer_class {
    size_t size;      ///< bytes of the struct
    const char *name; ///< class name, such as "Scale": letters, digits and "_"
    CJ_SETTINGS_MEMBERS
    int input_count;       ///< default 1; 0: any number from 1 on
    int output_count;      ///< default 1
    bool supports_masking; ///< default false; true: outputs have the mask of the first input
    bool any_dtype; ///< default false: inputs are cast to float32; true: they come as they are
    /**
     * adds the weights, by cj_add_weight(), when the types of the inputs are first known; NULL for a
     * layer without weights. `inputs` have the batch axis, CJ_BATCH
     */
    cj_status (*build)(cj_layer *layer, const void *settings, const cj_shape *inputs,
                       int input_count);
    /**
     * required: the first output, by operators on inputs and weights; NULL after a failure. It is
     * called once for each tracing, for training and for prediction, by one thread at a time for a
     * model
     */
    cj_symbol *(*call)(const cj_layer_call *call);
    /** checks settings against each other; NULL if there is nothing to check */
    cj_status (*check)(const void *settings);
    /**
     * makes the class a cell, for cj_rnn() and cj_stacked_rnn_cells(): puts the entries of each state
     * into `sizes`, which has room for 8, and returns how many states there are, at least one. `call` is
     * then one step: it is given the entry of the sequence and the states, (batch, size) each, returns the
     * output, (batch, ...), and sets more_outputs to the states after the step; where an output is masked
     * it is state 0. input_count and output_count are left alone. NULL, the default: no cell
     */
    int (*states)(const void *settings, int64_t *sizes);
} cj_custom_layer_class;
/** A class with the defaults of the members that are not given; the name comes first. */
#define CJ_CUSTOM_LAYER(...)                                                        \
    {                                                                               \
        .size = sizeof(cj_custom_layer_class), .input_count = 1, .output_count = 1, \
        .name = __VA_ARGS__                                                         \
    }

/**
 * Registers a class of layers, so that files with such layers can be loaded; cj_custom_layer() does it
 * too. Registering the same class again changes nothing. One of CJ_OK, CJ_INVALID_ARGUMENT (NULL; a
 * name or a row of settings that is none; a name that another class has), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_register_layer(const cj_custom_layer_class *layer_class);

/**
 * A layer of a class of the program's own: floating, as from every constructor. `settings` is the
 * class's settings struct, which is copied; NULL for the defaults. `name` NULL: made from the class's.
 * NULL as from other constructors of layers, or as cj_register_layer().
 */
CJ_API cj_layer *cj_custom_layer(const cj_custom_layer_class *layer_class, const void *settings,
                                 const char *name);

/**
 * For `build`: adds a weight (float32) of a shape, drawn by the spec `initializer`, NULL for
 * "glorot_uniform"; `regularizer` is a spec or NULL. A constraint is the text setting of the class
 * that is called as the weight, then "_constraint". One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; a
 * layer that is not being built; an unknown spec), CJ_UNSUPPORTED (more than 16 weights),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_add_weight(cj_layer *layer, const char *name, cj_shape shape,
                               const char *initializer, const char *regularizer, bool trainable);

/**
 * For `call`: adds a scalar to the loss of a training step, as Keras's add_loss(); it is taken over.
 * One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL), CJ_SHAPE_MISMATCH (no scalar), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_add_loss(const cj_layer_call *call, cj_symbol *loss);

/**
 * For `call`: gives weight `index` a new value at the end of a training step, such as a moving
 * average; the weight should not be trainable. Nothing happens outside of training. One of CJ_OK,
 * CJ_INVALID_ARGUMENT (a NULL, no such weight), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_update_weight(const cj_layer_call *call, int index, cj_symbol *value);

/**
 * For `call`: applies a layer that is a setting of this one, CJ_SETTING_LAYER. The result is kept
 * by the call. NULL with CJ_INVALID_ARGUMENT for another layer, or as the layer fails.
 */
CJ_API cj_symbol *cj_call_layer(const cj_layer_call *call, cj_layer *layer, cj_symbol *x);

/** What the targets of a loss or a metric are, given predictions (batch, ..., c). */
typedef enum cj_targets {
    CJ_TARGETS_LIKE_PREDICTIONS, ///< of the predictions' shape and dtype
    CJ_TARGETS_LABELS,           ///< classes as int32, (batch, ...)
    CJ_TARGETS_AS_GIVEN          ///< of any shape, in the predictions' dtype
} cj_targets;

/** A class of losses. Set `size` by CJ_CUSTOM_LOSS. */
typedef struct cj_custom_loss_class {
    size_t size;      ///< bytes of the struct
    const char *name; ///< what specs and files call it
    CJ_SETTINGS_MEMBERS
    cj_targets targets; ///< default CJ_TARGETS_LIKE_PREDICTIONS
    /**
     * required: the values of a batch, (batch) or (batch, ...), or a scalar; weights, masks and the
     * mean over the batch are the library's, by the setting `reduction` that every loss has. NULL after
     * a failure
     */
    cj_symbol *(*values)(const void *settings, cj_symbol *y_true, cj_symbol *y_pred);
} cj_custom_loss_class;
/** A class with the defaults of the members that are not given; the name comes first. */
#define CJ_CUSTOM_LOSS(...)                                       \
    {                                                             \
        .size = sizeof(cj_custom_loss_class), .name = __VA_ARGS__ \
    }

/**
 * Registers a class of losses for cj_compile() and files, as cj_register_layer() does. The settings of
 * a loss take at most 256 bytes, and none is a layer. One of CJ_OK, CJ_INVALID_ARGUMENT (NULL; a name
 * or a row of settings that is none; a name that another loss has), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_register_loss(const cj_custom_loss_class *loss_class);

/**
 * A class of metrics: a mean of `values`, or one that keeps `states`. Set `size` by CJ_CUSTOM_METRIC.
 */
typedef struct cj_custom_metric_class {
    size_t size;      ///< bytes of the struct
    const char *name; ///< what specs, files and logs call it
    CJ_SETTINGS_MEMBERS
    cj_targets targets; ///< default CJ_TARGETS_LIKE_PREDICTIONS
    bool rises;         ///< whether greater is better, for callbacks with mode "auto"
    /** the values of a batch as of a loss; the metric is their mean over all samples of the epoch */
    cj_symbol *(*values)(const void *settings, cj_symbol *y_true, cj_symbol *y_pred);
    /**
     * or, instead of `values`: numbers of a batch (n), n fixed, that may be added up over batches, such
     * as counts. `weights` is (batch), or NULL for 1 each
     */
    cj_symbol *(*states)(const void *settings, cj_symbol *y_true, cj_symbol *y_pred,
                         cj_symbol *weights);
    /** with `states`: the metric, of the sums over all batches so far */
    double (*result)(const void *settings, const double *states, int count);
} cj_custom_metric_class;
/** A class with the defaults of the members that are not given; the name comes first. */
#define CJ_CUSTOM_METRIC(...)                                       \
    {                                                               \
        .size = sizeof(cj_custom_metric_class), .name = __VA_ARGS__ \
    }

/**
 * Registers a class of metrics for cj_compile(), cj_metric_new() and files, as cj_register_loss() does.
 * One of CJ_OK, CJ_INVALID_ARGUMENT (as there; neither values nor states; states without a result),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_register_metric(const cj_custom_metric_class *metric_class);

#ifdef __cplusplus
}
#endif
#endif
