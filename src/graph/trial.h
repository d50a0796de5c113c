// Whether the runs of a plan share their work between threads. Whether sharing is faster depends on
// how long the machine takes to move cache lines between processors, and on its other load: shapes
// alone do not tell. Results do not depend on it, so a plan with short runs measures both ways, and
// repeats that from time to time.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum { CJ__TRIAL_RUNS = 4, CJ__TRIALS = 4, CJ__TRIAL_ROUND = 4096 };

// Runs longer than this are shared without a trial: the cost of sharing is small beside them.
#define CJ__TRIAL_LONG 5e-3 // seconds

// All zeros before the first run. A round has CJ__TRIALS trials, alternately shared and alone, and
// then runs the way that was faster.
typedef struct cj__trial {
    int64_t run;   // index within the round
    bool alone;    // the decision of the last trials
    double min[2]; // least seconds of a run so far, shared and alone; 0 before the first
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// Whether the next run is timed. The first run of each trial is not, since it moves the operands
// into other caches.
bool cj__trial_is_timed(const cj__trial *trial);
// Records a run that has ended without an error, with its time in seconds if it was timed.
void cj__trial_ran(cj__trial *trial, double seconds);

#endif
