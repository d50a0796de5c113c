// The transforms of Winograd's form, in registers; see winograd.h. Each is linear and takes a
// square m to L m L^T, so it is a line's transform L applied to every column and then to every row.
//
// The tile of 2 x 2 comes from the points 0, 1, -1 and infinity:
//
//         1  0 -1  0           1    0    0            1  1  1  0
//   B^T = 0  1  1  0     G =  1/2  1/2  1/2     A^T = 0  1 -1 -1
//         0 -1  1  0          1/2 -1/2  1/2
//         0  1  0 -1           0    0    1
//
// The tile of 4 x 4 comes from 0, a, -a, b, -b and infinity:
//
//         aabb   0  -aa-bb   0     1  0           n     0     0           1  1  1   1  1   0
//          0   -abb   -bb    a     1  0           p    pa    paa    A^T = 0  a  -a  b  -b  0
//   B^T =  0    abb   -bb   -a     1  0     G =   p   -pa    paa          0 aa  aa  bb  bb 0
//          0   -aab   -aa    b     1  0           q    qb    qbb          0 a^3 ..         1
//          0    aab   -aa   -b     1  0           q   -qb    qbb
//          0   aabb    0   -aa-bb  0  1           0     0     1
//
// with n = 1 / aabb, p = 1 / (2 aa (aa - bb)) and q = 1 / (2 bb (bb - aa)). The usual points 1 and
// 2 are not the best: numbers are multiplied by up to b^6 and divided again. With 3/4 and 3/2 the
// largest error is a quarter to a half of theirs, and A and B are exact.
#ifndef CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_TRANSFORMS_H
#define CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_TRANSFORMS_H

enum { SIDE_MAX = 4, PATCH_MAX = SIDE_MAX + 2, POSITIONS_MAX = PATCH_MAX * PATCH_MAX };

#define POINT_A  0.75
#define POINT_B  1.5
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)
#define SCALE_0  (1 / (SQUARE_A * SQUARE_B))
#define SCALE_A  (1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)))
#define SCALE_B  (1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A)))

typedef enum winograd_transform {
    TRANSFORM_INPUT,    // B^T d: a patch of x
    TRANSFORM_FILTER,   // G w
    TRANSFORM_OUTPUT,   // A^T m
    TRANSFORM_GRADIENT, // A dy
    TRANSFORM_BACK,     // B m: to a patch of dx
    TRANSFORM_TAPS,     // G^T s: to dw
} winograd_transform;

// k x + y
ALWAYS_INLINE vec scaled(double k, vec x, vec y)
{
    return vec_fma(vec_set((real)k), x, y);
}

ALWAYS_INLINE vec times(double k, vec x)
{
    return vec_set((real)k) * x;
}

ALWAYS_INLINE void line_of_two(const winograd_transform which, const vec x[PATCH_MAX],
                               vec y[PATCH_MAX])
{
    const vec x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    switch (which) {
    case TRANSFORM_INPUT:
        y[0] = x0 - x2;
        y[1] = x1 + x2;
        y[2] = x2 - x1;
        y[3] = x1 - x3;
        return;
    case TRANSFORM_FILTER: {
        const vec ends = times(0.5, x0 + x2), middle = times(0.5, x1);
        y[0] = x0;
        y[1] = ends + middle;
        y[2] = ends - middle;
        y[3] = x2;
        return;
    }
    case TRANSFORM_OUTPUT:
        y[0] = x0 + x1 + x2;
        y[1] = x1 - x2 - x3;
        return;
    case TRANSFORM_GRADIENT:
        y[0] = x0;
        y[1] = x0 + x1;
        y[2] = x0 - x1;
        y[3] = -x1;
        return;
    case TRANSFORM_BACK:
        y[0] = x0;
        y[1] = x1 - x2 + x3;
        y[2] = x1 + x2 - x0;
        y[3] = -x3;
        return;
    case TRANSFORM_TAPS: {
        const vec sum = times(0.5, x1 + x2);
        y[0] = x0 + sum;
        y[1] = times(0.5, x1 - x2);
        y[2] = sum + x3;
        return;
    }
    }
}

// Lines from a patch to a patch.
ALWAYS_INLINE void line_of_patch(const winograd_transform which, const vec x[PATCH_MAX],
                                 vec y[PATCH_MAX])
{
    const vec x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5];
    if (which == TRANSFORM_INPUT) {
        const vec even_a = scaled(-SQUARE_B, x2, x4), odd_a = scaled(-SQUARE_B, x1, x3);
        const vec even_b = scaled(-SQUARE_A, x2, x4), odd_b = scaled(-SQUARE_A, x1, x3);
        y[0] = scaled(SQUARE_A * SQUARE_B, x0, scaled(-SQUARE_A - SQUARE_B, x2, x4));
        y[1] = scaled(POINT_A, odd_a, even_a);
        y[2] = scaled(-POINT_A, odd_a, even_a);
        y[3] = scaled(POINT_B, odd_b, even_b);
        y[4] = scaled(-POINT_B, odd_b, even_b);
        y[5] = scaled(SQUARE_A * SQUARE_B, x1, scaled(-SQUARE_A - SQUARE_B, x3, x5));
        return;
    }
    const vec sum_a = x1 + x2, sum_b = x3 + x4, odd_a = times(POINT_A, x1 - x2),
              odd_b = times(POINT_B, x3 - x4);
    y[0] = times(SQUARE_A * SQUARE_B, x0);
    y[1] = scaled(SQUARE_A * SQUARE_B, x5, scaled(-SQUARE_B, odd_a, times(-SQUARE_A, odd_b)));
    y[2] = scaled(-SQUARE_A - SQUARE_B, x0, scaled(-SQUARE_B, sum_a, times(-SQUARE_A, sum_b)));
    y[3] = scaled(-SQUARE_A - SQUARE_B, x5, odd_a + odd_b);
    y[4] = x0 + sum_a + sum_b;
    y[5] = x5;
}

// Lines from a patch to less.
ALWAYS_INLINE void line_from_patch(const winograd_transform which, const vec x[PATCH_MAX],
                                   vec y[PATCH_MAX])
{
    const vec sum_a = x[1] + x[2], sum_b = x[3] + x[4], odd_a = x[1] - x[2], odd_b = x[3] - x[4];
    if (which == TRANSFORM_OUTPUT) {
        y[0] = x[0] + sum_a + sum_b;
        y[1] = scaled(POINT_A, odd_a, times(POINT_B, odd_b));
        y[2] = scaled(SQUARE_A, sum_a, times(SQUARE_B, sum_b));
        y[3] = scaled(POINT_A * SQUARE_A, odd_a, scaled(POINT_B * SQUARE_B, odd_b, x[5]));
        return;
    }
    const vec x5 = x[5];
    y[0] = scaled(SCALE_0, x[0], scaled(SCALE_A, sum_a, times(SCALE_B, sum_b)));
    y[1] = scaled(SCALE_A * POINT_A, odd_a, times(SCALE_B * POINT_B, odd_b));
    y[2] = scaled(SCALE_A * SQUARE_A, sum_a, scaled(SCALE_B * SQUARE_B, sum_b, x5));
}

// Lines from less to a patch.
ALWAYS_INLINE void line_to_patch(const winograd_transform which, const vec x[PATCH_MAX],
                                 vec y[PATCH_MAX])
{
    const vec x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    if (which == TRANSFORM_FILTER) {
        const vec even_a = scaled(SQUARE_A, x2, x0), odd_a = times(SCALE_A * POINT_A, x1);
        const vec even_b = scaled(SQUARE_B, x2, x0), odd_b = times(SCALE_B * POINT_B, x1);
        y[0] = times(SCALE_0, x0);
        y[1] = scaled(SCALE_A, even_a, odd_a);
        y[2] = scaled(SCALE_A, even_a, -odd_a);
        y[3] = scaled(SCALE_B, even_b, odd_b);
        y[4] = scaled(SCALE_B, even_b, -odd_b);
        y[5] = x2;
        return;
    }
    const vec even_a = scaled(SQUARE_A, x2, x0), odd_a = scaled(SQUARE_A, x3, x1);
    const vec even_b = scaled(SQUARE_B, x2, x0), odd_b = scaled(SQUARE_B, x3, x1);
    y[0] = x0;
    y[1] = scaled(POINT_A, odd_a, even_a);
    y[2] = scaled(-POINT_A, odd_a, even_a);
    y[3] = scaled(POINT_B, odd_b, even_b);
    y[4] = scaled(-POINT_B, odd_b, even_b);
    y[5] = x3;
}

ALWAYS_INLINE void transform_line(const winograd_transform which, const int side,
                                  const vec x[PATCH_MAX], vec y[PATCH_MAX])
{
    if (side == 2)
        line_of_two(which, x, y);
    else if (which == TRANSFORM_INPUT || which == TRANSFORM_BACK)
        line_of_patch(which, x, y);
    else if (which == TRANSFORM_OUTPUT || which == TRANSFORM_TAPS)
        line_from_patch(which, x, y);
    else
        line_to_patch(which, x, y);
}

// m, `from` lines square, becomes L m L^T, `to` lines square.
ALWAYS_INLINE void transform_square(const winograd_transform which, const int side,
                                    vec m[PATCH_MAX][PATCH_MAX])
{
    const bool of_taps = which == TRANSFORM_FILTER, of_tile = which == TRANSFORM_GRADIENT;
    const int from = of_taps ? 3 : of_tile ? side : side + 2;
    const int to = which == TRANSFORM_TAPS ? 3 : which == TRANSFORM_OUTPUT ? side : side + 2;
    UNROLL
    for (int j = 0; j < from; j++) {
        vec x[PATCH_MAX] = {0}, y[PATCH_MAX];
        UNROLL
        for (int i = 0; i < from; i++)
            x[i] = m[i][j];
        transform_line(which, side, x, y);
        UNROLL
        for (int i = 0; i < to; i++)
            m[i][j] = y[i];
    }
    UNROLL
    for (int i = 0; i < to; i++) {
        vec x[PATCH_MAX] = {0}, y[PATCH_MAX];
        UNROLL
        for (int j = 0; j < from; j++)
            x[j] = m[i][j];
        transform_line(which, side, x, y);
        UNROLL
        for (int j = 0; j < to; j++)
            m[i][j] = y[j];
    }
}

#endif
