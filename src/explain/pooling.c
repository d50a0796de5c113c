// Pooling: the window and its maximum or mean. Padding never counts.
#include "explain/explain.h"
#include "explain/window.h"
#include <math.h>

typedef struct pooled {
    double *values; // the window's elements inside the input, row by row
    int64_t rows, columns, top, left;
    int64_t max_at; // of the maximum; the first one if there are several
    double sum, magnitude;
} pooled;

// The part of a window that lies inside the input, for one channel of (1, height, width, channels).
static cj_status read_window(const cj_tensor *x, cj__window_span rows, cj__window_span columns,
                             int64_t channel, pooled *p)
{
    const int64_t *dims = cj_tensor_shape(x)->dims;
    const int64_t bottom = rows.begin + rows.count, right = columns.begin + columns.count;
    p->top = rows.begin < 0 ? 0 : rows.begin;
    p->left = columns.begin < 0 ? 0 : columns.begin;
    p->rows = (bottom > dims[1] ? dims[1] : bottom) - p->top;
    p->columns = (right > dims[2] ? dims[2] : right) - p->left;
    p->values = cj__new((size_t)(p->rows * p->columns), sizeof *p->values);
    if (!p->values)
        return CJ_OUT_OF_MEMORY;
    for (int64_t k = 0; k < p->rows * p->columns; k++) {
        const int64_t y = p->top + k / p->columns, at = p->left + k % p->columns;
        const double value = cj__element_at(x, (y * dims[2] + at) * dims[3] + channel);
        p->values[k] = value;
        p->max_at = value > p->values[p->max_at] ? k : p->max_at;
        p->sum += value;
        p->magnitude += fabs(value);
    }
    return CJ_OK;
}

static cj_status explain_window(cj__explanation *explanation, cj__window_span rows,
                                cj__window_span columns, int64_t channel, bool mean)
{
    pooled p = {0};
    char sum[CJ__DIGITS_TEXT], value[CJ__DIGITS_TEXT];
    CJ_TRY(read_window(explanation->record->inputs[0], rows, columns, channel, &p));
    const int64_t count = p.rows * p.columns;
    cj__print_line(explanation,
                   "channel %lld, rows %lld to %lld and columns %lld to %lld of the input%s",
                   (long long)channel, (long long)p.top, (long long)(p.top + p.rows - 1),
                   (long long)p.left, (long long)(p.left + p.columns - 1),
                   count < rows.count * columns.count ? " (a partial window)" : "");
    cj__show_grids(explanation, &(cj__grid){"window", p.values}, 1, p.rows, p.columns);
    double low, high;
    if (mean) {
        const double bound = cj__rounding_bound(p.magnitude) / (double)count;
        low = p.sum / (double)count - bound;
        high = p.sum / (double)count + bound;
        cj__print_line(explanation, "mean: %s / %lld = %s", cj__digits(p.sum, sum),
                       (long long)count, cj__digits(p.sum / (double)count, value));
    } else {
        low = high = p.values[p.max_at];
        cj__print_line(explanation, "maximum: %s, at row %lld, column %lld of the input",
                       cj__digits(high, value), (long long)(p.top + p.max_at / p.columns),
                       (long long)(p.left + p.max_at % p.columns));
    }
    cj__free(p.values);
    return cj__conclude(explanation, low, high);
}

static cj_status explain_pooling(cj__explanation *explanation, bool mean)
{
    const cj_pooling2d_args *args = explanation->record->layer->args;
    const int64_t *x = cj_tensor_shape(explanation->record->inputs[0])->dims;
    const int64_t *y = cj_tensor_shape(explanation->record->outputs[0])->dims,
                  *at = explanation->index;
    const int64_t stride[2] = {args->strides[0] ? args->strides[0] : args->pool_size[0],
                               args->strides[1] ? args->strides[1] : args->pool_size[1]};
    const cj__window_span rows =
        cj__span_at(at[1], y[1], x[1], args->pool_size[0], stride[0], 1, args->padding);
    const cj__window_span columns =
        cj__span_at(at[2], y[2], x[2], args->pool_size[1], stride[1], 1, args->padding);
    return explain_window(explanation, rows, columns, at[3], mean);
}

static cj_status explain_global(cj__explanation *explanation, bool mean)
{
    const int64_t *x = cj_tensor_shape(explanation->record->inputs[0])->dims;
    return explain_window(explanation, (cj__window_span){0, 1, x[1]}, (cj__window_span){0, 1, x[2]},
                          explanation->offset, mean);
}

cj_status cj__explain_max_pooling(cj__explanation *explanation)
{
    return explain_pooling(explanation, false);
}

cj_status cj__explain_average_pooling(cj__explanation *explanation)
{
    return explain_pooling(explanation, true);
}

cj_status cj__explain_global_max_pooling(cj__explanation *explanation)
{
    return explain_global(explanation, false);
}

cj_status cj__explain_global_average_pooling(cj__explanation *explanation)
{
    return explain_global(explanation, true);
}
