// The operators of cajal/ops_random.h.
#include "base/random.h"
#include "ops/infer.h"
#include "ops/words.h"
#include <cajal/ops_random.h>
#include <math.h>

// Takes the symbols and the step over, which may be NULL: then it is the constant 0.
static bool take(cj__build *g, cj_symbol *const *symbols, int count, cj_symbol **step)
{
    cj_symbol *all[3];
    cj_tensor *zero = NULL;
    for (int i = 0; i < count; i++)
        all[i] = symbols[i];
    all[count] = *step;
    if (cj__build_take(g, all, *step ? count + 1 : count) != CJ_OK)
        return false;
    if (!*step) {
        const cj_status status = cj_tensor_new(CJ_I64, (cj_shape){.rank = 0}, &zero);
        if (status == CJ_OK)
            *(int64_t *)cj_tensor_data(zero) = 0;
        *step = cj__word_tensor(g, status, zero);
    }
    return g->status == CJ_OK;
}

// The pattern of the numbers: reals in the shape of `like`.
static cj_symbol *real_like(cj__build *g, cj_symbol *like)
{
    return like && cj__is_integer(cj_symbol_dtype(like)) ?
               cj__broadcast_like(g, cj__scalar(g, CJ_F32, 0), like) :
               like;
}

static bool finite(cj__build *g, const char *who, double a, double b)
{
    if (isfinite(a) && isfinite(b))
        return true;
    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "%s: %g and %g must be finite", who, a, b));
    return false;
}

cj_symbol *cj_op_random_uniform(cj_symbol *like, double minval, double maxval, uint64_t seed,
                                cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &like, 1, &step) && finite(g, "random_uniform", minval, maxval))
        y = cj__random_uniform_like(g, real_like(g, like), step, cj__key(seed, "uniform"), minval,
                                    maxval - minval);
    CJ__GIVE;
}

cj_symbol *cj_op_random_normal(cj_symbol *like, double mean, double stddev, uint64_t seed,
                               cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &like, 1, &step) && finite(g, "random_normal", mean, stddev))
        y = cj__random_normal_like(g, real_like(g, like), step, cj__key(seed, "normal"), mean,
                                   stddev);
    CJ__GIVE;
}

// The inverse of the distribution: sqrt 2 erfinv(u), u uniform between erf(-sqrt 2) and erf(sqrt 2).
cj_symbol *cj_op_random_truncated_normal(cj_symbol *like, double mean, double stddev, uint64_t seed,
                                         cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &like, 1, &step) && finite(g, "random_truncated_normal", mean, stddev)) {
        const double limit = erf(sqrt(2)), half = limit * 0x1p-24; // half a step inside
        y = cj__random_uniform_like(g, real_like(g, like), step, cj__key(seed, "truncated_normal"),
                                    half - limit, 2 * limit);
        y = cj__scale(g, cj__apply_function(g, CJ__FUNCTION_erfinv, y), stddev * sqrt(2));
        y = cj__shift(g, y, mean);
    }
    CJ__GIVE;
}

// Two uniform numbers of 24 bits make one of 48.
cj_symbol *cj_op_random_randint(cj_symbol *like, int64_t minval, int64_t maxval, uint64_t seed,
                                cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &like, 1, &step)) {
        const double range = (double)maxval - (double)minval;
        if (minval >= maxval || minval < INT32_MIN || maxval - 1 > INT32_MAX) {
            y = cj__word_refuse(g,
                                cj__fail(CJ_INVALID_ARGUMENT,
                                         "random_randint: %lld .. %lld, needed are two int32, the "
                                         "second greater",
                                         (long long)minval, (long long)maxval));
        } else {
            cj_symbol *wide = cj__broadcast_like(g, cj__scalar(g, CJ_F64, 0), like);
            cj_symbol *high =
                cj__random_uniform_like(g, wide, step, cj__key(seed, "randint"), 0, 1);
            cj_symbol *low =
                cj__random_uniform_like(g, wide, step, cj__key(seed, "randint/low"), 0, 0x1p-24);
            y = cj__scale(g, cj__add(g, high, low), range);
            y = cj__shift(g, cj__apply_function(g, CJ__FUNCTION_floor, y), (double)minval);
            y = cj__cast(g, y, CJ_I32);
        }
    }
    CJ__GIVE;
}

// The greatest of logits + Gumbel's noise -ln(-ln u) (Gumbel, 1954).
cj_symbol *cj_op_random_categorical(cj_symbol *logits, int64_t count, uint64_t seed,
                                    cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &logits, 1, &step)) {
        if (cj_symbol_shape(logits)->rank != 2 || count < 1) {
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                            "random_categorical: %lld draws by logits of %d axes, "
                                            "needed are 1 or more and (batch, classes)",
                                            (long long)count, cj_symbol_shape(logits)->rank));
        } else {
            cj_symbol *x = cj__word_expand(g, cj__word_real(g, logits), 1);
            cj_symbol *times = cj__word_along(g, cj__word_range(g, 0, count), 3, 1);
            x = cj__word_stretch(g, x, times);
            cj_symbol *u = cj__random_uniform_like(g, x, step, cj__key(seed, "categorical"),
                                                   0x1p-25, 1 - 0x1p-24);
            for (int i = 0; i < 2; i++)
                u = cj__apply_unary(g, CJ__UNARY_negative,
                                    cj__apply_unary(g, CJ__UNARY_log, u, 0, 0), 0, 0);
            y = cj__argmax(g, cj__add(g, x, u), 2);
        }
    }
    CJ__GIVE;
}

cj_symbol *cj_op_random_gamma(cj_symbol *alpha, uint64_t seed, cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &alpha, 1, &step))
        y = cj__random_gamma(g, cj__word_real(g, alpha), step, cj__key(seed, "gamma"));
    CJ__GIVE;
}

// Both in their common shape and dtype.
static void stretch_both(cj__build *g, cj_symbol **a, cj_symbol **b)
{
    cj__word_join(g, a, b);
    *a = cj__word_real(g, *a), *b = cj__word_real(g, *b);
    cj_symbol *first = *a;
    *a = cj__word_stretch(g, *a, *b);
    *b = cj__word_stretch(g, *b, first);
}

cj_symbol *cj_op_random_beta(cj_symbol *alpha, cj_symbol *beta, uint64_t seed, cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, (cj_symbol *[]){alpha, beta}, 2, &step)) {
        stretch_both(g, &alpha, &beta);
        cj_symbol *first = cj__random_gamma(g, alpha, step, cj__key(seed, "beta/first"));
        cj_symbol *second = cj__random_gamma(g, beta, step, cj__key(seed, "beta/second"));
        y = cj__div(g, first, cj__add(g, first, second));
    }
    CJ__GIVE;
}

cj_symbol *cj_op_random_binomial(cj_symbol *counts, cj_symbol *probabilities, uint64_t seed,
                                 cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, (cj_symbol *[]){counts, probabilities}, 2, &step)) {
        stretch_both(g, &counts, &probabilities);
        y = cj__random_binomial(g, counts, probabilities, step, cj__key(seed, "binomial"));
    }
    CJ__GIVE;
}

// The order of random numbers.
cj_symbol *cj_op_random_shuffle(cj_symbol *x, int axis, uint64_t seed, cj_symbol *step)
{
    int place = 0;
    CJ__BEGIN;
    if (take(g, &x, 1, &step) && cj__word_fixed_axis(g, "random_shuffle", x, axis, &place)) {
        cj_symbol *numbers = cj__word_range(g, 0, cj_symbol_shape(x)->dims[place]);
        numbers = cj__broadcast_like(g, cj__scalar(g, CJ_F32, 0), numbers);
        numbers = cj__random_uniform_like(g, numbers, step, cj__key(seed, "shuffle"), 0, 1);
        cj_symbol *order = cj__argsort(g, numbers, 0, false);
        y = cj__take_along(g, x, cj__word_along(g, order, cj_symbol_shape(x)->rank, place), place);
    }
    CJ__GIVE;
}

cj_symbol *cj_op_random_dropout(cj_symbol *x, double rate, uint64_t seed, cj_symbol *step)
{
    CJ__BEGIN;
    if (take(g, &x, 1, &step))
        y = cj__dropout(g, cj__word_real(g, x), step, cj__key(seed, "dropout"), rate);
    CJ__GIVE;
}
