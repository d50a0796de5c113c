// Optimizer steps, in place. Letters are those of the papers and of Keras: w weight, g gradient, m
// first moment or momentum, v second moment, lr learning rate; `_out` is what is written. A step
// with weight decay begins with w - decay w and not with (1 - decay) w, for 1 - decay would round
// most of a small decay away.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_OPTIMIZER_H
#define CJ_KERNELS_BODY_ELEMENTWISE_OPTIMIZER_H

#include "kernels/body/elementwise/elementwise.h"

// w - decay w
ALWAYS_INLINE vec decayed(vec w, vec decay)
{
    return vec_fma(-decay, w, w);
}

// Without momentum w -= lr g. With it m = momentum m - lr g and w += m, or, by Nesterov,
// w += momentum m - lr g.
static void sgd(int64_t n, const void *ws, const void *gs, const void *ms, void *w_out, void *m_out,
                double rate, double momentum_, bool nesterov, double decay_)
{
    const real *w_in = ws, *g_in = gs, *m_in = ms;
    real *w_to = w_out, *m_to = m_out;
    const vec minus_lr = CONST(-rate), momentum = CONST(momentum_), decay = CONST(decay_);
    if (!ms) {
        EACH_VEC(n, const vec w = decayed(LOAD_AT_I(w_in), decay);
                 STORE_AT_I(w_to, vec_fma(minus_lr, LOAD_AT_I(g_in), w)););
        return;
    }
    EACH_VEC(n, const vec w = decayed(LOAD_AT_I(w_in), decay);
             const vec step = minus_lr * LOAD_AT_I(g_in);
             const vec m = vec_fma(momentum, LOAD_AT_I(m_in), step);
             const vec change = nesterov ? vec_fma(momentum, m, step) : m; STORE_AT_I(m_to, m);
             STORE_AT_I(w_to, w + change););
}

// a += g^2, w -= lr g / sqrt(a + epsilon) (Duchi, Hazan, Singer 2011).
static void adagrad(int64_t n, const void *ws, const void *gs, const void *as, void *w_out,
                    void *a_out, double rate, double epsilon_, double decay_)
{
    const real *w_in = ws, *g_in = gs, *a_in = as;
    real *w_to = w_out, *a_to = a_out;
    const vec minus_lr = CONST(-rate), epsilon = CONST(epsilon_), decay = CONST(decay_);
    EACH_VEC(n, const vec w = decayed(LOAD_AT_I(w_in), decay); const vec g = LOAD_AT_I(g_in);
             const vec a = vec_fma(g, g, LOAD_AT_I(a_in)); STORE_AT_I(a_to, a);
             STORE_AT_I(w_to, w + minus_lr * g / vec_sqrt(a + epsilon)););
}

// a = rho a + (1 - rho) g^2, change = -sqrt((d + epsilon) / (a + epsilon)) g, d = rho d + (1 - rho)
// change^2, w += lr change (Zeiler 2012: a is E[g^2], d is E[dx^2]).
static void adadelta(int64_t n, const void *ws, const void *gs, const void *as, const void *ds,
                     void *w_out, void *a_out, void *d_out, double rate, double rho_,
                     double epsilon_, double decay_)
{
    const real *w_in = ws, *g_in = gs, *a_in = as, *d_in = ds;
    real *w_to = w_out, *a_to = a_out, *d_to = d_out;
    const vec lr = CONST(rate), rho = CONST(rho_), one_minus_rho = CONST(1 - rho_),
              epsilon = CONST(epsilon_), decay = CONST(decay_);
    EACH_VEC(n, const vec w = decayed(LOAD_AT_I(w_in), decay); const vec g = LOAD_AT_I(g_in);
             const vec d = LOAD_AT_I(d_in);
             const vec a = vec_fma(rho, LOAD_AT_I(a_in), one_minus_rho * g * g);
             const vec change = -vec_sqrt((d + epsilon) / (a + epsilon)) * g; STORE_AT_I(a_to, a);
             STORE_AT_I(d_to, vec_fma(rho, d, one_minus_rho * change * change));
             STORE_AT_I(w_to, vec_fma(lr, change, w)););
}

// v = rho v + (1 - rho) g^2, step = lr g / sqrt(v + epsilon), w -= step (Tieleman and Hinton 2012).
// Centred: mean = rho mean + (1 - rho) g, and v - mean^2 takes v's place below the root. With
// momentum: m = momentum m + step, w -= m.
static void rmsprop(int64_t n, const void *ws, const void *gs, const void *vs, const void *ms,
                    const void *means, void *w_out, void *v_out, void *m_out, void *mean_out,
                    double rate, double rho_, double momentum_, double epsilon_, double decay_)
{
    const real *w_in = ws, *g_in = gs, *v_in = vs, *m_in = ms, *mean_in = means;
    real *w_to = w_out, *v_to = v_out, *m_to = m_out, *mean_to = mean_out;
    const vec lr = CONST(rate), rho = CONST(rho_), one_minus_rho = CONST(1 - rho_),
              momentum = CONST(momentum_), epsilon = CONST(epsilon_), decay = CONST(decay_);
    EACH_VEC(
        n, const vec w = decayed(LOAD_AT_I(w_in), decay); const vec g = LOAD_AT_I(g_in);
        const vec v = vec_fma(rho, LOAD_AT_I(v_in), one_minus_rho * g * g); vec variance = v;
        if (means) {
            const vec mean = vec_fma(rho, LOAD_AT_I(mean_in), one_minus_rho * g);
            variance = vec_fma(-mean, mean, v);
            STORE_AT_I(mean_to, mean);
        } vec step = lr * g / vec_sqrt(variance + epsilon);
        if (ms) {
            step = vec_fma(momentum, LOAD_AT_I(m_in), step);
            STORE_AT_I(m_to, step);
        } STORE_AT_I(v_to, v);
        STORE_AT_I(w_to, w - step););
}

// m = m + (1 - beta_1) (g - m), v = v + (1 - beta_2) (g^2 - v), w -= alpha m / (sqrt(v) + epsilon)
// (Kingma and Ba 2015; alpha has the bias correction). AMSGrad: vhat = max(vhat, v) takes v's place
// below the root (Reddi, Kale, Kumar 2018).
static void adam(int64_t n, const void *ws, const void *gs, const void *ms, const void *vs,
                 const void *vhats, void *w_out, void *m_out, void *v_out, void *vhat_out,
                 double alpha_, double beta_1, double beta_2, double epsilon_, double decay_)
{
    const real *w_in = ws, *g_in = gs, *m_in = ms, *v_in = vs, *vhat_in = vhats;
    real *w_to = w_out, *m_to = m_out, *v_to = v_out, *vhat_to = vhat_out;
    // vec_reciprocal takes no denormal number, which a sum with so small an epsilon may be
    const bool divides = epsilon_ < 1e-30;
    const vec alpha = CONST(alpha_), one_minus_beta_1 = CONST(1 - beta_1),
              one_minus_beta_2 = CONST(1 - beta_2), epsilon = CONST(epsilon_),
              decay = CONST(decay_);
    EACH_VEC(
        n, const vec w = decayed(LOAD_AT_I(w_in), decay); const vec g = LOAD_AT_I(g_in);
        const vec m_before = LOAD_AT_I(m_in); const vec v_before = LOAD_AT_I(v_in);
        const vec m = vec_fma(g - m_before, one_minus_beta_1, m_before);
        const vec v = vec_fma(vec_fma(g, g, -v_before), one_minus_beta_2, v_before); vec vhat = v;
        if (vhats) {
            vhat = vec_max_nan(LOAD_AT_I(vhat_in), v);
            STORE_AT_I(vhat_to, vhat);
        } const vec root = vec_sqrt(vhat) + epsilon;
        const vec inverse = divides ? vec_set(1) / root : vec_reciprocal(root); STORE_AT_I(m_to, m);
        STORE_AT_I(v_to, v); STORE_AT_I(w_to, vec_fma(-(alpha * m), inverse, w)););
}

#endif
