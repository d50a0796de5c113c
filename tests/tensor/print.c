// Printing, as numpy does it.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal/tensor.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_prints(cj_tensor *tensor, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(cj_tensor_print(tensor, stream), CJ_OK);
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
    cj_release(tensor);
}

static cj_tensor *floats(cj_shape shape, const float *values)
{
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &tensor),
                     CJ_OK);
    return tensor;
}

static void columns_are_aligned(void **state)
{
    (void)state;
    assert_prints(floats(CJ_SHAPE(2, 2), (float[]){1, -2.5f, 0.25f, 10}),
                  "[[ 1.00 -2.50]\n [ 0.25 10.00]]\n");
    assert_prints(floats(CJ_SHAPE(3), (float[]){1, 2, 3}), "[1. 2. 3.]\n");
    assert_prints(floats(CJ_SHAPE(2), (float[]){INFINITY, NAN}), "[inf nan]\n");
    assert_prints(floats(CJ_SHAPE(2), (float[]){1e10f, 1}), "[1.000000e+10 1.000000e+00]\n");
}

static void numbers_have_a_point_in_every_locale(void **state)
{
    (void)state;
    if (!support_locale_with_comma())
        skip();
    cj_tensor *fixed = floats(CJ_SHAPE(2), (float[]){0.5f, 1.25f}),
              *scientific = floats(CJ_SHAPE(1), (float[]){1e-6f});
    assert_prints(fixed, "[0.50 1.25]\n");
    assert_prints(scientific, "[1.000000e-06]\n");
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(numbers_have_a_point_in_every_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
