// The operators of cajal/operators.h: each against numbers worked out by hand, and what they say of
// wrong axes and counts. Their gradients are those of the ops that they are made of
// (tests/ops/gradients.c); those of what has a trap of its own are here.
#include "support.h"

#include <cajal/operators.h>
#include <math.h>
#include <string.h>

static const float X[] = {1, -2, 3, 0.5f, 4, -1}; // (2, 3)

static cj_tensor *tensor_of(const float *numbers, cj_shape shape)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &tensor), CJ_OK);
    memcpy(cj_tensor_data(tensor), numbers, (size_t)cj_tensor_count(tensor) * sizeof *numbers);
    return tensor;
}

static cj_symbol *x(void)
{
    return cj_symbol_constant(tensor_of(X, CJ_SHAPE(2, 3)));
}

static cj_symbol *row(void)
{
    return cj_symbol_constant(tensor_of((const float[]){1, 0, 2}, CJ_SHAPE(3)));
}

// Runs what has no inputs, and compares it with `count` numbers.
static void expect(const char *what, cj_symbol *y, const double *expected, int64_t count)
{
    if (!y)
        fail_msg("%s: %s", what, cj_error());
    if (cj_symbol_dtype(y) != CJ_F32)
        y = cj_op_cast(y, CJ_F32);
    cj_function *function = cj_function(.outputs = &y, .output_count = 1);
    if (!function)
        fail_msg("%s: %s", what, cj_error());
    cj_tensor *result = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, *cj_symbol_shape(y), &result), CJ_OK);
    assert_int_equal(cj_tensor_count(result), count);
    if (cj_function_call(function, NULL, &result) != CJ_OK)
        fail_msg("%s: %s", what, cj_error());
    const float *numbers = cj_tensor_data(result);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)numbers[i] - expected[i]) <= 1e-5 * (1 + fabs(expected[i]))))
            fail_msg("%s: element %d is %g, not %g", what, (int)i, (double)numbers[i], expected[i]);
    cj_release(result);
    cj_release(function); // and with it y
}

#define EXPECT(y, ...)                           \
    expect(#y, y, (const double[]){__VA_ARGS__}, \
           (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))

static void element_wise_operators_have_their_values(void **state)
{
    (void)state;
    EXPECT(cj_op_power(cj_op_absolute(x()), row()), 1, 1, 9, 0.5, 1, 1);
    EXPECT(cj_op_sign(x()), 1, -1, 1, 1, 1, -1);
    EXPECT(cj_op_log1p(row()), log(2), 0, log(3));
    EXPECT(cj_op_rsqrt(cj_op_square(x())), 1, 0.5, 1.0 / 3, 2, 0.25, 1);
    EXPECT(cj_op_reciprocal(x()), 1, -0.5, 1.0 / 3, 2, 0.25, -1);
    EXPECT(cj_op_clip(x(), -1, 2), 1, -1, 2, 0.5, 2, -1);
    EXPECT(cj_op_equal(x(), row()), 1, 0, 0, 0, 0, 0);
    EXPECT(cj_op_not_equal(x(), row()), 0, 1, 1, 1, 1, 1);
    EXPECT(cj_op_greater(x(), row()), 0, 0, 1, 0, 1, 0);
    EXPECT(cj_op_greater_equal(x(), row()), 1, 0, 1, 0, 1, 0);
    EXPECT(cj_op_less(x(), row()), 0, 1, 0, 1, 0, 1);
    EXPECT(cj_op_less_equal(x(), row()), 1, 1, 0, 1, 0, 1);
    EXPECT(cj_op_where(cj_op_greater(x(), row()), x(), row()), 1, 0, 3, 1, 4, 2);
    EXPECT(cj_op_logical_and(row(), cj_op_greater(x(), row())), 0, 0, 1, 0, 0, 0);
    EXPECT(cj_op_logical_or(row(), cj_op_greater(x(), row())), 1, 0, 1, 1, 1, 1);
    EXPECT(cj_op_logical_xor(row(), cj_op_greater(x(), row())), 1, 0, 0, 1, 1, 1);
    EXPECT(cj_op_logical_not(row()), 0, 1, 0);
    EXPECT(cj_op_zeros_like(x()), 0, 0, 0, 0, 0, 0);
    EXPECT(cj_op_ones_like(row()), 1, 1, 1);
}

static void reductions_have_their_values(void **state)
{
    (void)state;
    const int last = -1, first = 0;
    EXPECT(cj_op_reduce_max(x(), &last, 1), 3, 4);
    EXPECT(cj_op_reduce_min(x(), &first, 1), 0.5, -2, -1);
    EXPECT(cj_op_var(row(), NULL, 0), 2.0 / 3);
    EXPECT(cj_op_std(row(), NULL, 0), sqrt(2.0 / 3));
    EXPECT(cj_op_norm(x(), &last, 1), sqrt(14), sqrt(17.25));
    EXPECT(cj_op_logsumexp(x(), &last, 1), log(exp(1) + exp(-2) + exp(3)),
           log(exp(0.5) + exp(4) + exp(-1)));
    EXPECT(cj_op_any(cj_op_greater(x(), row()), &last, 1), 1, 1);
    EXPECT(cj_op_all(x(), NULL, 0), 1);
    EXPECT(cj_op_all(row(), NULL, 0), 0);
    EXPECT(cj_op_argmax(x(), 1), 2, 1);
    EXPECT(cj_op_argmin(x(), 0), 1, 0, 1);
}

static void elements_are_moved_as_they_should(void **state)
{
    (void)state;
    EXPECT(cj_op_transpose(x(), (const int[]){1, 0}, 2), 1, 0.5, -2, 4, 3, -1);
    EXPECT(cj_op_squeeze(cj_op_expand_dims(x(), 1), -2), 1, -2, 3, 0.5, 4, -1);
    EXPECT(cj_op_concatenate((cj_symbol *[]){row(), row()}, 2, 0), 1, 0, 2, 1, 0, 2);
    EXPECT(cj_op_stack((cj_symbol *[]){row(), row()}, 2, 1), 1, 1, 0, 0, 2, 2);
    EXPECT(cj_op_slice(x(), 1, 1, 2), -2, 3, 4, -1);
    EXPECT(cj_op_flip(x(), -1), 3, -2, 1, -1, 4, 0.5);
    EXPECT(cj_op_roll(x(), 1, 1), 3, 1, -2, -1, 0.5, 4);
    EXPECT(cj_op_roll(x(), -4, 1), -2, 3, 1, 4, -1, 0.5);
    EXPECT(cj_op_roll(x(), 6, 1), 1, -2, 3, 0.5, 4, -1);
    EXPECT(cj_op_tile(row(), 2, 0), 1, 0, 2, 1, 0, 2);
    EXPECT(cj_op_pad(row(), 0, 1, 2), 0, 1, 0, 2, 0, 0);
    EXPECT(cj_op_cumsum(x(), 1), 1, -1, 2, 0.5, 4.5, 3.5);
    EXPECT(cj_op_cumsum(x(), 0), 1, -2, 3, 1.5, 2, 2);
    EXPECT(cj_op_take(x(), cj_op_cast(cj_op_clip(row(), 0, 1), CJ_I32)), 0.5, 4, -1, 1, -2, 3, 0.5,
           4, -1);
    EXPECT(cj_op_one_hot(cj_op_cast(row(), CJ_I32), 3), 0, 1, 0, 1, 0, 0, 0, 0, 1);
}

// Numbers whose exponentials overflow: the sum is right, and its gradient is softmax.
static void logsumexp_does_not_overflow(void **state)
{
    (void)state;
    cj_symbol *far = cj_symbol_constant(tensor_of((const float[]){1000, 1000, -1000}, CJ_SHAPE(3)));
    cj_symbol *sum = cj_op_logsumexp(far, NULL, 0), *gradient = NULL;
    assert_int_equal(cj_gradients(sum, &far, 1, &gradient), CJ_OK);
    EXPECT(gradient, 0.5, 0.5, 0);
    EXPECT(sum, 1000 + log(2));
    const float none[] = {-INFINITY, -INFINITY, 0};
    EXPECT(cj_op_logsumexp(cj_symbol_constant(tensor_of(none, CJ_SHAPE(3))), NULL, 0), 0);
}

static void wrong_arguments_get_their_sentence(void **state)
{
    (void)state;
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)
    REFUSED(cj_op_clip(x(), 2, 1), "clip: low 2 is above high 1");
    REFUSED(cj_op_argmax(x(), 2), "argmax: axis 2 is outside the 2 axes");
    REFUSED(cj_op_norm(x(), (const int[]){-3}, 1), "norm: axis -3 is outside");
    REFUSED(cj_op_squeeze(x(), 0), "squeeze: the length of axis 0 is not 1");
    REFUSED(cj_op_transpose(x(), (const int[]){0}, 1), "an order of 1 axes for a symbol of 2");
    REFUSED(cj_op_tile(x(), 0, 0), "tile: 0 times");
    REFUSED(cj_op_stack(NULL, 0, 0), "stack: 0 symbols given");
    REFUSED(cj_op_flip(cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 2), "x"), 0),
            "flip: axis 0 is the free one");
    REFUSED(cj_op_power(x(), NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_wise_operators_have_their_values),
        cmocka_unit_test(reductions_have_their_values),
        cmocka_unit_test(elements_are_moved_as_they_should),
        cmocka_unit_test(logsumexp_does_not_overflow),
        cmocka_unit_test(wrong_arguments_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
