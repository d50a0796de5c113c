// One recurrent cell in double: SimpleRNN, LSTM or GRU, the layer or its cell. A bound for float32's
// error is carried from step to step, so that the check allows for it in long sequences.
#ifndef CJ_EXPLAIN_STAGE_H
#define CJ_EXPLAIN_STAGE_H

#include "explain/explain.h"

enum { CJ__STAGE_GATES = 4 };

typedef struct cj__stage {
    const cj__explanation *explanation;
    const struct cj__stage_kind *kind;
    cj__record weights; // of the cell alone
    const cj_tensor *kernel, *recurrent, *bias;
    int64_t features, units;
    bool reset_after;
    const char *specs[2]; // activation, recurrent_activation
    cj__curve curves[2];
    cj__bounded h, c, sum[CJ__STAGE_GATES], gate[CJ__STAGE_GATES], state_part, dropped, next;
    cj__bounded before_h, before_c; // the states before the last step
    cj__bounded entry;              // what the last step read
    double *column, *scratch, *memory;
} cj__stage;

// Whether a layer of that class is such a cell or a layer of it.
bool cj__is_stage(const cj_layer *layer);
// Its states: 1 or 2.
int cj__stage_states(const cj_layer *layer);
// The cell of these weights for inputs of `features`; states are 0. Ended by cj__stage_close() also
// after a failure.
cj_status cj__stage_open(cj__stage *stage, const cj__explanation *explanation, cj_layer *cell,
                         int64_t features);
void cj__stage_close(cj__stage *stage);
// One step that reads stage->entry. States are rounded as the layer rounds its outputs.
cj_status cj__stage_advance(cj__stage *stage);
// Prints how the last step made h of one unit.
cj_status cj__stage_print(const cj__stage *stage, int64_t unit);

#endif
