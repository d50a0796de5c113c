/**
 * @file explain_loss.h
 * What two losses say to the scores of classes, worked out number by number.
 */
#ifndef CAJAL_EXPLAIN_LOSS_H
#define CAJAL_EXPLAIN_LOSS_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_explain_loss(). */
typedef struct cj_explain_loss_args {
    size_t size;   ///< bytes of the struct
    int _;         ///< what follows may be given by position
    int64_t label; ///< the right class; default 0
    double margin; ///< of the hinge loss; default 1
    /** names of the classes, class_count of them; default NULL: their numbers */
    const char *const *class_names;
    int64_t class_count; ///< length of class_names
    /**
     * default false; true: the scores are probabilities, as softmax makes them; their logarithms are
     * taken, which are the scores less one number that is the same for all classes
     */
    bool probabilities;
} cj_explain_loss_args;
/** The defaults of cj_explain_loss_args. */
#define CJ_EXPLAIN_LOSS_DEFAULTS .size = sizeof(cj_explain_loss_args), .margin = 1
/** Sets `args` to CJ_EXPLAIN_LOSS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_explain_loss_defaults(cj_explain_loss_args *args);
/**
 * Prints the scores s of one sample, one class a line, and how they become a loss: the hinge loss of
 * several classes (Weston and Watkins 1999), the sum over wrong classes j of max(0, s_j - s_label +
 * margin); and softmax with cross-entropy, -log(exp(s_label) / sum over j of exp(s_j)), computed with the
 * greatest score taken from all, so that no exponential overflows.
 *
 * @param scores (classes) or (1, classes), numbers of any dtype
 * @param stream where to print
 * @param args   see cj_explain_loss_args
 * @return CJ_OK; CJ_INVALID_ARGUMENT (NULL; a label that is no class; a margin that is negative or not
 *         finite; a name that is NULL, or not one for each class; a score that is not finite;
 *         probabilities that are not from 0 to 1); CJ_SHAPE_MISMATCH; CJ_IO; CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_explain_loss_with(const cj_tensor *scores, FILE *stream,
                                      const cj_explain_loss_args *args);
/** `cj_explain_loss(scores, stdout, .label = 3)`. */
#define cj_explain_loss(scores, ...)      \
    cj_explain_loss_with(                 \
        scores, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_explain_loss_args){CJ_EXPLAIN_LOSS_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
