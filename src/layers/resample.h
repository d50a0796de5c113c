// Axes whose entries are replaced by sums of them: means of windows, interpolation.
#ifndef CJ_LAYERS_RESAMPLE_H
#define CJ_LAYERS_RESAMPLE_H

#include "layers/kind.h"

// y[..., o, ...] = sum over i of weights[i * out + o] x[..., i, ...], along `axis` of x, whose length
// is known. The weights are copied.
cj_symbol *cj__resample(cj__build *g, cj_symbol *x, int axis, int64_t out, const double *weights);

// x with an axis of `in` entries made to `out` by the kernel of that name ("bilinear", "bicubic",
// "lanczos3", "lanczos5"), as jax.image.resize does; fails with CJ_OUT_OF_MEMORY or CJ_UNSUPPORTED
// (too many weights) through the builder.
cj_symbol *cj__interpolate(cj__build *g, cj_symbol *x, int axis, int64_t out,
                           const char *interpolation, bool antialias);

#endif
