// The pass fuse_step: a step in the product of its gradient gives what the two give one after the
// other, with the same bits for any number of threads.
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { SLOTS_MAX = 3, STEPS = 3 };

// Weights of more than the pass asks for; columns that fill vectors and some that do not; leading
// axes that fold.
static const struct layer {
    cj_dtype dtype;
    int64_t groups, rows, m, n;
} layers[] = {{CJ_F32, 1, 33, 700, 400}, {CJ_F32, 3, 11, 667, 395}, {CJ_F64, 3, 11, 667, 395}};

typedef struct result {
    cj_variable *variables[SLOTS_MAX];
    int count;
} result;

static void train(const fixture_optimizer *o, const struct layer *l, const char *off, int threads,
                  result *r)
{
    const cj_dtype dtype = l->dtype;
    fixture f = {.pool = cj_pool_new(threads)};
    const cj_shape a = CJ_SHAPE(l->groups, l->rows, l->m), b = CJ_SHAPE(l->groups, l->rows, l->n);
    cj_variable *rate = fixture_scalar(dtype), *steps = fixture_scalar(CJ_I64);
    cj_symbol *x = fixture_input_of(&f, dtype, a), *dy = fixture_input_of(&f, dtype, b),
              *step = fixture_read(&f, steps);
    cj_symbol *in[8] = {NULL, cj__matmul(&f.g, x, dy, true, false), fixture_read(&f, rate), step};
    const int slots_from = o->counts ? 4 : 3;
    r->count = 1 + o->slots;
    for (int i = 0; i < r->count; i++) {
        r->variables[i] = fixture_variable_of(dtype, "v", CJ_SHAPE(l->m, l->n));
        if (i == 0)
            fixture_fill(cj_variable_value(r->variables[i]), 7);
        in[i == 0 ? 0 : slots_from + i - 1] = fixture_read(&f, r->variables[i]);
    }
    cj_symbol *w = cj__append(&f.g, o->op, &o->attrs, in, slots_from + o->slots);
    for (int i = 0; i < r->count && w; i++)
        fixture_update(&f, r->variables[i], cj__node_output(&f.g, w->node, i));
    fixture_update(&f, steps, cj__append(&f.g, &cj__op_increment, NULL, &step, 1));
    cj_tensor *given[2] = {fixture_tensor_of(dtype, a), fixture_tensor_of(dtype, b)};
    fixture_fill(given[0], 1);
    fixture_fill(given[1], 2);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(fixture_planned(function, 1, "matmul_step, "), !off);
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

// The gradient is a sum of 33 terms, whose order may differ: a few epsilon of it, and of what is
// made of it.
static void assert_like(const cj_tensor *a, const cj_tensor *b)
{
    const double most = a->dtype == CJ_F64 ? 1e-13 : 1e-5;
    for (int64_t i = 0; i < cj_tensor_count(a); i++) {
        const double x = fixture_get(a, i), y = fixture_get(b, i);
        if (!(fabs(x - y) <= most * (1 + fabs(y))))
            fail_msg("element %lld: %g for %g", (long long)i, x, y);
    }
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
                const cj_tensor *one = cj_variable_value(fused.variables[i]),
                                *three = cj_variable_value(shared.variables[i]);
                assert_like(one, cj_variable_value(apart.variables[i]));
                fixture_expect_same(one, three);
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
    cj_variable *rate = fixture_scalar(CJ_F32),
                *weights = fixture_variable("w", CJ_SHAPE(l->m, l->n), NULL);
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
    assert_int_equal(fixture_planned(function, 1, "matmul_step, "), 0);
    assert_int_equal(cj_function_call(function, given, &gradient), CJ_OK);
    const float *w = (const void *)cj_variable_value(weights)->data,
                *slope = (const void *)gradient->data;
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

// Which operand of the product is memory of a variable, and which variable's: the weights or the
// momentum that the step writes, or weights that another step writes, which in turn reads these.
typedef struct selfish {
    bool second; // operand, instead of the first
    enum { OWN_WEIGHTS, OWN_SLOT, OTHERS } reads;
    bool direct; // the variable itself, not a view of it
} selfish;

enum { SELFISH_ROWS = 128, SELFISH_LONG = 2048 };

// w is (2048, 128), or (128, 2048) where the second operand is to be like it; seen as 128 rows, w
// is an operand.
static void add_selfish_step(fixture *f, const selfish *s, cj_variable *const *own,
                             cj_variable *other, cj_symbol *rate)
{
    const cj__update_attrs attrs = {.momentum = 0.5};
    const cj_shape rows = CJ_SHAPE(SELFISH_ROWS, SELFISH_LONG);
    cj_symbol *given = fixture_input(f, CJ_SHAPE(SELFISH_ROWS, SELFISH_ROWS));
    cj_symbol *w = fixture_read(f, own[0]), *slot = fixture_read(f, own[1]);
    cj_symbol *read = s->reads == OTHERS ? fixture_read(f, other) : s->reads == OWN_SLOT ? slot : w;
    cj_symbol *operand = s->direct ? read : cj__reshape(&f->g, read, &rows);
    cj_symbol *g =
        cj__matmul(&f->g, s->second ? given : operand, s->second ? operand : given, true, false);
    cj_symbol *in[] = {w, g, rate, slot};
    cj_symbol *made = cj__append(&f->g, &cj__op_sgd, &attrs, in, 4);
    for (int i = 0; i < 2; i++)
        fixture_update(f, own[i], cj__node_output(&f->g, made->node, i));
}

enum { SELFISH_VARIABLES = 4 };

static void train_selfishly(const selfish *s, cj_variable **v)
{
    fixture f = {.pool = cj_pool_new(2)};
    const cj_shape shape =
        s->second ? CJ_SHAPE(SELFISH_ROWS, SELFISH_LONG) : CJ_SHAPE(SELFISH_LONG, SELFISH_ROWS);
    cj_variable *rate = fixture_scalar(CJ_F32);
    cj_tensor *given[2];
    for (unsigned i = 0; i < SELFISH_VARIABLES; i++) {
        v[i] = fixture_variable("v", shape, NULL);
        fixture_fill(cj_variable_value(v[i]), 7 + i);
    }
    cj_symbol *rate_read = fixture_read(&f, rate);
    add_selfish_step(&f, s, v, v[2], rate_read);
    add_selfish_step(&f, s, v + 2, v[0], rate_read);
    for (int i = 0; i < 2; i++) {
        given[i] = fixture_tensor(CJ_SHAPE(SELFISH_ROWS, SELFISH_ROWS), NULL);
        fixture_fill(given[i], 1 + (unsigned)i);
    }
    cj_function *function = fixture_function(&f, NULL);
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(fixture_planned(function, 1, "matmul_step, "), 0);
    assert_int_equal(cj_function_call(function, given, NULL), CJ_OK);
    cj_release(function), cj_release(rate), cj_release(given[0]), cj_release(given[1]);
}

// One step by the definition, of the second of the two where `second_step`; the tolerance is that
// of sums of 128 terms, each below 1.
static void expect_stepped(const selfish *s, int second_step, cj_variable *const *v)
{
    float *w[SELFISH_VARIABLES];
    cj_tensor *before[SELFISH_VARIABLES],
        *given = fixture_tensor(CJ_SHAPE(SELFISH_ROWS, SELFISH_ROWS), NULL);
    fixture_fill(given, 1 + (unsigned)second_step);
    for (unsigned i = 0; i < SELFISH_VARIABLES; i++) {
        before[i] = fixture_tensor(cj_variable_value(v[i])->shape, NULL);
        fixture_fill(before[i], 7 + i);
        w[i] = cj_tensor_data(before[i]);
    }
    const int own = 2 * second_step, read = s->reads == OTHERS   ? 2 - own :
                                            s->reads == OWN_SLOT ? own + 1 :
                                                                   own;
    const float *x = cj_tensor_data(given), *after = cj_tensor_data(cj_variable_value(v[own]));
    const int64_t cols = s->second ? SELFISH_LONG : SELFISH_ROWS;
    for (int64_t at = 0; at < SELFISH_LONG * SELFISH_ROWS; at++) {
        double gradient = 0;
        for (int64_t k = 0; k < SELFISH_ROWS; k++)
            gradient += s->second ? (double)x[k * SELFISH_ROWS + at / cols] *
                                        (double)w[read][k * SELFISH_LONG + at % cols] :
                                    (double)w[read][k * SELFISH_LONG + at / cols] *
                                        (double)x[k * SELFISH_ROWS + at % cols];
        const double expected =
            (double)w[own][at] + 0.5 * (double)w[own + 1][at] - (double)0.01f * gradient;
        if (!(fabs((double)after[at] - expected) <= 1e-5))
            fail_msg("step %d, element %lld: %g for %g", second_step, (long long)at,
                     (double)after[at], expected);
    }
    for (int i = 0; i < SELFISH_VARIABLES; i++)
        cj_release(before[i]);
    cj_release(given);
}

// In its product a step would read what it has just written, strip by strip.
static void a_product_of_variables_is_not_fused(void **state)
{
    (void)state;
    static const selfish all[] = {{false, OWN_WEIGHTS, false}, {true, OWN_WEIGHTS, true},
                                  {true, OWN_WEIGHTS, false},  {false, OWN_SLOT, false},
                                  {true, OWN_SLOT, true},      {false, OTHERS, false},
                                  {true, OTHERS, true}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        cj_variable *v[SELFISH_VARIABLES];
        train_selfishly(&all[i], v);
        expect_stepped(&all[i], 0, v);
        expect_stepped(&all[i], 1, v);
        for (int k = 0; k < SELFISH_VARIABLES; k++)
            cj_release(v[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fused_step_is_the_product_and_the_step),
        cmocka_unit_test(a_gradient_that_is_wanted_is_not_fused),
        cmocka_unit_test(a_product_of_variables_is_not_fused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
