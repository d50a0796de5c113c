// Losses and metrics that a program registers: cajal/custom.h.
#ifndef CJ_TRAIN_CUSTOM_H
#define CJ_TRAIN_CUSTOM_H

#include "base/fields.h"

// The row of a registered class for its catalog; NULL if there is none of that name.
const cj__choice *cj__custom_loss_find(const char *name);
const cj__choice *cj__custom_metric_find(const char *name);

#endif
