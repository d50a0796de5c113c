// Statuses and the thread's sentence.
#include "base/error.h"
#include "support.h"
#include <pthread.h>
#include <string.h>

static void every_status_has_a_name_and_a_meaning(void **state)
{
    (void)state;
    assert_string_equal(cj_status_name(CJ_OK), "OK");
    assert_string_equal(cj_status_name(CJ_SHAPE_MISMATCH), "SHAPE_MISMATCH");
    for (int i = 0; i <= CJ_CANCELLED; i++)
        assert_true(strlen(cj_status_meaning((cj_status)i)) > 3);
    assert_string_equal(cj_status_name((cj_status)999), "UNKNOWN");
    assert_string_equal(cj_status_name((cj_status)-1), "UNKNOWN");
}

static void a_failure_keeps_its_sentence_until_the_next(void **state)
{
    (void)state;
    cj_error_clear();
    assert_string_equal(cj_error(), "");
    assert_int_equal(cj__fail(CJ_IO, "%s: %d", "file", 7), CJ_IO);
    assert_string_equal(cj_error(), "file: 7");
    assert_int_equal(cj_error_status(), CJ_IO);
    cj__fail(CJ_NOT_FOUND, "other");
    assert_string_equal(cj_error(), "other");
    cj_error_clear();
    assert_int_equal(cj_error_status(), CJ_OK);
}

static void a_prefix_goes_before_the_sentence(void **state)
{
    (void)state;
    cj__fail(CJ_BAD_FILE, "too short");
    assert_int_equal(cj__fail_in(CJ_BAD_FILE, "%s", "a.idx"), CJ_BAD_FILE);
    assert_string_equal(cj_error(), "a.idx: too short");
}

static void an_argument_may_be_the_sentence_itself(void **state)
{
    (void)state;
    cj__fail(CJ_IO, "inner");
    cj__fail(CJ_IO, "outer: %s", cj_error());
    assert_string_equal(cj_error(), "outer: inner");
}

static void a_long_sentence_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3001];
    for (int i = 0; i < 1500; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    text[3000] = '\0';
    cj__fail(CJ_IO, "%s", text);
    const size_t length = strlen(cj_error());
    assert_true(length > 1000 && length < 1024);
    assert_string_equal(cj_error() + length - 3, "...");
    assert_int_equal((length - 3) % 2, 0);
    cj__fail_in(CJ_IO, "prefix");
    assert_memory_equal(cj_error(), "prefix: \xc3\xa9", 10);
    assert_string_equal(cj_error() + strlen(cj_error()) - 3, "...");
}

static void *fail_elsewhere(void *first)
{
    *(bool *)first = *cj_error() == '\0';
    cj__fail(CJ_IO, "elsewhere");
    return NULL;
}

static void each_thread_has_its_own_sentence(void **state)
{
    (void)state;
    cj__fail(CJ_IO, "here");
    bool empty_there = false;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &empty_there), 0);
    pthread_join(thread, NULL);
    assert_true(empty_there);
    assert_string_equal(cj_error(), "here");
}

static void a_null_is_named_where_no_builder_failed(void **state)
{
    (void)state;
    cj_error_clear();
    assert_int_equal(cj__fail_null("the model"), CJ_INVALID_ARGUMENT);
    assert_string_equal(cj_error(), "the model is NULL");
    cj__fail(CJ_IO, "a stale cause");
    assert_int_equal(cj__fail_null("the tensor"), CJ_INVALID_ARGUMENT);
    assert_string_equal(cj_error(), "the tensor is NULL");
}

static void the_first_cause_of_a_builder_survives(void **state)
{
    (void)state;
    cj__fail(CJ_SHAPE_MISMATCH, "conv2d_1: too small");
    assert_null(cj__build_failed());
    for (int i = 0; i < 2; i++) { // through any number of builders and functions
        assert_int_equal(cj__fail_null("the layer"), CJ_SHAPE_MISMATCH);
        assert_null(cj__build_failed());
        assert_string_equal(cj_error(), "conv2d_1: too small");
        assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    }
    cj__fail(CJ_IO, "something else");
    assert_int_equal(cj__fail_null("the layer"), CJ_INVALID_ARGUMENT);
    cj__build_failed();
    cj_error_clear();
    assert_int_equal(cj__fail_null("the model"), CJ_INVALID_ARGUMENT);
    assert_string_equal(cj_error(), "the model is NULL");
}

static void a_builder_never_fails_with_the_status_ok(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj__build_failed());
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj__fail_null("the model"), CJ_INVALID_ARGUMENT);
}

static void a_user_may_set_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(cj_fail(CJ_CANCELLED, "callback: epoch %d is enough", 3), CJ_CANCELLED);
    assert_string_equal(cj_error(), "callback: epoch 3 is enough");
    assert_int_equal(cj_error_status(), CJ_CANCELLED);
    assert_int_equal(cj_fail(CJ_OK, "ignored"), CJ_OK);
    assert_int_equal(cj_error_status(), CJ_CANCELLED);
    assert_int_equal(cj_fail((cj_status)77, "x"), CJ_INVALID_ARGUMENT);
    const char *no_format = NULL;
    assert_int_equal(cj_fail(CJ_IO, no_format, 0), CJ_IO);
    assert_string_equal(cj_error(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_meaning),
        cmocka_unit_test(a_failure_keeps_its_sentence_until_the_next),
        cmocka_unit_test(a_prefix_goes_before_the_sentence),
        cmocka_unit_test(an_argument_may_be_the_sentence_itself),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
        cmocka_unit_test(each_thread_has_its_own_sentence),
        cmocka_unit_test(a_null_is_named_where_no_builder_failed),
        cmocka_unit_test(the_first_cause_of_a_builder_survives),
        cmocka_unit_test(a_builder_never_fails_with_the_status_ok),
        cmocka_unit_test(a_user_may_set_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
