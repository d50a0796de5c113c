// The pass keep_prepared in loops: a step that finds the panels of its weights packed gives the bits
// of one that packs them, in the loop and in its gradient, whatever happened to the weights between
// two runs, for any number of threads.
#include "fixture.h"

#include "graph/scan.h"
#include "kernels/kernels.h"
#include "ops/variable.h"
#include <math.h>
#include <string.h>

enum { RESULTS = 5, OPERANDS = 4 };

// h' = h u + x, of `inner` states y' = y u + h' within each step where that is not 0.
typedef struct form {
    int64_t steps, batch, units;
    int64_t inner;
    cj_dtype dtype;
    bool rounds; // states and weights are bfloat16 numbers
} form;

static cj_symbol *product(const form *s, cj__build *g, cj_symbol *h, cj_symbol *u)
{
    cj_symbol *a = s->rounds ? cj__round_bf16(g, h) : h, *b = s->rounds ? cj__round_bf16(g, u) : u;
    return cj__matmul(g, a, b, false, false);
}

// All steps of the inner loop begin with h and read the weights that the outer one reads.
static cj_symbol *inner_loop(const form *s, cj__build *g, cj_symbol *h, cj_symbol *u)
{
    cj__scan scan;
    cj_symbol *last = NULL;
    cj__scan_begin(&scan, g, s->inner, false);
    cj_symbol *y = cj__scan_carry(&scan, h);
    cj__scan_next(&scan, y, cj__sub(g, product(s, g, y, u), h));
    cj__scan_end(&scan, &last, NULL);
    return last;
}

// The last state, all states, and the gradients of a weighted sum of both by the weights and by the
// first state.
static cj_function *make(const form *s, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj__build *g = &f.g;
    const int64_t n = CJ_BATCH, units = s->units;
    cj_symbol *h0 = fixture_input_of(&f, s->dtype, CJ_SHAPE(n, units));
    cj_symbol *xs = fixture_input_of(&f, s->dtype, CJ_SHAPE(s->steps, n, units));
    cj_symbol *u = fixture_input_of(&f, s->dtype, CJ_SHAPE(units, units));
    cj_symbol *w = fixture_input_of(&f, s->dtype, CJ_SHAPE(s->steps, n, units));
    cj__scan scan;
    cj_symbol *last = NULL, *all = NULL, *by[3], *in[] = {u, h0, xs};
    cj__scan_begin(&scan, g, s->steps, false);
    cj_symbol *h = cj__scan_carry(&scan, h0);
    cj_symbol *next = cj__add(g, product(s, g, h, u), cj__scan_slice(&scan, xs));
    if (s->inner > 0)
        next = inner_loop(s, g, next, u);
    cj__scan_next(&scan, h, next);
    cj__scan_output(&scan, next);
    cj__scan_end(&scan, &last, &all);
    cj_symbol *loss = cj__sum(g, cj__mul(g, w, all), cj__all_axes(all), false);
    if (cj__gradients(g, loss, in, 3, by) != CJ_OK)
        fail_msg("%s", cj_error());
    fixture_output(&f, last);
    fixture_output(&f, all);
    for (int i = 0; i < 3; i++)
        fixture_output(&f, by[i]);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

typedef struct tensors {
    cj_tensor *in[OPERANDS], *out[RESULTS], *expected[RESULTS];
} tensors;

// Few whole numbers, so that sums are exact in any order.
static void take(const form *s, tensors *t)
{
    const cj_shape state = CJ_SHAPE(s->batch, s->units),
                   all = CJ_SHAPE(s->steps, s->batch, s->units),
                   weights = CJ_SHAPE(s->units, s->units);
    const cj_shape in[OPERANDS] = {state, all, weights, all};
    const cj_shape out[RESULTS] = {state, all, weights, state, all};
    for (int i = 0; i < OPERANDS; i++) {
        t->in[i] = fixture_tensor_of(s->dtype, in[i]);
        fixture_fill_whole(t->in[i], (unsigned)i + 3, 1);
    }
    for (int i = 0; i < RESULTS; i++) {
        t->out[i] = fixture_tensor_of(s->dtype, out[i]);
        t->expected[i] = fixture_tensor_of(s->dtype, out[i]);
    }
    // a few ones in a row, or the states would grow beyond what is exact
    memset(cj_tensor_data(t->in[2]), 0,
           (size_t)cj_tensor_count(t->in[2]) * cj_dtype_size(s->dtype));
}

// One weight a row: each state of a step is a state of the step before, or its negative.
static void put_weights(const form *s, tensors *t, int64_t shift)
{
    for (int64_t i = 0; i < s->units; i++) {
        for (int64_t j = 0; j < s->units; j++) {
            const double one = i % 3 == 0 ? -1 : 1, value = j == (i + shift) % s->units ? one : 0;
            if (s->dtype == CJ_F32)
                ((float *)cj_tensor_data(t->in[2]))[i * s->units + j] = (float)value;
            else
                ((double *)cj_tensor_data(t->in[2]))[i * s->units + j] = value;
        }
    }
}

static void release(tensors *t)
{
    for (int i = 0; i < OPERANDS; i++)
        cj_release(t->in[i]);
    for (int i = 0; i < RESULTS; i++)
        cj_release(t->out[i]), cj_release(t->expected[i]);
}

static void expect_same_results(cj_function *keeps, cj_function *packs, tensors *t)
{
    if (cj_function_call(keeps, t->in, t->out) != CJ_OK ||
        cj_function_call(packs, t->in, t->expected) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < RESULTS; i++)
        fixture_expect_same(t->out[i], t->expected[i]);
}

static const form forms[] = {
    {.steps = 6, .batch = 1, .units = 5, .dtype = CJ_F32},
    {.steps = 5, .batch = 1, .units = 130, .dtype = CJ_F32},
    {.steps = 4, .batch = 3, .units = 70, .dtype = CJ_F64},
    {.steps = 6, .batch = 37, .units = 96, .dtype = CJ_F32},
    {.steps = 5, .batch = 2, .units = 40, .inner = 4, .dtype = CJ_F32},
    {.steps = 4, .batch = 33, .units = 64, .dtype = CJ_F32, .rounds = true},
    {.steps = 4, .batch = 1, .units = 64, .dtype = CJ_F32, .rounds = true},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static void kept_panels_give_the_bits_of_packed_ones(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 16};
    for (int i = 0; i < FORMS; i++) {
        tensors t;
        take(&forms[i], &t);
        cj_function *packs = make(&forms[i], "-keep_prepared", 1);
        for (int k = 0; k < 4; k++) {
            cj_function *keeps = make(&forms[i], NULL, threads[k]);
            for (int run = 0; run < 3; run++) {
                put_weights(&forms[i], &t, run + k); // by a pointer that the user has
                expect_same_results(keeps, packs, &t);
                expect_same_results(keeps, packs, &t);
            }
            cj_release(keeps);
        }
        cj_release(packs);
        release(&t);
    }
}

// Forward and backward; in the loop within, in the one around and in those of the gradients.
static void products_of_a_loop_keep_their_panels(void **state)
{
    (void)state;
    const bool packs = strcmp(cj__kernels_for(sizeof(float))->isa, "ref") != 0;
    for (int i = 0; i < FORMS; i++) {
        cj_function *keeps = make(&forms[i], NULL, 1);
        cj_function *anew = make(&forms[i], "-keep_prepared", 1);
        const int kept = fixture_planned(keeps, forms[i].batch, "matmul, kept ") +
                         fixture_planned(keeps, forms[i].batch, "matmul, bf16, kept ");
        if (!forms[i].rounds) // AMX's tiles are packed anew
            assert_int_equal(kept, !packs ? 0 : forms[i].inner > 0 ? 4 : 2);
        assert_int_equal(fixture_planned(anew, forms[i].batch, ", kept "), 0);
        cj_release(keeps), cj_release(anew);
    }
}

static void few_steps_keep_nothing(void **state)
{
    (void)state;
    const form few = {.steps = 3, .batch = 5, .units = 70, .dtype = CJ_F32};
    cj_function *function = make(&few, NULL, 1);
    assert_int_equal(fixture_planned(function, few.batch, ", kept "), 0);
    cj_release(function);
}

// Steps without a batch, and units without any.
static void empty_steps_are_run(void **state)
{
    (void)state;
    const form empty = {.steps = 5, .batch = 0, .units = 70, .dtype = CJ_F32};
    tensors t;
    take(&empty, &t);
    put_weights(&empty, &t, 1);
    cj_function *keeps = make(&empty, NULL, 2), *packs = make(&empty, "-keep_prepared", 1);
    expect_same_results(keeps, packs, &t);
    cj_release(keeps), cj_release(packs);
    release(&t);
}

// ---- Weights that outlive runs ----

// h' = h u + x, where u is a variable.
typedef struct network {
    cj_variable *u;
    cj_tensor *in[2], *kept, *packed;
    cj_function *keeps, *packs;
} network;

enum { STEPS = 6, BATCH = 3, UNITS = 70 };

static cj_function *make_network(network *n, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj__build *g = &f.g;
    cj_symbol *h0 = fixture_input(&f, CJ_SHAPE(CJ_BATCH, UNITS)),
              *xs = fixture_input(&f, CJ_SHAPE(STEPS, CJ_BATCH, UNITS)), *last = NULL;
    cj__scan scan;
    cj__scan_begin(&scan, g, STEPS, false);
    cj_symbol *h = cj__scan_carry(&scan, h0),
              *product = cj__matmul(g, h, fixture_read(&f, n->u), false, false);
    cj__scan_next(&scan, h, cj__add(g, product, cj__scan_slice(&scan, xs)));
    cj__scan_end(&scan, &last, NULL);
    fixture_output(&f, last);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static void take_network(network *n, int threads)
{
    n->u = fixture_variable("u", CJ_SHAPE(UNITS, UNITS), NULL);
    cj__variable_own(n->u); // nobody else has a pointer to it
    assert_int_equal(cj__variable_fill(n->u, 0.01), CJ_OK);
    n->in[0] = fixture_tensor(CJ_SHAPE(BATCH, UNITS), NULL);
    n->in[1] = fixture_tensor(CJ_SHAPE(STEPS, BATCH, UNITS), NULL);
    n->kept = fixture_tensor(CJ_SHAPE(BATCH, UNITS), NULL);
    n->packed = fixture_tensor(CJ_SHAPE(BATCH, UNITS), NULL);
    fixture_fill(n->in[0], 1), fixture_fill(n->in[1], 2);
    n->keeps = make_network(n, NULL, threads);
    n->packs = make_network(n, "-keep_prepared", 1);
}

static void release_network(network *n)
{
    cj_release(n->keeps), cj_release(n->packs);
    cj_release(n->in[0]), cj_release(n->in[1]), cj_release(n->kept), cj_release(n->packed);
    cj_release(n->u);
}

// A product without packing adds in another order.
static void expect_near(network *n)
{
    for (int again = 0; again < 2; again++) {
        assert_int_equal(cj_function_call(n->keeps, n->in, &n->kept), CJ_OK);
        assert_int_equal(cj_function_call(n->packs, n->in, &n->packed), CJ_OK);
        const float *kept = cj_tensor_data(n->kept), *packed = cj_tensor_data(n->packed);
        for (int64_t i = 0; i < BATCH * UNITS; i++)
            assert_true(fabsf(kept[i] - packed[i]) <= 1e-4f * (1 + fabsf(packed[i])));
    }
}

static void changes_between_runs_are_seen(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        network n;
        take_network(&n, threads);
        expect_near(&n);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(cj__variable_fill(n.u, 0.02 + 0.01 * i), CJ_OK);
            expect_near(&n);
        }
        float *u = cj_tensor_data(cj_variable_value(n.u)); // from now on by a pointer too
        for (int i = 0; i < 3; i++) {
            u[i] = (float)i;
            expect_near(&n);
        }
        release_network(&n);
    }
}

static void steps_of_training_between_runs_are_seen(void **state)
{
    (void)state;
    network n;
    take_network(&n, 1);
    fixture f = {0};
    fixture_update(&f, n.u, cj__scale(&f.g, fixture_read(&f, n.u), 1.25));
    cj_function *trains = fixture_function(&f, NULL);
    assert_non_null(trains);
    for (int i = 0; i < 3; i++) {
        expect_near(&n);
        assert_int_equal(cj_function_call(trains, NULL, NULL), CJ_OK);
    }
    expect_near(&n);
    cj_release(trains);
    release_network(&n);
}

// As the plan says; but not where somebody has a pointer to them.
static void panels_of_weights_outlive_runs(void **state)
{
    (void)state;
    const bool packs = strcmp(cj__kernels_for(sizeof(float))->isa, "ref") != 0;
    network n;
    take_network(&n, 1);
    assert_int_equal(fixture_planned(n.keeps, BATCH, "matmul, kept for all runs "), packs);
    assert_int_equal(fixture_planned(n.packs, BATCH, ", kept"), 0);
    (void)cj_variable_value(n.u);
    cj_function *shared = make_network(&n, NULL, 1);
    assert_int_equal(fixture_planned(shared, BATCH, "matmul, kept for all runs "), 0);
    assert_int_equal(fixture_planned(shared, BATCH, "matmul, kept "), packs);
    cj_release(shared);
    release_network(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_panels_give_the_bits_of_packed_ones),
        cmocka_unit_test(products_of_a_loop_keep_their_panels),
        cmocka_unit_test(few_steps_keep_nothing),
        cmocka_unit_test(empty_steps_are_run),
        cmocka_unit_test(changes_between_runs_are_seen),
        cmocka_unit_test(steps_of_training_between_runs_are_seen),
        cmocka_unit_test(panels_of_weights_outlive_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
