#define _POSIX_C_SOURCE 200809L
#include "base/thread_end.h"

#include <pthread.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
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
    pthread_once(&once, make_key);
    at_end = run;
    pthread_setspecific(key, &at_end); // any value but NULL
}
