// Whether the runs of a plan share their work between threads. Whether sharing is faster depends on
// how long the machine takes to move cache lines between processors, and on its other load: shapes
// alone do not tell. Results do not depend on it, so a plan measures both ways in *trials*, decides,
// and keeps to the decision for a *round* of runs.
//
// Short runs are decided by their mean without the worst: beside a busy process the fastest shared
// run is as fast as ever, and many others wait for a thread that does not run. Long runs are shared
// without a trial while no other process takes processors from this one, which the system's count of
// interruptions tells: by the time that the process computed, since it may pause between two runs.
// Otherwise the means of all runs in trials decide, of which later ones count more: waits for
// processors are a part of the mean, and a few runs alone tell little of them. A trial is longer
// than a time slice: a thread that has slept gets its first slice at once, beside any load.
//
// A decision may be due to a disturbance that ends at once. So the first round after it is short,
// and rounds grow as long as trials confirm it.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include "base/system.h"

enum {
    CJ__TRIAL_RUNS = 4,
    CJ__TRIALS = 4,
    CJ__TRIALS_AGAIN = 2, // of long runs, after the first trials
    // Runs of the first round and of the longest: as many as the seconds below hold, within these.
    CJ__LONG_ROUND = 8,
    CJ__ALONE_ROUND = 64,
    CJ__SHARED_ROUND = 256,
    CJ__LONG_ROUND_MOST = 64,
    CJ__ROUND_MOST = 4096
};

#define CJ__ROUND_SECONDS      0.05
#define CJ__ROUND_MOST_SECONDS 1

// A shared run that takes longer is a long one, and a trial by itself from the second limit on.
#define CJ__TRIAL_LONG     5e-3 // seconds
#define CJ__TRIAL_ONE_RUN  30e-3
// Interruptions in a second of processor time beyond which other processes are said to take processors.
#define CJ__TRIAL_PRESSURE 50
// How much long runs of earlier trials still count.
#define CJ__TRIAL_MEMORY   0.7
// Long runs go alone unless those that are shared are faster by so much: a tie spares processors.
#define CJ__TRIAL_TIE      1.05

// A run that has ended without an error.
typedef struct cj__trial_run {
    double seconds;        // that it took
    cj__processor_use use; // up to then
} cj__trial_run;

// All zeros before the first run.
typedef struct cj__trial {
    int64_t run;   // index within the trials or the round
    int64_t round; // runs of the round; 0 during trials
    int64_t kept;  // runs since the last trials
    bool alone;    // the decision of the last trials
    bool is_long;
    bool one_run; // is a trial
    bool under_pressure;
    int64_t next_round;     // runs of the next round if the decision stays; 0 before the first
    double usual;           // seconds of a run that goes the decided way
    cj__processor_use last; // of the last run that was timed
    // of the runs that count so far, shared and alone
    int counts[2];
    double sums[2], most[2], latest[2]; // seconds; of long runs `sums` holds earlier trials too
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// Whether cj__trial_ran() wants to know of the next run.
bool cj__trial_is_timed(const cj__trial *trial);
// Records a run. `run` is NULL if it was not timed.
void cj__trial_ran(cj__trial *trial, const cj__trial_run *run);

#endif
