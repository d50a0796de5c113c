// Printing numbers, arrays and products for readers: few digits, aligned columns, long axes
// shortened.
#include "explain/explain.h"
#include "kernels/kernels.h"
#include "ops/variable.h"
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

double cj__element_at(const cj_tensor *tensor, int64_t offset)
{
    return cj__element_get(cj_tensor_dtype(tensor), cj_tensor_data(tensor), offset);
}

int64_t cj__offset_of(const cj_tensor *tensor, const int64_t *index)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    int64_t offset = 0;
    for (int i = 0; i < shape->rank; i++)
        offset = offset * shape->dims[i] + index[i];
    return offset;
}

const cj_tensor *cj__weight(const cj__record *record, const char *name)
{
    const cj_layer *layer = record->layer;
    for (int i = 0; i < layer->variable_count; i++) {
        const char *full = cj_variable_name(layer->variables[i]);
        const char *slash = strrchr(full, '/');
        if (strcmp(slash ? slash + 1 : full, name) == 0)
            return record->rounded[i] ? record->rounded[i] : cj__variable_read(layer->variables[i]);
    }
    return NULL;
}

bool cj__is_setting(const cj_layer *layer, const char *key, const char *text)
{
    const char *const *setting = cj__layer_setting(layer, key);
    return setting && *setting && strcmp(*setting, text) == 0;
}

bool cj__setting_flag(const cj_layer *layer, const char *key)
{
    const bool *flag = cj__layer_setting(layer, key);
    return flag && *flag;
}

const cj_tensor *cj__mask_of_steps(const cj__record *record)
{
    const bool given = cj__call_setting_in(record->layer->kind, record->called, "mask");
    return record->input_count > 1 && !given ? NULL : record->masks[0];
}

double cj__as_output(const cj_layer *layer, double value)
{
    float number = (float)value;
    if (!layer->mixed)
        return value;
    cj__kernels_for(sizeof number)->round_bf16(1, &number, &number);
    return (double)number;
}

const char *cj__digits(double value, char text[CJ__DIGITS_TEXT])
{
    snprintf(text, CJ__DIGITS_TEXT, "%.6g", fabs(value) > 0 ? value : 0.0); // no "-0"
    return text;
}

const char *cj__index_text(const int64_t *index, int rank, char text[CJ__INDEX_TEXT])
{
    size_t length = (size_t)snprintf(text, CJ__INDEX_TEXT, "[");
    for (int i = 1; i < rank; i++)
        length += (size_t)snprintf(text + length, CJ__INDEX_TEXT - length, "%s%lld",
                                   i > 1 ? ", " : "", (long long)index[i]);
    snprintf(text + length, CJ__INDEX_TEXT - length, "]");
    return text;
}

void cj__print_line(const cj__explanation *explanation, const char *format, ...)
{
    va_list list;
    fputs("    ", explanation->stream);
    va_start(list, format);
    vfprintf(explanation->stream, format, list);
    va_end(list);
    fputc('\n', explanation->stream);
}

// Grids
// -------------------------------------------------------------------------------------------------

// Elements of a tensor, or of an array of doubles, as rows and columns with given steps.
typedef struct plane {
    const cj_tensor *tensor;
    const double *values;
    int64_t start, row_step, column_step;
} plane;

static double element(const plane *p, int64_t row, int64_t column)
{
    const int64_t offset = p->start + row * p->row_step + column * p->column_step;
    return p->tensor ? cj__element_at(p->tensor, offset) : p->values[offset];
}

// The number of entries shown at each end of a long axis; 0 for a short one, which is shown whole.
static int64_t half_of(int64_t length, int64_t most)
{
    return length > most ? most / 2 : 0;
}

static int64_t after(int64_t i, int64_t length, int64_t half)
{
    return half && i == half - 1 ? length - half : i + 1;
}

static int width_of(const plane *p, int64_t rows, int64_t columns, int64_t most)
{
    int width = 1;
    char text[CJ__DIGITS_TEXT];
    const int64_t row_half = half_of(rows, most), column_half = half_of(columns, most);
    for (int64_t r = 0; r < rows; r = after(r, rows, row_half)) {
        for (int64_t c = 0; c < columns; c = after(c, columns, column_half)) {
            const int length = (int)strlen(cj__digits(element(p, r, c), text));
            width = length > width ? length : width;
        }
    }
    return width;
}

// Prints one row and returns its width in characters.
static int print_row(FILE *stream, const plane *p, int64_t row, int64_t columns, int64_t most,
                     int width)
{
    char text[CJ__DIGITS_TEXT];
    const int64_t half = half_of(columns, most);
    int printed = 0;
    for (int64_t c = 0; c < columns; c = after(c, columns, half)) {
        printed +=
            fprintf(stream, "%s%*s", c ? " " : "", width, cj__digits(element(p, row, c), text));
        if (half && c == half - 1)
            printed += fprintf(stream, " ...");
    }
    return printed;
}

static void print_plane(const cj__explanation *explanation, const plane *p, int64_t rows,
                        int64_t columns)
{
    const int64_t most = explanation->max_rows, half = half_of(rows, most);
    const int width = width_of(p, rows, columns, most);
    for (int64_t r = 0; r < rows; r = after(r, rows, half)) {
        fputs("      ", explanation->stream);
        print_row(explanation->stream, p, r, columns, most, width);
        fputs(half && r == half - 1 ? "\n      ...\n" : "\n", explanation->stream);
    }
}

void cj__show_grids(const cj__explanation *explanation, const cj__grid *grids, int count,
                    int64_t rows, int64_t columns)
{
    const int64_t most = explanation->max_rows, half = half_of(rows, most);
    const int64_t shown = half_of(columns, most) ? 2 * (most / 2) : columns;
    for (int64_t r = -1; r < rows; r = r < 0 ? 0 : after(r, rows, half)) {
        fputs("     ", explanation->stream);
        for (int i = 0; i < count; i++) {
            const plane p = {.values = grids[i].values, .row_step = columns, .column_step = 1};
            const int width = width_of(&p, rows, columns, most);
            const int64_t full = shown * (width + 1) - 1 + (shown < columns ? 4 : 0);
            const int64_t title = (int64_t)strlen(grids[i].title),
                          buffer = full > title ? full : title;
            fputc(' ', explanation->stream);
            const int printed = r < 0 ? fprintf(explanation->stream, "%s", grids[i].title) :
                                        print_row(explanation->stream, &p, r, columns, most, width);
            if (i + 1 < count)
                fprintf(explanation->stream, "%*s", (int)(buffer - printed) + 2, "");
        }
        fputs(half && r == half - 1 ? "\n      ...\n" : "\n", explanation->stream);
    }
}

// Tensors
// -------------------------------------------------------------------------------------------------

// (..., height, width, channels), channel by channel; of longer shapes the first entry of each
// leading axis.
static void show_channels(const cj__explanation *explanation, const cj_tensor *tensor,
                          const cj_shape *shape)
{
    const int64_t *last = &shape->dims[shape->rank - 3];
    const int64_t channels = last[2], most = explanation->max_rows / 3;
    const int64_t shown = channels > most ? most : channels;
    if (shape->rank > 4)
        fprintf(explanation->stream, "    the first height × width × channels of it:\n");
    for (int64_t c = 0; c < shown; c++) {
        const plane p = {
            .tensor = tensor, .start = c, .row_step = last[1] * channels, .column_step = channels};
        if (channels > 1)
            fprintf(explanation->stream, "    channel %lld:\n", (long long)c);
        print_plane(explanation, &p, last[0], last[1]);
    }
    if (channels > shown)
        fprintf(explanation->stream, "    and %lld more channels\n", (long long)(channels - shown));
}

void cj__show_tensor(const cj__explanation *explanation, const char *label, const cj_tensor *tensor)
{
    char text[128];
    const cj_shape *shape = cj_tensor_shape(tensor);
    cj_shape without = {.rank = shape->rank > 0 ? shape->rank - 1 : 0};
    memcpy(without.dims, shape->dims + 1, (size_t)without.rank * sizeof without.dims[0]);
    fprintf(explanation->stream, "  %s %s:\n", label, cj_shape_text(&without, text, sizeof text));
    if (cj_tensor_count(tensor) == 0)
        return;
    if (cj_tensor_dtype(tensor) == CJ_STRING) {
        fputs("    ", explanation->stream);
        cj_tensor_print(tensor, explanation->stream);
        return;
    }
    if (without.rank >= 3) {
        show_channels(explanation, tensor, shape);
        return;
    }
    const int64_t rows = without.rank == 2 ? without.dims[0] : 1;
    const int64_t columns = without.rank > 0 ? without.dims[without.rank - 1] : 1;
    print_plane(explanation, &(plane){.tensor = tensor, .row_step = columns, .column_step = 1},
                rows, columns);
}

// Products
// -------------------------------------------------------------------------------------------------

static void print_all_products(const cj__explanation *explanation, const cj__products *p,
                               double sum)
{
    char a[CJ__DIGITS_TEXT], b[CJ__DIGITS_TEXT];
    fputs("    ", explanation->stream);
    for (int64_t i = 0; i < p->count; i++)
        fprintf(explanation->stream, "%s%s × %s", i ? " + " : "", cj__digits(p->a[i], a),
                cj__digits(p->b[i], b));
    fputs("\n    = ", explanation->stream);
    for (int64_t i = 0; i < p->count; i++)
        fprintf(explanation->stream, "%s%s", i ? " + " : "", cj__digits(p->a[i] * p->b[i], a));
    fprintf(explanation->stream, "\n    = %s\n", cj__digits(sum, a));
}

typedef struct ranked {
    double size;
    int64_t offset;
} ranked;

static int by_size(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->size > b->size || a->size < b->size)
        return a->size > b->size ? -1 : 1;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static cj_status print_largest(const cj__explanation *explanation, const cj__products *p,
                               double sum)
{
    char a[CJ__DIGITS_TEXT], b[CJ__DIGITS_TEXT], c[CJ__DIGITS_TEXT];
    ranked *order = cj__new((size_t)p->count, sizeof *order);
    double rest = 0;
    if (!order)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < p->count; i++)
        order[i] = (ranked){fabs(p->a[i] * p->b[i]), i};
    qsort(order, (size_t)p->count, sizeof *order, by_size);
    cj__print_line(explanation, "%s × %s, the largest of %lld products:", p->a_name, p->b_name,
                   (long long)p->count);
    for (int64_t i = 0; i < p->count; i++) {
        const int64_t at = order[i].offset;
        if (i < explanation->max_rows)
            cj__print_line(explanation, "  [%lld] %s × %s = %s", (long long)at,
                           cj__digits(p->a[at], a), cj__digits(p->b[at], b),
                           cj__digits(p->a[at] * p->b[at], c));
        else
            rest += p->a[at] * p->b[at];
    }
    cj__print_line(explanation, "  the other %lld come to %s",
                   (long long)(p->count - explanation->max_rows), cj__digits(rest, a));
    cj__print_line(explanation, "  sum of all: %s", cj__digits(sum, a));
    cj__free(order);
    return CJ_OK;
}

cj_status cj__show_products(const cj__explanation *explanation, const cj__products *products,
                            double *sum, double *magnitude)
{
    double own = 0;
    for (int64_t i = 0; i < products->count; i++) {
        own += products->a[i] * products->b[i];
        *magnitude += fabs(products->a[i] * products->b[i]);
    }
    *sum += own;
    if (products->count > explanation->max_rows)
        return print_largest(explanation, products, own);
    print_all_products(explanation, products, own);
    return CJ_OK;
}

// The result
// -------------------------------------------------------------------------------------------------

// Whether the squares of all numbers that the layer was given are finite: with others, what cancels in
// one order of a computation is not a number in another.
static bool given_moderate(const cj__record *record)
{
    for (int i = 0; i < record->input_count; i++)
        for (int64_t k = 0; k < cj_tensor_count(record->inputs[i]); k++)
            if (!(fabs(cj__element_at(record->inputs[i], k)) < 1.8e19))
                return false;
    return true;
}

cj_status cj__conclude(const cj__explanation *explanation, double low, double high)
{
    char index[CJ__INDEX_TEXT], text[CJ__DIGITS_TEXT];
    const cj_tensor *output = explanation->record->outputs[0];
    const double computed = cj__element_at(output, explanation->offset);
    const double margin = 16 * (double)FLT_EPSILON * fabs(computed) + (double)FLT_MIN;
    const char *where = cj__index_text(explanation->index, cj_tensor_shape(output)->rank, index);
    const cj_layer *layer = explanation->record->layer;
    bool same = computed >= cj__as_output(layer, low - margin) &&
                computed <= cj__as_output(layer, high + margin);
    if (isnan(computed))
        same = isnan(low) || isnan(high);
    else if (isinf(computed))
        same = computed > 0 ? high > (double)FLT_MAX : low < -(double)FLT_MAX;
    if (!same && !given_moderate(explanation->record)) {
        cj__print_line(
            explanation,
            "some of the input is not finite, or its square is not: nothing is compared");
        cj__print_line(explanation, "so output%s = %s", where, cj__digits(computed, text));
        return CJ_OK;
    }
    if (!same)
        return cj__fail(CJ_UNSUPPORTED,
                        "explain: %s: by hand, output%s comes to between %.9g and %.9g, but the "
                        "model computed %.9g",
                        cj_layer_name(layer), where, low, high, computed);
    cj__print_line(explanation, "so output%s = %s%s", where, cj__digits(computed, text),
                   layer->mixed ? " in bfloat16" : "");
    return CJ_OK;
}

cj_status cj__conclude_near(const cj__explanation *explanation, double value, double magnitude)
{
    return cj__conclude(explanation, value - cj__rounding_bound(magnitude),
                        value + cj__rounding_bound(magnitude));
}
