// The variables of the environment that the library reads.
#ifndef CJ_BASE_ENVIRONMENT_H
#define CJ_BASE_ENVIRONMENT_H

#include <cajal/base.h>

// Whether CAJAL_ISA, CAJAL_NUM_THREADS and CAJAL_DENORMALS are unset, empty or have a valid
// value. Functions that compute check this before they begin, so that a misspelt value is not
// ignored silently. CJ_INVALID_ARGUMENT.
cj_status cj__environment_check(void);

#endif
