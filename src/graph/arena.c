// Lending arenas, and growing them: see arena.h.
#include "graph/arena.h"

#include "base/error.h"
#include "base/memory.h"
#include "graph/cpu.h"

static void destroy(void *object)
{
    cj__arenas *arenas = object;
    while (arenas->first) {
        cj__arena *arena = arenas->first;
        arenas->first = arena->next;
        if (arena->data)
            arenas->device->kind->free(arenas->device, arena->data, arena->size);
        cj__free(arena);
    }
    cj_release(arenas->device);
    cj__mutex_destroy(&arenas->lock);
    cj__free(arenas);
}

static const cj__class arenas_class = {"arenas", destroy};

cj__arenas *cj__arenas_new(cj__device *device)
{
    cj__arenas *arenas = cj__object_new(&arenas_class, sizeof *arenas);
    if (!arenas) {
        cj__drop_floating(device);
        return NULL;
    }
    cj__mutex_init(&arenas->lock);
    arenas->device = cj__own(device ? device : cj__cpu_new(NULL));
    if (arenas->device)
        return arenas;
    cj_release(arenas);
    return NULL;
}

// Whether `a` suits a run of `size` bytes better than `b`. The smallest arena that is large enough
// suits best, so that larger ones stay free for larger plans; if none is, the largest.
static bool suits_better(const cj__arena *a, const cj__arena *b, size_t size)
{
    if (a->size >= size && b->size >= size)
        return a->size < b->size;
    return a->size > b->size;
}

static cj__arena *take_idle(cj__arenas *arenas, size_t size)
{
    cj__arena *best = NULL;
    cj__mutex_lock(&arenas->lock);
    for (cj__arena *arena = arenas->first; arena; arena = arena->next) {
        if (!arena->lent && (!best || suits_better(arena, best, size)))
            best = arena;
    }
    if (best)
        best->lent = true;
    cj__mutex_unlock(&arenas->lock);
    return best;
}

static cj__arena *add_lent(cj__arenas *arenas)
{
    cj__arena *arena = cj__new(1, sizeof *arena);
    if (!arena)
        return NULL;
    arena->lent = true;
    cj__mutex_lock(&arenas->lock);
    arena->next = arenas->first;
    arenas->first = arena;
    cj__mutex_unlock(&arenas->lock);
    return arena;
}

static bool allocate(cj__device *device, cj__arena *arena, size_t size)
{
    arena->data = device->kind->allocate(device, size);
    arena->size = arena->data ? size : 0;
    return arena->data;
}

static cj_status grow(cj__device *device, cj__arena *arena, size_t size)
{
    const size_t before = arena->size;
    device->kind->free(device, arena->data, arena->size);
    if (allocate(device, arena, size))
        return CJ_OK;
    if (before != 0)
        allocate(device, arena, before); // if this fails too, the next run tries again
    return CJ_OUT_OF_MEMORY;
}

cj_status cj__arena_borrow(cj__arenas *arenas, size_t size, cj__arena **arena)
{
    *arena = take_idle(arenas, size);
    if (!*arena)
        *arena = add_lent(arenas);
    if (!*arena)
        return CJ_OUT_OF_MEMORY;
    const bool fits = (*arena)->data && (*arena)->size >= size;
    const cj_status status = fits ? CJ_OK : grow(arenas->device, *arena, size);
    if (status != CJ_OK) {
        cj__arena_return(arenas, *arena);
        *arena = NULL;
    }
    return status;
}

void cj__arena_return(cj__arenas *arenas, cj__arena *arena)
{
    if (!arena)
        return;
    cj__mutex_lock(&arenas->lock);
    arena->lent = false;
    cj__mutex_unlock(&arenas->lock);
}
