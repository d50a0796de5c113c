// The surrogates of a spike's gradient by name: the catalog of specs such as "atan(alpha=2)".
#ifndef CJ_LAYERS_SURROGATES_H
#define CJ_LAYERS_SURROGATES_H

#include "layers/layer.h"
#include "ops/spike.h"

extern const cj__catalog cj__surrogates;

// The attributes of the op that a spec means; `reached`: a spike where u is 0, too.
cj_status cj__surrogate_attrs(const char *spec, const char *who, bool reached,
                              cj__spike_attrs *attrs);

#endif
