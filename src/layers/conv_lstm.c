// ConvLSTM1D, 2D and 3D: keras/src/layers/rnn/conv_lstm.py.
//
// An LSTM whose products are convolutions: those of the inputs with the layer's windows, for the
// images of all steps in one call; those of the state in each step, with padding "same". Along one
// axis they are of images of height 1.
#include "layers/recurrent.h"
#include "layers/windows.h"

#include <cajal/recurrent.h>

CJ__DEFAULTS(conv_lstm1d, CONV_LSTM1D)
CJ__DEFAULTS(conv_lstm2d, CONV_LSTM2D)
CJ__DEFAULTS(conv_lstm3d, CONV_LSTM3D)

enum { I, F, C, O, GATES };

#define FIELDS(args, window)                                                                      \
    CJ__FIELD(args, filters, CJ__FIELD_INT, CJ__POSITIVE),                                        \
        CJ__FIELD(args, kernel_size, window, CJ__POSITIVE, .required = true),                     \
        CJ__FIELD(args, strides, window, CJ__POSITIVE), CJ__FIELD(args, padding, CJ__FIELD_TEXT), \
        CJ__FIELD(args, dilation_rate, window, CJ__POSITIVE), CJ__KERNEL_FIELDS(args),            \
        CJ__SPEC_FIELD(args, recurrent_activation, cj__activations),                              \
        CJ__SPEC_FIELD(args, recurrent_initializer, cj__initializers),                            \
        CJ__SPEC_FIELD(args, recurrent_regularizer, cj__regularizers),                            \
        CJ__FIELD(args, unit_forget_bias, CJ__FIELD_BOOL), CJ__RECURRENT_CONSTRAINTS(args),       \
        CJ__FIELD(args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),                                    \
        CJ__FIELD(args, recurrent_dropout, CJ__FIELD_NUMBER, CJ__SHARE),                          \
        CJ__FIELD(args, seed, CJ__FIELD_SEED), CJ__FIELD(args, return_sequences, CJ__FIELD_BOOL), \
        CJ__FIELD(args, return_state, CJ__FIELD_BOOL),                                            \
        CJ__FIELD(args, go_backwards, CJ__FIELD_BOOL), CJ__FIELD(args, stateful, CJ__FIELD_BOOL), \
        CJ__FIELD(args, unroll, CJ__FIELD_BOOL),                                                  \
        CJ__FIELD(args, zero_output_for_mask, CJ__FIELD_BOOL), CJ__LAYER_FIELDS(args)

static const cj__field fields_1d[] = {FIELDS(cj_conv_lstm1d_args, CJ__FIELD_INT)};
static const cj__field fields_2d[] = {FIELDS(cj_conv_lstm2d_args, CJ__FIELD_PAIR)};
static const cj__field fields_3d[] = {FIELDS(cj_conv_lstm3d_args, CJ__FIELD_TRIPLE)};

static const cj__config_key keys[] = {
    CJ__CONVOLUTION_KEYS,
    {.key = NULL},
};

// What the three layers are given.
typedef struct conv_lstm {
    cj_layer *layer;
    cj__trace *trace;
    cj__windows windows;
    cj__kernel_settings kernel;
    cj__sequence_flags flags;
    const char *recurrent_activation, *recurrent_initializer, *recurrent_regularizer;
    double dropout, recurrent_dropout;
    int64_t filters, seed;
    bool unit_forget_bias, stateful;
    cj_symbol *drops[GATES]; // masks of the state; NULL for none
} conv_lstm;
#define CONV_LSTM_OF(a)                                                                          \
    {                                                                                            \
        .layer = layer, .windows = CJ__KERNEL_WINDOWS(a), .kernel = *CJ__KERNEL_SETTINGS(a),     \
        .flags = CJ__SEQUENCE_FLAGS(a), .recurrent_activation = (a)->recurrent_activation,       \
        .recurrent_initializer = (a)->recurrent_initializer,                                     \
        .recurrent_regularizer = (a)->recurrent_regularizer, .dropout = (a)->dropout,            \
        .recurrent_dropout = (a)->recurrent_dropout, .filters = (a)->filters, .seed = (a)->seed, \
        .unit_forget_bias = (a)->unit_forget_bias, .stateful = (a)->stateful,                    \
    }

static conv_lstm conv_lstm_of(cj_layer *layer)
{
    const cj_conv_lstm1d_args *d1 = layer->args;
    const cj_conv_lstm2d_args *d2 = layer->args;
    const cj_conv_lstm3d_args *d3 = layer->args;
    if (layer->kind == &cj__layer_conv_lstm1d)
        return (conv_lstm)CONV_LSTM_OF(d1);
    if (layer->kind == &cj__layer_conv_lstm2d)
        return (conv_lstm)CONV_LSTM_OF(d2);
    return (conv_lstm)CONV_LSTM_OF(d3);
}

static cj_status check(cj_layer *layer)
{
    const conv_lstm l = conv_lstm_of(layer);
    return cj__windows_check(layer, &l.windows, false);
}

// ---- Shapes and variables ----

// The images of one step: the shape without the axis of time.
static cj_shape image_of(const cj_shape *x)
{
    cj_shape image = {.rank = 1, .dims = {x->dims[0]}};
    for (int i = 2; i < x->rank; i++)
        image.dims[image.rank++] = x->dims[i];
    return image;
}

// The shape of the states without the batch axis, of an image that the windows fit.
static cj_shape state_of(const conv_lstm *l, const cj_shape *image)
{
    cj_shape state = {0};
    const cj__windows *w = &l->windows;
    for (int i = 0; i < w->rank; i++) {
        const int64_t reach = cj__windows_same(w) ? 1 : (w->size[i] - 1) * w->dilation[i] + 1;
        state.dims[state.rank++] = (image->dims[i + 1] - reach) / w->strides[i] + 1;
    }
    state.dims[state.rank++] = l->filters;
    return state;
}

// The input is a sequence of images that the windows fit.
static cj_status need_images(const conv_lstm *l, const cj_shape *x, cj_shape *image)
{
    const int rank = l->windows.rank + 3;
    CJ_TRY(cj__layer_need_rank(l->layer, x, rank, rank));
    *image = image_of(x);
    return cj__windows_fit(l->layer, "kernel", image, &l->windows);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const conv_lstm l = conv_lstm_of(layer);
    const cj_shape *x = &inputs[0].shape;
    cj_shape image, shape = {0};
    CJ_TRY(need_images(&l, x, &image));
    for (int i = 0; i < l.windows.rank; i++)
        shape.dims[shape.rank++] = l.windows.size[i];
    shape.rank += 2;
    shape.dims[shape.rank - 1] = GATES * l.filters;
    shape.dims[shape.rank - 2] = image.dims[image.rank - 1];
    CJ_TRY(cj__layer_add_variable(layer, "kernel", shape, l.kernel.kernel_initializer,
                                  l.kernel.kernel_regularizer, true, NULL));
    shape.dims[shape.rank - 2] = l.filters;
    CJ_TRY(cj__layer_add_variable(layer, "recurrent_kernel", shape, l.recurrent_initializer,
                                  l.recurrent_regularizer, true, NULL));
    if (l.kernel.use_bias)
        CJ_TRY(cj__layer_add_variable(layer, "bias", CJ_SHAPE(GATES * l.filters),
                                      l.kernel.bias_initializer, l.kernel.bias_regularizer, true,
                                      NULL));
    const cj_shape state = state_of(&l, &image);
    return l.stateful ?
               cj__sequence_add_states(layer, x->dims[0], (const cj_shape[]){state, state}, 2) :
               CJ_OK;
}

// A bias that lets the first steps remember.
static void after_draw(const cj_layer *layer, int index, cj_tensor *value)
{
    const conv_lstm l = conv_lstm_of((cj_layer *)(uintptr_t)layer);
    for (int64_t i = F * l.filters;
         l.kernel.use_bias && l.unit_forget_bias && index == 2 && i < (F + 1) * l.filters; i++)
        ((float *)value->data)[i] = 1;
}

// ---- Convolutions ----

// Images (n, ..., channels) by a kernel, with these windows.
static cj_symbol *convolve(const conv_lstm *l, const cj__windows *w, cj_symbol *x,
                           cj_symbol *kernel)
{
    cj__build *g = &l->trace->build;
    if (w->rank == 3) {
        const cj__conv3d_attrs attrs = cj__windows_attrs_3d(w, 1);
        return cj__conv3d(g, x, kernel, &attrs);
    }
    const cj__conv2d_attrs attrs = cj__windows_attrs(w, 1);
    if (w->rank == 2)
        return cj__conv2d_symbol(g, x, kernel, &attrs);
    return cj__drop_axis(
        g, cj__conv2d_symbol(g, cj__put_axis(g, x, 1), cj__put_axis(g, kernel, 0), &attrs), 1);
}

// Convolutions with the filters of all gates: of x, or of another input for each gate.
static cj_symbol *convolve_gates(const conv_lstm *l, const cj__windows *w, cj_symbol *x,
                                 cj_symbol *const *by_gate, int variable)
{
    cj__build *g = &l->trace->build;
    cj_symbol *kernel = cj__trace_variable(l->trace, l->layer->variables[variable]);
    cj_symbol *parts[GATES];
    const int last = w->rank + 1;
    if (!by_gate[0])
        return convolve(l, w, x, kernel);
    for (int i = 0; i < GATES; i++)
        parts[i] =
            convolve(l, w, by_gate[i], cj__slice(g, kernel, last, i * l->filters, l->filters));
    return cj__concat(g, parts, GATES, last);
}

static cj_symbol *mask_like(const conv_lstm *l, cj_symbol *like, uint32_t axes, double rate)
{
    cj__build *g = &l->trace->build;
    return cj__dropout(g, cj__ones_over(g, like, axes), l->trace->step,
                       cj__trace_key(l->trace, l->seed, l->layer->name), rate);
}

// The convolutions of the inputs of all steps, whose images are one batch.
static cj_symbol *project(void *cell, cj_symbol *x, bool time_first)
{
    const conv_lstm *l = cell;
    cj__build *g = &l->trace->build;
    cj_symbol *dropped[GATES] = {NULL};
    if (!x)
        return NULL;
    const cj_shape *given = cj_symbol_shape(x);
    const int64_t batch = given->dims[0], time = given->dims[1];
    cj_shape merged = image_of(given);
    merged.dims[0] = batch * time;
    cj_symbol *turned = time_first ? cj__turn_time(g, x) : x;
    for (int i = 0; l->trace->training && l->dropout > 0 && i < GATES; i++) {
        cj_symbol *mask = mask_like(l, x, 1u << 1, l->dropout);
        mask = time_first ? cj__turn_time(g, mask) : mask;
        dropped[i] = cj__reshape(g, cj__mul(g, turned, mask), &merged);
    }
    cj_symbol *y = convolve_gates(l, &l->windows, cj__reshape(g, turned, &merged), dropped, 0);
    if (l->kernel.use_bias)
        y = cj__add(g, y, cj__trace_variable(l->trace, l->layer->variables[2]));
    if (!y)
        return NULL;
    const cj_shape *made = cj_symbol_shape(y);
    cj_shape all = {.rank = 2, .dims = {time_first ? time : batch, time_first ? batch : time}};
    for (int i = 1; i < made->rank; i++)
        all.dims[all.rank++] = made->dims[i];
    return cj__reshape(g, y, &all);
}

// ---- Steps ----

static void begin(void *cell, cj_symbol *entry)
{
    conv_lstm *l = cell;
    if (!entry || !l->trace->training || l->recurrent_dropout <= 0)
        return;
    cj_symbol *like =
        cj__slice(&l->trace->build, entry, cj_symbol_shape(entry)->rank - 1, 0, l->filters);
    for (int i = 0; like && i < GATES; i++)
        l->drops[i] = mask_like(l, like, 0, l->recurrent_dropout);
}

// c' = f c + i activation(z_c), h' = o activation(c')
static cj_symbol *step(void *cell, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const conv_lstm *l = cell;
    const char *who = l->layer->name;
    cj__build *g = &l->trace->build;
    cj_symbol *z[GATES], *dropped[GATES] = {NULL}, *h = states[0], *c = states[1];
    cj__windows same = l->windows;
    same.padding = "same";
    for (int i = 0; i < CJ__WINDOW_AXES; i++)
        same.strides[i] = same.dilation[i] = 1;
    for (int i = 0; h && l->drops[0] && i < GATES; i++)
        dropped[i] = cj__mul(g, h, l->drops[i]);
    if (h)
        x = cj__add(g, x, convolve_gates(l, &same, h, dropped, 1));
    for (int i = 0; i < GATES; i++) {
        z[i] = x ? cj__slice(g, x, cj_symbol_shape(x)->rank - 1, i * l->filters, l->filters) : NULL;
        z[i] =
            cj__activation(g, i == C ? l->kernel.activation : l->recurrent_activation, who, z[i]);
    }
    cj_symbol *new = cj__mul(g, z[I], z[C]);
    next[1] = c ? cj__add(g, cj__mul(g, z[F], c), new) : new;
    next[0] = cj__mul(g, z[O], cj__activation(g, l->kernel.activation, who, next[1]));
    return next[0];
}

// (batch, time, ..., channels) becomes (batch, ..., filters), or (batch, time, ..., filters).
static cj_status call(cj__layer_context *c)
{
    conv_lstm l = conv_lstm_of(c->layer);
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj_shape image;
    l.trace = c->trace;
    CJ_TRY(need_images(&l, x, &image));
    for (int i = 2; i < x->rank; i++)
        CJ_TRY(cj__layer_need_length(c->layer, x, i));
    const cj_shape state = state_of(&l, &image);
    l.flags.activity_regularizer = l.kernel.activity_regularizer;
    l.flags.kept = l.stateful ? c->layer->variables + 2 + l.kernel.use_bias : NULL;
    const cj__sequence sequence = {.context = c,
                                   .flags = l.flags,
                                   .states = 2,
                                   .shapes = {state, state},
                                   .cell = &l,
                                   .project = project,
                                   .begin = begin,
                                   .step = step};
    return cj__sequence_call(&sequence);
}

#define CONV_LSTM(plain, class, table)                                \
    const cj__layer_kind cj__layer_##plain = {                        \
        .choice = CJ__CHOICE(#plain, class, table, plain##_defaults), \
        .keys = keys,                                                 \
        .min_inputs = 1,                                              \
        .max_inputs = 3,                                              \
        .more_inputs = "initial_state",                               \
        .call_settings = cj__mask_settings,                           \
        .given_masks = cj__mask_of_first,                             \
        .check = check,                                               \
        .build = build,                                               \
        .after_draw = after_draw,                                     \
        .call = call,                                                 \
        .mask = CJ__MASK_OWN,                                         \
    };                                                                \
    CJ__CONSTRUCTOR(plain)

CONV_LSTM(conv_lstm1d, "ConvLSTM1D", fields_1d)
CONV_LSTM(conv_lstm2d, "ConvLSTM2D", fields_2d)
CONV_LSTM(conv_lstm3d, "ConvLSTM3D", fields_3d)
