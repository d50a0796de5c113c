// Variables: named tensors that functions read and update. Their memory: see variable.h.
#include "ops/variable.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/sync.h"

#include <string.h>

// Guards the refreshing of host copies, when several threads read one variable of a device.
static cj__mutex refreshing = CJ__MUTEX_INIT;

static void free_device_memory(cj_variable *variable)
{
    if (variable->device)
        variable->device->kind->free(variable->device, variable->device_memory,
                                     cj__variable_bytes(variable));
    cj_release(variable->device);
    variable->device = NULL;
    variable->device_memory = NULL;
}

static void variable_destroy(void *object)
{
    cj_variable *variable = object;
    free_device_memory(variable);
    cj_release(variable->value);
    cj__free(variable->name);
    cj__free(variable);
}

const cj__class cj__variable_class = {"variable", variable_destroy};

// Functions read whole blocks, so a view with gaps is copied.
static cj_tensor *block_of(cj_tensor *value)
{
    cj_tensor *copy = NULL;
    if (cj_tensor_contiguous(value))
        return cj__own(value);
    if (cj_tensor_convert(value, value->dtype, &copy) == CJ_OK)
        cj__own(copy);
    cj__drop_floating(value);
    return copy;
}

cj_variable *cj_variable_new(const char *name, cj_tensor *value)
{
    if (!value || !name) {
        cj__fail_null(name ? "variable: the tensor" : "variable: the name");
        cj__drop_floating(value);
        return cj__build_failed();
    }
    cj_variable *variable = cj__object_new(&cj__variable_class, sizeof *variable);
    if (!variable) {
        cj__drop_floating(value);
        return cj__build_failed();
    }
    atomic_store(&variable->object.floating,
                 0); // its maker's: what reads it becomes a holder beside
    variable->trainable = true;
    variable->value = block_of(value);
    variable->name = cj__copy_text(name);
    if (!variable->value || !variable->name) {
        cj_release(variable);
        return cj__build_failed();
    }
    return variable;
}

const char *cj_variable_name(const cj_variable *variable)
{
    return variable ? variable->name : "";
}

// ---- Memory ----

cj__device *cj__variable_device(const cj_variable *variable)
{
    return variable->device;
}

void *cj__variable_memory(const cj_variable *variable)
{
    return variable->device ? variable->device_memory : cj_tensor_data(variable->value);
}

void cj__variable_changed(cj_variable *variable)
{
    variable->copy_is_old = variable->device != NULL;
}

cj__type cj__variable_type(const cj_variable *variable)
{
    return (cj__type){variable->value->dtype, variable->value->shape};
}

int64_t cj__variable_count(const cj_variable *variable)
{
    return cj_shape_count(&variable->value->shape);
}

size_t cj__variable_bytes(const cj_variable *variable)
{
    return (size_t)cj__variable_count(variable) * cj_dtype_size(variable->value->dtype);
}

// Brings the host copy of a variable on a device up to date.
static cj_status refresh(cj_variable *variable)
{
    cj__device *device = variable->device;
    cj__mutex_lock(&refreshing);
    cj_status status = CJ_OK;
    if (variable->copy_is_old)
        status = device->kind->copy_out(device, cj_tensor_data(variable->value),
                                        variable->device_memory, cj__variable_bytes(variable));
    variable->copy_is_old = variable->copy_is_old && status != CJ_OK;
    cj__mutex_unlock(&refreshing);
    return status;
}

static cj_tensor *read_value(const cj_variable *variable)
{
    if (variable->device && refresh((cj_variable *)(uintptr_t)variable) != CJ_OK)
        return NULL;
    return variable->value;
}

const cj_tensor *cj__variable_read(const cj_variable *variable)
{
    return read_value(variable);
}

cj_tensor *cj__variable_edit(cj_variable *variable)
{
    return read_value(variable);
}

cj_status cj__variable_commit(cj_variable *variable)
{
    cj__device *device = variable->device;
    if (!device)
        return CJ_OK;
    const cj_status status =
        device->kind->copy_in(device, variable->device_memory, cj_tensor_data(variable->value),
                              cj__variable_bytes(variable));
    variable->copy_is_old = status != CJ_OK;
    return status;
}

cj_status cj__variable_write(cj_variable *variable, const void *bytes)
{
    memcpy(cj_tensor_data(variable->value), bytes, cj__variable_bytes(variable));
    return cj__variable_commit(variable);
}

cj_status cj__variable_place(cj_variable *variable, cj__device *device)
{
    device = cj__device_is_host(device) ? NULL : device;
    if (device == variable->device)
        return CJ_OK;
    if (!read_value(variable))
        return cj_error_status();
    const size_t bytes = cj__variable_bytes(variable);
    void *memory = device ? device->kind->allocate(device, bytes) : NULL;
    if (device && !memory)
        return cj_error_status();
    const cj_status status =
        device ? device->kind->copy_in(device, memory, cj_tensor_data(variable->value), bytes) :
                 CJ_OK;
    if (status != CJ_OK) {
        device->kind->free(device, memory, bytes);
        return status;
    }
    free_device_memory(variable);
    variable->device = cj__own(device);
    variable->device_memory = memory;
    return CJ_OK;
}

// ---- The door ----

cj_tensor *cj_variable_value(const cj_variable *variable)
{
    return variable ? read_value(variable) : NULL;
}

cj_status cj_variable_assign(cj_variable *variable, const cj_tensor *value)
{
    char have[CJ_MAX_RANK * 24], given[CJ_MAX_RANK * 24];
    if (!variable || !value)
        return cj__fail_null(variable ? "cj_variable_assign: the value" :
                                        "cj_variable_assign: the variable");
    if (!cj_shape_equal(&variable->value->shape, &value->shape))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a value of shape %s does not fit, needs %s",
                        variable->name, cj_shape_text(&value->shape, given, sizeof given),
                        cj_shape_text(&variable->value->shape, have, sizeof have));
    CJ_TRY(cj_tensor_copy(variable->value, value));
    return cj__variable_commit(variable);
}
