/**
 * @file clone.h
 * Models made again: the same architecture with weights of its own.
 */
#ifndef CAJAL_CLONE_H
#define CAJAL_CLONE_H

#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_clone(). */
typedef struct cj_clone_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * seed of the first weights, of dropout and of shuffling, as in cj_model_set_seed(); default -1:
     * the model's own, so that the clone begins with the weights that the model began with
     */
    int64_t seed;
    bool weights; ///< default false; true: the clone has the model's weights as they are now
    /**
     * default false: the clone is not compiled; true: it is compiled as the model was, with the same
     * settings and threads, and the optimizer's state begins anew
     */
    bool compile;
    const char *name; ///< default NULL: the model's name
} cj_clone_args;
/** The defaults of cj_clone_args. */
#define CJ_CLONE_DEFAULTS .size = sizeof(cj_clone_args), .seed = -1
/** Sets `args` to CJ_CLONE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_clone_defaults(cj_clone_args *args);
/**
 * A new model of the same architecture, as Keras's `clone_model()`: every layer is made again from its
 * settings, with its name, dtype policy and trainable flag, and shares nothing with the old one. A
 * layer that several places of the model share is made once and shared by the same places. Models in
 * the model, wrapped layers, layers of programs' own and operators between layers are made again too.
 * Notes are copied, and so is what layers learnt by cj_adapt(). States of stateful layers begin anew.
 *
 * A variable that a functional model reads by an operator, without a layer, is the same in both models.
 *
 * @param model any model, built or not, compiled or not; it stays as it is
 * @param args  see cj_clone_args
 * @return a floating model, as from every constructor. NULL with CJ_INVALID_ARGUMENT (NULL, a seed
 *         below -1, a name that is none, another thread changes the model), CJ_NOT_BUILT (`compile`,
 *         and the model is not compiled), or CJ_OUT_OF_MEMORY.
 *
 * Several threads may clone one model, also while others predict with it; not while it is trained.
 */
CJ_API cj_model *cj_clone_new(const cj_model *model, const cj_clone_args *args);
/** `cj_clone(model, .seed = fold, .compile = true)`. */
#define cj_clone(...)                      \
    cj_clone_new(CJ__HEAD(__VA_ARGS__, ~), \
                 &(cj_clone_args){CJ_CLONE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Copies the weights of a model into another one of the same architecture, as Keras's
 * `model.set_weights(source.get_weights())`: weights are matched by their order. Moving averages and
 * the numbers of a Normalization are weights, as in Keras; vocabularies, the optimizer's state and the
 * states of stateful layers are not. Nothing changes on failure.
 *
 * @param model  receives the weights; it may be compiled or not
 * @param source gives them; it stays as it is
 * @return CJ_OK; CJ_INVALID_ARGUMENT (a NULL; another thread uses one of the models); CJ_NOT_BUILT
 *         (a model has no weights yet); CJ_SHAPE_MISMATCH (another number of weights, or one of another
 *         shape); CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_copy_weights(cj_model *model, const cj_model *source);

/**
 * Loads those weights of a model file that the model has too, by their paths ("dense/kernel") and in the
 * same shapes, as Keras's `model.load_weights(path, skip_mismatch=True)`: for a trained network with
 * another last layer. The others stay as they are, and each is told as a warning
 * (cj_set_warning_handler()). Nothing changes on failure.
 *
 * @param loaded receives how many weights were loaded, 0 after a failure; may be NULL
 * @return CJ_OK, also where nothing matches; else as cj_load_weights().
 */
CJ_API cj_status cj_load_matching_weights(cj_model *model, const char *path, int *loaded);

#ifdef __cplusplus
}
#endif
#endif
