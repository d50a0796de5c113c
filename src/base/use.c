// Telling that threads use an object at once; see use.h.
//
// A writer announces itself and then looks for readers, a reader announces itself and then looks
// for a writer: at least one of two that meet sees the other.
#include "base/use.h"

#include "base/error.h"

static uintptr_t this_thread(void)
{
    static _Thread_local char thread; // its address is the thread's own
    return (uintptr_t)&thread;
}

static cj_status refuse(const char *name, const char *what)
{
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: another thread %s it at this moment (docs/threads.md)", name, what);
}

cj_status cj__use_to_write(cj__use *use, const char *name)
{
    uintptr_t writer = 0;
    if (!atomic_compare_exchange_strong(&use->writer, &writer, this_thread()) &&
        writer != this_thread())
        return refuse(name, "trains or changes");
    if (use->depth == 0 && atomic_load(&use->readers) > 0) {
        atomic_store(&use->writer, 0);
        return refuse(name, "reads");
    }
    use->depth++;
    return CJ_OK;
}

void cj__use_written(cj__use *use)
{
    if (--use->depth == 0)
        atomic_store(&use->writer, 0);
}

cj_status cj__use_to_read(cj__use *use, const char *name)
{
    atomic_fetch_add(&use->readers, 1);
    const uintptr_t writer = atomic_load(&use->writer);
    if (writer == 0 || writer == this_thread())
        return CJ_OK;
    atomic_fetch_sub(&use->readers, 1);
    return refuse(name, "trains or changes");
}

void cj__use_read(cj__use *use)
{
    atomic_fetch_sub(&use->readers, 1);
}
