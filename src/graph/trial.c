// Trials of a plan, and what follows from them: see trial.h.
#include "graph/trial.h"

static int64_t runs_of_trial(const cj__trial *trial)
{
    return trial->is_long ? 1 : CJ__TRIAL_RUNS;
}

static int64_t tried_runs(const cj__trial *trial)
{
    return trial->is_long ? CJ__LONG_TRIALS : CJ__TRIALS * CJ__TRIAL_RUNS;
}

static int64_t round_of(const cj__trial *trial)
{
    return !trial->is_long ? CJ__TRIAL_ROUND : trial->alone ? CJ__LONG_ALONE_ROUND : CJ__LONG_ROUND;
}

static bool is_trying(const cj__trial *trial)
{
    return trial->run < tried_runs(trial);
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
    return is_trying(trial) && (trial->is_long || trial->run % CJ__TRIAL_RUNS != 0);
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

static bool alone_is_faster(const cj__trial *trial)
{
    return trial->is_long ? trial->most[1] < trial->least[0] :
                            mean_without_worst(trial, 1) < mean_without_worst(trial, 0);
}

void cj__trial_ran(cj__trial *trial, double seconds)
{
    if (cj__trial_is_timed(trial)) {
        if (!trial->is_long && !is_alone(trial) && seconds > CJ__TRIAL_LONG)
            *trial = (cj__trial){.is_long = true};
        record(trial, is_alone(trial), seconds);
    }
    if (++trial->run == tried_runs(trial))
        trial->alone = alone_is_faster(trial);
    if (trial->run >= round_of(trial))
        *trial = (cj__trial){.alone = trial->alone, .is_long = trial->is_long};
}
