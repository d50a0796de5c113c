// See hash.h. Numbers are read as little-endian ones, whatever the machine is.
#include "base/hash.h"

#include <string.h>

// Fingerprint64 mixes by these odd numbers, with primes among them.
#define K0 UINT64_C(0xc3a5c85c97cb3127)
#define K1 UINT64_C(0xb492b66fbe98f273)
#define K2 UINT64_C(0x9ae16a3b2f90404f)

static uint64_t read64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static uint64_t read32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    return value;
}

static uint64_t rotate_right(uint64_t value, int by)
{
    return value >> by | value << (64 - by);
}

static uint64_t fold(uint64_t value)
{
    return value ^ (value >> 47);
}

static uint64_t mix_two(uint64_t u, uint64_t v, uint64_t by)
{
    const uint64_t a = fold((u ^ v) * by);
    return fold((v ^ a) * by) * by;
}

static uint64_t short_text(const unsigned char *s, size_t n)
{
    const uint64_t by = K2 + n * 2;
    if (n >= 8) {
        const uint64_t a = read64(s) + K2, b = read64(s + n - 8);
        return mix_two(rotate_right(b, 37) * by + a, (rotate_right(a, 25) + b) * by, by);
    }
    if (n >= 4)
        return mix_two(n + (read32(s) << 3), read32(s + n - 4), by);
    if (n > 0) {
        const uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8);
        const uint32_t z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
        return fold(y * K2 ^ z * K0) * K2;
    }
    return K2;
}

static uint64_t text_to_32(const unsigned char *s, size_t n)
{
    const uint64_t by = K2 + n * 2, a = read64(s) * K1, b = read64(s + 8),
                   c = read64(s + n - 8) * by, d = read64(s + n - 16) * K2;
    return mix_two(rotate_right(a + b, 43) + rotate_right(c, 30) + d,
                   a + rotate_right(b + K2, 18) + c, by);
}

static uint64_t text_to_64(const unsigned char *s, size_t n)
{
    const uint64_t by = K2 + n * 2, a = read64(s) * K2, b = read64(s + 8),
                   c = read64(s + n - 8) * by, d = read64(s + n - 16) * K2;
    const uint64_t y = rotate_right(a + b, 43) + rotate_right(c, 30) + d;
    const uint64_t z = mix_two(y, a + rotate_right(b + K2, 18) + c, by);
    const uint64_t e = read64(s + 16) * by, f = read64(s + 24), g = (y + read64(s + n - 32)) * by,
                   h = (z + read64(s + n - 24)) * by;
    return mix_two(rotate_right(e + f, 43) + rotate_right(g, 30) + h,
                   e + rotate_right(f + a, 18) + g, by);
}

typedef struct pair {
    uint64_t first, second;
} pair;

// 32 bytes and two seeds.
static pair mix_32(const unsigned char *s, uint64_t a, uint64_t b)
{
    const uint64_t w = read64(s), x = read64(s + 8), y = read64(s + 16), z = read64(s + 24);
    a += w;
    b = rotate_right(b + a + z, 21);
    const uint64_t c = a;
    a += x + y;
    b += rotate_right(a, 44);
    return (pair){a + z, b + c};
}

// The state of a long text: 64 bytes go into it at a time.
typedef struct state {
    uint64_t x, y, z;
    pair v, w;
} state;

// `by` and `times` are K1 and 1 but for the last 64 bytes.
static void mix_64(state *t, const unsigned char *s, uint64_t by, uint64_t times)
{
    t->x = rotate_right(t->x + t->y + t->v.first + read64(s + 8), 37) * by;
    t->y = rotate_right(t->y + t->v.second + read64(s + 48), 42) * by;
    t->x ^= t->w.second * times;
    t->y += t->v.first * times + read64(s + 40);
    t->z = rotate_right(t->z + t->w.first, 33) * by;
    t->v = mix_32(s, t->v.second * by, t->x + t->w.first);
    t->w = mix_32(s + 32, t->z + t->w.second, t->y + read64(s + 16));
    const uint64_t z = t->z;
    t->z = t->x;
    t->x = z;
}

static uint64_t long_text(const unsigned char *s, size_t n)
{
    const uint64_t seed = 81;
    const unsigned char *const end = s + (n - 1) / 64 * 64, *const last = s + n - 64;
    state t = {.x = seed * K2 + read64(s), .y = seed * K1 + 113};
    t.z = fold(t.y * K2 + 113) * K2;
    for (; s != end; s += 64)
        mix_64(&t, s, K1, 1);
    const uint64_t by = K1 + ((t.z & 0xff) << 1);
    t.w.first += (n - 1) & 63;
    t.v.first += t.w.first;
    t.w.first += t.v.first;
    mix_64(&t, last, by, 9);
    return mix_two(mix_two(t.v.first, t.w.first, by) + fold(t.y) * K0 + t.z,
                   mix_two(t.v.second, t.w.second, by) + t.x, by);
}

uint64_t cj__fingerprint(const void *bytes, size_t count)
{
    return count <= 16 ? short_text(bytes, count) :
           count <= 32 ? text_to_32(bytes, count) :
           count <= 64 ? text_to_64(bytes, count) :
                         long_text(bytes, count);
}

uint64_t cj__fingerprint_pair(uint64_t first, uint64_t second)
{
    const uint64_t by = UINT64_C(0xc6a4a7935bd1e995);
    uint64_t result = first ^ by;
    result ^= fold(second * by) * by;
    result *= by;
    result = fold(result) * by;
    return fold(result);
}

static uint64_t rotate_left(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[2] = rotate_left(v[2], 32);
}

uint64_t cj__siphash(const uint64_t key[2], const void *bytes, size_t count)
{
    const unsigned char *s = bytes;
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)(count & 0xff) << 56;
    const size_t whole = count / 8;
    for (size_t i = 0; i <= whole; i++) {
        uint64_t word = last;
        if (i < whole)
            word = read64(s + i * 8);
        else
            for (size_t j = 0; j < count % 8; j++)
                word |= (uint64_t)s[i * 8 + j] << (8 * j);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
