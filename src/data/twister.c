// NumPy's shuffle, so that a split by a seed takes the files that Keras takes. MT19937 as in
// Matsumoto and Nishimura 1998, "Mersenne Twister"; seeded by the generator of their initialization
// of 2002.
#include "data/twister.h"

enum { WORDS = 624, MIDDLE = 397 };

typedef struct twister {
    uint32_t words[WORDS];
    int at;
} twister;

static void start(twister *t, uint32_t seed)
{
    t->words[0] = seed;
    for (int i = 1; i < WORDS; i++) {
        const uint32_t last = t->words[i - 1];
        t->words[i] = 1812433253u * (last ^ (last >> 30)) + (uint32_t)i;
    }
    t->at = WORDS;
}

static void refill(twister *t)
{
    for (int i = 0; i < WORDS; i++) {
        const uint32_t both =
            (t->words[i] & 0x80000000u) | (t->words[(i + 1) % WORDS] & 0x7fffffffu);
        t->words[i] = t->words[(i + MIDDLE) % WORDS] ^ (both >> 1) ^ (both & 1 ? 0x9908b0dfu : 0);
    }
    t->at = 0;
}

static uint32_t next_word(twister *t)
{
    if (t->at == WORDS)
        refill(t);
    uint32_t y = t->words[t->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

// From 0 to `most`, by trying until a masked word is small enough.
static uint32_t next_within(twister *t, uint32_t most)
{
    uint32_t mask = most, value;
    for (int shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    do
        value = next_word(t) & mask;
    while (value > most);
    return value;
}

void cj__numpy_order(uint32_t seed, int64_t *order, int64_t count)
{
    twister t;
    start(&t, seed);
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = next_within(&t, (uint32_t)i), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}
