// Conversions between dtypes.
#include "support.h"
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

static double through(cj_dtype dtype, double value)
{
    _Alignas(8) char element[8] = {0};
    cj__element_set(dtype, element, 0, value);
    return cj__element_get(dtype, element, 0);
}

static void integers_cut_towards_zero_and_saturate(void **state)
{
    (void)state;
    assert_near(through(CJ_I32, -2.9), -2, 0, 0);
    assert_near(through(CJ_I32, 3e9), INT32_MAX, 0, 0);
    assert_near(through(CJ_I32, -INFINITY), INT32_MIN, 0, 0);
    assert_near(through(CJ_U8, -1), 0, 0, 0);
    assert_near(through(CJ_U8, 255.9), 255, 0, 0);
    assert_near(through(CJ_U8, 1e20), 255, 0, 0);
    assert_near(through(CJ_I32, (double)NAN), 0, 0, 0);
    assert_near(through(CJ_BOOL, -0.25), 1, 0, 0);
    assert_near(through(CJ_BOOL, 0), 0, 0, 0);
    int64_t big;
    cj__element_set(CJ_I64, &big, 0, 1e30);
    assert_true(big == INT64_MAX);
    cj__element_set(CJ_I64, &big, 0, -1e30);
    assert_true(big == INT64_MIN);
}

static void large_integers_keep_their_low_bits(void **state)
{
    (void)state;
    const int64_t from[] = {(INT64_C(1) << 53) + 1, INT64_MIN, -5};
    int32_t narrow[3];
    cj__convert(CJ_I64, from, CJ_I32, narrow, 3);
    assert_int_equal(narrow[0], INT32_MAX);
    assert_int_equal(narrow[1], INT32_MIN);
    assert_int_equal(narrow[2], -5);
    int64_t same[3];
    cj__convert(CJ_I64, from, CJ_I64, same, 3);
    assert_memory_equal(same, from, sizeof from);
}

// bfloat16 has 8 bits of significand: between 1 and 2 its step is 2^-7.
static void bf16_rounds_to_nearest_even_once(void **state)
{
    (void)state;
    const double step = 0x1p-7;
    assert_near(through(CJ_BF16, 1 + step / 2), 1, 0, 0);
    assert_near(through(CJ_BF16, 1 + 3 * step / 2), 1 + 2 * step, 0, 0);
    // as a float this would be the tie
    assert_near(through(CJ_BF16, 1 + step / 2 + 0x1p-40), 1 + step, 0, 0);
    assert_near(through(CJ_BF16, -1 - step / 2 - 0x1p-40), -1 - step, 0, 0);
    assert_near(through(CJ_BF16, 1 + step / 2 - 0x1p-40), 1, 0, 0);
    assert_true(isinf(through(CJ_BF16, 1e39)));
    assert_true(isnan(through(CJ_BF16, (double)NAN)));
    uint32_t bits = 0x7f800001u; // a NaN whose set bits are all cut off
    float hidden;
    uint16_t half;
    memcpy(&hidden, &bits, sizeof hidden);
    cj__convert(CJ_F32, &hidden, CJ_BF16, &half, 1);
    assert_true(isnan(cj__element_get(CJ_BF16, &half, 0)));
}

static void every_pair_converts_small_integers_exactly(void **state)
{
    (void)state;
    for (int from = 0; from < CJ_DTYPE_COUNT; from++) {
        for (int to = 0; to < CJ_DTYPE_COUNT; to++) {
            if (from == CJ_STRING || to == CJ_STRING) // tests/tensor/strings.c
                continue;
            _Alignas(8) char source[64], target[64];
            for (int i = 0; i < 8; i++)
                cj__element_set((cj_dtype)from, source, i, i);
            cj__convert((cj_dtype)from, source, (cj_dtype)to, target, 8);
            for (int i = 0; i < 8; i++)
                assert_near(cj__element_get((cj_dtype)to, target, i),
                            from == CJ_BOOL || to == CJ_BOOL ? i != 0 : i, 0, 0);
        }
    }
}

static void copying_works_between_views(void **state)
{
    (void)state;
    cj_tensor *bytes, *column, *floats, *other;
    const unsigned char data[] = {1, 2, 3, 4, 5, 6};
    assert_int_equal(cj_tensor_from(CJ_U8, CJ_SHAPE(3, 2), data, 6, &bytes), CJ_OK);
    assert_int_equal(cj_tensor_slice(bytes, 1, 1, 1, &column), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3, 1), &floats), CJ_OK);
    assert_int_equal(cj_tensor_copy(floats, column), CJ_OK);
    assert_all_near(cj_tensor_data(floats), ((float[]){2, 4, 6}), 3, 0, 0);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3), &other), CJ_OK);
    assert_int_equal(cj_tensor_copy(other, column), CJ_SHAPE_MISMATCH);
    cj_release(other);
    cj_release(floats);
    cj_release(column);
    cj_release(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_cut_towards_zero_and_saturate),
        cmocka_unit_test(large_integers_keep_their_low_bits),
        cmocka_unit_test(bf16_rounds_to_nearest_even_once),
        cmocka_unit_test(every_pair_converts_small_integers_exactly),
        cmocka_unit_test(copying_works_between_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
