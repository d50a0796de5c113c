// Watching one value of the log: which it is, and whether less or more is better. Shared by the
// callbacks that decide by a value; ModelCheckpoint, which needs files and so lives in formats/,
// uses it too.
#ifndef CJ_TRAIN_MONITOR_H
#define CJ_TRAIN_MONITOR_H

#include "base/text.h"
#include <cajal/train.h>

typedef struct cj__monitor {
    char *name;
    int direction;    // 1: more is better, -1: less, 0: not known yet ("auto")
    double min_delta; // a smaller change is no improvement
} cj__monitor;        // starts as {0}

// name NULL is "val_loss", mode NULL is "auto". `who` begins sentences.
cj_status cj__monitor_open(cj__monitor *monitor, const char *name, const char *mode,
                           double min_delta, const char *who);
void cj__monitor_close(cj__monitor *monitor);

// The monitored value; *found is false if the logs lack it. Settles the direction of "auto" by the
// name, as Keras does by the metric: losses and errors fall, accuracies rise; CJ_INVALID_ARGUMENT
// for a name that is neither.
cj_status cj__monitor_read(cj__monitor *monitor, const cj_logs *logs, const char *who,
                           double *value, bool *found);

// Whether `value` is better than `best` by more than min_delta; anything is better than NAN.
bool cj__monitor_better(const cj__monitor *monitor, double value, double best);

// Appends `template` with {epoch}, {epoch:02d}, {batch} and {name:.4f} replaced: epochs and batches
// count from 1, names are those of the logs.
cj_status cj__monitor_fill(const char *template, const cj_logs *logs, const char *who,
                           cj__text *text);

#endif
