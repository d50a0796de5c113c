// Trials: what is tried, what is decided, and when it is tried again.
#include "graph/trial.h"
#include "support.h"

enum { TRIED = CJ__TRIALS * CJ__TRIAL_RUNS };

// A machine whose other processes interrupt this one `rate` times a second.
typedef struct machine {
    double time, interruptions, rate;
} machine;

static void run_for(cj__trial *t, machine *m, double seconds)
{
    m->time += seconds;
    m->interruptions += m->rate * seconds;
    if (cj__trial_is_timed(t))
        cj__trial_ran(t, &(cj__trial_run){seconds, m->time, (int64_t)m->interruptions});
    else
        cj__trial_ran(t, NULL);
}

// Runs until the decision stands. `shared` and `alone` are the seconds of a run.
static void try_all(cj__trial *t, machine *m, double shared, double alone)
{
    int runs[2] = {0};
    for (int i = 0; i < TRIED; i++) {
        const bool shares = cj__trial_shares(t);
        runs[shares]++;
        // The first run of a trial is slow and must not count.
        run_for(t, m, i % CJ__TRIAL_RUNS == 0 ? 1 : shares ? shared : alone);
    }
    assert_int_equal(runs[0], TRIED / 2);
    assert_int_equal(runs[1], TRIED / 2);
    assert_false(cj__trial_is_timed(t));
}

// Runs of one way until the next trials; returns how many.
static int64_t run_round(cj__trial *t, machine *m, double seconds)
{
    const bool shares = cj__trial_shares(t);
    int64_t runs = 0;
    for (; t->round > 0; runs++) {
        assert_int_equal(cj__trial_shares(t), shares);
        run_for(t, m, seconds);
    }
    return runs;
}

static void the_faster_way_stays(void **state)
{
    (void)state;
    cj__trial fast_alone = {0}, fast_shared = {0};
    machine m = {0};
    try_all(&fast_alone, &m, 2e-5, 1e-5);
    assert_false(cj__trial_shares(&fast_alone));
    try_all(&fast_shared, &m, 1e-5, 2e-5);
    assert_true(cj__trial_shares(&fast_shared));
}

static void it_is_tried_again_after_a_round(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    try_all(&t, &m, 2e-5, 1e-5);
    assert_int_equal(run_round(&t, &m, 1e-5), CJ__ALONE_ROUND);
    try_all(&t, &m, 1e-5, 2e-5);
    assert_true(cj__trial_shares(&t));
    assert_int_equal(run_round(&t, &m, 1e-5), CJ__ROUND_MOST);
}

// What was decided while something else disturbed the first runs does not stay for long.
static void rounds_grow_as_long_as_trials_agree(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    for (int64_t round = CJ__ALONE_ROUND; round < 4 * CJ__ROUND_MOST; round *= 2) {
        try_all(&t, &m, 2e-5, 1e-5);
        assert_int_equal(run_round(&t, &m, 1e-5), round < CJ__ROUND_MOST ? round : CJ__ROUND_MOST);
    }
    try_all(&t, &m, 1e-5, 2e-5);
    assert_true(cj__trial_shares(&t));
}

static void interruptions_bring_trials_forward(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    try_all(&t, &m, 1e-4, 2e-4);
    m.rate = 10 * CJ__TRIAL_PRESSURE;
    assert_int_equal(run_round(&t, &m, 1e-3), CJ__SHARED_ROUND);
    try_all(&t, &m, 1e-3, 2e-4);
    assert_false(cj__trial_shares(&t));
}

// Beside a busy process most shared runs wait, and one is as fast as ever.
static void one_fast_run_decides_nothing(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    for (int i = 0; i < TRIED; i++)
        run_for(&t, &m, !cj__trial_shares(&t) ? 2e-5 : i == 1 ? 1e-5 : 4e-3);
    assert_false(cj__trial_shares(&t));
}

// Nor does one that was interrupted.
static void one_slow_run_decides_nothing(void **state)
{
    (void)state;
    for (int slow = 0; slow < TRIED; slow++) {
        cj__trial t = {0};
        machine m = {0};
        for (int i = 0; i < TRIED; i++)
            run_for(&t, &m, i == slow ? 4e-3 : cj__trial_shares(&t) ? 1e-5 : 2e-5);
        assert_true(cj__trial_shares(&t));
    }
}

enum { LONG_FIRST = 2 }; // runs after which a plan is known to take long

static const double seconds_long = 4 * CJ__TRIAL_LONG;

static void long_runs_are_shared_while_nothing_interrupts(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    for (int i = 0; i < 10 * CJ__ROUND_MOST; i++) {
        assert_true(cj__trial_shares(&t));
        run_for(&t, &m, seconds_long);
    }
}

// Long runs beside a busy process, of which the first two were shared.
static void begin_long(cj__trial *t, machine *m)
{
    *t = (cj__trial){0};
    m->rate = 10 * CJ__TRIAL_PRESSURE;
    for (int i = 0; i < LONG_FIRST; i++)
        run_for(t, m, seconds_long);
    assert_true(t->is_long);
}

static void long_runs_are_shared_unless_all_alone_are_faster(void **state)
{
    (void)state;
    static const double fast[] = {0.7, 0.6, 0.8}, some[] = {0.7, 0.7, 1.1};
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    assert_false(cj__trial_shares(&t));
    run_for(&t, &m, 2 * seconds_long); // one such run is enough
    assert_true(cj__trial_shares(&t) && t.round > 0);
    begin_long(&t, &m);
    for (int i = 1; i < CJ__LONG_TRIALS; i++)
        run_for(&t, &m, seconds_long * (i % 2 == 0 ? 1 : fast[i / 2]));
    assert_true(!cj__trial_shares(&t) && t.round > 0);
    begin_long(&t, &m);
    for (int i = 1; i < CJ__LONG_TRIALS; i++)
        run_for(&t, &m, seconds_long * (i % 2 == 0 ? 1 : some[i / 2]));
    assert_true(cj__trial_shares(&t) && t.round > 0);
}

static void long_runs_are_tried_again(void **state)
{
    (void)state;
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    for (int i = 1; i < CJ__LONG_TRIALS; i++)
        run_for(&t, &m, seconds_long * (i % 2 == 0 ? 1 : 0.5));
    assert_int_equal(run_round(&t, &m, seconds_long / 2), CJ__LONG_ROUND);
    run_for(&t, &m, seconds_long / 2); // the busy process has ended
    run_for(&t, &m, seconds_long);
    assert_true(cj__trial_shares(&t) && t.round > 0);
    assert_int_equal(run_round(&t, &m, seconds_long), CJ__LONG_ROUND); // it has come back
    assert_false(t.round > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_stays),
        cmocka_unit_test(it_is_tried_again_after_a_round),
        cmocka_unit_test(rounds_grow_as_long_as_trials_agree),
        cmocka_unit_test(interruptions_bring_trials_forward),
        cmocka_unit_test(one_fast_run_decides_nothing),
        cmocka_unit_test(one_slow_run_decides_nothing),
        cmocka_unit_test(long_runs_are_shared_while_nothing_interrupts),
        cmocka_unit_test(long_runs_are_shared_unless_all_alone_are_faster),
        cmocka_unit_test(long_runs_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
