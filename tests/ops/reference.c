// See reference.h. Elements are read by coordinates, with numpy's broadcasting.
#include "reference.h"
#include "ops/spike.h"

#include <math.h>
#include <string.h>

static const cj_shape *shape_of(const cj_tensor *t)
{
    return cj_tensor_shape(t);
}

// The place of a coordinate of an array of `rank` axes in a tensor that is broadcast to it.
static int64_t place(const cj_tensor *t, const int64_t *at, int rank)
{
    const cj_shape *s = shape_of(t);
    int64_t index = 0;
    for (int i = 0; i < s->rank; i++)
        index = index * s->dims[i] + (s->dims[i] == 1 ? 0 : at[rank - s->rank + i]);
    return index;
}

static double get(const cj_tensor *t, const int64_t *at, int rank)
{
    return case_get(t, place(t, at, rank));
}

static bool next(int64_t *at, const cj_shape *s)
{
    for (int i = s->rank - 1; i >= 0; i--) {
        if (++at[i] < s->dims[i])
            return true;
        at[i] = 0;
    }
    return false;
}

// The coordinates of every element in turn.
#define EACH(at, shape) \
    for (bool more_ = (memset(at, 0, sizeof at), true); more_; more_ = next(at, shape))

// Functions of one number
// ---------------------------------------------------------------------------------------------

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double hard(double x)
{
    return fmin(fmax(x / 6 + 0.5, 0), 1);
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

#define SELU_S 1.0507009873554805
#define SELU_T 1.6732632423543772
#define FORMULAS(F)                                                                                \
    F(negative, -x)                                                                                \
    F(absolute, fabs(x))                                                                           \
    F(sign, (x > 0) - (x < 0))                                                                     \
    F(square, x *x)                                                                                \
    F(sqrt, sqrt(x))                                                                               \
    F(rsqrt, 1 / sqrt(x))                                                                          \
    F(reciprocal, 1 / x)                                                                           \
    F(exp, exp(x))                                                                                 \
    F(log, log(x))                                                                                 \
    F(log1p, log1p(x))                                                                             \
    F(relu, fmax(x, 0))                                                                            \
    F(relu6, fmin(fmax(x, 0), 6))                                                                  \
    F(leaky_relu, x > 0 ? x : a * x)                                                               \
    F(elu, x > 0 ? x : a * (exp(x) - 1))                                                           \
    F(selu, x > 0 ? SELU_S * x : SELU_S * SELU_T * (exp(x) - 1))                                   \
    F(sigmoid, sigmoid(x))                                                                         \
    F(tanh, tanh(x))                                                                               \
    F(softplus, softplus(x))                                                                       \
    F(softsign, x / (1 + fabs(x)))                                                                 \
    F(silu, x *sigmoid(x))                                                                         \
    F(gelu, x *(1 + erf(x / sqrt(2.0))) / 2)                                                       \
    F(gelu_tanh, x *(1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x))) / 2) \
    F(hard_sigmoid, hard(x))                                                                       \
    F(hard_silu, x *hard(x))                                                                       \
    F(mish, x *tanh(softplus(x)))                                                                  \
    F(clip, fmin(fmax(x, a), b))

#define F(name, formula)                                                                  \
    static void ref_##name(const op_case *c, cj_tensor *const *in, cj_tensor *const *out) \
    {                                                                                     \
        const double a = ((const cj__unary_attrs *)c->attrs)->a,                          \
                     b = ((const cj__unary_attrs *)c->attrs)->b;                          \
        (void)a, (void)b;                                                                 \
        for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {                           \
            const double x = case_get(in[0], i);                                          \
            case_set(out[0], i, formula);                                                 \
        }                                                                                 \
    }
FORMULAS(F)
#undef F

// Functions of two and three
// ------------------------------------------------------------------------------------------

#define PAIRS(F)              \
    F(add, a + b)             \
    F(subtract, a - b)        \
    F(multiply, a *b)         \
    F(divide, a / b)          \
    F(maximum, a > b ? a : b) \
    F(minimum, a < b ? a : b) \
    F(power, pow(a, b))       \
    F(equal, a == b)          \
    F(not_equal, a != b)      \
    F(greater, a > b)         \
    F(greater_equal, a >= b)  \
    F(less, a < b)            \
    F(less_equal, a <= b)

#define F(name, formula)                                                                  \
    static void ref_##name(const op_case *c, cj_tensor *const *in, cj_tensor *const *out) \
    {                                                                                     \
        int64_t at[CJ_MAX_RANK];                                                          \
        const cj_shape *s = shape_of(out[0]);                                             \
        (void)c;                                                                          \
        EACH(at, s)                                                                       \
        {                                                                                 \
            const double a = get(in[0], at, s->rank), b = get(in[1], at, s->rank);        \
            case_set(out[0], place(out[0], at, s->rank), formula);                        \
        }                                                                                 \
    }
PAIRS(F)
#undef F

static void ref_select(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK];
    const cj_shape *s = shape_of(out[0]);
    (void)c;
    EACH(at, s)
    case_set(out[0], place(out[0], at, s->rank),
             get(in[get(in[0], at, s->rank) != 0 ? 1 : 2], at, s->rank));
}

static void ref_same(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, case_get(in[0], i));
}

// 1 above 0, and with `reached` at 0, too.
static void ref_spike(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__spike_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const double u = case_get(in[0], i);
        case_set(out[0], i, u > 0 || (a->reached && u >= 0) ? 1 : 0);
    }
}

static void ref_round_bf16(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        int exponent;
        const double x = frexp((float)case_get(in[0], i), &exponent);
        case_set(out[0], i, ldexp(nearbyint(ldexp(x, 8)), exponent - 8));
    }
}

static void ref_cast(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const bool real = case_is_real(((const cj__cast_attrs *)c->attrs)->dtype);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, real ? case_get(in[0], i) : trunc(case_get(in[0], i)));
}

static void ref_rescale(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__rescale_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, case_get(in[0], i) * a->scale + a->offset);
}

// Reductions
// -------------------------------------------------------------------------------------------------

// Folds in[0] into out[0]; out's axes are x's with those in `axes` as 1 or left out.
static void fold(const op_case *c, cj_tensor *const *in, cj_tensor *const *out, uint32_t axes)
{
    int64_t at[CJ_MAX_RANK];
    const cj_shape *s = shape_of(in[0]);
    const bool greatest = c->op == &cj__op_reduce_max, least = c->op == &cj__op_reduce_min;
    cj_tensor_fill(out[0], greatest ? -INFINITY : least ? INFINITY : 0);
    EACH(at, s)
    {
        int64_t to = 0;
        for (int i = 0; i < s->rank; i++)
            to = axes >> i & 1 ? to : to * s->dims[i] + at[i];
        const double x = get(in[0], at, s->rank), y = case_get(out[0], to);
        case_set(out[0], to, greatest ? fmax(x, y) : least ? fmin(x, y) : x + y);
    }
}

static void share_out(cj_tensor *out, double ratio)
{
    for (int64_t i = 0; i < cj_tensor_count(out); i++)
        case_set(out, i, case_get(out, i) / ratio);
}

static double ratio(const cj_tensor *large, const cj_tensor *small)
{
    return (double)cj_tensor_count(large) / (double)cj_tensor_count(small);
}

static void ref_reduce(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    fold(c, in, out, ((const cj__reduce_attrs *)c->attrs)->axes);
    if (c->op == &cj__op_reduce_mean)
        share_out(out[0], ratio(in[0], out[0]));
}

static void ref_moments(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const uint32_t axes = ((const cj__reduce_attrs *)c->attrs)->axes;
    int64_t at[CJ_MAX_RANK];
    const cj_shape *s = shape_of(in[0]);
    fold(c, in, out, axes);
    share_out(out[0], ratio(in[0], out[0]));
    cj_tensor_fill(out[1], 0);
    EACH(at, s)
    {
        int64_t to = 0;
        for (int i = 0; i < s->rank; i++)
            to = axes >> i & 1 ? to : to * s->dims[i] + at[i];
        const double away = get(in[0], at, s->rank) - case_get(out[0], to);
        case_set(out[1], to, case_get(out[1], to) + away * away);
    }
    share_out(out[1], ratio(in[0], out[1]));
}

static void ref_divide_by_count(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, case_get(in[0], i) / ratio(in[1], in[0]));
}

static void ref_sum_like(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    uint32_t axes = 0;
    const cj_shape *x = shape_of(in[0]), *like = shape_of(in[1]);
    for (int i = 0; i < x->rank; i++) {
        const int own = i - (x->rank - like->rank);
        axes |= own < 0 || like->dims[own] == 1 ? 1u << i : 0;
    }
    fold(c, in, out, axes);
    if (((const cj__stretch_attrs *)c->attrs)->mean)
        share_out(out[0], ratio(in[0], out[0]));
}

static void ref_broadcast_like(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK];
    const cj_shape *s = shape_of(out[0]);
    EACH(at, s)
    case_set(out[0], place(out[0], at, s->rank), get(in[0], at, s->rank));
    if (((const cj__stretch_attrs *)c->attrs)->mean)
        share_out(out[0], ratio(out[0], in[0]));
}

static void ref_argmax(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK];
    const cj_shape *s = shape_of(in[0]);
    const int axis = ((const cj__axis_attrs *)c->attrs)->axis;
    EACH(at, s)
    {
        int64_t other[CJ_MAX_RANK], to = 0, best = 0;
        memcpy(other, at, sizeof other);
        for (int64_t i = 0; i < s->dims[axis]; i++) {
            other[axis] = i;
            const double x = get(in[0], other, s->rank);
            other[axis] = best;
            best = x > get(in[0], other, s->rank) ? i : best;
        }
        for (int i = 0; i < s->rank; i++)
            to = i == axis ? to : to * s->dims[i] + at[i];
        case_set(out[0], to, (double)best);
    }
}

static void ref_norm_squared(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    double sum = 0;
    (void)c;
    for (int64_t i = 0; i < cj_tensor_count(in[0]); i++)
        sum += case_get(in[0], i) * case_get(in[0], i);
    case_set(out[0], 0, sum);
}

// Shapes
// -------------------------------------------------------------------------------------------------

static void ref_transpose(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK], from[CJ_MAX_RANK];
    const cj_shape *s = shape_of(out[0]);
    EACH(at, s)
    {
        for (int i = 0; i < s->rank; i++)
            from[((const cj__transpose_attrs *)c->attrs)->order[i]] = at[i];
        case_set(out[0], place(out[0], at, s->rank), get(in[0], from, s->rank));
    }
}

static void ref_reverse(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK], from[CJ_MAX_RANK];
    const cj_shape *s = shape_of(out[0]);
    const int axis = ((const cj__axis_attrs *)c->attrs)->axis;
    EACH(at, s)
    {
        memcpy(from, at, sizeof from);
        from[axis] = s->dims[axis] - 1 - at[axis];
        case_set(out[0], place(out[0], at, s->rank), get(in[0], from, s->rank));
    }
}

static void ref_concat(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK], begin = 0;
    const int axis = ((const cj__axis_attrs *)c->attrs)->axis;
    for (int k = 0; k < c->input_count; k++) {
        const cj_shape *s = shape_of(in[k]);
        EACH(at, s)
        {
            const double x = get(in[k], at, s->rank);
            at[axis] += begin;
            case_set(out[0], place(out[0], at, s->rank), x);
            at[axis] -= begin;
        }
        begin += s->dims[axis];
    }
}

// slice and pad: y[i] = x[i + shift] where that exists, else 0.
static void ref_shift(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    int64_t at[CJ_MAX_RANK], from[CJ_MAX_RANK];
    const cj__slice_attrs *a = c->attrs;
    const cj_shape *s = shape_of(out[0]);
    EACH(at, s)
    {
        memcpy(from, at, sizeof from);
        from[a->axis] += c->op == &cj__op_slice ? a->begin : -a->begin;
        const bool inside = from[a->axis] >= 0 && from[a->axis] < shape_of(in[0])->dims[a->axis];
        case_set(out[0], place(out[0], at, s->rank), inside ? get(in[0], from, s->rank) : 0);
    }
}

// unstack and stack: whole[.., i, ..] = parts[i][..].
static void restack(cj_tensor *whole, cj_tensor *const *parts, int axis, bool cut)
{
    int64_t at[CJ_MAX_RANK], part[CJ_MAX_RANK];
    const cj_shape *s = shape_of(whole);
    EACH(at, s)
    {
        for (int i = 0, j = 0; i < s->rank; i++)
            if (i != axis)
                part[j++] = at[i];
        cj_tensor *of = parts[at[axis]];
        const int64_t a = place(whole, at, s->rank), b = place(of, part, s->rank - 1);
        cut ? case_set(of, b, case_get(whole, a)) : case_set(whole, a, case_get(of, b));
    }
}

static void ref_unstack(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    restack(in[0], out, ((const cj__axis_attrs *)c->attrs)->axis, true);
}

static void ref_stack(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    restack(out[0], in, ((const cj__axis_attrs *)c->attrs)->axis, false);
}

static const struct {
    const cj__op *op;
    reference function;
} rows[] = {
#define F(name, formula) {&cj__op_##name, ref_##name},
    FORMULAS(F) PAIRS(F)
#undef F
        {&cj__op_select, ref_select},
    {&cj__op_stop_gradient, ref_same},
    {&cj__op_round_bf16, ref_round_bf16},
    {&cj__op_spike, ref_spike},
    {&cj__op_cast, ref_cast},
    {&cj__op_rescale, ref_rescale},
    {&cj__op_reduce_sum, ref_reduce},
    {&cj__op_reduce_mean, ref_reduce},
    {&cj__op_reduce_max, ref_reduce},
    {&cj__op_reduce_min, ref_reduce},
    {&cj__op_moments, ref_moments},
    {&cj__op_divide_by_count, ref_divide_by_count},
    {&cj__op_sum_like, ref_sum_like},
    {&cj__op_broadcast_like, ref_broadcast_like},
    {&cj__op_argmax, ref_argmax},
    {&cj__op_norm_squared, ref_norm_squared},
    {&cj__op_reshape, ref_same},
    {&cj__op_transpose, ref_transpose},
    {&cj__op_reverse, ref_reverse},
    {&cj__op_concat, ref_concat},
    {&cj__op_slice, ref_shift},
    {&cj__op_pad, ref_shift},
    {&cj__op_unstack, ref_unstack},
    {&cj__op_stack, ref_stack},
};

reference reference_of(const cj__op *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op)
            return rows[i].function;
    reference found = reference_of_update(op);
    found = found ? found : reference_of_images(op);
    found = found ? found : reference_of_words(op);
    found = found ? found : reference_of_texts(op);
    return found ? found : reference_of_network(op);
}
