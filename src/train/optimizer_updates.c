// An optimizer in the graph of a training step: clipping, the rule's step, gradients that are summed
// over several batches, moving averages and constraints, in the order in which Keras has them
// (keras/src/optimizers/base_optimizer.py, apply()).
#include "base/error.h"
#include "base/memory.h"
#include "layers/layer.h"
#include "ops/variable.h"
#include "train/loss_scale.h"
#include "train/optimizer_formulas.h"
#include "train/schedule.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// What it keeps
// ----------------------------------------------------------------------------------------------

static void keep(cj__state_entry *kept, int *count, cj__slot slot, int variable, int which)
{
    kept[(*count)++] = (cj__state_entry){slot, variable, which};
}

cj_status cj__optimizer_kept(const cj_optimizer *optimizer, cj_variable *const *variables,
                             int count, cj__state_entry **kept, int *kept_count)
{
    const cj__rule *rule = optimizer->rule;
    const cj__optimizer_later *later = cj__optimizer_later_of(optimizer);
    cj__state_entry *all = cj__new((size_t)count * (CJ__MAX_SLOTS + 2) + 3, sizeof *all);
    cj__slot slots[CJ__MAX_SLOTS];
    int n = 0;
    if (!all)
        return CJ_OUT_OF_MEMORY;
    if (optimizer->scaling.on) {
        const cj__slot steps = {.name = "step_counter", .shape = CJ__SLOT_SCALAR},
                       scale = {.name = "dynamic_scale",
                                .initial = optimizer->scaling.initial_scale,
                                .shape = CJ__SLOT_SCALAR};
        keep(all, &n, steps, -1, CJ__KEPT_STEPS);
        keep(all, &n, scale, -1, CJ__KEPT_SCALE);
    }
    for (int v = 0; later->use_ema && v < count; v++)
        keep(all, &n, (cj__slot){.name = "average"}, v, CJ__KEPT_AVERAGE);
    for (int v = 0; later->gradient_accumulation_steps > 1 && v < count; v++)
        keep(all, &n, (cj__slot){.name = "gradient_accumulator"}, v, CJ__KEPT_SUM);
    for (int v = 0; v < count; v++) {
        const int each = rule->slots(optimizer->args, variables[v], slots);
        for (int s = 0; s < each && s < rule->together; s++)
            keep(all, &n, slots[s], v, s);
    }
    for (int s = rule->together; s < CJ__MAX_SLOTS; s++)
        for (int v = 0; v < count; v++)
            if (rule->slots(optimizer->args, variables[v], slots) > s)
                keep(all, &n, slots[s], v, s);
    if (rule->shared)
        keep(all, &n, (cj__slot){rule->shared_name, rule->shared_initial, CJ__SLOT_SCALAR, false},
             -1, 0);
    *kept = all;
    *kept_count = n;
    return CJ_OK;
}

static cj_shape shape_of(const cj__slot *slot, cj_shape shape)
{
    if (slot->shape == CJ__SLOT_SCALAR)
        return (cj_shape){0};
    if (slot->shape == CJ__SLOT_LIKE)
        return shape;
    if (slot->shape == CJ__SLOT_COLUMNS)
        shape.dims[shape.rank - 2] = shape.dims[shape.rank - 1];
    shape.rank--;
    return shape;
}

cj_variable *cj__optimizer_keep(const cj__state_entry *kept, cj_variable *const *variables)
{
    const cj_variable *of = kept->variable >= 0 ? variables[kept->variable] : NULL;
    const cj__type type = of ? cj__variable_type(of) : (cj__type){CJ_F32, {0}};
    char name[256];
    cj_tensor *tensor = NULL;
    snprintf(name, sizeof name, "optimizer/%s%s%s", of ? of->name : "", of ? "/" : "",
             kept->slot.name);
    if (kept->slot.copies) {
        const cj_tensor *value = cj__variable_read(of);
        if (!value || cj_tensor_new(type.dtype, type.shape, &tensor) != CJ_OK)
            return NULL;
        cj_tensor_copy(tensor, value);
    } else {
        if (cj_tensor_new(type.dtype, shape_of(&kept->slot, type.shape), &tensor) != CJ_OK)
            return NULL;
        cj_tensor_fill(tensor, kept->slot.initial);
    }
    return cj_variable_new(name, tensor);
}

// Clipping
// ------------------------------------------------------------------------------------------------------

// g * limit / max(norm, limit): unchanged below the limit, of the limit's length above.
static cj_symbol *shorten(cj__build *g, cj_symbol *gradient, cj_symbol *norm, double limit)
{
    cj_symbol *longest =
        cj__apply_binary(g, CJ__BINARY_maximum, norm, cj__scalar_like(g, norm, limit));
    return cj__mul(g, gradient, cj__div(g, cj__scalar_like(g, norm, limit), longest));
}

static cj_symbol *norm_squared(cj__build *g, cj_symbol *x)
{
    return cj__append(g, &cj__op_norm_squared, NULL, &x, 1);
}

// Clips gradients[i] in place as the settings say.
static void clip(const cj__optimizer_members *common, cj__build *g, cj_symbol **gradients,
                 int count)
{
    cj_symbol *all = NULL;
    for (int i = 0; i < count; i++) {
        if (!isinf(common->clipnorm)) {
            cj_symbol *norm =
                cj__apply_unary(g, CJ__UNARY_sqrt, norm_squared(g, gradients[i]), 0, 0);
            gradients[i] = shorten(g, gradients[i], norm, common->clipnorm);
        } else if (!isinf(common->global_clipnorm)) {
            cj_symbol *one = norm_squared(g, gradients[i]);
            all = all ? cj__add(g, all, one) : one;
        } else if (!isinf(common->clipvalue)) {
            gradients[i] = cj__apply_unary(g, CJ__UNARY_clip, gradients[i], -common->clipvalue,
                                           common->clipvalue);
        }
    }
    if (!all)
        return;
    cj_symbol *norm = cj__apply_unary(g, CJ__UNARY_sqrt, all, 0, 0);
    for (int i = 0; i < count; i++)
        gradients[i] = shorten(g, gradients[i], norm, common->global_clipnorm);
}

// Counting steps
// ----------------------------------------------------------------------------------------------

// floor(n / every) of an int64 scalar that is not negative. A double counts as far as anybody trains.
static cj_symbol *divided(cj__build *g, cj_symbol *n, int64_t every)
{
    cj_symbol *real = cj__cast(g, n, CJ_F64);
    return cj__cast(g, cj__div(g, real, cj__scalar(g, CJ_F64, (double)every)), CJ_I64);
}

// n + 1 as a real scalar.
static cj_symbol *following(cj__build *g, cj_symbol *n, cj_dtype dtype)
{
    return cj__shift(g, cj__cast(g, n, dtype), 1);
}

// Whether n + 1 is a multiple of `every`: a bool scalar.
static cj_symbol *is_turn(cj__build *g, cj_symbol *n, int64_t every)
{
    cj_symbol *next = following(g, n, CJ_F64);
    cj_symbol *share = cj__div(g, next, cj__scalar(g, CJ_F64, (double)every));
    cj_symbol *times = cj__cast(g, share, CJ_I64);
    return cj__compare(g, CJ__COMPARISON_equal,
                       cj__scale(g, cj__cast(g, times, CJ_F64), (double)every), next);
}

// The step of one variable
// ----------------------------------------------------------------------------------------------

bool cj__optimizer_names(const char *words, const cj_variable *variable)
{
    const char *slash = strrchr(variable->name, '/'), *own = slash ? slash + 1 : variable->name;
    while (words && *words) {
        char word[128];
        const size_t length = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        if (length > 0 && strstr(strchr(word, '/') ? variable->name : own, word))
            return true;
        words += length + (words[length] == '|');
    }
    return false;
}

static double decay_of(const cj_optimizer *optimizer, const cj_variable *variable)
{
    if (cj__optimizer_names(cj__optimizer_later_of(optimizer)->exclude_from_weight_decay, variable))
        return 0;
    return optimizer->rule->decay ? optimizer->rule->decay(optimizer->args, variable) :
                                    cj__optimizer_common(optimizer)->weight_decay;
}

typedef struct numbers {
    cj_symbol *rate; // of this step, float32
    cj_symbol *step; // its number from 0, int64
    cj_symbol *shared;
} numbers;

static cj_status step_by_op(const cj__updating *u, const numbers *n, int v, cj_symbol *const *slots,
                            int slot_count, cj_symbol **out)
{
    const cj__rule *rule = u->optimizer->rule;
    const cj_dtype dtype = cj_symbol_dtype(u->weights[v]);
    cj__update_attrs attrs = {.weight_decay = decay_of(u->optimizer, u->variables[v])};
    cj_symbol *inputs[4 + CJ__MAX_SLOTS] = {u->weights[v], u->gradients[v],
                                            cj__cast(u->g, n->rate, dtype)};
    int count = 3;
    rule->attrs(u->optimizer->args, &attrs);
    if (rule->needs_step)
        inputs[count++] = n->step;
    for (int i = 0; i < slot_count; i++)
        inputs[count++] = slots[i];
    return cj__append_many(u->g, rule->op, &attrs, inputs, count, out);
}

static cj_status step_by_formula(const cj__updating *u, const numbers *n, int v,
                                 cj_symbol *const *slots, cj_symbol **out)
{
    cj__build *g = u->g;
    const double decay = decay_of(u->optimizer, u->variables[v]);
    const cj_dtype dtype = cj_symbol_dtype(u->weights[v]);
    cj__stepping s = {.args = u->optimizer->args,
                      .variable = u->variables[v],
                      .g = g,
                      .w = u->weights[v],
                      .gradient = u->gradients[v],
                      .rate = cj__cast(g, n->rate, dtype),
                      .t = following(g, n->step, dtype),
                      .shared = n->shared ? cj__cast(g, n->shared, dtype) : NULL,
                      .slots = slots,
                      .out = out};
    if (decay > 0)
        s.w = cj__sub(g, s.w, cj__mul(g, s.w, cj__scale(g, s.rate, decay)));
    if (g->status == CJ_OK)
        u->optimizer->rule->formula(&s);
    return g->status;
}

// The place of what is kept for a variable; -1 if it is not kept.
static int find_kept(const cj__updating *u, int variable, int which)
{
    for (int i = 0; i < u->kept_count; i++)
        if (u->kept[i].variable == variable && u->kept[i].which == which)
            return i;
    return -1;
}

static cj_symbol *read(const cj__updating *u, int kept)
{
    return cj__build_keep(u->g, cj_symbol_variable(u->kept_variables[kept]));
}

// `turn` NULL: every step is one. Else what is not its turn keeps its value.
static cj_symbol *taken(cj__build *g, cj_symbol *turn, cj_symbol *new_value, cj_symbol *old)
{
    return turn ? cj__select(g, turn, new_value, old) : new_value;
}

// w' and the slots of variable v.
static cj_status step_variable(const cj__updating *u, const numbers *n, cj_symbol *turn, int v,
                               cj_update *rows)
{
    int places[CJ__MAX_SLOTS], count = 0;
    cj_symbol *slots[CJ__MAX_SLOTS], *out[1 + CJ__MAX_SLOTS] = {NULL};
    for (int s = 0; s < CJ__MAX_SLOTS; s++) {
        const int place = find_kept(u, v, s);
        if (place < 0)
            continue;
        places[count] = place;
        slots[count++] = read(u, place);
    }
    if (u->g->status != CJ_OK)
        return u->g->status;
    CJ_TRY(u->optimizer->rule->op ? step_by_op(u, n, v, slots, count, out) :
                                    step_by_formula(u, n, v, slots, out));
    rows[v] = (cj_update){u->variables[v], taken(u->g, turn, out[0], u->weights[v])};
    for (int s = 0; s < count; s++)
        rows[u->count + places[s]] =
            (cj_update){u->kept_variables[places[s]], taken(u->g, turn, out[1 + s], slots[s])};
    return u->g->status;
}

// All of a step
// ----------------------------------------------------------------------------------------------------

double cj__optimizer_scale(const cj_optimizer *optimizer)
{
    const double factor = cj__optimizer_later_of(optimizer)->loss_scale_factor;
    return isinf(factor) ? 1 : factor;
}

static void unscale(const cj__updating *u)
{
    const double factor = cj__optimizer_scale(u->optimizer);
    for (int v = 0; v < u->count && (factor < 1 || factor > 1); v++)
        u->gradients[v] =
            cj__div(u->g, u->gradients[v], cj__scalar_like(u->g, u->gradients[v], factor));
}

// Sums of gradients over `steps` batches: the gradient becomes the mean, the sum is kept or, when it
// was taken, 0.
static void accumulate(const cj__updating *u, cj_symbol *turn, int64_t steps, cj_update *rows)
{
    cj__build *g = u->g;
    for (int v = 0; v < u->count && g->status == CJ_OK; v++) {
        const int place = find_kept(u, v, CJ__KEPT_SUM);
        cj_symbol *sum = cj__add(g, u->gradients[v], read(u, place));
        if (!sum)
            return;
        cj_symbol *zero = cj__broadcast_like(g, cj__scalar_like(g, sum, 0), sum);
        rows[u->count + place] =
            (cj_update){u->kept_variables[place], cj__select(g, turn, zero, sum)};
        u->gradients[v] = cj__div(g, sum, cj__scalar_like(g, sum, (double)steps));
    }
}

// Moving averages of the new weights, which become the weights themselves from time to time.
static void average(const cj__updating *u, const cj__optimizer_later *later, cj_symbol *step,
                    cj_update *rows)
{
    cj__build *g = u->g;
    cj_symbol *begun =
        cj__compare(g, CJ__COMPARISON_greater, cj__cast(g, step, CJ_F64), cj__scalar(g, CJ_F64, 0));
    cj_symbol *turn = later->ema_overwrite_frequency > 0 ?
                          is_turn(g, step, later->ema_overwrite_frequency) :
                          NULL;
    for (int v = 0; v < u->count && g->status == CJ_OK; v++) {
        const int place = find_kept(u, v, CJ__KEPT_AVERAGE);
        cj_symbol *w = rows[v].value, *old = read(u, place);
        cj_symbol *momentum =
            cj__scale(g, cj__cast(g, begun, cj_symbol_dtype(w)), later->ema_momentum);
        cj_symbol *rest = cj__sub(g, cj__scalar_like(g, w, 1), momentum);
        cj_symbol *next = cj__add(g, cj__mul(g, old, momentum), cj__mul(g, w, rest));
        rows[u->count + place] = (cj_update){u->kept_variables[place], next};
        if (turn)
            rows[v].value = cj__select(g, turn, next, w);
    }
}

static cj_status share(const cj__updating *u, numbers *n, cj_symbol *turn, cj_update *rows)
{
    const cj__rule *rule = u->optimizer->rule;
    const int place = rule->shared ? find_kept(u, -1, 0) : -1;
    if (place < 0)
        return CJ_OK;
    cj_symbol *old = read(u, place);
    n->shared = rule->shared(u->optimizer->args, u->g, old, following(u->g, n->step, CJ_F32));
    rows[u->count + place] =
        (cj_update){u->kept_variables[place], taken(u->g, turn, n->shared, old)};
    return u->g->status;
}

cj_status cj__optimizer_updates(const cj__updating *u, cj_update *rows)
{
    const cj__optimizer_later *later = cj__optimizer_later_of(u->optimizer);
    const int64_t batches = later->gradient_accumulation_steps;
    const char *schedule = cj__optimizer_schedule(u->optimizer);
    cj__build *g = u->g;
    cj_symbol *turn = NULL;
    numbers n = {.rate = schedule ? cj__schedule(g, schedule, u->iterations) : u->rate,
                 .step = u->iterations};
    cj_symbol *finite = u->optimizer->scaling.on ? cj__loss_unscale(u) : NULL;
    unscale(u);
    if (batches > 1) {
        n.step = divided(g, u->iterations, batches);
        turn = is_turn(g, u->iterations, batches);
        accumulate(u, turn, batches, rows);
    }
    clip(cj__optimizer_common(u->optimizer), g, u->gradients, u->count);
    CJ_TRY(share(u, &n, turn, rows));
    for (int v = 0; v < u->count && g->status == CJ_OK; v++)
        CJ_TRY(step_variable(u, &n, turn, v, rows));
    if (later->use_ema && g->status == CJ_OK)
        average(u, later, n.step, rows);
    for (int v = 0; v < u->count && u->constraints && g->status == CJ_OK; v++)
        if (u->constraints[v])
            rows[v].value =
                cj__constrain(g, u->constraints[v], u->variables[v]->name, rows[v].value);
    if (finite && g->status == CJ_OK) {
        *u->next_iterations = cj__loss_count(g, finite, u->iterations);
        CJ_TRY(cj__loss_take(u, finite, rows));
    }
    return g->status;
}
