// The formulas of the ops behind keras.ops's words: functions.c, integers.c, along.c, recurrence.c,
// segments.c. See reference.h.
#include "reference.h"

#include <math.h>
#include <string.h>

// The element of `t`, broadcast to the shape `s`, that stands at place `index` of it.
static double broadcast(const cj_tensor *t, const cj_shape *s, int64_t index)
{
    const cj_shape *own = cj_tensor_shape(t);
    int64_t place = 0, step = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        const int axis = i - (s->rank - own->rank);
        if (axis >= 0 && own->dims[axis] != 1)
            place += index % s->dims[i] * step;
        step *= axis >= 0 ? own->dims[axis] : 1;
        index /= s->dims[i];
    }
    return case_get(t, place);
}

static double bessel(double x, int order)
{
    double sum = 0, steps = 4000; // the integral of e^(x cos t) cos(order t) / pi over 0 .. pi
    for (int i = 0; i < steps; i++) {
        const double t = 3.14159265358979323846 * (i + 0.5) / steps;
        sum += exp(x * cos(t)) * cos(order * t) / steps;
    }
    return sum;
}

// By bisection.
static double erf_inverse(double x)
{
    double low = -6, high = 6;
    for (int i = 0; i < 200; i++) {
        const double middle = (low + high) / 2;
        erf(middle) < x ? (low = middle) : (high = middle);
    }
    return low;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double common(double a, double b)
{
    if (a <= 0 || b <= 0)
        return a > b ? a : b;
    double found = 1;
    for (double d = 2; d <= least(a, b); d++)
        if (fmod(a, d) + fmod(b, d) <= 0)
            found = d;
    return found;
}

#define FORMULAS(F)                                      \
    F(sin, sin(x))                                       \
    F(cos, cos(x))                                       \
    F(tan, sin(x) / cos(x))                              \
    F(arcsin, asin(x))                                   \
    F(arccos, acos(x))                                   \
    F(arctan, atan(x))                                   \
    F(sinh, (exp(x) - exp(-x)) / 2)                      \
    F(cosh, (exp(x) + exp(-x)) / 2)                      \
    F(arcsinh, log(x + sqrt(x * x + 1)))                 \
    F(arccosh, log(x + sqrt(x * x - 1)))                 \
    F(arctanh, log((1 + x) / (1 - x)) / 2)               \
    F(expm1, expm1(x))                                   \
    F(exp2, pow(2, x))                                   \
    F(log2, log(x) / log(2))                             \
    F(log10, log(x) / log(10))                           \
    F(cbrt, x < 0 ? -pow(-x, 1.0 / 3) : pow(x, 1.0 / 3)) \
    F(erf, erf(x))                                       \
    F(erfc, 1 - erf(x))                                  \
    F(erfinv, erf_inverse(x))                            \
    F(bessel_i0, bessel(x, 0))                           \
    F(bessel_i1, bessel(x, 1))                           \
    F(floor, floor(x))                                   \
    F(ceil, ceil(x))                                     \
    F(trunc, x < 0 ? ceil(x) : floor(x))                 \
    F(round, floor(x + 0.5))

#define F(name, formula)                                                                  \
    static void ref_##name(const op_case *c, cj_tensor *const *in, cj_tensor *const *out) \
    {                                                                                     \
        (void)c;                                                                          \
        for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {                           \
            const double x = case_get(in[0], i);                                          \
            case_set(out[0], i, formula);                                                 \
        }                                                                                 \
    }
FORMULAS(F)
#undef F

// Integers here are not negative.
#define PAIRS(F)                                            \
    F(mod, a - b * floor(a / b))                            \
    F(fmod, a - b * trunc(a / b))                           \
    F(floor_divide, floor(a / b))                           \
    F(hypot, sqrt(a *a + b * b))                            \
    F(arctan2, atan2(a, b))                                 \
    F(logaddexp, log(exp(a) + exp(b)))                      \
    F(nextafter, nextafter(a, b))                           \
    F(int_add, a + b)                                       \
    F(int_subtract, a - b)                                  \
    F(int_multiply, a *b)                                   \
    F(int_floor_divide, b > 0 ? floor(a / b) : 0)           \
    F(int_mod, b > 0 ? fmod(a, b) : 0)                      \
    F(int_fmod, b > 0 ? fmod(a, b) : 0)                     \
    F(int_power, pow(a, b))                                 \
    F(int_maximum, a > b ? a : b)                           \
    F(int_minimum, least(a, b))                             \
    F(int_gcd, common(a, b))                                \
    F(int_lcm, common(a, b) > 0 ? a * b / common(a, b) : 0) \
    F(int_and, (int)a &(int)b)                              \
    F(int_or, (int)a | (int)b)                              \
    F(int_xor, (int)a ^ (int)b)                             \
    F(int_left_shift, a *pow(2, b))                         \
    F(int_right_shift, floor(a / pow(2, b)))                \
    F(int_equal, a == b)                                    \
    F(int_not_equal, a != b)                                \
    F(int_greater, a > b)                                   \
    F(int_greater_equal, a >= b)                            \
    F(int_less, a < b)                                      \
    F(int_less_equal, a <= b)

#define F(name, formula)                                                                  \
    static void ref_##name(const op_case *c, cj_tensor *const *in, cj_tensor *const *out) \
    {                                                                                     \
        const cj_shape *s = cj_tensor_shape(out[0]);                                      \
        (void)c;                                                                          \
        for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {                           \
            const double a = broadcast(in[0], s, i), b = broadcast(in[1], s, i);          \
            case_set(out[0], i, formula);                                                 \
        }                                                                                 \
    }
PAIRS(F)
#undef F

static void ref_int_select(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj_shape *s = cj_tensor_shape(out[0]);
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, broadcast(in[broadcast(in[0], s, i) > 0 ? 1 : 2], s, i));
}

// x and the result as (outer, n, inner).
typedef struct view {
    int64_t outer, n, inner;
} view;

static view view_of(const cj_tensor *t, int axis)
{
    const cj_shape *s = cj_tensor_shape(t);
    view v = {1, s->dims[axis], 1};
    for (int i = 0; i < s->rank; i++) {
        v.outer *= i < axis ? s->dims[i] : 1;
        v.inner *= i > axis ? s->dims[i] : 1;
    }
    return v;
}

// take_along, and add_along with in[2] in the result's place.
static void ref_along(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const bool adds = c->op == &cj__op_add_along;
    const int axis = ((const cj__along_attrs *)c->attrs)->axis;
    cj_tensor *part = adds ? in[2] : out[0], *whole = adds ? out[0] : in[0];
    const view w = view_of(whole, axis), p = view_of(part, axis);
    for (int64_t i = 0; adds && i < cj_tensor_count(whole); i++)
        case_set(whole, i, 0);
    for (int64_t i = 0; i < cj_tensor_count(part); i++) {
        int64_t entry = (int64_t)broadcast(in[1], cj_tensor_shape(part), i);
        entry += entry < 0 ? w.n : 0;
        const int64_t at = (i / (p.n * p.inner) * w.n + entry) * w.inner + i % p.inner;
        if (adds)
            case_set(whole, at, case_get(whole, at) + case_get(part, i));
        else
            case_set(part, i, case_get(whole, at));
    }
}

// How many entries go before each: the place of its index.
static void ref_argsort(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__along_attrs *attrs = c->attrs;
    const view v = view_of(in[0], attrs->axis);
    for (int64_t line = 0; line < v.outer * v.inner; line++) {
        const int64_t first = line / v.inner * v.n * v.inner + line % v.inner;
        for (int64_t i = 0; i < v.n; i++) {
            int64_t before = 0;
            for (int64_t j = 0; j < v.n; j++) {
                const double own = case_get(in[0], first + i * v.inner),
                             other = case_get(in[0], first + j * v.inner);
                const bool less = attrs->descending ? other > own : other < own;
                before += less || (j < i && !(other < own) && !(other > own));
            }
            case_set(out[0], first + before * v.inner, (double)i);
        }
    }
}

static void ref_recurrence(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__recurrence_attrs *attrs = c->attrs;
    const view v = view_of(in[1], attrs->axis);
    const bool scalar = cj_tensor_shape(in[0])->rank == 0;
    for (int64_t line = 0; line < v.outer * v.inner; line++) {
        const int64_t first = line / v.inner * v.n * v.inner + line % v.inner;
        double s = 0;
        for (int64_t t = 0; t < v.n; t++) {
            const int64_t at = first + (attrs->reverse ? v.n - 1 - t : t) * v.inner;
            s = s * case_get(in[0], scalar ? 0 : at) + case_get(in[1], at);
            case_set(out[0], at, s);
        }
    }
}

static void ref_segment(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const bool least_of = c->op == &cj__op_segment_min;
    const view v = view_of(in[0], 0);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        double y = least_of ? INFINITY : -INFINITY;
        for (int64_t row = 0; row < v.n; row++) {
            const double x = case_get(in[0], row * v.inner + i % v.inner);
            if ((int64_t)case_get(in[1], row) == i / v.inner)
                y = least_of ? fmin(x, y) : fmax(x, y);
        }
        case_set(out[0], i, y);
    }
}

static void ref_scatter_rows(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const view v = view_of(in[0], 0);
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(in[0]); i++)
        case_set(out[0], i, case_get(in[0], i));
    for (int64_t i = 0; i < cj_tensor_count(in[2]); i++)
        case_set(out[0], (int64_t)case_get(in[1], i / v.inner) * v.inner + i % v.inner,
                 case_get(in[2], i));
}

static const struct {
    const cj__op *op;
    reference function;
} rows[] = {
#define F(name, formula) {&cj__op_##name, ref_##name},
    FORMULAS(F) PAIRS(F)
#undef F
        {&cj__op_int_select, ref_int_select},
    {&cj__op_take_along, ref_along},
    {&cj__op_add_along, ref_along},
    {&cj__op_argsort, ref_argsort},
    {&cj__op_recurrence, ref_recurrence},
    {&cj__op_segment_max, ref_segment},
    {&cj__op_segment_min, ref_segment},
    {&cj__op_scatter_rows, ref_scatter_rows},
};

reference reference_of_words(const cj__op *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op)
            return rows[i].function;
    return NULL;
}
