// The spike of a neuron: a step function whose gradient is that of something smooth, a *surrogate*
// (Neftci, Mostafa, Zenke 2019), since a step has none that could be learnt from.
#ifndef CJ_OPS_SPIKE_H
#define CJ_OPS_SPIKE_H

#include "ops/build.h"

// The surrogates: name, and what takes the place of the derivative at u, the membrane above its
// threshold; a and b are its parameters.
#define CJ__SURROGATES(F)                                                             \
    F(fast_sigmoid, "1 / (1 + a |u|)^2")                                              \
    F(atan, "a / 2 / (1 + (pi a u / 2)^2)")                                           \
    F(sigmoid, "a s (1 - s), s = 1 / (1 + exp(-a u))")                                \
    F(triangle, "a max(0, 1 - |u| / b)")                                              \
    F(boxcar, "a where |u| < b, else 0")                                              \
    F(gaussian, "a exp(-(u / b)^2 / 2), the density of a normal distribution scaled") \
    F(straight_through, "1")

typedef enum cj__surrogate {
#define CJ__ROW(name, ...) CJ__SURROGATE_##name,
    CJ__SURROGATES(CJ__ROW)
#undef CJ__ROW
        CJ__SURROGATE_COUNT
} cj__surrogate;

typedef struct cj__spike_attrs {
    double a, b;
    int32_t surrogate; // a cj__surrogate
    int32_t reached;   // not 0: a spike also where u is 0
} cj__spike_attrs;
CJ__NO_PADDING(cj__spike_attrs, 2 * sizeof(double) + 2 * sizeof(int32_t));

// 1 where u > 0, or with `reached` u >= 0, else 0; a NaN gives 0.
cj_symbol *cj__spike(cj__build *g, cj_symbol *u, const cj__spike_attrs *attrs);
// The surrogate's slope at u. It may be differentiated again.
cj_symbol *cj__surrogate_slope(cj__build *g, cj_symbol *u, const cj__spike_attrs *attrs);

#endif
