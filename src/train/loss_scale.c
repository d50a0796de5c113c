// LossScaleOptimizer: keras/src/optimizers/loss_scale_optimizer.py. It is its inner optimizer with a
// scale and a counter in addition; a step that is left out keeps every value by a select.
#include "train/loss_scale.h"

#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"

#include <cajal/loss_scale.h>
#include <float.h>
#include <math.h>

CJ__DEFAULTS(loss_scale_optimizer, LOSS_SCALE_OPTIMIZER)

// The object
// ----------------------------------------------------------------------------------------------

cj_optimizer *cj__loss_scale_around(cj_optimizer *inner, const cj__loss_scale_args *args)
{
    const char *name = args->name ? args->name : loss_scale_optimizer_defaults.name;
    if (inner->scaling.on) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: its inner optimizer scales the loss already", name);
        return NULL;
    }
    if (!(args->initial_scale > 0) || isinf(args->initial_scale)) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: initial_scale is %g, needs a positive number", name,
                 args->initial_scale);
        return NULL;
    }
    if (args->dynamic_growth_steps < 1 || args->dynamic_growth_steps > CJ__GROWTH_MOST) {
        cj__fail(CJ_INVALID_ARGUMENT, "%s: dynamic_growth_steps is %lld, needs 1 to %d", name,
                 (long long)args->dynamic_growth_steps, (int)CJ__GROWTH_MOST);
        return NULL;
    }
    cj__optimizer_later *later = (cj__optimizer_later *)(void *)(inner->args + inner->rule->later);
    later->loss_scale_factor = INFINITY; // else gradients would be scaled twice
    inner->scaling = (cj__loss_scaling){true, args->initial_scale, args->dynamic_growth_steps};
    return inner;
}

cj_optimizer *cj_loss_scale_optimizer_new(const cj_loss_scale_optimizer_args *args)
{
    cj_loss_scale_optimizer_args given;
    cj_optimizer *made = NULL, *inner = NULL;
    const char *name = loss_scale_optimizer_defaults.name;
    if (cj__args_read(name, args, &loss_scale_optimizer_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_OPTIMIZER);
    if (!given.inner_optimizer) {
        cj__fail_missing(CJ__MADE_OPTIMIZER, "loss_scale_optimizer: the inner optimizer");
        return cj__build_failed(CJ__MADE_OPTIMIZER);
    }
    cj__own(given.inner_optimizer);
    char *spec = cj__optimizer_spec(given.inner_optimizer);
    if (spec)
        inner = cj_optimizer_from_spec(spec);
    cj__free(spec);
    cj_release(given.inner_optimizer);
    if (inner)
        made = cj__loss_scale_around(inner,
                                     &(cj__loss_scale_args){given.name, NULL, given.initial_scale,
                                                            given.dynamic_growth_steps});
    if (!made)
        cj_release(inner);
    return made ? made : cj__build_failed(CJ__MADE_OPTIMIZER);
}

// In the graph
// ----------------------------------------------------------------------------------------------

static int place_of(const cj__state_entry *kept, int count, int which)
{
    for (int i = 0; i < count; i++)
        if (kept[i].variable < 0 && kept[i].which == which)
            return i;
    return -1;
}

static cj_symbol *read(cj__build *g, const cj_variable *variable)
{
    return cj__build_keep(g, cj_symbol_variable((cj_variable *)(uintptr_t)variable));
}

cj_symbol *cj__loss_scaled(cj__build *g, cj_symbol *loss, const cj__state_entry *kept,
                           cj_variable *const *variables, int count)
{
    const int place = place_of(kept, count, CJ__KEPT_SCALE);
    return place < 0 ? loss : cj__mul(g, loss, read(g, variables[place]));
}

// 1 if all elements of all gradients are finite, else 0.
static cj_symbol *all_finite(const cj__updating *u)
{
    cj__build *g = u->g;
    cj_symbol *all = NULL;
    for (int v = 0; v < u->count && g->status == CJ_OK; v++) {
        cj_symbol *x = cj__cast(g, u->gradients[v], CJ_F32);
        cj_symbol *low = cj__compare(g, CJ__COMPARISON_greater_equal, x,
                                     cj__scalar_like(g, x, -(double)FLT_MAX)),
                  *high = cj__compare(g, CJ__COMPARISON_less_equal, x,
                                      cj__scalar_like(g, x, (double)FLT_MAX));
        cj_symbol *both = cj__mul(g, cj__cast(g, low, CJ_F32), cj__cast(g, high, CJ_F32));
        cj_symbol *one = both ? cj__min(g, both, cj__all_axes(both), false) : NULL;
        all = all ? cj__mul(g, all, one) : one;
    }
    return all;
}

cj_symbol *cj__loss_unscale(const cj__updating *u)
{
    cj__build *g = u->g;
    const int place = place_of(u->kept, u->kept_count, CJ__KEPT_SCALE);
    cj_symbol *all = u->count > 0 ? all_finite(u) : cj__scalar(g, CJ_F32, 1);
    cj_symbol *finite = cj__compare(g, CJ__COMPARISON_greater, all, cj__scalar(g, CJ_F32, 0));
    cj_symbol *scale = read(g, u->kept_variables[place]);
    for (int v = 0; v < u->count && g->status == CJ_OK; v++)
        u->gradients[v] =
            cj__div(g, u->gradients[v], cj__cast(g, scale, cj_symbol_dtype(u->gradients[v])));
    return finite;
}

// The next scale and counter.
static void count_step(const cj__updating *u, cj_symbol *finite, cj_update *rows)
{
    cj__build *g = u->g;
    const int scale_at = place_of(u->kept, u->kept_count, CJ__KEPT_SCALE),
              count_at = place_of(u->kept, u->kept_count, CJ__KEPT_STEPS);
    cj_symbol *scale = read(g, u->kept_variables[scale_at]),
              *steps = read(g, u->kept_variables[count_at]), *zero = cj__scalar(g, CJ_F32, 0);
    const double last = (double)(u->optimizer->scaling.growth_steps - 1);
    cj_symbol *full = cj__compare(g, CJ__COMPARISON_equal, steps, cj__scalar(g, CJ_F32, last));
    cj_symbol *larger = cj__select(g, full, cj__scale(g, scale, 2), scale),
              *longer = cj__select(g, full, zero, cj__shift(g, steps, 1));
    rows[u->count + scale_at] = (cj_update){
        u->kept_variables[scale_at], cj__select(g, finite, larger, cj__scale(g, scale, 0.5))};
    rows[u->count + count_at] =
        (cj_update){u->kept_variables[count_at], cj__select(g, finite, longer, zero)};
}

cj_status cj__loss_take(const cj__updating *u, cj_symbol *finite, cj_update *rows)
{
    cj__build *g = u->g;
    for (int i = 0; i < u->count + u->kept_count && g->status == CJ_OK; i++) {
        if (!rows[i].value)
            continue; // the scale and the counter
        cj_symbol *old = i < u->count ? u->weights[i] : read(g, u->kept_variables[i - u->count]);
        rows[i].value = cj__select(g, finite, rows[i].value, old);
    }
    count_step(u, finite, rows);
    return g->status;
}

cj_symbol *cj__loss_count(cj__build *g, cj_symbol *finite, cj_symbol *iterations)
{
    cj_symbol *now = cj__cast(g, iterations, CJ_F64);
    return cj__cast(g, cj__select(g, finite, cj__shift(g, now, 1), now), CJ_I64);
}
