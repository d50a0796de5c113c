// A run of cj_fit() under way. Where training is stands in state->place and nowhere else, so that a
// run can be stopped after any batch, or saved from inside any callback, and go on to the same
// bits.
//
// The order of the samples is a function of the model's seed and the number of the pass, counted
// over all runs since the model was compiled. With steps_per_epoch an epoch is not a pass: batches
// are then counted from the run's first epoch, and pass and batch follow from that count.
//
// fit.c opens a run: data, callbacks, functions. What is here begins when all of that is known to be
// right.
#ifndef CJ_TRAIN_RUN_H
#define CJ_TRAIN_RUN_H

#include "train/callbacks.h"
#include "train/class_weights.h"
#include "train/evaluate.h"
#include "train/history.h"

typedef struct cj__fit_run {
    cj_model *model;
    cj__train_state *state;
    const cj_fit_args *args;
    cj_dataset *data, *validation; // held if they are slices
    bool is_split;                 // data and validation are slices of the given data
    bool is_restored;              // a callback brought the place of an ended process back
    bool is_resumed;
    bool is_exclusive;       // no other thread may use the model until the run is closed
    cj_callback **callbacks; // held
    int callback_count;
    const cj__step_functions *functions;
    float *batch_states; // of metrics, of a batch
    cj__evaluator evaluator;
    cj__reader *reader;
    bool reader_is_set; // the reader is at the batch of the place
    bool pass_is_begun; // ahead of its first batch
    double waited;      // seconds, before this epoch
    int64_t *order;     // NULL without shuffling
    uint64_t key;
    int64_t batch_size;
    int64_t batches, steps; // of a pass, of an epoch
    cj__class_weights class_weights;
    cj_history *history; // held
    cj_logs logs;
    const char *names[CJ__MAX_LOGS]; // of training, of validation, and the learning rate
    double values[CJ__MAX_LOGS];
    char *val_names[CJ__MAX_VALUES];
    bool rate_is_logged; // a callback of the run sets the learning rate
} cj__fit_run;

// Where to begin: at the place of the stopped run, if `resume` asks for it and it had the same
// batches, else at the initial epoch. CJ_INVALID_ARGUMENT, CJ_BAD_FILE.
cj_status cj__run_open_place(cj__fit_run *run);
// The names and counts of the logs. CJ_OUT_OF_MEMORY.
cj_status cj__run_open_logs(cj__fit_run *run);
// Trains until the last epoch, or until a callback asks to stop.
cj_status cj__run_train(cj__fit_run *run);

#endif
