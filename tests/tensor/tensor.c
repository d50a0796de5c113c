// Making tensors.
#include "tensor/tensor.h"
#include "support.h"
#include <string.h>

static void new_tensors_are_zero_and_row_major(void **state)
{
    (void)state;
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 3, 4), &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), 24);
    assert_int_equal(cj_tensor_strides(tensor)[0], 12);
    assert_int_equal(cj_tensor_strides(tensor)[2], 1);
    assert_true(cj_tensor_contiguous(tensor));
    assert_near(cj_tensor_get(tensor, (int64_t[]){1, 2, 3}), 0, 0, 0);
    cj_tensor_fill(tensor, 2.5);
    assert_near(cj_tensor_get(tensor, (int64_t[]){1, 2, 3}), 2.5, 0, 0);
    assert_int_equal(cj_tensor_set(tensor, (int64_t[]){2, 0, 0}, 1), CJ_INVALID_ARGUMENT);
    cj_release(tensor);
}

static void scalars_and_empty_tensors_exist(void **state)
{
    (void)state;
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F64, (cj_shape){0}, &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), 1);
    cj_release(tensor);
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(0, 3), &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), 0);
    cj_release(tensor);
}

static void bad_shapes_are_refused(void **state)
{
    (void)state;
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(-1, 2), &tensor), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(INT64_MAX, 2), &tensor), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(INT64_MAX / 4 + 1), &tensor),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_new(CJ_F32, (cj_shape){.rank = 9}, &tensor), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_new((cj_dtype)77, CJ_SHAPE(1), &tensor), CJ_INVALID_ARGUMENT);
    assert_null(tensor);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2), "", 3, &tensor), CJ_SHAPE_MISMATCH);
}

static void note(void *context)
{
    ++*(int *)context;
}

static void lent_memory_is_given_back_once(void **state)
{
    (void)state;
    float data[6] = {1, 2, 3, 4, 5, 6};
    int times = 0;
    cj_tensor *tensor, *view;
    assert_int_equal(cj_tensor_borrow(CJ_F32, CJ_SHAPE(2, 3), data, note, &times, &tensor), CJ_OK);
    assert_ptr_equal(cj_tensor_data(tensor), data);
    assert_int_equal(cj_tensor_slice(tensor, 0, 1, 1, &view), CJ_OK);
    cj_release(tensor);
    assert_int_equal(times, 0);
    cj_release(view);
    assert_int_equal(times, 1);
}

static void shapes_and_dtypes_have_text(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(cj_shape_text(&CJ_SHAPE(CJ_BATCH, 28, 1), text, sizeof text),
                        "(None, 28, 1)");
    assert_string_equal(cj_shape_text(&CJ_SHAPE(3), text, sizeof text), "(3,)");
    assert_string_equal(cj_shape_text(&(cj_shape){0}, text, sizeof text), "()");
    assert_int_equal(strlen(cj_shape_text(&CJ_SHAPE(100, 200, 300), text, 8)), 7);
    cj_dtype dtype;
    for (int i = 0; i < CJ_DTYPE_COUNT; i++) {
        assert_int_equal(cj_dtype_from_name(cj_dtype_name((cj_dtype)i), &dtype), CJ_OK);
        assert_int_equal(dtype, i);
    }
    assert_int_equal(cj_dtype_from_name("flaot32", &dtype), CJ_INVALID_ARGUMENT);
    assert_error_contains("did you mean \"float32\"?");
    assert_true(cj_shape_equal(&CJ_SHAPE(1, 2), &CJ_SHAPE(1, 2)));
    assert_false(cj_shape_equal(&CJ_SHAPE(1, 2), &CJ_SHAPE(1, 2, 1)));
}

static cj_status make(void *context)
{
    (void)context;
    cj_tensor *tensor = NULL, *view = NULL, *copy = NULL;
    cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(3, 4), &tensor);
    if (status == CJ_OK)
        status = cj_tensor_slice(tensor, 1, 1, 2, &view);
    if (status == CJ_OK)
        status = cj_tensor_convert(view, CJ_F64, &copy);
    cj_release(copy);
    cj_release(view);
    cj_release(tensor);
    return status;
}

static void tensors_survive_every_failed_allocation(void **state)
{
    (void)state;
    support_fail_each_allocation(make, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_tensors_are_zero_and_row_major),
        cmocka_unit_test(scalars_and_empty_tensors_exist),
        cmocka_unit_test(bad_shapes_are_refused),
        cmocka_unit_test(lent_memory_is_given_back_once),
        cmocka_unit_test(shapes_and_dtypes_have_text),
        cmocka_unit_test(tensors_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
