#include "base/args.h"
#include "train/callbacks.h"
#include "base/error.h"
#include "base/memory.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static void callback_destroy(void *object)
{
    cj_callback *callback = object;
    if (callback->methods.free)
        callback->methods.free(callback->self);
    cj__free(callback);
}

const cj__class cj__callback_class = {"callback", callback_destroy};

static const cj_callback_methods no_methods = {.size = sizeof(cj_callback_methods)};

static cj_callback *make(const cj_callback_methods *methods, void *self)
{
    cj_callback *callback = cj__object_new(&cj__callback_class, sizeof *callback);
    if (!callback)
        return NULL;
    if (cj__args_read("cj_callback_new", methods, &no_methods, sizeof no_methods,
                      &callback->methods) == CJ_OK) {
        callback->self = self;
        return callback;
    }
    callback->methods = no_methods;
    cj_release(callback);
    return NULL;
}

cj_callback cj_no_callback = {.self = NULL}; // known by its address

cj_callback *cj_callback_new(const cj_callback_methods *methods, void *self)
{
    cj_callback *callback = make(methods, self);
    return callback ? callback : cj__build_failed(CJ__MADE_CALLBACK);
}

cj_callback *cj__callback_make(const cj_callback_methods *methods, void *self)
{
    cj_callback *callback = self ? make(methods, self) : NULL;
    if (!callback && self && methods->free)
        methods->free(self);
    return callback ? callback : cj__build_failed(CJ__MADE_CALLBACK);
}

typedef cj_status (*method)(void *self, cj_model *model, cj_logs *logs);

static method method_of(const cj_callback_methods *methods, cj__moment moment)
{
    const method all[] = {
        [CJ__MOMENT_TRAIN_BEGIN] = methods->train_begin,
        [CJ__MOMENT_EPOCH_BEGIN] = methods->epoch_begin,
        [CJ__MOMENT_BATCH_BEGIN] = methods->batch_begin,
        [CJ__MOMENT_BATCH_END] = methods->batch_end,
        [CJ__MOMENT_EPOCH_END] = methods->epoch_end,
        [CJ__MOMENT_TRAIN_END] = methods->train_end,
    };
    return all[moment];
}

cj_status cj__callbacks_tell(cj_callback *const *callbacks, int first, int count, cj__moment moment,
                             cj_model *model, cj_logs *logs, int *told)
{
    for (int i = first; i < count; i++) {
        const method call = method_of(&callbacks[i]->methods, moment);
        if (told)
            *told = i + 1;
        if (call)
            CJ_TRY(cj__returned(call(callbacks[i]->self, model, logs), "cj_fit: a callback"));
    }
    return CJ_OK;
}

int cj__count_of(double number)
{
    return number >= 0 && number <= INT_MAX ? (int)number : 0;
}

double cj__logs_value(const cj_logs *logs, const char *name)
{
    for (int i = 0; i < logs->count; i++)
        if (strcmp(logs->names[i], name) == 0)
            return logs->values[i];
    return NAN;
}

void cj__logs_order(const cj_logs *logs, int *order)
{
    for (int i = 0; i < logs->count; i++) {
        int place = i;
        for (; place > 0 && strcmp(logs->names[i], logs->names[order[place - 1]]) < 0; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
}
