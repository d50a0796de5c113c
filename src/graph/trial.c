// Trials of a plan, and what follows from them: see trial.h.
#include "graph/trial.h"

#include <string.h>

enum { SHARED, ALONE };

static int64_t runs_of_trial(const cj__trial *trial)
{
    return trial->is_long ? 1 : CJ__TRIAL_RUNS;
}

static int64_t tried_runs(const cj__trial *trial)
{
    return trial->is_long ? CJ__LONG_TRIALS : CJ__TRIALS * CJ__TRIAL_RUNS;
}

static bool is_trying(const cj__trial *trial)
{
    return trial->round == 0;
}

static bool is_alone(const cj__trial *trial)
{
    return is_trying(trial) ? trial->run / runs_of_trial(trial) % 2 != 0 : trial->alone;
}

bool cj__trial_shares(const cj__trial *trial)
{
    return !is_alone(trial);
}

bool cj__trial_is_timed(const cj__trial *trial)
{
    return is_trying(trial) || trial->run == trial->round - 1;
}

// The first run of each trial of short ones moves the operands into other caches.
static bool counts(const cj__trial *trial)
{
    return trial->is_long || trial->run % CJ__TRIAL_RUNS != 0;
}

static void record(cj__trial *trial, int way, double seconds)
{
    const bool first = trial->counts[way]++ == 0;
    trial->sums[way] += seconds;
    trial->least[way] = first || seconds < trial->least[way] ? seconds : trial->least[way];
    trial->most[way] = first || seconds > trial->most[way] ? seconds : trial->most[way];
}

static double mean_without_worst(const cj__trial *trial, int way)
{
    return (trial->sums[way] - trial->most[way]) / (trial->counts[way] - 1);
}

// Of long runs: one alone was not faster than one shared.
static bool is_refuted(const cj__trial *trial)
{
    return trial->counts[ALONE] > 0 && trial->most[ALONE] >= trial->least[SHARED];
}

static bool alone_is_faster(const cj__trial *trial)
{
    return trial->is_long ? !is_refuted(trial) :
                            mean_without_worst(trial, ALONE) < mean_without_worst(trial, SHARED);
}

static void begin_trials(cj__trial *trial)
{
    trial->run = trial->round = trial->kept = 0;
    memset(trial->counts, 0, sizeof trial->counts);
    memset(trial->sums, 0, sizeof trial->sums);
}

static int64_t first_round(const cj__trial *trial)
{
    return trial->is_long ? CJ__LONG_ROUND : trial->alone ? CJ__ALONE_ROUND : CJ__SHARED_ROUND;
}

static void begin_round(cj__trial *trial, int64_t runs)
{
    const int64_t most = trial->is_long ? CJ__LONG_ROUND_MOST : CJ__ROUND_MOST;
    trial->run = 0;
    trial->round = runs < most ? runs : most;
    trial->next_round = 2 * trial->round;
}

static void decide(cj__trial *trial, bool alone)
{
    const bool confirmed = trial->next_round > 0 && alone == trial->alone;
    trial->alone = alone;
    begin_round(trial, confirmed ? trial->next_round : first_round(trial));
}

// Compares with the run that was timed before this one.
static void look_at_pressure(cj__trial *trial, const cj__trial_run *run)
{
    const double passed = run->ended - trial->last.ended;
    const int64_t count = run->interruptions - trial->last.interruptions;
    trial->under_pressure =
        trial->last.ended > 0 && (double)count > 1 + CJ__TRIAL_PRESSURE * passed;
    trial->last = *run;
}

static void tried(cj__trial *trial, double seconds)
{
    const int way = is_alone(trial);
    if (!trial->is_long && way == SHARED && counts(trial) && seconds > CJ__TRIAL_LONG) {
        trial->is_long = true;
        begin_trials(trial);
        if (!trial->under_pressure) {
            decide(trial, false);
            return;
        }
    }
    if (counts(trial))
        record(trial, way, seconds);
    trial->run++;
    if (trial->is_long && is_refuted(trial))
        decide(trial, false);
    else if (trial->run == tried_runs(trial))
        decide(trial, alone_is_faster(trial));
}

// While nothing disturbs them, shared runs are tried again only as often as the longest round ends,
// and long ones never.
static void end_round(cj__trial *trial)
{
    const bool stays =
        !trial->alone && !trial->under_pressure && (trial->is_long || trial->kept < CJ__ROUND_MOST);
    if (stays)
        begin_round(trial, first_round(trial));
    else
        begin_trials(trial);
}

void cj__trial_ran(cj__trial *trial, const cj__trial_run *run)
{
    if (run)
        look_at_pressure(trial, run);
    if (is_trying(trial) && run) {
        tried(trial, run->seconds);
    } else if (!is_trying(trial)) {
        trial->run++;
        trial->kept++;
        if (trial->run >= trial->round)
            end_round(trial);
    }
}
