// Images whose values are made about equally frequent by their histograms. Values are from 0 to 255;
// what is beyond counts in the first or last bin. No gradient passes back.
//
//   equalize         x (n, h, w, c): in each channel, by its histogram over the whole batch. With C
//                    the cumulated histogram and C0 its first count that is not 0, a value of bin b
//                    becomes the whole number nearest to 255 (C[b] - C0) / (C[last] - C0). A channel
//                    of one bin stays.
//   adapt_histogram  x (n, h, w, c): in each channel of an image, by the histograms of `grid` tiles,
//                    between the four tiles around a pixel by weights; see Zuiderveld 1994,
//                    "Contrast limited adaptive histogram equalization". The image is mirrored at its
//                    lower and right sides up to whole tiles.
//
// As keras.layers.Equalization and ContrastLimitedAdaptiveHistogramEqualization have them; the
// arithmetic before a value is cut to a bin is in the type of x, since bins are told apart by it.
#include "ops/families.h"
#include "ops/images.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <math.h>
#include <string.h>

enum { BINS = 256, BINS_MAX = 1 << 16 };

static cj_status infer_histogram(cj__inference *r)
{
    const cj__histogram_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    if (a->bins < 2 || a->bins > BINS_MAX || a->grid[0] < 1 || a->grid[1] < 1 || !(a->limit >= 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld bins in %lld x %lld tiles, limit %g",
                        r->op->name, (long long)a->bins, (long long)a->grid[0],
                        (long long)a->grid[1], a->limit);
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

// A whole number towards 0, within 0 .. last. NaN is 0.
static int64_t bin_at(double scaled, int64_t last)
{
    return scaled >= 1 ? scaled < (double)last ? (int64_t)scaled : last : 0;
}

// equalize
// -----------------------------------------------------------------------------------------------

// For each channel a table of `bins` values, which takes the place of its counts, and a last entry:
// not 0 if there are two bins or more that are not empty.
static size_t equalize_workspace(const cj__call *call)
{
    const cj__histogram_attrs *a = call->attrs;
    return (size_t)call->inputs[0].type.shape.dims[3] * (size_t)(a->bins + 1) * sizeof(double);
}

static double *table_of(const cj__call *call, int64_t channel)
{
    const cj__histogram_attrs *a = call->attrs;
    return (double *)call->workspace + channel * (a->bins + 1);
}

// The bin that a value counts in, and the one whose entry it becomes: Keras computes them apart.
static int64_t bin_of_f32(float value, int64_t bins)
{
    return bin_at((double)(value * (float)(bins - 1) / 255.0f), bins - 1);
}

static int64_t place_of_f32(float value, int64_t bins)
{
    return bin_at((double)(value / 255.0f * (float)(bins - 1)), bins - 1);
}

static int64_t bin_of(const cj__call *call, int64_t i, int64_t bins)
{
    if (call->inputs[0].type.dtype == CJ_F32)
        return bin_of_f32(((const float *)call->inputs[0].data)[i], bins);
    return bin_at(((const double *)call->inputs[0].data)[i] * (double)(bins - 1) / 255, bins - 1);
}

static int64_t place_of(const cj__call *call, int64_t i, int64_t bins)
{
    if (call->inputs[0].type.dtype == CJ_F32)
        return place_of_f32(((const float *)call->inputs[0].data)[i], bins);
    return bin_at(((const double *)call->inputs[0].data)[i] / 255 * (double)(bins - 1), bins - 1);
}

// Counts become the table's values.
static void make_table(double *table, int64_t bins)
{
    int64_t used = 0;
    double sum = 0, first = 0, all = 0;
    for (int64_t b = 0; b < bins; b++) {
        first = used == 0 ? table[b] : first;
        used += table[b] > 0;
        all += table[b];
    }
    const double span = all > first ? all - first : 1;
    for (int64_t b = 0; b < bins; b++) {
        sum += table[b];
        const double value = rint((double)((float)((sum - first) * 255) / (float)span));
        table[b] = fmin(fmax(value, 0), 255);
    }
    table[bins] = used > 1;
}

static void map_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__histogram_attrs *a = call->attrs;
    const int64_t channels = call->inputs[0].type.shape.dims[3];
    const cj_dtype dtype = call->inputs[0].type.dtype;
    for (int64_t i = begin * channels; i < end * channels; i++) {
        const double *table = table_of(call, i % channels);
        const double value = table[a->bins] != 0 ?
                                 table[place_of(call, i, a->bins)] :
                                 cj__real_get(call, cj__at(call, call->inputs[0].data, i));
        cj__element_set(dtype, call->outputs[0].data, i, value);
    }
}

// Counts are whole numbers: their order does not matter.
static cj_status run_equalize(const cj__call *call)
{
    const cj__histogram_attrs *a = call->attrs;
    const int64_t channels = call->inputs[0].type.shape.dims[3],
                  count = cj__count(&call->inputs[0]);
    memset(call->workspace, 0, equalize_workspace(call));
    for (int64_t i = 0; i < count; i += channels)
        for (int64_t c = 0; c < channels; c++)
            table_of(call, c)[bin_of(call, i + c, a->bins)]++;
    for (int64_t c = 0; c < channels && count > 0; c++)
        make_table(table_of(call, c), a->bins);
    if (count > 0)
        cj__each_item(call, count / channels, channels * 4, map_task, (void *)call);
    return CJ_OK;
}

// adapt_histogram
// -----------------------------------------------------------------------------------------------

typedef struct tiles {
    int64_t rows, cols, channels; // of an image
    int64_t grid[2], size[2];     // tiles, and pixels of one
    double limit;                 // of a bin; 0 for none
} tiles;

static tiles tiles_of(const cj__call *call)
{
    const cj__histogram_attrs *a = call->attrs;
    const cj_shape *x = &call->inputs[0].type.shape;
    tiles t = {.rows = x->dims[1], .cols = x->dims[2], .channels = x->dims[3]};
    for (int i = 0; i < 2; i++) {
        t.grid[i] = a->grid[i];
        t.size[i] = (x->dims[i + 1] + a->grid[i] - 1) / a->grid[i];
    }
    t.limit = a->limit * (double)(t.size[0] * t.size[1]) / BINS;
    return t;
}

// A table of each tile and channel of each image.
static size_t adapt_workspace(const cj__call *call)
{
    const tiles t = tiles_of(call);
    return (size_t)(call->inputs[0].type.shape.dims[0] * t.grid[0] * t.grid[1] * t.channels) *
           BINS * sizeof(double);
}

// The pixel that stands for place `at` of a line that is mirrored again and again.
static int64_t mirrored(int64_t at, int64_t length)
{
    const int64_t place = at % (2 * length);
    return place < length ? place : 2 * length - 1 - place;
}

// The histogram of a tile, limited and cumulated, as a table from 0 to 255.
static void make_tile_table(const tiles *t, double *table)
{
    const double pixels = (double)(t->size[0] * t->size[1]);
    if (t->limit > 0) {
        double excess = 0;
        for (int b = 0; b < BINS; b++) {
            excess += table[b] > t->limit ? table[b] - t->limit : 0;
            table[b] = table[b] > t->limit ? t->limit : table[b];
        }
        for (int b = 0; b < BINS; b++)
            table[b] += excess / BINS;
    }
    double sum = 0;
    const double first = table[0], span = pixels - first;
    for (int b = 0; b < BINS; b++) {
        sum += table[b];
        const double value = (sum - first) * 255 / (span == 0 ? 1 : span);
        table[b] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
}

static int64_t value_at(const cj__call *call, const tiles *t, int64_t image, int64_t row,
                        int64_t col, int64_t channel)
{
    const int64_t at = ((image * t->rows + row) * t->cols + col) * t->channels + channel;
    return bin_at(cj__real_get(call, cj__at(call, call->inputs[0].data, at)), BINS - 1);
}

static double *tile_table(const cj__call *call, const tiles *t, int64_t image, int64_t down,
                          int64_t right, int64_t channel)
{
    const int64_t tile = (image * t->grid[0] + down) * t->grid[1] + right;
    return (double *)call->workspace + (tile * t->channels + channel) * BINS;
}

static void table_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const tiles t = tiles_of(call);
    for (int64_t task = begin; task < end; task++) {
        const int64_t right = task % t.grid[1], down = task / t.grid[1] % t.grid[0],
                      image = task / t.grid[1] / t.grid[0];
        memset(tile_table(call, &t, image, down, right, 0), 0,
               (size_t)t.channels * BINS * sizeof(double));
        for (int64_t i = 0; i < t.size[0] * t.size[1]; i++)
            for (int64_t c = 0; c < t.channels; c++) {
                const int64_t row = mirrored(down * t.size[0] + i / t.size[1], t.rows),
                              col = mirrored(right * t.size[1] + i % t.size[1], t.cols);
                tile_table(call, &t, image, down, right,
                           c)[value_at(call, &t, image, row, col, c)]++;
            }
        for (int64_t c = 0; c < t.channels; c++)
            make_tile_table(&t, tile_table(call, &t, image, down, right, c));
    }
}

// The two tiles along an axis whose middles a pixel lies between, and the second one's share.
static double around(int64_t at, int64_t size, int64_t grid, int64_t tile[2])
{
    const double place = ((double)at - (double)size / 2) / (double)size;
    const double first = floor(place);
    for (int i = 0; i < 2; i++) {
        const int64_t one = (int64_t)first + i;
        tile[i] = one < 0 ? 0 : one < grid ? one : grid - 1;
    }
    return place - first;
}

static void adapt_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const tiles t = tiles_of(call);
    for (int64_t task = begin; task < end; task++) {
        const int64_t image = task / t.rows, row = task % t.rows;
        int64_t down[2], right[2];
        const double low = around(row, t.size[0], t.grid[0], down);
        for (int64_t col = 0; col < t.cols; col++) {
            const double side = around(col, t.size[1], t.grid[1], right);
            for (int64_t c = 0; c < t.channels; c++) {
                const int64_t value = value_at(call, &t, image, row, col, c);
                double line[2];
                for (int i = 0; i < 2; i++)
                    line[i] =
                        tile_table(call, &t, image, down[i], right[0], c)[value] * (1 - side) +
                        tile_table(call, &t, image, down[i], right[1], c)[value] * side;
                cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data,
                                (task * t.cols + col) * t.channels + c,
                                line[0] * (1 - low) + line[1] * low);
            }
        }
    }
}

static cj_status run_adapt_histogram(const cj__call *call)
{
    const cj_shape *x = &call->inputs[0].type.shape;
    const tiles t = tiles_of(call);
    if (cj__count(&call->inputs[0]) == 0)
        return CJ_OK;
    cj__each_item(call, x->dims[0] * t.grid[0] * t.grid[1],
                  t.channels * (t.size[0] * t.size[1] * 4 + BINS), table_task, (void *)call);
    cj__each_item(call, x->dims[0] * t.rows, t.cols * t.channels * 8, adapt_task, (void *)call);
    return CJ_OK;
}

#define HISTOGRAM_OP(plain, space)                         \
    const cj__op cj__op_##plain = {                        \
        .name = #plain,                                    \
        .flags = CJ__OP_NO_GRADIENT,                       \
        .min_inputs = 1,                                   \
        .max_inputs = 1,                                   \
        .samples = CJ__WHOLE_BATCH,                        \
        .on_blocks = CJ__ON_BLOCKS_NO,                     \
        .identity = CJ__IDENTITY_NEVER,                    \
        .bf16 = CJ__BF16_NEVER,                            \
        .attrs_size = CJ__ATTRS_SIZE(cj__histogram_attrs), \
        .infer = infer_histogram,                          \
        .workspace = space,                                \
        .run = run_##plain,                                \
    };
HISTOGRAM_OP(equalize, equalize_workspace)
HISTOGRAM_OP(adapt_histogram, adapt_workspace)

cj_symbol *cj__equalize(cj__build *g, cj_symbol *x, int64_t bins)
{
    const cj__histogram_attrs attrs = {.bins = bins, .grid = {1, 1}};
    return cj__append(g, &cj__op_equalize, &attrs, (cj_symbol *[]){x}, 1);
}

cj_symbol *cj__adapt_histogram(cj__build *g, cj_symbol *x, const cj__histogram_attrs *attrs)
{
    return cj__append(g, &cj__op_adapt_histogram, attrs, (cj_symbol *[]){x}, 1);
}
