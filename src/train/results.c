// What cj_evaluate() and single steps found: values by name.
#include "train/results.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"
#include <math.h>
#include <string.h>

struct cj_results {
    cj__object object;
    int count;
    char **names;
    double *values;
};

static void destroy(void *object)
{
    cj_results *results = object;
    for (int i = 0; results->names && i < results->count; i++)
        cj__free(results->names[i]);
    cj__free(results->names);
    cj__free(results->values);
    cj__free(results);
}

static const cj__class results_class = {.name = "results", .destroy = destroy};

static cj_status fill(cj_results *results, const cj__step_functions *functions,
                      const double *values)
{
    const int count = functions->row_count;
    results->count = count;
    results->names = cj__new((size_t)count, sizeof *results->names);
    results->values = cj__copy_bytes(values, (size_t)count * sizeof *values);
    if (!results->names || !results->values)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++)
        if (!(results->names[i] = cj__copy_text(functions->rows[i].name)))
            return CJ_OUT_OF_MEMORY;
    return CJ_OK;
}

cj_status cj__results_new(const cj__step_functions *functions, const double *values,
                          cj_results **results)
{
    *results = cj__object_new(&results_class, sizeof **results);
    if (!*results)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = fill(*results, functions, values);
    if (status != CJ_OK) {
        cj_release(*results);
        *results = NULL;
    }
    return status;
}

int cj_results_count(const cj_results *results)
{
    return results ? results->count : 0;
}

const char *cj_results_name(const cj_results *results, int index)
{
    return results && index >= 0 && index < results->count ? results->names[index] : NULL;
}

double cj_results_value_at(const cj_results *results, int index)
{
    return results && index >= 0 && index < results->count ? results->values[index] : (double)NAN;
}

double cj_results_value(const cj_results *results, const char *name)
{
    for (int i = 0; results && name && i < results->count; i++)
        if (strcmp(results->names[i], name) == 0)
            return results->values[i];
    return NAN;
}
