// cj_fit(): checks what is given, opens a run, and closes it. run.c trains.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/system.h"
#include "base/warning.h"
#include "train/callbacks/progbar.h"
#include "train/check.h"
#include "train/run.h"
#include <cajal/streams.h>
#include <math.h>
#include <string.h>

typedef cj__fit_run run;

// The longest order that is kept for data that does not lie in memory; up to it the order is that of
// data which does.
enum { ORDER_MAX = 1 << 20 };

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
    r->is_split = true;
    r->data = r->validation = NULL;
    CJ_TRY(cj_dataset_slice(data, 0, first, &r->data));
    return cj_dataset_slice(data, first, data->count - first, &r->validation);
}

// Makes everything before the first step; a run that is refused has changed nothing.
static cj_status open_data(run *r, cj_dataset *data)
{
    const cj_fit_args *args = r->args;
    CJ_TRY(check_args(args));
    CJ_TRY(split(r, data));
    const bool shuffle = args->shuffle && !cj__dataset_has_order(r->data);
    CJ_TRY(cj__check_built(r->model, r->data, "cj_fit"));
    CJ_TRY(cj__check_data(r->model, r->state, r->data, "cj_fit"));
    CJ_TRY(cj__check_batches(r->model, r->data, args->batch_size, "cj_fit", &r->batch_size));
    CJ_TRY(cj__class_weights_open(&r->class_weights, args, &r->state->settings, r->data,
                                  r->batch_size));
    if (r->class_weights.buffer && cj__dataset_cuts_targets(r->data))
        return cj__fail(CJ_UNSUPPORTED, "cj_fit: class_weight beside targets with steps");
    CJ_TRY(cj__functions_find(r->model, r->state, CJ__MODE_TRAIN, r->data,
                              r->class_weights.buffer != NULL, &r->functions));
    const int64_t own_size = r->validation ? cj__dataset_batch_size(r->validation) : 0;
    r->batch_states = cj__new((size_t)r->functions->state_count + 1, sizeof *r->batch_states);
    if (!r->batch_states)
        return CJ_OUT_OF_MEMORY;
    if (r->validation)
        CJ_TRY(cj__evaluator_open(&r->evaluator, r->model, r->state, r->validation,
                                  args->validation_batch_size ? args->validation_batch_size :
                                  own_size                    ? own_size :
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
    if (!shuffle)
        return CJ_OK;
    if (cj_dataset_is_streamed(r->data) && r->data->count > ORDER_MAX)
        return cj__reader_permute(r->reader, r->key);
    r->order = cj__new((size_t)r->data->count, sizeof *r->order);
    return r->order ? CJ_OK : CJ_OUT_OF_MEMORY;
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

static void close_run(run *r)
{
    if (r->is_exclusive)
        cj__use_written(cj__model_use(r->model));
    cj__reader_free(r->reader);
    cj__evaluator_close(&r->evaluator);
    cj__class_weights_close(&r->class_weights);
    cj__free(r->order);
    cj__free(r->batch_states);
    cj_release(r->history);
    for (int i = 0; i < CJ__MAX_VALUES; i++)
        cj__free(r->val_names[i]);
    for (int i = 0; i < r->callback_count; i++)
        cj_release(r->callbacks[i]);
    cj__free(r->callbacks);
    if (r->is_split) {
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

// Lets a callback bring back the run of a process that was ended.
static cj_status restore_run(run *r)
{
    for (int i = 0; i < r->callback_count && !r->is_restored; i++)
        if (r->callbacks[i]->restore)
            CJ_TRY(r->callbacks[i]->restore(r->callbacks[i]->self, r->model, &r->is_restored));
    return CJ_OK;
}

static cj_status open_run(run *r, cj_dataset *data, bool complete)
{
    CJ_TRY(open_callbacks(r)); // first, so that they are let go of whatever happens
    CJ_TRY(need_objects(r->model, data, complete));
    CJ_TRY(cj__use_to_write(cj__model_use(r->model), "cj_fit"));
    r->is_exclusive = true;
    CJ_TRY(cj__state_compiled(r->model, "cj_fit", &r->state));
    if (r->state->callbacks)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: model \"%s\" is being trained by a cj_fit() that has not returned",
                        cj_layer_name(cj_model_layer(r->model)));
    CJ_TRY(open_data(r, data)); // a model that is built by its data is built now
    CJ_TRY(restore_run(r));
    CJ_TRY(cj__run_open_place(r));
    return cj__run_open_logs(r);
}

static cj_status train_and_remember(run *r)
{
    r->state->callbacks = r->callbacks;
    r->state->callback_count = r->callback_count;
    r->state->validation_freq = r->evaluator.reader ? r->args->validation_freq : 0;
    const cj_status status = cj__run_train(r), memories = cj__state_memories(r->state);
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
