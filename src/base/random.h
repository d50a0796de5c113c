// Random numbers by counting: Philox4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy
// as 1, 2, 3"). A number is a pure function of a 64-bit key and a 128-bit counter, so there is no
// state: a consumer owns a key, and counts by step and by element. The same numbers come out on
// every machine, in any order, on any number of threads.
#ifndef CJ_BASE_RANDOM_H
#define CJ_BASE_RANDOM_H

#include <stdint.h>

// The four words of block `index` of `step` under `key`: counter = (index low, index high, step
// low, step high).
void cj__philox(uint64_t key, uint64_t step, uint64_t index, uint32_t words[4]);

// A key for one consumer (a layer's dropout, a variable's initial values, the shuffling of an
// epoch) from a seed.
uint64_t cj__key(uint64_t seed, const char *consumer);

// Element `index` of the stream: word index % 4 of block index / 4.
uint32_t cj__random_word(uint64_t key, uint64_t step, uint64_t index);

// In [0, 1) with 24 bits, as float kernels use it: (word >> 8) * 2^-24.
double cj__random_uniform(uint64_t key, uint64_t step, uint64_t index);

// Standard normal by Box and Muller: elements 2k and 2k + 1 share the two uniform numbers of words
// 2k, 2k + 1.
double cj__random_normal(uint64_t key, uint64_t step, uint64_t index);
// Elements 4 block .. 4 block + 3 of the same, at half the cost.
void cj__random_normals(uint64_t key, uint64_t step, uint64_t block, double four[4]);

// Writes a random order of 0 .. count - 1 (Fisher and Yates).
void cj__random_order(uint64_t key, uint64_t step, int64_t *order, int64_t count);

#endif
