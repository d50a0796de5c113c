// What is run at the end of a thread; see thread_end.h.
#define _POSIX_C_SOURCE 200809L
#include "base/thread_end.h"

#ifdef CAJAL_NO_THREADS

void cj__at_thread_end(void (*run)(void))
{
    (void)run; // the only thread ends with the process
}

#else

#include "base/sync.h"

static pthread_key_t key;
static cj__once once;
static _Thread_local void (*at_end)(void);

static void thread_ends(void *asked)
{
    (void)asked;
    at_end();
}

static void make_key(void)
{
    pthread_key_create(&key, thread_ends);
}

void cj__at_thread_end(void (*run)(void))
{
    if (at_end)
        return;
    cj__call_once(&once, make_key);
    at_end = run;
    pthread_setspecific(key, &at_end); // any value but NULL
}

#endif
