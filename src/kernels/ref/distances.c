// Plain C distances: the truth. A panel is the queries as they are.
#include "kernels/distances.h"
#include <math.h>
#include <string.h>

#define PACKING(name, element)                                                        \
    static size_t panel_size_##name(int64_t width)                                    \
    {                                                                                 \
        return (size_t)(CJ__PANEL * width) * sizeof(element);                         \
    }                                                                                 \
    static void pack_##name(int64_t count, int64_t width, const void *q, void *panel) \
    {                                                                                 \
        memcpy(panel, q, (size_t)(count * width) * sizeof(element));                  \
    }
CJ__DISTANCES(PACKING)
#undef PACKING

// d[j][i] = sum of `term`, in which a and b are the elements. Differences of bytes are at most 255,
// so their sums are exact in double up to widths of 2^37.
#define RUN(name, element, term)                                                          \
    static void run_##name(int64_t count, int64_t rows, int64_t width, const void *panel, \
                           const void *x, const int64_t *centred, double *d)              \
    {                                                                                     \
        (void)centred;                                                                    \
        for (int64_t j = 0; j < rows; j++)                                                \
            for (int64_t i = 0; i < count; i++) {                                         \
                double sum = 0;                                                           \
                for (int64_t p = 0; p < width; p++) {                                     \
                    const double a = (double)((const element *)panel)[i * width + p];     \
                    const double b = (double)((const element *)x)[j * width + p];         \
                    sum += term;                                                          \
                }                                                                         \
                d[j * CJ__PANEL + i] = sum;                                               \
            }                                                                             \
    }
RUN(u8_l2, uint8_t, (a - b) * (a - b))
RUN(u8_l1, uint8_t, fabs(a - b))
RUN(f32_l2, float, (a - b) * (a - b))
RUN(f32_l1, float, fabs(a - b))
#undef RUN

static void centre(int64_t rows, int64_t width, const uint8_t *x, int64_t *centred)
{
    for (int64_t j = 0; j < rows; j++) {
        centred[j] = 0;
        for (int64_t p = 0; p < width; p++)
            centred[j] += (int64_t)(x[j * width + p] - 128) * (x[j * width + p] - 128);
    }
}

static void any_below(int64_t rows, const double *d, const double *threshold, uint8_t *any)
{
    for (int64_t j = 0; j < rows; j++) {
        any[j] = 0;
        for (int i = 0; i < CJ__PANEL; i++)
            if (!(d[j * CJ__PANEL + i] >= threshold[i]))
                any[j] = 1;
    }
}

const cj__distances cj__distances_ref = {
    .isa = "ref",
#define ROW(name, element) .of[CJ__DISTANCE_##name] = {panel_size_##name, pack_##name, run_##name},
    CJ__DISTANCES(ROW)
#undef ROW
        .centre = centre,
    .any_below = any_below,
};
