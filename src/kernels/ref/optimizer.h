// Optimizer steps, in place; the formulas are Keras's (cajal/train.h).

static void sgd(int64_t n, const void *w, const void *g, const void *m, void *w_out, void *m_out,
                double rate, double momentum, bool nesterov, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double weight = (double)((const real *)w)[i] * (1 - decay),
                     step = rate * (double)((const real *)g)[i];
        double change = -step;
        if (m) {
            const double speed = momentum * (double)((const real *)m)[i] - step;
            ((real *)m_out)[i] = (real)speed;
            change = nesterov ? momentum * speed - step : speed;
        }
        ((real *)w_out)[i] = (real)(weight + change);
    }
}

static void adagrad(int64_t n, const void *w, const void *g, const void *a, void *w_out,
                    void *a_out, double rate, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double slope = (double)((const real *)g)[i],
                     weight = (double)((const real *)w)[i] * (1 - decay);
        const double sum = (double)((const real *)a)[i] + slope * slope;
        ((real *)a_out)[i] = (real)sum;
        ((real *)w_out)[i] = (real)(weight - rate * slope / sqrt(sum + epsilon));
    }
}

static void adadelta(int64_t n, const void *w, const void *g, const void *a, const void *d,
                     void *w_out, void *a_out, void *d_out, double rate, double rho, double epsilon,
                     double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double slope = (double)((const real *)g)[i],
                     weight = (double)((const real *)w)[i] * (1 - decay);
        const double sum = rho * (double)((const real *)a)[i] + (1 - rho) * slope * slope;
        const double past = (double)((const real *)d)[i];
        const double change = -sqrt((past + epsilon) / (sum + epsilon)) * slope;
        ((real *)a_out)[i] = (real)sum;
        ((real *)d_out)[i] = (real)(rho * past + (1 - rho) * change * change);
        ((real *)w_out)[i] = (real)(weight + rate * change);
    }
}

static void rmsprop(int64_t n, const void *w, const void *g, const void *v, const void *m,
                    const void *mean, void *w_out, void *v_out, void *m_out, void *mean_out,
                    double rate, double rho, double momentum, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double slope = (double)((const real *)g)[i],
                     weight = (double)((const real *)w)[i] * (1 - decay);
        const double square = rho * (double)((const real *)v)[i] + (1 - rho) * slope * slope;
        double variance = square;
        if (mean) {
            const double average = rho * (double)((const real *)mean)[i] + (1 - rho) * slope;
            ((real *)mean_out)[i] = (real)average;
            variance -= average * average;
        }
        double step = rate * slope / sqrt(variance + epsilon);
        if (m) {
            step += momentum * (double)((const real *)m)[i];
            ((real *)m_out)[i] = (real)step;
        }
        ((real *)v_out)[i] = (real)square;
        ((real *)w_out)[i] = (real)(weight - step);
    }
}

static void adam(int64_t n, const void *w, const void *g, const void *m, const void *v,
                 const void *vhat, void *w_out, void *m_out, void *v_out, void *vhat_out,
                 double alpha, double beta_1, double beta_2, double epsilon, double decay)
{
    for (int64_t i = 0; i < n; i++) {
        const double slope = (double)((const real *)g)[i],
                     weight = (double)((const real *)w)[i] * (1 - decay);
        const double first = (double)((const real *)m)[i], second = (double)((const real *)v)[i];
        const double mean = first + (slope - first) * (1 - beta_1);
        const double square = second + (slope * slope - second) * (1 - beta_2);
        double spread = square;
        if (vhat) {
            spread = max_of((double)((const real *)vhat)[i], square);
            ((real *)vhat_out)[i] = (real)spread;
        }
        ((real *)m_out)[i] = (real)mean;
        ((real *)v_out)[i] = (real)square;
        ((real *)w_out)[i] = (real)(weight - alpha * mean / (sqrt(spread) + epsilon));
    }
}
