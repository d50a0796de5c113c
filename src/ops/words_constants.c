// The constants of cajal/ops_shape.h.
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_shape.h>
#include <math.h>
#include <string.h>

// A constant whose elements, in order, are value(context, index).
typedef double element_value(const double *numbers, int64_t index);
static cj_symbol *filled(const char *who, cj_shape shape, cj_dtype dtype, element_value *value,
                         const double *numbers)
{
    CJ__BEGIN;
    cj_tensor *tensor = NULL;
    for (int i = 0; i < shape.rank && i < CJ_MAX_RANK && g->status == CJ_OK; i++)
        if (shape.dims[i] < 0)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "%s: the length of axis %d is %lld, and must be known",
                                         who, i, (long long)shape.dims[i]));
    const cj_status status = g->status == CJ_OK ? cj_tensor_new(dtype, shape, &tensor) : g->status;
    const int64_t count = status == CJ_OK ? cj_tensor_count(tensor) : 0;
    for (int64_t i = 0; i < count; i++)
        cj__element_set(dtype, cj_tensor_data(tensor), i, value(numbers, i));
    y = cj__word_tensor(g, status, tensor);
    CJ__GIVE;
}

static double same(const double *numbers, int64_t index)
{
    (void)index;
    return numbers[0];
}

cj_symbol *cj_op_zeros(cj_shape shape, cj_dtype dtype)
{
    return filled("zeros", shape, dtype, same, (double[]){0});
}

cj_symbol *cj_op_ones(cj_shape shape, cj_dtype dtype)
{
    return filled("ones", shape, dtype, same, (double[]){1});
}

cj_symbol *cj_op_full(cj_shape shape, double value, cj_dtype dtype)
{
    return filled("full", shape, dtype, same, &value);
}

cj_symbol *cj_op_array(cj_tensor *value, cj_dtype dtype)
{
    CJ__BEGIN;
    y = cj__build_keep(g, cj_symbol_constant(value));
    y = cj__cast(g, y, dtype);
    CJ__GIVE;
}

cj_symbol *cj_op_full_like(cj_symbol *x, double value)
{
    CJ__TAKE(x)
    {
        const cj_dtype dtype = cj_symbol_dtype(x);
        cj_symbol *one = cj__scalar(g, cj__is_real(dtype) ? dtype : CJ_F64, value);
        y = cj__cast(g, cj__broadcast_like(g, one, x), dtype);
    }
    CJ__GIVE_OF(full_like, x, (&(cj__value_settings){value}));
}

// numbers: columns, k.
static double on_diagonal(const double *numbers, int64_t index)
{
    const int64_t columns = (int64_t)numbers[0];
    return index % columns - index / columns == (int64_t)numbers[1];
}

static double below_diagonal(const double *numbers, int64_t index)
{
    const int64_t columns = (int64_t)numbers[0];
    return index % columns - index / columns <= (int64_t)numbers[1];
}

cj_symbol *cj_op_eye(int64_t rows, int64_t columns, int64_t k, cj_dtype dtype)
{
    return filled("eye", CJ_SHAPE(rows, columns), dtype, on_diagonal,
                  (double[]){(double)columns, (double)k});
}

cj_symbol *cj_op_tri(int64_t rows, int64_t columns, int64_t k, cj_dtype dtype)
{
    return filled("tri", CJ_SHAPE(rows, columns), dtype, below_diagonal,
                  (double[]){(double)columns, (double)k});
}

cj_symbol *cj_op_identity(int64_t n, cj_dtype dtype)
{
    return filled("identity", CJ_SHAPE(n, n), dtype, on_diagonal, (double[]){(double)n, 0});
}

// numbers: start, step, base (0 for none), the number of the last entry and its value.
static double in_line(const double *numbers, int64_t index)
{
    const double place = numbers[0] + (double)index * numbers[1];
    if ((double)index == numbers[3])
        return numbers[4];
    return numbers[2] > 0 ? pow(numbers[2], place) : place;
}

static cj_symbol *refused(cj_status status)
{
    CJ__BEGIN;
    y = cj__word_refuse(g, status);
    CJ__GIVE;
}

cj_symbol *cj_op_arange(double start, double stop, double step, cj_dtype dtype)
{
    const double count = ceil((stop - start) / step);
    if (!(fabs(step) > 0) || !(count < 0x1p31))
        return refused(cj__fail(CJ_INVALID_ARGUMENT, "arange: from %g to %g by steps of %g", start,
                                stop, step));
    return filled("arange", CJ_SHAPE(count > 0 ? (int64_t)count : 0), dtype, in_line,
                  (double[]){start, step, 0, -1, 0});
}

static cj_symbol *spaced(const char *who, double start, double stop, int64_t num, bool endpoint,
                         double base, double last, cj_dtype dtype)
{
    const double steps = (double)(endpoint ? num - 1 : num);
    if (num < 0 || !isfinite(start) || !isfinite(stop))
        return refused(cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld numbers from %g to %g", who,
                                (long long)num, start, stop));
    return filled(who, CJ_SHAPE(num), dtype, in_line,
                  (double[]){start, steps > 0 ? (stop - start) / steps : 0, base,
                             endpoint && num > 1 ? steps : -1, last});
}

cj_symbol *cj_op_linspace(double start, double stop, int64_t num, bool endpoint, cj_dtype dtype)
{
    return spaced("linspace", start, stop, num, endpoint, 0, stop, dtype);
}

cj_symbol *cj_op_logspace(double start, double stop, int64_t num, bool endpoint, double base,
                          cj_dtype dtype)
{
    if (!(base > 0))
        return refused(cj__fail(CJ_INVALID_ARGUMENT, "logspace: base %g is not above 0", base));
    return spaced("logspace", start, stop, num, endpoint, base, pow(base, stop), dtype);
}

cj_symbol *cj_op_geomspace(double start, double stop, int64_t num, bool endpoint, cj_dtype dtype)
{
    const double sign = start < 0 ? -1 : 1;
    if (!(start * stop > 0))
        return refused(cj__fail(CJ_INVALID_ARGUMENT,
                                "geomspace: from %g to %g: needed are two numbers of one sign",
                                start, stop));
    if (sign > 0)
        return spaced("geomspace", log10(start), log10(stop), num, endpoint, 10, stop, dtype);
    return cj_op_negative(
        spaced("geomspace", log10(-start), log10(-stop), num, endpoint, 10, -stop, dtype));
}

cj_status cj_op_meshgrid(cj_symbol *const *xs, int count, const char *indexing, cj_symbol **outputs)
{
    cj__build build = {0}, *const g = &build;
    const bool swapped = (!indexing || strcmp(indexing, "xy") == 0) && count > 1;
    cj_symbol *ys[CJ_MAX_RANK] = {NULL};
    if (!cj__word_list(g, "meshgrid", xs, count, CJ_MAX_RANK) ||
        cj__build_take(g, xs, count) != CJ_OK)
        return cj__word_give(g, ys, outputs ? (count < CJ_MAX_RANK ? count : CJ_MAX_RANK) : 0,
                             outputs);
    if (indexing && strcmp(indexing, "xy") != 0 && strcmp(indexing, "ij") != 0)
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "meshgrid: indexing \"%s\" is neither \"xy\" nor \"ij\"",
                                     indexing));
    if (!outputs)
        cj__build_refuse(g, cj__fail_null_of("meshgrid", "the place for the results"));
    cj_symbol *along[CJ_MAX_RANK] = {NULL};
    for (int i = 0; i < count && g->status == CJ_OK; i++) {
        const int axis = swapped && i < 2 ? 1 - i : i;
        if (cj_symbol_shape(xs[i])->rank > 1)
            cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "meshgrid: symbol %d has %d axes", i,
                                         cj_symbol_shape(xs[i])->rank));
        else
            along[i] = cj__word_along(g, cj__word_flat(g, xs[i]), count, axis);
    }
    for (int i = 0; i < count && g->status == CJ_OK; i++) {
        ys[i] = along[i];
        for (int j = 0; j < count; j++)
            ys[i] = cj__word_stretch(g, ys[i], along[j]);
    }
    return cj__word_give_as(g, ys, outputs ? count : 0, outputs, &cj__word_meshgrid, xs, count,
                            &(cj__text_settings){indexing ? indexing : "xy"});
}

cj_symbol *cj_op_vander(cj_symbol *x, int64_t n, bool increasing)
{
    int64_t count = n;
    CJ__TAKE(x)
    {
        const cj_shape *shape = cj_symbol_shape(x);
        if (shape->rank != 1 || n < 0 || (n == 0 && shape->dims[0] < 0))
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                            "vander: %lld powers of a symbol of %d axes, needed is "
                                            "a vector",
                                            (long long)n, shape->rank));
        else {
            count = n ? n : shape->dims[0];
            cj_symbol *powers = cj__word_along(g, cj__word_range(g, 0, count), 2, 1);
            if (!increasing)
                powers = cj__reverse(g, powers, 1);
            y = cj__word_binary(g, CJ__BINARY_power, CJ__INTEGER_power, cj__word_expand(g, x, 1),
                                powers);
        }
    }
    CJ__GIVE_OF(vander, x, (&(cj__vander_settings){count, increasing}));
}
