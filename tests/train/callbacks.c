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

static void csv_logger(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(40);
    cj_model *model = compiled();
    size_t size;
    int lines = 0;
    const char *path = support_path("log.csv");
    assert_ok(cj_fit(model, data, .epochs = 2, .validation_data = data,
                     .callbacks = {cj_csv_logger(path)}));
    assert_ok(cj_fit(model, data, .epochs = 1, .validation_data = data,
                     .callbacks = {cj_csv_logger(path, .append = true)}));
    char *text = support_read(path, &size);
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 4);
    assert_memory_equal(text, "epoch,loss,val_loss\n0,", 22);
    free(text);
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_csv_logger("/nowhere/log.csv")}), CJ_IO);
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
    assert_ok(cj__monitor_fill("m-{epoch:02d}-{batch}-{val_accuracy:.2f}-{loss:.4f}.x", &logs,
                               "test", &text));
    assert_string_equal(text.data, "m-05-10-0.90-0.1235.x");
    assert_int_equal(cj__monitor_fill("{los}", &logs, "test", &text), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj__monitor_fill("{loss", &logs, "test", &text), CJ_INVALID_ARGUMENT);
    cj__text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_stopping),
        cmocka_unit_test(early_stopping_restores_the_best_weights),
        cmocka_unit_test(reduce_lr_on_plateau),
        cmocka_unit_test(learning_rate_scheduler),
        cmocka_unit_test(csv_logger),
        cmocka_unit_test(terminate_on_nan_names_the_layer_and_the_batch),
        cmocka_unit_test(unknown_monitor_needs_a_mode),
        cmocka_unit_test(a_failing_callback_ends_training),
        cmocka_unit_test(file_names_are_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
