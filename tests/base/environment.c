// A misspelt variable of the environment is refused by what computes.
#define _POSIX_C_SOURCE 200809L
#include "base/environment.h"
#include "support.h"
#include <stdlib.h>
#include <string.h>

static void check(const char *name, const char *value, cj_status expected)
{
    const char *before = getenv(name);
    char *kept = before ? strdup(before) : NULL;
    assert_int_equal(setenv(name, value, 1), 0);
    if (cj__environment_check() != expected)
        fail_msg("%s=%s: %s", name, value, cj_error());
    cj_pool *pool = cj_pool_new(0);
    assert_int_equal(pool != NULL, expected == CJ_OK);
    if (!pool)
        assert_error_contains(name);
    cj_release(pool);
    if (kept)
        setenv(name, kept, 1);
    else
        unsetenv(name);
    free(kept);
}

static void instruction_sets_are_known_by_name(void **state)
{
    (void)state;
    check("CAJAL_ISA", "baseline", CJ_OK);
    check("CAJAL_ISA", "ref", CJ_OK);
    check("CAJAL_ISA", "amx", CJ_OK);
    check("CAJAL_ISA", "", CJ_OK);
    check("CAJAL_ISA", "sse9", CJ_INVALID_ARGUMENT);
    check("CAJAL_ISA", "AVX2", CJ_INVALID_ARGUMENT);
}

static void numbers_of_threads_are_whole_and_in_range(void **state)
{
    (void)state;
    check("CAJAL_NUM_THREADS", "1", CJ_OK);
    check("CAJAL_NUM_THREADS", "", CJ_OK);
    check("CAJAL_NUM_THREADS", "abc", CJ_INVALID_ARGUMENT);
    check("CAJAL_NUM_THREADS", "2 threads", CJ_INVALID_ARGUMENT);
    check("CAJAL_NUM_THREADS", "0", CJ_INVALID_ARGUMENT);
    check("CAJAL_NUM_THREADS", "-1", CJ_INVALID_ARGUMENT);
    check("CAJAL_NUM_THREADS", "99999999999999999999", CJ_INVALID_ARGUMENT);
}

static void denormals_are_kept_or_not(void **state)
{
    (void)state;
    check("CAJAL_DENORMALS", "keep", CJ_OK);
    check("CAJAL_DENORMALS", "kept", CJ_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruction_sets_are_known_by_name),
        cmocka_unit_test(numbers_of_threads_are_whole_and_in_range),
        cmocka_unit_test(denormals_are_kept_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
