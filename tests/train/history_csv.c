// cj_history_save_csv(): a row an epoch, values to the bit, empty where there is none.
#include "problems.h"
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_history *trained(const char *name)
{
    char spec[64];
    snprintf(spec, sizeof spec, "sparse_categorical_accuracy(name=%s)", name);
    cj_dataset *data = problem_classes(48);
    cj_model *model = problem_model();
    cj_history *history = NULL;
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "sparse_categorical_crossentropy",
                         .metrics = {spec}));
    assert_ok(cj_fit(model, data, .epochs = 4, .validation_data = data, .validation_freq = 2,
                     .history = &history));
    cj_release(model), cj_release(data);
    return history;
}

static void rows_are_epochs(void **state)
{
    (void)state;
    const char *path = support_path("history.csv");
    cj_history *history = trained("acc");
    size_t size = 0;
    const bool comma = support_locale_with_comma();
    assert_ok(cj_history_save_csv(history, path));
    if (comma)
        setlocale(LC_ALL, "C");
    char *text = support_read(path, &size), *copy = calloc(size + 1, 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    const char *line = strtok(copy, "\n");
    assert_string_equal(line, "epoch,loss,acc,val_loss,val_acc");
    for (int epoch = 0; epoch < 4; epoch++) {
        line = strtok(NULL, "\n");
        char *end = NULL;
        assert_int_equal(strtol(line, &end, 10), epoch);
        assert_true(strtod(end + 1, &end) == cj_history_value(history, "loss", epoch));
        assert_true(strtod(end + 1, &end) == cj_history_value(history, "acc", epoch));
        if (epoch % 2 == 0)
            assert_string_equal(end, ",,");
        else
            assert_true(strtod(end + 1, &end) == cj_history_value(history, "val_loss", epoch));
    }
    assert_null(strtok(NULL, "\n"));
    free(text), free(copy);
    cj_release(history);
}

static void a_name_with_a_comma_is_quoted(void **state)
{
    (void)state;
    const char *path = support_path("quoted.csv");
    cj_history *history = trained("\"a,b\"");
    size_t size = 0;
    assert_ok(cj_history_save_csv(history, path));
    char *text = support_read(path, &size);
    assert_memory_equal(text, "epoch,loss,\"a,b\",val_loss", 24);
    free(text);
    cj_release(history);
}

static void mistakes_get_their_sentences(void **state)
{
    (void)state;
    cj_history *history = trained("acc");
    assert_int_equal(cj_history_save_csv(NULL, "x.csv"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_history_save_csv(history, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_history_save_csv(history, "/nowhere/at/all.csv"), CJ_IO);
    cj_release(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_epochs),
        cmocka_unit_test(a_name_with_a_comma_is_quoted),
        cmocka_unit_test(mistakes_get_their_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
