// Tensors of texts: making, reading, copying and printing them, and what cannot be done with them.
#include "support.h"

#include <cajal/texts.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static cj_tensor *two_by_two(void)
{
    cj_tensor *texts = NULL;
    const int64_t lengths[] = {3, 0, 4, 2};
    const char *const values[] = {"a\0b", NULL, "caf\xc3", "ok"};
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(2, 2), (cj_texts){values, lengths, 4}, &texts),
                     CJ_OK);
    return texts;
}

static void expect(const cj_tensor *texts, int64_t i, int64_t j, const char *bytes, int64_t length)
{
    const cj_text text = cj_tensor_text(texts, (int64_t[]){i, j});
    assert_int_equal(text.length, length);
    assert_memory_equal(text.data, bytes, (size_t)length + 1);
}

static void any_bytes_are_kept(void **state)
{
    (void)state;
    cj_tensor *texts = two_by_two();
    assert_int_equal(cj_tensor_dtype(texts), CJ_STRING);
    assert_string_equal(cj_dtype_name(CJ_STRING), "string");
    expect(texts, 0, 0, "a\0b", 3);
    expect(texts, 0, 1, "", 0);
    expect(texts, 1, 0, "caf\xc3", 4);
    cj_release(texts);
    assert_int_equal(
        cj_tensor_from(CJ_STRING, CJ_SHAPE(1, 2), (const char *[]){"one", NULL}, 2, &texts), CJ_OK);
    expect(texts, 0, 0, "one", 3);
    expect(texts, 0, 1, "", 0);
    cj_release(texts);
    assert_int_equal(cj_tensor_new(CJ_STRING, CJ_SHAPE(1, 1), &texts), CJ_OK);
    expect(texts, 0, 0, "", 0);
    cj_release(texts);
}

static void views_and_copies_outlive_what_they_are_of(void **state)
{
    (void)state;
    cj_tensor *texts = two_by_two(), *turned = NULL, *copy = NULL, *row = NULL;
    assert_int_equal(cj_tensor_transpose(texts, (int[]){1, 0}, &turned), CJ_OK);
    assert_int_equal(cj_tensor_slice(texts, 0, 1, 1, &row), CJ_OK);
    assert_int_equal(cj_tensor_convert(turned, CJ_STRING, &copy), CJ_OK);
    cj_release(texts);
    expect(turned, 0, 1, "caf\xc3", 4);
    expect(row, 0, 1, "ok", 2);
    cj_release(turned);
    cj_release(row);
    expect(copy, 0, 1, "caf\xc3", 4);
    expect(copy, 1, 1, "ok", 2);
    texts = two_by_two();
    assert_int_equal(cj_tensor_copy(texts, copy), CJ_OK);
    cj_release(copy);
    expect(texts, 0, 1, "caf\xc3", 4);
    cj_release(texts);
}

static void numbers_and_texts_do_not_become_each_other(void **state)
{
    (void)state;
    cj_tensor *texts = two_by_two(), *numbers = NULL, *other = NULL;
    const char *one = "x";
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 2), &numbers), CJ_OK);
    assert_int_equal(cj_tensor_convert(texts, CJ_F32, &other), CJ_INVALID_ARGUMENT);
    assert_error_contains("texts are no numbers");
    assert_null(other);
    assert_int_equal(cj_tensor_convert(numbers, CJ_STRING, &other), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_copy(numbers, texts), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_set(texts, (int64_t[]){0, 0}, 1), CJ_INVALID_ARGUMENT);
    assert_true(isnan(cj_tensor_get(texts, (int64_t[]){0, 0})));
    assert_error_contains("holds texts");
    assert_int_equal(cj_tensor_add(numbers, texts, numbers), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_uniform(texts, 1, 0, 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_fill_normal(texts, 1, 0, 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_borrow(CJ_STRING, CJ_SHAPE(1), &one, NULL, NULL, &other),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_text(numbers, (int64_t[]){0, 0}).length, 0);
    assert_error_contains("its elements are float32");
    cj_release(numbers);
    cj_release(texts);
}

static void bad_lists_get_their_sentence(void **state)
{
    (void)state;
    cj_tensor *texts = NULL;
    const int64_t negative = -1, two = 2;
    const char *none = NULL, *some = "ab";
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(3), CJ_TEXTS("a", "b"), &texts),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("holds 3 texts, not 2");
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(1), (cj_texts){&some, &negative, 1}, &texts),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(1), (cj_texts){&none, &two, 1}, &texts),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("at no address");
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(1), (cj_texts){NULL, NULL, 1}, &texts),
                     CJ_INVALID_ARGUMENT);
}

static void texts_are_printed_in_quotes(void **state)
{
    (void)state;
    char text[200] = "";
    cj_tensor *texts = two_by_two();
    FILE *stream = tmpfile();
    assert_int_equal(cj_tensor_print(texts, stream), CJ_OK);
    rewind(stream);
    const size_t length = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    cj_release(texts);
    text[length] = '\0';
    assert_string_equal(text, "[[\"a\\x00b\" \"\"]\n [\"caf\\xc3\" \"ok\"]]\n");
}

static cj_status make_and_copy(void *context)
{
    cj_tensor *texts = NULL, *copy = NULL;
    (void)context;
    cj_status status = cj_tensor_from_texts(CJ_SHAPE(2), CJ_TEXTS("a", "bc"), &texts);
    if (status == CJ_OK)
        status = cj_tensor_convert(texts, CJ_STRING, &copy);
    cj_release(texts);
    cj_release(copy);
    return status;
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(make_and_copy, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_are_kept),
        cmocka_unit_test(views_and_copies_outlive_what_they_are_of),
        cmocka_unit_test(numbers_and_texts_do_not_become_each_other),
        cmocka_unit_test(bad_lists_get_their_sentence),
        cmocka_unit_test(texts_are_printed_in_quotes),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
