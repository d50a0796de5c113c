// Whether the runs of a plan share their work between threads. Whether sharing is faster depends on
// how long the machine takes to move cache lines between processors, and on its other load: shapes
// alone do not tell. Results do not depend on it, so a plan measures both ways in *trials*, decides,
// and keeps to the decision for a *round* of runs.
//
// While no other process takes processors from this one, which the system's count of interruptions
// tells (by the time that the process computed, since it may pause between two runs), short runs are
// decided by their mean without the worst, and long ones are shared without a trial.
//
// Beside busy processes the fastest shared run is as fast as ever, and many others wait for a thread
// that does not run: waits for processors are a part of the mean, and a few runs tell little of
// them. So the means of all runs in trials decide, of which later ones count more, and a trial is
// longer than a time slice: a thread that has slept gets its first slice at once, beside any load.
//
// A decision may be due to a disturbance that ends at once. So the first round after it is short,
// and rounds grow as long as trials confirm it.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include "base/system.h"

enum {
    CJ__TRIAL_RUNS = 4,
    CJ__TRIALS = 4,
    CJ__TRIALS_AGAIN = 2, // beside busy processes, after the first trials
    // Runs of the first round and of the longest: as many as the seconds below hold, within these.
    CJ__LONG_ROUND = 8,
    CJ__ALONE_ROUND = 64,
    CJ__SHARED_ROUND = 256,
    CJ__LONG_ROUND_MOST = 64,
    CJ__ROUND_MOST = 4096,
    CJ__BUSY_ROUND_MOST = 65536 // beside busy processes, where trials are long too
};

#define CJ__ROUND_SECONDS      0.2
#define CJ__ROUND_MOST_SECONDS 2

// If two shared runs in a row take longer they are long ones, and each is a trial by itself from the
// second limit on. (One may have waited for a processor.)
#define CJ__TRIAL_LONG     5e-3 // seconds
#define CJ__TRIAL_ONE_RUN  30e-3
// Interruptions in a second of processor time beyond which other processes are said to take processors.
#define CJ__TRIAL_PRESSURE 50
// Beside busy processes: how long a trial is; how much runs of earlier trials still count; and by how
// much shared runs are faster, or runs go alone, since a tie spares processors.
#define CJ__TRIAL_SECONDS  32e-3
#define CJ__TRIAL_MEMORY   0.7
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
    bool under_pressure;
    bool by_all;            // runs of all trials so far decide
    int64_t runs_of_trial;  // 0 before the first trials
    int64_t next_round;     // runs of the next round if the decision stays; 0 before the first
    double usual;           // seconds of a run that goes the decided way
    cj__processor_use last; // of the last run that was timed
    // of the runs that count so far, shared and alone
    int counts[2];
    double sums[2], most[2], latest[2]; // seconds; `sums` holds those of earlier trials too
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// Whether cj__trial_ran() wants to know of the next run.
bool cj__trial_is_timed(const cj__trial *trial);
// Records a run. `run` is NULL if it was not timed.
void cj__trial_ran(cj__trial *trial, const cj__trial_run *run);

#endif
