// Makes, keeps and runs the functions of step.h.
#include "base/error.h"
#include "base/memory.h"
#include "data/source.h"
#include "train/loss_scale.h"
#include "train/step.h"
#include <string.h>

void cj__rows_clear(cj__step_functions *functions)
{
    for (int i = 0; i < functions->row_count; i++) {
        cj__free(functions->rows[i].name);
        if (functions->rows[i].metric)
            cj__chosen_free(&functions->rows[i].chosen);
    }
    functions->row_count = functions->state_count = 0;
}

void cj__functions_free(cj__step_functions *functions)
{
    while (functions) {
        cj__step_functions *next = functions->next;
        cj_release(functions->function);
        cj__rows_clear(functions);
        cj__free(functions->rows);
        cj__free(functions->x);
        cj__free(functions);
        functions = next;
    }
}

static cj__type type_of(const cj_tensor *tensor)
{
    cj__type type = {tensor->dtype, tensor->shape};
    type.shape.dims[0] = CJ_BATCH;
    return type;
}

// Whether the lengths that a model leaves free are the same.
static bool same_lengths(const cj_shape *needed, const cj_shape *a, const cj_shape *b)
{
    bool same = true;
    for (int i = 1; same && i < needed->rank; i++)
        if (needed->dims[i] == CJ_ANY)
            same = i < a->rank && i < b->rank && a->dims[i] == b->dims[i];
    return same;
}

// The type of class weights, as of most sample weights.
static const cj__type one_a_sample = {CJ_F32, {1, {CJ_BATCH}}};

// Whether a function was made for this mode and these types of data. Prediction has no targets.
static bool is_for(const cj_model *model, const cj__step_functions *f, cj__mode mode,
                   const cj_dataset *data, bool class_weights)
{
    const cj__type *types = NULL;
    bool same = f->mode == mode && f->x_count == data->x_count &&
                f->x_count == cj__model_inputs(model, &types);
    for (int i = 0; same && i < f->x_count; i++)
        same = f->x[i].dtype == data->x[i]->dtype &&
               same_lengths(&types[i].shape, &f->x[i].shape, &data->x[i]->shape);
    if (!same || mode == CJ__MODE_PREDICT)
        return same;
    same =
        f->y_count == data->y_count && f->weight_count == (class_weights ? 1 : data->weight_count);
    for (int i = 0; same && i < f->y_count; i++) {
        const cj__type type = type_of(data->y[i]);
        same = cj__type_equal(&f->y[i], &type);
    }
    for (int i = 0; same && i < f->weight_count; i++) {
        const cj__type type = class_weights ? one_a_sample : type_of(data->weights[i]);
        same = cj__type_equal(&f->weights[i], &type);
    }
    return same;
}

// What a training step assigns: weights and optimizer slots, moving averages, and the step count.
typedef struct updates {
    cj_update *rows;
    int count;
} updates;

// The optimizer's updates, given the symbols of the weights and the gradients of the loss.
static cj_status optimizer_updates(cj_model *model, cj__train_state *state, cj__step *step,
                                   cj_symbol **weights, cj_symbol **gradients, cj_symbol **next,
                                   updates *u)
{
    const int count = state->trained_count;
    const char **constraints = cj__new((size_t)count, sizeof *constraints);
    if (!constraints)
        return CJ_OUT_OF_MEMORY;
    cj__layer_constraints(cj_model_layer(model), &state->flags.index, constraints, count);
    const cj__updating updating = {
        .optimizer = state->settings.optimizer,
        .g = &step->trace.build,
        .count = count,
        .variables = state->trained,
        .weights = weights,
        .gradients = gradients,
        .constraints = constraints,
        .rate = cj__build_keep(&step->trace.build, cj_symbol_variable(state->learning_rate)),
        .iterations = step->trace.step,
        .kept = state->kept,
        .kept_variables = state->slots,
        .kept_count = state->slot_count,
        .next_iterations = next};
    const cj_status status = cj__optimizer_updates(&updating, u->rows + u->count);
    u->count += count + state->slot_count;
    cj__free(constraints);
    return status;
}

static cj_status training_updates(cj_model *model, cj__train_state *state, cj__step *step,
                                  updates *u)
{
    cj__build *g = &step->trace.build;
    const size_t count = (size_t)state->trained_count;
    const double scale = cj__optimizer_scale(state->settings.optimizer);
    cj_symbol **weights = cj__new(2 * count, sizeof *weights);
    if (!weights)
        return CJ_OUT_OF_MEMORY;
    for (size_t v = 0; v < count; v++)
        weights[v] = cj__trace_variable(&step->trace, state->trained[v]);
    cj_symbol *loss = scale < 1 || scale > 1 ? cj__scale(g, step->total, scale) : step->total;
    loss = cj__loss_scaled(g, loss, state->kept, state->slots, state->slot_count);
    cj_symbol *next = NULL;
    cj_status status = g->status;
    if (status == CJ_OK && count > 0)
        status = cj__gradients(g, loss, weights, (int)count, weights + count);
    if (status == CJ_OK)
        status = optimizer_updates(model, state, step, weights, weights + count, &next, u);
    cj__free(weights);
    for (int i = 0; i < step->trace.update_count; i++)
        u->rows[u->count++] = step->trace.updates[i];
    if (!next)
        next = cj__append(g, &cj__op_increment, NULL, &step->trace.step, 1);
    u->rows[u->count++] = (cj_update){state->iterations, next};
    return status ? status : g->status;
}

static cj_status finish(cj_model *model, cj__train_state *state, cj__step_functions *functions,
                        cj__step *step)
{
    updates u = {0};
    const bool training = functions->mode == CJ__MODE_TRAIN,
               predicting = functions->mode == CJ__MODE_PREDICT;
    cj_status status = CJ_OK;
    if (training) {
        u.rows = cj__new(
            (size_t)(state->trained_count + state->slot_count + step->trace.update_count + 1),
            sizeof *u.rows);
        status = u.rows ? training_updates(model, state, step, &u) : CJ_OUT_OF_MEMORY;
    } else { // only the states of stateful layers change
        u.rows = step->trace.updates;
        u.count = step->trace.update_count;
    }
    cj_symbol **predictions =
        cj__value_symbols(&step->trace.build, step->outputs, step->output_count);
    if (!predictions && status == CJ_OK)
        status = step->trace.build.status;
    functions->scalar_count = step->scalar_count;
    if (status == CJ_OK) {
        const cj_function_args args = {
            .inputs = step->inputs,
            .input_count = step->input_count,
            .outputs = predicting ? predictions : step->scalars,
            .output_count = predicting ? step->output_count : step->scalar_count,
            .updates = u.rows,
            .update_count = u.count,
            .pool = state->settings.pool,
        };
        functions->function = cj__own(cj__function_new(&args, state->arenas));
        status = functions->function ? CJ_OK : cj_error_status();
    }
    if (training)
        cj__free(u.rows);
    return status;
}

static cj_status make(cj_model *model, cj__train_state *state, cj__step_functions *functions)
{
    cj__step *step = cj__new(1, sizeof *step);
    if (!step)
        return CJ_OUT_OF_MEMORY;
    cj_status status = cj__step_trace(model, state, functions, step);
    if (status == CJ_OK)
        status = finish(model, state, functions, step);
    const cj_status end = cj__trace_end(&step->trace);
    cj__free(step);
    return status ? status : end;
}

// The types of the data that a function is for. Prediction has no weights.
static bool set_types(cj__step_functions *f, const cj_dataset *data, bool class_weights)
{
    f->x_count = data->x_count;
    f->y_count = data->y_count;
    f->weight_count = f->mode == CJ__MODE_PREDICT ? 0 : class_weights ? 1 : data->weight_count;
    f->x = cj__new((size_t)f->x_count + (size_t)f->y_count + (size_t)f->weight_count, sizeof *f->x);
    if (!f->x)
        return false;
    f->y = f->x + f->x_count;
    f->weights = f->y + f->y_count;
    for (int i = 0; i < f->x_count; i++)
        f->x[i] = type_of(data->x[i]);
    for (int i = 0; i < f->y_count; i++)
        f->y[i] = type_of(data->y[i]);
    for (int i = 0; i < f->weight_count; i++)
        f->weights[i] = class_weights ? one_a_sample : type_of(data->weights[i]);
    return true;
}

static cj_status find(cj_model *model, cj__train_state *state, cj__mode mode,
                      const cj_dataset *data, bool class_weights,
                      const cj__step_functions **functions)
{
    for (cj__step_functions *f = state->functions; f; f = f->next)
        if (is_for(model, f, mode, data, class_weights)) {
            *functions = f;
            return CJ_OK;
        }
    CJ_TRY(cj__state_prepare(model, state));
    CJ_TRY(cj__state_place(model, state));
    if (!state->settings.pool) {
        state->settings.pool = cj__own(cj_pool_new(0));
        if (!state->settings.pool)
            return cj_error_status();
    }
    cj__step_functions *f = cj__new(1, sizeof *f);
    if (!f)
        return CJ_OUT_OF_MEMORY;
    f->mode = mode;
    f->rows = cj__new((size_t)cj__settings_values(&state->settings, cj_model_output_count(model)),
                      sizeof *f->rows);
    const cj_status status =
        f->rows && set_types(f, data, class_weights) ? make(model, state, f) : CJ_OUT_OF_MEMORY;
    if (status != CJ_OK) {
        cj__functions_free(f);
        return status;
    }
    f->next = state->functions;
    state->functions = f;
    *functions = f;
    return CJ_OK;
}

cj_status cj__functions_find(cj_model *model, cj__train_state *state, cj__mode mode,
                             const cj_dataset *data, bool class_weights,
                             const cj__step_functions **functions)
{
    cj__mutex_lock(&state->lock);
    const cj_status status = find(model, state, mode, data, class_weights, functions);
    cj__mutex_unlock(&state->lock);
    return status;
}

// The function for a batch as a data set of its own; a model that leaves no length free has none.
static cj_status find_for_batch(cj_model *model, cj__train_state *state, const cj_dataset *like,
                                bool class_weights, const cj__step_functions **functions)
{
    char needed[CJ_MAX_RANK * 24], given[CJ_MAX_RANK * 24];
    const cj__mode mode = (*functions)->mode;
    CJ_TRY(cj__functions_find(model, state, mode, like, class_weights, functions));
    for (int i = 0; i < like->x_count; i++) {
        const cj__type type = type_of(like->x[i]);
        if (!cj__type_equal(&(*functions)->x[i], &type))
            return cj__fail(
                CJ_SHAPE_MISMATCH,
                "model \"%s\", input %d: shape %s, a batch of its own length has %s; it "
                "needs a free length, cj_input(CJ_ANY, ...)",
                cj_layer_name(cj_model_layer(model)), i,
                cj_shape_text(&(*functions)->x[i].shape, needed, sizeof needed),
                cj_shape_text(&type.shape, given, sizeof given));
    }
    return CJ_OK;
}

cj_status cj__functions_of_batch(cj_model *model, cj__train_state *state, const cj_dataset *data,
                                 const cj__batch *batch, const cj__step_functions *usual,
                                 const cj__step_functions **functions)
{
    cj_dataset like = {.count = batch->count};
    const int parts = cj__dataset_parts(data);
    *functions = usual;
    if (batch->steps == 0)
        return CJ_OK;
    cj_tensor *tensors = cj__new((size_t)parts, sizeof *tensors);
    cj_status status = tensors ? cj__dataset_room_like(&like, data) : CJ_OUT_OF_MEMORY;
    for (int p = 0; status == CJ_OK && p < parts; p++)
        like.parts[p] = cj__batch_part(data, batch, p, &tensors[p]);
    if (status == CJ_OK)
        status = find_for_batch(model, state, &like, usual->weight_count > data->weight_count,
                                functions);
    for (int p = 0; like.parts && p < parts; p++)
        like.parts[p] = NULL; // they are not its own
    cj__dataset_clear(&like);
    cj__free(tensors);
    return status;
}

// Adds a row of a batch of n samples, whose scalars the function has put out.
static void add_row(const cj__row *row, const cj__totals *totals, int index, double n,
                    const float *scalars)
{
    const double value = (double)scalars[row->sum];
    totals->sums[index] += row->mean ? value * n : value;
    totals->weights[index] += row->mean       ? n :
                              row->weight < 0 ? n * row->per_sample :
                                                (double)scalars[row->weight];
}

cj_status cj__step_run(const cj__step_functions *functions, const cj__batch *batch,
                       const cj__totals *totals)
{
    float scalars[2 * CJ__MAX_VALUES + 1];
    void *outputs[2 * CJ__MAX_VALUES + 1];
    for (int i = 0; i < functions->scalar_count; i++)
        outputs[i] = &scalars[i];
    for (int i = 0; i < functions->row_count; i++)
        if (functions->rows[i].metric)
            outputs[functions->rows[i].sum] = totals->batch_states + functions->rows[i].state;
    CJ_TRY(cj__function_run(functions->function, batch->count, batch->parts, outputs));
    for (int i = 0; i < functions->row_count; i++)
        if (!functions->rows[i].metric)
            add_row(&functions->rows[i], totals, i, (double)batch->count, scalars);
    for (int i = 0; i < functions->state_count; i++)
        totals->states[i] += (double)totals->batch_states[i];
    return CJ_OK;
}

void cj__row_values(const cj__step_functions *functions, const cj__totals *totals, double *values)
{
    for (int i = 0; i < functions->row_count; i++) {
        const cj__row *row = &functions->rows[i];
        const double weight = totals->weights[i];
        if (row->metric)
            row->metric->finish(row->chosen.args, totals->states + row->state, row->state_count,
                                &values[i]);
        else
            values[i] = weight < 0 || weight > 0 ? totals->sums[i] / weight : 0;
    }
}
