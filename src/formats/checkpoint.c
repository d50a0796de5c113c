// ModelCheckpoint: saving from inside training. It lives here because it writes files; what it
// decides by is the training room's monitor. What it remembers across a resumed run is the best
// value so far.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "train/callbacks/monitor.h"

#include <cajal/files.h>
#include <math.h>

typedef struct checkpoint {
    char *path;
    cj__monitor monitor;
    bool best_only;
    int64_t every;   // batches; 0 for each epoch
    int64_t batches; // since the run began
    int verbose;
    double best;
} checkpoint;

static const char who[] = "ModelCheckpoint";

// With best_only: whether the value improved. A missing value is an error of the settings, as it
// never comes.
static cj_status improved(checkpoint *c, cj_logs *logs, bool *yes)
{
    double value = NAN;
    bool found = false;
    *yes = true;
    if (!c->best_only)
        return CJ_OK;
    CJ_TRY(cj__monitor_read(&c->monitor, logs, who, &value, &found));
    if (!found) {
        *yes = false;
        return c->every != 0 ? CJ_OK :
                               cj__fail(CJ_INVALID_ARGUMENT, "%s: \"%s\" is not in the logs", who,
                                        c->monitor.name);
    }
    *yes = cj__monitor_better(&c->monitor, value, c->best);
    if (*yes)
        c->best = value;
    return CJ_OK;
}

static cj_status save(checkpoint *c, cj_model *model, cj_logs *logs)
{
    bool yes = false;
    CJ_TRY(improved(c, logs, &yes));
    if (!yes)
        return CJ_OK;
    cj__text path = {0};
    cj_status status = cj__monitor_fill(c->path, logs, who, &path);
    if (status == CJ_OK)
        status = cj__text_status(&path);
    if (status == CJ_OK)
        status = cj_save(model, path.data);
    if (status == CJ_OK && c->verbose != 0)
        printf("Epoch %d: saving model to %s\n", logs->epoch + 1, path.data);
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

static int state(void *self, double *values, int capacity)
{
    const checkpoint *c = self;
    if (capacity < 2)
        return 0;
    values[0] = c->best;
    values[1] = (double)c->batches;
    return 2;
}

static void set_state(void *self, const double *values, int count)
{
    checkpoint *c = self;
    if (count == 2) {
        c->best = values[0];
        c->batches = (int64_t)values[1];
    }
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
                      .every = args->save_freq,
                      .verbose = args->verbose,
                      .best = NAN};
    c->path = cj__copy_text(args->filepath);
    if (!c->path || cj__monitor_open(&c->monitor, args->monitor, args->mode, 0, who) != CJ_OK) {
        destroy(c);
        return NULL;
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
    return callback ? callback : cj__build_failed();
}
