// Element-wise functions beside those that the kernels have (kernels.h): lists of rows from which ops,
// tables, enums and the tests' cases come.
#ifndef CJ_OPS_FUNCTIONS_H
#define CJ_OPS_FUNCTIONS_H

// Of one real operand: name, the numbers that the tests try (cases.h: FILL_...), formula. The body
// and the derivative are in functions.c.
#define CJ__FUNCTIONS(F)                                                        \
    F(sin, ANY, "sin x")                                                        \
    F(cos, ANY, "cos x")                                                        \
    F(tan, UNIT, "tan x")                                                       \
    F(arcsin, UNIT, "the angle in -pi/2 .. pi/2 whose sine is x")               \
    F(arccos, UNIT, "the angle in 0 .. pi whose cosine is x")                   \
    F(arctan, ANY, "the angle in -pi/2 .. pi/2 whose tangent is x")             \
    F(sinh, ANY, "(e^x - e^-x) / 2")                                            \
    F(cosh, ANY, "(e^x + e^-x) / 2")                                            \
    F(arcsinh, ANY, "ln(x + sqrt(x^2 + 1))")                                    \
    F(arccosh, ABOVE_1, "ln(x + sqrt(x^2 - 1))")                                \
    F(arctanh, UNIT, "ln((1 + x) / (1 - x)) / 2")                               \
    F(expm1, UNIT, "e^x - 1")                                                   \
    F(exp2, UNIT, "2^x")                                                        \
    F(log2, POSITIVE, "ln x / ln 2")                                            \
    F(log10, POSITIVE, "ln x / ln 10")                                          \
    F(cbrt, ANY, "x^(1/3)")                                                     \
    F(erf, UNIT, "2 / sqrt(pi) times the integral of e^(-t^2) over 0 .. x")     \
    F(erfc, UNIT, "1 - erf x")                                                  \
    F(erfinv, UNIT, "the number whose erf is x")                                \
    F(bessel_i0, ANY, "modified Bessel function of the first kind, of order 0") \
    F(bessel_i1, ANY, "the same of order 1: the derivative of bessel_i0")       \
    F(floor, ANY, "the greatest whole number that is not above x")              \
    F(ceil, ANY, "the least whole number that is not below x")                  \
    F(trunc, ANY, "x without its fraction")                                     \
    F(round, ANY, "the nearest whole number, of two the even one")

// Of two real operands, with numpy's broadcasting: name, formula.
#define CJ__FUNCTION_PAIRS(F)                                           \
    F(mod, "a - b floor(a / b), with the sign of b")                    \
    F(fmod, "a - b trunc(a / b), with the sign of a")                   \
    F(floor_divide, "floor(a / b)")                                     \
    F(hypot, "sqrt(a^2 + b^2), without overflow")                       \
    F(arctan2, "the angle of the point with abscissa b and ordinate a") \
    F(logaddexp, "ln(e^a + e^b), without overflow")                     \
    F(nextafter, "the number next to a in the direction of b")

// Of two operands of one dtype that is int32, int64, uint8 or bool, with numpy's broadcasting: name,
// formula. Results have that dtype, and wrap round.
#define CJ__INTEGER_PAIRS(F)                                      \
    F(add, "a + b")                                               \
    F(subtract, "a - b")                                          \
    F(multiply, "a b")                                            \
    F(floor_divide, "floor(a / b); 0 where b is 0")               \
    F(mod, "a - b floor(a / b); 0 where b is 0")                  \
    F(fmod, "a - b trunc(a / b); 0 where b is 0")                 \
    F(power, "a^b; 0 where b is negative, but for a of 1 and -1") \
    F(maximum, "max(a, b)")                                       \
    F(minimum, "min(a, b)")                                       \
    F(gcd, "the greatest common divisor of |a| and |b|")          \
    F(lcm, "the least common multiple of |a| and |b|")            \
    F(and, "the bits that both have")                             \
    F(or, "the bits that either has")                             \
    F(xor, "the bits that one of the two has")                    \
    F(left_shift, "a 2^b; 0 from b = the number of bits on")      \
    F(right_shift, "floor(a / 2^b)")

// Comparisons of such operands: booleans.
#define CJ__INTEGER_COMPARISONS(F) \
    F(equal, "a == b")             \
    F(not_equal, "a != b")         \
    F(greater, "a > b")            \
    F(greater_equal, "a >= b")     \
    F(less, "a < b")               \
    F(less_equal, "a <= b")

typedef enum cj__function {
#define CJ__ROW(name, ...) CJ__FUNCTION_##name,
    CJ__FUNCTIONS(CJ__ROW)
#undef CJ__ROW
        CJ__FUNCTION_COUNT
} cj__function;

typedef enum cj__function_pair {
#define CJ__ROW(name, formula) CJ__PAIR_##name,
    CJ__FUNCTION_PAIRS(CJ__ROW)
#undef CJ__ROW
        CJ__PAIR_COUNT
} cj__function_pair;

// Those of CJ__INTEGER_PAIRS, then the comparisons.
typedef enum cj__integer {
#define CJ__ROW(name, formula) CJ__INTEGER_##name,
    CJ__INTEGER_PAIRS(CJ__ROW) CJ__INTEGER_COMPARISONS(CJ__ROW)
#undef CJ__ROW
        CJ__INTEGER_COUNT
} cj__integer;

#endif
