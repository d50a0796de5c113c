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
 * data.
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
 * CJ_UNSUPPORTED or CJ_OUT_OF_MEMORY, or with the first cause if one of the symbols is NULL.
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

/** The number of inputs and of outputs; 0 before the model is built. */
CJ_API int cj_model_input_count(const cj_model *model);
/** The number of outputs; 0 before the model is built. */
CJ_API int cj_model_output_count(const cj_model *model);
/** The shape of input `index`, CJ_BATCH first; NULL if out of range. */
CJ_API const cj_shape *cj_model_input_shape(const cj_model *model, int index);
/** The shape of output `index`, CJ_BATCH first; NULL if out of range. */
CJ_API const cj_shape *cj_model_output_shape(const cj_model *model, int index);

/**
 * Sets the seed of a model (default 0): of its initial weights, dropout and shuffling. All weights
 * of the model are drawn anew from it, those of nested models and those that were trained or
 * assigned too: set it first.
 */
CJ_API cj_status cj_model_set_seed(cj_model *model, uint64_t seed);

/** Draws all weights anew from the model's seed. */
CJ_API cj_status cj_model_reset_weights(cj_model *model);

/** Prints Keras's table: layer (type), output shape, number of parameters, and the totals. */
CJ_API cj_status cj_model_summary(cj_model *model, FILE *stream);

#ifdef __cplusplus
}
#endif
#endif
