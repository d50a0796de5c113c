// Trials: what is tried, what is decided, and when it is tried again.
#include "graph/trial.h"
#include "support.h"

enum { TRIED = CJ__TRIALS * CJ__TRIAL_RUNS };

// Runs until the decision stands. `shared` and `alone` are the seconds of a run.
static void try_all(cj__trial *t, double shared, double alone)
{
    int runs[2] = {0};
    for (int i = 0; i < TRIED; i++) {
        const bool shares = cj__trial_shares(t);
        runs[shares]++;
        // The first run of a trial is slow and must not count.
        cj__trial_ran(t, cj__trial_is_timed(t) ? (shares ? shared : alone) : 1);
    }
    assert_int_equal(runs[0], TRIED / 2);
    assert_int_equal(runs[1], TRIED / 2);
    assert_false(cj__trial_is_timed(t));
}

static void the_faster_way_stays(void **state)
{
    (void)state;
    cj__trial fast_alone = {0}, fast_shared = {0};
    try_all(&fast_alone, 2e-5, 1e-5);
    assert_false(cj__trial_shares(&fast_alone));
    try_all(&fast_shared, 1e-5, 2e-5);
    assert_true(cj__trial_shares(&fast_shared));
}

static void it_is_tried_again_after_a_round(void **state)
{
    (void)state;
    cj__trial t = {0};
    try_all(&t, 2e-5, 1e-5);
    for (int i = TRIED; i < CJ__TRIAL_ROUND; i++) {
        assert_false(cj__trial_shares(&t));
        cj__trial_ran(&t, 0);
    }
    try_all(&t, 1e-5, 2e-5);
    assert_true(cj__trial_shares(&t));
}

// Beside a busy process most shared runs wait, and one is as fast as ever.
static void one_fast_run_decides_nothing(void **state)
{
    (void)state;
    cj__trial t = {0};
    for (int i = 0; i < TRIED; i++) {
        const bool shares = cj__trial_shares(&t);
        cj__trial_ran(&t, !shares ? 2e-5 : i == 1 ? 1e-5 : 4e-3);
    }
    assert_false(cj__trial_shares(&t));
}

// Nor does one that was interrupted.
static void one_slow_run_decides_nothing(void **state)
{
    (void)state;
    for (int slow = 0; slow < TRIED; slow++) {
        cj__trial t = {0};
        for (int i = 0; i < TRIED; i++) {
            const bool shares = cj__trial_shares(&t);
            cj__trial_ran(&t, i == slow ? 4e-3 : shares ? 1e-5 : 2e-5);
        }
        assert_true(cj__trial_shares(&t));
    }
}

// Runs until the decision stands, the first two runs of a short plan's trial included.
static void try_long(cj__trial *t, const double *shared, const double *alone, int first)
{
    for (int i = first; i < CJ__LONG_TRIALS; i++) {
        assert_true(cj__trial_is_timed(t));
        assert_int_equal(cj__trial_shares(t), i % 2 == 0);
        cj__trial_ran(t, i % 2 == 0 ? shared[i / 2] : alone[i / 2]);
    }
    assert_false(cj__trial_is_timed(t));
}

static void begin_long(cj__trial *t)
{
    *t = (cj__trial){0};
    cj__trial_ran(t, 0);
    cj__trial_ran(t, 2 * CJ__TRIAL_LONG);
}

static void long_runs_are_shared_unless_all_alone_are_faster(void **state)
{
    (void)state;
    static const double shared[] = {2 * CJ__TRIAL_LONG, 0.03, 0.03}, slow[] = {0.02, 0.02, 0.02},
                        some[] = {0.009, 0.009, 0.011}, fast[] = {0.008, 0.009, 0.007};
    cj__trial t;
    begin_long(&t);
    try_long(&t, shared, slow, 1);
    assert_true(cj__trial_shares(&t));
    begin_long(&t);
    try_long(&t, shared, some, 1);
    assert_true(cj__trial_shares(&t));
    begin_long(&t);
    try_long(&t, shared, fast, 1);
    assert_false(cj__trial_shares(&t));
}

static void long_runs_are_tried_again(void **state)
{
    (void)state;
    static const double slow[] = {0.04, 0.03, 0.03}, fast[] = {0.008, 0.009, 0.007};
    cj__trial t;
    begin_long(&t);
    try_long(&t, slow, fast, 1);
    for (int i = CJ__LONG_TRIALS; i < CJ__LONG_ALONE_ROUND; i++) {
        assert_false(cj__trial_shares(&t));
        cj__trial_ran(&t, 0);
    }
    try_long(&t, fast, slow, 0);
    for (int i = CJ__LONG_TRIALS; i < CJ__LONG_ROUND; i++) {
        assert_true(cj__trial_shares(&t));
        cj__trial_ran(&t, 0);
    }
    try_long(&t, slow, fast, 0);
    assert_false(cj__trial_shares(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_stays),
        cmocka_unit_test(it_is_tried_again_after_a_round),
        cmocka_unit_test(one_fast_run_decides_nothing),
        cmocka_unit_test(one_slow_run_decides_nothing),
        cmocka_unit_test(long_runs_are_shared_unless_all_alone_are_faster),
        cmocka_unit_test(long_runs_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
