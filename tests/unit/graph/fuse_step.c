// The pass fuse_step: a step in the product of its gradient gives what the two give one after the other, with the same
// bits for any number of threads.
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { SLOTS_MAX = 3, STEPS = 3 };

// Weights of more than the pass asks for; columns that fill vectors and some that do not; leading axes that fold.
static const struct layer {
    int64_t groups, rows, m, n;
} layers[] = {{1, 33, 700, 400}, {3, 11, 667, 395}};

typedef struct result {
    cj_variable *variables[SLOTS_MAX];
    int count;
} result;

static void train(const fixture_optimizer *o, const struct layer *l, const char *off, int threads, result *r)
{
    fixture f = {.pool = cj_pool_new(threads)};
    const cj_shape a = CJ_SHAPE(l->groups, l->rows, l->m), b = CJ_SHAPE(l->groups, l->rows, l->n);
    cj_variable *rate = fixture_scalar(CJ_F32), *steps = fixture_scalar(CJ_I64);
    cj_symbol *x = fixture_input(&f, a), *dy = fixture_input(&f, b), *step = fixture_read(&f, steps);
    cj_symbol *in[8] = {NULL, cj__matmul(&f.g, x, dy, true, false), fixture_read(&f, rate), step};
    const int slots_from = o->counts ? 4 : 3;
    r->count = 1 + o->slots;
    for (int i = 0; i < r->count; i++) {
        r->variables[i] = fixture_variable("v", CJ_SHAPE(l->m, l->n), NULL);
        if (i == 0)
            fixture_fill(r->variables[i]->value, 7);
        in[i == 0 ? 0 : slots_from + i - 1] = fixture_read(&f, r->variables[i]);
    }
    cj_symbol *w = cj__append(&f.g, o->op, &o->attrs, in, slots_from + o->slots);
    for (int i = 0; i < r->count && w; i++)
        fixture_update(&f, r->variables[i], cj__node_output(&f.g, w->node, i));
    fixture_update(&f, steps, cj__append(&f.g, &cj__op_increment, NULL, &step, 1));
    cj_tensor *given[2] = {fixture_tensor(a, NULL), fixture_tensor(b, NULL)};
    fixture_fill(given[0], 1);
    fixture_fill(given[1], 2);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(cj_function_call(function, given, NULL), CJ_OK);
    cj_release(function);
    cj_release(rate);
    cj_release(steps);
    cj_release(given[0]);
    cj_release(given[1]);
}

static void release(result *r)
{
    for (int i = 0; i < r->count; i++)
        cj_release(r->variables[i]);
}

// The gradient is a sum of 33 terms, whose order may differ: a few epsilon of it, and of what is made of it.
static void assert_like(const cj_tensor *a, const cj_tensor *b)
{
    const float *x = (const void *)a->data, *y = (const void *)b->data;
    for (int64_t i = 0; i < cj_tensor_count(a); i++)
        if (!(fabsf(x[i] - y[i]) <= 1e-5f * (1 + fabsf(y[i]))))
            fail_msg("element %lld: %g for %g", (long long)i, (double)x[i], (double)y[i]);
}

static void a_fused_step_is_the_product_and_the_step(void **state)
{
    (void)state;
    for (size_t l = 0; l < sizeof layers / sizeof layers[0]; l++) {
        for (size_t o = 0; o < FIXTURE_OPTIMIZERS; o++) {
            result apart, fused, shared;
            train(&fixture_optimizers[o], &layers[l], "-fuse_step", 1, &apart);
            train(&fixture_optimizers[o], &layers[l], NULL, 1, &fused);
            train(&fixture_optimizers[o], &layers[l], NULL, 3, &shared);
            for (int i = 0; i < fused.count; i++) {
                const cj_tensor *one = fused.variables[i]->value, *three = shared.variables[i]->value;
                assert_like(one, apart.variables[i]->value);
                assert_memory_equal(one->data, three->data, (size_t)cj_tensor_count(one) * sizeof(float));
            }
            release(&apart);
            release(&fused);
            release(&shared);
        }
    }
}

// Somebody else who reads the gradient still gets it.
static void a_gradient_that_is_wanted_is_not_fused(void **state)
{
    (void)state;
    const struct layer *l = &layers[0];
    fixture f = {.pool = cj_pool_new(2)};
    const cj_shape a = CJ_SHAPE(l->rows, l->m), b = CJ_SHAPE(l->rows, l->n);
    cj_variable *rate = fixture_scalar(CJ_F32), *weights = fixture_variable("w", CJ_SHAPE(l->m, l->n), NULL);
    cj_symbol *x = fixture_input(&f, a), *dy = fixture_input(&f, b);
    cj_symbol *g = cj__matmul(&f.g, x, dy, true, false);
    cj_symbol *in[] = {fixture_read(&f, weights), g, fixture_read(&f, rate)};
    const cj__update_attrs plain = {0};
    fixture_update(&f, weights, cj__append(&f.g, &cj__op_sgd, &plain, in, 3));
    fixture_output(&f, g);
    cj_tensor *given[2] = {fixture_tensor(a, NULL), fixture_tensor(b, NULL)};
    cj_tensor *gradient = fixture_tensor(CJ_SHAPE(l->m, l->n), NULL);
    fixture_fill(given[0], 1);
    fixture_fill(given[1], 2);
    cj_function *function = fixture_function(&f, NULL);
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_function_call(function, given, &gradient), CJ_OK);
    const float *w = (const void *)weights->value->data, *slope = (const void *)gradient->data;
    for (int64_t i = 0; i < l->m * l->n; i++)
        assert_true(fabsf(w[i] + 0.01f * slope[i]) <= 1e-6f);
    assert_true(fabsf(slope[0]) > 0);
    cj_release(function);
    cj_release(rate);
    cj_release(weights);
    cj_release(gradient);
    cj_release(given[0]);
    cj_release(given[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fused_step_is_the_product_and_the_step),
        cmocka_unit_test(a_gradient_that_is_wanted_is_not_fused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
