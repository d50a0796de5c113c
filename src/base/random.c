// Philox4x32-10 and what is made from it.
#include "base/random.h"

#include <math.h>

void cj__philox(uint64_t key, uint64_t step, uint64_t index, uint32_t words[4])
{
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

// The hash of the consumer's name is the step of the counter, so that each consumer has a key of its
// own.
uint64_t cj__key(uint64_t seed, const char *consumer)
{
    uint64_t hash = 0xCBF29CE484222325u; // FNV-1a (Fowler, Noll, Vo), 64 bits
    for (const char *c = consumer; c != 0 && *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001B3u;
    uint32_t words[4];
    cj__philox(seed, hash, 0, words);
    return (uint64_t)words[1] << 32 | words[0];
}

uint32_t cj__random_word(uint64_t key, uint64_t step, uint64_t index)
{
    uint32_t words[4];
    cj__philox(key, step, index / 4, words);
    return words[index % 4];
}

double cj__random_uniform(uint64_t key, uint64_t step, uint64_t index)
{
    return (cj__random_word(key, step, index) >> 8) * 0x1p-24;
}

void cj__random_normals(uint64_t key, uint64_t step, uint64_t block, double four[4])
{
    uint32_t words[4];
    cj__philox(key, step, block, words);
    for (int i = 0; i < 4; i += 2) {
        // of a number in (0, 1]: the logarithm is finite
        const double radius = sqrt(-2 * log((words[i] + 1.0) * 0x1p-32));
        const double angle = 6.283185307179586476925 * (words[i + 1] * 0x1p-32);
        four[i] = radius * cos(angle);
        four[i + 1] = radius * sin(angle);
    }
}

double cj__random_normal(uint64_t key, uint64_t step, uint64_t index)
{
    double four[4];
    cj__random_normals(key, step, index / 4, four);
    return four[index % 4];
}

void cj__random_order(uint64_t key, uint64_t step, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    uint32_t words[4] = {0};
    for (int64_t i = count - 1; i > 0; i--) {
        uint64_t drawn = (uint64_t)(count - 1 - i);
        if (drawn % 2 == 0)
            cj__philox(key, step, drawn / 2, words);
        uint64_t word = (uint64_t)words[drawn % 2 * 2 + 1] << 32 | words[drawn % 2 * 2];
        // 64 bits: the bias of the remainder is below 2^-32
        int64_t other = (int64_t)(word % (uint64_t)(i + 1));
        int64_t swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
    }
}
