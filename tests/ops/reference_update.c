// See reference.h: steps of optimizers.
#include "reference.h"

#include <math.h>

// Formulas of cajal/optimizers.h for one element; s holds the slots.
typedef double (*step)(const cj__update_attrs *a, double w, double g, double rate, double t,
                       double *s, int slots);

static double sgd(const cj__update_attrs *a, double w, double g, double rate, double t, double *s,
                  int slots)
{
    (void)t;
    if (slots == 0)
        return w - rate * g;
    s[0] = a->momentum * s[0] - rate * g;
    return a->nesterov ? w + a->momentum * s[0] - rate * g : w + s[0];
}

static double adagrad(const cj__update_attrs *a, double w, double g, double rate, double t,
                      double *s, int slots)
{
    (void)t, (void)slots;
    s[0] += g * g;
    return w - rate * g / sqrt(s[0] + a->epsilon);
}

static double adadelta(const cj__update_attrs *a, double w, double g, double rate, double t,
                       double *s, int slots)
{
    (void)t, (void)slots;
    s[0] = a->rho * s[0] + (1 - a->rho) * g * g;
    const double delta = sqrt(s[1] + a->epsilon) / sqrt(s[0] + a->epsilon) * g;
    s[1] = a->rho * s[1] + (1 - a->rho) * delta * delta;
    return w - rate * delta;
}

static double rmsprop(const cj__update_attrs *a, double w, double g, double rate, double t,
                      double *s, int slots)
{
    double *mean = &s[1 + (a->momentum > 0)];
    (void)t, (void)slots;
    s[0] = a->rho * s[0] + (1 - a->rho) * g * g;
    if (a->centered)
        *mean = a->rho * *mean + (1 - a->rho) * g;
    const double by = rate * g / sqrt(s[0] - (a->centered ? *mean * *mean : 0) + a->epsilon);
    if (!(a->momentum > 0))
        return w - by;
    s[1] = a->momentum * s[1] + by;
    return w - s[1];
}

// Adam's bias correction at step t. That of float weights is computed in float, as in Keras: it
// cancels to some 1e-5.
static double correction(const cj__update_attrs *a, double t, bool f32)
{
    if (f32)
        return (double)(sqrtf(1 - powf((float)a->beta_2, (float)t)) /
                        (1 - powf((float)a->beta_1, (float)t)));
    return sqrt(1 - pow(a->beta_2, t)) / (1 - pow(a->beta_1, t));
}

static double adam(const cj__update_attrs *a, double w, double g, double rate, double corrected,
                   double *s, int slots)
{
    s[0] = a->beta_1 * s[0] + (1 - a->beta_1) * g;
    s[1] = a->beta_2 * s[1] + (1 - a->beta_2) * g * g;
    s[2] = slots == 3 ? fmax(s[2], s[1]) : 0;
    return w - rate * corrected * s[0] / (sqrt(slots == 3 ? s[2] : s[1]) + a->epsilon);
}

static void run_steps(const op_case *c, cj_tensor *const *in, cj_tensor *const *out, step of)
{
    const cj__update_attrs *a = c->attrs;
    const int first = c->op == &cj__op_adam ? 4 : 3, slots = c->input_count - first;
    const double rate = case_get(in[2], 0);
    const double t =
        first == 4 ? correction(a, case_get(in[3], 0) + 1, cj_tensor_dtype(in[0]) == CJ_F32) : 0;
    for (int64_t i = 0; i < cj_tensor_count(in[0]); i++) {
        double s[4] = {0};
        for (int k = 0; k < slots; k++)
            s[k] = case_get(in[first + k], i);
        const double w = case_get(in[0], i) * (1 - rate * a->weight_decay);
        case_set(out[0], i, of(a, w, case_get(in[1], i), rate, t, s, slots));
        for (int k = 0; k < slots; k++)
            case_set(out[1 + k], i, s[k]);
    }
}

#define STEPS(F) F(sgd) F(adagrad) F(adadelta) F(rmsprop) F(adam)
#define F(name)                                                                           \
    static void ref_##name(const op_case *c, cj_tensor *const *in, cj_tensor *const *out) \
    {                                                                                     \
        run_steps(c, in, out, name);                                                      \
    }
STEPS(F)
#undef F

static void ref_increment(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    case_set(out[0], 0, case_get(in[0], 0) + 1);
}

reference reference_of_update(const cj__op *op)
{
#define F(name)               \
    if (op == &cj__op_##name) \
        return ref_##name;
    STEPS(F)
    F(increment)
#undef F
    return NULL;
}
