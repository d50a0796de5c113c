// Rounding to bfloat16 (sign, 8 bits of exponent, 7 of fraction), to the nearest, ties to even.

#include <math.h>

// By the definition: the numbers of the grid around x are multiples of a power of two, 2^-7 of x's
// own, or 2^-133 where bfloat16's denormals are. rint() takes the even one of a tie, and the
// quotient is exact.
static void round_bf16(int64_t n, const void *x, void *y)
{
    for (int64_t i = 0; i < n; i++) {
        const float value = (float)((const real *)x)[i];
        int exponent;
        if (!isfinite(value)) {
            ((real *)y)[i] = (real)value;
            continue;
        }
        (void)frexp(value, &exponent); // |value| < 2^exponent
        const int step = exponent - 8 > -133 ? exponent - 8 : -133;
        ((real *)y)[i] = (real)(float)ldexp(rint(ldexp(value, -step)), step);
    }
}
