// NumPy's random numbers of old, so that what is mixed by a seed comes in the order that Keras's and
// scikit-learn's splits have.
#ifndef CJ_DATA_TWISTER_H
#define CJ_DATA_TWISTER_H

#include <cajal/base.h>

enum { CJ__TWISTER_WORDS = 624 };

// numpy.random.RandomState.
typedef struct cj__twister {
    uint32_t words[CJ__TWISTER_WORDS];
    int at;
} cj__twister;

void cj__twister_start(cj__twister *twister, uint32_t seed);
// A whole number from 0 to `most`.
uint32_t cj__twister_within(cj__twister *twister, uint32_t most);
// RandomState.shuffle() of an array; fewer than 2^32 items.
void cj__twister_shuffle(cj__twister *twister, int64_t *items, int64_t count);

#endif
