// Watching one value of the logs: which one, whether less or more of it is better, and the best so
// far. Shared by the callbacks that decide by a value; ModelCheckpoint, which needs files and so
// lives in formats/, uses it too.
//
// NaN is a value like any other, and by Keras's comparisons never an improvement; a best value that
// is NaN is never improved on. "No value yet" is `has_best` false.
#ifndef CJ_TRAIN_MONITOR_H
#define CJ_TRAIN_MONITOR_H

#include "base/text.h"
#include <cajal/train.h>

typedef struct cj__monitor {
    const char *callback; // class name, begins sentences
    char *name;
    int direction;    // 1: more is better, -1: less, 0: not known yet ("auto")
    double min_delta; // a smaller change is no improvement
    bool has_best;
    double best;
    bool warned; // that the logs have no such value
} cj__monitor;   // starts as {0}

// name NULL is "val_loss", mode NULL is "auto".
cj_status cj__monitor_open(cj__monitor *monitor, const char *callback, const char *name,
                           const char *mode, double min_delta);
void cj__monitor_close(cj__monitor *monitor);

// Forgets the best value, before a run.
void cj__monitor_reset(cj__monitor *monitor);

// The monitored value; *found is false if the logs lack it. The first time in a run that they lack
// it although it was due, this warns, and `otherwise` says what the callback does then. Settles the
// direction of "auto" by the name, as Keras does by the metric: losses and errors fall, accuracies
// rise; CJ_INVALID_ARGUMENT for a name that is neither.
cj_status cj__monitor_read(cj__monitor *monitor, const cj_model *model, const cj_logs *logs,
                           const char *otherwise, double *value, bool *found);

// Whether the run under way validates, though not in this epoch (validation_freq).
bool cj__monitor_validates_later(const cj_model *model, const cj_logs *logs);

// Whether `value` is better than `reference` by more than min_delta.
bool cj__monitor_better(const cj__monitor *monitor, double value, double reference);

// Whether `value` is better than the best so far, or the first; if so it becomes the best.
bool cj__monitor_improves(cj__monitor *monitor, double value);

// The best so far as numbers that survive a file in which NaN and infinity are the same.
enum { CJ__MONITOR_NUMBERS = 2 };
void cj__monitor_save(const cj__monitor *monitor, double *numbers);
void cj__monitor_restore(cj__monitor *monitor, const double *numbers);

// Appends `template` with {epoch}, {epoch:02d}, {batch} and {name:.4f} replaced: epochs and batches
// count from 1, names are those of the logs. *missing becomes true if a name is not in the logs;
// the text is of no use then. CJ_INVALID_ARGUMENT for what is no field.
cj_status cj__monitor_fill(const char *template, const cj_logs *logs, const char *who,
                           cj__text *text, bool *missing);

#endif
