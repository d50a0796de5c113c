/**
 * @file ops_random.h
 * Random operators, as keras.random has them: numbers that are a function of a seed, of a step and of
 * an element's place, the same on every machine and for any number of threads.
 *
 * `seed` tells streams apart, as an integer seed does in Keras. `step` is an int64 scalar that is another
 * one in each run, such as a variable that counts; NULL means 0, and then every run draws the same
 * numbers. Where Keras takes a shape, these take a symbol `like`, of which only the shape and the dtype
 * count (float32 if it is of integers), so that its free axis may be theirs; cj_op_zeros() makes one.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (a number out of range), CJ_SHAPE_MISMATCH (shapes or dtypes
 * that do not fit), CJ_OUT_OF_MEMORY, or the first cause where an argument is NULL. No gradient passes,
 * but through what is shuffled or dropped. A function may be called by several threads for different
 * symbols.
 */
#ifndef CAJAL_OPS_RANDOM_H
#define CAJAL_OPS_RANDOM_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Uniform in minval .. maxval, without maxval; in 24 bits. */
CJ_API cj_symbol *cj_op_random_uniform(cj_symbol *like, double minval, double maxval, uint64_t seed,
                                       cj_symbol *step);
/** Normal with a mean and a standard deviation. */
CJ_API cj_symbol *cj_op_random_normal(cj_symbol *like, double mean, double stddev, uint64_t seed,
                                      cj_symbol *step);
/** The same without what is more than two standard deviations from the mean. */
CJ_API cj_symbol *cj_op_random_truncated_normal(cj_symbol *like, double mean, double stddev,
                                                uint64_t seed, cj_symbol *step);
/** int32 in minval .. maxval - 1, each as likely. */
CJ_API cj_symbol *cj_op_random_randint(cj_symbol *like, int64_t minval, int64_t maxval,
                                       uint64_t seed, cj_symbol *step);
/**
 * int32 classes (batch, count), each drawn by itself with the probabilities softmax(logits), logits
 * (batch, classes).
 */
CJ_API cj_symbol *cj_op_random_categorical(cj_symbol *logits, int64_t count, uint64_t seed,
                                           cj_symbol *step);
/** Gamma with the density y^(alpha - 1) e^-y / Gamma(alpha), alpha > 0 for each element. */
CJ_API cj_symbol *cj_op_random_gamma(cj_symbol *alpha, uint64_t seed, cj_symbol *step);
/** Beta in 0 .. 1, with the density y^(alpha - 1) (1 - y)^(beta - 1) / B(alpha, beta). */
CJ_API cj_symbol *cj_op_random_beta(cj_symbol *alpha, cj_symbol *beta, uint64_t seed,
                                    cj_symbol *step);
/** How many of `counts` trials succeed, each with a probability: reals of one shape, or broadcast. */
CJ_API cj_symbol *cj_op_random_binomial(cj_symbol *counts, cj_symbol *probabilities, uint64_t seed,
                                        cj_symbol *step);
/** The entries along an axis of known length in a random order. */
CJ_API cj_symbol *cj_op_random_shuffle(cj_symbol *x, int axis, uint64_t seed, cj_symbol *step);
/** x / (1 - rate) with each element set to 0 with the probability `rate`, 0 .. 1. */
CJ_API cj_symbol *cj_op_random_dropout(cj_symbol *x, double rate, uint64_t seed, cj_symbol *step);

#ifdef __cplusplus
}
#endif
#endif
