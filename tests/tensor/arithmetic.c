// Element-wise arithmetic, random fill, and what each function answers to NULL.
#include "support.h"
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

static cj_tensor *from_floats(cj_shape shape, const float *values)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &tensor),
                     CJ_OK);
    return tensor;
}

static void assert_floats(const cj_tensor *tensor, const float *values)
{
    assert_memory_equal(cj_tensor_data(tensor), values,
                        (size_t)cj_tensor_count(tensor) * sizeof(float));
}

static void sums_differences_and_products_are_element_wise(void **state)
{
    (void)state;
    cj_tensor *a = from_floats(CJ_SHAPE(3), (float[]){1, 2, 3}),
              *b = from_floats(CJ_SHAPE(3), (float[]){10, 0.5f, -1}),
              *to = from_floats(CJ_SHAPE(3), (float[]){0, 0, 0});
    assert_int_equal(cj_tensor_add(to, a, b), CJ_OK);
    assert_floats(to, (float[]){11, 2.5f, 2});
    assert_int_equal(cj_tensor_subtract(to, a, b), CJ_OK);
    assert_floats(to, (float[]){-9, 1.5f, 4});
    assert_int_equal(cj_tensor_multiply(to, a, b), CJ_OK);
    assert_floats(to, (float[]){10, 1, -3});
    assert_int_equal(cj_tensor_scale(a, a, -0.5), CJ_OK); // in place
    assert_floats(a, (float[]){-0.5f, -1, -1.5f});
    assert_int_equal(cj_tensor_add(b, b, b), CJ_OK);
    assert_floats(b, (float[]){20, 1, -2});
    cj_release(a);
    cj_release(b);
    cj_release(to);
}

static void operands_are_broadcast_as_in_numpy(void **state)
{
    (void)state;
    cj_tensor *matrix = from_floats(CJ_SHAPE(2, 3), (float[]){1, 2, 3, 4, 5, 6}),
              *row = from_floats(CJ_SHAPE(3), (float[]){10, 20, 30}),
              *column = from_floats(CJ_SHAPE(2, 1), (float[]){100, 200}),
              *to = from_floats(CJ_SHAPE(2, 3), (float[6]){0}), *turned;
    assert_int_equal(cj_tensor_add(to, matrix, row), CJ_OK);
    assert_floats(to, (float[]){11, 22, 33, 14, 25, 36});
    assert_int_equal(cj_tensor_add(to, column, row), CJ_OK);
    assert_floats(to, (float[]){110, 120, 130, 210, 220, 230});
    assert_int_equal(cj_tensor_add(row, matrix, row), CJ_SHAPE_MISMATCH); // the result is larger
    assert_error_contains("(2, 3) and (3,) do not give a result of shape (3,)");
    assert_int_equal(cj_tensor_transpose(matrix, (int[]){1, 0}, &turned), CJ_OK);
    assert_int_equal(cj_tensor_add(to, turned, row), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_tensor_add(turned, turned, turned), CJ_OK); // a view
    assert_floats(matrix, (float[]){2, 4, 6, 8, 10, 12});
    cj_release(turned);
    cj_release(matrix);
    cj_release(row);
    cj_release(column);
    cj_release(to);
}

static void integers_are_exact_and_saturate(void **state)
{
    (void)state;
    cj_tensor *a, *b, *small;
    const int64_t x[2] = {INT64_MAX - 1, -3}, y[2] = {1, INT64_MIN};
    assert_int_equal(cj_tensor_from(CJ_I64, CJ_SHAPE(2), x, 2, &a), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_I64, CJ_SHAPE(2), y, 2, &b), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(2), &small), CJ_OK);
    assert_int_equal(cj_tensor_add(small, a, b), CJ_OK);
    assert_memory_equal(cj_tensor_data(small), ((uint8_t[]){255, 0}), 2);
    assert_int_equal(cj_tensor_add(a, a, b), CJ_OK);
    assert_memory_equal(cj_tensor_data(a), ((int64_t[]){INT64_MAX, INT64_MIN}), 16);
    assert_int_equal(cj_tensor_multiply(a, a, b), CJ_OK);
    assert_memory_equal(cj_tensor_data(a), ((int64_t[]){INT64_MAX, INT64_MAX}), 16);
    assert_int_equal(cj_tensor_subtract(a, b, a), CJ_OK);
    assert_memory_equal(cj_tensor_data(a), ((int64_t[]){1 - INT64_MAX, INT64_MIN}), 16);
    cj_release(a);
    cj_release(b);
    cj_release(small);
}

static void random_numbers_depend_on_seed_and_place_alone(void **state)
{
    (void)state;
    enum { ROWS = 40, COLUMNS = 50, COUNT = ROWS * COLUMNS };
    cj_tensor *whole, *across, *turned;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(ROWS, COLUMNS), &whole), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(COLUMNS, ROWS), &across), CJ_OK);
    assert_int_equal(cj_tensor_transpose(across, (int[]){1, 0}, &turned), CJ_OK);
    assert_int_equal(cj_tensor_fill_uniform(whole, 7, -1, 3), CJ_OK);
    assert_int_equal(cj_tensor_fill_uniform(turned, 7, -1, 3), CJ_OK);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t k = 0; k < COLUMNS; k++) {
            const double value = cj_tensor_get(whole, (int64_t[]){i, k});
            assert_true(value >= -1 && value < 3);
            assert_true(value == cj_tensor_get(turned, (int64_t[]){i, k}));
            sum += value;
        }
    assert_near(sum / COUNT, 1, 0.1, 0);
    assert_int_equal(cj_tensor_fill_normal(whole, 7, 5, 2), CJ_OK);
    sum = 0;
    for (int64_t i = 0; i < COUNT; i++) {
        const double value = (double)((float *)cj_tensor_data(whole))[i];
        sum += value;
        squares += (value - 5) * (value - 5);
    }
    assert_near(sum / COUNT, 5, 0.15, 0);
    assert_near(squares / COUNT, 4, 0.5, 0);
    assert_int_equal(cj_tensor_fill_normal(turned, 8, 5, 2), CJ_OK); // another seed
    assert_true(cj_tensor_get(turned, (int64_t[]){0, 0}) !=
                cj_tensor_get(whole, (int64_t[]){0, 0}));
    cj_release(turned);
    cj_release(across);
    cj_release(whole);
}

static void bounds_of_random_numbers_are_checked(void **state)
{
    (void)state;
    cj_tensor *t;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3), &t), CJ_OK);
    const double nan = (double)NAN, infinite = (double)INFINITY;
    assert_int_equal(cj_tensor_fill_uniform(t, 0, 1, 0), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_uniform(t, 0, nan, 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_uniform(t, 0, 0, infinite), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_normal(t, 0, 0, -1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_normal(t, 0, nan, 1), CJ_INVALID_ARGUMENT);
    cj_release(t);
}

static void null_is_refused_with_a_sentence(void **state)
{
    (void)state;
    cj_tensor *t, *out;
    cj_dtype dtype;
    char text[100];
    const cj_shape bad = {.rank = 12};
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3), &t), CJ_OK);
    const struct {
        cj_status status;
        const char *sentence;
    } rows[] = {
        {cj_dtype_from_name(NULL, &dtype), "name"},
        {cj_dtype_from_name("float32", NULL), "dtype"},
        {cj_tensor_new(CJ_F32, CJ_SHAPE(3), NULL), "tensor"},
        {cj_tensor_new(CJ_F32, bad, &out), "rank"},
        {cj_tensor_from(CJ_F32, CJ_SHAPE(3), NULL, 3, &out), "data"},
        {cj_tensor_from(CJ_F32, CJ_SHAPE(3), text, 3, NULL), "tensor"},
        {cj_tensor_from(CJ_F32, bad, text, 3, &out), "rank"},
        {cj_tensor_borrow(CJ_F32, CJ_SHAPE(3), NULL, NULL, NULL, &out), "data"},
        {cj_tensor_borrow(CJ_F32, CJ_SHAPE(3), text, NULL, NULL, NULL), "tensor"},
        {cj_tensor_slice(NULL, 0, 0, 1, &out), "tensor"},
        {cj_tensor_slice(t, 0, 0, 1, NULL), "view"},
        {cj_tensor_reshape(NULL, CJ_SHAPE(3), &out), "tensor"},
        {cj_tensor_reshape(t, CJ_SHAPE(3), NULL), "view"},
        {cj_tensor_reshape(t, bad, &out), "rank 12"},
        {cj_tensor_transpose(NULL, (int[]){0}, &out), "tensor"},
        {cj_tensor_transpose(t, NULL, &out), "order"},
        {cj_tensor_transpose(t, (int[]){0}, NULL), "view"},
        {cj_tensor_convert(NULL, CJ_F32, &out), "tensor"},
        {cj_tensor_convert(t, CJ_F32, NULL), "copy"},
        {cj_tensor_copy(NULL, t), "copy"},
        {cj_tensor_copy(t, NULL), "copy"},
        {cj_tensor_set(NULL, (int64_t[]){0}, 1), "tensor"},
        {cj_tensor_set(t, NULL, 1), "index"},
        {cj_tensor_print(NULL, stderr), "tensor"},
        {cj_tensor_print(t, NULL), "stream"},
        {cj_tensor_fill_uniform(NULL, 0, 0, 1), "tensor"},
        {cj_tensor_fill_normal(NULL, 0, 0, 1), "tensor"},
        {cj_tensor_add(NULL, t, t), "result"},
        {cj_tensor_subtract(t, NULL, t), "first"},
        {cj_tensor_multiply(t, t, NULL), "second"},
        {cj_tensor_scale(t, NULL, 2), "first"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status != CJ_INVALID_ARGUMENT)
            fail_msg("row %zu (%s) gave %s", i, rows[i].sentence, cj_status_name(rows[i].status));
    assert_true(isnan(cj_tensor_get(NULL, NULL)) && isnan(cj_tensor_get(t, NULL)));
    cj_tensor_fill(NULL, 1);
    assert_null(cj_tensor_data(NULL));
    assert_null(cj_tensor_shape(NULL));
    assert_null(cj_tensor_strides(NULL));
    assert_int_equal(cj_tensor_count(NULL), 0);
    assert_int_equal(cj_tensor_dtype(NULL), CJ_F32);
    assert_false(cj_tensor_contiguous(NULL));
    assert_false(cj_shape_equal(NULL, cj_tensor_shape(t)));
    assert_int_equal(cj_shape_count(NULL), -1);
    assert_int_equal(cj_shape_count(&bad), -1);
    assert_string_equal(cj_shape_text(NULL, text, sizeof text), "(no shape)");
    assert_string_equal(cj_shape_text(&bad, text, sizeof text), "(a shape of rank 12)");
    assert_null(cj_shape_text(&bad, NULL, 0));
    cj_release(t);
}

static void lengths_of_zero_do_not_hide_an_overflow(void **state)
{
    (void)state;
    const int64_t huge = (int64_t)1 << 32;
    const cj_shape shapes[] = {CJ_SHAPE(0, huge, huge), CJ_SHAPE(huge, 0, huge),
                               CJ_SHAPE(huge, huge, 0), CJ_SHAPE(huge, huge)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        cj_tensor *t;
        assert_int_equal(cj_shape_count(&shapes[i]), -1);
        assert_int_equal(cj_tensor_new(CJ_U8, shapes[i], &t), CJ_INVALID_ARGUMENT);
        assert_null(t);
    }
    cj_tensor *t; // the count fits, the bytes of what the strides span do not
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(0, huge, huge / 4), &t), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(0, huge, 16), &t), CJ_OK);
    assert_int_equal(cj_tensor_count(t), 0);
    cj_release(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_differences_and_products_are_element_wise),
        cmocka_unit_test(operands_are_broadcast_as_in_numpy),
        cmocka_unit_test(integers_are_exact_and_saturate),
        cmocka_unit_test(random_numbers_depend_on_seed_and_place_alone),
        cmocka_unit_test(bounds_of_random_numbers_are_checked),
        cmocka_unit_test(null_is_refused_with_a_sentence),
        cmocka_unit_test(lengths_of_zero_do_not_hide_an_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
