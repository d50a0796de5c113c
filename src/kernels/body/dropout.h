// Dropout: y[i] = x[i] / (1 - rate) where word i of the Philox stream (base/random.h) is >= rate 2^32, else 0.
//
// The words of BLOCKS counters are made side by side, in loops of fixed length over arrays, which compilers turn into
// vectors. All of it is integer arithmetic: the mask is the same for every instruction set.
enum { BLOCKS = 32 };

// words[4 * b + w] is word w of block first + b.
static void philox_blocks(uint64_t key, uint64_t step, uint64_t first, uint32_t words[4 * BLOCKS])
{
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (uint64_t b = 0; b < BLOCKS; b++) {
        c0[b] = (uint32_t)(first + b);
        c1[b] = (uint32_t)((first + b) >> 32);
        c2[b] = (uint32_t)step;
        c3[b] = (uint32_t)(step >> 32);
    }
    for (int round = 0; round < 10; round++) {
        for (int b = 0; b < BLOCKS; b++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[b], p1 = (uint64_t)0xCD9E8D57u * c2[b];
            c0[b] = (uint32_t)(p1 >> 32) ^ c1[b] ^ k0;
            c2[b] = (uint32_t)(p0 >> 32) ^ c3[b] ^ k1;
            c1[b] = (uint32_t)p1;
            c3[b] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int b = 0; b < BLOCKS; b++) {
        words[4 * b] = c0[b];
        words[4 * b + 1] = c1[b];
        words[4 * b + 2] = c2[b];
        words[4 * b + 3] = c3[b];
    }
}

static void dropout(int64_t first, int64_t n, uint64_t key, uint64_t step, double rate, const void *x, void *y)
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
        count = least(n - i, 4 * BLOCKS - into);
        for (int64_t j = 0; j < count; j++) {
            const real kept = from[i + j] * scale;
            to[i + j] = words[into + j] >= limit ? kept : 0;
        }
    }
}
