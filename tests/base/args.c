// Arguments structs of any age, and lists in braces or of any length.
#include "base/args.h"
#include "base/error.h"
#include "support.h"
#include <string.h>

// What a library knows; an older program knows the first three members only.
typedef struct new_args {
    size_t size;
    int _;
    bool on;
    double rate;
    const char *name;
} new_args;
static const new_args standard = {.size = sizeof(new_args), .on = true, .rate = 0.5, .name = "x"};

static void what_is_there_is_read(void **state)
{
    (void)state;
    const new_args given = {.size = sizeof given, .on = false, .rate = 0, .name = NULL};
    new_args read;
    assert_int_equal(cj__args_read("it", &given, &standard, sizeof read, &read), CJ_OK);
    assert_memory_equal(&read, &given, sizeof read);
}

static void an_older_program_gets_defaults_for_the_rest(void **state)
{
    (void)state;
    new_args given = {.size = offsetof(new_args, rate), .on = false, .rate = 7, .name = "y"}, read;
    assert_int_equal(cj__args_read("it", &given, &standard, sizeof read, &read), CJ_OK);
    assert_false(read.on);
    assert_true(read.rate == 0.5);
    assert_string_equal(read.name, "x");
    assert_int_equal(read.size, sizeof read);
}

static void a_newer_program_is_read_as_far_as_known(void **state)
{
    (void)state;
    struct {
        new_args known;
        double later;
    } given = {{.size = sizeof given, .rate = 2}, 9};
    new_args read;
    assert_int_equal(cj__args_read("it", &given, &standard, sizeof read, &read), CJ_OK);
    assert_true(read.rate == 2);
    assert_int_equal(read.size, sizeof read);
}

static void no_struct_and_no_size_are_refused(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, sizeof(size_t) - 1, SIZE_MAX, (size_t)1 << 30};
    new_args given = standard, read;
    cj_error_clear();
    assert_int_equal(cj__args_read("it", NULL, &standard, sizeof read, &read), CJ_INVALID_ARGUMENT);
    assert_error_contains("it: the arguments struct is NULL");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        given.size = sizes[i];
        assert_int_equal(cj__args_read("it", &given, &standard, sizeof read, &read),
                         CJ_INVALID_ARGUMENT);
        assert_error_contains("it: the member size");
    }
}

static cj_status read_list(const char *const *braces, const char *const *list, int count,
                           cj__list *entries)
{
    const cj__given_list given = {
        .what = "it", .braces = braces, .list = list, .count = count, .kinds = CJ__MADE_LAYER};
    return cj__lists_read(&given, 1, entries);
}

static void a_list_ends_at_the_first_null(void **state)
{
    (void)state;
    const char *braces[CJ_IN_BRACES] = {"a", "b"}, *full[CJ_IN_BRACES];
    cj__list list;
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[1], "b");
    for (int i = 0; i < CJ_IN_BRACES; i++)
        full[i] = "c";
    assert_int_equal(read_list(full, NULL, 0, &list), CJ_OK);
    assert_int_equal(list.count, CJ_IN_BRACES);
}

static void a_longer_list_has_a_pointer_and_a_count(void **state)
{
    (void)state;
    const char *braces[CJ_IN_BRACES] = {"a"}, *many[20];
    cj__list list;
    for (int i = 0; i < 20; i++)
        many[i] = "m";
    assert_int_equal(read_list(braces, many, 20, &list), CJ_OK);
    assert_int_equal(list.count, 20);
    assert_ptr_equal(list.items[0], many[0]);
    assert_int_equal(read_list(braces, many, 0, &list), CJ_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(read_list(braces, many, -1, &list), CJ_INVALID_ARGUMENT);
    assert_int_equal(read_list(braces, NULL, CJ_IN_BRACES + 1, &list), CJ_INVALID_ARGUMENT);
}

// What a failed builder left in the middle is no end of the list.
static void a_null_among_entries_is_a_failure(void **state)
{
    (void)state;
    const char *braces[CJ_IN_BRACES] = {"a", NULL, "c"}, *many[] = {"a", NULL};
    cj__list list;
    cj_error_clear();
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_INVALID_ARGUMENT);
    assert_error_contains("it: entry 1 of the list is NULL");
    assert_int_equal(list.count, 3); // so that the others can be dropped
    assert_int_equal(read_list(braces, many, 2, &list), CJ_INVALID_ARGUMENT);
    cj__fail(CJ_SHAPE_MISMATCH, "the first cause");
    cj__build_failed(CJ__MADE_LAYER);
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_SHAPE_MISMATCH);
    assert_error_contains("the first cause");
}

// In the last place it looks like the end, unless its builder's failure waits to be told.
static void a_null_in_the_last_place_is_a_failure_that_was_not_reported(void **state)
{
    (void)state;
    const char *braces[CJ_IN_BRACES] = {"a", NULL};
    cj__list list;
    cj__fail(CJ_SHAPE_MISMATCH, "the first cause");
    cj__build_failed(CJ__MADE_SYMBOL);
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_OK); // no symbols are due
    cj__fail(CJ_SHAPE_MISMATCH, "the second cause");
    cj__build_failed(CJ__MADE_LAYER);
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_SHAPE_MISMATCH);
    assert_error_contains("the second cause");
    assert_int_equal(read_list(braces, NULL, 0, &list), CJ_OK);
}

// By its default a list that is not given differs from one that begins with a NULL.
static void a_null_in_the_first_place_is_not_an_empty_list(void **state)
{
    (void)state;
    static const char none[] = "none";
    const char *absent[CJ_IN_BRACES] = {none}, *empty[CJ_IN_BRACES] = {NULL};
    cj__given_list given = {.what = "it", .braces = absent, .absent = none};
    cj__list list;
    assert_int_equal(cj__lists_read(&given, 1, &list), CJ_OK);
    assert_int_equal(list.count, 0);
    given.braces = empty;
    assert_int_equal(cj__lists_read(&given, 1, &list), CJ_INVALID_ARGUMENT);
    assert_error_contains("it: entry 0 of the list is NULL");
    given.braces = absent;
    given.count = 2;
    assert_int_equal(cj__lists_read(&given, 1, &list), CJ_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_read),
        cmocka_unit_test(an_older_program_gets_defaults_for_the_rest),
        cmocka_unit_test(a_newer_program_is_read_as_far_as_known),
        cmocka_unit_test(no_struct_and_no_size_are_refused),
        cmocka_unit_test(a_list_ends_at_the_first_null),
        cmocka_unit_test(a_longer_list_has_a_pointer_and_a_count),
        cmocka_unit_test(a_null_among_entries_is_a_failure),
        cmocka_unit_test(a_null_in_the_last_place_is_a_failure_that_was_not_reported),
        cmocka_unit_test(a_null_in_the_first_place_is_not_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
