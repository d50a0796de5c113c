// The pass keep_steady: what a plan makes of weights alone is made once, and again when a weight
// changes, whoever changes it; results have the bits of a plan that makes it in every run.
#include "fixture.h"

#include "kernels/kernels.h"
#include "ops/variable.h"

enum { BATCH = 3, FILTERS = 8, VECTORS = 4 };

// Who may change the weights: the library alone, so that changes are counted, or anybody.
typedef enum known { COUNTED, UNKNOWN } known;

// x * w by 3 x 3, normalized by given moments and a scale: filters are scaled, shifts made, once.
typedef struct network {
    cj_variable *w, *vectors[VECTORS];
    cj_tensor *x, *once, *always;
    cj_function *keeps, *makes;
} network;

static cj_function *make(network *n, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj__build *g = &f.g;
    const cj__conv2d_attrs conv = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = true};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 5, 4, 3)), *v[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        v[i] = fixture_read(&f, n->vectors[i]);
    cj_symbol *y = cj__conv2d_symbol(g, x, fixture_read(&f, n->w), &conv);
    cj_symbol *factor = cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, v[1], 2), 0, 0);
    y = cj__mul(g, cj__sub(g, y, v[0]), cj__mul(g, factor, v[2]));
    fixture_output(&f, cj__apply_unary(g, CJ__UNARY_relu, cj__add(g, y, v[3]), 0, 0));
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

// What nobody else has a pointer to, with numbers.
static cj_variable *filled(const char *name, cj_shape shape, unsigned seed, known changes)
{
    cj_variable *variable = fixture_variable(name, shape, NULL);
    cj_tensor *values = fixture_tensor(shape, NULL);
    fixture_fill(values, seed);
    assert_int_equal(cj_variable_assign(variable, values), CJ_OK);
    if (changes == COUNTED)
        cj__variable_own(variable);
    cj_release(values);
    return variable;
}

static void take(network *n, known changes, int threads)
{
    n->w = filled("w", CJ_SHAPE(3, 3, 3, FILTERS), 1, changes);
    for (int i = 0; i < VECTORS; i++)
        n->vectors[i] = filled("v", CJ_SHAPE(FILTERS), 2 + (unsigned)i, changes);
    n->x = fixture_tensor(CJ_SHAPE(BATCH, 5, 4, 3), NULL);
    n->once = fixture_tensor(CJ_SHAPE(BATCH, 5, 4, FILTERS), NULL);
    n->always = fixture_tensor(CJ_SHAPE(BATCH, 5, 4, FILTERS), NULL);
    fixture_fill(n->x, 9);
    n->keeps = make(n, NULL, threads);
    n->makes = make(n, "-keep_steady", 1);
}

static void release(network *n)
{
    cj_release(n->keeps), cj_release(n->makes);
    cj_release(n->x), cj_release(n->once), cj_release(n->always);
    for (int i = 0; i < VECTORS; i++)
        cj_release(n->vectors[i]);
    cj_release(n->w);
}

static void expect_same(network *n)
{
    for (int again = 0; again < 2; again++) {
        assert_int_equal(cj_function_call(n->keeps, &n->x, &n->once), CJ_OK);
        assert_int_equal(cj_function_call(n->makes, &n->x, &n->always), CJ_OK);
        fixture_expect_same(n->once, n->always);
    }
}

static void changes_are_seen(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++) {
        network n;
        take(&n, (known)(form % 2), form < 2 ? 1 : 3);
        expect_same(&n);
        for (int i = 0; i <= VECTORS; i++) {
            cj_variable *changed = i == 0 ? n.w : n.vectors[i - 1];
            assert_int_equal(cj__variable_fill(changed, 0.5 + i), CJ_OK);
            expect_same(&n);
        }
        float *w = cj_tensor_data(cj_variable_value(n.w)); // from now on by a pointer too
        expect_same(&n);
        assert_int_equal(fixture_planned(n.keeps, BATCH, "(3, 3, 3, 8), once"), 0);
        w[7] = 3;
        expect_same(&n);
        w[7] = 4;
        expect_same(&n);
        release(&n);
    }
}

// Steps of training, in place or copied, count as changes.
static void trained_weights_are_seen(void **state)
{
    (void)state;
    for (int on_itself = 0; on_itself < 2; on_itself++) {
        network n;
        take(&n, COUNTED, 1);
        fixture f = {0};
        cj_symbol *w = fixture_read(&f, n.w), *gradient = cj__scale(&f.g, w, 0.5);
        if (on_itself)
            gradient = cj__append(&f.g, &cj__op_sgd, &(cj__update_attrs){0},
                                  (cj_symbol *[]){w, gradient, cj__scalar_like(&f.g, w, 0.1)}, 3);
        fixture_update(&f, n.w, gradient);
        cj_function *trains = fixture_function(&f, NULL);
        assert_non_null(trains);
        for (int i = 0; i < 3; i++) {
            expect_same(&n);
            assert_int_equal(cj_function_call(trains, NULL, NULL), CJ_OK);
        }
        expect_same(&n);
        cj_release(trains);
        release(&n);
    }
}

static void plans_say_what_is_made_once(void **state)
{
    (void)state;
    network n;
    take(&n, COUNTED, 1);
    assert_true(fixture_planned(n.keeps, BATCH, ", once") > 0);
    assert_int_equal(fixture_planned(n.makes, BATCH, ", once"), 0);
    // of one image too, whose result is smaller than the filters
    assert_int_equal(fixture_planned(n.keeps, 1, "-> (1, 5, 4, 8)"), 1);
    release(&n);
}

// What an update of the same function changes is made in every run.
static void what_the_program_changes_is_not_kept(void **state)
{
    (void)state;
    fixture f = {0};
    cj_variable *v = filled("v", CJ_SHAPE(3), 1, COUNTED);
    cj_symbol *read = fixture_read(&f, v), *x = fixture_input(&f, CJ_SHAPE(3));
    fixture_output(&f, cj__mul(&f.g, x, cj__apply_unary(&f.g, CJ__UNARY_exp, read, 0, 0)));
    fixture_update(&f, v, cj__scale(&f.g, read, 2));
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(fixture_planned(function, 1, ", once"), 0);
    cj_release(function);
    cj_release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_seen),
        cmocka_unit_test(trained_weights_are_seen),
        cmocka_unit_test(plans_say_what_is_made_once),
        cmocka_unit_test(what_the_program_changes_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
