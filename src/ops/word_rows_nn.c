// Words of networks as functions: cajal/ops_nn.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include <cajal/ops_nn.h>
#include <math.h>

#define OF_X CJ__NAMES("x")

// ---- Convolutions and pools ----

static const char *const paddings[] = {"valid", "same", NULL};
static const char *const formats[] = {"channels_last", "channels_first", NULL};
#define SIZES(member, least)                                                                 \
    CJ__FIELD(cj__window_settings, member, CJ__FIELD_NUMBERS, .whole = true, .scalar = true, \
              .low = least, .high = INT16_MAX)
#define PADDING CJ__FIELD(cj__window_settings, padding, CJ__FIELD_TEXT, .words = paddings)
#define FORMAT  CJ__FIELD(cj__window_settings, data_format, CJ__FIELD_TEXT, .words = formats)
static const cj__window_settings window_defaults = {.padding = "valid"};
static const cj__field conv_fields[] = {SIZES(strides, 1), PADDING, FORMAT,
                                        SIZES(dilation_rate, 1)};
static const cj__field transpose_fields[] = {SIZES(strides, 1), PADDING, SIZES(output_padding, 0),
                                             FORMAT, SIZES(dilation_rate, 1)};
static const cj__field pool_fields[] = {SIZES(pool_size, 1), SIZES(strides, 1), PADDING, FORMAT};
static const cj__field adaptive_fields[] = {CJ__KEYED(cj__window_settings, pool_size, "output_size",
                                                      CJ__FIELD_NUMBERS, .whole = true, .low = 1,
                                                      .high = 1 << 20),
                                            FORMAT};

// Numbers for three axes: what there is, its last one repeated; 0 for none.
static bool sizes_of(const char *who, const char *what, const cj_numbers *numbers, int64_t *out)
{
    return numbers->count == 0 || cj__word_whole(who, what, numbers, out, 3, 3) >= 0;
}

static bool window_of(const char *who, const cj__window_settings *s, cj_op_window *window)
{
    *window = (cj_op_window){.padding = s->padding, .data_format = s->data_format};
    if (!sizes_of(who, "strides", &s->strides, window->strides) ||
        !sizes_of(who, "dilation_rate", &s->dilation_rate, window->dilation_rate) ||
        !sizes_of(who, "output_padding", &s->output_padding, window->output_padding))
        return false;
    for (int i = 0; i < 3 && s->output_padding.count > 0; i++)
        window->output_padding[i]++;
    return true;
}

#define CONVOLUTION(name, class, fields, names, count, call)                   \
    CJ__MAKE(name)                                                             \
    {                                                                          \
        cj_op_window window;                                                   \
        CJ__SETTINGS(cj__window_settings);                                     \
        return window_of(#name, s, &window) ? call : cj__word_drop_made(x, n); \
    }                                                                          \
    CJ__ROW(name, class, CJ__NN, names, count, fields, window_defaults, CJ__DOES(name))
CONVOLUTION(conv, "Conv", conv_fields, CJ__NAMES("inputs", "kernel"), 2,
            cj_op_conv(x[0], x[1], window))
CONVOLUTION(depthwise_conv, "DepthwiseConv", conv_fields, CJ__NAMES("inputs", "kernel"), 2,
            cj_op_depthwise_conv(x[0], x[1], window))
CONVOLUTION(separable_conv, "SeparableConv", conv_fields,
            CJ__NAMES("inputs", "depthwise_kernel", "pointwise_kernel"), 3,
            cj_op_separable_conv(x[0], x[1], x[2], window))
CONVOLUTION(conv_transpose, "ConvTranspose", transpose_fields, CJ__NAMES("inputs", "kernel"), 2,
            cj_op_conv_transpose(x[0], x[1], window))

#define POOL(name, class)                                                                          \
    CJ__MAKE(name)                                                                                 \
    {                                                                                              \
        cj_op_window window;                                                                       \
        int64_t size[3] = {0};                                                                     \
        CJ__SETTINGS(cj__window_settings);                                                         \
        return window_of(#name, s, &window) && sizes_of(#name, "pool_size", &s->pool_size, size) ? \
                   cj_op_##name(x[0], size, window) :                                              \
                   cj__word_drop_made(x, n);                                                       \
    }                                                                                              \
    CJ__ROW(name, class, CJ__NN, CJ__NAMES("inputs"), 1, pool_fields, window_defaults,             \
            CJ__DOES(name))
POOL(max_pool, "MaxPool")
POOL(average_pool, "AveragePool")

#define ADAPTIVE(name, class)                                                              \
    CJ__MAKE(name)                                                                         \
    {                                                                                      \
        int64_t size[3] = {0};                                                             \
        CJ__SETTINGS(cj__window_settings);                                                 \
        return sizes_of(#name, "output_size", &s->pool_size, size) ?                       \
                   cj_op_##name(x[0], size, s->data_format) :                              \
                   cj__word_drop_made(x, n);                                               \
    }                                                                                      \
    CJ__ROW(name, class, CJ__NN, CJ__NAMES("inputs"), 1, adaptive_fields, window_defaults, \
            CJ__DOES(name))
ADAPTIVE(adaptive_max_pool, "AdaptiveMaxPool")
ADAPTIVE(adaptive_average_pool, "AdaptiveAveragePool")

// ---- Normalizations ----

enum { OPERANDS = 5 };

// The operands at their places, NULL for those that are left out.
static void placed(cj_symbol *const *x, int n, int64_t given, cj_symbol **all)
{
    int next = 0;
    for (int i = 0; i < OPERANDS; i++)
        all[i] = next < n && (given == 0 ? i < n : given >> i & 1) ? x[next++] : NULL;
}

#define NORMALIZATION(plain, class, defaults, names, first, whole, call)              \
    CJ__MAKE(plain)                                                                   \
    {                                                                                 \
        cj_symbol *all[OPERANDS];                                                     \
        int list[CJ_MAX_RANK];                                                        \
        CJ__SETTINGS(cj__normalization_settings);                                     \
        const int *axes = cj__word_axes_list(s->axis, list), count = (int)s->axis[0]; \
        placed(x, n, s->given, all);                                                  \
        (void)count;                                                                  \
        return call;                                                                  \
    }                                                                                 \
    const cj__word cj__word_##plain = {                                               \
        .choice = CJ__CHOICE(#plain, class, normalization_fields, defaults),          \
        .module = CJ__NN,                                                             \
        .operands = names,                                                            \
        .some = true,                                                                 \
        .least = first,                                                               \
        .most = whole,                                                                \
        .by_place = first,                                                            \
        .keys = normalization_keys,                                                   \
        .make = make_##plain};
static const cj__normalization_settings batch_defaults = {0, {1, -1}, 1e-3},
                                        normalization_defaults = {0, {1, -1}, 1e-7};
static const cj__field normalization_fields[] = {
    CJ__FIELD(cj__normalization_settings, axis, CJ__FIELD_AXES),
    CJ__FIELD(cj__normalization_settings, epsilon, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
};
static const cj__config_key normalization_keys[] = {CJ__KEY_ONLY("rms_scaling", "false"),
                                                    {.key = NULL}};
NORMALIZATION(batch_normalization, "BatchNorm", batch_defaults,
              CJ__NAMES("x", "mean", "variance", "offset", "scale"), 3, 5,
              cj_op_batch_normalization(all[0], all[1], all[2], axes[0], all[3], all[4],
                                        s->epsilon))
NORMALIZATION(layer_normalization, "LayerNorm", normalization_defaults,
              CJ__NAMES("x", "gamma", "beta"), 1, 3,
              cj_op_layer_normalization(all[0], all[1], all[2], axes, count, s->epsilon))
NORMALIZATION(rms_normalization, "RMSNorm", normalization_defaults, CJ__NAMES("x", "scale"), 1, 2,
              cj_op_rms_normalization(all[0], all[1], axes, count, s->epsilon))

// ---- Losses ----

static const cj__entropy_settings entropy_defaults = {false, -1};
#define FROM_LOGITS CJ__FIELD(cj__entropy_settings, from_logits, CJ__FIELD_BOOL)
static const cj__field binary_fields[] = {FROM_LOGITS};
static const cj__field classes_fields[] = {
    FROM_LOGITS, CJ__FIELD(cj__entropy_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS)};
static const cj__config_key last_only[] = {CJ__KEY_ONLY("axis", "-1"), {.key = NULL}};
#define ENTROPY(name, class, fields, call, ...)                                              \
    CJ__MADE(name, cj__entropy_settings, call)                                               \
    CJ__ROW(name, class, CJ__NN, CJ__NAMES("target", "output"), 2, fields, entropy_defaults, \
            CJ__DOES(name), __VA_ARGS__)
ENTROPY(binary_crossentropy, "BinaryCrossentropy", binary_fields,
        cj_op_binary_crossentropy(x[0], x[1], s->from_logits), .keys = NULL)
ENTROPY(categorical_crossentropy, "CategoricalCrossentropy", classes_fields,
        cj_op_categorical_crossentropy(x[0], x[1], s->from_logits, (int)s->axis), .keys = NULL)
ENTROPY(sparse_categorical_crossentropy, "SparseCategoricalCrossentropy", binary_fields,
        cj_op_sparse_categorical_crossentropy(x[0], x[1], s->from_logits), .keys = last_only)

static const cj__number_settings number_defaults = {0};
static const cj__field ctc_fields[] = {CJ__KEYED(cj__number_settings, number, "mask_index",
                                                 CJ__FIELD_INT, .low = 0, .high = INT32_MAX)};
CJ__MADE(ctc_loss, cj__number_settings, cj_op_ctc_loss(x[0], x[1], x[2], x[3], (int)s->number))
CJ__ROW(ctc_loss, "CTCLoss", CJ__NN,
        CJ__NAMES("target", "output", "target_length", "output_length"), 4, ctc_fields,
        number_defaults, CJ__DOES(ctc_loss))

static const char *const strategies[] = {"greedy", "beam_search", NULL};
static const cj__decode_settings decode_defaults = {"greedy", 100, 1, 0, true};
static const cj__field decode_fields[] = {
    CJ__FIELD(cj__decode_settings, strategy, CJ__FIELD_TEXT, .words = strategies),
    CJ__FIELD(cj__decode_settings, beam_width, CJ__FIELD_INT, .low = 1, .high = INT16_MAX),
    CJ__FIELD(cj__decode_settings, top_paths, CJ__FIELD_INT, .low = 1, .high = INT16_MAX),
    CJ__FIELD(cj__decode_settings, merge_repeated, CJ__FIELD_BOOL),
    CJ__FIELD(cj__decode_settings, mask_index, CJ__FIELD_INT, .low = 0, .high = INT32_MAX),
};
CJ__MAKE_MANY(ctc_decode)
{
    CJ__SETTINGS(cj__decode_settings);
    *count = 2;
    return cj_op_ctc_decode(x[0], x[1], s->strategy, (int)s->beam_width, (int)s->top_paths,
                            s->merge_repeated, (int)s->mask_index, &results[0], &results[1]);
}
CJ__ROW(ctc_decode, "CTCDecode", CJ__NN, CJ__NAMES("inputs", "sequence_lengths"), 2, decode_fields,
        decode_defaults, CJ__DOES_MANY(ctc_decode))

// ---- Attention ----

static const cj__attention_settings attention_defaults = {.scale = INFINITY};
static const cj__field attention_fields[] = {
    CJ__FIELD(cj__attention_settings, is_causal, CJ__FIELD_BOOL),
    CJ__FIELD(cj__attention_settings, scale, CJ__FIELD_LIMIT),
};
static const cj__config_key attention_keys[] = {CJ__KEY_HARMLESS("flash_attention"),
                                                CJ__KEY_ONLY("attn_logits_soft_cap", "null"),
                                                {.key = NULL}};
CJ__MAKE(attention)
{
    cj_symbol *all[OPERANDS];
    CJ__SETTINGS(cj__attention_settings);
    placed(x, n, s->given, all);
    return cj_op_dot_product_attention(all[0], all[1], all[2], all[3], all[4],
                                       isinf(s->scale) ? (double)NAN : s->scale, s->is_causal);
}
const cj__word cj__word_attention = {
    .choice = CJ__CHOICE("attention", "DotProductAttention", attention_fields, attention_defaults),
    .module = CJ__NN,
    .operands = CJ__NAMES("query", "key", "value", "bias", "mask"),
    .some = true,
    .least = 3,
    .most = 5,
    .by_place = 3,
    .keys = attention_keys,
    .call_settings = CJ__NAMES("scale"),
    .make = make_attention};

// ---- Others ----

static const cj__axis_settings last_axis = {.axis = -1};
static const cj__field axis_fields[] = {
    CJ__FIELD(cj__axis_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS)};
CJ__MADE(sparsemax, cj__axis_settings, cj_op_sparsemax(x[0], (int)s->axis))
CJ__ROW(sparsemax, "Sparsemax", CJ__NN, OF_X, 1, axis_fields, last_axis, CJ__DOES(sparsemax))

static const cj__value_settings value_defaults = {0};
static const cj__field psnr_fields[] = {
    CJ__KEYED(cj__value_settings, value, "max_val", CJ__FIELD_NUMBER)};
CJ__MADE(psnr, cj__value_settings, cj_op_psnr(x[0], x[1], s->value))
CJ__ROW(psnr, "PSNR", CJ__NN, CJ__NAMES("x1", "x2"), 2, psnr_fields, value_defaults, CJ__DOES(psnr))
