// Activations in double, run as graphs of this library, and bounds for float32's error.
#include "explain/explain.h"
#include <float.h>
#include <math.h>
#include <string.h>

cj_status cj__curve_open(cj__curve *curve, const char *spec, const char *who, int64_t count)
{
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(1, count), "z"));
    cj_symbol *y = cj__activation(&g, spec, who, x);
    if (y) {
        curve->function =
            cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
        if (!curve->function)
            g.status = cj_error_status();
    }
    cj_status status = cj__build_end(&g);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F64, CJ_SHAPE(1, count), &curve->input);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F64, CJ_SHAPE(1, count), &curve->output);
    return status;
}

void cj__curve_close(cj__curve *curve)
{
    cj_release(curve->function);
    cj_release(curve->input);
    cj_release(curve->output);
    *curve = (cj__curve){0};
}

cj_status cj__curve_apply(const cj__curve *curve, const double *z, double *y)
{
    const size_t bytes = (size_t)cj_tensor_count(curve->input) * sizeof *z;
    memcpy(cj_tensor_data(curve->input), z, bytes);
    CJ_TRY(cj_function_call(curve->function, &curve->input, &curve->output));
    memcpy(y, cj_tensor_data(curve->output), bytes);
    return CJ_OK;
}

double cj__rounding_bound(double magnitude)
{
    return 16 * (double)FLT_EPSILON * magnitude;
}

// The extremes are taken where the chosen entry is at one end of its range and all others are at
// the opposite end. That is exact for functions that are monotone in each entry, such as softmax;
// for functions of one entry the others do not matter.
cj_status cj__curve_range(const cj__curve *curve, const double *z, const double *bound,
                          int64_t count, int64_t chosen, double *low, double *high)
{
    double *moved = cj__new((size_t)count, sizeof *moved);
    cj_status status = moved ? CJ_OK : CJ_OUT_OF_MEMORY;
    *low = INFINITY;
    *high = -INFINITY;
    for (int side = -1; status == CJ_OK && side <= 1; side++) {
        for (int64_t i = 0; i < count; i++)
            moved[i] = z[i] + (i == chosen ? side : -side) * bound[i];
        status = cj__curve_apply(curve, moved, moved);
        if (status == CJ_OK && !(moved[chosen] >= *low))
            *low = moved[chosen];
        if (status == CJ_OK && !(moved[chosen] <= *high))
            *high = moved[chosen];
    }
    cj__free(moved);
    return status;
}

cj_status cj__explain_activation(const cj__explanation *explanation, const char *spec,
                                 const double *z, const double *bound, int64_t count,
                                 int64_t chosen)
{
    const char *name = spec ? spec : "linear";
    cj__curve curve = {0};
    char from[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT];
    double low, high;
    double *y = cj__new((size_t)count, sizeof *y);
    cj_status status =
        y ? cj__curve_open(&curve, spec, cj_layer_name(explanation->record->layer), count) :
            CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__curve_apply(&curve, z, y);
    if (status == CJ_OK)
        status = cj__curve_range(&curve, z, bound, count, chosen, &low, &high);
    if (status == CJ_OK) {
        cj__digits(z[chosen], from);
        cj__digits(y[chosen], to);
        if (strcmp(name, "relu") == 0)
            cj__print_line(explanation, "relu: max(0, %s) = %s", from, to);
        else if (strcmp(name, "softmax") == 0)
            cj__print_line(explanation,
                           "softmax: exp(%s) / the sum of exp over the %lld entries = %s", from,
                           (long long)count, to);
        else if (strcmp(name, "linear") != 0)
            cj__print_line(explanation, "%s(%s) = %s", name, from, to);
        status = cj__conclude(explanation, low, high);
    }
    cj__curve_close(&curve);
    cj__free(y);
    return status;
}

cj_status cj__curve_row(const cj__curve *curve, bool joint, const cj__bounded *from, int64_t count,
                        double *scratch, const cj__bounded *to)
{
    double largest = 0;
    CJ_TRY(cj__curve_apply(curve, from->value, to->value));
    for (int64_t u = 0; u < count; u++) {
        to->bound[u] = 0;
        largest = fmax(largest, from->bound[u]);
    }
    for (int side = -1; side <= 1; side += 2) {
        for (int64_t u = 0; u < count; u++)
            scratch[u] = from->value[u] + side * from->bound[u];
        CJ_TRY(cj__curve_apply(curve, scratch, scratch));
        for (int64_t u = 0; u < count; u++)
            to->bound[u] = fmax(to->bound[u], fabs(scratch[u] - to->value[u]));
    }
    for (int64_t u = 0; u < count; u++)
        to->bound[u] += cj__rounding_bound(fabs(to->value[u])) +
                        (joint ? fabs(to->value[u]) * expm1(2 * largest) : 0);
    return CJ_OK;
}

double cj__product_bound(double a, double a_bound, double b, double b_bound)
{
    return fabs(a) * b_bound + fabs(b) * a_bound + a_bound * b_bound +
           cj__rounding_bound(fabs(a * b));
}
