// Locks, threads, what is done once, and what a fork leaves behind.
#define _POSIX_C_SOURCE 200809L
#include "base/sync.h"
#include "base/threads.h"
#include "support.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 1000 };

typedef struct counter {
    cj__mutex mutex;
    cj__condition reached;
    int count;
} counter;

static void count_up(void *context)
{
    counter *c = context;
    for (int i = 0; i < ROUNDS; i++) {
        cj__mutex_lock(&c->mutex);
        c->count++;
        if (c->count == THREADS * ROUNDS)
            cj__condition_broadcast(&c->reached);
        cj__mutex_unlock(&c->mutex);
    }
}

static void a_mutex_guards_and_a_condition_wakes(void **state)
{
    (void)state;
    counter c = {.count = 0};
    cj__thread threads[THREADS];
    cj__mutex_init(&c.mutex);
    cj__condition_init(&c.reached);
    for (int i = 0; i < THREADS; i++)
        assert_true(cj__thread_start(&threads[i], count_up, &c));
    cj__mutex_lock(&c.mutex);
    while (c.count < THREADS * ROUNDS)
        cj__condition_wait(&c.reached, &c.mutex);
    cj__mutex_unlock(&c.mutex);
    for (int i = 0; i < THREADS; i++)
        cj__thread_join(&threads[i]);
    assert_int_equal(c.count, THREADS * ROUNDS);
    cj__condition_destroy(&c.reached);
    cj__mutex_destroy(&c.mutex);
}

static cj__once outer, inner;
static atomic_int outer_calls, inner_calls;

static void make_inner(void)
{
    atomic_fetch_add(&inner_calls, 1);
}

static void make_outer(void)
{
    cj__call_once(&inner, make_inner);
    atomic_fetch_add(&outer_calls, 1);
}

static void call(void *wrong)
{
    cj__call_once(&outer, make_outer);
    if (atomic_load(&outer_calls) != 1 || atomic_load(&inner_calls) != 1)
        *(bool *)wrong = true;
}

static void what_is_done_once_is_done_when_any_call_returns(void **state)
{
    (void)state;
    bool wrong[THREADS] = {false};
    cj__thread threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_true(cj__thread_start(&threads[i], call, &wrong[i]));
    for (int i = 0; i < THREADS; i++) {
        cj__thread_join(&threads[i]);
        assert_false(wrong[i]);
    }
}

static void look_at_signals(void *blocked)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    *(int *)blocked = sigismember(&mask, SIGINT);
}

static void a_started_thread_takes_no_signals(void **state)
{
    (void)state;
    int blocked = 0;
    cj__thread thread;
    assert_true(cj__thread_start(&thread, look_at_signals, &blocked));
    cj__thread_join(&thread);
    assert_int_equal(blocked, 1);
}

static void count_task(void *context, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        ((int *)context)[i]++;
}

// Runs `what` in a child, which must end by itself within some seconds and with 0.
static void in_child(int (*what)(cj_pool *pool), cj_pool *pool)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20); // the child would hang otherwise, and the test with it
        _exit(what(pool));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int release_it(cj_pool *pool)
{
    cj_release(pool);
    return 0;
}

static int use_it(cj_pool *pool)
{
    int counts[100] = {0}, wrong = 0;
    const bool entered = cj__pool_enter(pool);
    for (int round = 0; round < 10; round++)
        cj__parallel(pool, 100, 1, count_task, counts);
    if (entered)
        cj__pool_leave(pool);
    for (int i = 0; i < 100; i++)
        wrong |= counts[i] != 10;
    cj_release(pool);
    return wrong;
}

#ifndef __SANITIZE_THREAD__
static int make_another(cj_pool *pool)
{
    cj_release(pool);
    cj_pool *own = cj_pool_new(3);
    return own ? use_it(own) : 1;
}
#endif

static void a_forked_child_may_release_use_and_make_pools(void **state)
{
    (void)state;
    int counts[100] = {0};
    for (int used = 0; used < 2; used++) {
        cj_pool *pool = cj_pool_new(4);
        if (used)
            cj__parallel(pool, 100, 1, count_task, counts);
        in_child(release_it, pool);
        in_child(use_it, pool);
#ifndef __SANITIZE_THREAD__ // which starts no threads after a fork
        in_child(make_another, pool);
#endif
        cj__parallel(pool, 100, 1, count_task, counts); // the parent goes on as before
        cj_release(pool);
    }
}

// From inside an entered pool, as a callback of a training run would fork.
static void a_child_of_a_thread_that_has_entered_a_pool_goes_on(void **state)
{
    (void)state;
    int counts[100] = {0};
    cj_pool *pool = cj_pool_new(4);
    const bool entered = cj__pool_enter(pool);
    cj__parallel(pool, 100, 1, count_task, counts);
    in_child(use_it, pool);
    cj__parallel(pool, 100, 1, count_task, counts);
    if (entered)
        cj__pool_leave(pool);
    cj_release(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutex_guards_and_a_condition_wakes),
        cmocka_unit_test(what_is_done_once_is_done_when_any_call_returns),
        cmocka_unit_test(a_started_thread_takes_no_signals),
        cmocka_unit_test(a_forked_child_may_release_use_and_make_pools),
        cmocka_unit_test(a_child_of_a_thread_that_has_entered_a_pool_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
