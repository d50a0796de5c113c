// Callbacks by Keras's rules, told of losses that are made up here.
#include "problems.h"
#include "train/callbacks.h"
#include "train/callbacks/monitor.h"
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

// Tells a callback of these val_losses; the epoch (from 1) after which it stopped, 0 if it did not.
static int epochs_until_stop(cj_callback *callback, cj_model *model, const double *losses,
                             int count)
{
    const char *names[] = {"val_loss"};
    cj_logs logs = {.count = 1, .names = names, .epochs = count};
    assert_non_null(callback);
    assert_ok(cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_TRAIN_BEGIN, model, &logs, NULL));
    for (logs.epoch = 0; logs.epoch < count && !logs.stop; logs.epoch++) {
        logs.values = &losses[logs.epoch];
        assert_ok(cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_EPOCH_END, model, &logs, NULL));
    }
    assert_ok(cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_TRAIN_END, model, &logs, NULL));
    cj_release(callback);
    return logs.stop ? logs.epoch : 0;
}

static void early_stopping(void **state)
{
    (void)state;
    const double losses[] = {1, 0.9, 0.95, 0.92, 0.8, 0.85, 0.86, 0.87};
    cj_model *model = compiled();
    assert_int_equal(epochs_until_stop(cj_early_stopping(), model, losses, 8), 3);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.patience = 2), model, losses, 8), 4);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.patience = 3), model, losses, 8), 8);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.patience = 5), model, losses, 8), 0);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.min_delta = 0.2), model, losses, 8), 2);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.mode = "max"), model, losses, 8), 2);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.start_from_epoch = 3, .patience = 1),
                                       model, losses, 8),
                     6);
    assert_int_equal(
        epochs_until_stop(cj_early_stopping(.baseline = 0.5, .patience = 3), model, losses, 8), 3);
    assert_null(cj_early_stopping(.mode = "lowest"));
    assert_error_contains("lowest");
    cj_release(model);
}

static cj_status spoil(void *self, cj_model *model, cj_logs *logs)
{
    (void)self;
    if (logs->epoch > 0) // what training did after the first epoch is for the worse
        cj_tensor_fill(cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)), 100);
    return CJ_OK;
}
static const cj_callback_methods spoiler = {
    .size = sizeof(cj_callback_methods), .name = "Spoiler", .epoch_begin = spoil};

static void early_stopping_restores_the_best_weights(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(60);
    cj_model *model = compiled(), *once = compiled();
    assert_ok(cj_fit(once, data, .epochs = 1));
    assert_ok(
        cj_fit(model, data, .epochs = 5, .validation_data = data,
               .callbacks = {cj_callback_new(&spoiler, NULL),
                             cj_early_stopping(.patience = 1, .restore_best_weights = true)}));
    assert_true(problem_same_weights(model, once));
    cj_release(model), cj_release(once), cj_release(data);
}

static void reduce_lr_on_plateau(void **state)
{
    (void)state;
    const double losses[] = {1, 1, 1, 1, 1, 1};
    cj_model *model = compiled();
    epochs_until_stop(cj_reduce_lr_on_plateau(.factor = 0.5, .patience = 2), model, losses, 6);
    assert_near(cj_learning_rate(model), 0.25, 1e-7, 0); // after epochs 3 and 5
    assert_ok(cj_set_learning_rate(model, 1));
    epochs_until_stop(cj_reduce_lr_on_plateau(.factor = 0.5, .patience = 1, .cooldown = 2), model,
                      losses, 6);
    // after epochs 2, 4 and 6: the counter falls first
    assert_near(cj_learning_rate(model), 0.125, 1e-7, 0);
    assert_ok(cj_set_learning_rate(model, 1));
    epochs_until_stop(cj_reduce_lr_on_plateau(.factor = 0.1, .patience = 1, .min_lr = 0.3), model,
                      losses, 6);
    assert_near(cj_learning_rate(model), 0.3, 1e-7, 0);
    assert_null(cj_reduce_lr_on_plateau(.factor = 2));
    assert_error_contains("factor");
    cj_release(model);
}

static double halve(int epoch, double rate, void *context)
{
    (void)context;
    return epoch == 0 ? rate : rate / 2;
}

static void learning_rate_scheduler(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_ok(
        cj_fit(model, data, .epochs = 3, .callbacks = {cj_learning_rate_scheduler(halve, NULL)}));
    assert_near(cj_learning_rate(model), 0.25, 1e-7, 0);
    cj_release(model), cj_release(data);
}

static void terminate_on_nan_names_the_layer_and_the_batch(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(100);
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(8, .name = "calm"),
                      cj_dense(8, .name = "wild", .kernel_initializer = "constant(3e38)"),
                      cj_dense(3, .activation = "softmax"));
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_terminate_on_nan()}), CJ_NOT_FINITE);
    assert_error_contains("epoch 1, batch 1");
    assert_error_contains("the output of layer \"wild\"");
    cj_release(model), cj_release(data);
}

static void unknown_monitor_needs_a_mode(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_early_stopping(.monitor = "val_los")}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("\"val_los\"");
    cj_release(model), cj_release(data);
}

static cj_status refuse(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model, (void)logs;
    return CJ_CANCELLED;
}
static const cj_callback_methods refuser = {
    .size = sizeof(cj_callback_methods), .name = "Refuser", .batch_end = refuse};

static void a_failing_callback_ends_training(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&refuser, NULL)}),
                     CJ_CANCELLED);
    cj_release(model), cj_release(data);
}

static void file_names_are_filled_in(void **state)
{
    (void)state;
    const char *names[] = {"loss", "val_accuracy"};
    const double values[] = {0.123456, 0.9};
    const cj_logs logs = {.count = 2, .names = names, .values = values, .epoch = 4, .batch = 9};
    cj__text text = {0};
    bool missing = true;
    assert_ok(cj__monitor_fill("m-{epoch:02d}-{batch}-{val_accuracy:.2f}-{loss:.4f}.x", &logs,
                               "test", &text, &missing));
    assert_string_equal(text.data, "m-05-10-0.90-0.1235.x");
    assert_false(missing);
    assert_ok(cj__monitor_fill("{los}", &logs, "test", &text, &missing));
    assert_true(missing);
    assert_int_equal(cj__monitor_fill("{loss", &logs, "test", &text, &missing),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj__monitor_fill("{loss:.2fx}", &logs, "test", &text, &missing),
                     CJ_INVALID_ARGUMENT);
    cj__text_free(&text);
}

// Keras: a first NaN is the best for ever; a later one is no improvement.
static void nan_is_a_value_that_never_improves(void **state)
{
    (void)state;
    const double late[] = {1, NAN, NAN, NAN, NAN}, first[] = {NAN, 1, 0.5, 0.2, 0.1};
    cj_model *model = compiled();
    assert_int_equal(epochs_until_stop(cj_early_stopping(.patience = 2), model, late, 5), 3);
    assert_int_equal(epochs_until_stop(cj_early_stopping(.patience = 2), model, first, 5), 3);
    epochs_until_stop(cj_reduce_lr_on_plateau(.factor = 0.5, .patience = 2), model, late, 5);
    assert_near(cj_learning_rate(model), 0.25, 1e-7, 0);
    cj_release(model);
}

static void plateau_without_patience(void **state)
{
    (void)state;
    const double losses[] = {1, 1, 1};
    cj_model *model = compiled();
    epochs_until_stop(cj_reduce_lr_on_plateau(.factor = 0.5, .patience = 0), model, losses, 3);
    assert_near(cj_learning_rate(model), 0.25, 1e-7, 0);
    cj_release(model);
}

static void keep_warning(const char *sentence, void *context)
{
    char *kept = context;
    const size_t length = strlen(kept);
    snprintf(kept + length, 4000 - length, "%s\n", sentence);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void a_monitor_that_never_appears_warns_once(void **state)
{
    (void)state;
    char kept[4000] = "";
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    cj_set_warning_handler(keep_warning, kept);
    assert_ok(cj_fit(model, data, .epochs = 3,
                     .callbacks = {cj_early_stopping(), cj_reduce_lr_on_plateau()}));
    assert_int_equal(count_of(kept, "EarlyStopping: the logs have no \"val_loss\", only loss"), 1);
    assert_int_equal(count_of(kept, "ReduceLROnPlateau: the logs have no \"val_loss\""), 1);
    kept[0] = '\0'; // a value that comes in the next epoch is no reason to warn
    assert_ok(cj_fit(model, data, .epochs = 4, .validation_data = data, .validation_freq = 2,
                     .callbacks = {cj_early_stopping(.patience = 5)}));
    assert_string_equal(kept, "");
    cj_set_warning_handler(NULL, NULL);
    cj_release(model), cj_release(data);
}

static void without_a_handler_a_fit_that_prints_prints_warnings(void **state)
{
    (void)state;
    const char *path = support_path("printed.txt");
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    FILE *stream = fopen(path, "w");
    size_t size;
    assert_non_null(stream);
    assert_ok(cj_fit(model, data, .verbose = CJ_LINES, .stream = stream,
                     .callbacks = {cj_early_stopping()}));
    fclose(stream);
    char *text = support_read(path, &size);
    assert_non_null(text);
    assert_memory_equal(text, "warning: EarlyStopping: the logs have no \"val_loss\"", 50);
    free(text);
    cj_release(model), cj_release(data);
}

static void auto_mode_knows_names_of_every_form(void **state)
{
    (void)state;
    const struct {
        const char *name;
        int direction;
    } cases[] = {{"val_accuracy_1", 1},
                 {"weighted_accuracy", 1},
                 {"SparseCategoricalAccuracy", 1},
                 {"val_left_loss", -1},
                 {"out_MeanSquaredError_2", -1}};
    cj_model *model = compiled();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double value = 1;
        const cj_logs logs = {.count = 1, .names = &cases[i].name, .values = &value};
        cj__monitor monitor = {0};
        double read;
        bool found;
        assert_ok(cj__monitor_open(&monitor, "test", cases[i].name, "auto", 0));
        assert_ok(cj__monitor_read(&monitor, model, &logs, "", &read, &found));
        assert_true(found);
        assert_int_equal(monitor.direction, cases[i].direction);
        cj__monitor_close(&monitor);
    }
    cj_release(model);
}

static void the_best_so_far_survives_numbers_without_nan(void **state)
{
    (void)state;
    const double bests[] = {0.25, NAN, INFINITY, -INFINITY};
    double numbers[CJ__MONITOR_NUMBERS];
    for (size_t i = 0; i < sizeof bests / sizeof bests[0]; i++) {
        const cj__monitor from = {.has_best = true, .best = bests[i]};
        cj__monitor to = {0};
        cj__monitor_save(&from, numbers);
        assert_true(isfinite(numbers[0]) && isfinite(numbers[1]));
        cj__monitor_restore(&to, numbers);
        assert_true(to.has_best);
        assert_true(isnan(bests[i]) ? isnan(to.best) : !(to.best < bests[i] || to.best > bests[i]));
    }
}

static void the_learning_rate_is_logged_when_a_callback_sets_it(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    cj_history *history = NULL;
    assert_ok(cj_fit(model, data, .epochs = 2, .validation_data = data, .history = &history,
                     .callbacks = {cj_learning_rate_scheduler(halve, NULL)}));
    assert_string_equal(cj_history_name(history, 2), "learning_rate");
    assert_near(cj_history_value(history, "learning_rate", 0), 1, 0, 0);
    assert_near(cj_history_value(history, "learning_rate", 1), 0.5, 0, 0);
    cj_release(history);
    assert_ok(cj_fit(model, data, .epochs = 1, .history = &history));
    assert_int_equal(cj_history_names(history), 1);
    cj_release(history), cj_release(model), cj_release(data);
}

// Wherever the callback that failed stands, the others are not dropped in silence.
static void a_callback_that_failed_fails_the_fit(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled(), *untouched = compiled();
    const char *path = support_path("kept.csv");
    const char words[] = "EarlyStopping: unknown mode \"mni\"";
    assert_int_equal(
        cj_fit(model, data, .callbacks = {cj_early_stopping(.mode = "mni"), cj_csv_logger(path)}),
        CJ_INVALID_ARGUMENT);
    assert_error_contains(words);
    assert_int_equal(
        cj_fit(model, data, .callbacks = {cj_csv_logger(path), cj_early_stopping(.mode = "mni")}),
        CJ_INVALID_ARGUMENT);
    assert_error_contains(words);
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_early_stopping(.mode = "mni")}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains(words);
    assert_true(problem_same_weights(model, untouched));
    // one whose failure was seen to does not fail a later fit
    assert_null(cj_early_stopping(.mode = "mni"));
    assert_error_contains(words);
    assert_ok(cj_fit(model, data));
    cj_release(model), cj_release(untouched), cj_release(data);
}

static void an_optimizer_that_failed_fails_this_compile_alone(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(.beta_1 = 2), .loss = "mse"),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("beta_1");
    assert_ok(cj_compile(model, .loss = "mse"));
    assert_null(cj_optimizer_from_spec("adamm"));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_ok(cj_compile(model, .loss = "mse"));
    cj_release(model);
}

static double by_step(int64_t step, double rate, void *context)
{
    (*(int *)context)++;
    return step == 0 ? 1 : rate / 2;
}

static void a_schedule_by_steps_goes_on_from_fit_to_fit(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    cj_history *history = NULL;
    int calls = 0;
    for (int i = 0; i < 2; i++) {
        assert_ok(cj_fit(model, data, .batch_size = 8, .history = &history,
                         .callbacks = {cj_step_scheduler(by_step, &calls)}));
        assert_near(cj_history_value(history, "learning_rate", 0), i == 0 ? 0.25 : 0.03125, 1e-7,
                    0);
        cj_release(history);
    }
    assert_int_equal(calls, 6);
    cj_error_clear();
    assert_null(cj_step_scheduler(NULL, NULL));
    assert_error_contains("the schedule is NULL");
    cj_release(model), cj_release(data);
}

static cj_status compile_again(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)logs;
    return cj_compile(model, .loss = "mse");
}

static cj_status fit_again(void *self, cj_model *model, cj_logs *logs)
{
    (void)logs;
    return cj_fit(model, self, .epochs = 1);
}

static void compiling_or_fitting_from_a_callback_is_refused(void **state)
{
    (void)state;
    const cj_callback_methods compiler = {.size = sizeof compiler, .batch_end = compile_again},
                              fitter = {.size = sizeof fitter, .epoch_end = fit_again};
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&compiler, NULL)}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_compile: model \"sequential");
    assert_error_contains("is being trained");
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&fitter, data)}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_fit: model \"sequential");
    assert_ok(cj_fit(model, data)); // and works again
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    cj_release(model), cj_release(data);
}

static cj_status count_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)model;
    assert_int_equal(logs->batch, (*(int *)self)++);
    return CJ_OK;
}

static void steps_are_announced(void **state)
{
    (void)state;
    const cj_callback_methods counter = {.size = sizeof counter, .batch_begin = count_begin};
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    int steps = 0;
    assert_ok(
        cj_fit(model, data, .batch_size = 8, .callbacks = {cj_callback_new(&counter, &steps)}));
    assert_int_equal(steps, 3);
    cj_release(model), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_stopping),
        cmocka_unit_test(early_stopping_restores_the_best_weights),
        cmocka_unit_test(reduce_lr_on_plateau),
        cmocka_unit_test(learning_rate_scheduler),
        cmocka_unit_test(terminate_on_nan_names_the_layer_and_the_batch),
        cmocka_unit_test(unknown_monitor_needs_a_mode),
        cmocka_unit_test(a_failing_callback_ends_training),
        cmocka_unit_test(file_names_are_filled_in),
        cmocka_unit_test(nan_is_a_value_that_never_improves),
        cmocka_unit_test(plateau_without_patience),
        cmocka_unit_test(a_monitor_that_never_appears_warns_once),
        cmocka_unit_test(without_a_handler_a_fit_that_prints_prints_warnings),
        cmocka_unit_test(auto_mode_knows_names_of_every_form),
        cmocka_unit_test(the_best_so_far_survives_numbers_without_nan),
        cmocka_unit_test(the_learning_rate_is_logged_when_a_callback_sets_it),
        cmocka_unit_test(a_callback_that_failed_fails_the_fit),
        cmocka_unit_test(an_optimizer_that_failed_fails_this_compile_alone),
        cmocka_unit_test(a_schedule_by_steps_goes_on_from_fit_to_fit),
        cmocka_unit_test(compiling_or_fitting_from_a_callback_is_refused),
        cmocka_unit_test(steps_are_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
