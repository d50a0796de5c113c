#include "train/callbacks/snapshot.h"
#include "base/memory.h"
#include "base/error.h"
#include "base/object.h"
#include "ops/variable.h"
#include <cajal/layers.h>

void cj__snapshot_free(cj__snapshot *snapshot)
{
    for (int i = 0; i < snapshot->count; i++)
        cj_release(snapshot->tensors[i]);
    cj__free(snapshot->tensors);
    *snapshot = (cj__snapshot){0};
}

static const cj_tensor *weight(const cj_model *model, int index)
{
    return cj__variable_read(cj_layer_variable(cj_model_layer(model), index));
}

cj_status cj__snapshot_take(cj__snapshot *snapshot, const cj_model *model)
{
    const int count = cj_layer_variable_count(cj_model_layer(model));
    cj__snapshot fresh = {.tensors = cj__new((size_t)count, sizeof *fresh.tensors)};
    cj_status status = fresh.tensors ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count && status == CJ_OK; i++) {
        const cj_tensor *value = weight(model, i);
        status =
            value ? cj_tensor_convert(value, value->dtype, &fresh.tensors[i]) : cj_error_status();
        fresh.count += status == CJ_OK;
    }
    cj__snapshot_free(status == CJ_OK ? snapshot : &fresh);
    if (status == CJ_OK)
        *snapshot = fresh;
    return status;
}

cj_status cj__snapshot_refresh(cj__snapshot *snapshot, const cj_model *model)
{
    for (int i = 0; i < snapshot->count; i++) {
        const cj_tensor *value = weight(model, i);
        if (!value)
            return cj_error_status();
        CJ_TRY(cj_tensor_copy(snapshot->tensors[i], value));
    }
    return CJ_OK;
}

cj_status cj__snapshot_set(cj__snapshot *snapshot, cj_tensor *const *tensors, int count)
{
    cj__snapshot fresh = {cj__new((size_t)count, sizeof *fresh.tensors), count};
    if (!fresh.tensors)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++)
        fresh.tensors[i] = cj_retain(tensors[i]);
    cj__snapshot_free(snapshot);
    *snapshot = fresh;
    return CJ_OK;
}

bool cj__snapshot_fits(const cj__snapshot *snapshot, const cj_model *model)
{
    bool fits = snapshot->count == cj_layer_variable_count(cj_model_layer(model));
    for (int i = 0; fits && i < snapshot->count; i++) {
        const cj__type type = cj__variable_type(cj_layer_variable(cj_model_layer(model), i));
        fits = cj_shape_equal(cj_tensor_shape(snapshot->tensors[i]), &type.shape);
    }
    return fits;
}

cj_status cj__snapshot_restore(const cj__snapshot *snapshot, cj_model *model)
{
    for (int i = 0; i < snapshot->count; i++)
        CJ_TRY(
            cj_variable_assign(cj_layer_variable(cj_model_layer(model), i), snapshot->tensors[i]));
    return CJ_OK;
}
