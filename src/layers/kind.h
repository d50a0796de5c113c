// What the families' files share: tables of fields, checks of inputs, and expressions that several
// layers need.
#ifndef CJ_LAYERS_KIND_H
#define CJ_LAYERS_KIND_H

#include "base/error.h"
#include "layers/layer.h"
#include <stddef.h>

// The rows of CJ_LAYER_MEMBERS.
#define CJ__LAYER_FIELDS(args)                                                         \
    CJ__FIELD(args, name, CJ__FIELD_TEXT), CJ__FIELD(args, trainable, CJ__FIELD_BOOL), \
        CJ__FIELD(args, dtype, CJ__FIELD_TEXT)

enum { CJ__SHAPE_WORDS = 160 };

// The type of an input, its shape, and the shape as text for a sentence.
static inline const cj_shape *cj__value_shape(const cj__value *value)
{
    return cj_symbol_shape(value->symbol);
}

// The input has from `low` to `high` axes, the batch axis included.
cj_status cj__layer_need_rank(const cj_layer *layer, const cj_shape *shape, int low, int high);
// The length of an axis is known, and what it was when the layer was built.
cj_status cj__layer_need_length(const cj_layer *layer, const cj_shape *shape, int axis);
// The axis that a setting means (negative from the end), checked.
cj_status cj__layer_axis(const cj_layer *layer, const cj_shape *shape, int setting, int *axis);

// "valid" or "same".
cj_status cj__layer_padding(const cj_layer *layer, const char *padding, bool *same);
// A window over the middle axes of an input (n, h, w, c) fits.
cj_status cj__layer_window(const cj_layer *layer, const char *what, const cj_shape *x,
                           const int64_t *size, const int64_t *dilation, bool same);

// Ones of the shape of x with the axes of the mask reduced to length 1.
cj_symbol *cj__ones_over(cj__build *g, cj_symbol *x, uint32_t axes);
// max_value above it, x from threshold on, negative_slope (x - threshold) below; max_value 0 is
// none.
cj_symbol *cj__relu_of(cj__build *g, cj_symbol *x, double negative_slope, double max_value,
                       double threshold);

#endif
