// Growing text, near names, snake case, and numbers as text.
#include "base/text.h"
#include "base/memory.h"
#include "support.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"relu", "sigmoid", "softmax", "tanh"};

static void text_grows(void **state)
{
    (void)state;
    cj__text text = {0};
    for (int i = 0; i < 100; i++)
        cj__text_add(&text, "%02d,", i);
    cj__text_add_bytes(&text, "end", 3);
    assert_int_equal(cj__text_status(&text), CJ_OK);
    assert_int_equal(text.length, 303);
    assert_memory_equal(text.data, "00,01,", 6);
    assert_string_equal(text.data + 297, "99,end");
    cj__text_free(&text);
}

static cj_status grow(void *context)
{
    (void)context;
    cj__text text = {0};
    for (int i = 0; i < 200; i++)
        cj__text_add(&text, "%d", i);
    const cj_status status = cj__text_status(&text);
    cj__text_free(&text);
    return status;
}

static void text_survives_every_failed_allocation(void **state)
{
    (void)state;
    support_fail_each_allocation(grow, NULL);
}

static void a_slip_is_answered_with_what_was_meant(void **state)
{
    (void)state;
    assert_string_equal(cj__nearest("rellu", names, sizeof *names, 4), "relu");
    assert_string_equal(cj__nearest("sigmiod", names, sizeof *names, 4), "sigmoid");
    assert_string_equal(cj__nearest("Softmax", names, sizeof *names, 4), "softmax");
    assert_null(cj__nearest("convolution", names, sizeof *names, 4));
    assert_int_equal(cj__fail_unknown(CJ_NOT_FOUND, "activation", "rellu", names, sizeof *names, 4),
                     CJ_NOT_FOUND);
    assert_string_equal(cj_error(), "unknown activation \"rellu\": did you mean \"relu\"?");
    cj__fail_unknown(CJ_NOT_FOUND, "activation", "convolution", names, sizeof *names, 4);
    assert_error_contains("relu, sigmoid, softmax, tanh");
}

static void of_many_names_the_nearest_are_listed(void **state)
{
    (void)state;
    char texts[60][32];
    const char *many[60];
    for (int i = 0; i < 60; i++) {
        snprintf(texts[i], sizeof texts[i], "name_%02d_%s", i, i % 7 == 3 ? "layer" : "other_one");
        many[i] = texts[i];
    }
    assert_int_equal(
        cj__fail_unknown(CJ_NOT_FOUND, "class", "my_own_layer", many, sizeof *many, 60),
        CJ_NOT_FOUND);
    assert_error_contains("unknown class \"my_own_layer\": there are 60, name_");
    assert_error_contains("_layer, name_");
    assert_error_contains(" among them");
    assert_true(strlen(cj_error()) < 160);
}

static void snake_case_is_that_of_keras(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Conv2D", "conv2d"},
        {"MaxPooling2D", "max_pooling2d"},
        {"SimpleRNN", "simple_rnn"},
        {"BatchNormalization", "batch_normalization"},
        {"Dense", "dense"},
        {"LeakyReLU", "leaky_re_lu"},
        {"GlobalAveragePooling2D", "global_average_pooling2d"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char snake[64];
        cj__snake_case(pairs[i][0], snake, sizeof snake);
        assert_string_equal(snake, pairs[i][1]);
    }
    char small[4];
    cj__snake_case("Dense", small, sizeof small);
    assert_true(strlen(small) < 4);
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    double number;
    assert_true(cj__number_parse("-1.5e-3", &number) && number == -1.5e-3);
    assert_true(cj__number_parse(" 7 ", &number) && number == 7);
    assert_true(cj__number_parse("inf", &number) && isinf(number));
    static const char *const bad[] = {"", " ", "x", "1,5", "1.5x", "1 2", "nan", "1..2", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cj__number_parse(bad[i], &number));
}

static void numbers_are_written_shortest(void **state)
{
    (void)state;
    char text[CJ__NUMBER_TEXT];
    assert_string_equal(cj__number_text(0.1, text), "0.1");
    assert_string_equal(cj__number_text(1e-7, text), "1e-07");
    assert_string_equal(cj__number_text(-3, text), "-3");
    double back;
    assert_true(cj__number_parse(cj__number_text(1 / 3.0, text), &back) && back == 1 / 3.0);
}

static void a_locale_with_a_comma_changes_nothing(void **state)
{
    (void)state;
    if (!support_locale_with_comma())
        support_skip("there is no locale with a decimal comma");
    double number;
    char text[CJ__NUMBER_TEXT];
    const bool read = cj__number_parse("0.25", &number);
    char fixed[32];
    cj__number_text(0.25, text);
    cj__number_fixed(-1234.5678, 2, fixed, sizeof fixed);
    setlocale(LC_ALL, "C");
    assert_true(read && number == 0.25);
    assert_string_equal(text, "0.25");
    assert_string_equal(fixed, "-1234.57");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_many_names_the_nearest_are_listed),
        cmocka_unit_test(text_grows),
        cmocka_unit_test(text_survives_every_failed_allocation),
        cmocka_unit_test(a_slip_is_answered_with_what_was_meant),
        cmocka_unit_test(snake_case_is_that_of_keras),
        cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(numbers_are_written_shortest),
        cmocka_unit_test(a_locale_with_a_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
