// Recurrent layers and cells: the steps before the chosen one are computed without being printed, in
// double for the cells of stage.h. A chain of cells (StackedRNNCells) gives each the output of the one
// before. A cell of another class is run step by step as it is, and its last step shown.
#include "explain/stage.h"
#include "layers/cells.h"
#include "ops/variable.h"

#include <math.h>
#include <string.h>

enum { STAGES = CJ__SUBLAYER_LIST };

// A sequence, or for a cell that is called by itself one entry of it.
typedef struct recurrence {
    cj__explanation *explanation;
    const cj_layer *layer;
    const cj_tensor *x, *mask; // (1, time, features), or (1, features); NULL for no mask
    int64_t time, features, last;
    bool backwards, zero_if_masked;
    cj__stage stages[STAGES];
    int count;
} recurrence;

static int64_t time_of(const recurrence *r, int64_t step)
{
    return r->backwards ? r->time - 1 - step : step;
}

static bool is_masked(const recurrence *r, int64_t step)
{
    return r->mask && !(cj__element_at(r->mask, time_of(r, step)) > 0);
}

// What a state begins with: what is given, what lasts from batch to batch, or nothing.
static const cj_tensor *initial(const recurrence *r, int state)
{
    const cj__record *record = r->explanation->record;
    int kept = 0;
    if (record->input_count > 1)
        return state + 1 < record->input_count ? record->inputs[state + 1] : NULL;
    for (int i = 0; i < r->layer->variable_count; i++)
        if (r->layer->states[i] && kept++ == state)
            return cj__variable_read(r->layer->variables[i]);
    return NULL;
}

static void set_state(const recurrence *r, int state, const cj__bounded *row, int64_t units)
{
    const cj_tensor *value = initial(r, state);
    for (int64_t u = 0; value && u < units; u++)
        row->value[u] = cj__element_at(value, u);
}

static cj_status open_stages(recurrence *r, cj_layer *const *cells, int count)
{
    int state = 0;
    int64_t features = r->features;
    for (int i = 0; i < count; i++) {
        cj__stage *s = &r->stages[r->count++];
        CJ_TRY(cj__stage_open(s, r->explanation, cells[i], features));
        set_state(r, state++, &s->h, s->units);
        if (cj__stage_states(cells[i]) == 2)
            set_state(r, state++, &s->c, s->units);
        features = s->units;
    }
    return CJ_OK;
}

static cj_status advance(recurrence *r, int64_t step)
{
    for (int k = 0; k < r->count; k++) {
        cj__stage *s = &r->stages[k];
        for (int64_t i = 0; i < s->features; i++) {
            s->entry.value[i] =
                k ? s[-1].h.value[i] : cj__element_at(r->x, time_of(r, step) * s->features + i);
            s->entry.bound[i] = k ? s[-1].h.bound[i] : 0;
        }
        CJ_TRY(cj__stage_advance(s));
    }
    return CJ_OK;
}

static void print_step(const recurrence *r, int64_t unit)
{
    if (cj_tensor_shape(r->x)->rank < 3)
        cj__print_line(r->explanation, "unit %lld", (long long)unit);
    else
        cj__print_line(r->explanation, "unit %lld at step %lld of %lld, which reads x(%lld)",
                       (long long)unit, (long long)r->last, (long long)r->time,
                       (long long)time_of(r, r->last));
}

// With a mask the output of a masked step is that of the step before, or 0.
static cj_status conclude_masked(const recurrence *r, const cj__bounded *h, int64_t unit)
{
    if (r->zero_if_masked) {
        cj__print_line(r->explanation, "the step is masked: 0");
        return cj__conclude(r->explanation, 0, 0);
    }
    cj__print_line(r->explanation, "steps whose mask is false keep the state, and this is one");
    return cj__conclude(r->explanation, h->value[unit] - h->bound[unit],
                        h->value[unit] + h->bound[unit]);
}

static cj_status run_stages(recurrence *r)
{
    const cj__stage *end = &r->stages[r->count - 1];
    const int64_t unit = r->explanation->offset % end->units;
    for (int64_t step = 0; step <= r->last; step++)
        if (!is_masked(r, step))
            CJ_TRY(advance(r, step));
    print_step(r, unit);
    if (is_masked(r, r->last))
        return conclude_masked(r, &end->h, unit);
    for (int k = 0; k + 1 < r->count; k++)
        cj__print_line(r->explanation, "cell %d of %d makes of it what the next one reads", k,
                       r->count);
    CJ_TRY(cj__stage_print(end, unit));
    return cj__conclude(r->explanation, end->h.value[unit] - end->h.bound[unit],
                        end->h.value[unit] + end->h.bound[unit]);
}

// Any other cell
// -----------------------------------------------------------------------------------------------

// One step of a cell as a function of an entry and the states.
typedef struct stepper {
    cj_layer *cell;
    cj__trace trace;
    cj_function *function;
    int states, previous;
    cj_tensor *given[1 + CJ__SEQUENCE_STATES], *made[1 + CJ__SEQUENCE_STATES];
} stepper;

static cj_shape with_batch(const cj_shape *shape)
{
    cj_shape whole = {.rank = 1, .dims = {1}};
    for (int i = 0; i < shape->rank; i++)
        whole.dims[whole.rank++] = shape->dims[i];
    return whole;
}

static cj_status open_stepper(stepper *s, const cj_shape *entry)
{
    cj_shape shapes[CJ__SEQUENCE_STATES];
    cj_symbol *in[1 + CJ__SEQUENCE_STATES], *out[1 + CJ__SEQUENCE_STATES];
    cj__value inputs[1 + CJ__SEQUENCE_STATES] = {{0}}, *outputs = NULL;
    int count = 0;
    s->states = s->cell->kind->cell->states(s->cell, shapes, &s->previous);
    for (int k = 0; k <= s->states; k++) {
        const cj_shape shape = with_batch(k ? &shapes[k - 1] : entry);
        in[k] = cj__build_keep(&s->trace.build, cj_symbol_input(CJ_F32, shape, NULL));
        inputs[k].symbol = in[k];
        CJ_TRY(s->trace.build.status);
        CJ_TRY(cj_tensor_new(CJ_F32, shape, &s->given[k]));
    }
    CJ_TRY(cj__layer_call(s->cell, &s->trace, inputs, 1 + s->states, &outputs, &count));
    for (int k = 0; k <= s->states; k++) {
        out[k] = outputs[k].symbol;
        CJ_TRY(cj_tensor_new(CJ_F32, *cj_symbol_shape(out[k]), &s->made[k]));
    }
    s->function = cj_function(.inputs = in, .input_count = 1 + s->states, .outputs = out,
                              .output_count = 1 + s->states);
    return s->function ? CJ_OK : cj_error_status();
}

static void close_stepper(stepper *s)
{
    cj_release(s->function);
    for (int k = 0; k <= CJ__SEQUENCE_STATES; k++) {
        cj_release(s->given[k]);
        cj_release(s->made[k]);
    }
}

static void copy_elements(const cj_tensor *from, int64_t begin, cj_tensor *to)
{
    float *values = cj_tensor_data(to);
    for (int64_t i = 0; i < cj_tensor_count(to); i++)
        values[i] = (float)cj__element_at(from, begin + i);
}

// Runs the steps that are not masked; *ran tells whether there was one.
static cj_status run_steps(const recurrence *r, stepper *s, bool *ran)
{
    const int64_t entry = cj_tensor_count(s->given[0]);
    for (int k = 0; k < s->states; k++)
        if (initial(r, k))
            copy_elements(initial(r, k), 0, s->given[1 + k]);
    *ran = false;
    for (int64_t step = 0; step <= r->last; step++) {
        if (is_masked(r, step))
            continue;
        for (int k = 1; *ran && k <= s->states; k++)
            copy_elements(s->made[k], 0, s->given[k]);
        copy_elements(r->x, time_of(r, step) * entry, s->given[0]);
        CJ_TRY(cj_function_call(s->function, s->given, s->made));
        *ran = true;
    }
    return CJ_OK;
}

static cj_status run_stepper(const recurrence *r, stepper *s)
{
    const cj__explanation *explanation = r->explanation;
    bool ran = false;
    char text[CJ__DIGITS_TEXT];
    CJ_TRY(run_steps(r, s, &ran));
    const cj_tensor *y = s->made[0];
    const int64_t unit = explanation->offset % cj_tensor_count(y);
    print_step(r, unit);
    cj__print_line(explanation, "the step of %s (%s) is not taken apart, but run by itself",
                   cj_layer_name(s->cell), cj_layer_class(s->cell));
    if (is_masked(r, r->last)) {
        y = (ran ? s->made : s->given)[1 + s->previous];
        cj__print_line(explanation,
                       r->zero_if_masked ?
                           "the step is masked: 0" :
                           "steps whose mask is false keep the state, and this is one");
        const double kept = r->zero_if_masked ? 0 : cj__element_at(y, unit);
        return cj__conclude_near(explanation, kept, fabs(kept) * (double)(r->last + 1));
    }
    cj__show_tensor(explanation, "entry", s->given[0]);
    for (int k = 1; k <= s->states; k++) {
        cj__show_tensor(explanation, "state before", s->given[k]);
        cj__show_tensor(explanation, "state after", s->made[k]);
    }
    const double value = cj__element_at(y, unit);
    cj__print_line(explanation, "output %lld of the step: %s", (long long)unit,
                   cj__digits(value, text));
    return cj__conclude_near(explanation, value, (1 + fabs(value)) * (double)(r->last + 1));
}

static cj_status explain_stepper(const recurrence *r, cj_layer *cell)
{
    stepper s = {.cell = cell};
    const cj_shape *x = cj_tensor_shape(r->x);
    const int before = cj_tensor_shape(r->x)->rank > 2 && r->layer != cell ? 2 : 1;
    cj_shape entry = {.rank = 0};
    for (int i = before; i < x->rank; i++)
        entry.dims[entry.rank++] = x->dims[i];
    cj_status status = open_stepper(&s, &entry);
    if (status == CJ_OK)
        status = run_stepper(r, &s);
    close_stepper(&s);
    const cj_status end = cj__trace_end(&s.trace);
    return status != CJ_OK ? status : end;
}

// -----------------------------------------------------------------------------------------------

// The cells of a layer: itself, its cell, or the cells of its stack. NULL if one is of another class.
static cj_layer *const *cells_of(cj_layer *const *top, int *count)
{
    cj_layer *const *cells = top;
    *count = 1;
    if (strcmp(cj_layer_class(*top), "StackedRNNCells") == 0)
        *count = cj__layer_children(*top, &cells);
    for (int i = 0; i < *count; i++)
        if (!cj__is_stage(cells[i]))
            return NULL;
    return cells;
}

cj_status cj__explain_recurrent(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    cj_layer *layer = record->layer, *const *top = &layer, *const * cells;
    recurrence *r = cj__new(1, sizeof *r);
    int count = 0;
    if (!r)
        return CJ_OUT_OF_MEMORY;
    const cj_shape *x = cj_tensor_shape(record->inputs[0]);
    *r = (recurrence){.explanation = explanation,
                      .layer = layer,
                      .x = record->inputs[0],
                      .mask = layer->kind->cell ? NULL : cj__mask_of_steps(record),
                      .time = layer->kind->cell ? 1 : x->dims[1],
                      .features = x->dims[x->rank - 1],
                      .backwards = cj__setting_flag(layer, "go_backwards"),
                      .zero_if_masked = cj__setting_flag(layer, "zero_output_for_mask")};
    const bool sequences = cj__setting_flag(layer, "return_sequences");
    r->last = sequences ? explanation->index[1] : r->time - 1;
    if (strcmp(cj_layer_class(layer), "RNN") == 0)
        cj__layer_children(layer, &top);
    cells = cells_of(top, &count);
    cj_status status = CJ_OK;
    if (!cells)
        status = explain_stepper(r, *top);
    else if ((status = open_stages(r, cells, count)) == CJ_OK)
        status = run_stages(r);
    for (int i = 0; i < r->count; i++)
        cj__stage_close(&r->stages[i]);
    cj__free(r);
    return status;
}
