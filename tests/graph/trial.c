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

static void long_runs_are_shared_without_more_trials(void **state)
{
    (void)state;
    cj__trial t = {0};
    cj__trial_ran(&t, 0);
    assert_true(cj__trial_is_timed(&t));
    cj__trial_ran(&t, 2 * CJ__TRIAL_LONG);
    for (int i = 0; i < 100; i++) {
        assert_true(cj__trial_shares(&t));
        assert_false(cj__trial_is_timed(&t));
        cj__trial_ran(&t, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_stays),
        cmocka_unit_test(it_is_tried_again_after_a_round),
        cmocka_unit_test(long_runs_are_shared_without_more_trials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
