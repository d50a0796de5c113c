// The layers of a random model. Shapes are odd on purpose: images smaller than a vector, channels
// that fill none, windows that overlap or leave pixels out.
#include "generator.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

uint64_t dice_word(dice *d)
{
    uint64_t z = d->state += 0x9E3779B97F4A7C15u; // SplitMix64 (Steele et al. 2014)
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int64_t dice_range(dice *d, int64_t least, int64_t most)
{
    return least + (int64_t)(dice_word(d) % (uint64_t)(most - least + 1));
}

bool dice_chance(dice *d, int percent)
{
    return dice_range(d, 0, 99) < percent;
}

double dice_real(dice *d)
{
    return (double)(dice_word(d) >> 11) / 9007199254740992.0;
}

double dice_normal(dice *d)
{
    // one after the other: arguments have no order
    const double radius = sqrt(-2 * log(1 - dice_real(d)));
    return radius * cos(6.283185307179586 * dice_real(d));
}

void random_say(random_net *net, const char *format, ...)
{
    const size_t length = strlen(net->text);
    va_list list;
    va_start(list, format);
    vsnprintf(net->text + length, sizeof net->text - length, format, list);
    va_end(list);
}

// Takes a layer: in the list, or applied to the symbol.
static bool append(random_net *net, cj_layer *layer)
{
    if (!layer)
        return false;
    if (net->functional)
        return (net->symbol = cj_apply(layer, net->symbol)) != NULL;
    if (net->layer_count == LAYERS_MAX) {
        cj_release(layer);
        return false;
    }
    net->layers[net->layer_count++] = layer;
    return true;
}

static const char *pick_activation(dice *d)
{
    static const char *const common[] = {"linear", "relu", "relu", "relu", "tanh", "sigmoid"};
    static const char *const rare[] = {"relu",
                                       "leaky_relu",
                                       "relu6",
                                       "elu",
                                       "selu",
                                       "softplus",
                                       "softsign",
                                       "hard_sigmoid",
                                       "silu",
                                       "hard_silu",
                                       "gelu",
                                       "gelu(approximate=true)",
                                       "mish",
                                       "softmax",
                                       "leaky_relu(negative_slope=0.3)",
                                       "relu(max_value=1.5)"};
    return dice_chance(d, 70) ? DICE_PICK(d, common) : DICE_PICK(d, rare);
}

static const char *pick_regularizer(dice *d)
{
    static const char *const some[] = {"l2(1e-3)", "l1(1e-3)", "l1_l2(l1=1e-3, l2=1e-3)"};
    return dice_chance(d, 12) ? DICE_PICK(d, some) : NULL;
}

static const char *pick_bias(dice *d)
{
    static const char *const some[] = {"random_normal(stddev=0.2)",
                                       "random_uniform(minval=-0.3, maxval=0.3)"};
    return dice_chance(d, 70) ? DICE_PICK(d, some) : "zeros";
}

static int64_t pick_channels(dice *d)
{
    static const int64_t odd[] = {1, 2, 3, 5, 7, 8, 10, 12, 16, 17, 20, 24, 32, 33, 48, 64};
    return dice_chance(d, 60) ? odd[dice_range(d, 0, 9)] : DICE_PICK(d, odd);
}

static int64_t outputs_of(int64_t size, int64_t window, int64_t stride, bool same)
{
    return same ? (size + stride - 1) / stride : size < window ? 0 : (size - window) / stride + 1;
}

typedef struct conv_choice {
    cj_conv2d_args args;
    int64_t rows, cols;
    double work;
} conv_choice;

// Taps of 1 to 7, mostly as people write them: 3 x 3, strides of 1.
static void pick_windows(dice *d, cj_conv2d_args *a, bool usual)
{
    const bool plain = dice_chance(d, usual ? 85 : 45), square = dice_chance(d, 60);
    for (int i = 0; i < 2; i++) {
        a->kernel_size[i] = plain       ? 3 :
                            i && square ? a->kernel_size[0] :
                                          dice_range(d, 1, dice_chance(d, 30) ? 7 : 5);
        a->strides[i] = plain || dice_chance(d, 60) ? 1 : dice_range(d, 1, 3);
    }
    for (int i = 0; i < 2; i++)
        a->dilation_rate[i] =
            a->strides[0] == 1 && a->strides[1] == 1 && !plain && dice_chance(d, 25) ?
                dice_range(d, 1, 3) :
                1;
}

static bool pick_conv(random_net *net, conv_choice *c)
{
    dice *d = &net->dice;
    *c = (conv_choice){.args = {CJ_CONV2D_DEFAULTS, .filters = pick_channels(d)}};
    cj_conv2d_args *a = &c->args;
    pick_windows(d, a, net->usual);
    const bool same = dice_chance(d, 50);
    a->padding = same ? "same" : "valid";
    const int64_t channels = net->dims[2];
    if (dice_chance(d, net->usual ? 5 : 20)) {
        a->groups = dice_chance(d, 50) ? channels :
                    channels % 2 == 0  ? 2 :
                    channels % 3 == 0  ? 3 :
                                         1;
        a->filters = a->groups * dice_range(d, 1, a->groups > 8 ? 2 : 5);
    }
    a->activation = net->usual && dice_chance(d, 75) ? "relu" : pick_activation(d);
    a->use_bias = dice_chance(d, 80);
    a->bias_initializer = pick_bias(d);
    a->kernel_regularizer = pick_regularizer(d);
    a->bias_regularizer = a->use_bias ? pick_regularizer(d) : NULL;
    a->activity_regularizer = dice_chance(d, 4) ? "l2(1e-3)" : NULL;
    const int64_t reach_h = (a->kernel_size[0] - 1) * a->dilation_rate[0] + 1,
                  reach_w = (a->kernel_size[1] - 1) * a->dilation_rate[1] + 1;
    c->rows = outputs_of(net->dims[0], reach_h, a->strides[0], same);
    c->cols = outputs_of(net->dims[1], reach_w, a->strides[1], same);
    c->work = (double)(c->rows * c->cols * a->filters * a->kernel_size[0] * a->kernel_size[1]) *
              (double)channels / (double)a->groups;
    return c->rows > 0 && c->cols > 0 && net->work + c->work <= net->most_work;
}

static void say_conv(random_net *net, const conv_choice *c)
{
    const cj_conv2d_args *a = &c->args;
    random_say(
        net, " conv2d(%d, {%d, %d}, strides {%d, %d}, dilation {%d, %d}, groups %d, %s, %s%s%s%s)",
        (int)a->filters, (int)a->kernel_size[0], (int)a->kernel_size[1], (int)a->strides[0],
        (int)a->strides[1], (int)a->dilation_rate[0], (int)a->dilation_rate[1], (int)a->groups,
        a->padding, a->activation, a->use_bias ? "" : ", no bias",
        a->kernel_regularizer ? ", " : "", a->kernel_regularizer ? a->kernel_regularizer : "");
}

static void took_conv(random_net *net, const conv_choice *c)
{
    net->dims[0] = c->rows, net->dims[1] = c->cols, net->dims[2] = c->args.filters;
    net->work += c->work;
}

static bool add_conv(random_net *net)
{
    conv_choice c;
    for (int tries = 0; tries < 20; tries++) {
        if (!pick_conv(net, &c))
            continue;
        say_conv(net, &c);
        took_conv(net, &c);
        return append(net, cj_conv2d_new(&c.args));
    }
    return true; // no room for another
}

static bool add_pool(random_net *net)
{
    dice *d = &net->dice;
    cj_pooling2d_args a = {CJ_POOLING2D_DEFAULTS, .padding = dice_chance(d, 70) ? "valid" : "same"};
    const bool plain = dice_chance(d, net->usual ? 90 : 60);
    for (int i = 0; i < 2; i++) {
        a.pool_size[i] = plain ? 2 : dice_range(d, 1, 4);
        a.strides[i] = plain || dice_chance(d, 40) ? a.pool_size[i] : dice_range(d, 1, 3);
    }
    const bool same = a.padding[0] == 's', most = dice_chance(d, 75);
    const int64_t rows = outputs_of(net->dims[0], a.pool_size[0], a.strides[0], same),
                  cols = outputs_of(net->dims[1], a.pool_size[1], a.strides[1], same);
    if (rows < 1 || cols < 1)
        return true;
    random_say(net, " %s_pooling2d({%d, %d}, strides {%d, %d}, %s)", most ? "max" : "average",
               (int)a.pool_size[0], (int)a.pool_size[1], (int)a.strides[0], (int)a.strides[1],
               a.padding);
    net->dims[0] = rows, net->dims[1] = cols;
    return append(net, most ? cj_max_pooling2d_new(&a) : cj_average_pooling2d_new(&a));
}

static bool add_dropout(random_net *net)
{
    static const double rates[] = {0.1, 0.25, 0.5, 0.8};
    const double rate = DICE_PICK(&net->dice, rates);
    random_say(net, " dropout(%g)", rate);
    return append(net, cj_dropout(rate));
}

// Layers that keep the shape, whatever it is.
static bool add_any(random_net *net)
{
    dice *d = &net->dice;
    const char *activation = pick_activation(d);
    switch (dice_range(d, 0, 9)) {
    case 0:
    case 1:
    case 2:
        random_say(net, " batch_normalization");
        return append(net, cj_batch_normalization(.momentum = 0.7, .center = dice_chance(d, 80),
                                                  .scale = dice_chance(d, 80),
                                                  .gamma_regularizer = pick_regularizer(d)));
    case 3:
    case 4:
        return add_dropout(net);
    case 5:
        random_say(net, " relu");
        return append(net, cj_relu());
    case 6:
        random_say(net, " relu(0.1, max 2)");
        return append(net, cj_relu(.max_value = 2, .negative_slope = 0.1));
    case 7:
        random_say(net, " leaky_relu");
        return append(net, dice_chance(d, 50) ? cj_leaky_relu(0.2) : cj_elu(0.7));
    case 8:
        random_say(net, " rescaling(0.7, -0.1)");
        return append(net, cj_rescaling(0.7, .offset = -0.1));
    default:
        random_say(net, " activation(%s)", activation);
        return append(net, cj_activation(activation));
    }
}

// A transposed convolution with a kernel and strides of one length for both axes.
static bool add_transpose(random_net *net)
{
    dice *d = &net->dice;
    cj_conv2d_transpose_args a = {CJ_CONV2D_TRANSPOSE_DEFAULTS, .filters = pick_channels(d)};
    const int64_t k = dice_range(d, 1, 4), stride = dice_range(d, 1, 3), channels = net->dims[2];
    const bool same = dice_chance(d, 50);
    a.kernel_size[0] = k, a.strides[0] = stride;
    a.padding = same ? "same" : "valid";
    a.activation = pick_activation(d);
    a.use_bias = dice_chance(d, 80);
    int64_t longer = k > stride ? k : stride;
    if (dice_chance(d, 30)) {
        a.output_padding[0] = a.output_padding[1] = dice_range(d, 0, stride - 1);
        longer = (same ? k % 2 : k) + a.output_padding[0];
    } else if (same) {
        longer = stride;
    }
    const int64_t rows = (net->dims[0] - 1) * stride + longer,
                  cols = (net->dims[1] - 1) * stride + longer;
    const double work = (double)(net->dims[0] * net->dims[1] * k * k * channels * a.filters);
    if (rows < 1 || cols < 1 || net->work + work > net->most_work)
        return true;
    random_say(net, " conv2d_transpose(%d, %d, strides %d, %s, output_padding %d, %s)",
               (int)a.filters, (int)k, (int)stride, a.padding, (int)a.output_padding[0],
               a.activation);
    net->dims[0] = rows, net->dims[1] = cols, net->dims[2] = a.filters;
    net->work += work;
    return append(net, cj_conv2d_transpose_new(&a));
}

static bool add_separable(random_net *net)
{
    dice *d = &net->dice;
    const int64_t k = dice_range(d, 1, 3), stride = dice_range(d, 1, 2), m = dice_range(d, 1, 3),
                  filters = pick_channels(d), channels = net->dims[2];
    const int64_t rows = outputs_of(net->dims[0], k, stride, true),
                  cols = outputs_of(net->dims[1], k, stride, true);
    const double work = (double)(rows * cols * channels * m * (k * k + filters));
    if (net->work + work > net->most_work)
        return true;
    random_say(net, " separable_conv2d(%d, %d, strides %d, multiplier %d)", (int)filters, (int)k,
               (int)stride, (int)m);
    net->dims[0] = rows, net->dims[1] = cols, net->dims[2] = filters;
    net->work += work;
    return append(net,
                  cj_separable_conv2d(filters, {k}, .strides = {stride}, .padding = "same",
                                      .depth_multiplier = m, .activation = pick_activation(d)));
}

static bool add_sides(random_net *net)
{
    dice *d = &net->dice;
    const int64_t a = dice_range(d, 0, 2), b = dice_range(d, 0, 2), way = dice_range(d, 0, 2);
    if (way == 0) {
        random_say(net, " zero_padding2d({{%d, %d}, {%d, 0}})", (int)a, (int)b, (int)b);
        net->dims[0] += a + b, net->dims[1] += b;
        return append(net, cj_zero_padding2d({{a, b}, {b, 0}}));
    }
    if (way == 1 && net->dims[0] > a + b && net->dims[1] > b) {
        random_say(net, " cropping2d({{%d, %d}, {0, %d}})", (int)a, (int)b, (int)b);
        net->dims[0] -= a + b, net->dims[1] -= b;
        return append(net, cj_cropping2d({{a, b}, {0, b}}));
    }
    if (net->dims[0] * net->dims[1] > 64)
        return true;
    random_say(net, " up_sampling2d({%d, %d})", (int)a + 1, (int)b + 1);
    net->dims[0] *= a + 1, net->dims[1] *= b + 1;
    return append(net, cj_up_sampling2d({a + 1, b + 1}));
}

// The rest of the family.
static bool add_relative(random_net *net)
{
    const int64_t way = dice_range(&net->dice, 0, 2);
    return way == 0 ? add_transpose(net) : way == 1 ? add_separable(net) : add_sides(net);
}

// Two convolutions of one input side by side or added, or a residual sum.
static bool add_branches(random_net *net)
{
    conv_choice one, two;
    cj_symbol *from = net->symbol;
    const bool add = dice_chance(&net->dice, 50);
    for (int tries = 0; tries < 40; tries++) {
        if (!pick_conv(net, &one))
            continue;
        two = one;
        if (one.args.groups == 1 && !add)
            two.args.filters = dice_range(&net->dice, 1, 9);
        two.args.activation = pick_activation(&net->dice);
        const bool residual = add && one.rows == net->dims[0] && one.cols == net->dims[1] &&
                              one.args.filters == net->dims[2];
        if (net->work + 2 * one.work > net->most_work)
            continue;
        random_say(net, residual ? " add(self," : add ? " add(" : " concatenate(");
        say_conv(net, &one);
        took_conv(net, &one);
        cj_symbol *a = cj_apply(cj_conv2d_new(&one.args), from), *b = from;
        if (!residual) {
            say_conv(net, &two);
            net->work += two.work;
            b = cj_apply(cj_conv2d_new(&two.args), from);
            net->dims[2] = add ? one.args.filters : one.args.filters + two.args.filters;
        }
        random_say(net, ")");
        net->symbol = add ? cj_merge(cj_add(), a, b) : cj_merge(cj_concatenate(), a, b);
        return net->symbol != NULL;
    }
    return true;
}

// One convolution, applied twice.
static bool add_shared(random_net *net)
{
    conv_choice c;
    for (int tries = 0; tries < 40; tries++) {
        if (!pick_conv(net, &c) || c.rows != net->dims[0] || c.cols != net->dims[1])
            continue;
        c.args.filters = net->dims[2], c.args.groups = 1;
        c.work = (double)(c.rows * c.cols * net->dims[2] * net->dims[2] * c.args.kernel_size[0] *
                          c.args.kernel_size[1]);
        if (net->work + 2 * c.work > net->most_work)
            continue;
        random_say(net, " twice:");
        say_conv(net, &c);
        took_conv(net, &c);
        net->work += c.work;
        cj_layer *layer = cj_conv2d_new(&c.args);
        net->symbol = cj_apply(layer, cj_apply(layer, net->symbol));
        return net->symbol != NULL;
    }
    return true;
}

static bool flatten(random_net *net)
{
    dice *d = &net->dice;
    const int way = (int)dice_range(d, 0, 9);
    const int64_t channels = net->dims[2], all = net->dims[0] * net->dims[1] * net->dims[2];
    net->rank = 1;
    if (way < 2) {
        random_say(net, way ? " global_max_pooling2d" : " global_average_pooling2d");
        net->dims[0] = channels;
        return append(net, way ? cj_global_max_pooling2d() : cj_global_average_pooling2d());
    }
    net->dims[0] = way == 2 ? channels : all;
    if (way == 2) {
        random_say(net, " global_average_pooling2d(keepdims) flatten");
        return append(net, cj_global_average_pooling2d(.keepdims = true)) &&
               append(net, cj_flatten());
    }
    random_say(net, way == 3 ? " reshape(-1)" : " flatten");
    return append(net, way == 3 ? cj_reshape({-1}) : cj_flatten());
}

static bool add_dense(random_net *net, int64_t units, const char *activation)
{
    dice *d = &net->dice;
    const int64_t inputs = net->dims[net->rank - 1], times = net->rank == 2 ? net->dims[0] : 1;
    cj_dense_args a = {CJ_DENSE_DEFAULTS, .units = units, .activation = activation,
                       .bias_initializer = pick_bias(d)};
    a.use_bias = dice_chance(d, 85);
    a.kernel_regularizer = pick_regularizer(d);
    a.bias_regularizer = a.use_bias ? pick_regularizer(d) : NULL;
    a.activity_regularizer = dice_chance(d, 4) ? "l1(1e-3)" : NULL;
    net->work += (double)(inputs * units * times);
    random_say(net, " dense(%d, %s%s%s%s)", (int)units, activation, a.use_bias ? "" : ", no bias",
               a.kernel_regularizer ? ", " : "", a.kernel_regularizer ? a.kernel_regularizer : "");
    net->dims[net->rank - 1] = units;
    return append(net, cj_dense_new(&a));
}

static bool add_hidden(random_net *net)
{
    static const int64_t units[] = {1, 3, 7, 10, 16, 20, 33, 64, 100, 130};
    const int64_t n = DICE_PICK(&net->dice, units);
    const bool fits = net->work + (double)(net->dims[net->rank - 1] * n) <= net->most_work * 2;
    return add_dense(net, fits ? n : 5, net->usual ? "relu" : pick_activation(&net->dice));
}

static bool image_body(random_net *net)
{
    dice *d = &net->dice;
    if (net->kind == RANDOM_BYTES) {
        random_say(net, " rescaling(1/255)");
        if (!append(net, cj_rescaling(1.0 / 255, .offset = dice_chance(d, 30) ? -0.5 : 0)))
            return false;
    }
    const int stages = (int)dice_range(d, 1, 5);
    for (int i = 0; i < stages; i++) {
        const int what = (int)dice_range(d, 0, 99);
        bool well = true;
        if (what < (net->usual ? 60 : 25))
            well = add_conv(net) && (dice_chance(d, 80) || add_any(net)) && add_pool(net) &&
                   (!net->usual || dice_chance(d, 60) || add_dropout(net));
        else if (what < 60 || i == 0)
            well = add_conv(net);
        else if (what < 70)
            well = add_pool(net);
        else if (what < 85 && net->functional)
            well = dice_chance(d, 25) ? add_shared(net) : add_branches(net);
        else
            well = dice_chance(d, 50) ? add_relative(net) : add_any(net);
        if (!well)
            return false;
    }
    return dice_chance(d, 12) || flatten(net);
}

static cj_layer *recurrent(random_net *net, int64_t units, bool sequences)
{
    dice *d = &net->dice;
    static const char *const activations[] = {"tanh", "tanh", "relu", "sigmoid", "linear"};
    const char *activation = DICE_PICK(d, activations);
    const bool bias = dice_chance(d, 80);
    const char *initializer = pick_bias(d);
    const bool backwards = dice_chance(d, 25);
    const double dropout = dice_chance(d, 15) ? 0.3 : 0;
    const double recurrent_dropout = dice_chance(d, 15) ? 0.2 : 0;
    const int kind = dice_chance(d, 60) ? 0 : (int)dice_range(d, 1, 3);
    static const char *const names[] = {"simple_rnn", "lstm", "gru", "gru, before"};
    random_say(net, " %s(%d, %s%s%s%s)", names[kind], (int)units, activation,
               sequences ? ", sequences" : "", backwards ? ", backwards" : "",
               dropout > 0 || recurrent_dropout > 0 ? ", dropout" : "");
#define SETTINGS                                                                    \
    .return_sequences = sequences, .activation = activation, .use_bias = bias,      \
    .bias_initializer = initializer, .go_backwards = backwards, .dropout = dropout, \
    .recurrent_dropout = recurrent_dropout
    if (kind == 0)
        return cj_simple_rnn(units, SETTINGS);
    return kind == 1 ? cj_lstm(units, SETTINGS) : cj_gru(units, SETTINGS, .reset_after = kind == 2);
#undef SETTINGS
}

static bool add_rnn(random_net *net, bool sequences)
{
    dice *d = &net->dice;
    static const int64_t sizes[] = {1, 3, 7, 16, 20};
    const int64_t units = DICE_PICK(d, sizes);
    cj_layer *layer = recurrent(net, units, sequences);
    net->work += (double)(net->dims[0] * (net->dims[1] + units) * units * 4);
    net->dims[sequences ? 1 : 0] = units;
    net->rank = sequences ? 2 : 1;
    return append(net, layer);
}

static bool sequence_body(random_net *net)
{
    dice *d = &net->dice;
    if (net->kind == RANDOM_TOKENS) {
        const int64_t length = dice_range(d, 1, 12);
        const bool mask = dice_chance(d, 30);
        random_say(net, " embedding(%d, %d%s)", (int)net->tokens, (int)length,
                   mask ? ", mask_zero" : "");
        net->dims[1] = length, net->rank = 2;
        if (!append(net, cj_embedding(net->tokens, length, .mask_zero = mask)))
            return false;
    }
    for (int i = (int)dice_range(d, 0, 2); i > 0; i--)
        if (!(dice_chance(d, 60) ? add_rnn(net, true) :
              dice_chance(d, 50) ? add_hidden(net) :
                                   add_any(net)))
            return false;
    if (dice_chance(d, 75))
        return add_rnn(net, false);
    net->dims[0] *= net->dims[1];
    net->rank = 1;
    random_say(net, " flatten");
    return append(net, cj_flatten());
}

bool random_net_body(random_net *net)
{
    if (net->kind == RANDOM_IMAGE || net->kind == RANDOM_BYTES)
        return image_body(net);
    if (net->kind == RANDOM_SEQUENCE || net->kind == RANDOM_TOKENS)
        return sequence_body(net);
    if (net->wide)
        return add_dense(net, 262144 / net->dims[0] + dice_range(&net->dice, 0, 20), "relu");
    return true;
}

bool random_net_head(random_net *net, random_head head, bool activated)
{
    dice *d = &net->dice;
    static const int64_t classes[] = {2, 3, 5, 10, 10, 17, 33};
    static const int64_t values[] = {1, 2, 5, 20};
    const char *last = !activated           ? "linear" :
                       head == HEAD_CLASSES ? "softmax" :
                       head == HEAD_YES_NO  ? "sigmoid" :
                                              "tanh";
    const int64_t count = head == HEAD_CLASSES ? DICE_PICK(d, classes) : DICE_PICK(d, values);
    for (int i = net->rank == 1 ? (int)dice_range(d, 0, 2) : 0; i > 0; i--) {
        const bool extra = dice_chance(d, 35);
        if (!add_hidden(net) || (extra && !add_any(net)))
            return false;
    }
    if (net->rank == 3) { // an output for each pixel
        random_say(net, " conv2d(%d, {1, 1}, %s)", (int)count, last);
        net->dims[2] = count;
        return append(net, cj_conv2d(count, {1, 1}, .activation = last));
    }
    if (dice_chance(d, 80) || !activated)
        return add_dense(net, count, last);
    return add_dense(net, count, "linear") && append(net, cj_activation(last));
}
