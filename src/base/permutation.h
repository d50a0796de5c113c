// Permutations of 0 to count - 1 that are computed entry by entry and kept nowhere: a Feistel network
// with Philox as its rounds (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains").
#ifndef CJ_BASE_PERMUTATION_H
#define CJ_BASE_PERMUTATION_H

#include <stdint.h>

typedef struct cj__permutation {
    uint64_t key;
    int64_t count;
    int bits; // of half a number
} cj__permutation;

// For 1 to 2^62 numbers.
cj__permutation cj__permutation_of(uint64_t key, int64_t count);
// Entry `index` of the permutation of step `step`.
int64_t cj__permuted(const cj__permutation *permutation, uint64_t step, int64_t index);

#endif
