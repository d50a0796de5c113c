// The table of all ops.
#include "ops/op.h"

const cj__op *const cj__ops[] = {
#define CJ__OP(name, formula) &cj__op_##name,
#include "ops/ops.def"
#undef CJ__OP
    NULL,
};
