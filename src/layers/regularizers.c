// Regularizers: l1 sum |w| + l2 sum w^2, without a half (keras/src/regularizers/regularizers.py).
#include "layers/kind.h"

typedef struct l1_args {
    double l1;
} l1_args;
static const l1_args l1_defaults = {.l1 = 0.01};
typedef struct l2_args {
    double l2;
} l2_args;
static const l2_args l2_defaults = {.l2 = 0.01};
typedef struct l1_l2_args {
    double l1, l2;
} l1_l2_args;
static const l1_l2_args l1_l2_defaults = {.l1 = 0, .l2 = 0};

typedef struct regularizer {
    cj__choice choice;
    void (*factors)(const void *args, double *l1, double *l2);
} regularizer;

static void factors_l1(const void *args, double *l1, double *l2)
{
    *l1 = ((const l1_args *)args)->l1;
    *l2 = 0;
}

static void factors_l2(const void *args, double *l1, double *l2)
{
    *l1 = 0;
    *l2 = ((const l2_args *)args)->l2;
}

static void factors_l1_l2(const void *args, double *l1, double *l2)
{
    *l1 = ((const l1_l2_args *)args)->l1;
    *l2 = ((const l1_l2_args *)args)->l2;
}

static const cj__field l1_fields[] = {
    CJ__FIELD(l1_args, l1, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};
static const cj__field l2_fields[] = {
    CJ__FIELD(l2_args, l2, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};
static const cj__field l1_l2_fields[] = {
    CJ__FIELD(l1_l2_args, l1, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__FIELD(l1_l2_args, l2, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};

static const regularizer rows[] = {
    {CJ__CHOICE("l1", "L1", l1_fields, l1_defaults), factors_l1},
    {CJ__CHOICE("l2", "L2", l2_fields, l2_defaults), factors_l2},
    {CJ__CHOICE("l1_l2", "L1L2", l1_l2_fields, l1_l2_defaults), factors_l1_l2},
    {CJ__CHOICE("l1_l2", "WeightRegularizer", l1_l2_fields, l1_l2_defaults), factors_l1_l2},
    {CJ__CHOICE("l1_l2", "ActivityRegularizer", l1_l2_fields, l1_l2_defaults), factors_l1_l2},
};

static const cj__config_key keys[] = {CJ__KEY_HARMLESS("name"), {.key = NULL}};

const cj__catalog cj__regularizers = {.what = "regularizer",
                                      .rows = rows,
                                      .stride = sizeof rows[0],
                                      .count = sizeof rows / sizeof rows[0],
                                      .keys = keys};

// The sum over all axes; with `per_sample`, divided by the length of axis 0, which may be free.
static cj_symbol *total(cj__build *g, cj_symbol *x, bool per_sample)
{
    if (!x || !per_sample || cj_symbol_shape(x)->rank == 0)
        return x ? cj__sum(g, x, cj__all_axes(x), false) : NULL;
    cj_symbol *mean = cj__mean(g, x, 1u, false);
    return mean && cj_symbol_shape(mean)->rank > 0 ? cj__sum(g, mean, cj__all_axes(mean), false) :
                                                     mean;
}

static cj_symbol *penalty(cj__build *g, const char *spec, const char *who, cj_symbol *x,
                          bool per_sample)
{
    cj__chosen chosen;
    double l1 = 0, l2 = 0;
    cj_symbol *sum = NULL;
    const cj_status status = cj__spec_parse(&cj__regularizers, spec, who, &chosen);
    if (status != CJ_OK) {
        if (g->status == CJ_OK)
            g->status = status;
        return NULL;
    }
    if (chosen.choice)
        ((const regularizer *)(const void *)chosen.choice)->factors(chosen.args, &l1, &l2);
    cj__chosen_free(&chosen);
    if (l1 > 0)
        sum =
            cj__scale(g, total(g, cj__apply_unary(g, CJ__UNARY_absolute, x, 0, 0), per_sample), l1);
    if (l2 > 0) {
        cj_symbol *squares =
            cj__scale(g, total(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), per_sample), l2);
        sum = sum ? cj__add(g, sum, squares) : squares;
    }
    return l1 > 0 || l2 > 0 ? sum : cj__scalar_like(g, x, 0);
}

cj_symbol *cj__regularizer(cj__build *build, const char *spec, const char *who, cj_symbol *x)
{
    return penalty(build, spec, who, x, false);
}

cj_symbol *cj__activity_regularizer(cj__build *build, const char *spec, const char *who,
                                    cj_symbol *x)
{
    return penalty(build, spec, who, x, true);
}
