/**
 * @file numbers.h
 * Lists of numbers of any length as settings, such as the means that a Normalization is given.
 */
#ifndef CAJAL_NUMBERS_H
#define CAJAL_NUMBERS_H

#include <cajal/base.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** `count` numbers at `values`; none if `count` is 0. What is given them copies the numbers. */
typedef struct cj_numbers {
    const double *values; ///< the caller's; may be NULL if `count` is 0
    int64_t count;        ///< not negative
} cj_numbers;

/** A list written in place, in C: `.mean = CJ_NUMBERS(0.5, 0.25)`; it lives as long as its block. */
#define CJ_NUMBERS(...)                          \
    ((cj_numbers){(const double[]){__VA_ARGS__}, \
                  (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double))})

#ifdef __cplusplus
}
#endif
#endif
