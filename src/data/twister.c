// NumPy's shuffle, so that a split by a seed takes the files that Keras takes. MT19937 as in
// Matsumoto and Nishimura 1998, "Mersenne Twister"; seeded by the generator of their initialization
// of 2002.
#include "data/twister.h"

enum { WORDS = CJ__TWISTER_WORDS, MIDDLE = 397 };

void cj__twister_start(cj__twister *t, uint32_t seed)
{
    t->words[0] = seed;
    for (int i = 1; i < WORDS; i++) {
        const uint32_t last = t->words[i - 1];
        t->words[i] = 1812433253u * (last ^ (last >> 30)) + (uint32_t)i;
    }
    t->at = WORDS;
}

static void refill(cj__twister *t)
{
    for (int i = 0; i < WORDS; i++) {
        const uint32_t both =
            (t->words[i] & 0x80000000u) | (t->words[(i + 1) % WORDS] & 0x7fffffffu);
        t->words[i] = t->words[(i + MIDDLE) % WORDS] ^ (both >> 1) ^ (both & 1 ? 0x9908b0dfu : 0);
    }
    t->at = 0;
}

static uint32_t next_word(cj__twister *t)
{
    if (t->at == WORDS)
        refill(t);
    uint32_t y = t->words[t->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

// By trying until a masked word is small enough.
uint32_t cj__twister_within(cj__twister *t, uint32_t most)
{
    uint32_t mask = most, value;
    for (int shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    do
        value = next_word(t) & mask;
    while (value > most);
    return value;
}

void cj__twister_shuffle(cj__twister *t, int64_t *items, int64_t count)
{
    for (int64_t i = count - 1; i > 0; i--) {
        const uint32_t j = cj__twister_within(t, (uint32_t)i);
        const int64_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}
