// What training keeps with a model: the train state, an object that is attached to the model and
// released with it.
//
// It has three parts. *Settings*: the arguments of cj_compile() as the user gave them (a model file
// stores these specs and compiles again when it is loaded). *Variables*: what the optimizer
// remembers, in Keras's order. *Place*: how far the latest cj_fit() came, so that a run stopped at
// any batch goes on to the same bits. What follows from the three (step.h) is made when it is first
// needed and never stored.
//
// To save: cj__state_of(), settings, cj__optimizer_spec(), every cj__state_variable(), place,
// cj__state_memories(). To load: cj_compile_with() with the settings, cj__state_prepare(), then
// assign the variables, `place` and memories.
//
// A model that was never compiled has a state too once it predicts: `settings.optimizer` is NULL
// then.
#ifndef CJ_TRAIN_STATE_H
#define CJ_TRAIN_STATE_H

#include "base/fields.h"
#include "base/object.h"
#include "base/sync.h"
#include "train/flags.h"
#include "train/optimizer.h"
#include "train/settings.h"
#include <cajal/train.h>

// The most values that a log holds.
enum { CJ__MAX_VALUES = 1024 };
// The most entries of the logs: values of training and validation, and the learning rate.
enum { CJ__MAX_LOGS = 2 * CJ__MAX_VALUES + 1 };

// What a place is in the middle of: a checkpoint is written from inside a callback, when those
// before it in the list have been told of the event and those after it have not.
typedef enum cj__event { CJ__EVENT_NONE, CJ__EVENT_BATCH_END, CJ__EVENT_EPOCH_END } cj__event;

// How far training came.
typedef struct cj__place {
    int64_t epoch;       // the epoch under way (or to begin, if batch is 0)
    int64_t batch;       // batches of it that are done
    int64_t samples;     // samples of it that are done
    int64_t batch_size;  // of the run: a resumed one must have the same
    int64_t data_count;  // samples of its data
    int64_t steps;       // its steps_per_epoch, 0 for a pass over the data
    int64_t first_epoch; // the epoch that the run began with
    int64_t passes;      // passes over the data that runs before this one began
    cj__event event;     // what the callbacks are being told, ...
    int told;            // ... and how many of them have been (the one that saves counts as told)
    bool stop;           // one of these asked to stop
    int sum_count;       // running sums of the epoch: one for each value of the training log
    double sums[CJ__MAX_VALUES];
    double weights[CJ__MAX_VALUES]; // value = sum / weight
    double rate; // the learning rate of the epoch, while event is CJ__EVENT_EPOCH_END
    // values of the validation of this epoch, while event is CJ__EVENT_EPOCH_END
    int val_count;
    double val[CJ__MAX_VALUES];
} cj__place;

// What a callback remembers (cj_callback_methods.state). Callbacks of one class are told apart by
// their order.
typedef struct cj__memory {
    char *name;     // class name, owned
    double *values; // owned
    int count;
    cj_tensor **tensors; // held
    int tensor_count;
} cj__memory;

struct cj__step_functions; // step.h

typedef struct cj__train_state {
    cj__object object;
    cj__settings settings; // of the compile
    cj__flags flags;       // trainable flags of all layers at compile

    cj_variable *iterations;    // "optimizer/iterations", int64 scalar: steps done
    cj_variable *learning_rate; // "optimizer/learning_rate", float32 scalar
    // the variables that this compile trains, held; NULL until the model is built
    cj_variable **trained;
    int trained_count;
    cj__state_entry *kept; // what the optimizer keeps, in Keras's order, ...
    cj_variable **slots;   // ... and the variables of it
    int slot_count;

    cj__place place;
    double *metric_states; // of the epoch of the place: sums over its batches (metrics.h), owned
    int metric_state_count;
    cj__memory *memories; // of the callbacks of the latest run
    int memory_count;
    cj_callback *const *callbacks; // of the run under way; NULL between runs
    int callback_count;
    int validation_freq;           // of the run under way; 0 if it does not validate
    double waited;                 // seconds that the steps of the latest run have waited for data
    struct cj__timeline *timeline; // of the run under way: a callback's (data/timeline.h); or NULL
    // the training batch that the callbacks are told of; NULL otherwise,
    const struct cj__batch *batch;
    const struct cj__step_functions *training; // and what ran it

    // where functions run, held; NULL for where the variables are: see cj__model_set_device()
    struct cj__device *device;
    struct cj__arenas *arenas; // what all functions run in (graph/arena.h)
    cj__mutex lock;            // guards the list of functions: several threads may predict
    struct cj__step_functions *functions;
} cj__train_state;

// The state of a model; NULL if it has none.
cj__train_state *cj__state_of(const cj_model *model);
// The same, made if there is none. Safe from several threads.
cj_status cj__state_need(cj_model *model, cj__train_state **state);
// The state of a compiled model, or CJ_NOT_BUILT with a sentence that begins with `who`.
cj_status cj__state_compiled(const cj_model *model, const char *who, cj__train_state **state);

// A state without settings.
cj__train_state *cj__state_new(void);

// Puts a model on a device (ops/device.h), which it takes over: from now on its functions run there
// and its variables live there, those that are built, compiled or loaded later too. A device of the
// host's memory takes it back. Functions made so far are dropped: nobody may be running one. A
// model without a device runs where its variables are, and on a CPU with the pool of
// cj_compile() if that is the host's memory; so models that share layers are put on a device
// one by one, before any of them runs.
struct cj__device;
cj_status cj__model_set_device(cj_model *model, struct cj__device *device);
// Moves all variables to where functions are to run; whenever one is made.
cj_status cj__state_place(cj_model *model, cj__train_state *state);

// Makes the optimizer's slots if the model is built and they are not there.
cj_status cj__state_prepare(cj_model *model, cj__train_state *state);

// The end of a run: weights of which the optimizer keeps moving averages become these.
cj_status cj__state_average(cj__train_state *state);

// Everything the optimizer remembers, in the order of Keras's files: iterations, learning rate
// (unless a schedule computes it), and what it keeps.
int cj__state_variable_count(const cj__train_state *state);
cj_variable *cj__state_variable(const cj__train_state *state, int index);

// A scalar variable "optimizer/<name>". Held by the caller.
cj_variable *cj__state_variable_new(const char *name, cj_dtype dtype, double value);

// Copies the states of the metrics of the place's epoch; NULL for zeros.
cj_status cj__state_keep_metrics(cj__train_state *state, const double *states, int count);

// What the callbacks remember: of the run under way if there is one, else of the latest. Fills
// state->memories.
cj_status cj__state_memories(cj__train_state *state);
// Adds to state->memories, for loading. Name and values are copied, tensors are held.
cj_status cj__state_remember(cj__train_state *state, const char *name, const double *values,
                             int count, cj_tensor *const *tensors, int tensor_count);
void cj__state_forget(cj__train_state *state); // drops state->memories

#endif
