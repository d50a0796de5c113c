// NumPy's shuffle; see twister.c.
#ifndef CJ_DATA_TWISTER_H
#define CJ_DATA_TWISTER_H

#include <stdint.h>

// Writes the numbers 0 .. count - 1 in the order of numpy.random.RandomState(seed).shuffle; count is
// at most 2^32.
void cj__numpy_order(uint32_t seed, int64_t *order, int64_t count);

#endif
