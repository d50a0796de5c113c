// See cmocka.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmocka.h"

// What a test came to; PASSED is what setjmp() returns first.
enum { PASSED, FAILED, SKIPPED };

static jmp_buf outside; // of the running test, or of a setup or teardown

void print_message(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
}

void print_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

_Noreturn void _fail(const char *file, int line)
{
    print_error("%s:%d: error: Failure!\n", file, line);
    longjmp(outside, FAILED);
}

_Noreturn void standin_skip(const char *file, int line)
{
    (void)file, (void)line;
    longjmp(outside, SKIPPED);
}

void standin_true(int holds, const char *text, const char *file, int line)
{
    if (holds)
        return;
    print_error("does not hold: %s\n", text);
    _fail(file, line);
}

void standin_integers(uintmax_t a, uintmax_t b, int equal, const char *file, int line)
{
    if ((a == b) == (equal != 0))
        return;
    print_error("%#jx %s %#jx\n", a, equal ? "!=" : "==", b);
    _fail(file, line);
}

void standin_range(uintmax_t value, uintmax_t min, uintmax_t max, const char *file, int line)
{
    if (min <= value && value <= max)
        return;
    print_error("%ju is not within %ju to %ju\n", value, min, max);
    _fail(file, line);
}

void standin_strings(const char *a, const char *b, int equal, const char *file, int line)
{
    if (a && b && (strcmp(a, b) == 0) == (equal != 0))
        return;
    print_error("\"%s\" %s \"%s\"\n", a ? a : "(null)", equal ? "!=" : "==", b ? b : "(null)");
    _fail(file, line);
}

void standin_memory(const void *a, const void *b, size_t size, int equal, const char *file,
                    int line)
{
    if (a && b && (memcmp(a, b, size) == 0) == (equal != 0))
        return;
    print_error("%zu bytes %s\n", size, equal ? "differ" : "are equal");
    _fail(file, line);
}

// Runs one function of a test in its own frame, so that nothing it changed is read after a jump.
static int run_step(int (*step)(void **), void (*test)(void **), void **state)
{
    const int came_to = setjmp(outside);
    if (came_to != PASSED)
        return came_to;
    if (test)
        test(state);
    return step && step(state) != 0 ? FAILED : PASSED;
}

static int run_test(const struct CMUnitTest *test, void *group_state)
{
    void *state = test->initial_state ? test->initial_state : group_state;
    int came_to = test->setup_func ? run_step(test->setup_func, NULL, &state) : PASSED;
    if (came_to == PASSED)
        came_to = run_step(NULL, test->test_func, &state);
    if (test->teardown_func && run_step(test->teardown_func, NULL, &state) == FAILED)
        came_to = FAILED;
    return came_to;
}

int standin_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **state),
                int (*teardown)(void **state))
{
    static const char *const words[] = {"[       OK ]", "[  FAILED  ]", "[  SKIPPED ]"};
    void *state = NULL;
    int failed = 0, skipped = 0;
    printf("[==========] Running %zu test(s).\n", count);
    if (setup && run_step(setup, NULL, &state) != PASSED)
        return (int)count;
    for (size_t i = 0; i < count; i++) {
        printf("[ RUN      ] %s\n", tests[i].name);
        fflush(stdout);
        const int came_to = run_test(&tests[i], state);
        printf("%s %s\n", words[came_to], tests[i].name);
        failed += came_to == FAILED;
        skipped += came_to == SKIPPED;
    }
    if (teardown && run_step(teardown, NULL, &state) != PASSED)
        failed++;
    printf("[==========] %zu test(s) run, %d failed, %d skipped.\n", count, failed, skipped);
    return failed;
}
