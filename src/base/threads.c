// The pool: persistent workers that share out the chunks of one piece of work at a time.
//
// A piece of work is announced by raising `ticket`. Everybody, the caller included, takes chunks by adding to `next`
// until there are none; the caller then waits until every worker has left. Workers watch `ticket`: they spin for a few
// microseconds, because the next piece of a step follows at once, and then sleep on a condition variable. Only the
// caller who holds `busy` announces work; another caller finds it taken and runs its work alone.
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"

#include <pthread.h>
#include <sched.h>

enum { SPINS = 4000, THREADS_MAX = 256 }; // about 40 microseconds of pauses

struct cj_pool {
    cj__object object;
    int threads;  // the caller's included
    int started;  // workers that run
    bool crowded; // more threads than CPUs: spinning would keep the others from working
    pthread_t *workers;
    atomic_flag busy;
    pthread_mutex_t lock; // guards sleeping
    pthread_cond_t wake;
    atomic_int sleepers;
    atomic_uint ticket; // raised for each piece of work, and to stop
    atomic_bool stop;
    // The piece of work: written before `ticket` is raised, read after it is seen.
    cj__task task;
    void *context;
    int64_t count, chunk;
    atomic_llong next;    // first task not yet taken
    atomic_int unfinished; // workers that have not left this piece
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    sched_yield();
#endif
}

static void take_chunks(cj_pool *pool)
{
    for (;;) {
        int64_t begin = atomic_fetch_add_explicit(&pool->next, pool->chunk, memory_order_relaxed);
        if (begin >= pool->count)
            return;
        int64_t left = pool->count - begin;
        pool->task(pool->context, begin, begin + (left < pool->chunk ? left : pool->chunk));
    }
}

static unsigned wait_for_ticket(cj_pool *pool, unsigned seen)
{
    for (int spin = 0; !pool->crowded && spin < SPINS; spin++) {
        unsigned now = atomic_load_explicit(&pool->ticket, memory_order_acquire);
        if (now != seen)
            return now;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    unsigned now = 0;
    while ((now = atomic_load(&pool->ticket)) == seen)
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
    return now;
}

static void *work(void *argument)
{
    cj_pool *pool = argument;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_ticket(pool, seen);
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed))
            return NULL;
        take_chunks(pool);
        atomic_fetch_sub_explicit(&pool->unfinished, 1, memory_order_release);
    }
}

static void announce(cj_pool *pool)
{
    atomic_fetch_add(&pool->ticket, 1);
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

void cj__parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context)
{
    if (count <= 0)
        return;
    if (grain < 1)
        grain = 1;
    if (pool == NULL || pool->started == 0 || count <= grain ||
        atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire)) {
        task(context, 0, count);
        return;
    }
    // Some chunks a thread: enough to even out, few enough that taking them costs nothing.
    int64_t chunk = count / ((int64_t)pool->threads * 8);
    pool->task = task;
    pool->context = context;
    pool->count = count;
    pool->chunk = chunk > grain ? chunk : grain;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->unfinished, pool->started, memory_order_relaxed);
    announce(pool);
    take_chunks(pool);
    for (int spin = 0; atomic_load_explicit(&pool->unfinished, memory_order_acquire) != 0; spin++) {
        if (pool->crowded || spin > SPINS)
            sched_yield();
        else
            pause_briefly();
    }
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
}

static void destroy(void *object)
{
    cj_pool *pool = object;
    atomic_store(&pool->stop, true);
    announce(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    cj__free(pool->workers);
    cj__free(pool);
}

static const cj__class pool_class = {"pool", destroy};

cj_pool *cj_pool_new(int threads)
{
    int cpus = cj__cpu_count();
    if (threads < 0 || threads > THREADS_MAX) {
        cj__fail(CJ_INVALID_ARGUMENT, "pool: %d threads: give 1 to %d, or 0 for the default", threads, THREADS_MAX);
        return NULL;
    }
    cj_pool *pool = cj__object_new(&pool_class, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->threads = threads != 0 ? threads : cpus < THREADS_MAX ? cpus : THREADS_MAX;
    pool->crowded = pool->threads > cpus;
    atomic_flag_clear(&pool->busy);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->workers = cj__new((size_t)pool->threads, sizeof(*pool->workers));
    if (pool->workers == NULL) {
        cj_release(pool);
        return NULL;
    }
    while (pool->started < pool->threads - 1) {
        if (pthread_create(&pool->workers[pool->started], NULL, work, pool) != 0) {
            cj__fail(CJ_OUT_OF_MEMORY, "pool: the system starts no more than %d threads", pool->started);
            cj_release(pool);
            return NULL;
        }
        pool->started++;
    }
    return pool;
}

int cj_pool_threads(const cj_pool *pool)
{
    return pool != NULL ? pool->threads : 1;
}
