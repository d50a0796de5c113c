// The distance table: distances between a panel of queries and rows of samples, for each
// instruction set.
//
//   l2, of bytes or floats   d[j][i] = sum over p of (q[i][p] - x[j][p])^2 (no root: the order is
//                            the same)
//   l1, of bytes or floats   d[j][i] = sum over p of |q[i][p] - x[j][p]|
//
// q is (count, width) and x is (rows, width), both contiguous; d is (rows, CJ__PANEL) doubles, of
// which the first `count` columns are meant and all may be written. Up to CJ__PANEL queries are
// packed once into a *panel*, the way their table wants them, and are then held against as many
// rows as one likes, which are read where they lie.
//
// Distances between bytes are exact whatever the width: sums are taken in integers, in pieces short
// enough for their lanes, and pieces are added in double, which holds every integer up to 2^53.
// Distances between floats are sums of directly taken differences, in float over pieces of
// CJ__FLOAT_PIECE elements, which are added in double. The sum of a pair never depends on what else
// the panel or the block holds.
#ifndef CJ_KERNELS_DISTANCES_H
#define CJ_KERNELS_DISTANCES_H

#include <stddef.h>
#include <stdint.h>

enum { CJ__PANEL = 64, CJ__FLOAT_PIECE = 512 };

// Which distance, of which elements: name, dtype of the elements, bytes of one.
#define CJ__DISTANCES(F) \
    F(u8_l2, uint8_t)    \
    F(u8_l1, uint8_t)    \
    F(f32_l2, float)     \
    F(f32_l1, float)

typedef enum cj__distance {
#define CJ__ROW(name, element) CJ__DISTANCE_##name,
    CJ__DISTANCES(CJ__ROW)
#undef CJ__ROW
        CJ__DISTANCE_COUNT
} cj__distance;

typedef struct cj__distance_kernel {
    // Bytes of a panel; it is aligned to 64.
    size_t (*panel_size)(int64_t width);
    void (*pack)(int64_t count, int64_t width, const void *q, void *panel);
    // `centred` has for each row of bytes the sum over p of (x[j][p] - 128)^2, for u8_l2; NULL for
    // the others.
    void (*run)(int64_t count, int64_t rows, int64_t width, const void *panel, const void *x,
                const int64_t *centred, double *d);
} cj__distance_kernel;

typedef struct cj__distances {
    const char *isa; // "ref", "baseline", "avx2", "avx512", "avx512vnni"
    cj__distance_kernel of[CJ__DISTANCE_COUNT];
    // centred[j] = sum over p of (x[j][p] - 128)^2.
    void (*centre)(int64_t rows, int64_t width, const uint8_t *x, int64_t *centred);
    // any[j] = whether some d[j][i] is not >= threshold[i], over all CJ__PANEL columns; a threshold
    // of NaN lets all pass.
    void (*any_below)(int64_t rows, const double *d, const double *threshold, uint8_t *any);
} cj__distances;

// The tables that this machine and CAJAL_ISA allow, from plain C (index 0) to the best; NULL
// beyond.
const cj__distances *cj__distances_at(int index);
const cj__distances *cj__distances_best(void);

// All that the files of an instruction set export: data, for no code of theirs may run before the
// choice.
extern const cj__distances cj__distances_ref;
extern const cj__distances cj__distances_baseline;
#ifdef __x86_64__
extern const cj__distances cj__distances_avx2;
extern const cj__distances cj__distances_avx512;
extern const cj__distances cj__distances_avx512vnni;
#endif

#endif
