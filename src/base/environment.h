// The variables of the environment that the library reads.
#ifndef CJ_BASE_ENVIRONMENT_H
#define CJ_BASE_ENVIRONMENT_H

#include <cajal/base.h>

// Whether CAJAL_ISA, CAJAL_NUM_THREADS and CAJAL_DENORMALS are unset, empty or have a value that
// means something. What computes asks this before it begins, so that a misspelt value is not passed
// over in silence. CJ_INVALID_ARGUMENT.
cj_status cj__environment_check(void);

#endif
