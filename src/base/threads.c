// The pool: persistent workers that help with one piece of work at a time.
//
// A piece is cut into chunks, and the chunks into shares, one a thread: the first share is the
// caller's. Each thread takes chunks of its own share, half of what is left at a time, and then of
// the others' shares. So equal tasks fall to the same thread, and its caches, piece after piece,
// unequal tasks are balanced, and the caller never waits for a worker that is asleep, or that was
// suspended before it took anything: the caller takes that share too. Only threads that are *at
// work* are waited for.
//
// A piece is published by one store to the board, which workers watch; the description of the piece
// is in the same cache line. What is left of a share is one word that includes the piece's number: a
// late worker fails to take from it, whatever the share holds by then. A worker reads the rest of
// the board only after it has taken a chunk, and the board does not change while a chunk is taken
// and not done.
//
// Idle workers spin on the board for some microseconds, longer while a caller has entered the pool,
// and then sleep. No more of them are awake than there are CPUs beside the caller's: one more would
// only take a CPU from another.
#include "base/threads.h"

#include "base/cpu.h"
#include "base/environment.h"
#include "base/float_mode.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"
#include "base/sync.h"
#include "base/system.h"

enum {
    THREADS_MAX = 1024,
    // enough to even out unequal tasks, few enough that taking them costs nothing
    CHUNKS_PER_THREAD = 4,
    // Microseconds of spinning: for the next piece of a step, for the next step, for workers that
    // are not done. Nobody yields meanwhile: beside other processes that gives up the rest of a time
    // slice, milliseconds, where a sleeper is woken at once.
    SPIN_IN_STEP = 300,
    SPIN_BETWEEN = 50,
    SPIN_AT_END = 200,
    // Fields of words, in bits from the lowest: a share's end, its next chunk, the number of its
    // piece; on the board the number of shares and the number of the piece. A number repeats
    // after 2^40 pieces, which takes days.
    CHUNK_BITS = 12,
    CHUNK_MASK = (1 << CHUNK_BITS) - 1,
    LINE = 64,
};

static _Thread_local int thread_slot;

int cj__thread_slot(void)
{
    return thread_slot;
}

// A piece of work.
typedef struct piece {
    cj__task task;
    void *context;
    int64_t count, chunk; // tasks, and tasks of a chunk
} piece;

// Where workers see it: one cache line.
typedef struct board {
    _Alignas(LINE) atomic_uint_least64_t number; // of the piece, and how many shares it has
    piece work;
    atomic_bool stop;    // asks the workers to end
    atomic_bool entered; // a caller has entered: more pieces will follow soon
} board;

// One thread: the first cache line is for taking work, the second for what changes seldom.
typedef struct member {
    _Alignas(LINE) atomic_uint_least64_t share;
    atomic_uint_least64_t done; // chunks that this worker has done, over all pieces
    _Alignas(LINE) struct cj_pool *pool;
    cj__thread thread;
    int slot;
} member;

// The board and the members, in one aligned block.
typedef struct table {
    board board;
    member members[]; // the caller's first
} table;

struct cj_pool {
    cj__object object;
    int threads, started; // the caller's included; workers that run
    int awake_max;        // workers that may be awake at once
    int64_t pauses;       // pauses of a microsecond
    unsigned forks;       // cj__fork_count() when the workers were started
    table *table;
    atomic_uintptr_t owner; // the thread that has the pool, by the address of its slot; or 0

    // The owner's own.
    bool in_piece;
    uint64_t number;   // of the latest piece
    uint64_t expected; // chunks that workers have done, all together, once the latest piece is done

    cj__mutex lock; // for sleeping only
    cj__condition work, left;
    // under lock: workers that sleep, and wake-ups that none of them has taken yet
    int sleepers, wakes;
    atomic_int awake;          // workers that do not sleep, including those being woken
    atomic_bool caller_sleeps; // the caller waits for `left`
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// How many pauses make a microsecond: one takes from 10 to 150 cycles, so it is measured, as the
// fastest of a few rounds.
static int64_t measure_pauses(const atomic_uint_least64_t *looked_at)
{
    enum { ROUNDS = 5, PAUSES = 64 };
    int64_t shortest = INT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t begin = cj__clock();
        for (int i = 0; i < PAUSES && atomic_load_explicit(looked_at, memory_order_acquire) == 0;
             i++)
            pause_briefly();
        const int64_t took = cj__clock() - begin;
        shortest = took < shortest ? took : shortest;
    }
    return PAUSES * 1000 / (shortest > PAUSES ? shortest : PAUSES) + 1;
}

// ---- Taking work ----

static uint64_t share_word(uint64_t number, int64_t next, int64_t end)
{
    return (number << CHUNK_BITS | (uint64_t)next) << CHUNK_BITS | (uint64_t)end;
}

// Takes half of what is left of a share, rounded up. False if nothing is left, or the piece is over.
static bool take(member *from, uint64_t number, int64_t *begin, int64_t *end)
{
    uint64_t word = atomic_load_explicit(&from->share, memory_order_relaxed);
    for (;;) {
        const int64_t next = (int64_t)(word >> CHUNK_BITS & CHUNK_MASK),
                      last = (int64_t)(word & CHUNK_MASK);
        if (share_word(number, next, last) != word || next == last)
            return false;
        *begin = next;
        *end = next + (last - next + 1) / 2;
        if (atomic_compare_exchange_weak_explicit(&from->share, &word,
                                                  share_word(number, *end, last),
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    }
}

static void run_chunks(const piece *work, int64_t begin, int64_t end)
{
    const int64_t last = end * work->chunk;
    work->task(work->context, begin * work->chunk, last < work->count ? last : work->count);
}

// A worker reports chunks as done. The caller may return from the piece at once.
static void report_done(cj_pool *pool, member *self, int64_t chunks)
{
    atomic_fetch_add(&self->done, (uint64_t)chunks);
    if (atomic_load(&pool->caller_sleeps)) {
        cj__mutex_lock(&pool->lock);
        cj__condition_signal(&pool->left);
        cj__mutex_unlock(&pool->lock);
    }
}

// Works on a piece until nothing of it is left to take, on the thread's own share first. Returns the
// number of chunks done.
static int64_t work_on_piece(cj_pool *pool, member *self, uint64_t number)
{
    const int shares = (int)(number & CHUNK_MASK);
    int64_t begin, end, sum = 0;
    for (int i = 0; i < shares; i++) {
        member *from = &pool->table->members[(self->slot + i) % shares];
        while (take(from, number >> CHUNK_BITS, &begin, &end)) {
            run_chunks(&pool->table->board.work, begin, end);
            sum += end - begin;
            if (self->slot > 0)
                report_done(pool, self, end - begin);
        }
    }
    return sum;
}

// ---- Workers ----

// Spins until the board has another piece than `seen`, for as long as that is worth it. False if
// the worker should sleep.
static bool spin_for_piece(const cj_pool *pool, uint64_t seen)
{
    const board *b = &pool->table->board;
    if (atomic_load_explicit(&pool->awake, memory_order_relaxed) > pool->awake_max)
        return false;
    for (int64_t i = 1; i < SPIN_IN_STEP * pool->pauses; i++) {
        if (atomic_load_explicit(&b->number, memory_order_acquire) != seen || atomic_load(&b->stop))
            return true;
        if (i >= SPIN_BETWEEN * pool->pauses &&
            !atomic_load_explicit(&b->entered, memory_order_relaxed))
            return false;
        pause_briefly();
    }
    return false;
}

// Sleeps until woken. The caller publishes and then counts the workers that are awake; a worker
// leaves that count and then looks at the board: so at least one of the two sees the other.
static void sleep_until_woken(cj_pool *pool, uint64_t seen)
{
    const board *b = &pool->table->board;
    cj__mutex_lock(&pool->lock);
    atomic_fetch_sub(&pool->awake, 1);
    if (atomic_load(&b->number) != seen || atomic_load(&b->stop)) {
        atomic_fetch_add(&pool->awake, 1);
    } else {
        pool->sleepers++;
        while (pool->wakes == 0 && !atomic_load(&b->stop))
            cj__condition_wait(&pool->work, &pool->lock);
        // the thread that woke this one has counted it as awake
        pool->wakes -= pool->wakes > 0;
    }
    cj__mutex_unlock(&pool->lock);
}

static void work(void *context)
{
    member *self = context;
    cj_pool *pool = self->pool;
    const board *b = &pool->table->board;
    uint64_t seen = 0;
    thread_slot = self->slot;
    (void)cj__set_float_mode();
    for (;;) {
        if (!spin_for_piece(pool, seen))
            sleep_until_woken(pool, seen);
        if (atomic_load(&b->stop))
            return;
        const uint64_t number = atomic_load_explicit(&b->number, memory_order_acquire);
        if (number != seen)
            (void)work_on_piece(pool, self, number);
        seen = number;
    }
}

// ---- The caller ----

// Wakes sleepers until `wanted` workers are awake.
static void wake_sleepers(cj_pool *pool, int wanted)
{
    cj__mutex_lock(&pool->lock);
    while (pool->sleepers > 0 && atomic_load(&pool->awake) < wanted) {
        pool->sleepers--;
        pool->wakes++;
        atomic_fetch_add(&pool->awake, 1);
        cj__condition_signal(&pool->work);
    }
    cj__mutex_unlock(&pool->lock);
}

static int min_int(int64_t a, int b)
{
    return a < b ? (int)a : b;
}

// The shares first: then the board is written at once, so that its cache line moves once.
static uint64_t publish(cj_pool *pool, const piece *work, int64_t chunks)
{
    table *t = pool->table;
    const int shares = min_int(chunks, pool->awake_max + 1);
    const uint64_t number = ++pool->number << CHUNK_BITS | (uint64_t)shares;
    for (int i = 0; i < shares; i++)
        atomic_store_explicit(
            &t->members[i].share,
            share_word(pool->number, chunks * i / shares, chunks * (i + 1) / shares),
            memory_order_relaxed);
    t->board.work = *work;
    atomic_store(&t->board.number, number);
    if (atomic_load(&pool->awake) < shares - 1)
        wake_sleepers(pool, shares - 1);
    return number;
}

static bool all_done(const cj_pool *pool)
{
    uint64_t sum = 0;
    for (int i = 1; i <= pool->started; i++)
        sum += atomic_load(&pool->table->members[i].done);
    return sum == pool->expected;
}

// Waits for chunks that workers have taken and not done: spins, then sleeps.
static void wait_for_workers(cj_pool *pool)
{
    for (int64_t i = 1; i < SPIN_AT_END * pool->pauses; i++) {
        if (all_done(pool))
            return;
        pause_briefly();
    }
    cj__mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, true);
    while (!all_done(pool))
        cj__condition_wait(&pool->left, &pool->lock);
    atomic_store(&pool->caller_sleeps, false);
    cj__mutex_unlock(&pool->lock);
}

static void run_shared(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context)
{
    const int64_t fair = count / ((pool->awake_max + 1) * CHUNKS_PER_THREAD),
                  smallest = (count - 1) / CHUNK_MASK + 1;
    int64_t chunk = fair > grain ? fair : grain;
    chunk = chunk > smallest ? chunk : smallest;
    const int64_t chunks = (count - 1) / chunk + 1;
    pool->in_piece = true;
    const uint64_t number = publish(pool, &(piece){task, context, count, chunk}, chunks);
    const int64_t done = work_on_piece(pool, &pool->table->members[0], number);
    pool->expected += (uint64_t)(chunks - done);
    if (done < chunks)
        wait_for_workers(pool);
    pool->in_piece = false;
}

static uintptr_t this_thread(void)
{
    return (uintptr_t)&thread_slot;
}

static bool owns(const cj_pool *pool)
{
    return atomic_load_explicit(&pool->owner, memory_order_relaxed) == this_thread();
}

static bool own(cj_pool *pool)
{
    uintptr_t free_pool = 0;
    return atomic_compare_exchange_strong_explicit(&pool->owner, &free_pool, this_thread(),
                                                   memory_order_acquire, memory_order_relaxed);
}

static void disown(cj_pool *pool)
{
    atomic_store_explicit(&pool->owner, 0, memory_order_release);
}

// Whether fork() has left the pool's workers behind in another process. Such a pool runs everything
// on the calling thread.
static bool is_of_parent(const cj_pool *pool)
{
    return pool->forks != cj__fork_count();
}

static bool can_share(const cj_pool *pool)
{
    return pool && pool->awake_max > 0 && !is_of_parent(pool);
}

bool cj__pool_enter(cj_pool *pool)
{
    if (!can_share(pool) || owns(pool) || !own(pool))
        return false;
    atomic_store_explicit(&pool->table->board.entered, true, memory_order_relaxed);
    return true;
}

void cj__pool_leave(cj_pool *pool)
{
    atomic_store_explicit(&pool->table->board.entered, false, memory_order_relaxed);
    disown(pool);
}

// The caller has slot 0, even if it is a worker of another pool.
void cj__parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context)
{
    if (count <= 0)
        return;
    const int before = thread_slot;
    const bool shared = can_share(pool) && count > (grain > 1 ? grain : 1);
    const bool entered = shared && owns(pool) && !pool->in_piece;
    const uint64_t mode = cj__set_float_mode(); // as the workers
    thread_slot = 0;
    if (entered || (shared && own(pool))) {
        run_shared(pool, count, grain > 1 ? grain : 1, task, context);
        if (!entered)
            disown(pool);
    } else {
        task(context, 0, count);
    }
    thread_slot = before;
    cj__restore_float_mode(mode);
}

// ---- Beginning and end ----

static void stop_workers(cj_pool *pool)
{
    if (pool->table) {
        cj__mutex_lock(&pool->lock);
        atomic_store(&pool->table->board.stop, true);
        cj__condition_broadcast(&pool->work);
        cj__mutex_unlock(&pool->lock);
    }
    for (int i = 1; i <= pool->started; i++)
        cj__thread_join(&pool->table->members[i].thread);
    cj__condition_destroy(&pool->left);
    cj__condition_destroy(&pool->work);
    cj__mutex_destroy(&pool->lock);
}

// In a forked child the workers do not exist, and a worker may have held the lock when the process
// forked: lock and conditions are left as they are.
static void destroy(void *object)
{
    cj_pool *pool = object;
    if (!is_of_parent(pool))
        stop_workers(pool);
    cj__free_aligned(pool->table, 0);
    cj__free(pool);
}

static const cj__class pool_class = {"pool", destroy};

static cj_status start_workers(cj_pool *pool)
{
    bool started = true;
    atomic_store(&pool->awake, pool->threads - 1);
    while (started && pool->started < pool->threads - 1) {
        member *next = &pool->table->members[pool->started + 1];
        next->pool = pool;
        next->slot = pool->started + 1;
        started = cj__thread_start(&next->thread, work, next);
        pool->started += started;
    }
    if (!started)
        return cj__fail(CJ_OUT_OF_MEMORY,
                        "pool: %d threads were asked for, but the system starts no more than %d",
                        pool->threads, pool->started + 1);
    return CJ_OK;
}

cj_pool *cj_pool_new(int threads)
{
    if (cj__environment_check() != CJ_OK)
        return cj__build_failed(CJ__MADE_POOL);
    if (threads < 0 || threads > THREADS_MAX) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "pool: %d threads were asked for: give 1 to %d, or 0 for the default", threads,
                 THREADS_MAX);
        return cj__build_failed(CJ__MADE_POOL);
    }
    cj_pool *pool = cj__object_new(&pool_class, sizeof *pool);
    if (!pool)
        return cj__build_failed(CJ__MADE_POOL);
#ifdef CAJAL_NO_THREADS
    threads = 1;
#endif
    pool->threads = threads ? threads : cj__cpu_count();
    pool->awake_max = min_int(pool->threads - 1, cj__cpu_allowed() - 1);
    pool->forks = cj__fork_count();
    cj__mutex_init(&pool->lock);
    cj__condition_init(&pool->work);
    cj__condition_init(&pool->left);
    pool->table = cj__new_aligned(sizeof(table) + (size_t)pool->threads * sizeof(member), 0);
    if (pool->table && pool->threads > 1)
        pool->pauses = measure_pauses(&pool->table->board.number);
    if (!pool->table || start_workers(pool) != CJ_OK) {
        cj_release(pool);
        return cj__build_failed(CJ__MADE_POOL);
    }
    return pool;
}

cj_pool cj_default_pool = {.threads = 1}; // known by its address

cj_status cj__pool_given(cj_pool **pool, const char *who)
{
    if (!*pool)
        return cj__fail_missing_of(CJ__MADE_POOL, who, "the pool");
    if (*pool == &cj_default_pool)
        *pool = NULL;
    return CJ_OK;
}

int cj_pool_threads(const cj_pool *pool)
{
    return pool ? pool->threads : 1;
}
