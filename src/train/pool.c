// The threads of a compiled model.
#include "base/error.h"
#include "base/object.h"
#include "base/threads.h"
#include "layers/model.h"
#include "train/state.h"
#include "train/step.h"
#include <cajal/pools.h>

static const char who[] = "cj_model_set_pool";

// Functions have their pool for good: those that were made are dropped.
static cj_status set_pool(cj_model *model, cj_pool *pool)
{
    cj__train_state *state;
    CJ_TRY(cj__state_compiled(model, who, &state));
    if (state->callbacks)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: model \"%s\" is being trained by a cj_fit() that has not returned",
                        who, cj_layer_name(cj_model_layer(model)));
    cj__functions_free(state->functions);
    state->functions = NULL;
    cj_release(state->settings.pool);
    state->settings.pool = pool ? cj__own(pool) : NULL; // NULL: one is made with the next function
    return CJ_OK;
}

cj_status cj_model_set_pool(cj_model *model, cj_pool *pool)
{
    const unsigned missing = (model ? 0U : CJ__MADE_MODEL) | (pool ? 0U : CJ__MADE_POOL);
    if (missing) {
        cj__drop_floating(pool);
        return cj__fail_missing_some(missing, !model + !pool,
                                     model ? "cj_model_set_pool: the pool" :
                                             "cj_model_set_pool: the model");
    }
    CJ_TRY(cj__pool_given(&pool, who));
    cj_status status = cj__use_to_write(cj__model_use(model), who);
    if (status == CJ_OK) {
        status = set_pool(model, pool);
        cj__use_written(cj__model_use(model));
    }
    if (status != CJ_OK)
        cj__drop_floating(pool);
    return status;
}
