// The pool.
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"
#include "support.h"
#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TASKS = 1000 };

static void count_task(void *context, int64_t begin, int64_t end)
{
    int *counts = context;
    for (int64_t i = begin; i < end; i++)
        counts[i]++;
}

static void every_task_runs_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        cj_pool *pool = cj_pool_new(threads);
        assert_int_equal(cj_pool_threads(pool), threads);
        static int counts[TASKS];
        memset(counts, 0, sizeof counts);
        for (int round = 1; round <= 200; round++) {
            cj__parallel(pool, TASKS, 1 + round % 7, count_task, counts);
            for (int i = 0; i < TASKS; i++)
                assert_int_equal(counts[i], round);
        }
        cj_release(pool);
    }
}

static void no_pool_and_no_tasks_are_fine(void **state)
{
    (void)state;
    int counts[3] = {0};
    cj__parallel(NULL, 3, 1, count_task, counts);
    assert_int_equal(counts[2], 1);
    cj__parallel(NULL, 0, 1, count_task, NULL);
    cj__parallel(NULL, -5, 1, count_task, NULL);
    assert_int_equal(cj_pool_threads(NULL), 1);
}

// One task after another: so small a number is made, and read, by the caller and by the worker.
static void halve_task(void *context, int64_t begin, int64_t end)
{
    volatile float *values = context;
    for (int64_t i = begin; i < end; i++) {
        volatile float normal = 0x1p-126f; // the smallest normal number
        values[i] = normal / 2 + values[i] * 0x1p24f;
    }
}

static void denormals_are_zero_in_tasks_and_nowhere_else(void **state)
{
    (void)state;
    static float values[TASKS];
    for (int threads = 0; threads <= 2; threads++) {
        cj_pool *pool = threads > 0 ? cj_pool_new(threads) : NULL;
        for (int i = 0; i < TASKS; i++)
            values[i] = 0x1p-140f;
        cj__parallel(pool, TASKS, 1, halve_task, values);
        for (int i = 0; i < TASKS; i++)
            assert_true(values[i] == (support_flushes_denormals() ? 0 : 0x1p-127f + 0x1p-116f));
        volatile float own = 0x1p-126f;
        own /= 2;
        assert_true(own == 0x1p-127f);
        cj_release(pool);
    }
}

static void third_task(void *context, int64_t begin, int64_t end)
{
    volatile float *values = context;
    for (int64_t i = begin; i < end; i++) {
        volatile float one = 1;
        values[i] = one / 3;
    }
}

// 1/3 is rounded up to the nearest float, so that rounding down shows; the program changes its mode
// before the pool is made or after.
static void tasks_round_to_nearest_whatever_the_program_does(void **state)
{
    (void)state;
    static float values[TASKS];
    const float nearest = 0x1.555556p-2f, below = 0x1.555554p-2f;
    for (int i = 0; i < 6; i++) {
        const bool early = i % 2 == 0;
        if (early)
            fesetround(FE_DOWNWARD);
        cj_pool *pool = i / 2 > 0 ? cj_pool_new(i / 2) : NULL;
        fesetround(FE_DOWNWARD);
        cj__parallel(pool, TASKS, 1, third_task, values);
        const int mode = fegetround();
        float own;
        third_task(&own, 0, 1);
        fesetround(FE_TONEAREST);
        assert_int_equal(mode, FE_DOWNWARD);
        assert_true(own == below);
        for (int t = 0; t < TASKS; t++)
            assert_true(values[t] == nearest);
        cj_release(pool);
    }
}

static void workers_that_sleep_are_woken(void **state)
{
    (void)state;
    cj_pool *pool = cj_pool_new(3);
    static int counts[TASKS];
    memset(counts, 0, sizeof counts);
    for (int round = 0; round < 20; round++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        cj__parallel(pool, TASKS, 1, count_task, counts);
    }
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(counts[i], 20);
    cj_release(pool);
}

typedef struct nested {
    cj_pool *pool;
    atomic_int done;
} nested;

static void add_inner(void *context, int64_t begin, int64_t end)
{
    atomic_fetch_add(&((nested *)context)->done, (int)(end - begin));
}

static void run_inner(void *context, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        cj__parallel(((nested *)context)->pool, 10, 1, add_inner, context);
}

static void work_within_work_runs_inline(void **state)
{
    (void)state;
    nested work = {.pool = cj_pool_new(3)};
    cj__parallel(work.pool, 50, 1, run_inner, &work);
    assert_int_equal(atomic_load(&work.done), 500);
    cj_release(work.pool);
}

static void an_entered_pool_runs_pieces_until_it_is_left(void **state)
{
    (void)state;
    static int counts[TASKS];
    for (int threads = 1; threads <= 4; threads++) {
        cj_pool *pool = cj_pool_new(threads), *other = cj_pool_new(2);
        memset(counts, 0, sizeof counts);
        for (int step = 0; step < 50; step++) {
            const bool entered = cj__pool_enter(pool), in_other = cj__pool_enter(other);
            assert_false(cj__pool_enter(pool)); // once is enough
            for (int piece = 0; piece < 20; piece++)
                cj__parallel(piece % 2 ? pool : other, TASKS, 1 + piece, count_task, counts);
            if (in_other)
                cj__pool_leave(other);
            if (entered)
                cj__pool_leave(pool);
        }
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(counts[i], 1000);
        cj_release(other);
        cj_release(pool);
    }
    assert_false(cj__pool_enter(NULL));
}

static void *enter_and_work(void *pool)
{
    static _Thread_local int counts[TASKS];
    for (int round = 0; round < 100; round++) {
        const bool entered = cj__pool_enter(pool);
        for (int piece = 0; piece < 3; piece++)
            cj__parallel(pool, TASKS, 8, count_task, counts);
        if (entered)
            cj__pool_leave(pool);
    }
    for (int i = 0; i < TASKS; i++)
        if (counts[i] != 300)
            return pool;
    return NULL;
}

// A caller that finds the pool taken works alone; so does work within work.
static void a_pool_that_another_has_entered_is_done_without(void **state)
{
    (void)state;
    cj_pool *pool = cj_pool_new(3);
    nested work = {.pool = pool};
    pthread_t callers[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, enter_and_work, pool), 0);
    for (int i = 0; i < 3; i++) {
        void *wrong;
        pthread_join(callers[i], &wrong);
        assert_null(wrong);
    }
    const bool entered = cj__pool_enter(pool);
    cj__parallel(pool, 50, 1, run_inner, &work);
    assert_int_equal(atomic_load(&work.done), 500);
    if (entered)
        cj__pool_leave(pool);
    cj_release(pool);
}

static void *call_often(void *pool)
{
    static _Thread_local int counts[TASKS];
    for (int round = 0; round < 300; round++)
        cj__parallel(pool, TASKS, 8, count_task, counts);
    for (int i = 0; i < TASKS; i++)
        if (counts[i] != 300)
            return pool;
    return NULL;
}

static void several_callers_share_a_pool(void **state)
{
    (void)state;
    cj_pool *pool = cj_pool_new(3);
    pthread_t callers[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_often, pool), 0);
    for (int i = 0; i < 3; i++) {
        void *wrong;
        pthread_join(callers[i], &wrong);
        assert_null(wrong);
    }
    cj_release(pool);
}

static void a_pool_may_go_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        cj_release(cj_pool_new(4));
}

static void running_allocates_nothing(void **state)
{
    (void)state;
    support_memory_begin(-1);
    cj_pool *pool = cj_pool_new(2);
    static int counts[TASKS];
    cj__parallel(pool, TASKS, 1, count_task, counts);
    cj_release(pool);
    assert_int_equal(support_memory_end(), 2);
}

static cj_status make(void *context)
{
    (void)context;
    cj_pool *pool = cj_pool_new(2);
    const cj_status status = pool ? CJ_OK : cj_error_status();
    cj_release(pool);
    return status;
}

static void a_pool_survives_every_failed_allocation(void **state)
{
    (void)state;
    support_fail_each_allocation(make, NULL);
}

static void impossible_sizes_are_refused_and_the_variable_is_read(void **state)
{
    (void)state;
    assert_null(cj_pool_new(-1));
    assert_error_contains("-1 threads");
    assert_null(cj_pool_new(100000));
    setenv("CAJAL_NUM_THREADS", "3", 1);
    cj_pool *pool = cj_pool_new(0);
    assert_int_equal(cj_pool_threads(pool), 3);
    cj_release(pool);
    unsetenv("CAJAL_NUM_THREADS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(no_pool_and_no_tasks_are_fine),
        cmocka_unit_test(denormals_are_zero_in_tasks_and_nowhere_else),
        cmocka_unit_test(tasks_round_to_nearest_whatever_the_program_does),
        cmocka_unit_test(workers_that_sleep_are_woken),
        cmocka_unit_test(work_within_work_runs_inline),
        cmocka_unit_test(an_entered_pool_runs_pieces_until_it_is_left),
        cmocka_unit_test(a_pool_that_another_has_entered_is_done_without),
        cmocka_unit_test(several_callers_share_a_pool),
        cmocka_unit_test(a_pool_may_go_at_once),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(a_pool_survives_every_failed_allocation),
        cmocka_unit_test(impossible_sizes_are_refused_and_the_variable_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
