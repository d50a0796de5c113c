// Optimizer steps, in place; formulas as in ref/. Weight decay is w - decay w and not (1 - decay)
// w, for 1 - decay would round most of a small decay away.

ALWAYS_INLINE vec decayed(vec w, vec minus_decay)
{
    return vec_fma(minus_decay, w, w);
}

static void sgd(int64_t n, const void *w, const void *g, const void *m, void *w_out, void *m_out,
                double rate, double momentum, bool nesterov, double decay)
{
    const real *weight = w, *slope = g, *speed = m;
    real *to = w_out, *speed_to = m_out;
    const vec down = K(-rate), keep = K(momentum), less = K(-decay);
    if (!m) {
        EACH_VEC(n, PUT(to, vec_fma(down, GET(slope), decayed(GET(weight), less))););
        return;
    }
    EACH_VEC(
        n, const vec step = down * GET(slope); const vec fresh = vec_fma(keep, GET(speed), step);
        const vec change = nesterov ? vec_fma(keep, fresh, step) : fresh;
        const vec now = decayed(GET(weight), less) + change; PUT(speed_to, fresh); PUT(to, now););
}

static void adagrad(int64_t n, const void *w, const void *g, const void *a, void *w_out,
                    void *a_out, double rate, double epsilon, double decay)
{
    const real *weight = w, *slope = g, *sum = a;
    real *to = w_out, *sum_to = a_out;
    const vec down = K(-rate), little = K(epsilon), less = K(-decay);
    EACH_VEC(n, const vec d = GET(slope); const vec all = vec_fma(d, d, GET(sum));
             const vec now = decayed(GET(weight), less) + down * d / vec_sqrt(all + little);
             PUT(sum_to, all); PUT(to, now););
}

static void adadelta(int64_t n, const void *w, const void *g, const void *a, const void *d,
                     void *w_out, void *a_out, void *d_out, double rate, double rho, double epsilon,
                     double decay)
{
    const real *weight = w, *slope = g, *sum = a, *past = d;
    real *to = w_out, *sum_to = a_out, *past_to = d_out;
    const vec up = K(rate), keep = K(rho), take = K(1 - rho), little = K(epsilon), less = K(-decay);
    EACH_VEC(n, const vec x = GET(slope); const vec before = GET(past);
             const vec all = vec_fma(keep, GET(sum), take * x * x);
             const vec change = -vec_sqrt((before + little) / (all + little)) * x;
             const vec now = vec_fma(up, change, decayed(GET(weight), less)); PUT(sum_to, all);
             PUT(past_to, vec_fma(keep, before, take * change * change)); PUT(to, now););
}

static void rmsprop(int64_t n, const void *w, const void *g, const void *v, const void *m,
                    const void *mean, void *w_out, void *v_out, void *m_out, void *mean_out,
                    double rate, double rho, double momentum, double epsilon, double decay)
{
    const real *weight = w, *slope = g, *squares = v, *speed = m, *means = mean;
    real *to = w_out, *squares_to = v_out, *speed_to = m_out, *means_to = mean_out;
    const vec up = K(rate), keep = K(rho), take = K(1 - rho), inertia = K(momentum),
              little = K(epsilon);
    const vec less = K(-decay);
    EACH_VEC(
        n, const vec d = GET(slope); const vec square = vec_fma(keep, GET(squares), take * d * d);
        vec spread = square; if (means) {
            const vec average = vec_fma(keep, GET(means), take * d);
            spread = vec_fma(-average, average, square);
            PUT(means_to, average);
        } vec step = up * d / vec_sqrt(spread + little);
        if (speed) {
            step = vec_fma(inertia, GET(speed), step);
            PUT(speed_to, step);
        } const vec now = decayed(GET(weight), less) - step;
        PUT(squares_to, square); PUT(to, now););
}

static void adam(int64_t n, const void *w, const void *g, const void *m, const void *v,
                 const void *vhat, void *w_out, void *m_out, void *v_out, void *vhat_out,
                 double alpha, double beta_1, double beta_2, double epsilon, double decay)
{
    const real *weight = w, *slope = g, *first = m, *second = v, *most = vhat;
    real *to = w_out, *first_to = m_out, *second_to = v_out, *most_to = vhat_out;
    const bool divides = epsilon < 1e-30; // a sum of so little may be a denormal number
    const vec up = K(alpha), take_1 = K(1 - beta_1), take_2 = K(1 - beta_2), little = K(epsilon),
              less = K(-decay);
    EACH_VEC(
        n, const vec d = GET(slope); const vec old_mean = GET(first);
        const vec old_square = GET(second);
        const vec mean = vec_fma(d - old_mean, take_1, old_mean);
        const vec square = vec_fma(vec_fma(d, d, -old_square), take_2, old_square);
        vec spread = square; if (most) {
            spread = vec_greater(GET(most), square);
            PUT(most_to, spread);
        } const vec far = vec_sqrt(spread) + little;
        const vec way = divides ? vec_set(1) / far : vec_reciprocal(far);
        const vec now = vec_fma(-(up * mean), way, decayed(GET(weight), less)); PUT(first_to, mean);
        PUT(second_to, square); PUT(to, now););
}
