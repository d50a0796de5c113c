// The pass factor_sums: gradients through normalization have the same values and fewer sweeps; sums
// whose factors change along their axes stay.
#include "fixture.h"

enum { ROWS = 37, CHANNELS = 5 };

typedef enum form {
    CHANNELWISE, // y = (x - mean) factor + beta, over all axes but the last
    ROWWISE, // over the last axis, with a factor and shift of each column, as layer normalization
    SCALED,  // a scalar factor
    FORMS
} form;

static cj_symbol *normalized(cj__build *g, form kind, cj_symbol *x, cj_symbol *gamma,
                             cj_symbol *beta)
{
    cj_symbol *mean, *variance;
    if (kind == SCALED)
        return cj__add(g, x, cj__scale(g, cj__apply_unary(g, CJ__UNARY_negative, beta, 0, 0), 3));
    cj__moments(g, x, kind == ROWWISE ? 4 : 3, kind == ROWWISE, &mean, &variance);
    cj_symbol *factor = cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, variance, 1e-3), 0, 0);
    cj_symbol *centered = cj__sub(g, x, mean);
    cj_symbol *y = kind == ROWWISE ? cj__mul(g, cj__mul(g, centered, factor), gamma) :
                                     cj__mul(g, centered, cj__mul(g, factor, gamma));
    return cj__add(g, y, beta);
}

// The gradients of sum(tanh(y)) by x, gamma and beta.
static cj_function *make(form kind, const char *off)
{
    fixture f = {0};
    cj__build *g = &f.g;
    cj_symbol *xs[] = {fixture_input(&f, CJ_SHAPE(CJ_BATCH, 3, CHANNELS)),
                       fixture_input(&f, CJ_SHAPE(CHANNELS)),
                       fixture_input(&f, CJ_SHAPE(CHANNELS))};
    cj_symbol *y =
        cj__apply_unary(g, CJ__UNARY_tanh, normalized(g, kind, xs[0], xs[1], xs[2]), 0, 0);
    cj_symbol *loss = cj__sum(g, y, cj__all_axes(y), false);
    assert_int_equal(cj__gradients(g, loss, xs, 3, f.outputs), CJ_OK);
    f.output_count = 3;
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    return function;
}

static void run(cj_function *function, cj_tensor **out)
{
    const cj_shape shapes[] = {CJ_SHAPE(ROWS, 3, CHANNELS), CJ_SHAPE(CHANNELS), CJ_SHAPE(CHANNELS)};
    cj_tensor *in[3];
    for (int i = 0; i < 3; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 5 + (unsigned)i);
        out[i] = fixture_tensor(shapes[i], NULL);
    }
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
    cj_release(function);
}

// Sums of about a hundred numbers below 1, in another order and multiplied elsewhere.
static void gradients_are_the_same(void **state)
{
    (void)state;
    for (int kind = 0; kind < FORMS; kind++) {
        cj_tensor *with[3], *without[3];
        run(make((form)kind, NULL), with);
        run(make((form)kind, "-factor_sums"), without);
        for (int i = 0; i < 3; i++) {
            assert_all_near(cj_tensor_data(with[i]), cj_tensor_data(without[i]),
                            (size_t)cj_tensor_count(with[i]), 1e-4, 2e-5);
            cj_release(with[i]);
            cj_release(without[i]);
        }
    }
}

static int planned(form kind, const char *off, const char *word)
{
    cj_function *function = make(kind, off);
    const int count = fixture_planned(function, ROWS, word);
    cj_release(function);
    return count;
}

// What is counted must not have been fused with its neighbours.
static const char *const one_by_one = "-fuse_elements", *const plain =
                                                            "-fuse_elements,-factor_sums";

// Of the sums for beta, for the mean and for the factor, those of beta and of the mean are one.
static void the_sums_for_shift_and_mean_are_one(void **state)
{
    (void)state;
    assert_int_equal(planned(CHANNELWISE, one_by_one, " sum_like "), 2);
    assert_int_equal(planned(CHANNELWISE, plain, " sum_like "), 3);
}

// gamma changes along the rows, so what is summed for their mean has it in it; the row's own factor
// comes out.
static void a_factor_that_changes_along_the_axes_stays(void **state)
{
    (void)state;
    assert_int_equal(planned(ROWWISE, one_by_one, " sum_like "),
                     planned(ROWWISE, plain, " sum_like "));
    assert_true(planned(ROWWISE, one_by_one, " negative ") > 0);
}

// The sum of dy comes right after dy, so that it joins the sweep in which dy (x - mean) is summed.
static void both_sums_are_one_sweep(void **state)
{
    (void)state;
    assert_int_equal(planned(CHANNELWISE, NULL, " sum sum"), 1);
    assert_int_equal(planned(CHANNELWISE, NULL, " sum_like "), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_same),
        cmocka_unit_test(the_sums_for_shift_and_mean_are_one),
        cmocka_unit_test(both_sums_are_one_sweep),
        cmocka_unit_test(a_factor_that_changes_along_the_axes_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
