// cj_fit(): epochs of batches. Where training is lives in state->place and nowhere else, so that a
// run can be stopped after any batch, or saved from inside any callback, and go on to the same
// bits.
//
// The order of the samples is a function of the model's seed and the number of the pass, counted
// over all runs since the model was compiled. With steps_per_epoch an epoch is not a pass: batches
// are then counted from the run's first epoch, and pass and batch follow from that count.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/system.h"
#include "base/text.h"
#include "base/warning.h"
#include "train/callbacks.h"
#include "train/check.h"
#include "train/evaluate.h"
#include "train/history.h"
#include "train/callbacks/progbar.h"
#include "train/class_weights.h"
#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct run {
    cj_model *model;
    cj__train_state *state;
    const cj_fit_args *args;
    cj_dataset *data, *validation; // held if they are slices
    bool sliced, resumed;
    bool alone;              // no other thread may use the model until the run is closed
    cj_callback **callbacks; // held
    int callback_count;
    const cj__step_functions *functions;
    cj__evaluator evaluator;
    cj__reader *reader;
    bool reading;   // the reader is at the batch of the place
    int64_t *order; // NULL without shuffling
    uint64_t key;
    int64_t batch_size;
    int64_t batches, steps; // of a pass, of an epoch
    cj__class_weights class_weights;
    cj_history *history; // held
    cj_logs logs;
    const char *names[CJ__MAX_LOGS]; // of training, of validation, and the learning rate
    double values[CJ__MAX_LOGS];
    char *val_names[CJ__MAX_VALUES];
    bool logs_rate; // a callback of the run sets the learning rate
} run;

static cj_status check_args(const cj_fit_args *args)
{
    CJ_TRY(cj__check_verbose(args->verbose, "cj_fit"));
    if (args->batch_size < 0 || args->epochs < 0 || args->initial_epoch < 0 ||
        args->steps_per_epoch < 0 || args->validation_batch_size < 0 || args->validation_steps < 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: batch_size, epochs, initial_epoch, steps_per_epoch, "
                        "validation_batch_size and validation_steps cannot be negative");
    if (args->validation_freq < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_fit: validation_freq is %d, needed is at least 1",
                        args->validation_freq);
    if (!(args->validation_split >= 0 && args->validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: validation_split is %g, needed is 0 <= split < 1",
                        args->validation_split);
    return CJ_OK;
}

// The last share of the samples is for validation, whatever order training takes the others in.
static cj_status split(run *r, cj_dataset *data)
{
    const int64_t first = (int64_t)floor((double)data->count * (1 - r->args->validation_split));
    r->data = data;
    r->validation = r->args->validation_data;
    if (!(r->args->validation_split > 0) || r->validation)
        return CJ_OK;
    if (first < 1 || first >= data->count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: validation_split %g of %lld samples leaves none for %s",
                        r->args->validation_split, (long long)data->count,
                        first < 1 ? "training" : "validation");
    r->sliced = true;
    r->data = r->validation = NULL;
    CJ_TRY(cj_dataset_slice(data, 0, first, &r->data));
    return cj_dataset_slice(data, first, data->count - first, &r->validation);
}

// Makes everything before the first step; a run that is refused has changed nothing.
static cj_status open_data(run *r, cj_dataset *data)
{
    const cj_fit_args *args = r->args;
    const bool shuffle = args->shuffle;
    CJ_TRY(check_args(args));
    CJ_TRY(split(r, data));
    CJ_TRY(cj__check_built(r->model, r->data, "cj_fit"));
    CJ_TRY(cj__check_data(r->model, r->state, r->data, "cj_fit"));
    CJ_TRY(cj__check_batches(r->model, r->data->count, args->batch_size, "cj_fit", &r->batch_size));
    CJ_TRY(cj__class_weights_open(&r->class_weights, args, &r->state->settings, r->data,
                                  r->batch_size));
    CJ_TRY(cj__functions_find(r->model, r->state, CJ__MODE_TRAIN, r->data,
                              r->data->sample_weight || r->class_weights.buffer, &r->functions));
    if (r->validation)
        CJ_TRY(cj__evaluator_open(&r->evaluator, r->model, r->state, r->validation,
                                  args->validation_batch_size ? args->validation_batch_size :
                                                                r->batch_size,
                                  "cj_fit, validation data"));
    CJ_TRY(cj__reader_new(r->data, r->batch_size, shuffle, &r->reader));
    r->batches = cj__reader_batches(r->reader);
    r->steps = args->steps_per_epoch ? args->steps_per_epoch : r->batches;
    if (r->steps > INT64_MAX / ((int64_t)args->epochs + 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: steps_per_epoch %lld in %d epochs are more batches than can be "
                        "counted",
                        (long long)r->steps, args->epochs);
    r->key = cj__key(cj__model_seed(r->model), "shuffle");
    if (shuffle && !(r->order = cj__new((size_t)r->data->count, sizeof *r->order)))
        return CJ_OUT_OF_MEMORY;
    return CJ_OK;
}

// The user's callbacks, which the run holds, then the bar, so that what they print does not break its
// line.
static cj_status open_callbacks(run *r)
{
    const cj_fit_args *args = r->args;
    cj__list given;
    const cj__given_list callbacks = {"cj_fit: callbacks",  args->callbacks,
                                      args->callbacks_list, args->callbacks_count,
                                      CJ__MADE_CALLBACK,    &cj_no_callback};
    cj_status status = cj__lists_read(&callbacks, 1, &given);
    r->callbacks = cj__new((size_t)given.count + 1, sizeof *r->callbacks);
    for (int i = 0; i < given.count; i++) {
        if (status != CJ_OK || !r->callbacks)
            cj__drop_floating(given.items[i]);
        else
            r->callbacks[r->callback_count++] = cj__own(given.items[i]);
    }
    if (status != CJ_OK || !r->callbacks)
        return status != CJ_OK ? status : CJ_OUT_OF_MEMORY;
    if (r->args->verbose == CJ_BAR || r->args->verbose == CJ_LINES) {
        FILE *stream = r->args->stream ? r->args->stream : stdout;
        const cj__bar_mode mode = r->args->verbose == CJ_LINES ? CJ__BAR_LINES : CJ__BAR_AUTO;
        cj_callback *bar = cj__own(cj__progress_bar_new(stream, mode));
        if (!bar)
            return cj_error_status();
        r->callbacks[r->callback_count++] = bar;
    }
    r->history = cj__history_new();
    return r->history ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status remind(const cj_callback *callback, const cj__memory *memory)
{
    const cj_callback_methods *methods = &callback->methods;
    if (methods->set_state)
        methods->set_state(callback->self, memory->values, memory->count);
    return methods->set_tensors ? cj__returned(methods->set_tensors(callback->self, memory->tensors,
                                                                    memory->tensor_count),
                                               "cj_fit: set_tensors of a callback") :
                                  CJ_OK;
}

// Gives back to the callbacks what those of the stopped run remembered: the n-th of a class gets
// the n-th memory.
static cj_status remind_callbacks(run *r)
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
            CJ_TRY(remind(r->callbacks[c], &state->memories[m]));
            break;
        }
    }
    return CJ_OK;
}

// Batches of a pass, and steps of an epoch, of the run that a place belongs to.
static int64_t place_batches(const cj__place *place)
{
    return place->data_count / place->batch_size + (place->data_count % place->batch_size != 0);
}

static int64_t place_steps(const cj__place *place)
{
    return place->steps ? place->steps : place_batches(place);
}

// Whether the counts of a place fit each other. One from a damaged file may not.
static bool is_sound(const cj__place *place)
{
    const int64_t epochs = place->epoch - place->first_epoch;
    return place->batch_size > 0 && place->data_count > 0 && place->steps >= 0 &&
           place->first_epoch >= 0 && epochs >= 0 && place->epoch < INT_MAX && place->passes >= 0 &&
           place->passes < INT64_MAX / 4 && place_steps(place) <= INT64_MAX / 4 / (epochs + 1) &&
           place->batch >= 0 && place->batch <= place_steps(place);
}

// Passes begun by the end of a run: a pass that was left in its middle is not gone back to.
static int64_t passes_begun(const cj__place *place)
{
    if (!is_sound(place))
        return 0;
    const int64_t batches = place_batches(place);
    const int64_t done = (place->epoch - place->first_epoch) * place_steps(place) + place->batch;
    return place->passes + done / batches + (done % batches != 0);
}

// Where to begin: at the place of the stopped run, if it had the same batches, or at the initial
// epoch.
static cj_status open_place(run *r)
{
    cj__place *place = &r->state->place;
    const int64_t size = r->batch_size, steps = r->args->steps_per_epoch;
    if (!r->args->resume || place->batch_size == 0) {
        *place = (cj__place){.epoch = r->args->initial_epoch,
                             .first_epoch = r->args->initial_epoch,
                             .passes = passes_begun(place),
                             .batch_size = size,
                             .data_count = r->data->count,
                             .steps = steps,
                             .sum_count = r->functions->row_count};
        return CJ_OK;
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
    if (!is_sound(place) || (place->val_count && place->val_count != place->sum_count))
        return cj__fail(CJ_BAD_FILE, "cj_fit: the place of the run to resume contradicts itself");
    r->resumed = true;
    return CJ_OK;
}

static cj_status open_logs(run *r)
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
        r->logs_rate = r->logs_rate || r->callbacks[i]->methods.sets_learning_rate;
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

// Values as the place has them. As in Keras, the end of an epoch shows the learning rate of the
// epoch if a callback may change it.
static void update_logs(run *r)
{
    const cj__place *place = &r->state->place;
    const int count = r->functions->row_count;
    cj__row_values(count, place->sums, place->weights, r->values);
    memcpy(r->values + count, place->val, (size_t)place->val_count * sizeof(double));
    r->logs.count = count + place->val_count;
    for (int i = 0; i < count; i++)
        r->names[count + i] = r->val_names[i];
    if (r->logs_rate && place->event == CJ__EVENT_EPOCH_END) {
        r->names[r->logs.count] = "learning_rate";
        r->values[r->logs.count++] = place->rate;
    }
    r->logs.epoch = (int)place->epoch;
    r->logs.batch = place->batch > 0 ? place->batch - 1 : 0;
    r->logs.samples = place->samples;
}

static cj_status tell(run *r, cj__moment moment)
{
    return cj__callbacks_tell(r->callbacks, 0, r->callback_count, moment, r->model, &r->logs, NULL);
}

// Tells the callbacks of the current event, from the first that has not been told yet.
static cj_status tell_event(run *r, cj__moment moment)
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

static cj_status begin_event(run *r, cj__event event)
{
    r->state->place.event = event;
    r->state->place.told = 0;
    update_logs(r);
    return tell_event(r,
                      event == CJ__EVENT_BATCH_END ? CJ__MOMENT_BATCH_END : CJ__MOMENT_EPOCH_END);
}

static void leave_batch(run *r)
{
    cj__place *place = &r->state->place;
    place->event = CJ__EVENT_NONE;
    place->told = 0;
}

static void leave_epoch(run *r)
{
    cj__place *place = &r->state->place;
    leave_batch(r);
    place->epoch++;
    place->batch = place->samples = 0;
    place->val_count = 0;
    memset(place->sums, 0, sizeof place->sums);
    memset(place->weights, 0, sizeof place->weights);
}

// The next batch of the run; passes begin anew as often as needed.
static void next_batch(run *r, cj__batch *batch)
{
    const cj__place *place = &r->state->place;
    const int64_t all = (place->epoch - place->first_epoch) * r->steps + place->batch;
    const int64_t pass = place->passes + all / r->batches;
    if (!r->reading || all % r->batches == 0) {
        if (r->order)
            cj__random_order(r->key, (uint64_t)pass, r->order, r->data->count);
        cj__reader_start(r->reader, r->order, all % r->batches);
        r->reading = true;
    }
    cj__reader_next(r->reader, batch);
}

static cj_status train_batch(run *r)
{
    cj__place *place = &r->state->place;
    cj__batch batch = {0};
    r->logs.batch = place->batch;
    CJ_TRY(tell(r, CJ__MOMENT_BATCH_BEGIN));
    next_batch(r, &batch);
    const float *weights = r->class_weights.buffer ?
                               cj__class_weights_of(&r->class_weights, &batch) :
                               batch.sample_weight;
    const cj_status status =
        cj__step_run(r->functions, &batch, weights, place->sums, place->weights, NULL);
    if (status != CJ_OK)
        return cj__fail_in(status, "cj_fit: epoch %lld, batch %lld", (long long)place->epoch + 1,
                           (long long)place->batch + 1);
    place->batch++;
    place->samples += batch.count;
    r->state->batch = &batch;
    r->state->batch_weights = weights;
    r->state->training = r->functions;
    const cj_status told = begin_event(r, CJ__EVENT_BATCH_END);
    r->state->batch = NULL;
    if (told == CJ_OK)
        leave_batch(r);
    return told;
}

static cj_status validate(run *r)
{
    cj__place *place = &r->state->place;
    const int every = r->args->validation_freq;
    if (!r->evaluator.reader || (place->epoch + 1) % every != 0)
        return CJ_OK;
    CJ_TRY(cj__evaluator_run(&r->evaluator, r->args->validation_steps, NULL, place->val));
    place->val_count = r->functions->row_count;
    return CJ_OK;
}

static cj_status end_epoch(run *r)
{
    CJ_TRY(validate(r));
    r->state->place.rate = cj_learning_rate(r->model);
    CJ_TRY(begin_event(r, CJ__EVENT_EPOCH_END));
    CJ_TRY(cj__history_add(r->history, &r->logs));
    leave_epoch(r);
    return CJ_OK;
}

// Trains the rest of an epoch, from the batch of the place. Returns before its end if a callback asks
// to stop.
static cj_status train_epoch(run *r)
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

// Tells the remaining callbacks of the event during which the checkpoint was saved.
static cj_status finish_event(run *r)
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

static cj_status train(run *r)
{
    cj__place *place = &r->state->place;
    CJ_TRY(tell(r, CJ__MOMENT_TRAIN_BEGIN));
    if (r->resumed)
        CJ_TRY(remind_callbacks(r));
    if (place->event == CJ__EVENT_NONE)
        place->stop = false; // a run that was stopped is resumed to go on
    CJ_TRY(finish_event(r));
    while (place->epoch < r->args->epochs && !place->stop)
        CJ_TRY(train_epoch(r));
    r->logs.stop = place->stop;
    return tell(r, CJ__MOMENT_TRAIN_END);
}

static void close_run(run *r)
{
    if (r->alone)
        cj__use_written(cj__model_use(r->model));
    cj__reader_free(r->reader);
    cj__evaluator_close(&r->evaluator);
    cj__class_weights_close(&r->class_weights);
    cj__free(r->order);
    cj_release(r->history);
    for (int i = 0; i < CJ__MAX_VALUES; i++)
        cj__free(r->val_names[i]);
    for (int i = 0; i < r->callback_count; i++)
        cj_release(r->callbacks[i]);
    cj__free(r->callbacks);
    if (r->sliced) {
        cj_release(r->data);
        cj_release(r->validation);
    }
    cj__free(r);
}

// `complete` says that the validation data is not NULL.
static cj_status need_objects(const cj_model *model, const cj_dataset *data, bool complete)
{
    const unsigned missing =
        (model ? 0U : CJ__MADE_MODEL) | (data && complete ? 0U : CJ__MADE_DATASET);
    return missing ? cj__fail_missing_some(missing, !model + !data + !complete,
                                           !model ? "cj_fit: the model" :
                                           !data  ? "cj_fit: the data" :
                                                    "cj_fit: the validation data") :
                     CJ_OK;
}

static cj_status open_run(run *r, cj_dataset *data, bool complete)
{
    CJ_TRY(open_callbacks(r)); // first, so that they are let go of whatever happens
    CJ_TRY(need_objects(r->model, data, complete));
    if (r->model)
        CJ_TRY(cj__use_to_write(cj__model_use(r->model), "cj_fit"));
    r->alone = r->model;
    CJ_TRY(cj__state_compiled(r->model, "cj_fit", &r->state));
    if (r->state->callbacks)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: model \"%s\" is being trained by a cj_fit() that has not returned",
                        cj_layer_name(cj_model_layer(r->model)));
    CJ_TRY(open_data(r, data));
    CJ_TRY(open_place(r));
    return open_logs(r);
}

static cj_status train_and_remember(run *r)
{
    r->state->callbacks = r->callbacks;
    r->state->callback_count = r->callback_count;
    r->state->validation_freq = r->evaluator.reader ? r->args->validation_freq : 0;
    const cj_status status = train(r), memories = cj__state_memories(r->state);
    r->state->callbacks = NULL;
    r->state->callback_count = 0;
    r->state->validation_freq = 0;
    return status ? status : memories;
}

// A warning on a terminal begins a line of its own below the bar.
static void print_warning(const char *sentence, void *context)
{
    fprintf(context, "%swarning: %s\n", cj__is_terminal(context) ? "\n" : "", sentence);
}

// Trains with the thread's warning handler or, where there is none and the run prints, one that
// prints on the run's stream.
static cj_status train_with_warnings(run *r)
{
    const cj__warning_handler handler = cj__warning_handler_of_thread();
    const bool prints = r->args->verbose == CJ_BAR || r->args->verbose == CJ_LINES;
    if (handler.call || !prints)
        return train_and_remember(r);
    cj_set_warning_handler(print_warning, r->args->stream ? r->args->stream : stdout);
    const cj_status status = train_and_remember(r);
    cj_set_warning_handler(NULL, NULL);
    return status;
}

CJ__DEFAULTS(fit, FIT)

cj_status cj_fit_with(cj_model *model, cj_dataset *data, const cj_fit_args *args)
{
    cj_fit_args given;
    CJ_TRY(cj__args_read("cj_fit", args, &fit_defaults, sizeof given, &given));
    run *r = cj__new(1, sizeof *r);
    if (!r)
        return CJ_OUT_OF_MEMORY;
    const bool complete = given.validation_data;
    const uint64_t begin = cj__causes_begin();
    r->model = cj_retain(model); // a callback may drop the last holder
    if (given.validation_data == &cj_no_dataset)
        given.validation_data = NULL;
    r->args = &given;
    cj_status status = open_run(r, data, complete);
    if (status == CJ_OK)
        status = train_with_warnings(r);
    if (status == CJ_OK && given.history)
        *given.history = cj_retain(r->history);
    close_run(r);
    cj_release(model);
    return cj__causes_end(begin, status);
}
