// Trials of a plan, and what follows from them: see trial.h.
#include "graph/trial.h"

#include <string.h>

enum { SHARED, ALONE };

static int64_t runs_of_trial(const cj__trial *trial)
{
    return trial->runs_of_trial > 0 ? trial->runs_of_trial : CJ__TRIAL_RUNS;
}

static int64_t tried_runs(const cj__trial *trial)
{
    const bool again = trial->by_all && trial->next_round > 0;
    return runs_of_trial(trial) * (again ? CJ__TRIALS_AGAIN : CJ__TRIALS);
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

// The first runs of a trial move the operands into other caches.
static bool counts(const cj__trial *trial)
{
    const int64_t runs = runs_of_trial(trial);
    return runs == 1 || trial->run % runs >= (runs + 3) / 4;
}

static void record(cj__trial *trial, int way, double seconds)
{
    const bool first = trial->counts[way]++ == 0;
    trial->sums[way] += seconds;
    trial->latest[way] = seconds;
    trial->most[way] = first || seconds > trial->most[way] ? seconds : trial->most[way];
}

static double mean_without_worst(const cj__trial *trial, int way)
{
    return (trial->sums[way] - trial->most[way]) / (trial->counts[way] - 1);
}

// There are as many runs of each way, so that their sums compare as their means do.
static bool alone_is_faster(const cj__trial *trial)
{
    return trial->by_all ? trial->sums[ALONE] < CJ__TRIAL_TIE * trial->sums[SHARED] :
                           mean_without_worst(trial, ALONE) < mean_without_worst(trial, SHARED);
}

static void forget(cj__trial *trial)
{
    memset(trial->sums, 0, sizeof trial->sums);
}

// As many runs as take so long, but no fewer and no more than given.
static int64_t runs_within(const cj__trial *trial, double seconds, int64_t fewest, int64_t most)
{
    const double runs = trial->usual > 0 ? seconds / trial->usual : (double)most;
    return runs < (double)fewest ? fewest : runs < (double)most ? (int64_t)runs : most;
}

static void begin_trials(cj__trial *trial)
{
    trial->run = trial->round = trial->kept = 0;
    trial->by_all = trial->is_long || trial->under_pressure;
    trial->runs_of_trial =
        trial->usual > CJ__TRIAL_ONE_RUN ? 1 :
        trial->by_all ? runs_within(trial, CJ__TRIAL_SECONDS, CJ__TRIAL_RUNS, CJ__ROUND_MOST) :
                        CJ__TRIAL_RUNS;
    memset(trial->counts, 0, sizeof trial->counts);
    memset(trial->latest, 0, sizeof trial->latest);
    for (int way = SHARED; way <= ALONE; way++)
        trial->sums[way] *= trial->by_all ? CJ__TRIAL_MEMORY : 0;
}

static int64_t first_round(const cj__trial *trial)
{
    return runs_within(trial, CJ__ROUND_SECONDS, CJ__LONG_ROUND,
                       trial->by_all ? CJ__BUSY_ROUND_MOST :
                       trial->alone  ? CJ__ALONE_ROUND :
                                       CJ__SHARED_ROUND);
}

static void begin_round(cj__trial *trial, int64_t runs)
{
    const int64_t most = runs_within(trial, CJ__ROUND_MOST_SECONDS, CJ__LONG_ROUND_MOST,
                                     trial->by_all ? CJ__BUSY_ROUND_MOST : CJ__ROUND_MOST);
    trial->run = 0;
    trial->round = runs < most ? runs : most;
    trial->next_round = 2 * trial->round;
}

static void decide(cj__trial *trial, bool alone, double usual)
{
    const bool confirmed = trial->next_round > 0 && alone == trial->alone;
    trial->alone = alone;
    trial->usual = usual;
    begin_round(trial, confirmed ? trial->next_round : first_round(trial));
}

static void decide_by_trials(cj__trial *trial)
{
    const int way = alone_is_faster(trial) ? ALONE : SHARED;
    decide(trial, way == ALONE, trial->latest[way]);
}

// Compares with the run that was timed before this one.
static void look_at_pressure(cj__trial *trial, const cj__trial_run *run)
{
    const double passed = run->use.seconds - trial->last.seconds;
    const int64_t count = run->use.interruptions - trial->last.interruptions;
    trial->under_pressure =
        trial->last.seconds > 0 && (double)count > 1 + CJ__TRIAL_PRESSURE * passed;
    trial->last = run->use;
}

static void tried(cj__trial *trial, double seconds)
{
    const int way = is_alone(trial);
    const bool is_long = seconds > CJ__TRIAL_LONG && trial->latest[SHARED] > CJ__TRIAL_LONG;
    if (!trial->is_long && way == SHARED && counts(trial) && is_long) {
        trial->is_long = true;
        trial->usual = seconds;
        forget(trial);
        begin_trials(trial);
        if (!trial->under_pressure) {
            decide(trial, false, seconds);
            return;
        }
    }
    if (counts(trial))
        record(trial, way, seconds);
    trial->run++;
    if (trial->run == tried_runs(trial))
        decide_by_trials(trial);
}

// While nothing disturbs them, shared runs are tried again only as often as the longest round ends,
// and long ones never.
static void end_round(cj__trial *trial, double seconds)
{
    trial->usual = seconds;
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
            end_round(trial, run ? run->seconds : trial->usual);
    }
}
