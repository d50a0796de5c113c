// The generated digits: the same bytes everywhere, MNIST's shapes, all classes. cj_pool_new() draws
// with every thread.
#include "support.h"
#include <cajal/data.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 784 };

// FNV-1a, 64 bits.
static uint64_t hash(uint64_t value, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 0x100000001b3u;
    return value;
}

static uint64_t hash_set(const cj_dataset *data)
{
    uint64_t value = hash(0xcbf29ce484222325u, cj_tensor_data(cj_dataset_x(data, 0)),
                          (size_t)cj_dataset_count(data) * PIXELS);
    return hash(value, cj_tensor_data(cj_dataset_y(data, 0)), (size_t)cj_dataset_count(data));
}

static void load(int64_t train_count, uint64_t seed, cj_dataset **train, cj_dataset **test)
{
    cj_load_digits_args args = {CJ_LOAD_DIGITS_DEFAULTS, .train_count = train_count,
                                .test_count = 500, .seed = seed};
    assert_int_equal(cj_load_digits_with(train, test, &args), CJ_OK);
}

static void the_published_set_has_known_bytes(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    load(2000, 0, &train, &test);
    uint64_t first = hash_set(train), second = hash_set(test);
    cj_release(train);
    cj_release(test);
    assert_true(first == 0xea76388eb0b9bfefu);
    assert_true(second == 0xa9f20c8d464cfef2u);
}

static void a_smaller_set_is_the_head_of_a_larger(void **state)
{
    (void)state;
    cj_dataset *small, *large, *other, *tests[3];
    load(300, 7, &small, &tests[0]);
    load(900, 7, &large, &tests[1]);
    load(300, 8, &other, &tests[2]);
    const void *a = cj_tensor_data(cj_dataset_x(small, 0));
    assert_memory_equal(a, cj_tensor_data(cj_dataset_x(large, 0)), 300 * PIXELS);
    assert_memory_not_equal(a, cj_tensor_data(cj_dataset_x(other, 0)), 300 * PIXELS);
    assert_memory_not_equal(a, cj_tensor_data(cj_dataset_x(tests[0], 0)), 300 * PIXELS);
    cj_dataset *all[] = {small, large, other, tests[0], tests[1], tests[2]};
    for (int i = 0; i < 6; i++)
        cj_release(all[i]);
}

static void shapes_are_those_of_mnist(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    load(10, 0, &train, &test);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(train, 0)), &CJ_SHAPE(10, 28, 28, 1)));
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_y(test, 0)), &CJ_SHAPE(500)));
    assert_int_equal(cj_tensor_dtype(cj_dataset_x(train, 0)), CJ_U8);
    assert_int_equal(cj_tensor_dtype(cj_dataset_y(train, 0)), CJ_U8);
    cj_release(train);
    cj_release(test);
}

static void classes_are_balanced_and_no_image_is_empty(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    load(5000, 3, &train, &test);
    const unsigned char *labels = cj_tensor_data(cj_dataset_y(train, 0)),
                        *image = cj_tensor_data(cj_dataset_x(train, 0));
    int counts[10] = {0};
    for (int i = 0; i < 5000; i++, image += PIXELS) {
        long ink = 0;
        for (int k = 0; k < PIXELS; k++)
            ink += image[k];
        assert_in_range(ink, 3000, 120000);
        assert_in_range(labels[i], 0, 9);
        counts[labels[i]]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 400, 600); // 500 expected, deviation 21
    cj_release(train);
    cj_release(test);
}

static void counts_below_one_are_refused(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    assert_int_equal(cj_load_digits(&train, &test, .train_count = -1), CJ_INVALID_ARGUMENT);
}

static cj_status load_few(void *context)
{
    (void)context;
    cj_dataset *train, *test;
    cj_status status = cj_load_digits(&train, &test, .train_count = 3, .test_count = 2);
    cj_release(train);
    cj_release(test);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    support_fail_each_allocation(load_few, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_set_has_known_bytes),
        cmocka_unit_test(a_smaller_set_is_the_head_of_a_larger),
        cmocka_unit_test(shapes_are_those_of_mnist),
        cmocka_unit_test(classes_are_balanced_and_no_image_is_empty),
        cmocka_unit_test(counts_below_one_are_refused),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
