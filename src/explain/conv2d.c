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
    double *z, *slack;               // of every filter
} convolution;

// Padding counts as 0.
static double pixel(const convolution *c, int64_t i, int64_t j, int64_t channel)
{
    const int64_t y = c->rows.begin + i * c->rows.step, x = c->columns.begin + j * c->columns.step;
    if (!cj__inside(y, c->height) || !cj__inside(x, c->width))
        return 0;
    return cj__at(c->x, (y * c->width + x) * c->channels + channel);
}

static double weight(const convolution *c, int64_t i, int64_t j, int64_t depth, int64_t filter)
{
    return cj__at(c->kernel, ((i * c->columns.count + j) * c->depth + depth) * c->filters + filter);
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
        c->window[k] = pixel(c, i, j, channel_of(c, depth, c->filter));
        c->weights[k] = weight(c, i, j, depth, c->filter);
        c->both[k] = c->window[k] * c->weights[k];
        sum += c->both[k];
    }
    return sum;
}

// z[f] = b[f] + sum over window and depth, for every filter: a softmax needs them all.
static void all_filters(convolution *c)
{
    for (int64_t f = 0; f < c->filters; f++) {
        double sum = c->bias ? cj__at(c->bias, f) : 0, magnitude = fabs(sum);
        for (int64_t d = 0; d < c->depth; d++) {
            for (int64_t k = 0; k < c->size; k++) {
                const int64_t i = k / c->columns.count, j = k % c->columns.count;
                const double product = pixel(c, i, j, channel_of(c, d, f)) * weight(c, i, j, d, f);
                sum += product;
                magnitude += fabs(product);
            }
        }
        c->z[f] = sum;
        c->slack[f] = cj__slack(magnitude);
    }
}

static cj_status tell_channels(cj__telling *telling, convolution *c)
{
    char text[CJ__SHORT_TEXT], total[CJ__SHORT_TEXT];
    double sum = 0, rest = 0, magnitude = 0;
    const int64_t shown = c->depth > telling->max_rows / 3 ? telling->max_rows / 3 : c->depth;
    for (int64_t d = 0; d < c->depth; d++) {
        const double own = gather(c, d);
        if (d >= shown) {
            rest += own;
            sum += own;
            continue;
        }
        if (c->channels > 1)
            cj__say(telling, "channel %lld:", (long long)channel_of(c, d, c->filter));
        const cj__grid grids[] = {
            {"window", c->window}, {"kernel", c->weights}, {"products", c->both}};
        cj__show_grids(telling, grids, 3, c->rows.count, c->columns.count);
        const cj__products products = {"window", "kernel", c->window, c->weights, c->size};
        CJ_TRY(cj__show_products(telling, &products, &sum, &magnitude));
    }
    if (c->depth > shown)
        cj__say(telling, "the other %lld channels come to %s", (long long)(c->depth - shown),
                cj__short(rest, text));
    if (c->depth > 1)
        cj__say(telling, "sum over %lld channels: %s", (long long)c->depth, cj__short(sum, text));
    all_filters(c);
    if (c->bias)
        cj__say(telling, "+ bias %s = %s", cj__short(cj__at(c->bias, c->filter), text),
                cj__short(c->z[c->filter], total));
    return CJ_OK;
}

static void say_where(const cj__telling *telling, const convolution *c)
{
    const int64_t bottom = c->rows.begin + (c->rows.count - 1) * c->rows.step;
    const int64_t right = c->columns.begin + (c->columns.count - 1) * c->columns.step;
    const bool padded =
        c->rows.begin < 0 || c->columns.begin < 0 || bottom >= c->height || right >= c->width;
    cj__say(telling, "filter %lld over rows %lld to %lld and columns %lld to %lld of the input%s",
            (long long)c->filter, (long long)c->rows.begin, (long long)bottom,
            (long long)c->columns.begin, (long long)right,
            padded ? "; what lies outside counts as 0" : "");
}

cj_status cj__tell_conv2d(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_conv2d_args *args = sight->layer->args;
    convolution c = {.x = sight->inputs[0],
                     .kernel = cj__weight(sight, "kernel"),
                     .bias = cj__weight(sight, "bias")};
    const int64_t *x = cj_tensor_shape(c.x)->dims, *k = cj_tensor_shape(c.kernel)->dims;
    const int64_t *y = cj_tensor_shape(sight->outputs[0])->dims, *at = telling->index;
    c.height = x[1], c.width = x[2], c.channels = x[3];
    c.depth = k[2], c.filters = k[3], c.groups = c.channels / c.depth, c.filter = at[3];
    c.rows = cj__span_at(at[1], y[1], x[1], k[0], args->strides[0], args->dilation_rate[0],
                         args->padding);
    c.columns = cj__span_at(at[2], y[2], x[2], k[1], args->strides[1], args->dilation_rate[1],
                            args->padding);
    c.size = k[0] * k[1];
    double *room = cj__new((size_t)(3 * c.size + 2 * c.filters), sizeof *room);
    if (!room)
        return CJ_OUT_OF_MEMORY;
    c.window = room, c.weights = room + c.size, c.both = room + 2 * c.size;
    c.z = room + 3 * c.size, c.slack = c.z + c.filters;
    say_where(telling, &c);
    cj_status status = tell_channels(telling, &c);
    if (status == CJ_OK)
        status = cj__tell_activation(telling, args->activation, c.z, c.slack, c.filters, c.filter);
    cj__free(room);
    return status;
}
