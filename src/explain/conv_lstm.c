// ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions, of the inputs with the layer's
// windows, of the state with padding "same". Only the part of the state that the derived element
// depends on is computed: at each step back it is wider by half a kernel.
#include "explain/window.h"
#include "ops/variable.h"

#include <math.h>
#include <string.h>

enum { I, F, C, O, GATES };

typedef struct conv_lstm {
    const cj__explanation *explanation;
    const cj_tensor *x, *mask, *kernel, *recurrent, *bias;
    cj__window images, states; // of the step's input and of the state
    cj_shape image, state;     // (1, axes..., channels) of both
    int64_t time, places, filters, channels, last, place, filter;
    const char *specs[2];
    cj__curve curves[2];                         // activation, recurrent activation
    cj__bounded h, c, next_h, next_c;            // of all places, filters last
    cj__bounded sum[GATES], gate[GATES], curved; // of one place
    double *scratch, *left, *right, *memory;
} conv_lstm;

static int64_t longest_window(const conv_lstm *l)
{
    const int64_t inputs = l->images.size * l->channels, states = l->states.size * l->filters;
    return inputs > states ? inputs : states;
}

static bool take_memory(conv_lstm *l)
{
    cj__bounded *large[] = {&l->h, &l->c, &l->next_h, &l->next_c};
    const int64_t all = l->places * l->filters, window = longest_window(l);
    double *at = l->memory =
        cj__new((size_t)(8 * all + (4 * GATES + 3) * l->filters + 2 * window), sizeof *at);
    if (!at)
        return false;
    for (int i = 0; i < 4; i++, at += 2 * all)
        *large[i] = (cj__bounded){at, at + all};
    for (int i = 0; i < 2 * GATES; i++, at += 2 * l->filters)
        *(i < GATES ? &l->sum[i] : &l->gate[i - GATES]) = (cj__bounded){at, at + l->filters};
    l->curved = (cj__bounded){at, at + l->filters};
    l->scratch = at + 2 * l->filters;
    l->left = l->scratch + l->filters;
    l->right = l->left + window;
    return true;
}

static void index_of(const cj_shape *shape, int64_t place, int64_t *index)
{
    for (int i = shape->rank - 2; i >= 1; i--) {
        index[i] = place % shape->dims[i];
        place /= shape->dims[i];
    }
}

// Puts both windows over an output.
static void move_windows(conv_lstm *l, int64_t place)
{
    const cj_layer *layer = l->explanation->record->layer;
    const int64_t *counts = cj__layer_setting(layer, "kernel_size"),
                  *strides = cj__layer_setting(layer, "strides"),
                  *dilation = cj__layer_setting(layer, "dilation_rate");
    const char *const *padding = cj__layer_setting(layer, "padding");
    int64_t index[CJ_MAX_RANK];
    index_of(&l->state, place, index);
    l->images.size = l->states.size = 1;
    for (int i = 0; i < l->images.rank; i++) {
        const int64_t out = l->state.dims[i + 1];
        l->images.axes[i] = cj__axis_of(index[i + 1], out, l->image.dims[i + 1], counts[i],
                                        strides[i], dilation[i], *padding);
        l->states.axes[i] = cj__axis_of(index[i + 1], out, out, counts[i], 1, 1, "same");
        l->images.size *= counts[i];
        l->states.size *= counts[i];
    }
}

static double input_at(const conv_lstm *l, int64_t t, int64_t tap, int64_t channel)
{
    const int64_t place = cj__window_place(&l->images, tap);
    const int64_t image = cj_tensor_count(l->x) / l->time;
    return place < 0 ? 0 : cj__element_at(l->x, t * image + place * l->channels + channel);
}

static double weight_at(const conv_lstm *l, const cj_tensor *kernel, int64_t row, int64_t column)
{
    return cj__element_at(kernel, row * GATES * l->filters + column);
}

// The sums of all gates at the place that the windows lie over, of step t's image and of h.
static void take_sums(const conv_lstm *l, int64_t t)
{
    for (int64_t column = 0; column < GATES * l->filters; column++) {
        double sum = l->bias ? cj__element_at(l->bias, column) : 0, carried = 0;
        double magnitude = fabs(sum);
        for (int64_t row = 0; row < l->images.size * l->channels; row++) {
            const double product = input_at(l, t, row / l->channels, row % l->channels) *
                                   weight_at(l, l->kernel, row, column);
            sum += product;
            magnitude += fabs(product);
        }
        for (int64_t row = 0; row < l->states.size * l->filters; row++) {
            const int64_t place = cj__window_place(&l->states, row / l->filters);
            if (place < 0)
                continue;
            const int64_t from = place * l->filters + row % l->filters;
            const double weight = weight_at(l, l->recurrent, row, column);
            sum += l->h.value[from] * weight;
            magnitude += fabs(l->h.value[from] * weight);
            carried += l->h.bound[from] * fabs(weight);
        }
        l->sum[column / l->filters].value[column % l->filters] = sum;
        l->sum[column / l->filters].bound[column % l->filters] =
            cj__rounding_bound(magnitude) + carried;
    }
}

static cj_status curve(const conv_lstm *l, int which, const cj__bounded *from,
                       const cj__bounded *to)
{
    return cj__curve_row(&l->curves[which], strstr(l->specs[which], "softmax"), from, l->filters,
                         l->scratch, to);
}

static void round_number(const conv_lstm *l, double *value, double *bound)
{
    const cj_layer *layer = l->explanation->record->layer;
    if (!layer->mixed)
        return;
    const double low = cj__as_output(layer, *value - *bound),
                 high = cj__as_output(layer, *value + *bound);
    *value = cj__as_output(layer, *value);
    *bound = fmax(high - *value, *value - low);
}

// c' = f c + i candidate, h' = o activation(c') at one place.
static cj_status advance_place(conv_lstm *l, int64_t t, int64_t place)
{
    const int64_t at = place * l->filters;
    const cj__bounded new_c = {l->next_c.value + at, l->next_c.bound + at};
    move_windows(l, place);
    take_sums(l, t);
    for (int k = 0; k < GATES; k++)
        CJ_TRY(curve(l, k != C, &l->sum[k], &l->gate[k]));
    for (int64_t f = 0; f < l->filters; f++) {
        const double c = l->c.value[at + f], c_bound = l->c.bound[at + f];
        const double kept = l->gate[F].value[f] * c,
                     new = l->gate[I].value[f] * l->gate[C].value[f];
        new_c.value[f] = kept + new;
        new_c.bound[f] = cj__product_bound(l->gate[F].value[f], l->gate[F].bound[f], c, c_bound) +
                         cj__product_bound(l->gate[I].value[f], l->gate[I].bound[f],
                                           l->gate[C].value[f], l->gate[C].bound[f]) +
                         cj__rounding_bound(fabs(kept) + fabs(new));
    }
    CJ_TRY(curve(l, 0, &new_c, &l->curved));
    for (int64_t f = 0; f < l->filters; f++) {
        l->next_h.value[at + f] = l->gate[O].value[f] * l->curved.value[f];
        l->next_h.bound[at + f] = cj__product_bound(l->gate[O].value[f], l->gate[O].bound[f],
                                                    l->curved.value[f], l->curved.bound[f]);
        round_number(l, &l->next_h.value[at + f], &l->next_h.bound[at + f]);
        round_number(l, &new_c.value[f], &new_c.bound[f]);
    }
    return CJ_OK;
}

// Whether the derived element depends on the state at a place `steps` steps before.
static bool matters(const conv_lstm *l, int64_t place, int64_t steps)
{
    int64_t index[CJ_MAX_RANK], own[CJ_MAX_RANK];
    index_of(&l->state, place, index);
    index_of(&l->state, l->place, own);
    for (int i = 0; i < l->states.rank; i++) {
        const int64_t distance = index[i + 1] - own[i + 1];
        if ((distance < 0 ? -distance : distance) > steps * l->states.axes[i].count)
            return false;
    }
    return true;
}

// Prints what the window's values times the weights of a gate add up to.
static cj_status show_part(const conv_lstm *l, const char *name, const cj_tensor *kernel,
                           int64_t count, int64_t column)
{
    double sum = 0, magnitude = 0;
    for (int64_t row = 0; row < count; row++)
        l->right[row] = weight_at(l, kernel, row, column);
    const cj__products products = {name, "weight", l->left, l->right, count};
    return cj__show_products(l->explanation, &products, &sum, &magnitude);
}

static cj_status show_gate(const conv_lstm *l, int64_t t, int k)
{
    static const char *const names[] = {"i, the input gate", "f, the forget gate", "the candidate",
                                        "o, the output gate"};
    const int64_t column = k * l->filters + l->filter;
    char text[3][CJ__DIGITS_TEXT];
    cj__print_line(l->explanation,
                   "%s, from the windows over x and over the state before:", names[k]);
    for (int64_t row = 0; row < l->images.size * l->channels; row++)
        l->left[row] = input_at(l, t, row / l->channels, row % l->channels);
    CJ_TRY(show_part(l, "input", l->kernel, l->images.size * l->channels, column));
    for (int64_t row = 0; row < l->states.size * l->filters; row++) {
        const int64_t place = cj__window_place(&l->states, row / l->filters);
        l->left[row] = place < 0 ? 0 : l->h.value[place * l->filters + row % l->filters];
    }
    CJ_TRY(show_part(l, "state", l->recurrent, l->states.size * l->filters, column));
    cj__print_line(l->explanation, "with bias %s together %s, %s of it %s",
                   cj__digits(l->bias ? cj__element_at(l->bias, column) : 0, text[0]),
                   cj__digits(l->sum[k].value[l->filter], text[1]), l->specs[k != C],
                   cj__digits(l->gate[k].value[l->filter], text[2]));
    return CJ_OK;
}

static cj_status show_step(const conv_lstm *l, int64_t t)
{
    const int64_t at = l->place * l->filters + l->filter, f = l->filter;
    char text[4][CJ__DIGITS_TEXT];
    cj__print_line(l->explanation, "filter %lld at step %lld of %lld, which reads x(%lld)",
                   (long long)f, (long long)l->last, (long long)l->time, (long long)t);
    for (int k = 0; k < GATES; k++)
        CJ_TRY(show_gate(l, t, k));
    cj__print_line(l->explanation, "c = f c + i candidate = %s × %s + %s × %s",
                   cj__digits(l->gate[F].value[f], text[0]), cj__digits(l->c.value[at], text[1]),
                   cj__digits(l->gate[I].value[f], text[2]),
                   cj__digits(l->gate[C].value[f], text[3]));
    cj__print_line(l->explanation, "  = %s", cj__digits(l->next_c.value[at], text[0]));
    cj__print_line(l->explanation, "h = o %s(c) = %s × %s", l->specs[0],
                   cj__digits(l->gate[O].value[f], text[0]),
                   cj__digits(l->curved.value[f], text[1]));
    return cj__conclude(l->explanation, l->next_h.value[at] - l->next_h.bound[at],
                        l->next_h.value[at] + l->next_h.bound[at]);
}

static void swap(cj__bounded *a, cj__bounded *b)
{
    const cj__bounded spare = *a;
    *a = *b;
    *b = spare;
}

static cj_status run(conv_lstm *l)
{
    const cj_layer *layer = l->explanation->record->layer;
    const bool backwards = cj__setting_flag(layer, "go_backwards");
    for (int64_t step = 0; step <= l->last; step++) {
        const int64_t t = backwards ? l->time - 1 - step : step;
        const bool masked = l->mask && !(cj__element_at(l->mask, t) > 0);
        if (masked && step == l->last) {
            const int64_t at = l->place * l->filters + l->filter;
            const bool zero = cj__setting_flag(layer, "zero_output_for_mask");
            cj__print_line(l->explanation, zero ? "the step is masked: 0" :
                                                  "steps whose mask is false keep the state");
            return zero ? cj__conclude(l->explanation, 0, 0) :
                          cj__conclude(l->explanation, l->h.value[at] - l->h.bound[at],
                                       l->h.value[at] + l->h.bound[at]);
        }
        if (masked)
            continue;
        if (step == l->last) {
            CJ_TRY(advance_place(l, t, l->place));
            return show_step(l, t);
        }
        for (int64_t place = 0; place < l->places; place++)
            if (matters(l, place, l->last - step))
                CJ_TRY(advance_place(l, t, place));
        swap(&l->h, &l->next_h);
        swap(&l->c, &l->next_c);
    }
    return CJ_OK;
}

// Given states, or those that last from batch to batch.
static void begin(const conv_lstm *l)
{
    const cj__record *record = l->explanation->record;
    const cj_tensor *given[2] = {NULL, NULL};
    int kept = 0;
    for (int i = 0; i < record->layer->variable_count; i++)
        if (record->layer->states[i] && kept < 2)
            given[kept++] = cj__variable_read(record->layer->variables[i]);
    for (int k = 1; k < record->input_count && k <= 2; k++)
        given[k - 1] = record->inputs[k];
    for (int64_t i = 0; i < l->places * l->filters; i++) {
        l->h.value[i] = given[0] ? cj__element_at(given[0], i) : 0;
        l->c.value[i] = given[1] ? cj__element_at(given[1], i) : 0;
    }
}

// The shapes of a step's image and of the state, and the element to derive.
static void set_shapes(conv_lstm *l, bool sequences)
{
    const cj__explanation *explanation = l->explanation;
    const cj_shape *x = cj_tensor_shape(l->x),
                   *y = cj_tensor_shape(explanation->record->outputs[0]);
    const int skip = sequences ? 1 : 0;
    l->image = (cj_shape){.rank = x->rank - 1, .dims = {1}};
    l->state = (cj_shape){.rank = y->rank - skip, .dims = {1}};
    l->places = 1;
    l->place = 0;
    for (int i = 1; i < l->image.rank; i++)
        l->image.dims[i] = x->dims[i + 1];
    for (int i = 1; i < l->state.rank; i++)
        l->state.dims[i] = y->dims[i + skip];
    for (int i = 1; i < l->state.rank - 1; i++) {
        l->places *= l->state.dims[i];
        l->place = l->place * l->state.dims[i] + explanation->index[i + skip];
    }
    l->images.rank = l->states.rank = l->image.rank - 2;
    l->time = x->dims[1];
    l->last = sequences ? explanation->index[1] : l->time - 1;
    l->channels = x->dims[x->rank - 1];
    l->filters = y->dims[y->rank - 1];
    l->filter = explanation->index[y->rank - 1];
    move_windows(l, l->place);
}

cj_status cj__explain_conv_lstm(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_layer *layer = record->layer;
    const char *const *activation = cj__layer_setting(layer, "activation"),
                      *const *recurrent = cj__layer_setting(layer, "recurrent_activation");
    conv_lstm *l = cj__new(1, sizeof *l);
    if (!l)
        return CJ_OUT_OF_MEMORY;
    *l = (conv_lstm){.explanation = explanation,
                     .x = record->inputs[0],
                     .mask = cj__mask_of_steps(record),
                     .kernel = cj__weight(record, "kernel"),
                     .recurrent = cj__weight(record, "recurrent_kernel"),
                     .bias = cj__weight(record, "bias"),
                     .specs = {*activation, *recurrent}};
    set_shapes(l, cj__setting_flag(layer, "return_sequences"));
    cj_status status = take_memory(l) ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; i < 2 && status == CJ_OK; i++)
        status = cj__curve_open(&l->curves[i], l->specs[i], cj_layer_name(layer), l->filters);
    if (status == CJ_OK) {
        begin(l);
        status = run(l);
    }
    cj__curve_close(&l->curves[0]);
    cj__curve_close(&l->curves[1]);
    cj__free(l->memory);
    cj__free(l);
    return status;
}
