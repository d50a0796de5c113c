// The pass one_sweep: the steps of many tensors at once give the bits of one step a tensor, with
// any number of threads.
#include "fixture.h"

#include <string.h>

enum { TENSORS = 5, SLOTS = 2, STEPS = 3, VALUES = TENSORS * (1 + SLOTS) };

// Lengths around lines, pieces and grains.
static const int64_t lengths[TENSORS] = {10, 20001, 1, 2048, 128};

typedef struct training {
    cj_variable *variables[VALUES];
    cj_tensor *gradients[TENSORS];
    int count;
} training;

static void add_tensor(fixture *f, const fixture_optimizer *o, training *t, int index,
                       cj_symbol *rate, cj_symbol *step)
{
    const cj_shape shape = CJ_SHAPE(lengths[index]);
    const cj_dtype dtype = cj_symbol_dtype(rate);
    cj_symbol *in[8] = {NULL, fixture_input_of(f, dtype, shape), rate, step};
    const int first = t->count, slots_from = o->counts ? 4 : 3;
    for (int i = 0; i <= o->slots; i++) {
        cj_variable *v = fixture_variable_of(dtype, "v", shape);
        if (i == 0)
            fixture_fill(cj_variable_value(v), (unsigned)index);
        in[i == 0 ? 0 : slots_from + i - 1] = fixture_read(f, v);
        t->variables[t->count++] = v;
    }
    cj_symbol *w = cj__append(&f->g, o->op, &o->attrs, in, slots_from + o->slots);
    for (int i = 0; i <= o->slots && w; i++)
        fixture_update(f, t->variables[first + i], cj__node_output(&f->g, w->node, i));
    t->gradients[index] = fixture_tensor_of(dtype, shape);
    fixture_fill(t->gradients[index], 100u + (unsigned)index);
}

static void train(const fixture_optimizer *o, cj_dtype dtype, const char *off, int threads,
                  training *t)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj_variable *rate = fixture_scalar(dtype), *steps = fixture_scalar(CJ_I64);
    cj_symbol *step = fixture_read(&f, steps), *rate_read = fixture_read(&f, rate);
    t->count = 0;
    for (int i = 0; i < TENSORS; i++)
        add_tensor(&f, o, t, i, rate_read, step);
    fixture_update(&f, steps, cj__append(&f.g, &cj__op_increment, NULL, &step, 1));
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(fixture_planned(function, 1, " sweep"), !off);
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(cj_function_call(function, t->gradients, NULL), CJ_OK);
    assert_int_equal(*(int64_t *)cj_tensor_data(cj_variable_value(steps)), STEPS);
    cj_release(function);
    cj_release(rate);
    cj_release(steps);
    for (int i = 0; i < TENSORS; i++)
        cj_release(t->gradients[i]);
}

static void compare(const fixture_optimizer *o, cj_dtype dtype)
{
    training single, swept;
    train(o, dtype, "-one_sweep", 1, &single);
    for (int threads = 1; threads <= 4; threads++) {
        train(o, dtype, NULL, threads, &swept);
        for (int i = 0; i < swept.count; i++) {
            fixture_expect_same(cj_variable_value(single.variables[i]),
                                cj_variable_value(swept.variables[i]));
            cj_release(swept.variables[i]);
        }
    }
    for (int i = 0; i < single.count; i++)
        cj_release(single.variables[i]);
}

static void a_sweep_gives_the_bits_of_single_steps(void **state)
{
    (void)state;
    for (size_t o = 0; o < FIXTURE_OPTIMIZERS; o++) {
        compare(&fixture_optimizers[o], CJ_F32);
        compare(&fixture_optimizers[o], CJ_F64);
    }
}

// Two steps whose gradients are each other's weights: a sweep would take the second step with
// weights that the first has written.
static void steps_that_read_each_others_weights_stay_apart(void **state)
{
    (void)state;
    enum { COUNT = 40, BOTH = 2 };
    for (int viewed = 0; viewed < 2; viewed++) {
        fixture f = {.pool = cj_pool_new(2)};
        const cj__update_attrs plain = {0};
        cj_variable *w[BOTH], *rate = fixture_scalar(CJ_F32);
        cj_symbol *read[BOTH], *rate_read = fixture_read(&f, rate);
        for (int i = 0; i < BOTH; i++) {
            w[i] = fixture_variable("w", viewed ? CJ_SHAPE(COUNT / 4, 4) : CJ_SHAPE(COUNT), NULL);
            cj_tensor_fill(cj_variable_value(w[i]), i + 1);
            read[i] = fixture_read(&f, w[i]);
        }
        for (int i = 0; i < BOTH; i++) {
            cj_symbol *flat = cj__reshape(&f.g, read[1 - i], &CJ_SHAPE(COUNT));
            cj_symbol *in[] = {read[i],
                               viewed ? cj__reshape(&f.g, flat, &cj_variable_value(w[i])->shape) :
                                        read[1 - i],
                               rate_read};
            fixture_update(&f, w[i], cj__append(&f.g, &cj__op_sgd, &plain, in, 3));
        }
        cj_function *function = fixture_function(&f, NULL);
        assert_non_null(function);
        assert_int_equal(fixture_planned(function, 1, " sweep"), 0);
        assert_int_equal(cj_function_call(function, NULL, NULL), CJ_OK);
        for (int i = 0; i < BOTH; i++)
            for (int64_t k = 0; k < COUNT; k++)
                assert_near(fixture_get(cj_variable_value(w[i]), k), i + 1 - 0.01 * (2 - i), 1e-6,
                            0);
        cj_release(function), cj_release(rate), cj_release(w[0]), cj_release(w[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_gives_the_bits_of_single_steps),
        cmocka_unit_test(steps_that_read_each_others_weights_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
