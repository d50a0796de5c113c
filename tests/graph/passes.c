// The table of passes: CAJAL_PLAN names its rows and nothing else, and each is compared with a plan
// without it.
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_function *smallest(const char *off)
{
    fixture f = {0};
    fixture_output(&f, fixture_input(&f, CJ_SHAPE(3)));
    return fixture_function(&f, off);
}

static void lists_of_names_are_taken(void **state)
{
    (void)state;
    static const char *const lists[] = {"", "-cse", "-cse,-fuse_pool",
                                        "-winograd4,-winograd,-winograd4"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        cj_function *function = smallest(lists[i]);
        assert_non_null(function);
        cj_release(function);
    }
}

static void what_names_no_pass_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *list, *sentence;
    } rows[] = {
        {"-cse,-fuse_bias_atc",
         "unknown rewrite in CAJAL_PLAN \"fuse_bias_atc\": did you mean \"fuse_bias_act\"?"},
        {"-winograd44",
         "unknown rewrite in CAJAL_PLAN \"winograd44\": did you mean \"winograd4\"?"},
        {"-nothing_of_the_kind", "unknown rewrite in CAJAL_PLAN \"nothing_of_the_kind\": there are "
                                 "factor_sums, identity, "},
        {"-cse -dead", "unknown rewrite in CAJAL_PLAN \"cse -dead\""},
        {"cse", "CAJAL_PLAN: \"cse\" is not a list such as -fuse_pool,-winograd"},
        {"-cse,dead", "CAJAL_PLAN: \"-cse,dead\" is not a list"},
        {"-", "CAJAL_PLAN: \"-\" is not a list"},
        {"-cse,,-dead", "CAJAL_PLAN: \"-cse,,-dead\" is not a list"},
        {"-a_name_that_is_longer_than_that_of_any_pass_could_be_if_it_is_to_be_remembered",
         "is not a list"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(smallest(rows[i].list));
        assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
        assert_error_contains(rows[i].sentence);
    }
}

// All names, as the sentence lists them.
static const char *all_names(void)
{
    assert_null(smallest("-nothing_of_the_kind"));
    const char *names = strstr(cj_error(), "there are ");
    assert_non_null(names);
    return names + strlen("there are ");
}

// Whether a source of the tests switches a pass off: "-name" before a comma or the end of the list.
static bool is_switched_off(const char *source, const char *name)
{
    char word[80];
    snprintf(word, sizeof word, "-%s", name);
    const size_t length = strlen(word);
    for (const char *c = source; (c = strstr(c, word)) != NULL; c += length)
        if (c[length] == ',' || c[length] == '"')
            return true;
    return false;
}

// A pass without a test that leaves it out could change what is computed, and one that is not
// documented cannot be found.
static void each_pass_is_left_out_in_a_test_and_documented(void **state)
{
    (void)state;
    char names[600], row[80];
    glob_t sources;
    char *manual = fixture_text(CAJAL_TEST_SOURCES "/../docs/architecture.md");
    snprintf(names, sizeof names, "%s", all_names());
    assert_int_equal(glob(CAJAL_TEST_SOURCES "/graph/*.c", 0, NULL, &sources), 0);
    int count = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        bool found = false;
        count++;
        for (size_t i = 0; i < sources.gl_pathc && !found; i++) {
            if (strstr(sources.gl_pathv[i], "/passes.c") != NULL)
                continue;
            char *source = fixture_text(sources.gl_pathv[i]);
            found = is_switched_off(source, name);
            free(source);
        }
        if (!found)
            fail_msg("no test of tests/graph leaves %s out", name);
        snprintf(row, sizeof row, "| `%s` |", name);
        if (!strstr(manual, row))
            fail_msg("docs/architecture.md has no row of %s", name);
    }
    assert_true(count >= 16);
    globfree(&sources);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_names_are_taken),
        cmocka_unit_test(what_names_no_pass_is_refused),
        cmocka_unit_test(each_pass_is_left_out_in_a_test_and_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
