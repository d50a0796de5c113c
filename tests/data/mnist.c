// Finding and checking MNIST on disk; data sets by name.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void put32(unsigned char *at, unsigned value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void write_images(const char *name, unsigned count)
{
    unsigned char bytes[16 + 3 * 784] = {0, 0, 8, 3};
    put32(bytes + 4, count);
    put32(bytes + 8, 28);
    put32(bytes + 12, 28);
    support_write(support_path(name), bytes, 16 + count * 784);
}

static void write_labels(const char *name, unsigned count, unsigned char last)
{
    unsigned char bytes[8 + 3] = {0, 0, 8, 1};
    put32(bytes + 4, count);
    bytes[8 + count - 1] = last;
    support_write(support_path(name), bytes, 8 + count);
}

// Four small files, the test half under names with a dot.
static void write_all(void)
{
    write_images("train-images-idx3-ubyte", 3);
    write_labels("train-labels-idx1-ubyte", 3, 9);
    write_images("t10k-images.idx3-ubyte", 2);
    write_labels("t10k-labels.idx1-ubyte", 2, 4);
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

static void names_with_dash_and_dot_are_found(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    assert_int_equal(cj_load_mnist(&train, &test), CJ_OK);
    assert_int_equal(cj_dataset_count(train), 3);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(test, 0)), &CJ_SHAPE(2, 28, 28, 1)));
    cj_release(train);
    cj_release(test);
}

static void a_label_beyond_nine_is_refused(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    write_labels("t10k-labels.idx1-ubyte", 2, 10);
    assert_int_equal(cj_load_dataset("auto", &train, &test), CJ_BAD_FILE);
    assert_error_contains("label 10 of image 1");
    assert_null(train);
    assert_null(test);
}

static void counts_must_agree(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    write_labels("train-labels-idx1-ubyte", 2, 1);
    assert_int_equal(cj_load_mnist(&train, &test), CJ_BAD_FILE);
    assert_error_contains("2 labels for 3 images");
}

static void a_missing_file_names_the_places(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    write_all();
    remove(support_path("t10k-labels.idx1-ubyte"));
    setenv("XDG_CACHE_HOME", support_folder(), 1);
    assert_int_equal(cj_load_mnist(&train, &test), CJ_NOT_FOUND);
    assert_error_contains(support_folder());
    assert_error_contains("/cajal/mnist");
    unsetenv("XDG_CACHE_HOME");
}

static void an_unknown_name_is_answered_with_the_near_one(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    assert_int_equal(cj_load_dataset("mnits", &train, &test), CJ_INVALID_ARGUMENT);
    assert_error_contains("mnist");
}

// Fashion-MNIST has files of the same names, so it is found only in a folder of its own name.
static void fashion_is_found_where_packages_lie(void **state)
{
    (void)state;
    cj_dataset *train, *test;
    const char *dirs = getenv("XDG_DATA_DIRS");
    char *old = dirs ? strdup(dirs) : NULL, both[4096];
    write_all();
    setenv("XDG_CACHE_HOME", support_folder(), 1);
    snprintf(both, sizeof both, "::/nowhere:%s", support_folder());
    setenv("XDG_DATA_DIRS", both, 1);
    assert_int_equal(cj_load_fashion_mnist(&train, &test), CJ_NOT_FOUND);
    assert_error_contains("/nowhere/datasets/fashion-mnist");
    const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"};
    assert_int_equal(mkdir(support_path("datasets"), 0700), 0);
    assert_int_equal(mkdir(support_path("datasets/fashion-mnist"), 0700), 0);
    for (int i = 0; i < 4; i++) {
        char to[64], from[4096];
        snprintf(to, sizeof to, "datasets/fashion-mnist/%s", files[i]);
        snprintf(from, sizeof from, "%s", support_path(files[i]));
        assert_int_equal(rename(from, support_path(to)), 0);
    }
    assert_int_equal(cj_load_fashion_mnist(&train, &test), CJ_OK);
    assert_int_equal(cj_dataset_count(train), 3);
    cj_release(train);
    cj_release(test);
    // without MNIST the first that is there
    assert_int_equal(cj_load_dataset("auto", &train, &test), CJ_OK);
    assert_int_equal(cj_dataset_count(test), 2);
    cj_release(train);
    cj_release(test);
    unsetenv("XDG_CACHE_HOME");
    if (old)
        setenv("XDG_DATA_DIRS", old, 1);
    else
        unsetenv("XDG_DATA_DIRS");
    free(old);
}

static cj_status load_and_release(void *context)
{
    (void)context;
    cj_dataset *train, *test;
    cj_status status = cj_load_mnist(&train, &test);
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

static void the_published_files_have_their_known_contents(void **state)
{
    (void)state;
    static const int histogram[10] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    if (!support_data("mnist"))
        support_skip("CAJAL_DATA has no mnist");
    cj_dataset *train, *test;
    const cj_status status = cj_load_mnist(&train, &test);
    if (status == CJ_UNSUPPORTED)
        support_skip("this build reads no gzip");
    assert_int_equal(status, CJ_OK);
    assert_int_equal(cj_dataset_count(train), 60000);
    assert_int_equal(cj_dataset_count(test), 10000);
    const unsigned char *labels = cj_tensor_data(cj_dataset_y(train, 0)),
                        *pixels = cj_tensor_data(cj_dataset_x(train, 0));
    int counts[10] = {0};
    for (int i = 0; i < 60000; i++)
        counts[labels[i]]++;
    assert_memory_equal(counts, histogram, sizeof counts);
    assert_int_equal(labels[0], 5);
    long first = 0, all = 0;
    for (int i = 0; i < 784; i++)
        first += pixels[i];
    for (int i = 0; i < 60000 * 784; i++)
        all += pixels[i];
    assert_int_equal(first, 27525);
    // the mean that is quoted everywhere: 0.1307 of 255
    assert_near((double)all / (60000.0 * 784), 33.3184, 1e-4, 0);
    cj_release(train);
    cj_release(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_files_have_their_known_contents),
        cmocka_unit_test_setup_teardown(names_with_dash_and_dot_are_found, point_at_folder,
                                        point_back),
        cmocka_unit_test_setup_teardown(a_label_beyond_nine_is_refused, point_at_folder,
                                        point_back),
        cmocka_unit_test_setup_teardown(counts_must_agree, point_at_folder, point_back),
        cmocka_unit_test_setup_teardown(a_missing_file_names_the_places, point_at_folder,
                                        point_back),
        cmocka_unit_test_setup_teardown(fashion_is_found_where_packages_lie, point_at_folder,
                                        point_back),
        cmocka_unit_test(an_unknown_name_is_answered_with_the_near_one),
        cmocka_unit_test_setup_teardown(survives_failed_allocations, point_at_folder, point_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
