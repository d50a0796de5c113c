// Telling that two threads use an object at once that may not: one changes it while the other reads
// or changes it. It is no lock. Nobody waits: the second call fails with a sentence, where it would
// have raced. What may run beside what is in docs/threads.md.
#ifndef CJ_BASE_USE_H
#define CJ_BASE_USE_H

#include <cajal/base.h>
#include <stdatomic.h>

// The uses of an object at the moment; zeroed at first.
typedef struct cj__use {
    atomic_uintptr_t writer; // the thread that changes the object, or 0
    int depth;               // the writer's own: a call of it within another, as from a callback
    atomic_int readers;
} cj__use;

// Begins to change the object that `name` names in the sentence; within a change by the same
// thread always. CJ_INVALID_ARGUMENT if another thread reads or changes it: then nothing has begun.
cj_status cj__use_to_write(cj__use *use, const char *name);
void cj__use_written(cj__use *use);

// Begins to read the object. CJ_INVALID_ARGUMENT if another thread changes it.
cj_status cj__use_to_read(cj__use *use, const char *name);
void cj__use_read(cj__use *use);

#endif
