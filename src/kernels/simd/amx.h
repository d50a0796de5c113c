// The words for AMX's tiles beside those of bf16.h. A thread has eight tile registers, named by
// literal numbers; a tile is 16 rows of 64 bytes, in memory `step` bytes apart.
//
//   tiles_begin(), tiles_end()      around all other words; what the registers hold ends with
//                                   tiles_end()
//   TILE_ZERO(t)
//   TILE_LOAD(t, from, step), TILE_STORE(t, to, step)
//   TILE_DOT(sum, a, b)             sum[i][j] += sum over p of a[i][p].first b[p][j].first +
//                                   a[i][p].second b[p][j].second, sums in float, a and b in pairs;
//                                   denormals count as 0, and results are never denormal
#ifndef CJ_KERNELS_SIMD_AMX_H
#define CJ_KERNELS_SIMD_AMX_H

#include <immintrin.h>

enum { TILE_ROWS = 16, TILE_WORDS = 16 * 16 };

typedef struct tile_shapes { // as the processor reads it
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

ALWAYS_INLINE void tiles_begin(void)
{
    static const tile_shapes whole = {.palette = 1,
                                      .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                      .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&whole);
}

ALWAYS_INLINE void tiles_end(void)
{
    _tile_release();
}

// gcc's loads do not say that they read memory, so what was stored has to be told to be there.
#define TILE_LOAD(t, from, step)           \
    do {                                   \
        __asm__ volatile("" ::: "memory"); \
        _tile_loadd(t, from, step);        \
    } while (0)
#define TILE_STORE(t, to, step) _tile_stored(t, to, step)
#define TILE_ZERO(t)            _tile_zero(t)
#define TILE_DOT(sum, a, b)     _tile_dpbf16ps(sum, a, b)

#endif
