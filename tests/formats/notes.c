// Notes on a model: kept, changed, removed, saved and loaded; damage is refused; files without them
// load as before.
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

static cj_model *network(void)
{
    cj_model *model = cj_sequential(cj_input(2), cj_dense(3));
    assert_non_null(model);
    return model;
}

static void notes_are_set_changed_and_removed(void **state)
{
    (void)state;
    cj_model *model = network();
    assert_null(cj_model_note(model, "data"));
    assert_int_equal(cj_model_set_note(model, "data", "cifar10"), CJ_OK);
    assert_int_equal(cj_model_set_note(model, "by", "Ramón"), CJ_OK);
    assert_int_equal(cj_model_set_note(model, "data", "mnist"), CJ_OK);
    assert_string_equal(cj_model_note(model, "data"), "mnist");
    assert_int_equal(cj_model_set_note(model, "data", ""), CJ_OK);
    assert_null(cj_model_note(model, "data"));
    assert_string_equal(cj_model_note(model, "by"), "Ramón");
    assert_int_equal(cj_model_set_note(model, "nothing", ""), CJ_OK);
    cj_release(model);
}

static void mistakes_are_answered_with_sentences(void **state)
{
    (void)state;
    cj_model *model = network();
    assert_int_equal(cj_model_set_note(model, "", "x"), CJ_INVALID_ARGUMENT);
    assert_error_contains("the name is empty");
    assert_int_equal(cj_model_set_note(model, "x", "\xff"), CJ_INVALID_ARGUMENT);
    assert_error_contains("the text is not UTF-8");
    assert_null(cj_model_note(model, "x"));
    cj_release(model);
}

// The bytes of a model with a note "text": "abcdefgh".
static void *saved(size_t *size)
{
    void *bytes = NULL;
    cj_model *model = network();
    assert_int_equal(cj_model_set_note(model, "text", "abcdefgh"), CJ_OK);
    assert_int_equal(cj_save_memory(model, &bytes, size), CJ_OK);
    cj_release(model);
    return bytes;
}

static void notes_are_saved_and_loaded(void **state)
{
    (void)state;
    cj_model *model = network();
    void *bytes = NULL, *again = NULL;
    size_t size = 0, size_again = 0;
    assert_int_equal(cj_model_set_note(model, "data", "cifar10"), CJ_OK);
    assert_int_equal(cj_model_set_note(model, "classes", "a \"b\"\nc\\\n猫"), CJ_OK);
    assert_int_equal(cj_save_memory(model, &bytes, &size), CJ_OK);
    cj_model *loaded = cj_load_memory(bytes, size);
    assert_non_null(loaded);
    assert_string_equal(cj_model_note(loaded, "data"), "cifar10");
    assert_string_equal(cj_model_note(loaded, "classes"), "a \"b\"\nc\\\n猫");
    assert_int_equal(cj_save_memory(loaded, &again, &size_again), CJ_OK);
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    cj_free(bytes), cj_free(again);
    cj_release(model), cj_release(loaded);
}

// The header is JSON within JSON: quotes of the notes have a backslash.
static void replace(char *bytes, size_t size, const char *from, const char *to)
{
    const size_t length = strlen(from);
    assert_int_equal(length, strlen(to));
    for (size_t i = 0; i + length <= size; i++)
        if (memcmp(bytes + i, from, length) == 0) {
            memcpy(bytes + i, to, length);
            return;
        }
    fail_msg("%s is not in the file", from);
}

static void damaged_notes_are_refused_and_missing_ones_are_fine(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *sentence; // NULL: loads
    } cases[] = {
        {"\\\"abcdefgh\\\"", "         123", "note \"text\" is not a text"},
        {"{\\\"text\\\":\\\"abcdefgh\\\"}", "[\\\"text\\\",\\\"abcdefgh\\\"]", "is not an object"},
        {"\\\"text\\\":", "    \\\"\\\":", "note \"\" is not a text"},
        {"\\\"text\\\":", "\\\"text\\\";", "metadata \"notes\""},
        {"\"notes\":", "\"other\":", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = 0;
        void *bytes = saved(&size);
        replace(bytes, size, cases[i].from, cases[i].to);
        cj_error_clear();
        cj_model *model = cj_load_memory(bytes, size);
        if ((model != NULL) != !cases[i].sentence)
            fail_msg("case %zu: %s", i, cj_error());
        if (cases[i].sentence)
            assert_error_contains(cases[i].sentence);
        else
            assert_null(cj_model_note(model, "text"));
        cj_release(model);
        cj_free(bytes);
    }
}

static cj_status note_save_and_load(void *context)
{
    (void)context;
    void *bytes = NULL;
    size_t size = 0;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(3)), *loaded = NULL;
    cj_status status = model ? cj_model_set_note(model, "data", "digits") : cj_error_status();
    if (status == CJ_OK)
        status = cj_model_set_note(model, "data", "mnist");
    if (status == CJ_OK)
        status = cj_save_memory(model, &bytes, &size);
    if (status == CJ_OK && !(loaded = cj_load_memory(bytes, size)))
        status = cj_error_status();
    if (status == CJ_OK)
        assert_string_equal(cj_model_note(loaded, "data"), "mnist");
    cj_free(bytes);
    cj_release(loaded);
    cj_release(model);
    return status;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    support_fail_each_allocation(note_save_and_load, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_are_set_changed_and_removed),
        cmocka_unit_test(mistakes_are_answered_with_sentences),
        cmocka_unit_test(notes_are_saved_and_loaded),
        cmocka_unit_test(damaged_notes_are_refused_and_missing_ones_are_fine),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
