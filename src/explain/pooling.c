// Pools along one to three axes: the window and its maximum or mean. Padding never counts.
#include "explain/window.h"
#include <math.h>

// The elements of a window that lie inside the input and are not masked, of one channel.
typedef struct pooled {
    double *values, *present; // of every tap; and 1 or 0 for whether it counts
    int64_t count, max_at; // taps that count; that of the maximum, the first if there are several
    double sum, magnitude;
} pooled;

static cj_status read_window(const cj__window *w, int64_t channel, const cj_tensor *mask, pooled *p)
{
    *p = (pooled){.values = cj__new((size_t)w->size * 2, sizeof *p->values), .max_at = -1};
    if (!p->values)
        return CJ_OUT_OF_MEMORY;
    p->present = p->values + w->size;
    for (int64_t k = 0; k < w->size; k++) {
        const int64_t place = cj__window_place(w, k);
        if (place < 0 || (mask && !(cj__element_at(mask, place) > 0)))
            continue;
        const double value = cj__window_value(w, k, channel);
        p->values[k] = value;
        p->present[k] = 1;
        p->count++;
        p->sum += value;
        p->magnitude += fabs(value);
        if (p->max_at < 0 || value > p->values[p->max_at])
            p->max_at = k;
    }
    return CJ_OK;
}

static void print_window(const cj__explanation *explanation, const cj__window *w, const pooled *p,
                         int64_t channel)
{
    char text[CJ__WINDOW_TEXT];
    bool beyond;
    const int64_t columns = cj__window_columns(w);
    const cj__grid grids[] = {{"window", p->values}, {"counts", p->present}};
    cj__window_text(w, text, &beyond);
    cj__print_line(explanation, "channel %lld, %s of the input%s", (long long)channel, text,
                   beyond             ? " (a partial window)" :
                   p->count < w->size ? ", without the masked steps" :
                                        "");
    cj__show_grids(explanation, grids, p->count < w->size ? 2 : 1, w->size / columns, columns);
}

// The position below a tap as an index, behind the batch axis.
static void place_of(const cj__window *w, int64_t k, int64_t *index)
{
    for (int i = w->rank - 1; i >= 0 && k >= 0; i--) {
        index[i + 1] = cj__axis_at(&w->axes[i], k % w->axes[i].count);
        k /= w->axes[i].count;
    }
}

static cj_status explain_window(cj__explanation *explanation, const cj__window *w, bool mean,
                                const cj_tensor *mask)
{
    const cj_shape *y = cj_tensor_shape(explanation->record->outputs[0]);
    const int64_t channel = explanation->index[y->rank - 1];
    char sum[CJ__DIGITS_TEXT], value[CJ__DIGITS_TEXT];
    char where[CJ__INDEX_TEXT];
    pooled p;
    double low, high;
    CJ_TRY(read_window(w, channel, mask, &p));
    print_window(explanation, w, &p, channel);
    if (mean) {
        const double middle = p.count > 0 ? p.sum / (double)p.count : (double)NAN;
        const double bound = p.count > 0 ? cj__rounding_bound(p.magnitude) / (double)p.count : 0;
        low = middle - bound;
        high = middle + bound;
        cj__print_line(explanation, "mean: %s / %lld = %s", cj__digits(p.sum, sum),
                       (long long)p.count, cj__digits(middle, value));
    } else {
        low = high = p.max_at < 0 ? (double)NAN : p.values[p.max_at];
        int64_t at[CJ_MAX_RANK] = {0};
        place_of(w, p.max_at, at);
        cj__print_line(explanation, "maximum: %s, at %s of the input", cj__digits(high, value),
                       cj__index_text(at, w->rank + 1, where));
    }
    cj__free(p.values);
    return cj__conclude(explanation, low, high);
}

static cj_status explain_pooling(cj__explanation *explanation, bool mean)
{
    const cj__record *record = explanation->record;
    const cj__window w = cj__window_of(record->layer, "pool_size", record->inputs[0],
                                       record->outputs[0], explanation->index);
    return explain_window(explanation, &w, mean, NULL);
}

static cj_status explain_global(cj__explanation *explanation, bool mean)
{
    const cj__record *record = explanation->record;
    const cj__window w = cj__window_over(record->inputs[0]);
    return explain_window(explanation, &w, mean, mean ? record->masks[0] : NULL);
}

// Output i of n takes positions i length / n, rounded down, to (i + 1) length / n, rounded up.
static cj_status explain_adaptive(cj__explanation *explanation, bool mean)
{
    const cj__record *record = explanation->record;
    cj__window w = cj__window_over(record->inputs[0]);
    w.size = 1;
    for (int i = 0; i < w.rank; i++) {
        const int64_t n = cj_tensor_shape(record->outputs[0])->dims[i + 1];
        cj__axis *axis = &w.axes[i];
        axis->begin = explanation->index[i + 1] * axis->length / n;
        axis->count = ((explanation->index[i + 1] + 1) * axis->length + n - 1) / n - axis->begin;
        w.size *= axis->count;
    }
    return explain_window(explanation, &w, mean, NULL);
}

#define EXPLAINERS(how)                                                 \
    cj_status cj__explain_##how##_maximum(cj__explanation *explanation) \
    {                                                                   \
        return explain_##how(explanation, false);                       \
    }                                                                   \
    cj_status cj__explain_##how##_mean(cj__explanation *explanation)    \
    {                                                                   \
        return explain_##how(explanation, true);                        \
    }
EXPLAINERS(pooling)
EXPLAINERS(global)
EXPLAINERS(adaptive)
