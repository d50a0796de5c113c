// Learning rates by schedules whose steps are said in epochs, or left out.
#ifndef CLI_SCHEDULE_H
#define CLI_SCHEDULE_H

#include "cli.h"

// The spec of a schedule (cajal/schedules.h) with numbers of steps for a run: "2.5 epochs" becomes that
// many steps, and where the length of the schedule is not given (total_steps, decay_steps,
// first_decay_steps) it is that of the whole run. Fails with a sentence if that is no schedule.
cj_status fit_schedule(const char *spec, int64_t steps_per_epoch, int64_t epochs, char *text,
                       size_t size);

#endif
