// CSVLogger: columns that stay, NA where an epoch has no value, and files that are appended to.
#include "problems.h"
#include "train/callbacks.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 1),
                         .loss = "sparse_categorical_crossentropy"));
    return model;
}

typedef struct row {
    int count;
    const char *names[4];
    double values[4];
} row;

// The file as a string, to be freed.
static char *contents(const char *path)
{
    size_t size = 0;
    char *bytes = support_read(path, &size), *text = malloc(size + 1);
    assert_non_null(bytes);
    assert_non_null(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    free(bytes);
    return text;
}

// Writes these epochs with a callback of its own, and gives what the file then has.
static char *written(cj_callback *logger, const char *path, const row *rows, int count)
{
    cj_model *model = compiled();
    cj_logs logs = {.epochs = count};
    assert_non_null(logger);
    assert_ok(cj__callbacks_tell(&logger, 0, 1, CJ__MOMENT_TRAIN_BEGIN, model, &logs, NULL));
    for (int i = 0; i < count; i++) {
        logs.epoch = i;
        logs.count = rows[i].count;
        logs.names = rows[i].names;
        logs.values = rows[i].values;
        assert_ok(cj__callbacks_tell(&logger, 0, 1, CJ__MOMENT_EPOCH_END, model, &logs, NULL));
    }
    assert_ok(cj__callbacks_tell(&logger, 0, 1, CJ__MOMENT_TRAIN_END, model, &logs, NULL));
    cj_release(logger);
    cj_release(model);
    return contents(path);
}

static void expect(cj_callback *logger, const char *path, const row *rows, int count,
                   const char *text)
{
    char *got = written(logger, path, rows, count);
    assert_string_equal(got, text);
    free(got);
}

static const row two[] = {{1, {"loss"}, {0.5}}, {2, {"loss", "val_loss"}, {0.25, 2}}};

static void columns_are_those_of_the_first_epoch(void **state)
{
    (void)state;
    const char *path = support_path("columns.csv");
    const row rows[] = {{2, {"loss", "accuracy"}, {0.5, 0.1}},
                        {4, {"loss", "accuracy", "val_loss", "val_accuracy"}, {0.25, 0.2, 2, 0.3}},
                        {2, {"accuracy", "loss"}, {NAN, INFINITY}}};
    const row all[] = {{2, {"val_loss", "loss"}, {1, 2}}, {1, {"loss"}, {3}}};
    expect(cj_csv_logger(path), path, rows, 3,
           "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.1,0.5,NA,NA\n1,0.2,0.25,0.3,2\n"
           "2,nan,inf,NA,NA\n");
    expect(cj_csv_logger(path, .separator = ";"), path, all, 2,
           "epoch;loss;val_loss\n0;2;1\n1;3;NA\n");
}

static void names_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    const char *path = support_path("quoted.csv");
    const row rows[] = {{2, {"a,b_loss", "say \"x\""}, {1, 2}}};
    const char heading[] = "epoch,\"a,b_loss\",\"say \"\"x\"\"\",\"val_a,b_loss\","
                           "\"val_say \"\"x\"\"\"\n";
    char both[400];
    snprintf(both, sizeof both, "%s0,1,2,NA,NA\n", heading);
    expect(cj_csv_logger(path), path, rows, 1, both);
    snprintf(both, sizeof both, "%s0,1,2,NA,NA\n0,1,2,NA,NA\n", heading);
    expect(cj_csv_logger(path, .append = true), path, rows, 1, both);
}

static void keep_warning(const char *sentence, void *context)
{
    snprintf(context, 1000, "%s", sentence);
}

static void appending_keeps_the_columns_of_the_file(void **state)
{
    (void)state;
    const char *path = support_path("other.csv"), there[] = "epoch,mae,loss\n0,1,2\n";
    char kept[1000] = "";
    support_write(path, there, strlen(there));
    cj_set_warning_handler(keep_warning, kept);
    expect(cj_csv_logger(path, .append = true), path, two, 2,
           "epoch,mae,loss\n0,1,2\n0,NA,0.5\n1,NA,0.25\n");
    assert_non_null(strstr(kept, "has no column \"val_loss\""));
    cj_set_warning_handler(NULL, NULL);
    support_write(path, "", 0); // an empty file gets a heading
    expect(cj_csv_logger(path, .append = true), path, two, 1, "epoch,loss,val_loss\n0,0.5,NA\n");
}

static void a_line_that_was_cut_off_is_removed(void **state)
{
    (void)state;
    const char *path = support_path("cut.csv"), cut[] = "epoch,loss,val_loss\n0,1,2\n1,0.",
               whole[] = "epoch,loss\n0,1";
    support_write(path, cut, strlen(cut));
    expect(cj_csv_logger(path, .append = true), path, two, 1,
           "epoch,loss,val_loss\n0,1,2\n0,0.5,NA\n");
    support_write(path, whole, strlen(whole));
    expect(cj_csv_logger(path, .append = true), path, two, 1, "epoch,loss\n0,1\n0,0.5\n");
}

static void a_file_of_another_kind_is_not_appended_to(void **state)
{
    (void)state;
    const char *path = support_path("prose.csv"), there[] = "Dear diary,\n";
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    support_write(path, there, strlen(there));
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_csv_logger(path, .append = true)}),
                     CJ_BAD_FILE);
    char *text = contents(path);
    assert_string_equal(text, there);
    free(text);
    cj_release(model), cj_release(data);
}

// A path that cannot be written is found before the first step.
static void a_path_that_cannot_be_written_ends_the_run_at_once(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled(), *untouched = compiled();
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_csv_logger("/nowhere/log.csv")}), CJ_IO);
    assert_true(problem_same_weights(model, untouched));
    assert_null(cj_csv_logger("log.csv", .separator = ""));
    assert_error_contains("separator");
    cj_release(model), cj_release(untouched), cj_release(data);
}

static void a_decimal_comma_of_the_locale_stays_out(void **state)
{
    (void)state;
    const char *path = support_path("locale.csv");
    if (!support_locale_with_comma())
        support_skip("there is no locale with a decimal comma");
    expect(cj_csv_logger(path), path, two, 2, "epoch,loss,val_loss\n0,0.5,NA\n1,0.25,2\n");
    setlocale(LC_ALL, "C");
}

static void a_fit_appends_to_what_it_wrote(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(40);
    cj_model *model = compiled();
    int lines = 0;
    const char *path = support_path("log.csv");
    assert_ok(cj_fit(model, data, .epochs = 2, .validation_data = data,
                     .callbacks = {cj_csv_logger(path)}));
    assert_ok(cj_fit(model, data, .epochs = 1, .validation_data = data,
                     .callbacks = {cj_csv_logger(path, .append = true)}));
    char *text = contents(path);
    for (size_t i = 0; text[i]; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 4);
    assert_memory_equal(text, "epoch,loss,val_loss\n0,", 22);
    free(text);
    cj_release(model), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_the_first_epoch),
        cmocka_unit_test(names_are_quoted_where_they_must_be),
        cmocka_unit_test(appending_keeps_the_columns_of_the_file),
        cmocka_unit_test(a_line_that_was_cut_off_is_removed),
        cmocka_unit_test(a_file_of_another_kind_is_not_appended_to),
        cmocka_unit_test(a_path_that_cannot_be_written_ends_the_run_at_once),
        cmocka_unit_test(a_decimal_comma_of_the_locale_stays_out),
        cmocka_unit_test(a_fit_appends_to_what_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
