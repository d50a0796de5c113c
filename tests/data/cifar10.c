// Finding and checking CIFAR-10 on disk.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD = 3073 };

// A file of records whose pixels tell where they stood: plane c, place p of image i is (i + 64 c +
// p) mod 256.
static void write_batch(const char *name, int records, size_t less, unsigned char last_label)
{
    static unsigned char bytes[4 * RECORD];
    for (int i = 0; i < records; i++) {
        bytes[i * RECORD] = i + 1 == records ? last_label : 3;
        for (int at = 0; at < 3072; at++)
            bytes[i * RECORD + 1 + at] = (unsigned char)(i + 64 * (at / 1024) + at % 1024);
    }
    support_write(support_path(name), bytes, (size_t)records * RECORD - less);
}

static void write_all(void)
{
    char name[32];
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        write_batch(name, i == 3 ? 2 : 1, 0, (unsigned char)i);
    }
    write_batch("test_batch.bin", 2, 0, 9);
}

static char *old_data;

static int point_at_folder(void **state)
{
    (void)state;
    const char *data = getenv("CAJAL_DATA");
    old_data = data ? strdup(data) : NULL;
    return setenv("CAJAL_DATA", support_folder(), 1);
}

static int point_back(void **state)
{
    (void)state;
    int result = old_data ? setenv("CAJAL_DATA", old_data, 1) : unsetenv("CAJAL_DATA");
    free(old_data);
    return result;
}

static void planes_become_the_last_axis(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    assert_int_equal(cj_load_dataset("cifar10", &train, &test), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(train, 0)), &CJ_SHAPE(6, 32, 32, 3)));
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(test, 0)), &CJ_SHAPE(2, 32, 32, 3)));
    const unsigned char *pixels = cj_tensor_data(cj_dataset_x(train, 0)),
                        *labels = cj_tensor_data(cj_dataset_y(train, 0));
    for (int row = 0; row < 32; row++)
        for (int col = 0; col < 32; col++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(pixels[3 * 3072 + (row * 32 + col) * 3 + c],
                                 (1 + 64 * c + row * 32 + col) & 255);
    const unsigned char due[6] = {1, 2, 3, 3, 4, 5};
    assert_memory_equal(labels, due, sizeof due);
    cj_release(train);
    cj_release(test);
}

static void a_cut_file_is_refused(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    write_batch("data_batch_4.bin", 2, 1, 0);
    assert_int_equal(cj_load_cifar10(&train, &test), CJ_BAD_FILE);
    assert_error_contains("data_batch_4.bin: 6145 bytes");
    assert_null(train);
    write_batch("data_batch_4.bin", 1, RECORD, 0);
    assert_int_equal(cj_load_cifar10(&train, &test), CJ_BAD_FILE);
    assert_error_contains("0 bytes");
}

static void a_label_beyond_nine_is_refused(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    write_batch("test_batch.bin", 2, 0, 10);
    assert_int_equal(cj_load_cifar10(&train, &test), CJ_BAD_FILE);
    assert_error_contains("label 10 of image 1");
    assert_null(train);
    assert_null(test);
}

static void a_missing_file_names_the_places(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    remove(support_path("data_batch_5.bin"));
    setenv("XDG_CACHE_HOME", support_folder(), 1);
    assert_int_equal(cj_load_cifar10(&train, &test), CJ_NOT_FOUND);
    assert_error_contains("/cifar-10-batches-bin");
    assert_error_contains("/cajal/cifar10");
    unsetenv("XDG_CACHE_HOME");
}

static cj_status load_and_release(void *context)
{
    (void)context;
    cj_dataset *train, *test;
    cj_status status = cj_load_cifar10(&train, &test);
    cj_release(train);
    cj_release(test);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    write_all();
    support_fail_each_allocation(load_and_release, NULL);
}

static void the_published_files_have_a_tenth_of_each_class(void **state)
{
    (void)state;
    if (!support_data("cifar-10-batches-bin"))
        support_skip("CAJAL_DATA has no cifar-10-batches-bin");
    cj_dataset *train, *test;
    assert_int_equal(cj_load_cifar10(&train, &test), CJ_OK);
    assert_int_equal(cj_dataset_count(train), 50000);
    assert_int_equal(cj_dataset_count(test), 10000);
    int counts[10] = {0};
    for (int i = 0; i < 50000; i++)
        counts[((const unsigned char *)cj_tensor_data(cj_dataset_y(train, 0)))[i]]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(counts[c], 5000);
    cj_release(train);
    cj_release(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_files_have_a_tenth_of_each_class),
        cmocka_unit_test_setup_teardown(planes_become_the_last_axis, point_at_folder, point_back),
        cmocka_unit_test_setup_teardown(a_cut_file_is_refused, point_at_folder, point_back),
        cmocka_unit_test_setup_teardown(a_label_beyond_nine_is_refused, point_at_folder,
                                        point_back),
        cmocka_unit_test_setup_teardown(a_missing_file_names_the_places, point_at_folder,
                                        point_back),
        cmocka_unit_test_setup_teardown(survives_failed_allocations, point_at_folder, point_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
