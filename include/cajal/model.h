/**
 * @file model.h
 * Models: layers put together, sequentially or as a graph. A model is a layer, so models nest.
 */
#ifndef CAJAL_MODEL_H
#define CAJAL_MODEL_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A model. Every function for layers also takes one: pass cj_model_layer(model). */
typedef struct cj_model cj_model;

/** The arguments of cj_sequential_new(). */
typedef struct cj_sequential_args {
    size_t size; ///< bytes of the struct
    int _;       ///< unused
    /** the layers in order; a NULL among them makes the call fail with its sentence */
    cj_layer *const *layers;
    int layer_count;  ///< how many layers
    const char *name; ///< default NULL: "sequential"
} cj_sequential_args;
/** The defaults of cj_sequential_args. */
#define CJ_SEQUENTIAL_DEFAULTS .size = sizeof(cj_sequential_args)
/** Sets `args` to CJ_SEQUENTIAL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_sequential_defaults(cj_sequential_args *args);
/**
 * A model in which each layer feeds the next. Without an input layer it is built when it first sees
 * data. NULL with CJ_INVALID_ARGUMENT (a NULL; two layers of one name), CJ_SHAPE_MISMATCH (a layer
 * does not take what comes to it), CJ_UNSUPPORTED (models nested more than 64 deep) or
 * CJ_OUT_OF_MEMORY, or with the first cause if one of the layers is NULL because its constructor
 * failed.
 */
CJ_API cj_model *cj_sequential_new(const cj_sequential_args *args);
/** `cj_sequential(cj_input(784), cj_dense(10))`. */
#define cj_sequential(...)                                             \
    cj_sequential_new(&(cj_sequential_args){                           \
        CJ_SEQUENTIAL_DEFAULTS, .layers = (cj_layer *[]){__VA_ARGS__}, \
        .layer_count = (int)(sizeof((cj_layer *[]){__VA_ARGS__}) / sizeof(cj_layer *))})

/** The arguments of cj_functional(). Lists: see CJ_IN_BRACES. */
typedef struct cj_functional_args {
    size_t size;                      ///< bytes of the struct
    int _;                            ///< what follows may be given by position
    cj_symbol *inputs[CJ_IN_BRACES];  ///< from cj_input_symbol()
    cj_symbol *const *inputs_list;    ///< or any number of them
    int inputs_count;                 ///< length of inputs_list
    cj_symbol *outputs[CJ_IN_BRACES]; ///< computed from the inputs by applying layers
    cj_symbol *const *outputs_list;   ///< or any number of them
    int outputs_count;                ///< length of outputs_list
    const char *name;                 ///< default NULL: "functional"
} cj_functional_args;
/** The defaults of cj_functional_args. */
#define CJ_FUNCTIONAL_DEFAULTS .size = sizeof(cj_functional_args)
/** Sets `args` to CJ_FUNCTIONAL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_functional_defaults(cj_functional_args *args);
/**
 * A model from symbols: every layer between the inputs and the outputs belongs to it. NULL with
 * CJ_INVALID_ARGUMENT (no inputs or outputs, an output that does not depend on the inputs),
 * CJ_UNSUPPORTED (more than 16 inputs or outputs, in this version; models nested more than 64 deep)
 * or CJ_OUT_OF_MEMORY, or with the first cause if one of the symbols is NULL.
 */
CJ_API cj_model *cj_functional_new(const cj_functional_args *args);
/** `cj_functional(.inputs = {a, b}, .outputs = {y, z})`. */
#define cj_functional(...) \
    cj_functional_new(&(cj_functional_args){CJ_FUNCTIONAL_DEFAULTS, ._ = 0, __VA_ARGS__})
/** The same, as Keras spells it: `cj_model_new(.inputs = {a, b}, .outputs = {y, z})`. */
#define cj_model_new(...) cj_functional(__VA_ARGS__)

/**
 * The model as a layer, to apply, nest, name or freeze it: the same object, so do not release it
 * twice. NULL for NULL.
 */
CJ_API cj_layer *cj_model_layer(const cj_model *model);

/** A layer as the model it is; NULL with a sentence if it is not one. */
CJ_API cj_model *cj_layer_model(cj_layer *layer);

/**
 * Gives a sequential model without an input layer its variables. `shape` leaves out the batch axis.
 * One of CJ_OK, CJ_INVALID_ARGUMENT (NULL; a model that knows its inputs), CJ_SHAPE_MISMATCH (a
 * layer does not take what comes to it), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_set_input(cj_model *model, cj_dtype dtype, cj_shape shape);

/**
 * The number of layers, the input layers of a functional model included, as in Keras's
 * `model.layers`.
 */
CJ_API int cj_model_layer_count(const cj_model *model);

/** Layer `index` in order; NULL if out of range. */
CJ_API cj_layer *cj_model_layer_at(const cj_model *model, int index);

/**
 * The layer of that name, also inside nested models ("inner/dense"); NULL, with a suggestion in
 * cj_error().
 */
CJ_API cj_layer *cj_model_find_layer(const cj_model *model, const char *name);

/**
 * The symbol of input or output `index` of a built model, as Keras's `model.inputs[index]` and
 * `model.outputs[index]`: what models of a part of its layers are made from,
 *
 *     cj_functional(.inputs = {cj_model_input(model, 0)},
 *                   .outputs = {cj_layer_output(model, "conv2d_1")})
 *
 * shares the layers and their weights with `model`. The symbols belong to the model and live as
 * long as it does.
 *
 * @param model a built model
 * @param index from 0
 * @return NULL after a failure: CJ_INVALID_ARGUMENT (NULL, or there is no such input),
 *         CJ_NOT_BUILT, CJ_OUT_OF_MEMORY.
 *
 * The first call makes the symbols of all layers: not while another thread uses the model.
 */
CJ_API cj_symbol *cj_model_input(cj_model *model, int index);
/** Output `index`, likewise. */
CJ_API cj_symbol *cj_model_output(cj_model *model, int index);

/**
 * The symbol of the (first) output of a layer of a built model, as Keras's
 * `model.get_layer(name).output`. Where the layer is applied several times, that of the first time.
 * Ownership and threads as for cj_model_input().
 *
 * @param model a built model
 * @param name  the name of one of its own layers, not of one inside a nested model
 * @return NULL after a failure: CJ_NOT_FOUND, CJ_INVALID_ARGUMENT (NULL, or the layer is inside a
 *         nested model), CJ_NOT_BUILT, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_symbol *cj_layer_output(cj_model *model, const char *name);
/** The symbol of the (first) input of a layer, likewise. */
CJ_API cj_symbol *cj_layer_input(cj_model *model, const char *name);

/**
 * Adds a layer at the end of a sequential model, as Keras's `model.add(layer)`. A model that is
 * built stays so; one that was compiled must be compiled again.
 *
 * @param model a sequential model that belongs to no other model
 * @param layer the layer; the model takes it over, also on failure
 * @return CJ_OK; CJ_INVALID_ARGUMENT if an argument is NULL, the model is not sequential or belongs
 *         to another one, or the layer or its name is there already; CJ_SHAPE_MISMATCH if the layer
 *         does not fit the output; CJ_UNSUPPORTED if models would be nested more than 64 deep;
 *         CJ_OUT_OF_MEMORY. After a failure the model is as before, but
 *         not compiled.
 *
 * Not while another thread uses the model.
 */
CJ_API cj_status cj_model_add(cj_model *model, cj_layer *layer);

/**
 * Removes the last layer of a sequential model, as Keras's `model.pop()`. A model that was compiled
 * must be compiled again.
 *
 * @param model a sequential model of at least two layers that belongs to no other model
 * @return CJ_OK, CJ_INVALID_ARGUMENT (NULL, not sequential, part of another model, or only one
 *         layer), CJ_OUT_OF_MEMORY.
 *
 * Not while another thread uses the model.
 */
CJ_API cj_status cj_model_pop(cj_model *model);

/** The number of inputs; 0 before the model is built. */
CJ_API int cj_model_input_count(const cj_model *model);
/** The number of outputs; 0 before the model is built. */
CJ_API int cj_model_output_count(const cj_model *model);
/**
 * The batch size that a built model is fixed to by one of its inputs, cj_input(..., .batch_size =
 * 2); 0 if it takes any, is not built, or is NULL. Data that is given to such a model has this many
 * samples, or comes in batches of this many.
 */
CJ_API int64_t cj_model_batch_size(const cj_model *model);
/** The shape of input `index`, CJ_BATCH first; NULL if out of range. */
CJ_API const cj_shape *cj_model_input_shape(const cj_model *model, int index);
/** The shape of output `index`, CJ_BATCH first; NULL if out of range. */
CJ_API const cj_shape *cj_model_output_shape(const cj_model *model, int index);

/**
 * Sets the seed of a model (default 0): of its initial weights, dropout and shuffling. All weights
 * of the model are drawn anew from it, those of nested models and those that were trained or
 * assigned too, but not what layers learnt by cj_adapt(): set it first. One of CJ_OK, CJ_INVALID_ARGUMENT (NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_set_seed(cj_model *model, uint64_t seed);

/**
 * Sets a note on a model: a text under a name, which is saved with the model and means nothing to
 * the library. The program `cajal` sets "data", the data set that the model was trained on, and
 * "classes", the names of its classes, one a line. Both texts are copied; an empty `text` removes
 * the note. Notes on a model that is a layer of another are not saved. One of CJ_OK,
 * CJ_INVALID_ARGUMENT (a NULL; an empty name; what is not UTF-8; another thread uses the model),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_set_note(cj_model *model, const char *name, const char *text);
/**
 * The text of a note; NULL if there is none of that name. It is the model's, and valid until the
 * note is set to another text.
 */
CJ_API const char *cj_model_note(const cj_model *model, const char *name);

/**
 * Draws all weights anew from the model's seed; what layers learnt by cj_adapt() stays. One of CJ_OK, CJ_INVALID_ARGUMENT (NULL),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_reset_weights(cj_model *model);

/** The arguments of cj_model_summary(). */
typedef struct cj_summary_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * the columns that the table may take; default 76, Keras's for a terminal of 80. As in Keras it
     * takes at most 88, or 108 with the column "Connected to", and 12 more with show_trainable.
     */
    int64_t width;
    bool show_trainable; ///< default false; true: a column says which layers train
    bool expand_nested;  ///< default false; true: a nested model's layers follow its row
} cj_summary_args;
/** The defaults of cj_summary_args. */
#define CJ_SUMMARY_DEFAULTS .size = sizeof(cj_summary_args), .width = 76
/** Sets `args` to CJ_SUMMARY_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_summary_defaults(cj_summary_args *args);
/**
 * Prints Keras's table: layer (type), output shape, number of parameters, and the totals. One of
 * CJ_OK, CJ_INVALID_ARGUMENT (NULL, or a width that no table fits), CJ_IO, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_model_summary_with(cj_model *model, FILE *stream, const cj_summary_args *args);
/** `cj_model_summary(model, stdout, .show_trainable = true)`. */
#define cj_model_summary(model, ...)     \
    cj_model_summary_with(               \
        model, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_summary_args){CJ_SUMMARY_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
