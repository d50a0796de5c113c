// One allocation of the whole process fails, also within jansson: saving and loading then either
// fail with CJ_OUT_OF_MEMORY or do exactly what they do otherwise. The library's own hook does not
// see jansson's requests, so malloc itself is replaced here; that is possible with glibc, and not
// under a sanitizer, which replaces it too.
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// Requests of this thread are counted while `counting`; number `fail_at` fails.
static _Thread_local bool counting;
static _Thread_local long requests, fail_at;
static _Thread_local long live; // blocks, at any time

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static bool fails(void)
{
    return counting && requests++ == fail_at;
}

// Seen by the shared libraries of the process, though tests are compiled with hidden names.
#define SEEN_BY_ALL __attribute__((visibility("default")))

static void *counted(void *block)
{
    live += block != NULL;
    return block;
}

SEEN_BY_ALL void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

SEEN_BY_ALL void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

SEEN_BY_ALL void *realloc(void *block, size_t size)
{
    if (fails())
        return NULL;
    return block ? __libc_realloc(block, size) : counted(__libc_malloc(size));
}

SEEN_BY_ALL void free(void *block)
{
    live -= block != NULL;
    __libc_free(block);
}

static void begin(long number)
{
    requests = 0;
    fail_at = number;
    counting = true;
}

static long end(void)
{
    counting = false;
    return requests;
}

static void *whole; // the file that is right
static size_t whole_size;

static cj_model *network(void)
{
    cj_model *inner = cj_sequential(cj_input(4), cj_dense(3, .activation = "relu"));
    cj_symbol *x = cj_input_symbol(4);
    cj_symbol *y = cj_apply(cj_model_layer(inner), x);
    cj_symbol *z =
        cj_apply(cj_dense(3, .kernel_regularizer = "l2(0.01)", .name = "a long name"), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_merge(cj_add(), y, z)});
    if (!model || cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.0123456789),
                             .loss = "mse", .metrics = {"mae"}) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

// `number` of -1: no request fails.
static cj_status save(cj_model *model, long number, void **data, size_t *size)
{
    cj_error_clear();
    begin(number);
    const cj_status status = cj_save_memory(model, data, size);
    end();
    return status;
}

static void check_failure(cj_status status, const char *what, long number)
{
    if (status != CJ_OUT_OF_MEMORY || !*cj_error())
        fail_msg("%s: request %ld failing gives %s: %s", what, number, cj_status_name(status),
                 cj_error());
}

static void saving_fails_or_writes_the_right_bytes(void **state)
{
    (void)state;
    cj_model *model = network();
    assert_int_equal(save(model, -1, &whole, &whole_size), CJ_OK);
    const long all = requests, before = live;
    assert_true(all > 500); // else those of jansson are not seen
    for (long i = 0; i < all; i++) {
        void *data = NULL;
        size_t size = 0;
        const cj_status status = save(model, i, &data, &size);
        if (status == CJ_OK && (size != whole_size || memcmp(data, whole, size) != 0))
            fail_msg("request %ld of %ld failing writes other bytes and gives OK", i, all);
        if (status != CJ_OK)
            check_failure(status, "saving", i);
        cj_free(data);
        if (live != before)
            fail_msg("saving: request %ld failing leaves %ld blocks (%s)", i, live - before,
                     cj_error());
    }
    cj_release(model);
}

static void loading_fails_or_makes_the_right_model(void **state)
{
    (void)state;
    long all = 1, before = live;
    for (long i = -1; i < all; i++) {
        void *data = NULL;
        size_t size = 0;
        cj_error_clear();
        begin(i);
        cj_model *model = cj_load_memory(whole, whole_size);
        const long made = end();
        if (i < 0)
            all = made;
        if (!model) {
            check_failure(cj_error_status(), "loading", i);
            if (live != before)
                fail_msg("loading: request %ld failing leaves %ld blocks (%s)", i, live - before,
                         cj_error());
            continue;
        }
        assert_int_equal(save(model, -1, &data, &size), CJ_OK);
        if (size != whole_size || memcmp(data, whole, size) != 0)
            fail_msg("request %ld of %ld failing loads another model and gives OK", i, all);
        cj_free(data);
        cj_release(model);
    }
    assert_true(all > 500);
    cj_free(whole);
}

static void json_fails_or_is_right(void **state)
{
    (void)state;
    cj_model *model = network();
    char *right = NULL;
    begin(-1);
    assert_int_equal(cj_model_to_json(model, &right), CJ_OK);
    const long all = end();
    for (long i = 0; i < all; i++) {
        char *json = NULL;
        cj_error_clear();
        begin(i);
        const cj_status status = cj_model_to_json(model, &json);
        end();
        if (status == CJ_OK)
            assert_string_equal(json, right);
        else
            check_failure(status, "writing JSON", i);
        cj_free(json);
    }
    cj_free(right);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saving_fails_or_writes_the_right_bytes),
        cmocka_unit_test(loading_fails_or_makes_the_right_model),
        cmocka_unit_test(json_fails_or_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void malloc_cannot_be_replaced_here(void **state)
{
    (void)state;
    support_skip("malloc can be replaced with glibc and without sanitizers only");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(malloc_cannot_be_replaced_here)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
