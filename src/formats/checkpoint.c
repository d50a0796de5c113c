// ModelCheckpoint: saving from inside training. It lives here because it writes files; what it
// decides by is the training room's monitor. What a resumed run needs is the best value so far and
// the count of batches.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/system.h"
#include "train/callbacks.h"
#include "train/callbacks/monitor.h"

#include <cajal/files.h>
#include <math.h>
#include <string.h>

typedef struct checkpoint {
    char *path;
    cj__monitor monitor;
    bool best_only, weights_only;
    int64_t every;   // batches; 0 for each epoch
    int64_t batches; // since the run began
    int verbose;
} checkpoint;

static const char who[] = "ModelCheckpoint";

static cj_status begin(void *self, cj_model *model, cj_logs *logs)
{
    checkpoint *c = self;
    (void)model, (void)logs;
    c->monitor.warned = false; // the best so far counts over several runs, as in Keras
    return CJ_OK;
}

static void tell_improvement(const checkpoint *c, const cj_logs *logs, const double *before,
                             double value, const char *path)
{
    char from[64] = "None", to[64];
    if (before)
        cj__number_fixed(*before, 5, from, sizeof from);
    if (path)
        printf("\nEpoch %d: %s improved from %s to %s, saving model to %s\n", logs->epoch + 1,
               c->monitor.name, from, cj__number_fixed(value, 5, to, sizeof to), path);
    else
        printf("\nEpoch %d: %s did not improve from %s\n", logs->epoch + 1, c->monitor.name, from);
}

// Whether to save: with best_only, if the value improved. Without a value Keras saves, and so does
// this, but for an epoch that has none because it does not validate: that would replace the best.
static cj_status decide(checkpoint *c, const cj_model *model, const cj_logs *logs, const char *path,
                        bool *yes)
{
    double value = NAN;
    bool found = false;
    *yes = true;
    if (c->best_only) {
        CJ_TRY(cj__monitor_read(&c->monitor, model, logs,
                                "each epoch is saved as if it were the best", &value, &found));
        *yes = found || c->monitor.warned;
    } else if (c->verbose > 0) {
        printf("\nEpoch %d: saving model to %s\n", logs->epoch + 1, path);
    }
    if (!found)
        return CJ_OK;
    const double before = c->monitor.best;
    const bool had = c->monitor.has_best;
    *yes = cj__monitor_improves(&c->monitor, value);
    if (c->verbose > 0)
        tell_improvement(c, logs, had ? &before : NULL, value, *yes ? path : NULL);
    return CJ_OK;
}

static cj_status make_folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return CJ_OK;
    *slash = '\0';
    const cj_status status = cj__folder_make(path);
    *slash = '/';
    return status ? cj__fail_in(status, "%s", who) : CJ_OK;
}

static cj_status save_to(checkpoint *c, cj_model *model, const cj_logs *logs, char *path)
{
    bool yes = false;
    CJ_TRY(decide(c, model, logs, path, &yes));
    if (!yes)
        return CJ_OK;
    CJ_TRY(make_folder_of(path));
    CJ_TRY(c->weights_only ? cj_save_weights(model, path) : cj_save(model, path));
    if (c->verbose > 0)
        printf("\nEpoch %d: finished saving model to %s\n", logs->epoch + 1, path);
    return CJ_OK;
}

static cj_status save(checkpoint *c, cj_model *model, const cj_logs *logs)
{
    cj__text path = {0};
    bool missing = false;
    cj_status status = cj__monitor_fill(c->path, logs, who, &path, &missing);
    if (status == CJ_OK && missing && !cj__monitor_validates_later(model, logs))
        status = cj__fail(CJ_INVALID_ARGUMENT, "%s: the logs lack a value that \"%s\" names", who,
                          c->path);
    if (status == CJ_OK && !missing)
        status = save_to(c, model, logs, path.data);
    cj__text_free(&path);
    return status;
}

static cj_status batch_end(void *self, cj_model *model, cj_logs *logs)
{
    checkpoint *c = self;
    c->batches++;
    return c->every != 0 && c->batches % c->every == 0 ? save(c, model, logs) : CJ_OK;
}

static cj_status epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    checkpoint *c = self;
    return c->every == 0 ? save(c, model, logs) : CJ_OK;
}

enum { NUMBERS = 1 + CJ__MONITOR_NUMBERS };

static int state(void *self, double *values, int capacity)
{
    const checkpoint *c = self;
    if (capacity < NUMBERS)
        return NUMBERS;
    values[0] = (double)c->batches;
    cj__monitor_save(&c->monitor, values + 1);
    return NUMBERS;
}

static void set_state(void *self, const double *values, int count)
{
    checkpoint *c = self;
    if (count != NUMBERS)
        return;
    c->batches = values[0] >= 0 && values[0] < 9e15 ? (int64_t)values[0] : 0;
    cj__monitor_restore(&c->monitor, values + 1);
}

static void destroy(void *self)
{
    checkpoint *c = self;
    cj__monitor_close(&c->monitor);
    cj__free(c->path);
    cj__free(c);
}

static const cj_callback_methods methods = {
    .size = sizeof(cj_callback_methods),
    .name = "ModelCheckpoint",
    .train_begin = begin,
    .batch_end = batch_end,
    .epoch_end = epoch_end,
    .state = state,
    .set_state = set_state,
    .free = destroy,
};

CJ__DEFAULTS(model_checkpoint, MODEL_CHECKPOINT)

static cj_callback *make(const cj_model_checkpoint_args *args)
{
    if (!args->filepath) {
        cj__fail_null("ModelCheckpoint: the filepath");
        return NULL;
    }
    if (args->save_freq < 0) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: save_freq is %lld, needed is 0 or more", who,
                 (long long)args->save_freq);
        return NULL;
    }
    checkpoint *c = cj__new(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (checkpoint){.best_only = args->save_best_only,
                      .weights_only = args->save_weights_only,
                      .every = args->save_freq,
                      .verbose = args->verbose};
    c->path = cj__copy_text(args->filepath);
    if (!c->path || cj__monitor_open(&c->monitor, who, args->monitor, args->mode, 0) != CJ_OK) {
        destroy(c);
        return NULL;
    }
    if (!isnan(args->initial_value_threshold)) {
        c->monitor.has_best = true;
        c->monitor.best = args->initial_value_threshold;
    }
    cj_callback *callback = cj_callback_new(&methods, c);
    if (!callback)
        destroy(c);
    return callback;
}

cj_callback *cj_model_checkpoint_new(const cj_model_checkpoint_args *args)
{
    cj_model_checkpoint_args given;
    cj_callback *callback = NULL;
    if (cj__args_read(who, args, &model_checkpoint_defaults, sizeof given, &given) == CJ_OK)
        callback = make(&given);
    return callback ? callback : cj__build_failed(CJ__MADE_CALLBACK);
}
