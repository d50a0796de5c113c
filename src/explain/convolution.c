// Convolutions along one to three axes, plain and grouped, depthwise, separable and transposed: the
// window, the kernel, each product, their sum, the bias, the activation.
//
// A depthwise kernel (.., channels, m) is one of as many groups as channels, (.., 1, channels m), and
// a transposed one (.., filters, channels) has its last axes the other way round.
#include "explain/window.h"
#include <math.h>

typedef struct convolution {
    cj__window window;
    const cj_tensor *kernel, *bias;
    int64_t depth, filters, groups, filter; // depth = channels / groups; the filter to derive
    bool turned;                            // the kernel is (.., filters, depth)
    double *taken, *weights, *both;         // of one channel
    double *z, *bound;                      // of every filter
} convolution;

static double weight(const convolution *c, int64_t k, int64_t depth, int64_t filter)
{
    return cj__element_at(c->kernel, c->turned ? (k * c->filters + filter) * c->depth + depth :
                                                 (k * c->depth + depth) * c->filters + filter);
}

static int64_t channel_of(const convolution *c, int64_t depth, int64_t filter)
{
    return filter / (c->filters / c->groups) * c->depth + depth;
}

// Fills what the window takes of one channel, its weights and their products for a filter; returns
// the sum of the products.
static double gather(const convolution *c, int64_t depth, int64_t filter)
{
    double sum = 0;
    for (int64_t k = 0; k < c->window.size; k++) {
        c->taken[k] = cj__window_value(&c->window, k, channel_of(c, depth, filter));
        c->weights[k] = weight(c, k, depth, filter);
        c->both[k] = c->taken[k] * c->weights[k];
        sum += c->both[k];
    }
    return sum;
}

// z[f] = b[f] + sum over window and depth, for every filter, since a softmax needs them all.
static void all_filters(const convolution *c)
{
    for (int64_t f = 0; f < c->filters; f++) {
        double sum = c->bias ? cj__element_at(c->bias, f) : 0, magnitude = fabs(sum);
        for (int64_t d = 0; d < c->depth; d++) {
            for (int64_t k = 0; k < c->window.size; k++) {
                const double product =
                    cj__window_value(&c->window, k, channel_of(c, d, f)) * weight(c, k, d, f);
                sum += product;
                magnitude += fabs(product);
            }
        }
        c->z[f] = sum;
        c->bound[f] = cj__rounding_bound(magnitude);
    }
}

static cj_status show_channel(const cj__explanation *explanation, const convolution *c)
{
    double sum = 0, magnitude = 0;
    const int64_t columns = cj__window_columns(&c->window);
    const cj__grid grids[] = {{"window", c->taken}, {"kernel", c->weights}, {"products", c->both}};
    cj__show_grids(explanation, grids, 3, c->window.size / columns, columns);
    const cj__products products = {"window", "kernel", c->taken, c->weights, c->window.size};
    return cj__show_products(explanation, &products, &sum, &magnitude);
}

// The products of one filter, channel by channel.
static cj_status show_filter(const cj__explanation *explanation, const convolution *c,
                             int64_t filter)
{
    char text[CJ__DIGITS_TEXT];
    double sum = 0, rest = 0;
    const int64_t shown =
        c->depth > explanation->max_rows / 3 ? explanation->max_rows / 3 : c->depth;
    for (int64_t d = 0; d < c->depth; d++) {
        const double own = gather(c, d, filter);
        sum += own;
        if (d >= shown) {
            rest += own;
            continue;
        }
        if (c->window.channels > 1)
            cj__print_line(explanation, "channel %lld:", (long long)channel_of(c, d, filter));
        CJ_TRY(show_channel(explanation, c));
    }
    if (c->depth > shown)
        cj__print_line(explanation, "the other %lld channels sum to %s",
                       (long long)(c->depth - shown), cj__digits(rest, text));
    if (c->depth > 1)
        cj__print_line(explanation, "sum over %lld channels: %s", (long long)c->depth,
                       cj__digits(sum, text));
    return CJ_OK;
}

static void print_window(const cj__explanation *explanation, const convolution *c)
{
    char text[CJ__WINDOW_TEXT];
    bool beyond;
    cj__window_text(&c->window, text, &beyond);
    cj__print_line(explanation, "filter %lld over %s of the input%s", (long long)c->filter, text,
                   beyond ? "; elements outside the input count as 0" : "");
    if (c->turned)
        cj__print_line(explanation, "each element of the input is spread over the outputs by the "
                                    "kernel; these reach the one to be derived");
}

static void print_bias(const cj__explanation *explanation, const cj_tensor *bias, int64_t filter,
                       double z)
{
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    if (bias)
        cj__print_line(explanation, "+ bias %s = %s",
                       cj__digits(cj__element_at(bias, filter), text), cj__digits(z, total));
}

static bool take_memory(convolution *c)
{
    double *buffer = cj__new((size_t)(3 * c->window.size + 2 * c->filters), sizeof *buffer);
    if (!buffer)
        return false;
    c->taken = buffer;
    c->weights = c->taken + c->window.size;
    c->both = c->weights + c->window.size;
    c->z = c->both + c->window.size;
    c->bound = c->z + c->filters;
    return true;
}

static const char *activation_of(const cj__explanation *explanation)
{
    const char *const *spec = cj__layer_setting(explanation->record->layer, "activation");
    return *spec;
}

// The rest, once the convolution is set up but for its memory.
static cj_status explain(cj__explanation *explanation, convolution *c)
{
    if (!take_memory(c))
        return CJ_OUT_OF_MEMORY;
    print_window(explanation, c);
    cj_status status = show_filter(explanation, c, c->filter);
    all_filters(c);
    print_bias(explanation, c->bias, c->filter, c->z[c->filter]);
    if (status == CJ_OK)
        status = cj__explain_activation(explanation, activation_of(explanation), c->z, c->bound,
                                        c->filters, c->filter);
    cj__free(c->taken);
    return status;
}

static int64_t last_of(const cj_tensor *tensor, int from_end)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    return shape->dims[shape->rank - from_end];
}

static convolution convolution_of(const cj__explanation *explanation, const char *kernel)
{
    const cj__record *record = explanation->record;
    const cj_tensor *y = record->outputs[0];
    return (convolution){.window = cj__window_of(record->layer, "kernel_size", record->inputs[0], y,
                                                 explanation->index),
                         .kernel = cj__weight(record, kernel),
                         .bias = cj__weight(record, "bias"),
                         .filter = explanation->index[cj_tensor_shape(y)->rank - 1],
                         .groups = 1};
}

cj_status cj__explain_convolution(cj__explanation *explanation)
{
    convolution c = convolution_of(explanation, "kernel");
    c.depth = last_of(c.kernel, 2);
    c.filters = last_of(c.kernel, 1);
    c.groups = c.window.channels / c.depth;
    return explain(explanation, &c);
}

cj_status cj__explain_depthwise(cj__explanation *explanation)
{
    convolution c = convolution_of(explanation, "kernel");
    c.depth = 1;
    c.filters = last_of(c.kernel, 1) * c.window.channels;
    c.groups = c.window.channels;
    return explain(explanation, &c);
}

// Transposed
// -----------------------------------------------------------------------------------------------

// How many zeros Keras puts before the input, whose elements lie `stride` apart, with the kernel's
// reach of (count - 1) dilation + 1; without an output padding it is less than 0.
static int64_t zeros_before(int64_t reach, int64_t stride, int64_t output_padding, bool same)
{
    if (!same)
        return reach - 1;
    const int64_t all =
        output_padding < 0 ? stride + reach - 2 : reach + reach % 2 - 2 + output_padding;
    return all / 2 + all % 2 < reach - 1 ? all / 2 + all % 2 : reach - 1;
}

// Output o takes input p by tap k where o = p stride + k dilation - (reach - 1 - zeros before).
cj_status cj__explain_transposed(cj__explanation *explanation)
{
    const cj_layer *layer = explanation->record->layer;
    const int64_t *padding = cj__layer_setting(layer, "output_padding"),
                  *strides = cj__layer_setting(layer, "strides"),
                  *dilation = cj__layer_setting(layer, "dilation_rate");
    convolution c = convolution_of(explanation, "kernel");
    for (int i = 0; i < c.window.rank; i++) {
        cj__axis *axis = &c.window.axes[i];
        const int64_t reach = (axis->count - 1) * dilation[i] + 1;
        const bool same = cj__is_setting(layer, "padding", "same");
        axis->begin = explanation->index[i + 1] + reach - 1 -
                      zeros_before(reach, strides[i], padding[i], same);
        axis->step = -dilation[i];
        axis->divisor = strides[i];
    }
    c.turned = true;
    c.depth = last_of(c.kernel, 1);
    c.filters = last_of(c.kernel, 2);
    return explain(explanation, &c);
}

// Separable
// -----------------------------------------------------------------------------------------------

// What the depthwise step makes, times the pointwise kernel: z[f] = b[f] + sum over q of u[q] P[q, f].
typedef struct mixing {
    const cj_tensor *kernel, *bias;
    int64_t filters, filter;
    double *column, *z, *bound;
} mixing;

static void mix(const convolution *c, const mixing *m)
{
    for (int64_t f = 0; f < m->filters; f++) {
        double sum = m->bias ? cj__element_at(m->bias, f) : 0, magnitude = fabs(sum), carried = 0;
        for (int64_t q = 0; q < c->filters; q++) {
            const double by = cj__element_at(m->kernel, q * m->filters + f);
            sum += c->z[q] * by;
            magnitude += fabs(c->z[q] * by);
            carried += c->bound[q] * fabs(by);
        }
        m->z[f] = sum;
        m->bound[f] = carried + cj__rounding_bound(magnitude);
    }
    for (int64_t q = 0; q < c->filters; q++)
        m->column[q] = cj__element_at(m->kernel, q * m->filters + m->filter);
}

static cj_status explain_mixing(const cj__explanation *explanation, const convolution *c,
                                const mixing *m)
{
    double sum = 0, magnitude = 0;
    const int64_t most = explanation->max_rows / 3, shown = c->filters > most ? most : c->filters;
    print_window(explanation, c);
    cj__print_line(explanation, "the depthwise step, a kernel for each channel:");
    for (int64_t q = 0; q < shown; q++)
        CJ_TRY(show_filter(explanation, c, q));
    if (c->filters > shown)
        cj__print_line(explanation, "and %lld more", (long long)(c->filters - shown));
    all_filters(c);
    mix(c, m);
    cj__print_line(explanation, "the pointwise step: these times filter %lld of its kernel",
                   (long long)m->filter);
    const cj__products products = {"depthwise", "pointwise", c->z, m->column, c->filters};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    print_bias(explanation, m->bias, m->filter, m->z[m->filter]);
    return cj__explain_activation(explanation, activation_of(explanation), m->z, m->bound,
                                  m->filters, m->filter);
}

cj_status cj__explain_separable(cj__explanation *explanation)
{
    convolution c = convolution_of(explanation, "depthwise_kernel");
    mixing m = {.kernel = cj__weight(explanation->record, "pointwise_kernel"),
                .bias = c.bias,
                .filter = c.filter};
    c.depth = 1;
    c.filters = last_of(c.kernel, 1) * c.window.channels;
    c.groups = c.window.channels;
    c.bias = NULL;
    m.filters = last_of(m.kernel, 1);
    m.z = cj__new((size_t)(2 * m.filters + c.filters), sizeof *m.z);
    cj_status status = m.z && take_memory(&c) ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        m.bound = m.z + m.filters;
        m.column = m.bound + m.filters;
        c.filter = m.filter;
        status = explain_mixing(explanation, &c, &m);
    }
    cj__free(c.taken);
    cj__free(m.z);
    return status;
}
