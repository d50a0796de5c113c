// Variables: named tensors that functions read and update.
#include "base/memory.h"
#include "ops/symbol.h"

static void variable_destroy(void *object)
{
    cj_variable *variable = object;
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
        if (!name)
            cj__fail(CJ_INVALID_ARGUMENT, "a variable needs a name");
        cj__drop_floating(value);
        return NULL;
    }
    cj_variable *variable = cj__object_new(&cj__variable_class, sizeof *variable);
    if (!variable) {
        cj__drop_floating(value);
        return NULL;
    }
    atomic_store(&variable->object.floating,
                 0); // its maker's: what reads it becomes a holder beside
    variable->trainable = true;
    variable->value = block_of(value);
    variable->name = cj__copy_text(name);
    if (!variable->value || !variable->name) {
        cj_release(variable);
        return NULL;
    }
    return variable;
}

const char *cj_variable_name(const cj_variable *variable)
{
    return variable->name;
}

cj_tensor *cj_variable_value(const cj_variable *variable)
{
    return variable->value;
}

cj_status cj_variable_assign(cj_variable *variable, const cj_tensor *value)
{
    char have[CJ_MAX_RANK * 24], given[CJ_MAX_RANK * 24];
    if (!variable || !value)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_variable_assign: %s is NULL",
                        variable ? "the value" : "the variable");
    if (!cj_shape_equal(&variable->value->shape, &value->shape))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a value of shape %s does not fit, needs %s",
                        variable->name, cj_shape_text(&value->shape, given, sizeof given),
                        cj_shape_text(&variable->value->shape, have, sizeof have));
    return cj_tensor_copy(variable->value, value);
}
