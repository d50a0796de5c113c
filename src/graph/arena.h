// Arenas: the memory that runs borrow. A plan gives its buffers offsets in an arena and has no memory
// of its own, so that all plans of a function, and all functions of a model, together need the
// memory of the largest one only. All arenas of a list are memory of one device (ops/device.h).
//
// A run borrows a whole arena and returns it. Nothing is kept in it between runs, so its contents are
// undefined and it may move: pointers into it are valid for one run. Concurrent runs of several
// threads borrow different arenas: there are as many as there have been concurrent runs.
#ifndef CJ_GRAPH_ARENA_H
#define CJ_GRAPH_ARENA_H

#include "base/sync.h"
#include "ops/device.h"

#include <stddef.h>

typedef struct cj__arena {
    struct cj__arena *next;
    char *data;  // the device's, aligned to 64 bytes; NULL before the first run and after a failure
    size_t size; // grows, and never shrinks
    bool lent;
} cj__arena;

typedef struct cj__arenas {
    cj__object object;
    cj__device *device; // held
    cj__mutex lock;     // guards the list and `lent`; the rest is the borrower's
    cj__arena *first;
} cj__arenas;

// Without an arena yet, of a device, which it takes over; NULL for a CPU. A counted object, floating;
// NULL without memory.
cj__arenas *cj__arenas_new(cj__device *device);

// Borrows an arena of at least `size` bytes, faulted in. An arena that has to grow frees its old
// memory first, so that the two never exist together. If growing fails, *arena is NULL and the
// arena goes back to its old size if there is memory for that.
cj_status cj__arena_borrow(cj__arenas *arenas, size_t size, cj__arena **arena);
void cj__arena_return(cj__arenas *arenas, cj__arena *arena); // NULL is fine

#endif
