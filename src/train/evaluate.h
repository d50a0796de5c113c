// Evaluating a data set, once or after each epoch.
#ifndef CJ_TRAIN_EVALUATE_H
#define CJ_TRAIN_EVALUATE_H

#include "train/callbacks/progbar.h"
#include "train/step.h"

typedef struct cj__evaluator {
    cj_model *model;
    cj__train_state *state;
    cj_dataset *data;
    const char *who; // begins sentences
    const cj__step_functions *functions;
    cj__reader *reader;
    double *states;      // of a pass
    float *batch_states; // of a batch
} cj__evaluator;         // starts as {0}

// Checks the data and makes what is needed. `who` begins sentences.
cj_status cj__evaluator_open(cj__evaluator *evaluator, cj_model *model, cj__train_state *state,
                             cj_dataset *data, int64_t batch_size, const char *who);
// One pass, or its first `steps` batches if that is not 0; `values` gets one for each row of the
// functions. `progress`, if not NULL, is shown them after each batch.
cj_status cj__evaluator_run(cj__evaluator *evaluator, int64_t steps, cj__progress *progress,
                            double *values);
void cj__evaluator_close(cj__evaluator *evaluator);

#endif
