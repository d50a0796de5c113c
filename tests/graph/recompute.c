// The pass recompute: what is made again where it is read has the same values; what others read, or
// what would be as large to read, is kept.
#include "fixture.h"

enum { ROWS = 64, INPUTS = 6, CHANNELS = 7 };

typedef enum form {
    NORMALIZED, // y = (u - mean) factor, u a product
    GIVEN,      // u is an input of the function: nothing has made it
    SHOWN,      // u - mean is an output of the function
    FORMS
} form;

// y, and the gradients of sum(tanh(y) v) by the input, the weights and a factor for each channel.
static cj_function *make(form kind, const char *off)
{
    fixture f = {0};
    cj__build *g = &f.g;
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, kind == GIVEN ? CHANNELS : INPUTS)),
              *w = fixture_input(&f, CJ_SHAPE(INPUTS, CHANNELS)),
              *gamma = fixture_input(&f, CJ_SHAPE(CHANNELS)), *mean, *variance;
    cj_symbol *u = kind == GIVEN ? x : cj__matmul(g, x, w, false, false);
    cj__moments(g, u, 1, false, &mean, &variance);
    cj_symbol *centered = cj__sub(g, u, mean);
    cj_symbol *factor = cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, variance, 1e-3), 0, 0);
    cj_symbol *y =
        cj__apply_unary(g, CJ__UNARY_tanh, cj__mul(g, centered, cj__mul(g, factor, gamma)), 0, 0);
    cj_symbol *again = cj__matmul(g, y, w, false, true); // a product lies between
    cj_symbol *loss = cj__sum(g, cj__mul(g, again, again), 3, false);
    fixture_output(&f, y);
    cj_symbol *xs[] = {x, w, gamma};
    assert_int_equal(cj__gradients(g, loss, xs, 3, f.outputs + 1), CJ_OK);
    f.output_count = 4;
    if (kind == SHOWN)
        fixture_output(&f, centered);
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    return function;
}

static void run(form kind, const char *off, cj_tensor **out)
{
    cj_function *function = make(kind, off);
    const cj_shape shapes[] = {CJ_SHAPE(ROWS, kind == GIVEN ? CHANNELS : INPUTS),
                               CJ_SHAPE(INPUTS, CHANNELS), CJ_SHAPE(CHANNELS)};
    cj_tensor *in[3];
    out[0] = fixture_tensor(CJ_SHAPE(ROWS, CHANNELS), NULL);
    out[4] = fixture_tensor(CJ_SHAPE(ROWS, CHANNELS), NULL);
    for (int i = 0; i < 3; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 3 + (unsigned)i);
        out[1 + i] = fixture_tensor(shapes[i], NULL);
    }
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
    cj_release(function);
}

// The same arithmetic; sums may be cut in other pieces.
static void values_are_the_same(void **state)
{
    (void)state;
    for (int kind = 0; kind < FORMS; kind++) {
        cj_tensor *with[5], *without[5];
        run((form)kind, NULL, with);
        run((form)kind, "-recompute", without);
        for (int i = 0; i < 5; i++) {
            assert_all_near(cj_tensor_data(with[i]), cj_tensor_data(without[i]),
                            (size_t)cj_tensor_count(with[i]), 1e-5, 1e-5);
            cj_release(with[i]);
            cj_release(without[i]);
        }
    }
}

static int differences(form kind, const char *off)
{
    cj_function *function = make(kind, off);
    const int count = fixture_planned(function, ROWS, " subtract");
    cj_release(function);
    return count;
}

// Once forward, and in each of the two sweeps of the gradient.
static void differences_are_made_in_each_place(void **state)
{
    (void)state;
    assert_int_equal(differences(NORMALIZED, NULL), 3);
    assert_int_equal(differences(NORMALIZED, "-recompute"), 1);
}

static void what_is_kept_anyway_is_read(void **state)
{
    (void)state;
    assert_int_equal(differences(GIVEN, NULL), 1);
    assert_int_equal(differences(SHOWN, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_same),
        cmocka_unit_test(differences_are_made_in_each_place),
        cmocka_unit_test(what_is_kept_anyway_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
