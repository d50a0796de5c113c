// What the preprocessing layers share.
#ifndef CJ_LAYERS_PREPROCESS_H
#define CJ_LAYERS_PREPROCESS_H

#include "layers/kind.h"

// A constant of that dtype and shape, with its values in order; NULL after a failure.
cj_symbol *cj__constant_of(cj__build *g, cj_dtype dtype, const cj_shape *shape,
                           const double *values);

// The input is images (batch, height, width, channels) of known lengths but for the batch.
cj_status cj__need_images(const cj__layer_context *c);

// resizing.c: images (batch, h, w, channels) resized to a height and width by "bilinear", with
// crop_to_aspect_ratio.
cj_symbol *cj__resized_middle(cj__build *g, cj_symbol *x, int64_t height, int64_t width);

#endif
