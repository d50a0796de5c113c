// Conv2D: the window, the kernel, each product, their sum, the bias, the activation.
#include "explain/explain.h"
#include "explain/window.h"
#include <math.h>

// x: (1, height, width, channels); kernel: (rows, columns, depth, filters); depth = channels /
// groups.
typedef struct convolution {
    const cj_tensor *x, *kernel, *bias;
    int64_t height, width, channels, depth, filters, groups, filter;
    cj__window_span rows, columns;
    int64_t size;                    // of the window: rows x columns
    double *window, *weights, *both; // of one channel
    double *z, *bound;               // of every filter
} convolution;

// The element of x below position (i, j) of the window; 0 in the padding.
static double input_at(const convolution *c, int64_t i, int64_t j, int64_t channel)
{
    const int64_t y = c->rows.begin + i * c->rows.step, x = c->columns.begin + j * c->columns.step;
    if (!cj__inside(y, c->height) || !cj__inside(x, c->width))
        return 0;
    return cj__element_at(c->x, (y * c->width + x) * c->channels + channel);
}

static double weight(const convolution *c, int64_t i, int64_t j, int64_t depth, int64_t filter)
{
    return cj__element_at(c->kernel,
                          ((i * c->columns.count + j) * c->depth + depth) * c->filters + filter);
}

static int64_t channel_of(const convolution *c, int64_t depth, int64_t filter)
{
    return filter / (c->filters / c->groups) * c->depth + depth;
}

// Fills window, weights and products of one channel for the chosen filter; returns the sum of
// products.
static double gather(convolution *c, int64_t depth)
{
    double sum = 0;
    for (int64_t k = 0; k < c->size; k++) {
        const int64_t i = k / c->columns.count, j = k % c->columns.count;
        c->window[k] = input_at(c, i, j, channel_of(c, depth, c->filter));
        c->weights[k] = weight(c, i, j, depth, c->filter);
        c->both[k] = c->window[k] * c->weights[k];
        sum += c->both[k];
    }
    return sum;
}

// z[f] = b[f] + sum over window and depth, for every filter, since a softmax needs them all.
static void all_filters(convolution *c)
{
    for (int64_t f = 0; f < c->filters; f++) {
        double sum = c->bias ? cj__element_at(c->bias, f) : 0, magnitude = fabs(sum);
        for (int64_t d = 0; d < c->depth; d++) {
            for (int64_t k = 0; k < c->size; k++) {
                const int64_t i = k / c->columns.count, j = k % c->columns.count;
                const double product =
                    input_at(c, i, j, channel_of(c, d, f)) * weight(c, i, j, d, f);
                sum += product;
                magnitude += fabs(product);
            }
        }
        c->z[f] = sum;
        c->bound[f] = cj__rounding_bound(magnitude);
    }
}

static cj_status explain_channels(cj__explanation *explanation, convolution *c)
{
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    double sum = 0, rest = 0, magnitude = 0;
    const int64_t shown =
        c->depth > explanation->max_rows / 3 ? explanation->max_rows / 3 : c->depth;
    for (int64_t d = 0; d < c->depth; d++) {
        const double own = gather(c, d);
        if (d >= shown) {
            rest += own;
            sum += own;
            continue;
        }
        if (c->channels > 1)
            cj__print_line(explanation, "channel %lld:", (long long)channel_of(c, d, c->filter));
        const cj__grid grids[] = {
            {"window", c->window}, {"kernel", c->weights}, {"products", c->both}};
        cj__show_grids(explanation, grids, 3, c->rows.count, c->columns.count);
        const cj__products products = {"window", "kernel", c->window, c->weights, c->size};
        CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    }
    if (c->depth > shown)
        cj__print_line(explanation, "the other %lld channels sum to %s",
                       (long long)(c->depth - shown), cj__digits(rest, text));
    if (c->depth > 1)
        cj__print_line(explanation, "sum over %lld channels: %s", (long long)c->depth,
                       cj__digits(sum, text));
    all_filters(c);
    if (c->bias)
        cj__print_line(explanation, "+ bias %s = %s",
                       cj__digits(cj__element_at(c->bias, c->filter), text),
                       cj__digits(c->z[c->filter], total));
    return CJ_OK;
}

static void print_window(const cj__explanation *explanation, const convolution *c)
{
    const int64_t bottom = c->rows.begin + (c->rows.count - 1) * c->rows.step;
    const int64_t right = c->columns.begin + (c->columns.count - 1) * c->columns.step;
    const bool padded =
        c->rows.begin < 0 || c->columns.begin < 0 || bottom >= c->height || right >= c->width;
    cj__print_line(explanation,
                   "filter %lld over rows %lld to %lld and columns %lld to %lld of the input%s",
                   (long long)c->filter, (long long)c->rows.begin, (long long)bottom,
                   (long long)c->columns.begin, (long long)right,
                   padded ? "; elements outside the input count as 0" : "");
}

cj_status cj__explain_conv2d(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_conv2d_args *args = record->layer->args;
    convolution c = {.x = record->inputs[0],
                     .kernel = cj__weight(record, "kernel"),
                     .bias = cj__weight(record, "bias")};
    const int64_t *x = cj_tensor_shape(c.x)->dims, *k = cj_tensor_shape(c.kernel)->dims;
    const int64_t *y = cj_tensor_shape(record->outputs[0])->dims, *at = explanation->index;
    c.height = x[1], c.width = x[2], c.channels = x[3];
    c.depth = k[2], c.filters = k[3], c.groups = c.channels / c.depth, c.filter = at[3];
    c.rows = cj__span_at(at[1], y[1], x[1], k[0], args->strides[0], args->dilation_rate[0],
                         args->padding);
    c.columns = cj__span_at(at[2], y[2], x[2], k[1], args->strides[1], args->dilation_rate[1],
                            args->padding);
    c.size = k[0] * k[1];
    double *buffer = cj__new((size_t)(3 * c.size + 2 * c.filters), sizeof *buffer);
    if (!buffer)
        return CJ_OUT_OF_MEMORY;
    c.window = buffer, c.weights = buffer + c.size, c.both = buffer + 2 * c.size;
    c.z = buffer + 3 * c.size, c.bound = c.z + c.filters;
    print_window(explanation, &c);
    cj_status status = explain_channels(explanation, &c);
    if (status == CJ_OK)
        status = cj__explain_activation(explanation, args->activation, c.z, c.bound, c.filters,
                                        c.filter);
    cj__free(buffer);
    return status;
}
