// Trials: what is tried, what is decided, and when it is tried again.
#include "graph/trial.h"
#include "support.h"

enum { TRIED = CJ__TRIALS * CJ__TRIAL_RUNS };

// A machine whose other processes interrupt this one `rate` times a second of its processor time.
typedef struct machine {
    double used, interruptions, rate;
} machine;

static void run_for(cj__trial *t, machine *m, double seconds)
{
    m->used += seconds;
    m->interruptions += m->rate * seconds;
    if (cj__trial_is_timed(t))
        cj__trial_ran(t, &(cj__trial_run){seconds, {m->used, (int64_t)m->interruptions}});
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

// Runs until the trials under way are decided; the first `lucky` shared ones of each trial take half
// as long.
static void try_until_decided(cj__trial *t, machine *m, double shared, double alone, int lucky)
{
    for (int in_a_row = 0; t->round == 0;) {
        const bool shares = cj__trial_shares(t);
        in_a_row = shares ? in_a_row + 1 : 0;
        run_for(t, m, !shares ? alone : in_a_row <= lucky ? shared / 2 : shared);
    }
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
    try_until_decided(&t, &m, 1e-3, 2e-4, 0);
    assert_false(cj__trial_shares(&t));
}

// A thread that has slept through the runs alone gets a time slice at once, for several shared runs.
static void trials_beside_busy_processes_outlast_a_time_slice(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    try_all(&t, &m, 4e-4, 6e-4);
    m.rate = 10 * CJ__TRIAL_PRESSURE;
    (void)run_round(&t, &m, 4e-4);
    assert_int_equal(t.runs_of_trial, (int)(CJ__TRIAL_SECONDS / 4e-4));
    try_until_decided(&t, &m, 8e-4, 6e-4, 19); // 8 ms: two slices
    assert_false(cj__trial_shares(&t));
}

// It waited for a processor.
static void one_stalled_run_is_no_long_one(void **state)
{
    (void)state;
    for (int stalled = 0; stalled < TRIED; stalled++) {
        cj__trial t = {0};
        machine m = {.rate = 10 * CJ__TRIAL_PRESSURE};
        for (int i = 0; i < TRIED; i++)
            run_for(&t, &m, i == stalled ? 2 * CJ__TRIAL_LONG : 1e-4);
        assert_false(t.is_long);
    }
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

enum { LONG_FIRST = 3 }; // runs after which a plan is known to take long

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

// Long runs beside a busy process, of which the first ones were shared.
static void begin_long(cj__trial *t, machine *m)
{
    *t = (cj__trial){0};
    m->rate = 10 * CJ__TRIAL_PRESSURE;
    for (int i = 0; i < LONG_FIRST; i++)
        run_for(t, m, seconds_long);
    assert_true(t->is_long);
}

// Runs the rest of the trials that begin_long() began, or all of later ones. Of the runs alone every
// `period`th takes `waits` times as long.
static void try_long(cj__trial *t, machine *m, double alone, int period, double waits)
{
    for (int i = 0; t->round == 0; i++)
        run_for(t, m, cj__trial_shares(t) ? seconds_long : i % period == 0 ? alone * waits : alone);
}

static void long_runs_are_decided_by_means(void **state)
{
    (void)state;
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    try_long(&t, &m, 0.7 * seconds_long, 1, 1);
    assert_false(cj__trial_shares(&t));
    begin_long(&t, &m);
    try_long(&t, &m, 0.7 * seconds_long, 3, 1.5); // some are slower than shared ones
    assert_false(cj__trial_shares(&t));
    begin_long(&t, &m);
    try_long(&t, &m, 0.9 * seconds_long, 3, 3);
    assert_true(cj__trial_shares(&t));
    begin_long(&t, &m);
    try_long(&t, &m, seconds_long, 1, 1); // a tie
    assert_false(cj__trial_shares(&t));
}

// A thread that has slept through the runs alone gets its first slice at once.
static void the_first_run_of_a_long_trial_does_not_count(void **state)
{
    (void)state;
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    for (int i = 1; t.round == 0; i++) {
        const bool first = i % CJ__TRIAL_RUNS == 0;
        run_for(&t, &m, seconds_long * (!cj__trial_shares(&t) ? 0.8 : first ? 1e-3 : 1));
    }
    assert_false(cj__trial_shares(&t));
}

// Very long ones are tried one by one.
static void a_very_long_run_is_a_trial(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {.rate = 10 * CJ__TRIAL_PRESSURE};
    int alone = 0, runs = 0;
    for (; runs == 0 || !t.is_long || t.round == 0; runs++) {
        alone += !cj__trial_shares(&t);
        run_for(&t, &m, 2 * CJ__TRIAL_ONE_RUN);
    }
    assert_int_equal(runs, LONG_FIRST - 1 + CJ__TRIALS);
    assert_int_equal(alone, CJ__TRIALS / 2);
}

static void long_runs_are_tried_again(void **state)
{
    (void)state;
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    try_long(&t, &m, seconds_long / 2, 1, 1);
    const int64_t in_time = (int64_t)(CJ__ROUND_SECONDS / (seconds_long / 2));
    assert_int_equal(run_round(&t, &m, seconds_long / 2), in_time);
    try_long(&t, &m, 3 * seconds_long, 1, 1); // the busy process has ended
    assert_true(cj__trial_shares(&t));
    assert_int_equal(run_round(&t, &m, seconds_long), in_time / 2); // it has come back
    assert_false(t.round > 0);
}

// One trial that disagrees does not outweigh those before it, several do.
static void earlier_trials_of_long_runs_still_count(void **state)
{
    (void)state;
    cj__trial t;
    machine m = {0};
    begin_long(&t, &m);
    try_long(&t, &m, seconds_long / 2, 1, 1);
    int trials = 0;
    for (; !cj__trial_shares(&t); trials++) {
        (void)run_round(&t, &m, seconds_long / 2);
        try_long(&t, &m, 1.4 * seconds_long, 1, 1);
    }
    assert_in_range(trials, 2, 4);
}

// Of runs of milliseconds the first round is not seconds long.
static void rounds_are_limited_in_time(void **state)
{
    (void)state;
    cj__trial t = {0};
    machine m = {0};
    const double seconds = 0.8 * CJ__TRIAL_LONG;
    try_all(&t, &m, seconds, 1.5 * seconds);
    m.rate = 10 * CJ__TRIAL_PRESSURE;
    const int64_t runs = run_round(&t, &m, seconds);
    assert_in_range(runs, CJ__LONG_ROUND, (int64_t)(CJ__ROUND_SECONDS / seconds) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_stays),
        cmocka_unit_test(it_is_tried_again_after_a_round),
        cmocka_unit_test(rounds_grow_as_long_as_trials_agree),
        cmocka_unit_test(interruptions_bring_trials_forward),
        cmocka_unit_test(trials_beside_busy_processes_outlast_a_time_slice),
        cmocka_unit_test(one_stalled_run_is_no_long_one),
        cmocka_unit_test(one_fast_run_decides_nothing),
        cmocka_unit_test(one_slow_run_decides_nothing),
        cmocka_unit_test(long_runs_are_shared_while_nothing_interrupts),
        cmocka_unit_test(long_runs_are_decided_by_means),
        cmocka_unit_test(the_first_run_of_a_long_trial_does_not_count),
        cmocka_unit_test(a_very_long_run_is_a_trial),
        cmocka_unit_test(long_runs_are_tried_again),
        cmocka_unit_test(earlier_trials_of_long_runs_still_count),
        cmocka_unit_test(rounds_are_limited_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
