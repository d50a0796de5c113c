// See window.h.
#include "explain/window.h"
#include <string.h>

cj__axis cj__axis_of(int64_t output, int64_t outputs, int64_t input, int64_t count, int64_t stride,
                     int64_t step, const char *padding)
{
    const int64_t missing = (outputs - 1) * stride + (count - 1) * step + 1 - input;
    int64_t before = 0;
    if (strcmp(padding, "same") == 0 && missing > 0)
        before = missing / 2;
    else if (strcmp(padding, "causal") == 0)
        before = (count - 1) * step;
    return (cj__axis){input, count, output * stride - before, step, 1};
}

static void count_taps(cj__window *w)
{
    w->size = 1;
    for (int i = 0; i < w->rank; i++)
        w->size *= w->axes[i].count;
}

cj__window cj__window_of(const cj_layer *layer, const char *size, const cj_tensor *x,
                         const cj_tensor *y, const int64_t *index)
{
    const int64_t *counts = cj__layer_setting(layer, size),
                  *strides = cj__layer_setting(layer, "strides"),
                  *dilation = cj__layer_setting(layer, "dilation_rate");
    const char *const *padding = cj__layer_setting(layer, "padding");
    const cj_shape *in = cj_tensor_shape(x);
    cj__window w = {.x = x, .rank = in->rank - 2, .channels = in->dims[in->rank - 1]};
    for (int i = 0; i < w.rank; i++)
        w.axes[i] = cj__axis_of(index[i + 1], cj_tensor_shape(y)->dims[i + 1], in->dims[i + 1],
                                counts[i], strides[i] > 0 ? strides[i] : counts[i],
                                dilation ? dilation[i] : 1, *padding);
    count_taps(&w);
    return w;
}

cj__window cj__window_over(const cj_tensor *x)
{
    const cj_shape *in = cj_tensor_shape(x);
    cj__window w = {.x = x, .rank = in->rank - 2, .channels = in->dims[in->rank - 1]};
    for (int i = 0; i < w.rank; i++)
        w.axes[i] = (cj__axis){in->dims[i + 1], in->dims[i + 1], 0, 1, 1};
    count_taps(&w);
    return w;
}

int64_t cj__window_place(const cj__window *w, int64_t k)
{
    int64_t at[CJ__WINDOW_RANK], place = 0;
    for (int i = w->rank - 1; i >= 0; i--) {
        at[i] = cj__axis_at(&w->axes[i], k % w->axes[i].count);
        k /= w->axes[i].count;
        if (at[i] < 0)
            return -1;
    }
    for (int i = 0; i < w->rank; i++)
        place = place * w->axes[i].length + at[i];
    return place;
}

double cj__window_value(const cj__window *w, int64_t k, int64_t channel)
{
    const int64_t place = cj__window_place(w, k);
    return place < 0 ? 0 : cj__element_at(w->x, place * w->channels + channel);
}

// The first and last position that taps lie over, which may be outside of the input; for a
// transposed convolution those that taps meet.
static void ends_of(const cj__axis *axis, int64_t *first, int64_t *last)
{
    *first = axis->begin;
    *last = axis->begin + (axis->count - 1) * axis->step;
    if (axis->step > 0 && axis->divisor == 1)
        return;
    *first = axis->length;
    *last = -1;
    for (int64_t k = 0; k < axis->count; k++) {
        const int64_t at = cj__axis_at(axis, k);
        if (at < 0)
            continue;
        *first = at < *first ? at : *first;
        *last = at > *last ? at : *last;
    }
}

const char *cj__window_text(const cj__window *w, char text[CJ__WINDOW_TEXT], bool *beyond)
{
    static const char *const names[CJ__WINDOW_RANK][CJ__WINDOW_RANK] = {
        {"steps"}, {"rows", "columns"}, {"planes", "rows", "columns"}};
    size_t length = 0;
    *beyond = false;
    text[0] = 0;
    for (int i = 0; i < w->rank; i++) {
        int64_t first, last;
        ends_of(&w->axes[i], &first, &last);
        *beyond = *beyond || first < 0 || last >= w->axes[i].length;
        const char *before = i == 0 ? "" : i + 1 == w->rank ? " and " : ", ";
        if (first > last)
            length += (size_t)snprintf(text + length, CJ__WINDOW_TEXT - length, "%sno %s", before,
                                       names[w->rank - 1][i]);
        else
            length +=
                (size_t)snprintf(text + length, CJ__WINDOW_TEXT - length, "%s%s %lld to %lld",
                                 before, names[w->rank - 1][i], (long long)first, (long long)last);
    }
    return text;
}

int64_t cj__window_columns(const cj__window *w)
{
    return w->axes[w->rank - 1].count;
}
