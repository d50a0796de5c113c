// The derivative by v of f'(v), for each function of CJ__UNARIES whose f' is not piecewise
// constant; NULL is zero.
#ifndef CJ_OPS_SECOND_H
#define CJ_OPS_SECOND_H

#include "ops/build.h"

typedef cj_symbol *(*cj__second)(cj__build *g, cj_symbol *v, double a, double b);
extern const cj__second cj__seconds[CJ__UNARY_COUNT];

#endif
