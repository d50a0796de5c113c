// SwapEMAWeights: the moving averages that the optimizer keeps take the weights' places while the model
// is validated, and from the end of an epoch to the begin of the next if it is asked to
// (keras/src/callbacks/swap_ema_weights.py).
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "ops/variable.h"
#include "train/callbacks.h"
#include "train/state.h"

#include <cajal/callbacks.h>
#include <string.h>

typedef struct swapper {
    bool on_epoch;
    bool swapped; // the averages are in the model
} swapper;

static cj_status swap_one(cj_variable *a, cj_variable *b)
{
    const size_t bytes = cj__variable_bytes(a);
    const cj_tensor *of_a = cj__variable_read(a), *of_b = cj__variable_read(b);
    void *kept = of_a && of_b ? cj__copy_bytes(of_a->data, bytes) : NULL;
    if (!kept)
        return of_a && of_b ? CJ_OUT_OF_MEMORY : cj_error_status();
    cj_status status = cj__variable_write(a, of_b->data);
    if (status == CJ_OK)
        status = cj__variable_write(b, kept);
    cj__free(kept);
    return status;
}

static cj_status swap(swapper *s, cj_model *model)
{
    const cj__train_state *state = cj__state_of(model);
    int count = 0;
    for (int i = 0; state && i < state->slot_count; i++) {
        if (state->kept[i].which != CJ__KEPT_AVERAGE)
            continue;
        CJ_TRY(swap_one(state->trained[state->kept[i].variable], state->slots[i]));
        count++;
    }
    if (count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "SwapEMAWeights: the optimizer of model \"%s\" keeps no averages: it needs "
                        "use_ema",
                        cj_layer_name(cj_model_layer(model)));
    s->swapped = !s->swapped;
    return CJ_OK;
}

static cj_status epoch_begin(void *self, cj_model *model, cj_logs *logs)
{
    swapper *s = self;
    (void)logs;
    return s->on_epoch && s->swapped ? swap(s, model) : CJ_OK;
}

// After the last epoch the averages stay in the model, and are the averages of themselves.
static cj_status epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    swapper *s = self;
    if (!s->on_epoch || s->swapped)
        return CJ_OK;
    CJ_TRY(swap(s, model));
    const cj__train_state *state = cj__state_of(model);
    for (int i = 0; logs->epoch == logs->epochs - 1 && i < state->slot_count; i++) {
        if (state->kept[i].which != CJ__KEPT_AVERAGE)
            continue;
        const cj_tensor *w = cj__variable_read(state->trained[state->kept[i].variable]);
        CJ_TRY(w ? cj__variable_write(state->slots[i], w->data) : cj_error_status());
    }
    return CJ_OK;
}

static cj_status validation(void *self, cj_model *model, bool begins)
{
    swapper *s = self;
    return s->swapped != begins ? swap(s, model) : CJ_OK;
}

static int state(void *self, double *values, int capacity)
{
    if (capacity > 0)
        values[0] = ((const swapper *)self)->swapped;
    return 1;
}

static void set_state(void *self, const double *values, int count)
{
    if (count == 1)
        ((swapper *)self)->swapped = values[0] > 0;
}

static const cj_callback_methods methods = {
    .size = sizeof(cj_callback_methods),
    .name = "SwapEMAWeights",
    .epoch_begin = epoch_begin,
    .epoch_end = epoch_end,
    .state = state,
    .set_state = set_state,
    .free = cj__free,
};

CJ__DEFAULTS(swap_ema_weights, SWAP_EMA_WEIGHTS)

cj_callback *cj_swap_ema_weights_new(const cj_swap_ema_weights_args *args)
{
    cj_swap_ema_weights_args given;
    if (cj__args_read("SwapEMAWeights", args, &swap_ema_weights_defaults, sizeof given, &given) !=
        CJ_OK)
        return cj__build_failed(CJ__MADE_CALLBACK);
    swapper *s = cj__new(1, sizeof *s);
    if (s)
        s->on_epoch = given.swap_on_epoch;
    cj_callback *callback = cj__callback_make(&methods, s);
    if (callback)
        callback->validation = validation;
    return callback;
}
