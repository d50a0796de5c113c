// The part of cmocka's interface that these tests use, for machines without cmocka: the core alone,
// and processors for which the distribution has no package. Where cmocka is found it is used, and
// this file is not. Words and behaviour are cmocka's: a failed assertion leaves its test, and the
// program ends with the number of failed tests.
#ifndef CJ_TESTS_STANDIN_CMOCKA_H
#define CJ_TESTS_STANDIN_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

typedef struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
} CMUnitTest;

#define cmocka_unit_test(f)     \
    {                           \
#f, f, NULL, NULL, NULL \
    }
#define cmocka_unit_test_setup(f, setup) \
    {                                    \
#f, f, setup, NULL, NULL         \
    }
#define cmocka_unit_test_teardown(f, teardown) \
    {                                          \
#f, f, NULL, teardown, NULL            \
    }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    {                                                       \
#f, f, setup, teardown, NULL                        \
    }
#define cmocka_run_group_tests(tests, setup, teardown) \
    standin_run(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

// Runs the tests in order and returns how many failed.
int standin_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **state),
                int (*teardown)(void **state));

void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Leave the running test: failed, or skipped.
_Noreturn void _fail(const char *file, int line);
_Noreturn void standin_skip(const char *file, int line);
#define skip()        standin_skip(__FILE__, __LINE__)
#define fail()        _fail(__FILE__, __LINE__)
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), fail())

#define STANDIN_INTEGER(x) ((uintmax_t)(x))
void standin_true(int holds, const char *text, const char *file, int line);
void standin_integers(uintmax_t a, uintmax_t b, int equal, const char *file, int line);
void standin_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line);
void standin_strings(const char *a, const char *b, int equal, const char *file, int line);
void standin_memory(const void *a, const void *b, size_t size, int equal, const char *file,
                    int line);

#define assert_true(c)     standin_true((c) ? 1 : 0, #c, __FILE__, __LINE__)
#define assert_false(c)    standin_true((c) ? 0 : 1, "not " #c, __FILE__, __LINE__)
#define assert_null(p)     standin_true(!(p), #p " is NULL", __FILE__, __LINE__)
#define assert_non_null(p) standin_true((p) ? 1 : 0, #p " is not NULL", __FILE__, __LINE__)
#define assert_ptr_equal(a, b) \
    standin_true((const void *)(a) == (const void *)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b) \
    standin_true((const void *)(a) != (const void *)(b), #a " != " #b, __FILE__, __LINE__)
#define assert_int_equal(a, b) \
    standin_integers(STANDIN_INTEGER(a), STANDIN_INTEGER(b), 1, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) \
    standin_integers(STANDIN_INTEGER(a), STANDIN_INTEGER(b), 0, __FILE__, __LINE__)
#define assert_in_range(v, min, max)                                                        \
    standin_range(STANDIN_INTEGER(v), STANDIN_INTEGER(min), STANDIN_INTEGER(max), __FILE__, \
                  __LINE__)
#define assert_string_equal(a, b)     standin_strings(a, b, 1, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) standin_strings(a, b, 0, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size) \
    standin_memory((const void *)(a), (const void *)(b), size, 1, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size) \
    standin_memory((const void *)(a), (const void *)(b), size, 0, __FILE__, __LINE__)

#endif
