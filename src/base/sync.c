// Locks and threads; see sync.h.
#define _POSIX_C_SOURCE 200809L
#include "base/sync.h"

#ifdef CAJAL_NO_THREADS

void cj__mutex_init(cj__mutex *mutex)
{
    *mutex = (cj__mutex)CJ__MUTEX_INIT;
}

void cj__mutex_destroy(cj__mutex *mutex)
{
    (void)mutex;
}

void cj__mutex_lock(cj__mutex *mutex)
{
    (void)mutex;
}

void cj__mutex_unlock(cj__mutex *mutex)
{
    (void)mutex;
}

void cj__condition_init(cj__condition *condition)
{
    *condition = (cj__condition){0};
}

void cj__condition_destroy(cj__condition *condition)
{
    (void)condition;
}

void cj__condition_wait(cj__condition *condition, cj__mutex *mutex)
{
    (void)condition;
    (void)mutex;
}

void cj__condition_signal(cj__condition *condition)
{
    (void)condition;
}

void cj__condition_broadcast(cj__condition *condition)
{
    (void)condition;
}

void cj__call_once(cj__once *once, void (*make)(void))
{
    if (atomic_exchange(&once->state, 1) == 0)
        make();
}

bool cj__thread_start(cj__thread *thread, void (*run)(void *context), void *context)
{
    *thread = (cj__thread){run, context};
    return false;
}

void cj__thread_join(cj__thread *thread)
{
    (void)thread;
}

unsigned cj__fork_count(void)
{
    return 0;
}

#else

#include <signal.h>

// With default attributes neither a mutex nor a condition fails to initialise.
void cj__mutex_init(cj__mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL);
}

void cj__mutex_destroy(cj__mutex *mutex)
{
    pthread_mutex_destroy(&mutex->mutex);
}

void cj__mutex_lock(cj__mutex *mutex)
{
    pthread_mutex_lock(&mutex->mutex);
}

void cj__mutex_unlock(cj__mutex *mutex)
{
    pthread_mutex_unlock(&mutex->mutex);
}

void cj__condition_init(cj__condition *condition)
{
    pthread_cond_init(&condition->condition, NULL);
}

void cj__condition_destroy(cj__condition *condition)
{
    pthread_cond_destroy(&condition->condition);
}

void cj__condition_wait(cj__condition *condition, cj__mutex *mutex)
{
    pthread_cond_wait(&condition->condition, &mutex->mutex);
}

void cj__condition_signal(cj__condition *condition)
{
    pthread_cond_signal(&condition->condition);
}

void cj__condition_broadcast(cj__condition *condition)
{
    pthread_cond_broadcast(&condition->condition);
}

// One lock for all onces: each is taken once in the life of a process, and `make` may call another.
enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };
static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_done = PTHREAD_COND_INITIALIZER;

void cj__call_once(cj__once *once, void (*make)(void))
{
    if (atomic_load_explicit(&once->state, memory_order_acquire) == ONCE_DONE)
        return;
    pthread_mutex_lock(&once_mutex);
    while (atomic_load(&once->state) == ONCE_RUNNING)
        pthread_cond_wait(&once_done, &once_mutex);
    const bool first = atomic_load(&once->state) == ONCE_NEW;
    if (first)
        atomic_store(&once->state, ONCE_RUNNING);
    pthread_mutex_unlock(&once_mutex);
    if (!first)
        return;
    make();
    pthread_mutex_lock(&once_mutex);
    atomic_store_explicit(&once->state, ONCE_DONE, memory_order_release);
    pthread_cond_broadcast(&once_done);
    pthread_mutex_unlock(&once_mutex);
}

static atomic_uint forks;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned cj__fork_count(void)
{
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

static void *run_thread(void *argument)
{
    const cj__thread *thread = argument;
    thread->run(thread->context);
    return NULL;
}

bool cj__thread_start(cj__thread *thread, void (*run)(void *context), void *context)
{
    static cj__once watched;
    cj__call_once(&watched, watch_forks);
    thread->run = run;
    thread->context = context;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started = pthread_create(&thread->thread, NULL, run_thread, thread) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void cj__thread_join(cj__thread *thread)
{
    pthread_join(thread->thread, NULL);
}
#endif
