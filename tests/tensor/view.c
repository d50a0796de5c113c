// Slices, other shapes and other orders of axes.
#include "support.h"
#include "tensor/tensor.h"

static cj_tensor *counting(cj_shape shape)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_I32, shape, &tensor), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((int32_t *)cj_tensor_data(tensor))[i] = (int32_t)i;
    return tensor;
}

static void slice_of_slice_shares_memory(void **state)
{
    (void)state;
    cj_tensor *whole = counting(CJ_SHAPE(4, 5)), *rows, *part;
    assert_int_equal(cj_tensor_slice(whole, 0, 1, 2, &rows), CJ_OK);
    assert_int_equal(cj_tensor_slice(rows, -1, 2, 3, &part), CJ_OK);
    assert_true(cj_tensor_contiguous(rows));
    assert_false(cj_tensor_contiguous(part));
    assert_near(cj_tensor_get(part, (int64_t[]){1, 0}), 12, 0, 0);
    assert_int_equal(cj_tensor_set(part, (int64_t[]){1, 0}, 99), CJ_OK);
    assert_near(cj_tensor_get(whole, (int64_t[]){2, 2}), 99, 0, 0);
    cj_release(whole);
    cj_release(rows);
    assert_near(cj_tensor_get(part, (int64_t[]){1, 0}), 99, 0, 0);
    cj_release(part);
}

static void a_length_is_worked_out_in_reshape(void **state)
{
    (void)state;
    cj_tensor *whole = counting(CJ_SHAPE(4, 6)), *view;
    assert_int_equal(cj_tensor_reshape(whole, CJ_SHAPE(2, -1, 3), &view), CJ_OK);
    assert_int_equal(cj_tensor_shape(view)->dims[1], 4);
    assert_near(cj_tensor_get(view, (int64_t[]){1, 3, 2}), 23, 0, 0);
    cj_release(view);
    assert_int_equal(cj_tensor_reshape(whole, CJ_SHAPE(5, -1), &view), CJ_SHAPE_MISMATCH);
    assert_null(view);
    assert_int_equal(cj_tensor_reshape(whole, CJ_SHAPE(-1, -1), &view), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_reshape(whole, CJ_SHAPE(-2, -12), &view), CJ_INVALID_ARGUMENT);
    cj_release(whole);
}

static void transposed_axes_read_the_same_elements(void **state)
{
    (void)state;
    cj_tensor *whole = counting(CJ_SHAPE(2, 3, 4)), *view, *copy, *flat;
    assert_int_equal(cj_tensor_transpose(whole, (int[]){2, 0, 1}, &view), CJ_OK);
    assert_near(cj_tensor_get(view, (int64_t[]){3, 1, 2}), 23, 0, 0);
    assert_int_equal(cj_tensor_reshape(view, CJ_SHAPE(24), &flat), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_convert(view, CJ_I32, &copy), CJ_OK);
    assert_true(cj_tensor_contiguous(copy));
    assert_int_equal(((int32_t *)cj_tensor_data(copy))[1], 4);
    assert_int_equal(cj_tensor_transpose(whole, (int[]){0, 0, 1}, &flat), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_transpose(whole, (int[]){0, 1, 3}, &flat), CJ_INVALID_ARGUMENT);
    cj_release(copy);
    cj_release(view);
    cj_release(whole);
}

static void slices_outside_are_refused(void **state)
{
    (void)state;
    cj_tensor *whole = counting(CJ_SHAPE(4)), *view;
    static const int64_t bad[][3] = {{1, 0, 1}, {-2, 0, 1}, {0, -1, 1},       {0, 0, 5},
                                     {0, 4, 1}, {0, 1, -1}, {0, 1, INT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cj_tensor_slice(whole, (int)bad[i][0], bad[i][1], bad[i][2], &view),
                         CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_slice(whole, 0, 4, 0, &view), CJ_OK);
    assert_int_equal(cj_tensor_count(view), 0);
    cj_release(view);
    cj_release(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slice_of_slice_shares_memory),
        cmocka_unit_test(a_length_is_worked_out_in_reshape),
        cmocka_unit_test(transposed_axes_read_the_same_elements),
        cmocka_unit_test(slices_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
