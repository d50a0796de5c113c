// The operators of cajal/ops_wide.h, but for quantiles (words_statistics.c).
#include "base/memory.h"
#include "base/random.h"
#include "ops/infer.h"
#include "ops/reductions.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_wide.h>
#include <math.h>
#include <string.h>

// ---- Padding ----

static const char *const modes[] = {"constant", "edge",    "reflect", "symmetric", "wrap",
                                    "maximum",  "minimum", "mean",    "median",    "linear_ramp"};
enum { CONSTANT, EDGE, REFLECT, SYMMETRIC, WRAP, MAXIMUM, MINIMUM, MEAN, MEDIAN, RAMP, MODES };

static int mode_of(cj__build *g, const char *mode)
{
    int found = 0;
    while (mode && found < MODES && strcmp(modes[found], mode) != 0)
        found++;
    if (found == MODES)
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "pads: unknown mode \"%.40s\": there are \"constant\", "
                                     "\"edge\", \"reflect\", \"symmetric\", \"wrap\", \"maximum\", "
                                     "\"minimum\", \"mean\", \"median\" and \"linear_ramp\"",
                                     mode));
    return found;
}

// The entry of an axis of n that stands at `place`, which may be before its begin or behind its end.
static int64_t source_of(int mode, int64_t place, int64_t n)
{
    const int64_t period = mode == WRAP ? n : mode == SYMMETRIC ? 2 * n : n > 1 ? 2 * (n - 1) : 1;
    if (mode == EDGE || mode == RAMP)
        return place < 0 ? 0 : place >= n ? n - 1 : place;
    const int64_t within = (place % period + period) % period;
    return within < n ? within : mode == SYMMETRIC ? 2 * n - 1 - within : period - within;
}

static cj_symbol *with_copies(cj__build *g, int mode, cj_symbol *x, int axis, int64_t before,
                              int64_t after)
{
    const int64_t n = cj_symbol_shape(x)->dims[axis], count = before + n + after;
    int64_t *places = cj__new((size_t)count, sizeof *places);
    if (!places) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        places[i] = source_of(mode, i - before, n);
    cj_symbol *y = cj__word_pick(g, x, axis, places, count);
    cj__free(places);
    return y;
}

// Falling to 0 at both ends.
static cj_symbol *ramp(cj__build *g, cj_symbol *x, int axis, int64_t before, int64_t after)
{
    const int64_t n = cj_symbol_shape(x)->dims[axis], count = before + n + after;
    cj_tensor *weights = NULL;
    const cj_dtype dtype = cj_symbol_dtype(x);
    const cj_status status = cj_tensor_new(dtype, CJ_SHAPE(count), &weights);
    for (int64_t i = 0; status == CJ_OK && i < count; i++) {
        const int64_t behind = i - before - n;
        const double weight = i < before  ? (double)i / (double)before :
                              behind >= 0 ? (double)(after - 1 - behind) / (double)after :
                                            1;
        cj__element_set(dtype, cj_tensor_data(weights), i, weight);
    }
    cj_symbol *each =
        cj__word_along(g, cj__word_tensor(g, status, weights), cj_symbol_shape(x)->rank, axis);
    return cj__mul(g, with_copies(g, RAMP, x, axis, before, after), each);
}

static cj_symbol *statistic(cj__build *g, int mode, cj_symbol *x, int axis)
{
    const uint32_t mask = 1u << axis;
    if (mode == MEDIAN)
        return cj__word_expand(g, cj__median_of(g, "pads", x, mask), axis);
    return mode == MAXIMUM ? cj__max(g, x, mask, true) :
           mode == MINIMUM ? cj__min(g, x, mask, true) :
                             cj__mean(g, x, mask, true);
}

static cj_symbol *padded(cj__build *g, int mode, cj_symbol *x, int axis, int64_t before,
                         int64_t after, double value)
{
    if (mode == CONSTANT) {
        cj_symbol *wide = cj__pad(g, x, axis, before, after);
        if (value == 0)
            return wide;
        cj_symbol *one = cj__broadcast_like(g, cj__scalar(g, CJ_F32, 1), x);
        cj_symbol *here = cj__pad(g, cj__cast(g, one, CJ_BOOL), axis, before, after);
        cj_symbol *other = cj__cast(g, cj__scalar(g, CJ_F64, value), cj_symbol_dtype(x));
        return cj__word_choose(g, here, wide, other);
    }
    if (mode == RAMP)
        return ramp(g, x, axis, before, after);
    if (mode <= WRAP)
        return with_copies(g, mode, x, axis, before, after);
    cj_symbol *y = statistic(g, mode, x, axis);
    cj_symbol *parts[3] = {cj__word_copies(g, y, axis, before), x,
                           cj__word_copies(g, y, axis, after)};
    return cj__concat(g, parts, 3, axis);
}

cj_symbol *cj_op_pads(cj_symbol *x, const int64_t *widths, const char *mode, double value)
{
    double numbers[2 * CJ_MAX_RANK] = {0};
    cj__pad_settings settings = {.constant_values = INFINITY};
    CJ__TAKE(x)
    {
        const cj_shape *shape = cj_symbol_shape(x);
        const int how = mode_of(g, mode);
        y = x;
        if (!widths)
            cj__build_refuse(g, cj__fail_null_of("pads", "the list of widths"));
        else if (how >= MAXIMUM && how < MODES && cj__is_integer(cj_symbol_dtype(x)))
            cj__build_refuse(g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "pads: mode \"%s\" is for reals: cast the integers", mode));
        for (int i = 0; i < shape->rank && g->status == CJ_OK; i++) {
            const int64_t before = widths[2 * i], after = widths[2 * i + 1];
            numbers[2 * i] = (double)before, numbers[2 * i + 1] = (double)after;
            if (before == 0 && after == 0)
                continue;
            if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX ||
                shape->dims[i] < (how == CONSTANT ? 0 : 1)) {
                cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                             "pads: %lld before and %lld after axis %d of length "
                                             "%lld, which must be known",
                                             (long long)before, (long long)after, i,
                                             (long long)shape->dims[i]));
                break;
            }
            y = padded(g, how, y, i, before, after, value);
        }
        settings.pad_width = (cj_numbers){numbers, 2 * shape->rank};
        settings.mode = modes[how < MODES ? how : 0];
        if (how == CONSTANT && value != 0)
            settings.constant_values = value;
    }
    CJ__GIVE_OF(pad, x, &settings);
}

// ---- Noise ----

cj_symbol *cj_op_random_dropout_shaped(cj_symbol *x, double rate, const int64_t *noise_shape,
                                       uint64_t seed, cj_symbol *step)
{
    CJ__BEGIN;
    cj_symbol *both[] = {x, step};
    if (!step) {
        cj_tensor *zero = NULL;
        const cj_status status = cj_tensor_new(CJ_I64, (cj_shape){.rank = 0}, &zero);
        if (status == CJ_OK)
            *(int64_t *)cj_tensor_data(zero) = 0;
        both[1] = status == CJ_OK ? cj_symbol_constant(zero) : NULL;
    }
    if (cj__build_take(g, both, 2) == CJ_OK) {
        const cj_shape *shape = cj_symbol_shape(x);
        uint32_t alike = 0;
        if (!noise_shape)
            cj__build_refuse(g, cj__fail_null_of("random_dropout", "the shape of the noise"));
        for (int i = 0; noise_shape && i < shape->rank; i++) {
            if (noise_shape[i] == 1)
                alike |= 1u << i;
            else if (noise_shape[i] != -1 && noise_shape[i] != shape->dims[i])
                cj__build_refuse(g,
                                 cj__fail(CJ_SHAPE_MISMATCH,
                                          "random_dropout: noise of length %lld along axis %d of "
                                          "length %lld, needed is 1, that, or -1",
                                          (long long)noise_shape[i], i, (long long)shape->dims[i]));
        }
        cj_symbol *real = cj__word_real(g, x);
        if (g->status == CJ_OK) {
            cj_symbol *like = alike ? cj__max(g, cj__stop_gradient(g, real), alike, true) : real;
            cj_symbol *ones =
                like ? cj__broadcast_like(g, cj__scalar_like(g, like, 1), like) : NULL;
            y = cj__mul(g, real, cj__dropout(g, ones, both[1], cj__key(seed, "dropout"), rate));
        }
    }
    CJ__GIVE;
}
