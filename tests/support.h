// What tests share: a memory hook that counts and fails, a temporary folder, comparison with a
// tolerance, skipping.
#ifndef CJ_TESTS_SUPPORT_H
#define CJ_TESTS_SUPPORT_H

// cmocka.h needs these before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cajal/base.h>
#include <cmocka.h>

// Memory
// -------------------------------------------------------------------------------------------------

// Counts blocks and requests of the calling thread from now on; fails request number `fail_at`
// (from 0), or none if that is negative. Any thread that allocates under the same hook is counted
// too.
void support_memory_begin(long fail_at);

// The same hook for another thread, whose blocks are then counted too.
void support_memory_hook(void);

// Back to malloc. Fails the test if a block is still alive. Returns the number of requests (frees
// are not counted).
long support_memory_end(void);

// The blocks that are alive under the hook.
long support_memory_live(void);

// Runs `body` once to count its requests, then once for each with that request failing. `body`
// frees what it made and returns the status it got; with a failing request that must be
// CJ_OUT_OF_MEMORY with a sentence, or CJ_OK if it can do without the block.
void support_fail_each_allocation(cj_status (*body)(void *context), void *context);

// Numbers
// -------------------------------------------------------------------------------------------------

// Whether |actual - expected| <= absolute + relative * |expected|; NaN is near NaN, infinity near
// itself.
bool support_near(double actual, double expected, double absolute, double relative);

// Fails the test, showing both numbers and the place.
void support_assert_near(double actual, double expected, double absolute, double relative,
                         const char *file, int line);
#define assert_near(actual, expected, absolute, relative) \
    support_assert_near(actual, expected, absolute, relative, __FILE__, __LINE__)

// Element by element, with the index of the first that differs.
void support_assert_all_near(const float *actual, const float *expected, size_t count,
                             double absolute, double relative, const char *file, int line);
#define assert_all_near(actual, expected, count, absolute, relative) \
    support_assert_all_near(actual, expected, count, absolute, relative, __FILE__, __LINE__)

// Whether plans and pools take denormal numbers as 0 here: the processor can, and CAJAL_DENORMALS
// does not forbid it.
bool support_flushes_denormals(void);

// Sentences
// -------------------------------------------------------------------------------------------------

// Fails unless cj_error() contains `part`.
void support_assert_error(const char *part, const char *file, int line);
#define assert_error_contains(part) support_assert_error(part, __FILE__, __LINE__)

// Files
// -------------------------------------------------------------------------------------------------

// A fresh folder below $TMPDIR or /tmp, removed with all it holds when the program ends. Static
// memory.
const char *support_folder(void);

// The path of `name` in that folder. One of four static buffers, in turn.
const char *support_path(const char *name);

// Writes a file of `size` bytes; fails the test if it cannot.
void support_write(const char *path, const void *bytes, size_t size);

// Reads a whole file with malloc; fails the test if it cannot.
void *support_read(const char *path, size_t *size);

// $CAJAL_DATA if `name` is there below it, else NULL.
const char *support_data(const char *name);

// Sets a locale with a decimal comma, which is built with localedef where none is installed; false
// if that cannot be done. setlocale(LC_ALL, "C") goes back.
bool support_locale_with_comma(void);

// Says "skipped: reason" and leaves the test.
#define support_skip(reason)                    \
    do {                                        \
        print_message("skipped: %s\n", reason); \
        skip();                                 \
    } while (0)

#endif
