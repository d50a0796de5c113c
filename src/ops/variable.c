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
    if (variable->memory.device)
        variable->memory.device->kind->free(variable->memory.device, variable->memory.block,
                                            cj__variable_bytes(variable));
    cj_release(variable->memory.device);
    variable->memory.device = NULL;
    variable->memory.block = NULL;
}

static void variable_destroy(void *object)
{
    cj_variable *variable = object;
    free_device_memory(variable);
    cj_release(variable->memory.host);
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
        name ? cj__fail_missing(CJ__MADE_TENSOR, "variable: the tensor") :
               cj__fail_null("variable: the name");
        cj__drop_floating(value);
        return cj__build_failed(CJ__MADE_VARIABLE);
    }
    cj_variable *variable = cj__object_new(&cj__variable_class, sizeof *variable);
    if (!variable) {
        cj__drop_floating(value);
        return cj__build_failed(CJ__MADE_VARIABLE);
    }
    // It belongs to its maker: what reads it becomes one more holder.
    atomic_store(&variable->object.floating, 0);
    variable->trainable = true;
    atomic_store(&variable->memory.version, -1);
    variable->memory.host = block_of(value);
    variable->name = cj__copy_text(name);
    if (!variable->memory.host || !variable->name) {
        cj_release(variable);
        return cj__build_failed(CJ__MADE_VARIABLE);
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
    return variable->memory.device;
}

void *cj__variable_memory(const cj_variable *variable)
{
    return variable->memory.device ? variable->memory.block : cj_tensor_data(variable->memory.host);
}

const _Atomic int64_t *cj__variable_version(const cj_variable *variable)
{
    return &variable->memory.version;
}

void cj__variable_own(cj_variable *variable)
{
    atomic_store(&variable->memory.version, 0);
}

static void count_change(cj_variable *variable)
{
    const int64_t version = atomic_load_explicit(&variable->memory.version, memory_order_relaxed);
    if (version >= 0)
        atomic_store_explicit(&variable->memory.version, version + 1, memory_order_relaxed);
}

void cj__variable_changed(cj_variable *variable)
{
    variable->memory.host_is_old = variable->memory.device != NULL;
    count_change(variable);
}

cj__type cj__variable_type(const cj_variable *variable)
{
    return (cj__type){variable->memory.host->dtype, variable->memory.host->shape};
}

int64_t cj__variable_count(const cj_variable *variable)
{
    return cj_shape_count(&variable->memory.host->shape);
}

size_t cj__variable_bytes(const cj_variable *variable)
{
    return (size_t)cj__variable_count(variable) * cj_dtype_size(variable->memory.host->dtype);
}

// Brings the host copy of a variable on a device up to date.
static cj_status refresh(cj_variable *variable)
{
    cj__device *device = variable->memory.device;
    cj__mutex_lock(&refreshing);
    cj_status status = CJ_OK;
    if (variable->memory.host_is_old)
        status = device->kind->copy_out(device, cj_tensor_data(variable->memory.host),
                                        variable->memory.block, cj__variable_bytes(variable));
    variable->memory.host_is_old = variable->memory.host_is_old && status != CJ_OK;
    cj__mutex_unlock(&refreshing);
    return status;
}

static cj_tensor *read_value(const cj_variable *variable)
{
    if (!variable ||
        (variable->memory.device && refresh((cj_variable *)(uintptr_t)variable) != CJ_OK))
        return NULL;
    return variable->memory.host;
}

const cj_tensor *cj__variable_read(const cj_variable *variable)
{
    return read_value(variable);
}

cj_tensor *cj__variable_edit(cj_variable *variable)
{
    cj_tensor *value = read_value(variable);
    if (value)
        count_change(variable);
    return value;
}

cj_status cj__variable_commit(cj_variable *variable)
{
    cj__device *device = variable->memory.device;
    count_change(variable);
    if (!device)
        return CJ_OK;
    const cj_status status =
        device->kind->copy_in(device, variable->memory.block, cj_tensor_data(variable->memory.host),
                              cj__variable_bytes(variable));
    variable->memory.host_is_old = status != CJ_OK;
    return status;
}

cj_status cj__variable_write(cj_variable *variable, const void *bytes)
{
    memcpy(cj_tensor_data(variable->memory.host), bytes, cj__variable_bytes(variable));
    return cj__variable_commit(variable);
}

cj_status cj__variable_fill(cj_variable *variable, double value)
{
    cj_tensor_fill(variable->memory.host, value);
    return cj__variable_commit(variable);
}

cj_status cj__variable_place(cj_variable *variable, cj__device *device)
{
    device = cj__device_is_host(device) ? NULL : device;
    if (device == variable->memory.device)
        return CJ_OK;
    if (!read_value(variable))
        return cj_error_status();
    const size_t bytes = cj__variable_bytes(variable);
    void *memory = device ? device->kind->allocate(device, bytes) : NULL;
    if (device && !memory)
        return cj_error_status();
    const cj_status status =
        device ?
            device->kind->copy_in(device, memory, cj_tensor_data(variable->memory.host), bytes) :
            CJ_OK;
    if (status != CJ_OK) {
        device->kind->free(device, memory, bytes);
        return status;
    }
    free_device_memory(variable);
    variable->memory.device = cj__own(device);
    variable->memory.block = memory;
    return CJ_OK;
}

// ---- The door ----

// The caller may write into the value at any time from now on.
cj_tensor *cj_variable_value(const cj_variable *variable)
{
    if (!variable)
        return NULL;
    atomic_store(&((cj_variable *)(uintptr_t)variable)->memory.version, -1);
    return read_value(variable);
}

cj_status cj_variable_assign(cj_variable *variable, const cj_tensor *value)
{
    char have[CJ_MAX_RANK * 24], given[CJ_MAX_RANK * 24];
    if (!variable || !value)
        return variable ? cj__fail_missing(CJ__MADE_TENSOR, "cj_variable_assign: the value") :
                          cj__fail_missing(CJ__MADE_VARIABLE, "cj_variable_assign: the variable");
    if (!cj_shape_equal(&variable->memory.host->shape, &value->shape))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a value of shape %s does not fit, needs %s",
                        variable->name, cj_shape_text(&value->shape, given, sizeof given),
                        cj_shape_text(&variable->memory.host->shape, have, sizeof have));
    CJ_TRY(cj_tensor_copy(variable->memory.host, value));
    return cj__variable_commit(variable);
}
