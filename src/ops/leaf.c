// Leaves: values that are given, not computed. Their symbols are made by symbol.c; a plan binds
// their memory.
#include "ops/op.h"

const cj__op cj__op_input = {.name = "input", .flags = CJ__OP_LEAF};
const cj__op cj__op_variable = {.name = "variable", .flags = CJ__OP_LEAF};
const cj__op cj__op_constant = {.name = "constant", .flags = CJ__OP_LEAF};
