// Making results: see cj_results.
#ifndef CJ_TRAIN_RESULTS_H
#define CJ_TRAIN_RESULTS_H

#include "train/step.h"

// A new object with a value for each row of the functions. NULL on failure.
cj_status cj__results_new(const cj__step_functions *functions, const double *values,
                          cj_results **results);

#endif
