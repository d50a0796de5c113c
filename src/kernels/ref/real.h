// Makes the bodies of this folder plain C for `real`. The including file defines CJ_REAL_BYTES as 4
// or 8; it is the only thing that differs between the float and the double table. Arithmetic is
// done in double and rounded once, which makes the float table the truth that the fast tables are
// measured by.
#ifndef CJ_KERNELS_REF_REAL_H
#define CJ_KERNELS_REF_REAL_H

#include "kernels/common.h"
#include "kernels/kernels.h"
#include <math.h>
#include <string.h>

#if CJ_REAL_BYTES == 4
typedef float real;
#else
typedef double real;
#endif

static inline double relu_of(double x)
{
    return x < 0 ? 0 : x; // NaN stays NaN
}

static inline double clip_of(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

// The greater of two, NaN if either is.
static inline double max_of(double a, double b)
{
    return a > b || a != a ? a : b;
}

static inline double min_of(double a, double b)
{
    return a < b || a != a ? a : b;
}

static inline double sigmoid_of(double x)
{
    return 1 / (1 + exp(-x));
}

static inline double softplus_of(double x)
{
    return relu_of(x) + log1p(exp(-fabs(x)));
}

#endif
