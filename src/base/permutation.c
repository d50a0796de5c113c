#include "base/permutation.h"

#include "base/random.h"

cj__permutation cj__permutation_of(uint64_t key, int64_t count)
{
    cj__permutation p = {.key = key, .count = count, .bits = 1};
    while (p.bits < 31 && (int64_t)1 << (2 * p.bits) < count)
        p.bits++;
    return p;
}

// A permutation of the numbers of 2 x bits bits: six rounds, each of which changes one half by what
// Philox makes of the other.
static uint64_t permute(const cj__permutation *p, uint64_t step, uint64_t number)
{
    enum { ROUNDS = 6 };
    const uint64_t mask = ((uint64_t)1 << p->bits) - 1;
    uint64_t left = number >> p->bits, right = number & mask;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint32_t words[4];
        cj__philox(p->key, step * ROUNDS + round, right, words);
        const uint64_t word = (uint64_t)words[0] << 32 | words[1];
        const uint64_t next = left ^ (word & mask);
        left = right;
        right = next;
    }
    return left << p->bits | right;
}

// What falls beyond the end is permuted again until it falls within: a permutation still.
int64_t cj__permuted(const cj__permutation *permutation, uint64_t step, int64_t index)
{
    uint64_t at = (uint64_t)index;
    do
        at = permute(permutation, step, at);
    while (at >= (uint64_t)permutation->count);
    return (int64_t)at;
}
