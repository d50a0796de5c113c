// Counted objects; see object.h and the essay in cajal/base.h.
#include "base/object.h"
#include "base/memory.h"

void *cj__object_new(const cj__class *class, size_t size)
{
    cj__object *object = cj__new(1, size);
    if (!object)
        return NULL;
    object->class = class;
    atomic_init(&object->holders, 1);
    atomic_init(&object->floating, 1);
    return object;
}

// Counting does not change what an object means, so holders of const pointers may count too.
static cj__object *counted(const void *object)
{
    return (cj__object *)(uintptr_t)object;
}

void *cj_retain(const void *object)
{
    cj__object *self = counted(object);
    if (self)
        atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
    return self;
}

void cj_release(const void *object)
{
    cj__object *self = counted(object);
    // What other holders wrote must be visible to the one who destroys: hence acquire and release.
    if (self && atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) == 1)
        self->class->destroy(self);
}

void *cj__own(const void *object)
{
    cj__object *self = counted(object);
    if (self && !atomic_exchange_explicit(&self->floating, 0, memory_order_acq_rel))
        cj_retain(self);
    return self;
}

void cj__drop_floating(const void *object)
{
    cj__object *self = counted(object);
    if (self && atomic_exchange_explicit(&self->floating, 0, memory_order_acq_rel))
        cj_release(self);
}

bool cj__is(const void *object, const cj__class *class)
{
    return object && ((const cj__object *)object)->class == class;
}
