// What Adam's step costs a parameter, from 10^4 to 10^7 parameters: in one tensor, and cut into
// many of which half hold ten numbers, on one thread and on two. The least of several rounds, in
// turns. CAJAL_PLAN=-one_sweep shows what a kernel call for each tensor costs instead.
//
//   updates [rounds]
#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"
#include "graph/graph.h"
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TENSORS_MAX = 64, SMALL = 10 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Weights, slots and gradients of one step.
typedef struct updating {
    cj__build g;
    cj_symbol *inputs[TENSORS_MAX];
    const void *gradients[TENSORS_MAX];
    cj_tensor *held[TENSORS_MAX];
    cj_update updates[3 * TENSORS_MAX];
    int tensors;
    cj_function *function;
} updating;

static cj_variable *variable(cj_shape shape, cj_dtype dtype, float value)
{
    cj_tensor *tensor;
    if (cj_tensor_new(dtype, shape, &tensor) != CJ_OK)
        return NULL;
    for (int64_t i = 0; dtype == CJ_F32 && i < cj_tensor_count(tensor); i++)
        ((float *)cj_tensor_data(tensor))[i] = value;
    return cj_variable_new("v", tensor);
}

static void add_tensor(updating *u, int64_t count, cj_symbol *rate, cj_symbol *step)
{
    const cj__update_attrs attrs = {.beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7};
    const cj_shape shape = CJ_SHAPE(count);
    const int t = u->tensors++;
    cj_variable *v[3];
    cj_symbol *s[3];
    for (int i = 0; i < 3; i++) {
        v[i] = variable(shape, CJ_F32, i == 0 ? 1 : 1e-3f);
        s[i] = cj__build_keep(&u->g, cj_symbol_variable(v[i]));
        cj_release(v[i]); // the symbol holds it
    }
    u->inputs[t] = cj__build_keep(&u->g, cj_symbol_input(CJ_F32, shape, "gradient"));
    cj_symbol *in[] = {s[0], u->inputs[t], rate, step, s[1], s[2]};
    cj_symbol *w = cj__append(&u->g, &cj__op_adam, &attrs, in, 6);
    for (int i = 0; i < 3 && w; i++)
        u->updates[3 * t + i] = (cj_update){v[i], i == 0 ? w : cj__node_output(&u->g, w->node, i)};
    cj_tensor_new(CJ_F32, shape, &u->held[t]);
    float *gradient = cj_tensor_data(u->held[t]);
    for (int64_t i = 0; i < count; i++)
        gradient[i] = (float)(i % 7) * 1e-3f;
    u->gradients[t] = gradient;
}

// The symbol of a scalar variable, which it alone holds.
static cj_symbol *scalar(updating *u, cj_dtype dtype, float value)
{
    cj_variable *v = variable((cj_shape){0}, dtype, value);
    cj_symbol *symbol = cj__build_keep(&u->g, cj_symbol_variable(v));
    cj_release(v);
    return symbol;
}

static cj_status prepare(updating *u, int64_t parameters, int tensors, int threads)
{
    cj_symbol *rate = scalar(u, CJ_F32, 1e-3f), *step = scalar(u, CJ_I64, 0);
    const int large = tensors > 1 ? tensors / 2 : 1, small = tensors - large;
    for (int i = 0; i < large; i++)
        add_tensor(u, (parameters - small * SMALL) / large, rate, step);
    for (int i = 0; i < small; i++)
        add_tensor(u, SMALL, rate, step);
    u->function = cj_function(.inputs = u->inputs, .input_count = u->tensors, .updates = u->updates,
                              .update_count = 3 * u->tensors, .pool = cj_pool_new(threads));
    cj__build_end(&u->g);
    return u->function ? CJ_OK : cj_error_status();
}

static void finish(updating *u)
{
    cj_release(u->function);
    for (int i = 0; i < u->tensors; i++)
        cj_release(u->held[i]);
    cj__free(u);
}

static double seconds(updating *u, int repeats)
{
    const double begin = now();
    for (int i = 0; i < repeats; i++)
        if (cj__function_run(u->function, 1, u->gradients, NULL) != CJ_OK)
            return -1;
    return (now() - begin) / repeats;
}

static cj_status measure(int64_t parameters, int tensors, int rounds)
{
    updating *u[2];
    double least[2] = {1e9, 1e9};
    for (int i = 0; i < 2; i++) {
        u[i] = cj__new(1, sizeof *u[i]);
        if (!u[i])
            return CJ_OUT_OF_MEMORY;
        CJ_TRY(prepare(u[i], parameters, tensors, i + 1));
    }
    const int repeats = (int)(2000000 / parameters) + 2;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 2; i++) {
            const double took = seconds(u[i], repeats);
            least[i] = took < least[i] ? took : least[i];
        }
    printf("%10lld %8d %12.3f %12.3f %14.2f %14.2f\n", (long long)parameters, tensors,
           least[0] / (double)parameters * 1e9, least[1] / (double)parameters * 1e9, least[0] * 1e6,
           least[1] * 1e6);
    for (int i = 0; i < 2; i++)
        finish(u[i]);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 15;
    printf("%10s %8s %12s %12s %14s %14s\n", "parameters", "tensors", "ns each, 1", "2 threads",
           "us a step, 1", "2 threads");
    for (int64_t parameters = 10000; parameters <= 10000000; parameters *= 10)
        for (int tensors = 1; tensors <= TENSORS_MAX; tensors *= TENSORS_MAX)
            if (measure(parameters, tensors, rounds) != CJ_OK)
                return cj_report(cj_error_status());
    return 0;
}
