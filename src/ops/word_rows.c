// Words without settings.
#include "ops/word.h"
#include <cajal/operators.h>

CJ__BINARY_WORD(add, "Add", CJ__NUMPY)
CJ__BINARY_WORD(subtract, "Subtract", CJ__NUMPY)
CJ__BINARY_WORD(multiply, "Multiply", CJ__NUMPY)
CJ__BINARY_WORD_TOO(divide, "Divide", CJ__NUMPY, "TrueDivide")
CJ__BINARY_WORD(maximum, "Maximum", CJ__NUMPY)
CJ__BINARY_WORD(minimum, "Minimum", CJ__NUMPY)
CJ__BINARY_WORD(power, "Power", CJ__NUMPY)
CJ__BINARY_WORD(equal, "Equal", CJ__NUMPY)
CJ__BINARY_WORD(not_equal, "NotEqual", CJ__NUMPY)
CJ__BINARY_WORD(greater, "Greater", CJ__NUMPY)
CJ__BINARY_WORD(greater_equal, "GreaterEqual", CJ__NUMPY)
CJ__BINARY_WORD(less, "Less", CJ__NUMPY)
CJ__BINARY_WORD(less_equal, "LessEqual", CJ__NUMPY)
CJ__BINARY_WORD(logical_and, "LogicalAnd", CJ__NUMPY)
CJ__BINARY_WORD(logical_or, "LogicalOr", CJ__NUMPY)
CJ__BINARY_WORD(logical_xor, "LogicalXor", CJ__NUMPY)

CJ__UNARY_WORD(negative, "Negative", CJ__NUMPY, "x")
CJ__UNARY_WORD(exp, "Exp", CJ__NUMPY, "x")
CJ__UNARY_WORD(log, "Log", CJ__NUMPY, "x")
CJ__UNARY_WORD(sqrt, "Sqrt", CJ__NUMPY, "x")
CJ__UNARY_WORD(square, "Square", CJ__NUMPY, "x")
CJ__UNARY_WORD(absolute, "Absolute", CJ__NUMPY, "x")
CJ__UNARY_WORD(relu, "Relu", CJ__NN, "x")
CJ__UNARY_WORD(sign, "Sign", CJ__NUMPY, "x")
CJ__UNARY_WORD(log1p, "Log1p", CJ__NUMPY, "x")
CJ__UNARY_WORD(rsqrt, "Rsqrt", CJ__MATH, "x")
CJ__UNARY_WORD(reciprocal, "Reciprocal", CJ__NUMPY, "x")
CJ__UNARY_WORD(logical_not, "LogicalNot", CJ__NUMPY, "x")
CJ__UNARY_WORD(stop_gradient, "StopGradient", CJ__CORE, "variable")

static cj_symbol *make_where(const cj__word *word, cj_symbol *const *x, int n, const void *settings)
{
    (void)word, (void)n, (void)settings;
    return cj_op_where(x[0], x[1], x[2]);
}

const cj__word cj__word_where = {.choice = CJ__PLAIN_CHOICE("where", "Where"),
                                 .module = CJ__NUMPY,
                                 .operands = (const char *const[]){"condition", "x1", "x2", NULL},
                                 .least = 3,
                                 .most = 3,
                                 .make = make_where};

static cj_symbol *make_matmul(const cj__word *word, cj_symbol *const *x, int n,
                              const void *settings)
{
    (void)word, (void)n, (void)settings;
    return cj_op_matmul(x[0], x[1]);
}

const cj__word cj__word_matmul = {.choice = CJ__PLAIN_CHOICE("matmul", "Matmul"),
                                  .module = CJ__NUMPY,
                                  .operands = (const char *const[]){"x1", "x2", NULL},
                                  .least = 2,
                                  .most = 2,
                                  .one_dtype = true,
                                  .make = make_matmul};
