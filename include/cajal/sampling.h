/**
 * @file sampling.h
 * Choosing the next token of a text from what a language model says of all.
 */
#ifndef CAJAL_SAMPLING_H
#define CAJAL_SAMPLING_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_sample(). */
typedef struct cj_sample_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** scores are divided by it; default 1; below 1 likely tokens become likelier; 0: the greatest
     * score wins, the first of equal ones */
    double temperature;
    int64_t top_k; ///< only the k greatest scores count; default 0: all
    double top_p;  ///< only the likeliest tokens, up to this share in all; default 1: all
    bool logits;   ///< default false: scores are probabilities; true: logits
    uint64_t seed; ///< default 0
    uint64_t step; ///< default 0: the number of the token; each seed and step draws anew
} cj_sample_args;
/** The defaults of cj_sample_args. */
#define CJ_SAMPLE_DEFAULTS .size = sizeof(cj_sample_args), .temperature = 1, .top_p = 1
/** Sets `args` to CJ_SAMPLE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_sample_defaults(cj_sample_args *args);
/**
 * Draws a token from its scores. Of several rows, such as (1, steps, tokens), the last one counts.
 * First the temperature; then the k greatest scores, the first of equal ones; then, of their softmax,
 * the likeliest tokens until their probabilities add up to top_p, at least one (Holtzman et al. 2020,
 * "The Curious Case of Neural Text Degeneration"). What is left is drawn from by one number of
 * Philox4x32-10, which is a function of seed and step: the same scores give the same token.
 *
 * @param scores float32 or float64, at least one axis: probabilities as a softmax gives them, which
 *        need not add up to 1, or logits
 * @param token the index of the token, from 0
 *
 * CJ_INVALID_ARGUMENT (NULL, no scores, another dtype, a negative temperature or top_k, top_p that is
 * not above 0 and at most 1), CJ_NOT_FINITE (a score that is NaN, a negative probability, or none that
 * is above 0), CJ_OUT_OF_MEMORY. Any thread may call it.
 */
CJ_API cj_status cj_sample_with(const cj_tensor *scores, int64_t *token,
                                const cj_sample_args *args);
/** `cj_sample(answer, &token, .temperature = 0.8, .top_k = 40, .seed = 1, .step = i)`. */
#define cj_sample(scores, ...)                       \
    cj_sample_with(scores, CJ__HEAD(__VA_ARGS__, ~), \
                   &(cj_sample_args){CJ_SAMPLE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
