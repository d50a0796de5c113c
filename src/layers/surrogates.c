// The catalog of surrogate gradients, and the operator that users have.
#include "layers/surrogates.h"

#include "base/error.h"
#include <cajal/spiking.h>

// A row: which surrogate, and where its two parameters are.
typedef struct row {
    cj__choice choice;
    cj__surrogate which;
    bool has_a, has_b;
} row;

typedef struct slope_args {
    double slope;
} slope_args;
typedef struct alpha_args {
    double alpha;
} alpha_args;
// The first two members are the parameters a and b.
typedef struct shape_args {
    double gamma, width;
} shape_args;

static const slope_args slope_defaults = {25};
static const alpha_args alpha_defaults = {2};
static const shape_args triangle_defaults = {0.3, 1}, boxcar_defaults = {1, 0.5},
                        gaussian_defaults = {1, 0.5};

#define ABOVE_ZERO .low = 1e-30, .high = 1e30

static const cj__field slope_fields[] = {
    CJ__FIELD(slope_args, slope, CJ__FIELD_NUMBER, ABOVE_ZERO)};
static const cj__field alpha_fields[] = {
    CJ__FIELD(alpha_args, alpha, CJ__FIELD_NUMBER, ABOVE_ZERO)};
static const cj__field shape_fields[] = {
    CJ__FIELD(shape_args, gamma, CJ__FIELD_NUMBER, ABOVE_ZERO),
    CJ__FIELD(shape_args, width, CJ__FIELD_NUMBER, ABOVE_ZERO),
};

#define SHAPED(plain, standard)                                       \
    {                                                                 \
        .choice = CJ__CHOICE(#plain, #plain, shape_fields, standard), \
        .which = CJ__SURROGATE_##plain, .has_a = true, .has_b = true  \
    }

static const row rows[] = {
    {.choice = CJ__CHOICE("fast_sigmoid", "fast_sigmoid", slope_fields, slope_defaults),
     .which = CJ__SURROGATE_fast_sigmoid,
     .has_a = true},
    {.choice = CJ__CHOICE("super_spike", "super_spike", slope_fields, slope_defaults),
     .which = CJ__SURROGATE_fast_sigmoid,
     .has_a = true},
    {.choice = CJ__CHOICE("atan", "atan", alpha_fields, alpha_defaults),
     .which = CJ__SURROGATE_atan,
     .has_a = true},
    {.choice = CJ__CHOICE("sigmoid", "sigmoid", slope_fields, slope_defaults),
     .which = CJ__SURROGATE_sigmoid,
     .has_a = true},
    SHAPED(triangle, triangle_defaults),
    SHAPED(boxcar, boxcar_defaults),
    SHAPED(gaussian, gaussian_defaults),
    {.choice = CJ__PLAIN_CHOICE("straight_through", "straight_through"),
     .which = CJ__SURROGATE_straight_through},
};

const cj__catalog cj__surrogates = {.what = "surrogate",
                                    .rows = rows,
                                    .stride = sizeof rows[0],
                                    .count = sizeof rows / sizeof rows[0]};

cj_status cj__surrogate_attrs(const char *spec, const char *who, bool reached,
                              cj__spike_attrs *attrs)
{
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(&cj__surrogates, spec, who, &chosen));
    const row *found = (const row *)(const void *)chosen.choice;
    const double *numbers = (const double *)(const void *)chosen.args;
    *attrs = (cj__spike_attrs){.reached = reached};
    if (found)
        *attrs = (cj__spike_attrs){.a = found->has_a ? numbers[0] : 0,
                                   .b = found->has_b ? numbers[1] : 0,
                                   .surrogate = (int32_t)found->which,
                                   .reached = reached};
    cj__chosen_free(&chosen);
    return CJ_OK;
}

cj_symbol *cj_op_spike(const char *surrogate, cj_symbol *u)
{
    cj__build g = {0};
    cj__spike_attrs attrs;
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &u, 1) == CJ_OK && !surrogate)
        cj__build_refuse(&g, cj__fail_null("cj_op_spike: the surrogate"));
    else if (g.status == CJ_OK && !*surrogate)
        cj__build_refuse(&g, cj__fail(CJ_INVALID_ARGUMENT,
                                      "cj_op_spike: the surrogate is empty, needed is one such as "
                                      "\"atan\""));
    else if (g.status == CJ_OK)
        cj__build_refuse(&g, cj__surrogate_attrs(surrogate, "cj_op_spike", false, &attrs));
    if (g.status == CJ_OK)
        y = cj__spike(&g, u, &attrs);
    return cj__build_result(&g, y);
}
