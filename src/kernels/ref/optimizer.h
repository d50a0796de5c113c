// Optimizer steps, in place. Letters are those of the papers and of Keras (cajal/train.h): w weight,
// g gradient, m first moment or momentum, v second moment; `_out` is what is written.
#ifndef CJ_KERNELS_REF_OPTIMIZER_H
#define CJ_KERNELS_REF_OPTIMIZER_H

#define AT(p)         ((double)((const real *)(p))[i])
#define PUT(p, value) (((real *)(p))[i] = (real)(value))

// w -= lr g; with momentum m = momentum m - lr g and w += m, by Nesterov w += momentum m - lr g.
static void sgd(int64_t n, const void *ws, const void *gs, const void *ms, void *w_out, void *m_out,
                double lr, double momentum, bool nesterov, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double w = AT(ws) * (1 - decay), step = lr * AT(gs);
        double change = -step;
        if (ms) {
            const double m = momentum * AT(ms) - step;
            PUT(m_out, m);
            change = nesterov ? momentum * m - step : m;
        }
        PUT(w_out, w + change);
    }
}

// a += g^2, w -= lr g / sqrt(a + epsilon).
static void adagrad(int64_t n, const void *ws, const void *gs, const void *as, void *w_out,
                    void *a_out, double lr, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double g = AT(gs), w = AT(ws) * (1 - decay), a = AT(as) + g * g;
        PUT(a_out, a);
        PUT(w_out, w - lr * g / sqrt(a + epsilon));
    }
}

// a = rho a + (1 - rho) g^2, change = -sqrt((d + epsilon) / (a + epsilon)) g, d = rho d + (1 - rho)
// change^2, w += lr change.
static void adadelta(int64_t n, const void *ws, const void *gs, const void *as, const void *ds,
                     void *w_out, void *a_out, void *d_out, double lr, double rho, double epsilon,
                     double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double g = AT(gs), w = AT(ws) * (1 - decay), d = AT(ds);
        const double a = rho * AT(as) + (1 - rho) * g * g;
        const double change = -sqrt((d + epsilon) / (a + epsilon)) * g;
        PUT(a_out, a);
        PUT(d_out, rho * d + (1 - rho) * change * change);
        PUT(w_out, w + lr * change);
    }
}

// v = rho v + (1 - rho) g^2, step = lr g / sqrt(v + epsilon), w -= step. Centred: mean = rho mean +
// (1 - rho) g, and v - mean^2 takes v's place below the root. With momentum: m = momentum m + step,
// w -= m.
static void rmsprop(int64_t n, const void *ws, const void *gs, const void *vs, const void *ms,
                    const void *means, void *w_out, void *v_out, void *m_out, void *mean_out,
                    double lr, double rho, double momentum, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double g = AT(gs), w = AT(ws) * (1 - decay);
        const double v = rho * AT(vs) + (1 - rho) * g * g;
        double variance = v;
        if (means) {
            const double mean = rho * AT(means) + (1 - rho) * g;
            PUT(mean_out, mean);
            variance -= mean * mean;
        }
        double step = lr * g / sqrt(variance + epsilon);
        if (ms) {
            step += momentum * AT(ms);
            PUT(m_out, step);
        }
        PUT(v_out, v);
        PUT(w_out, w - step);
    }
}

// m = m + (1 - beta_1) (g - m), v = v + (1 - beta_2) (g^2 - v), w -= alpha m / (sqrt(v) + epsilon);
// AMSGrad: vhat = max(vhat, v) takes v's place below the root.
static void adam(int64_t n, const void *ws, const void *gs, const void *ms, const void *vs,
                 const void *vhats, void *w_out, void *m_out, void *v_out, void *vhat_out,
                 double alpha, double beta_1, double beta_2, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double g = AT(gs), w = AT(ws) * (1 - decay), m_before = AT(ms), v_before = AT(vs);
        const double m = m_before + (g - m_before) * (1 - beta_1);
        const double v = v_before + (g * g - v_before) * (1 - beta_2);
        double vhat = v;
        if (vhats) {
            vhat = max_of(AT(vhats), v);
            PUT(vhat_out, vhat);
        }
        PUT(m_out, m);
        PUT(v_out, v);
        PUT(w_out, w - alpha * m / (sqrt(vhat) + epsilon));
    }
}

#undef AT
#undef PUT
#endif
