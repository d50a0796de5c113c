// BackupAndRestore: a model file in a folder, written at the ends of epochs or batches, from which a run
// goes on before it begins (keras/src/callbacks/backup_and_restore.py). Files appear whole or not at
// all, so that a process may be killed at any moment.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/text.h"
#include "ops/variable.h"
#include "train/callbacks.h"
#include "train/state.h"

#include <cajal/callbacks.h>
#include <cajal/files.h>
#include <stdio.h>
#include <string.h>

typedef struct backup {
    char *folder, *latest, *previous;
    int64_t every;   // batches; 0 for each epoch
    int64_t batches; // since the run began
    bool keep_two, remove;
} backup;

static const char who[] = "BackupAndRestore";

// ---- Writing ----

static cj_status save(const backup *b, cj_model *model)
{
    const cj_status status = cj__folder_make(b->folder);
    if (status != CJ_OK)
        return cj__fail_in(status, "%s", who);
    if (b->keep_two)
        rename(b->latest, b->previous); // where there is one
    return cj_save(model, b->latest);
}

static cj_status batch_end(void *self, cj_model *model, cj_logs *logs)
{
    backup *b = self;
    (void)logs;
    b->batches++;
    return b->every != 0 && b->batches % b->every == 0 ? save(b, model) : CJ_OK;
}

static cj_status epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    const backup *b = self;
    (void)logs;
    return b->every == 0 ? save(b, model) : CJ_OK;
}

static cj_status train_end(void *self, cj_model *model, cj_logs *logs)
{
    const backup *b = self;
    (void)model, (void)logs;
    if (!b->remove)
        return CJ_OK;
    remove(b->latest);
    remove(b->previous);
    remove(b->folder); // unless the user has other files in it
    return CJ_OK;
}

// ---- Restoring ----

static cj_status differs(const backup *b, const cj_model *model)
{
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: the backup in %.200s is of another model than \"%s\", or of another "
                    "optimizer: give another folder or remove it",
                    who, b->folder, cj_layer_name(cj_model_layer(model)));
}

static cj_status copy_variable(const backup *b, const cj_model *model, cj_variable *to,
                               const cj_variable *from)
{
    const cj_tensor *value = from ? cj__variable_read(from) : NULL;
    if (!to || !from)
        return differs(b, model);
    const cj__type have = cj__variable_type(to), given = cj__variable_type(from);
    if (!cj__type_equal(&have, &given))
        return differs(b, model);
    return value ? cj__variable_write(to, value->data) : cj_error_status();
}

// Everything that the saved model has of its run, into the one that is trained.
static cj_status take(const backup *b, cj_model *model, const cj_model *saved)
{
    const cj_layer *to = cj_model_layer(model), *from = cj_model_layer(saved);
    cj__train_state *own = cj__state_of(model);
    const cj__train_state *given = cj__state_of(saved);
    const int weights = cj_layer_variable_count(to), states = cj__layer_states(to, NULL, 0);
    if (!given || cj_layer_variable_count(from) != weights)
        return differs(b, model);
    CJ_TRY(cj__state_prepare(model, own));
    const int kept = cj__state_variable_count(own);
    if (cj__state_variable_count(given) != kept || cj__layer_states(from, NULL, 0) != states)
        return differs(b, model);
    for (int i = 0; i < weights; i++)
        CJ_TRY(copy_variable(b, model, cj_layer_variable(to, i), cj_layer_variable(from, i)));
    for (int i = 0; i < kept; i++)
        CJ_TRY(copy_variable(b, model, cj__state_variable(own, i), cj__state_variable(given, i)));
    own->place = given->place;
    cj__state_forget(own);
    for (int i = 0; i < given->memory_count; i++)
        CJ_TRY(cj__state_remember(own, given->memories[i].name, given->memories[i].values,
                                  given->memories[i].count, given->memories[i].tensors,
                                  given->memories[i].tensor_count));
    return CJ_OK;
}

static cj_status restore_from(const backup *b, cj_model *model, const char *path)
{
    cj_model *saved = cj__own(cj_load(path));
    if (!saved)
        return cj_error_status();
    const cj_status status = take(b, model, saved);
    cj_release(saved);
    return status;
}

static cj_status restore(void *self, cj_model *model, bool *restored)
{
    const backup *b = self;
    const bool latest = cj__path_readable(b->latest),
               previous = b->keep_two && cj__path_readable(b->previous);
    *restored = latest || previous;
    if (!*restored)
        return CJ_OK;
    cj_status status = latest ? restore_from(b, model, b->latest) : CJ_BAD_FILE;
    if (status == CJ_BAD_FILE && previous)
        status = restore_from(b, model, b->previous);
    return status;
}

// ---- The object ----

static int state(void *self, double *values, int capacity)
{
    if (capacity > 0)
        values[0] = (double)((const backup *)self)->batches;
    return 1;
}

static void set_state(void *self, const double *values, int count)
{
    if (count == 1 && values[0] >= 0 && values[0] < 9e15)
        ((backup *)self)->batches = (int64_t)values[0];
}

static void destroy(void *self)
{
    backup *b = self;
    cj__free(b->folder);
    cj__free(b->latest);
    cj__free(b->previous);
    cj__free(b);
}

static const cj_callback_methods methods = {
    .size = sizeof(cj_callback_methods),
    .name = "BackupAndRestore",
    .batch_end = batch_end,
    .epoch_end = epoch_end,
    .train_end = train_end,
    .state = state,
    .set_state = set_state,
    .free = destroy,
};

static char *in_folder(const char *folder, const char *name)
{
    cj__text text = {0};
    cj__text_add(&text, "%s/%s", folder, name);
    if (cj__text_status(&text) == CJ_OK)
        return text.data;
    cj__text_free(&text);
    return NULL;
}

CJ__DEFAULTS(backup_and_restore, BACKUP_AND_RESTORE)

static cj_callback *make(const cj_backup_and_restore_args *args)
{
    if (!args->backup_dir || !*args->backup_dir) {
        cj__fail_null("BackupAndRestore: the backup_dir");
        return NULL;
    }
    if (args->save_freq < 0) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: save_freq is %lld, needed is 0 or more", who,
                 (long long)args->save_freq);
        return NULL;
    }
    backup *b = cj__new(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (backup){.folder = cj__copy_text(args->backup_dir),
                  .latest = in_folder(args->backup_dir, "latest.safetensors"),
                  .previous = in_folder(args->backup_dir, "previous.safetensors"),
                  .every = args->save_freq,
                  .keep_two = args->double_checkpoint,
                  .remove = args->delete_checkpoint};
    cj_callback *callback =
        b->folder && b->latest && b->previous ? cj_callback_new(&methods, b) : NULL;
    if (callback)
        callback->restore = restore;
    else
        destroy(b);
    return callback;
}

cj_callback *cj_backup_and_restore_new(const cj_backup_and_restore_args *args)
{
    cj_backup_and_restore_args given;
    cj_callback *callback = NULL;
    if (cj__args_read(who, args, &backup_and_restore_defaults, sizeof given, &given) == CJ_OK)
        callback = make(&given);
    return callback ? callback : cj__build_failed(CJ__MADE_CALLBACK);
}
