// Trials of a plan, and what follows from them: see trial.h.
#include "graph/trial.h"

static bool is_trying(const cj__trial *trial)
{
    return trial->run < CJ__TRIALS * CJ__TRIAL_RUNS;
}

static bool is_alone(const cj__trial *trial)
{
    return is_trying(trial) ? trial->run / CJ__TRIAL_RUNS % 2 != 0 : trial->alone;
}

bool cj__trial_shares(const cj__trial *trial)
{
    return !is_alone(trial);
}

bool cj__trial_is_timed(const cj__trial *trial)
{
    return is_trying(trial) && trial->run % CJ__TRIAL_RUNS != 0;
}

void cj__trial_ran(cj__trial *trial, double seconds)
{
    double *min = &trial->min[is_alone(trial)];
    const bool timed = cj__trial_is_timed(trial);
    if (timed && (*min == 0 || seconds < *min))
        *min = seconds;
    if (timed && !is_alone(trial) && seconds > CJ__TRIAL_LONG) {
        trial->alone = false;
        trial->run = CJ__TRIALS * CJ__TRIAL_RUNS;
        return;
    }
    if (++trial->run == CJ__TRIALS * CJ__TRIAL_RUNS)
        trial->alone = trial->min[1] < trial->min[0];
    if (trial->run >= CJ__TRIAL_ROUND)
        *trial = (cj__trial){.alone = trial->alone};
}
