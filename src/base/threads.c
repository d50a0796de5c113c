// The pool: persistent workers that help with one piece of work at a time.
//
// `state` holds the number of the current piece of work, whether it is open, and how many workers are inside. The caller
// writes the piece, opens it, and works too; a worker that sees an open piece that it has not done yet enters by raising
// the count. When no task is left the caller closes the piece and waits for those inside only: a worker that is still
// asleep finds it closed and is not waited for, so a pool is never slower than its slowest *awake* thread.
//
// Idle workers spin for some microseconds, because the next piece of a training step follows at once, and then sleep.
// Nobody spins where there are more threads than CPUs: that would only keep the others from working.
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
    THREADS_MAX = 1024,
    SPIN_NANOSECONDS = 40000,
    PAUSES_PER_LOOK = 32,  // pauses between two looks at the clock
    CHUNKS_PER_THREAD = 4, // enough to even out unequal tasks, few enough that taking them costs nothing
};

// The fields of `state`, from the lowest bit: workers inside, open, number of the piece.
enum { INSIDE_MASK = 0xffff, OPEN = 0x10000, PIECE = 0x20000 };

static _Thread_local int thread_slot;

int cj__thread_slot(void)
{
    return thread_slot;
}

typedef struct worker {
    struct cj_pool *pool;
    pthread_t thread;
    int slot;
} worker;

struct cj_pool {
    cj__object object;
    int threads, started; // the caller's included; workers that run
    bool spins;
    worker *workers;
    atomic_bool busy; // a caller has the pool

    atomic_uint_least64_t state;
    // The piece of work; written by the caller while it is closed and nobody is inside.
    cj__task task;
    void *context;
    int64_t count, chunk;
    atomic_int_least64_t next; // first task that nobody has taken

    pthread_mutex_t lock; // for sleeping only
    pthread_cond_t work, left;
    atomic_int sleepers;        // workers that wait for `work`
    atomic_bool caller_sleeps;  // the caller waits for `left`
    atomic_bool stop;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void take_chunks(cj_pool *pool)
{
    for (;;) {
        const int64_t begin = atomic_fetch_add_explicit(&pool->next, pool->chunk, memory_order_relaxed);
        if (begin >= pool->count)
            return;
        const int64_t left = pool->count - begin;
        pool->task(pool->context, begin, begin + (left < pool->chunk ? left : pool->chunk));
    }
}

// Whether there is something for a worker whose latest piece was `done`: a piece to enter, or the end.
static bool called(cj_pool *pool, uint_least64_t done)
{
    const uint_least64_t state = atomic_load(&pool->state);
    return ((state & OPEN) && state / PIECE != done) || atomic_load(&pool->stop);
}

static void wait_for_call(cj_pool *pool, uint_least64_t done)
{
    if (pool->spins) {
        const int64_t until = nanoseconds() + SPIN_NANOSECONDS;
        do {
            for (int i = 0; i < PAUSES_PER_LOOK; i++) {
                if (called(pool, done))
                    return;
                pause_briefly();
            }
        } while (nanoseconds() < until);
    }
    // The caller opens first and counts sleepers then, a worker counts itself first and looks then: one sees the other.
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!called(pool, done))
        pthread_cond_wait(&pool->work, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

// Enters the open piece. False if it was closed meanwhile.
static bool enter(cj_pool *pool, uint_least64_t *done)
{
    uint_least64_t state = atomic_load(&pool->state);
    while (state & OPEN) {
        if (atomic_compare_exchange_weak(&pool->state, &state, state + 1)) {
            *done = state / PIECE;
            return true;
        }
    }
    return false;
}

static void leave(cj_pool *pool)
{
    const uint_least64_t state = atomic_fetch_sub(&pool->state, 1) - 1;
    if ((state & (OPEN | INSIDE_MASK)) == 0 && atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->left);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void *work(void *argument)
{
    const worker *self = argument;
    cj_pool *pool = self->pool;
    uint_least64_t done = 0;
    thread_slot = self->slot;
    for (;;) {
        wait_for_call(pool, done);
        if (atomic_load(&pool->stop))
            return NULL;
        if (enter(pool, &done)) {
            take_chunks(pool);
            leave(pool);
        }
    }
}

static void wake_sleepers(cj_pool *pool)
{
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static bool somebody_inside(cj_pool *pool)
{
    return (atomic_load(&pool->state) & INSIDE_MASK) != 0;
}

// Closes the piece and waits for those inside.
static void close_piece(cj_pool *pool)
{
    atomic_fetch_and(&pool->state, ~(uint_least64_t)OPEN);
    if (pool->spins) {
        const int64_t until = nanoseconds() + SPIN_NANOSECONDS;
        while (somebody_inside(pool) && nanoseconds() < until)
            for (int i = 0; i < PAUSES_PER_LOOK && somebody_inside(pool); i++)
                pause_briefly();
    }
    if (!somebody_inside(pool))
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, true);
    while (somebody_inside(pool))
        pthread_cond_wait(&pool->left, &pool->lock);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->lock);
}

static void run_in_parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context)
{
    if (grain < 1)
        grain = 1;
    if (!pool || pool->started == 0 || count <= grain ||
        atomic_exchange_explicit(&pool->busy, true, memory_order_acquire)) {
        task(context, 0, count);
        return;
    }
    const int64_t chunk = count / ((int64_t)pool->threads * CHUNKS_PER_THREAD);
    pool->task = task;
    pool->context = context;
    pool->count = count;
    pool->chunk = chunk > grain ? chunk : grain;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_fetch_add(&pool->state, PIECE | OPEN); // nobody is inside and it is closed, so this is the next number, open
    wake_sleepers(pool);
    take_chunks(pool);
    close_piece(pool);
    atomic_store_explicit(&pool->busy, false, memory_order_release);
}

// The caller is number 0, also where it is a worker of another pool.
void cj__parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context)
{
    const int before = thread_slot;
    if (count <= 0)
        return;
    thread_slot = 0;
    run_in_parallel(pool, count, grain, task, context);
    thread_slot = before;
}

static void destroy(void *object)
{
    cj_pool *pool = object;
    atomic_store(&pool->stop, true);
    wake_sleepers(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    cj__free(pool->workers);
    cj__free(pool);
}

static const cj__class pool_class = {"pool", destroy};

// Workers take no signals: those are for the threads of the program.
static cj_status start_workers(cj_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = 0;
    while (!failure && pool->started < pool->threads - 1) {
        worker *next = &pool->workers[pool->started];
        *next = (worker){.pool = pool, .slot = pool->started + 1};
        failure = pthread_create(&next->thread, NULL, work, next);
        pool->started += !failure;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return cj__fail(CJ_OUT_OF_MEMORY, "pool: %d threads were asked for, but the system starts no more than %d",
                        pool->threads, pool->started + 1);
    return CJ_OK;
}

cj_pool *cj_pool_new(int threads)
{
    if (threads < 0 || threads > THREADS_MAX) {
        cj__fail(CJ_INVALID_ARGUMENT, "pool: %d threads were asked for: give 1 to %d, or 0 for the default", threads,
                 THREADS_MAX);
        return NULL;
    }
    cj_pool *pool = cj__object_new(&pool_class, sizeof *pool);
    if (!pool)
        return NULL;
    pool->threads = threads ? threads : cj__cpu_count();
    pool->spins = pool->threads <= cj__cpu_allowed();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->left, NULL);
    pool->workers = cj__new((size_t)pool->threads, sizeof *pool->workers);
    if (!pool->workers || start_workers(pool) != CJ_OK) {
        cj_release(pool);
        return NULL;
    }
    return pool;
}

int cj_pool_threads(const cj_pool *pool)
{
    return pool ? pool->threads : 1;
}
