// A run of cj_fit(): its place, its logs, its callbacks, and epochs of batches. See run.h.
#include "train/run.h"
#include "base/error.h"
#include "base/random.h"
#include "base/system.h"
#include "base/text.h"
#include "data/timeline.h"
#include "train/check.h"
#include <cajal/streams.h>
#include <limits.h>
#include <string.h>

// The place
// ----------------------------------------------------------------------------------------------

// The number of batches in a pass, of the run that the place belongs to.
static int64_t place_batches(const cj__place *place)
{
    return place->data_count / place->batch_size + (place->data_count % place->batch_size != 0);
}

// The number of steps in an epoch of that run.
static int64_t place_steps(const cj__place *place)
{
    return place->steps ? place->steps : place_batches(place);
}

// Whether the counts of a place are consistent: those from a damaged file may not be.
static bool is_sound(const cj__place *place)
{
    const int64_t epochs = place->epoch - place->first_epoch;
    return place->batch_size > 0 && place->data_count > 0 && place->steps >= 0 &&
           place->first_epoch >= 0 && epochs >= 0 && place->epoch < INT_MAX && place->passes >= 0 &&
           place->passes < INT64_MAX / 4 && place_steps(place) <= INT64_MAX / 4 / (epochs + 1) &&
           place->batch >= 0 && place->batch <= place_steps(place);
}

// The number of passes that the run has begun. The next run begins a new pass, also if the last one
// was left unfinished.
static int64_t passes_begun(const cj__place *place)
{
    if (!is_sound(place))
        return 0;
    const int64_t batches = place_batches(place);
    const int64_t done = (place->epoch - place->first_epoch) * place_steps(place) + place->batch;
    return place->passes + done / batches + (done % batches != 0);
}

cj_status cj__run_open_place(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    const int64_t size = r->batch_size, steps = r->args->steps_per_epoch;
    if ((!r->args->resume && !r->is_restored) || place->batch_size == 0) {
        *place = (cj__place){.epoch = r->args->initial_epoch,
                             .first_epoch = r->args->initial_epoch,
                             .passes = passes_begun(place),
                             .batch_size = size,
                             .data_count = r->data->count,
                             .steps = steps,
                             .sum_count = r->functions->row_count};
        return cj__state_keep_metrics(r->state, NULL, r->functions->state_count);
    }
    if (place->batch_size != size || place->data_count != r->data->count || place->steps != steps)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: the run to resume had %lld samples in batches of %lld "
                        "(steps_per_epoch %lld), given "
                        "are %lld in batches of %lld (%lld)",
                        (long long)place->data_count, (long long)place->batch_size,
                        (long long)place->steps, (long long)r->data->count, (long long)size,
                        (long long)steps);
    if (place->sum_count != r->functions->row_count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: the run to resume logged %d values, this one would log %d",
                        place->sum_count, r->functions->row_count);
    if (r->state->metric_state_count != r->functions->state_count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: the metrics of the run to resume had %d states, these have %d",
                        r->state->metric_state_count, r->functions->state_count);
    if (!is_sound(place) || (place->val_count && place->val_count != place->sum_count))
        return cj__fail(CJ_BAD_FILE, "cj_fit: the place of the run to resume contradicts itself");
    r->is_resumed = true;
    return CJ_OK;
}

// Logs
// ----------------------------------------------------------------------------------------------

cj_status cj__run_open_logs(cj__fit_run *r)
{
    const cj__place *place = &r->state->place;
    const int count = r->functions->row_count;
    for (int i = 0; i < count; i++) {
        cj__text name = {0};
        cj__text_add(&name, "val_%s", r->functions->rows[i].name);
        r->val_names[i] = name.data;
        CJ_TRY(cj__text_status(&name));
        r->names[i] = r->functions->rows[i].name;
        r->names[count + i] = r->val_names[i];
    }
    for (int i = 0; i < r->callback_count; i++)
        r->rate_is_logged = r->rate_is_logged || r->callbacks[i]->methods.sets_learning_rate;
    r->logs = (cj_logs){.count = count,
                        .names = r->names,
                        .values = r->values,
                        .epoch = (int)place->epoch,
                        .epochs = r->args->epochs,
                        .batch = place->batch,
                        .batches = r->steps,
                        .samples = place->samples};
    return CJ_OK;
}

static cj__totals totals_of(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    return (cj__totals){place->sums, place->weights, r->state->metric_states, r->batch_states};
}

// Sets the logs from the place. As in Keras, they have the learning rate at the end of an epoch if a
// callback may change it.
static void update_logs(cj__fit_run *r)
{
    const cj__place *place = &r->state->place;
    const int count = r->functions->row_count;
    const cj__totals totals = totals_of(r);
    cj__row_values(r->functions, &totals, r->values);
    memcpy(r->values + count, place->val, (size_t)place->val_count * sizeof(double));
    r->logs.count = count + place->val_count;
    for (int i = 0; i < count; i++)
        r->names[count + i] = r->val_names[i];
    if (r->rate_is_logged && place->event == CJ__EVENT_EPOCH_END) {
        r->names[r->logs.count] = "learning_rate";
        r->values[r->logs.count++] = place->rate;
    }
    r->logs.epoch = (int)place->epoch;
    r->logs.batch = place->batch > 0 ? place->batch - 1 : 0;
    r->logs.samples = place->samples;
}

// Callbacks
// ----------------------------------------------------------------------------------------------

static cj_status restore(const cj_callback *callback, const cj__memory *memory)
{
    const cj_callback_methods *methods = &callback->methods;
    if (methods->set_state)
        methods->set_state(callback->self, memory->values, memory->count);
    return methods->set_tensors ? cj__returned(methods->set_tensors(callback->self, memory->tensors,
                                                                    memory->tensor_count),
                                               "cj_fit: set_tensors of a callback") :
                                  CJ_OK;
}

// Restores the callbacks from what those of the stopped run remembered: the n-th of a class from the
// n-th memory of that class.
static cj_status restore_callbacks(cj__fit_run *r)
{
    const cj__train_state *state = r->state;
    for (int m = 0; m < state->memory_count; m++) {
        const char *name = state->memories[m].name;
        int ordinal = 0;
        for (int i = 0; i < m; i++)
            ordinal += strcmp(state->memories[i].name, name) == 0;
        for (int c = 0; c < r->callback_count; c++) {
            const cj_callback_methods *methods = &r->callbacks[c]->methods;
            const char *class = methods->name ? methods->name : "Callback";
            if ((!methods->state && !methods->tensors) || strcmp(class, name) != 0 || ordinal-- > 0)
                continue;
            CJ_TRY(restore(r->callbacks[c], &state->memories[m]));
            break;
        }
    }
    return CJ_OK;
}

static cj_status tell(cj__fit_run *r, cj__moment moment)
{
    return cj__callbacks_tell(r->callbacks, 0, r->callback_count, moment, r->model, &r->logs, NULL);
}

// Calls the callbacks for the current event, beginning with the first that has not been called.
static cj_status tell_event(cj__fit_run *r, cj__moment moment)
{
    cj__place *place = &r->state->place;
    r->logs.stop = place->stop;
    for (int i = place->told; i < r->callback_count; i++) {
        CJ_TRY(
            cj__callbacks_tell(r->callbacks, i, i + 1, moment, r->model, &r->logs, &place->told));
        place->stop = r->logs.stop;
    }
    return CJ_OK;
}

static cj_status begin_event(cj__fit_run *r, cj__event event)
{
    r->state->place.event = event;
    r->state->place.told = 0;
    update_logs(r);
    return tell_event(r,
                      event == CJ__EVENT_BATCH_END ? CJ__MOMENT_BATCH_END : CJ__MOMENT_EPOCH_END);
}

// Batches and epochs
// ----------------------------------------------------------------------------------------------

static void leave_batch(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    place->event = CJ__EVENT_NONE;
    place->told = 0;
}

static void leave_epoch(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    leave_batch(r);
    r->waited = r->state->waited;
    place->epoch++;
    place->batch = place->samples = 0;
    place->val_count = 0;
    memset(place->sums, 0, sizeof place->sums);
    memset(place->weights, 0, sizeof place->weights);
    for (int i = 0; i < r->state->metric_state_count; i++)
        r->state->metric_states[i] = 0;
}

// Begins the pass to which batch `all` of the run belongs, at that batch.
static void begin_pass(cj__fit_run *r, int64_t all)
{
    const int64_t pass = r->state->place.passes + all / r->batches;
    if (r->order)
        cj__random_order(r->key, (uint64_t)pass, r->order, r->data->count);
    cj__reader_set_pass(r->reader, (uint64_t)pass);
    cj__reader_start(r->reader, r->order, all % r->batches);
    r->reader_is_set = true;
}

// The batches that the run has done.
static int64_t batches_done(const cj__fit_run *r)
{
    const cj__place *place = &r->state->place;
    return (place->epoch - place->first_epoch) * r->steps + place->batch;
}

// The next batch of the run. After the last batch of a pass the next pass begins.
static cj_status next_batch(cj__fit_run *r, cj__batch *batch)
{
    const int64_t all = batches_done(r);
    if (!r->pass_is_begun && (!r->reader_is_set || all % r->batches == 0))
        begin_pass(r, all);
    r->pass_is_begun = false;
    const bool there = cj__reader_next(r->reader, batch);
    r->state->waited = 1e-9 * (double)cj__reader_waited(r->reader);
    r->logs.waited = r->state->waited - r->waited;
    CJ_TRY(there ? CJ_OK : cj__reader_status(r->reader));
    return cj__check_batch(r->model, r->state, r->data, batch, "cj_fit");
}

// After the last batch of a pass: the next one is read while the model is validated and callbacks
// run.
static void read_ahead(cj__fit_run *r)
{
    const cj__place *place = &r->state->place;
    const bool goes_on = place->batch < r->steps || place->epoch + 1 < r->args->epochs;
    const int64_t all = batches_done(r);
    if (!goes_on || place->stop || all % r->batches != 0 || !cj_dataset_is_streamed(r->data))
        return;
    begin_pass(r, all);
    r->pass_is_begun = true;
}

static cj_status train_batch(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    cj__batch batch = {0};
    r->logs.batch = place->batch;
    CJ_TRY(tell(r, CJ__MOMENT_BATCH_BEGIN));
    cj_status status = next_batch(r, &batch);
    if (status == CJ_OK && r->class_weights.buffer)
        status = cj__class_weights_check(&r->class_weights, r->data, &batch);
    if (status != CJ_OK)
        return cj__fail_in(status, "cj_fit: epoch %lld, batch %lld", (long long)place->epoch + 1,
                           (long long)place->batch + 1);
    if (r->class_weights.buffer) // the data has none, and the list has a place for them
        batch.parts[r->data->x_count + r->data->y_count] =
            cj__class_weights_of(&r->class_weights, &batch);
    const cj__totals totals = totals_of(r);
    const cj__step_functions *functions;
    const int64_t begin = cj__clock();
    status = cj__functions_of_batch(r->model, r->state, r->data, &batch, r->functions, &functions);
    if (status == CJ_OK)
        status = cj__step_run(functions, &batch, &totals);
    cj__timeline_add(r->state->timeline, "step", CJ__LANE_TRAINING, begin, place->batch);
    if (status != CJ_OK)
        return cj__fail_in(status, "cj_fit: epoch %lld, batch %lld", (long long)place->epoch + 1,
                           (long long)place->batch + 1);
    place->batch++;
    place->samples += batch.count;
    r->state->batch = &batch;
    r->state->training = functions;
    const int64_t told_from = cj__clock();
    const cj_status told = begin_event(r, CJ__EVENT_BATCH_END);
    cj__timeline_add(r->state->timeline, "callbacks", CJ__LANE_TRAINING, told_from,
                     place->batch - 1);
    r->state->batch = NULL;
    if (told == CJ_OK) {
        leave_batch(r);
        read_ahead(r);
    }
    return told;
}

static cj_status tell_validation(cj__fit_run *r, bool begins)
{
    for (int i = 0; i < r->callback_count; i++)
        if (r->callbacks[i]->validation)
            CJ_TRY(r->callbacks[i]->validation(r->callbacks[i]->self, r->model, begins));
    return CJ_OK;
}

static cj_status validate(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    const int every = r->args->validation_freq;
    if (!r->evaluator.reader || (place->epoch + 1) % every != 0)
        return CJ_OK;
    CJ_TRY(tell_validation(r, true));
    const int64_t begin = cj__clock();
    const cj_status status =
        cj__evaluator_run(&r->evaluator, r->args->validation_steps, NULL, place->val);
    cj__timeline_add(r->state->timeline, "validate", CJ__LANE_TRAINING, begin, place->epoch);
    CJ_TRY(tell_validation(r, false));
    CJ_TRY(status);
    place->val_count = r->functions->row_count;
    return CJ_OK;
}

static cj_status end_epoch(cj__fit_run *r)
{
    CJ_TRY(validate(r));
    r->state->place.rate = cj_learning_rate(r->model);
    CJ_TRY(begin_event(r, CJ__EVENT_EPOCH_END));
    CJ_TRY(cj__history_add(r->history, &r->logs));
    leave_epoch(r);
    return CJ_OK;
}

// Trains from the place's batch to the end of the epoch, or until a callback asks to stop.
static cj_status train_epoch(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    update_logs(r);
    if (place->batch == 0)
        CJ_TRY(tell(r, CJ__MOMENT_EPOCH_BEGIN));
    while (place->batch < r->steps) {
        CJ_TRY(train_batch(r));
        if (place->stop && place->batch < r->steps)
            return CJ_OK;
    }
    return end_epoch(r);
}

// A checkpoint saved by a callback is in the middle of an event: calls the callbacks after that one.
static cj_status finish_event(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    if (!(place->rate > 0)) // the file has none
        place->rate = cj_learning_rate(r->model);
    update_logs(r);
    if (place->event == CJ__EVENT_BATCH_END) {
        CJ_TRY(tell_event(r, CJ__MOMENT_BATCH_END));
        leave_batch(r);
    } else if (place->event == CJ__EVENT_EPOCH_END) {
        CJ_TRY(tell_event(r, CJ__MOMENT_EPOCH_END));
        CJ_TRY(cj__history_add(r->history, &r->logs));
        leave_epoch(r);
    }
    return CJ_OK;
}

static cj_status train_all(cj__fit_run *r)
{
    cj__place *place = &r->state->place;
    r->state->waited = 0;
    CJ_TRY(tell(r, CJ__MOMENT_TRAIN_BEGIN));
    cj__reader_set_timeline(r->reader, r->state->timeline);
    if (r->is_resumed)
        CJ_TRY(restore_callbacks(r));
    if (place->event == CJ__EVENT_NONE)
        place->stop = false; // a run that was stopped is resumed to go on
    CJ_TRY(finish_event(r));
    while (place->epoch < r->args->epochs && !place->stop)
        CJ_TRY(train_epoch(r));
    if (!place->stop || place->batch == 0) // one that stops within an epoch is to go on
        CJ_TRY(cj__state_average(r->state));
    r->logs.stop = place->stop;
    cj__reader_set_timeline(r->reader, NULL); // it may be gone after this moment
    return tell(r, CJ__MOMENT_TRAIN_END);
}

cj_status cj__run_train(cj__fit_run *r)
{
    r->state->timeline = NULL;
    const cj_status status = train_all(r);
    cj__reader_set_timeline(r->reader, NULL);
    r->state->timeline = NULL;
    return status;
}
