// Time, paths and regular files.
#define _POSIX_C_SOURCE 200809L
#include "base/system.h"
#include "support.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void the_clock_goes_forward(void **state)
{
    (void)state;
    const int64_t first = cj__clock();
    assert_true(first > 0);
    assert_true(cj__clock() >= first);
}

static void a_file_is_no_terminal(void **state)
{
    (void)state;
    FILE *file = fopen("/dev/null", "w");
    assert_non_null(file);
    assert_false(cj__is_terminal(file));
    assert_false(cj__is_terminal(NULL));
    assert_int_equal(cj__terminal_columns(file), 0);
    fclose(file);
}

static void missing_folders_are_made(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("a/b//c/"));
    assert_false(cj__path_is_folder(path));
    assert_int_equal(cj__folder_make(path), CJ_OK);
    assert_true(cj__path_is_folder(path));
    assert_int_equal(cj__folder_make(path), CJ_OK);
    snprintf(path, sizeof path, "%s", support_path("a/file"));
    support_write(path, "x", 1);
    assert_int_equal(cj__folder_make(path), CJ_IO);
    assert_int_equal(cj__folder_make(support_path("a/file/below")), CJ_IO);
    assert_error_contains("a/file");
    assert_int_equal(cj__folder_make(""), CJ_IO);
    assert_int_equal(cj__folder_make(NULL), CJ_INVALID_ARGUMENT);
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    FILE *file;
    uint64_t size;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("regular"));
    support_write(path, "12345", 5);
    assert_int_equal(cj__file_open(path, &file, &size), CJ_OK);
    assert_int_equal(size, 5);
    assert_int_equal(fgetc(file), '1');
    fclose(file);
    assert_int_equal(cj__file_open(support_path("missing"), &file, &size), CJ_NOT_FOUND);
    assert_null(file);
    assert_int_equal(cj__file_open(support_folder(), &file, &size), CJ_IO);
    assert_int_equal(cj__file_open("/dev/zero", &file, &size), CJ_IO);
    snprintf(path, sizeof path, "%s", support_path("fifo"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(cj__file_open(path, &file, &size), CJ_IO); // and at once: nobody writes to it
    assert_error_contains("not a regular file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_goes_forward),
        cmocka_unit_test(a_file_is_no_terminal),
        cmocka_unit_test(missing_folders_are_made),
        cmocka_unit_test(only_regular_files_are_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
