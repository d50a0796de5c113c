// Statuses and the thread's sentence.
#include "base/error.h"
#include "support.h"
#include <pthread.h>
#include <stdio.h>
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
    assert_int_equal(cj__fail_missing_of(CJ__MADE_MODEL, "cj_fit", "the model"),
                     CJ_INVALID_ARGUMENT);
    assert_string_equal(cj_error(), "cj_fit: the model is NULL");
}

// A builder of that kind that fails with that sentence.
static void builder_fails(cj__made kind, const char *text)
{
    cj__fail(CJ_SHAPE_MISMATCH, "%s", text);
    assert_null(cj__build_failed(kind));
}

static void missing_says(cj__made kind, const char *text)
{
    cj__fail_missing(kind, "the argument");
    assert_string_equal(cj_error(), text);
}

static void the_first_cause_of_a_builder_survives(void **state)
{
    (void)state;
    builder_fails(CJ__MADE_LAYER, "conv2d_1: too small");
    for (int i = 0; i < 2; i++) { // through any number of builders, and to one status
        assert_int_equal(cj__fail_missing(CJ__MADE_LAYER, "the layer"), CJ_SHAPE_MISMATCH);
        assert_null(cj__build_failed(CJ__MADE_MODEL));
    }
    assert_int_equal(cj__fail_missing(CJ__MADE_MODEL, "the model"), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    assert_string_equal(cj_error(), "conv2d_1: too small");
}

static void a_cause_that_was_reported_is_not_given_again(void **state)
{
    (void)state;
    builder_fails(CJ__MADE_MODEL, "returned");
    assert_int_equal(cj__fail_missing(CJ__MADE_MODEL, "the model"), CJ_SHAPE_MISMATCH);
    missing_says(CJ__MADE_MODEL, "the argument is NULL");
    builder_fails(CJ__MADE_MODEL, "read");
    cj_error();
    missing_says(CJ__MADE_MODEL, "the argument is NULL");
    builder_fails(CJ__MADE_MODEL, "asked for");
    cj_error_status();
    missing_says(CJ__MADE_MODEL, "the argument is NULL");
    builder_fails(CJ__MADE_MODEL, "forgotten");
    builder_fails(CJ__MADE_LAYER, "forgotten too");
    cj_error_clear();
    missing_says(CJ__MADE_MODEL, "the argument is NULL");
}

static void only_what_a_builder_makes_has_its_cause(void **state)
{
    (void)state;
    cj_error_clear();
    builder_fails(CJ__MADE_OPTIMIZER, "adam: beta_1");
    missing_says(CJ__MADE_MODEL, "the argument is NULL");
    cj__fail_null("the path");
    assert_string_equal(cj_error(), "the path is NULL");
    missing_says(CJ__MADE_OPTIMIZER, "adam: beta_1"); // it waited
    builder_fails(CJ__MADE_MODEL, "sequential: no");
    missing_says(CJ__MADE_LAYER, "sequential: no"); // cj_model_layer() of the NULL
    builder_fails(CJ__MADE_DATASET, "data set: no");
    missing_says(CJ__MADE_TENSOR, "data set: no"); // cj_dataset_x() of the NULL
}

static void of_two_causes_the_first_is_reported_once(void **state)
{
    (void)state;
    builder_fails(CJ__MADE_LAYER, "dense: first");
    builder_fails(CJ__MADE_LAYER, "dense: second");
    cj__fail_missing_some(CJ__MADE_LAYER, 2, "the layers");
    assert_string_equal(cj_error(), "dense: first");
    missing_says(CJ__MADE_LAYER, "the argument is NULL");
}

static void a_failure_that_was_passed_over_is_not_that_of_a_later_null(void **state)
{
    (void)state;
    builder_fails(CJ__MADE_LAYER, "dense: tried in vain");
    builder_fails(CJ__MADE_LAYER, "dense: given");
    missing_says(CJ__MADE_LAYER, "dense: given");
    cj_error_clear();
    for (int i = 0; i < 10; i++) { // beyond what is kept
        char text[32];
        snprintf(text, sizeof text, "number %d", i);
        builder_fails(CJ__MADE_LAYER, text);
    }
    cj__fail_missing_some(CJ__MADE_LAYER, 10, "the layers");
    assert_string_equal(cj_error(), "number 0");
}

static void a_prefix_and_what_builders_did_inside_belong_to_the_cause(void **state)
{
    (void)state;
    cj_error_clear();
    builder_fails(CJ__MADE_LAYER, "dense: no"); // within a builder of models
    cj__fail_in(CJ_BAD_FILE, "a.cajal");
    assert_null(cj__build_failed(CJ__MADE_MODEL));
    assert_int_equal(cj__fail_missing(CJ__MADE_LAYER, "the layer"), CJ_BAD_FILE);
    assert_string_equal(cj_error(), "a.cajal: dense: no");
    const uint64_t begin = cj__causes_begin(); // within a function that gives a status
    builder_fails(CJ__MADE_SYMBOL, "symbol: no");
    assert_int_equal(cj__causes_end(begin, CJ_SHAPE_MISMATCH), CJ_SHAPE_MISMATCH);
    missing_says(CJ__MADE_SYMBOL, "the argument is NULL");
}

static void a_builder_never_fails_with_the_status_ok(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj__build_failed(CJ__MADE_MODEL));
    assert_int_equal(cj__fail_missing(CJ__MADE_MODEL, "the model"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
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
        cmocka_unit_test(a_cause_that_was_reported_is_not_given_again),
        cmocka_unit_test(only_what_a_builder_makes_has_its_cause),
        cmocka_unit_test(of_two_causes_the_first_is_reported_once),
        cmocka_unit_test(a_failure_that_was_passed_over_is_not_that_of_a_later_null),
        cmocka_unit_test(a_prefix_and_what_builders_did_inside_belong_to_the_cause),
        cmocka_unit_test(a_builder_never_fails_with_the_status_ok),
        cmocka_unit_test(a_user_may_set_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
