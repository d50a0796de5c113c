// Schedules: learning rates by the number of the step (cajal/schedules.h has the formulas). A schedule
// is known by its spec. The op `schedule` computes the rate within the step's function from the same
// formula that answers cj_schedule_rate().
#ifndef CJ_TRAIN_SCHEDULE_H
#define CJ_TRAIN_SCHEDULE_H

#include "base/fields.h"
#include "ops/build.h"
#include <cajal/schedules.h>

extern const cj__catalog cj__schedules;

// What the op needs for a spec; `who` begins the sentences.
cj_status cj__schedule_attrs_of(const char *spec, const char *who, cj__schedule_attrs *attrs);
// The rate at the step that the int64 scalar `step` counts, float32; NULL after a failure.
cj_symbol *cj__schedule(cj__build *g, const char *spec, cj_symbol *step);

#endif
