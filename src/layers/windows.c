// See windows.h.
#include "layers/windows.h"

#include <stdio.h>
#include <string.h>

cj__windows cj__windows_of(int rank, const void *size, const void *strides, const void *dilation,
                           const char *padding)
{
    cj__windows w = {.rank = rank, .dilation = {1, 1, 1}, .padding = padding};
    const size_t bytes = (size_t)rank * sizeof(int64_t);
    memcpy(w.size, size, bytes);
    memcpy(w.strides, strides, bytes);
    if (dilation)
        memcpy(w.dilation, dilation, bytes);
    return w;
}

bool cj__windows_same(const cj__windows *windows)
{
    return strcmp(windows->padding, "same") == 0;
}

static bool is_causal(const cj__windows *windows)
{
    return strcmp(windows->padding, "causal") == 0;
}

cj_status cj__windows_check(const cj_layer *layer, const cj__windows *w, bool may_be_causal)
{
    bool strided = false, dilated = false, same;
    for (int i = 0; i < w->rank; i++) {
        strided = strided || w->strides[i] > 1;
        dilated = dilated || w->dilation[i] > 1;
    }
    if (strided && dilated)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: strides above 1 and a dilation_rate above 1 exclude each other",
                        layer->name);
    if (!may_be_causal)
        return cj__layer_padding(layer, w->padding, &same);
    if (!cj__windows_same(w) && !is_causal(w) && strcmp(w->padding, "valid") != 0)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "%s: unknown padding \"%.40s\": there are \"valid\", \"same\" and \"causal\"",
            layer->name, w->padding);
    return CJ_OK;
}

// "3x2" of two lengths.
static const char *lengths_text(const int64_t *lengths, int count, char text[CJ__SHAPE_WORDS])
{
    int used = 0;
    for (int i = 0; i < count; i++)
        used += snprintf(text + used, (size_t)(CJ__SHAPE_WORDS - used), "%s%lld", i ? "x" : "",
                         (long long)lengths[i]);
    return text;
}

cj_status cj__windows_fit(const cj_layer *layer, const char *what, const cj_shape *x,
                          const cj__windows *w)
{
    int64_t reach[CJ__WINDOW_AXES];
    char window[CJ__SHAPE_WORDS], input[CJ__SHAPE_WORDS];
    bool fits = true;
    CJ_TRY(cj__layer_need_rank(layer, x, w->rank + 2, w->rank + 2));
    for (int i = 1; i < x->rank; i++)
        if (x->dims[i] <= 0)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: input %s must be known and positive but for "
                            "the batch axis",
                            layer->name, cj_shape_text(x, input, sizeof input));
    for (int i = 0; i < w->rank; i++) {
        if (w->size[i] > INT32_MAX || w->dilation[i] > INT32_MAX || w->strides[i] > INT32_MAX ||
            (w->size[i] - 1) * w->dilation[i] >= INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %s is too large", layer->name, what,
                            lengths_text(w->size, w->rank, window));
        reach[i] = (w->size[i] - 1) * w->dilation[i] + 1;
        fits = fits && reach[i] <= x->dims[i + 1];
    }
    if (fits || cj__windows_same(w) || is_causal(w))
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s %s does not fit input %s with padding \"valid\"",
                    layer->name, what, lengths_text(reach, w->rank, window),
                    lengths_text(x->dims + 1, w->rank, input));
}

cj__conv2d_attrs cj__windows_attrs(const cj__windows *w, int64_t groups)
{
    cj__conv2d_attrs attrs = {.kernel = {1, 1},
                              .strides = {1, 1},
                              .dilation = {1, 1},
                              .groups = (int32_t)groups,
                              .same = cj__windows_same(w)};
    const int first = 2 - w->rank;
    for (int i = 0; i < w->rank; i++) {
        attrs.kernel[first + i] = w->size[i];
        attrs.strides[first + i] = w->strides[i];
        attrs.dilation[first + i] = w->dilation[i];
        if (is_causal(w))
            attrs.before[first + i] = (int32_t)((w->size[i] - 1) * w->dilation[i]);
    }
    return attrs;
}

cj__conv3d_attrs cj__windows_attrs_3d(const cj__windows *w, int64_t groups)
{
    cj__conv3d_attrs attrs = {.groups = (int32_t)groups, .same = cj__windows_same(w)};
    memcpy(attrs.kernel, w->size, sizeof attrs.kernel);
    memcpy(attrs.strides, w->strides, sizeof attrs.strides);
    memcpy(attrs.dilation, w->dilation, sizeof attrs.dilation);
    return attrs;
}

cj_symbol *cj__put_axis(cj__build *g, cj_symbol *x, int axis)
{
    if (!x)
        return NULL;
    cj_shape shape = *cj_symbol_shape(x);
    memmove(shape.dims + axis + 1, shape.dims + axis,
            (size_t)(shape.rank - axis) * sizeof shape.dims[0]);
    shape.dims[axis] = 1;
    shape.rank++;
    // What the layer before it dropped comes back: the plan sees one image go from layer to layer.
    if (cj__symbol_is(x, &cj__op_reshape) &&
        cj_shape_equal(cj_symbol_shape(x->node->inputs[0]), &shape))
        return x->node->inputs[0];
    return cj__reshape(g, x, &shape);
}

cj_symbol *cj__drop_axis(cj__build *g, cj_symbol *x, int axis)
{
    if (!x)
        return NULL;
    cj_shape shape = *cj_symbol_shape(x);
    shape.rank--;
    memmove(shape.dims + axis, shape.dims + axis + 1,
            (size_t)(shape.rank - axis) * sizeof shape.dims[0]);
    return cj__reshape(g, x, &shape);
}

cj_status cj__finish_windows(cj__layer_context *c, cj_symbol *y, const cj__windows *w, int bias,
                             const cj__kernel_settings *s)
{
    y = cj__kernel_tail(c, y, bias, s);
    c->outputs[0].symbol = w->rank == 1 ? cj__drop_axis(c->build, y, 1) : y;
    cj__add_activity_loss(c, s->activity_regularizer);
    return CJ_OK;
}
