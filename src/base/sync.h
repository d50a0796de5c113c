// Threads, locks and what is done once, over POSIX threads. No file outside base includes
// <pthread.h>: a platform without threads is another sync.c. With CAJAL_NO_THREADS defined there
// are no threads: locks do nothing and cj__thread_start() fails.
#ifndef CJ_BASE_SYNC_H
#define CJ_BASE_SYNC_H

#include <stdatomic.h>
#include <stdbool.h>
#ifndef CAJAL_NO_THREADS
#include <pthread.h>
#endif

// A lock between the threads of a process. cj__mutex_init() cannot fail; a mutex of static lifetime
// is CJ__MUTEX_INIT. Not recursive.
typedef struct cj__mutex {
#ifdef CAJAL_NO_THREADS
    char unused;
#else
    pthread_mutex_t mutex;
#endif
} cj__mutex;

#ifdef CAJAL_NO_THREADS
#define CJ__MUTEX_INIT \
    {                  \
        0              \
    }
#else
#define CJ__MUTEX_INIT            \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }
#endif

void cj__mutex_init(cj__mutex *mutex);
void cj__mutex_destroy(cj__mutex *mutex);
void cj__mutex_lock(cj__mutex *mutex);
void cj__mutex_unlock(cj__mutex *mutex);

// Waiting for what another thread does. A waiter holds the mutex, which is unlocked while it waits;
// it may wake without a signal, so it waits in a loop.
typedef struct cj__condition {
#ifdef CAJAL_NO_THREADS
    char unused;
#else
    pthread_cond_t condition;
#endif
} cj__condition;

void cj__condition_init(cj__condition *condition);
void cj__condition_destroy(cj__condition *condition);
void cj__condition_wait(cj__condition *condition, cj__mutex *mutex);
void cj__condition_signal(cj__condition *condition);    // wakes one waiter, if there is one
void cj__condition_broadcast(cj__condition *condition); // wakes all waiters

// What is done once in a process: the first cj__call_once() runs `make`, the others wait until it
// has returned. A zeroed cj__once is ready, so it needs no initialiser.
typedef struct cj__once {
    atomic_int state;
} cj__once;

void cj__call_once(cj__once *once, void (*make)(void));

// A thread. The struct must stay where it is until cj__thread_join() has returned.
typedef struct cj__thread {
    void (*run)(void *context);
    void *context;
#ifndef CAJAL_NO_THREADS
    pthread_t thread;
#endif
} cj__thread;

// Starts a thread that runs `run(context)`, with all signals blocked: those are for the threads of
// the program. False, with nothing started and no sentence, if the system starts no more threads.
bool cj__thread_start(cj__thread *thread, void (*run)(void *context), void *context);
void cj__thread_join(cj__thread *thread);

// How many fork()s lie between this process and the first one that started a thread here. A thread
// that was started at another count is not in this process: it cannot be joined, and a condition
// that it waits for cannot be destroyed.
unsigned cj__fork_count(void);

#endif
