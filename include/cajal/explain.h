/**
 * @file explain.h
 * Numbers that explain themselves: how a model came to an output, multiplication by multiplication.
 */
#ifndef CAJAL_EXPLAIN_H
#define CAJAL_EXPLAIN_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_explain(). */
typedef struct cj_explain_args {
    size_t size;       ///< bytes of the struct
    int _;             ///< what follows may be given by position
    const char *layer; ///< only this layer; default NULL: all
    /** the element to derive of that layer's output, else of the last; default: the largest */
    int64_t index[CJ_MAX_RANK];
    bool has_index;   ///< default false; true: `index` counts
    int64_t max_rows; ///< longer arrays are shortened; default 12
    /**
     * default false; true: instead of one element, each one of that layer's output is derived, at most
     * 1000 of them; not with has_index
     */
    bool every;
} cj_explain_args;
/** The defaults of cj_explain_args. */
#define CJ_EXPLAIN_DEFAULTS .size = sizeof(cj_explain_args), .max_rows = 12
/** Sets `args` to CJ_EXPLAIN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_explain_defaults(cj_explain_args *args);
/**
 * Prints, for each layer, its input and output for one sample (without or with a batch axis of 1),
 * and for one output element the window, the kernel, each product, their sum, the bias and the
 * activation. `inputs` has a tensor for each input of the model, converted to its dtype. What is
 * derived is compared with what the model computed. Under the dtype policy mixed_bfloat16 inputs,
 * variables and outputs are those that the layer computes with, rounded. Layers inside nested
 * models are shown by their path, "inner/dense"; a model among the layers is shown whole if `layer`
 * names it. Needs no compile. CJ_NOT_FOUND (no layer of that name), CJ_INVALID_ARGUMENT (an index
 * outside, or one with `every`; more than 1000 elements for `every`; an input layer), CJ_SHAPE_MISMATCH, CJ_NOT_BUILT, CJ_UNSUPPORTED (a fixed batch size
 * above 1; or a derivation that differs from the computed value by more than float32's rounding,
 * which would be an error in this library), CJ_IO, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_explain_with(cj_model *model, cj_tensor *const *inputs, FILE *stream,
                                 const cj_explain_args *args);
/**
 * `cj_explain(model, (cj_tensor *[]){image}, stdout, .layer = "conv2d")`. Several inputs that are
 * written in place have parentheses around them: `((cj_tensor *[]){a, b})`.
 */
#define cj_explain(model, inputs, ...)                       \
    cj_explain_with(model, inputs, CJ__HEAD(__VA_ARGS__, ~), \
                    &(cj_explain_args){CJ_EXPLAIN_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
