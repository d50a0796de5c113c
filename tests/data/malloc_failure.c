// One allocation of the whole process fails, also within zlib, libpng, libjpeg and the C library:
// reading an image or an IDX file then fails with CJ_OUT_OF_MEMORY or gives what it gives
// otherwise. malloc itself is replaced; that is possible with glibc, and not under a sanitizer,
// which replaces it too.
#include "support.h"
#include <cajal/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// Requests of this thread are counted while `counting`; number `fail_at` fails.
static _Thread_local bool counting;
static _Thread_local long requests, fail_at;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static bool fails(void)
{
    return counting && requests++ == fail_at;
}

// Seen by the shared libraries of the process, though tests are compiled with hidden names.
#define SEEN_BY_ALL __attribute__((visibility("default")))

SEEN_BY_ALL void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

SEEN_BY_ALL void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

SEEN_BY_ALL void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}

typedef cj_status reader(const char *path, cj_tensor **tensor);

static cj_status read_image(const char *path, cj_tensor **tensor)
{
    return cj_load_image(path, 0, tensor);
}

// Reads with request `number` failing, or none for -1. Returns the number of requests.
static long read_once(reader *read, const char *path, long number, cj_status *status,
                      cj_tensor **tensor)
{
    requests = 0;
    fail_at = number;
    counting = true;
    *status = read(path, tensor);
    counting = false;
    return requests;
}

static void fail_each(reader *read, const char *path)
{
    cj_status status;
    cj_tensor *whole, *tensor;
    const long count = read_once(read, path, -1, &status, &whole);
    assert_true(count > 3); // libraries are seen too
    assert_int_equal(status, CJ_OK);
    for (long i = 0; i < count; i++) {
        cj_error_clear();
        read_once(read, path, i, &status, &tensor);
        if (status == CJ_OK)
            assert_memory_equal(cj_tensor_data(tensor), cj_tensor_data(whole),
                                (size_t)cj_tensor_count(whole));
        else if (status != CJ_OUT_OF_MEMORY)
            fail_msg("%s, request %ld of %ld: %s", path, i, count, cj_error());
        cj_release(tensor);
    }
    cj_release(whole);
}

static void each_failing_allocation_is_reported_as_one(void **state)
{
    (void)state;
    static const char *const images[] = {"progressive.jpg", "baseline.jpg", "rgba_interlaced.png",
                                         "palette.png"};
    char path[512];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/fuzz/corpus/image/%s", images[i]);
        fail_each(read_image, path);
    }
    snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/fuzz/corpus/idx/packed.idx.gz");
    fail_each(cj_load_idx, path);
}

#else

static void each_failing_allocation_is_reported_as_one(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_allocation_is_reported_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
