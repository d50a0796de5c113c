// Lines "LABEL TAB TEXT" as data sets.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

static const char path[] = "labelled.tsv";

static void write_file(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void labels_become_classes(void **state)
{
    (void)state;
    static const char text[] = "good\tone\ttwo\r\n\nbad\t\xff\0x\nsome where\t\ngood\tlast";
    cj_dataset *data = NULL;
    write_file(text, sizeof text - 1);
    assert_int_equal(cj_load_texts(path, &data, NULL, .shuffle = false), CJ_OK);
    assert_int_equal(cj_dataset_count(data), 4);
    assert_int_equal(cj_dataset_class_count(data), 3);
    assert_string_equal(cj_dataset_class_name(data, 0), "bad");
    assert_string_equal(cj_dataset_class_name(data, 2), "some where");
    static const int32_t labels[] = {1, 0, 2, 1};
    assert_memory_equal(cj_tensor_data(cj_dataset_y(data, 0)), labels, sizeof labels);
    assert_string_equal(cj_tensor_text(cj_dataset_x(data, 0), (int64_t[]){0, 0}).data, "one\ttwo");
    assert_int_equal(cj_tensor_text(cj_dataset_x(data, 0), (int64_t[]){1, 0}).length, 3);
    assert_int_equal(cj_tensor_text(cj_dataset_x(data, 0), (int64_t[]){2, 0}).length, 0);
    cj_release(data);
    remove(path);
}

static void numbers_are_classes_in_their_order(void **state)
{
    (void)state;
    static const char text[] = "10\ta\n2\tb\n0\tc\n10\td\n";
    cj_dataset *data = NULL;
    write_file(text, sizeof text - 1);
    assert_int_equal(cj_load_texts(path, &data, NULL, .shuffle = false), CJ_OK);
    static const int32_t labels[] = {2, 1, 0, 2};
    assert_memory_equal(cj_tensor_data(cj_dataset_y(data, 0)), labels, sizeof labels);
    assert_string_equal(cj_dataset_class_name(data, 1), "2");
    cj_release(data);
    remove(path);
}

static void a_share_is_held_out(void **state)
{
    (void)state;
    char text[4000] = "";
    cj_dataset *first[2] = {NULL}, *second[2] = {NULL};
    for (int i = 0; i < 100; i++)
        sprintf(text + strlen(text), "%d\tnumber %d\n", i % 3, i);
    write_file(text, strlen(text));
    assert_int_equal(cj_load_texts(path, &first[0], &first[1], .validation_split = 0.25), CJ_OK);
    assert_int_equal(cj_load_texts(path, &second[0], &second[1], .validation_split = 0.25), CJ_OK);
    assert_int_equal(cj_dataset_count(first[0]), 75);
    assert_int_equal(cj_dataset_count(first[1]), 25);
    assert_memory_equal(cj_tensor_data(cj_dataset_y(first[0], 0)),
                        cj_tensor_data(cj_dataset_y(second[0], 0)), 75 * 4);
    for (int k = 0; k < 2; k++) // each label is still its text's
        for (int64_t i = 0; i < cj_dataset_count(first[k]); i++) {
            int number = -1;
            const char *line = cj_tensor_text(cj_dataset_x(first[k], 0), (int64_t[]){i, 0}).data;
            assert_int_equal(sscanf(line, "number %d", &number), 1);
            assert_int_equal(((const int32_t *)cj_tensor_data(cj_dataset_y(first[k], 0)))[i],
                             number % 3);
        }
    for (int k = 0; k < 2; k++) {
        cj_release(first[k]);
        cj_release(second[k]);
    }
    remove(path);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    cj_dataset *data = NULL, *rest = NULL;
    assert_int_equal(cj_load_texts("nowhere.tsv", &data, NULL), CJ_NOT_FOUND);
    write_file("a\tb\nno tab\n", 11);
    assert_int_equal(cj_load_texts(path, &data, NULL), CJ_BAD_FILE);
    assert_error_contains("labelled.tsv: line 2 has no label");
    write_file("\n\n", 2);
    assert_int_equal(cj_load_texts(path, &data, NULL), CJ_BAD_FILE);
    write_file("a\tb\nb\tc\n", 8);
    assert_int_equal(cj_load_texts(path, &data, &rest, .validation_split = 0.1),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("0.1 of 2 texts is none");
    assert_int_equal(cj_load_texts(path, &data, &rest, .validation_split = 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_texts(path, &data, NULL, .validation_split = 0.5),
                     CJ_INVALID_ARGUMENT);
    remove(path);
}

static cj_status load(void *context)
{
    cj_dataset *data = NULL;
    (void)context;
    const cj_status status = cj_load_texts(path, &data, NULL);
    cj_release(data);
    return status;
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    write_file("a\tb\nb\tc\n", 8);
    support_fail_each_allocation(load, NULL);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_classes),
        cmocka_unit_test(numbers_are_classes_in_their_order),
        cmocka_unit_test(a_share_is_held_out),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
