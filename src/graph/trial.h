// Whether the runs of a plan share their work between threads. Whether sharing is faster depends on
// how long the machine takes to move cache lines between processors, and on its other load: shapes
// alone do not tell. Results do not depend on it, so a plan measures both ways, and repeats that from
// time to time.
//
// Short runs are decided by their mean without the worst: beside a busy process the fastest shared
// run is as fast as ever, and many others wait for a thread that does not run. Of long runs few are
// tried, since each that is alone costs much where sharing pays; they are shared unless each of
// them was slower than each alone.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CJ__TRIAL_RUNS = 4,
    CJ__TRIALS = 4,
    CJ__TRIAL_ROUND = 4096,
    // of long runs, which are tried one by one
    CJ__LONG_TRIALS = 6,
    CJ__LONG_ROUND = 512,
    CJ__LONG_ALONE_ROUND = 64
};

// A shared run that takes longer is a long one.
#define CJ__TRIAL_LONG 5e-3 // seconds

// All zeros before the first run. A round has CJ__TRIALS trials, alternately shared and alone, and
// then runs the way that was faster.
typedef struct cj__trial {
    int64_t run; // index within the round
    bool alone;  // the decision of the last trials
    bool is_long;
    // of the timed runs so far, shared and alone
    int counts[2];
    double sums[2], least[2], most[2]; // seconds
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// Whether the next run is timed. The first run of each trial of short ones is not, since it moves
// the operands into other caches.
bool cj__trial_is_timed(const cj__trial *trial);
// Records a run that has ended without an error, with its time in seconds if it was timed.
void cj__trial_ran(cj__trial *trial, double seconds);

#endif
