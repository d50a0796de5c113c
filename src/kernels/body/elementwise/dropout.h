// Dropout: y[i] = x[i] / (1 - rate) where word i of the Philox stream (base/random.h) is >= rate
// 2^32, else 0.
//
// The words of several counters are made side by side: a vector holds one of the four words of a
// counter in each of its 64-bit lanes, since a round needs whole products of 32-bit words. Their
// upper halves may hold anything until the end: products look at the lower halves, and exclusive or
// keeps the halves apart. All of it is integer arithmetic, so the mask is the same for every
// instruction set.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_DROPOUT_H
#define CJ_KERNELS_BODY_ELEMENTWISE_DROPOUT_H

enum { WORD_LANES = VEC_BYTES / 8, CHAINS = 4, BLOCKS = CHAINS * WORD_LANES };

// Words 0 and 1, and 2 and 3, of each block as they lie in the stream.
ALWAYS_INLINE void philox_store(word_vec c0, word_vec c1, word_vec c2, word_vec c3, uint32_t *words)
{
    const word_vec low = (word_vec){0} + 0xffffffffu;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    const word_vec front = c0 << 32 | (c1 & low), back = c2 << 32 | (c3 & low);
#else
    const word_vec front = (c0 & low) | c1 << 32, back = (c2 & low) | c3 << 32;
#endif
    const word_vec first = INTERLEAVE_WORDS_LOW(front, back),
                   second = INTERLEAVE_WORDS_HIGH(front, back);
    memcpy(words, &first, sizeof first);
    memcpy(words + VEC_BYTES / 4, &second, sizeof second);
}

// words[4 * b + w] is word w of block first + b. Several chains of rounds at once hide the latency
// of products.
static void philox_blocks(uint64_t key, uint64_t step, uint64_t first, uint32_t words[4 * BLOCKS])
{
    word_vec c0[CHAINS], c1[CHAINS], c2[CHAINS], c3[CHAINS], place;
    for (uint64_t i = 0; i < WORD_LANES; i++)
        place[i] = first + i;
    UNROLL
    for (int n = 0; n < CHAINS; n++) {
        c0[n] = place + (uint64_t)(n * WORD_LANES);
        c1[n] = c0[n] >> 32;
        c2[n] = (word_vec){0} + step;
        c3[n] = c2[n] >> 32;
    }
    const word_vec m0 = (word_vec){0} + 0xD2511F53u, m1 = (word_vec){0} + 0xCD9E8D57u;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        UNROLL
        for (int n = 0; n < CHAINS; n++) {
            const word_vec p0 = word_multiply(m0, c0[n]), p1 = word_multiply(m1, c2[n]);
            c0[n] = p1 >> 32 ^ c1[n] ^ (uint64_t)k0;
            c2[n] = p0 >> 32 ^ c3[n] ^ (uint64_t)k1;
            c1[n] = p1;
            c3[n] = p0;
        }
    }
    UNROLL
    for (int n = 0; n < CHAINS; n++)
        philox_store(c0[n], c1[n], c2[n], c3[n], words + 4 * n * WORD_LANES);
}

// By masks of bits: a branch would be mispredicted half the time, and a product would keep NaN.
ALWAYS_INLINE void keep_some(int64_t count, const uint32_t *words, uint32_t limit, real scale,
                             const real *x, real *y)
{
    for (int64_t j = 0; j < count; j++) {
        const real kept = x[j] * scale;
        lane_int bits;
        memcpy(&bits, &kept, sizeof bits);
        bits &= -(lane_int)(words[j] >= limit);
        memcpy(&y[j], &bits, sizeof bits);
    }
}

static void dropout(int64_t first, int64_t n, uint64_t key, uint64_t step, double rate,
                    const void *x, void *y)
{
    const real *from = x;
    real *to = y;
    const real scale = (real)(rate < 1 ? 1 / (1 - rate) : 0);
    const double threshold = ceil(rate * 4294967296.0);
    const bool none = threshold > 4294967295.0;
    const uint32_t limit = none ? 0 : (uint32_t)threshold;
    if (none) {
        memset(y, 0, (size_t)n * sizeof(real));
        return;
    }
    uint32_t words[4 * BLOCKS];
    for (int64_t i = 0, count; i < n; i += count) {
        const int64_t into = (first + i) % 4; // only the first block may begin in the middle
        philox_blocks(key, step, (uint64_t)(first + i) / 4, words);
        count = min(n - i, 4 * BLOCKS - into);
        keep_some(count, words + into, limit, scale, from + i, to + i);
    }
}

#endif
