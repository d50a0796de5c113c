// The inside of LossScaleOptimizer: an optimizer whose `scaling` is on.
#ifndef CJ_TRAIN_LOSS_SCALE_H
#define CJ_TRAIN_LOSS_SCALE_H

#include "train/optimizer.h"

enum { CJ__GROWTH_MOST = 1 << 24 }; // the counter is a float32

// The settings of its spec.
typedef struct cj__loss_scale_args {
    const char *name;
    const char *inner_optimizer; // spec
    double initial_scale;
    int64_t dynamic_growth_steps;
} cj__loss_scale_args;

// Turns the scaling of an optimizer on that nobody else has; NULL after a failure, which leaves it.
cj_optimizer *cj__loss_scale_around(cj_optimizer *inner, const cj__loss_scale_args *args);

// The loss times the scale that is kept; the loss itself where none is.
cj_symbol *cj__loss_scaled(cj__build *g, cj_symbol *loss, const cj__state_entry *kept,
                           cj_variable *const *variables, int count);
// Divides the gradients by the scale. Whether all of them are finite: a bool scalar.
cj_symbol *cj__loss_unscale(const cj__updating *updating);
// Keeps every value if they are not, and appends the next scale and counter.
cj_status cj__loss_take(const cj__updating *updating, cj_symbol *finite, cj_update *rows);
// The number of steps done after this one.
cj_symbol *cj__loss_count(cj__build *g, cj_symbol *finite, cj_symbol *iterations);

#endif
