// Whether a plan's runs share their work between threads. Whether that pays depends on how long the
// machine takes to hand lines of the cache from one processor to another, and on who else uses it:
// no rule by shapes tells. Bits do not depend on it, so a plan whose runs are short tries both, and
// again from time to time.
#ifndef CJ_GRAPH_TRIAL_H
#define CJ_GRAPH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum { CJ__TRIAL_RUNS = 4, CJ__TRIALS = 4, CJ__TRIAL_ROUND = 4096 };

// Runs longer than this are shared without being tried: what handing over costs is small beside
// them.
#define CJ__TRIAL_LONG 5e-3 // seconds

// All zeros before the first run. A round is CJ__TRIALS trials, shared and alone in turn, and then
// runs as they have decided.
typedef struct cj__trial {
    int64_t run;     // of the round
    bool alone;      // what was decided
    double least[2]; // seconds of a run so far: shared, and alone; 0 before the first
} cj__trial;

bool cj__trial_shares(const cj__trial *trial);
// the first run of a trial is not: it moves the operands
bool cj__trial_is_timed(const cj__trial *trial);
// a run has ended well; its time, if it is timed
void cj__trial_ran(cj__trial *trial, double seconds);

#endif
