// The functions that train, test and predict: one call is one step. A function is made for each
// mode and each combination of data types when it is first needed, and kept in the model's train
// state.
//
// Its inputs are x..., y..., and the sample weights if there are any: of all outputs, or of each. The outputs of training and
// testing are scalars, and states of metrics (metrics.h). A *row* is one value of the log; it says
// which of these outputs are its sum and its weight, or its states. Prediction returns the model's
// outputs.
#ifndef CJ_TRAIN_STEP_H
#define CJ_TRAIN_STEP_H

#include "graph/graph.h"
#include "data/dataset.h"
#include "layers/layer.h"
#include "train/metrics.h"
#include "train/state.h"

typedef enum cj__mode { CJ__MODE_TRAIN, CJ__MODE_TEST, CJ__MODE_PREDICT } cj__mode;

// One value of the log. Over the batches b of n samples it is sum of s(b) / sum of w(b), or what its
// metric makes of the sums of its states.
typedef struct cj__row {
    char *name;        // unique among the rows, owned
    int sum;           // output that gives s, or the batch's mean if `mean`
    int weight;        // output that gives w; -1 if w = n * per_sample
    bool mean;         // s = n * output, w = n
    double per_sample; // values per sample: 10 for a metric over 10 steps
    // of a metric with states; NULL for others
    const cj__metric_row *metric;
    cj__chosen chosen;      // its arguments, owned
    int state, state_count; // where its states are among those of all rows, and how many
} cj__row;

typedef struct cj__step_functions {
    struct cj__step_functions *next;
    cj__mode mode;
    int x_count, y_count, weight_count;
    cj__type *x, *y, *weights; // of the data, the batch axis free; x is the start of the memory
    cj_function *function;
    int row_count;
    cj__row *rows;
    int scalar_count; // outputs of training and testing
    int state_count;  // states of all rows
} cj__step_functions;

void cj__functions_free(cj__step_functions *functions);

// Finds the function for a data set's types, or makes it; with `class_weights` there is a weight a
// sample, which the data does not have. Several threads may call it for prediction.
cj_status cj__functions_find(cj_model *model, cj__train_state *state, cj__mode mode,
                             const cj_dataset *data, bool class_weights,
                             const cj__step_functions **functions);
// The one for a batch of such data: `usual`, or that of the batch's own length. CJ_SHAPE_MISMATCH for
// a model whose length is not free, and as cj__functions_find().
cj_status cj__functions_of_batch(cj_model *model, cj__train_state *state, const cj_dataset *data,
                                 const cj__batch *batch, const cj__step_functions *usual,
                                 const cj__step_functions **functions);

// What is summed over batches: a sum and a weight for each row, and the states of all rows; with room
// for the states of one batch, which is not the function's, since several threads may evaluate.
typedef struct cj__totals {
    double *sums, *weights, *states;
    float *batch_states;
} cj__totals;

// Runs one training or test step on a batch and adds its values to the totals.
cj_status cj__step_run(const cj__step_functions *functions, const cj__batch *batch,
                       const cj__totals *totals);

// The values of the log as totals stand: sum / weight, 0 where nothing was weighed, or what a metric
// makes of its states.
void cj__row_values(const cj__step_functions *functions, const cj__totals *totals, double *values);

// The graph of a step. TerminateOnNaN traces it a second time, with a watch callback.
typedef struct cj__step {
    cj__trace trace;
    cj_symbol **inputs; // x, y, weights: as the function takes them
    int input_count;
    cj_symbol **targets; // of each output
    cj__value *outputs;  // of the model
    int output_count;
    cj_symbol *scalars[2 * CJ__MAX_VALUES + 1];
    int scalar_count;
    cj_symbol *total; // loss
} cj__step;

// Removes all rows and frees their names.
void cj__rows_clear(cj__step_functions *functions);

// Traces model, losses and metrics into `step` (zeroed but for trace.watch); fills the rows. End
// with cj__trace_end().
cj_status cj__step_trace(cj_model *model, cj__train_state *state, cj__step_functions *functions,
                         cj__step *step);

#endif
