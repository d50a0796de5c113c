// Whether the runs of a plan share their work between threads. Whether sharing is faster depends on
// how long the machine takes to move cache lines between processors, and on its other load: shapes
// alone do not tell. Results do not depend on it, so a plan measures both ways in *trials*, decides,
// and keeps to the decision for a *round* of runs.
//
// Short runs are decided by their mean without the worst: beside a busy process the fastest shared
// run is as fast as ever, and many others wait for a thread that does not run. Long runs are shared
// without a trial while no other process takes processors from this one, which the system's count of
// interruptions tells, and otherwise unless each shared run was slower than each alone.
//
// A decision may be due to a disturbance that ends at once. So the first round after it is short,
// and rounds grow as long as trials confirm it.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CJ__TRIAL_RUNS = 4,
    CJ__TRIALS = 4,
    CJ__LONG_TRIALS = 6, // of long runs, which are tried one by one
    // Runs of the first round, and of the longest.
    CJ__SHARED_ROUND = 256,
    CJ__ALONE_ROUND = 64,
    CJ__ROUND_MOST = 4096,
    CJ__LONG_ROUND = 8,
    CJ__LONG_ROUND_MOST = 64
};

// A shared run that takes longer is a long one.
#define CJ__TRIAL_LONG     5e-3 // seconds
// Interruptions in a second beyond which other processes are said to take processors.
#define CJ__TRIAL_PRESSURE 50

// A run that has ended without an error.
typedef struct cj__trial_run {
    double seconds;        // that it took
    double ended;          // the time then, in seconds,
    int64_t interruptions; // and cj__interruptions()
} cj__trial_run;

// All zeros before the first run.
typedef struct cj__trial {
    int64_t run;   // index within the trials or the round
    int64_t round; // runs of the round; 0 during trials
    int64_t kept;  // runs since the last trials
    bool alone;    // the decision of the last trials
    bool is_long;
    bool under_pressure;
    int64_t next_round; // runs of the next round if the decision stays; 0 before the first
    cj__trial_run last; // the last one that was timed
    // of the runs that count so far, shared and alone
    int counts[2];
    double sums[2], least[2], most[2]; // seconds
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// Whether cj__trial_ran() wants to know of the next run.
bool cj__trial_is_timed(const cj__trial *trial);
// Records a run. `run` is NULL if it was not timed.
void cj__trial_ran(cj__trial *trial, const cj__trial_run *run);

#endif
