// The rules that are expressions of ops. Formulas are in cajal/optimizers.h; the order of their terms
// is Keras's (keras/src/optimizers), so that roundings are nearly its own. Fusion of element-wise work
// makes one sweep of each.
#include "train/optimizer_formulas.h"
#include "ops/variable.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- Short forms ----

static cj_symbol *square(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_square, x, 0, 0);
}

static cj_symbol *root(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_sqrt, x, 0, 0);
}

static cj_symbol *magnitude(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_absolute, x, 0, 0);
}

static cj_symbol *number(const cj__stepping *s, double value)
{
    return cj__scalar_like(s->g, s->w, value);
}

static cj_symbol *power(cj__build *g, cj_symbol *x, double exponent)
{
    return x ? cj__apply_binary(g, CJ__BINARY_power, x, cj__scalar_like(g, x, exponent)) : NULL;
}

// 1 - beta^t
static cj_symbol *correction(const cj__stepping *s, double beta)
{
    cj_symbol *raised = cj__apply_binary(s->g, CJ__BINARY_power, number(s, beta), s->t);
    return cj__sub(s->g, number(s, 1), raised);
}

// old + (x - old) (1 - beta)
static cj_symbol *moved(cj__build *g, cj_symbol *old, cj_symbol *x, double beta)
{
    return cj__add(g, old, cj__scale(g, cj__sub(g, x, old), 1 - beta));
}

// sqrt of the sum of squares, in double.
static cj_symbol *norm(cj__build *g, cj_symbol *x)
{
    return root(g, cj__append(g, &cj__op_norm_squared, NULL, &x, 1));
}

static cj_symbol *larger(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__apply_binary(g, CJ__BINARY_maximum, a, b);
}

static int two_slots(cj__slot *slots, const char *first, const char *second)
{
    slots[0] = (cj__slot){.name = first};
    slots[1] = (cj__slot){.name = second};
    return 2;
}

// ---- Adamax ----

int cj__adamax_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)args, (void)variable;
    return two_slots(slots, "momentum", "norm");
}

void cj__adamax_formula(const cj__stepping *s)
{
    const cj_adamax_args *a = s->args;
    cj__build *g = s->g;
    cj_symbol *m = moved(g, s->slots[0], s->gradient, a->beta_1);
    cj_symbol *u = larger(g, cj__scale(g, s->slots[1], a->beta_2), magnitude(g, s->gradient));
    cj_symbol *step = cj__div(g, cj__mul(g, m, s->rate),
                              cj__mul(g, cj__shift(g, u, a->epsilon), correction(s, a->beta_1)));
    s->out[0] = cj__sub(g, s->w, step);
    s->out[1] = m;
    s->out[2] = u;
}

// ---- Nadam ----

int cj__nadam_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)args, (void)variable;
    return two_slots(slots, "momentum", "velocity");
}

// b(t) = beta_1 (1 - 0.96^t / 2)
static cj_symbol *nadam_beta(cj__build *g, const cj_nadam_args *a, cj_symbol *t)
{
    if (!t)
        return NULL;
    cj_symbol *raised = cj__apply_binary(g, CJ__BINARY_power, cj__scalar_like(g, t, 0.96), t);
    return cj__scale(g, cj__shift(g, cj__scale(g, raised, -0.5), 1), a->beta_1);
}

cj_symbol *cj__nadam_product(const void *args, cj__build *g, cj_symbol *value, cj_symbol *t)
{
    return cj__mul(g, value, nadam_beta(g, args, t));
}

void cj__nadam_formula(const cj__stepping *s)
{
    const cj_nadam_args *a = s->args;
    cj__build *g = s->g;
    cj_symbol *one = number(s, 1), *now = nadam_beta(g, a, s->t),
              *later = nadam_beta(g, a, cj__shift(g, s->t, 1));
    cj_symbol *m = moved(g, s->slots[0], s->gradient, a->beta_1);
    cj_symbol *v = moved(g, s->slots[1], square(g, s->gradient), a->beta_2);
    cj_symbol *of_m = cj__div(g, later, cj__sub(g, one, cj__mul(g, s->shared, later)));
    cj_symbol *of_g = cj__div(g, cj__sub(g, one, now), cj__sub(g, one, s->shared));
    cj_symbol *hat = cj__add(g, cj__mul(g, m, of_m), cj__mul(g, s->gradient, of_g));
    cj_symbol *below = cj__shift(g, root(g, cj__div(g, v, correction(s, a->beta_2))), a->epsilon);
    s->out[0] = cj__sub(g, s->w, cj__div(g, cj__mul(g, hat, s->rate), below));
    s->out[1] = m;
    s->out[2] = v;
}

// ---- Ftrl ----

int cj__ftrl_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)variable;
    two_slots(slots, "accumulator", "linear");
    slots[0].initial = ((const cj_ftrl_args *)args)->initial_accumulator_value;
    return 2;
}

// x^exponent, which is mostly a root.
static cj_symbol *ftrl_power(cj__build *g, cj_symbol *x, double exponent)
{
    return exponent > 0.5 || exponent < 0.5 ? power(g, x, exponent) : root(g, x);
}

void cj__ftrl_formula(const cj__stepping *s)
{
    const cj_ftrl_args *a = s->args;
    cj__build *g = s->g;
    const double l1 = a->l1_regularization_strength;
    cj_symbol *accumulator = s->slots[0];
    cj_symbol *used =
        cj__add(g, s->gradient, cj__scale(g, s->w, 2 * a->l2_shrinkage_regularization_strength));
    cj_symbol *sum = cj__add(g, accumulator, square(g, s->gradient));
    cj_symbol *raised = ftrl_power(g, sum, -a->learning_rate_power);
    cj_symbol *risen = cj__sub(g, raised, ftrl_power(g, accumulator, -a->learning_rate_power));
    cj_symbol *linear =
        cj__add(g, s->slots[1], cj__sub(g, used, cj__mul(g, cj__div(g, risen, s->rate), s->w)));
    // 2 (l2 + beta / (2 rate))
    cj_symbol *l2 =
        cj__shift(g, cj__div(g, number(s, a->beta), s->rate), 2 * a->l2_regularization_strength);
    cj_symbol *quadratic = cj__add(g, cj__div(g, raised, s->rate), l2);
    cj_symbol *clipped = cj__apply_unary(g, CJ__UNARY_clip, linear, -l1, l1);
    s->out[0] = cj__div(g, cj__sub(g, clipped, linear), quadratic);
    s->out[1] = sum;
    s->out[2] = linear;
}

// ---- Lion ----

int cj__lion_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)args, (void)variable;
    slots[0] = (cj__slot){.name = "momentum"};
    return 1;
}

static cj_symbol *mixed(cj__build *g, cj_symbol *a, cj_symbol *b, double share)
{
    return cj__add(g, cj__scale(g, a, share), cj__scale(g, b, 1 - share));
}

void cj__lion_formula(const cj__stepping *s)
{
    const cj_lion_args *a = s->args;
    cj__build *g = s->g;
    cj_symbol *sign =
        cj__apply_unary(g, CJ__UNARY_sign, mixed(g, s->slots[0], s->gradient, a->beta_1), 0, 0);
    s->out[0] = cj__sub(g, s->w, cj__mul(g, sign, s->rate));
    s->out[1] = mixed(g, s->slots[0], s->gradient, a->beta_2);
}

// ---- Lamb ----

int cj__lamb_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    return cj__nadam_slots(args, variable, slots);
}

void cj__lamb_formula(const cj__stepping *s)
{
    const cj_lamb_args *a = s->args;
    cj__build *g = s->g;
    cj_symbol *one = number(s, 1), *zero = number(s, 0);
    cj_symbol *m = moved(g, s->slots[0], s->gradient, a->beta_1);
    cj_symbol *v = moved(g, s->slots[1], square(g, s->gradient), a->beta_2);
    cj_symbol *below = cj__shift(g, root(g, cj__div(g, v, correction(s, a->beta_2))), a->epsilon);
    cj_symbol *u = cj__div(g, cj__div(g, m, correction(s, a->beta_1)), below);
    cj_symbol *of_w = norm(g, s->w), *of_u = norm(g, u);
    cj_symbol *ratio = cj__select(g, cj__compare(g, CJ__COMPARISON_greater, of_u, zero),
                                  cj__div(g, of_w, of_u), one);
    ratio = cj__select(g, cj__compare(g, CJ__COMPARISON_greater, of_w, zero), ratio, one);
    s->out[0] = cj__sub(g, s->w, cj__mul(g, u, cj__mul(g, ratio, s->rate)));
    s->out[1] = m;
    s->out[2] = v;
}

// ---- Adafactor ----

// Keras keeps r and c of a vector too, as zeros that nobody reads.
int cj__adafactor_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    const bool matrix = cj__variable_type(variable).shape.rank >= 2;
    (void)args;
    slots[0] = (cj__slot){.name = "row", .shape = matrix ? CJ__SLOT_ROWS : CJ__SLOT_SCALAR};
    slots[1] = (cj__slot){.name = "column", .shape = matrix ? CJ__SLOT_COLUMNS : CJ__SLOT_SCALAR};
    slots[2] = (cj__slot){.name = "velocity"};
    return 3;
}

// sqrt(mean(x^2))
static cj_symbol *rms(cj__build *g, cj_symbol *x)
{
    return x ? root(g, cj__mean(g, square(g, x), cj__all_axes(x), false)) : NULL;
}

// x with an axis of length 1 put in at `axis`, counted from the end of the result: 1 or 2.
static cj_symbol *spread(cj__build *g, cj_symbol *x, int from_end)
{
    if (!x)
        return NULL;
    cj_shape shape = *cj_symbol_shape(x);
    const int at = shape.rank + 1 - from_end;
    for (int i = shape.rank; i > at; i--)
        shape.dims[i] = shape.dims[i - 1];
    shape.dims[at] = 1;
    shape.rank++;
    return cj__reshape(g, x, &shape);
}

// b old + (1 - b) x
static cj_symbol *decayed(cj__build *g, cj_symbol *b, cj_symbol *rest, cj_symbol *old, cj_symbol *x)
{
    return cj__add(g, cj__mul(g, old, b), cj__mul(g, x, rest));
}

void cj__adafactor_formula(const cj__stepping *s)
{
    const cj_adafactor_args *a = s->args;
    cj__build *g = s->g;
    const int rank = cj_symbol_shape(s->w)->rank;
    cj_symbol *limit = cj__div(g, number(s, 1), root(g, s->t));
    cj_symbol *size = cj__apply_binary(g, CJ__BINARY_minimum, s->rate, limit);
    size = cj__mul(g, larger(g, rms(g, s->w), number(s, a->epsilon_2)), size);
    cj_symbol *rest = power(g, s->t, a->beta_2_decay), *b = cj__sub(g, number(s, 1), rest);
    cj_symbol *squares = cj__shift(g, square(g, s->gradient), a->epsilon_1), *v;
    s->out[1] = s->slots[0];
    s->out[2] = s->slots[1];
    if (rank >= 2) {
        const uint32_t last = 1u << (rank - 1), before = 1u << (rank - 2);
        cj_symbol *r = decayed(g, b, rest, s->slots[0], cj__mean(g, squares, last, false));
        cj_symbol *c = decayed(g, b, rest, s->slots[1], cj__mean(g, squares, before, false));
        cj_symbol *share = cj__div(g, r, cj__mean(g, r, 1u << (rank - 2), true));
        v = cj__mul(g, spread(g, share, 1), spread(g, c, 2));
        s->out[1] = r;
        s->out[2] = c;
    } else {
        v = decayed(g, b, rest, s->slots[2], squares);
    }
    cj_symbol *u = cj__div(g, s->gradient, root(g, v));
    cj_symbol *excess = cj__scale(g, rms(g, u), 1 / a->clip_threshold);
    u = cj__div(g, u, larger(g, excess, number(s, 1)));
    s->out[0] = cj__sub(g, s->w, cj__mul(g, u, size));
    s->out[3] = v;
}

// ---- Muon ----

// Whether `word` is in `text`, whatever the case of its letters.
static bool contains(const char *text, const char *word)
{
    for (; *text; text++) {
        size_t i = 0;
        while (word[i] && tolower((unsigned char)text[i]) == word[i])
            i++;
        if (!word[i])
            return true;
    }
    return false;
}

static bool takes_adamw(const cj_muon_args *a, const cj_variable *variable)
{
    const char *words = a->exclude_layers;
    if (cj__variable_type(variable).shape.rank != 2)
        return true;
    if (a->exclude_embeddings && contains(variable->name, "embedding"))
        return true;
    while (words && *words) { // found in the whole name
        char word[128];
        const size_t length = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        if (length > 0 && strstr(variable->name, word))
            return true;
        words += length + (words[length] == '|');
    }
    return false;
}

int cj__muon_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    two_slots(slots, "momentum", "velocity");
    return takes_adamw(args, variable) ? 2 : 1;
}

double cj__muon_decay(const void *args, const cj_variable *variable)
{
    const cj_muon_args *a = args;
    return takes_adamw(a, variable) ? a->adam_weight_decay : a->weight_decay;
}

static void adamw_step(const cj__stepping *s, const cj_muon_args *a)
{
    cj__build *g = s->g;
    cj_symbol *m = moved(g, s->slots[0], s->gradient, a->adam_beta_1);
    cj_symbol *v = moved(g, s->slots[1], square(g, s->gradient), a->adam_beta_2);
    cj_symbol *alpha =
        cj__div(g, root(g, correction(s, a->adam_beta_2)), correction(s, a->adam_beta_1));
    alpha = cj__mul(g, alpha, cj__scale(g, s->rate, a->adam_lr_ratio));
    s->out[0] =
        cj__sub(g, s->w, cj__div(g, cj__mul(g, m, alpha), cj__shift(g, root(g, v), a->epsilon)));
    s->out[1] = m;
    s->out[2] = v;
}

// The steps of Newton and Schulz on x / |x|: a x + (b A + c A A) x with A = x x^T, of the lesser side.
static cj_symbol *orthogonal(const cj__stepping *s, const cj_muon_args *a, cj_symbol *x)
{
    cj__build *g = s->g;
    const cj_shape *shape = cj_symbol_shape(s->w);
    const bool tall = shape->dims[0] > shape->dims[1];
    x = cj__div(g, x, cj__shift(g, norm(g, x), 1e-7));
    if (tall)
        x = cj__transpose(g, x, (int[]){1, 0});
    for (int64_t i = 0; i < a->ns_steps && g->status == CJ_OK; i++) {
        cj_symbol *A = cj__matmul(g, x, x, false, true);
        cj_symbol *B = cj__add(g, cj__scale(g, A, a->muon_b),
                               cj__matmul(g, cj__scale(g, A, a->muon_c), A, false, false));
        x = cj__add(g, cj__scale(g, x, a->muon_a), cj__matmul(g, B, x, false, false));
    }
    return tall ? cj__transpose(g, x, (int[]){1, 0}) : x;
}

void cj__muon_formula(const cj__stepping *s)
{
    const cj_muon_args *a = s->args;
    cj__build *g = s->g;
    if (takes_adamw(a, s->variable)) {
        adamw_step(s, a);
        return;
    }
    const cj_shape *shape = cj_symbol_shape(s->w);
    const double side = (double)(shape->dims[0] > shape->dims[1] ? shape->dims[0] : shape->dims[1]);
    cj_symbol *m = cj__add(g, s->slots[0],
                           cj__add(g, s->gradient, cj__scale(g, s->slots[0], a->momentum - 1)));
    cj_symbol *x = a->nesterov ? cj__add(g, s->gradient, cj__scale(g, m, a->momentum)) : m;
    cj_symbol *step = cj__mul(g, orthogonal(s, a, x), s->rate);
    if (!isinf(a->rms_rate))
        step = cj__scale(g, step, sqrt(side) * a->rms_rate);
    s->out[0] = cj__sub(g, s->w, step);
    s->out[1] = m;
}

// ---- ScheduleFreeAdamW ----

int cj__schedule_free_adamw_slots(const void *args, const cj_variable *variable, cj__slot *slots)
{
    (void)args, (void)variable;
    two_slots(slots, "momentum", "velocity");
    slots[0].copies = true;
    return 2;
}

void cj__schedule_free_adamw_formula(const cj__stepping *s)
{
    const cj_schedule_free_adamw_args *a = s->args;
    cj__build *g = s->g;
    const double b = a->beta_1;
    cj_symbol *rate = s->rate, *old = s->slots[0], *one = number(s, 1);
    if (a->warmup_steps > 0) {
        cj_symbol *share = cj__scale(g, s->t, 1 / (double)a->warmup_steps);
        rate = cj__mul(g, rate, cj__apply_binary(g, CJ__BINARY_minimum, share, one));
    }
    cj_symbol *v = moved(g, s->slots[1], square(g, s->gradient), a->beta_2);
    cj_symbol *below = cj__shift(g, root(g, cj__div(g, v, correction(s, a->beta_2))), a->epsilon);
    cj_symbol *z = cj__sub(g, old, cj__div(g, cj__mul(g, s->gradient, rate), below));
    cj_symbol *weight = cj__div(g, one, s->t);
    cj_symbol *x = cj__scale(g, cj__sub(g, s->w, cj__scale(g, old, 1 - b)), 1 / b);
    x = cj__add(g, cj__mul(g, x, cj__sub(g, one, weight)), cj__mul(g, z, weight));
    s->out[0] = cj__add(g, cj__scale(g, z, 1 - b), cj__scale(g, x, b));
    s->out[1] = z;
    s->out[2] = v;
}
