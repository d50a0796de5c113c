// Counted objects; see object.h and the essay in cajal/base.h.
#include "base/object.h"
#include "base/error.h"
#include "base/memory.h"

#define DESTROYED 0xdeadc0deU

void *cj__object_new(const cj__class *class, size_t size)
{
    cj__object *object = cj__new(1, size);
    if (!object)
        return NULL;
    object->magic = CJ__OBJECT_MAGIC;
    object->class = class;
    atomic_init(&object->holders, 1);
    atomic_init(&object->floating, 1);
    return object;
}

static bool is_object(const void *object)
{
    return (uintptr_t)object % _Alignof(cj__object) == 0 &&
           ((const cj__object *)object)->magic == CJ__OBJECT_MAGIC;
}

// The object to count, or NULL with a sentence if it is none. Counting does not change what an
// object means, so holders of const pointers may count too.
static cj__object *counted(const void *object, const char *caller)
{
    if (!object)
        return NULL;
    if (!is_object(object)) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "%s: the pointer is to no object of this library, or to one that is gone", caller);
        return NULL;
    }
    return (cj__object *)(uintptr_t)object;
}

static void add_holder(cj__object *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
}

// What other holders wrote must be visible to the thread that destroys: hence acquire and release.
static void remove_holder(cj__object *self)
{
    if (atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) != 1)
        return;
    self->magic = DESTROYED;
    self->class->destroy(self);
}

void *cj_retain(const void *object)
{
    cj__object *self = counted(object, "cj_retain");
    if (self)
        add_holder(self);
    return self;
}

void cj_release(const void *object)
{
    cj__object *self = counted(object, "cj_release");
    if (self)
        remove_holder(self);
}

static void *own(const void *object, const char *caller)
{
    cj__object *self = counted(object, caller);
    if (self && !atomic_exchange_explicit(&self->floating, 0, memory_order_acq_rel))
        add_holder(self);
    return self;
}

void *cj_take(const void *object)
{
    return own(object, "cj_take");
}

void *cj__own(const void *object)
{
    return own(object, "a builder");
}

void cj__drop_floating(const void *object)
{
    cj__object *self = counted(object, "a builder");
    if (self && atomic_exchange_explicit(&self->floating, 0, memory_order_acq_rel))
        remove_holder(self);
}

bool cj__is(const void *object, const cj__class *class)
{
    return object && is_object(object) && ((const cj__object *)object)->class == class;
}
