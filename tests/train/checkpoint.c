// ModelCheckpoint: what it saves and when, also over a stop and epochs without a validation.
#include "problems.h"
#include "train/callbacks.h"
#include "train/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0.1),
                         .loss = "sparse_categorical_crossentropy"));
    return model;
}

static bool exists(const char *name)
{
    return access(support_path(name), F_OK) == 0;
}

// Tells a callback of epochs with these losses.
static void tell(cj_callback *callback, cj_model *model, const char *name, const double *losses,
                 int first, int count)
{
    cj_logs logs = {.count = 1, .names = &name, .epochs = count};
    for (int i = 0; i < count; i++) {
        logs.epoch = first + i;
        logs.values = &losses[i];
        assert_ok(cj__callbacks_tell(&callback, 0, 1, CJ__MOMENT_EPOCH_END, model, &logs, NULL));
    }
}

static void the_best_so_far_and_the_count_survive_a_stop(void **state)
{
    (void)state;
    const double before[] = {0.5, 0.3}, after[] = {0.4, 0.2};
    cj_model *model = compiled();
    cj_callback *first = cj__own(cj_model_checkpoint(support_path("best-{epoch}.safetensors"),
                                                     .save_best_only = true)),
                *second = cj__own(cj_model_checkpoint(support_path("best-{epoch}.safetensors"),
                                                      .save_best_only = true));
    double values[8];
    tell(first, model, "val_loss", before, 0, 2);
    const int count = first->methods.state(first->self, NULL, 0);
    assert_in_range(count, 2, 8);
    assert_int_equal(first->methods.state(first->self, values, count), count);
    second->methods.set_state(second->self, values, count);
    tell(second, model, "val_loss", after, 2, 2);
    assert_true(exists("best-1.safetensors") && exists("best-2.safetensors"));
    assert_false(exists("best-3.safetensors")); // 0.4 is no improvement on 0.3
    assert_true(exists("best-4.safetensors"));
    cj_release(first), cj_release(second), cj_release(model);
}

static void the_first_save_improves_a_threshold(void **state)
{
    (void)state;
    const double losses[] = {0.5, 0.3};
    cj_model *model = compiled();
    cj_callback *callback =
        cj__own(cj_model_checkpoint(support_path("over-{epoch}.safetensors"),
                                    .save_best_only = true, .initial_value_threshold = 0.4));
    tell(callback, model, "val_loss", losses, 0, 2);
    assert_false(exists("over-1.safetensors"));
    assert_true(exists("over-2.safetensors"));
    cj_release(callback), cj_release(model);
}

static void the_count_of_batches_survives_a_file(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(40);
    cj_model *model = compiled(), *loaded = NULL;
    const char *stopped = support_path("stopped.safetensors");
    assert_ok(cj_fit(model, data, .batch_size = 8,
                     .callbacks = {cj_model_checkpoint(
                         support_path("s-{epoch}-{batch}.safetensors"), .save_freq = 3)}));
    assert_ok(cj_save(model, stopped));
    loaded = cj_load(stopped);
    assert_non_null(loaded);
    assert_ok(cj_fit(loaded, data, .batch_size = 8, .epochs = 2, .resume = true,
                     .callbacks = {cj_model_checkpoint(
                         support_path("s-{epoch}-{batch}.safetensors"), .save_freq = 3)}));
    // batches 3, 6 and 9 of the two runs of five
    assert_true(exists("s-1-3.safetensors") && exists("s-2-1.safetensors") &&
                exists("s-2-4.safetensors"));
    assert_false(exists("s-2-3.safetensors"));
    cj_release(model), cj_release(loaded), cj_release(data);
}

// The weights that EarlyStopping keeps are tensors of the file, however many they are.
static void kept_weights_come_back_from_a_file(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(60);
    cj_model *model = cj_sequential(cj_input(4), cj_dense(100, .activation = "relu"),
                                    cj_dense(3, .activation = "softmax")),
             *loaded = NULL;
    const char *path = support_path("kept.safetensors");
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_ok(
        cj_fit(model, data, .epochs = 2, .validation_data = data,
               .callbacks = {cj_early_stopping(.patience = 5, .restore_best_weights = true)}));
    assert_ok(cj_save(model, path));
    loaded = cj_load(path);
    assert_non_null(loaded);
    const cj__train_state *a = cj__state_of(model), *b = cj__state_of(loaded);
    assert_int_equal(b->memory_count, 1);
    assert_int_equal(b->memories[0].tensor_count, 4);
    for (int i = 0; i < 4; i++) {
        const cj_tensor *x = a->memories[0].tensors[i], *y = b->memories[0].tensors[i];
        assert_true(cj_shape_equal(cj_tensor_shape(x), cj_tensor_shape(y)));
        assert_memory_equal(cj_tensor_data(x), cj_tensor_data(y),
                            (size_t)cj_tensor_count(x) * sizeof(float));
    }
    assert_ok(
        cj_fit(loaded, data, .epochs = 4, .validation_data = data, .resume = true,
               .callbacks = {cj_early_stopping(.patience = 5, .restore_best_weights = true)}));
    cj_release(model), cj_release(loaded), cj_release(data);
}

static void epochs_without_a_validation_are_passed_over(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_ok(cj_fit(
        model, data, .epochs = 4, .validation_data = data, .validation_freq = 2,
        .callbacks = {
            cj_model_checkpoint(support_path("v-{epoch}.safetensors"), .save_best_only = true),
            cj_model_checkpoint(support_path("v-{epoch}-{val_loss:.2f}.safetensors"))}));
    assert_false(exists("v-1.safetensors"));
    assert_true(exists("v-2.safetensors"));
    assert_int_equal(
        cj_fit(model, data,
               .callbacks = {cj_model_checkpoint(support_path("{val_loss:.2f}.safetensors"))}),
        CJ_INVALID_ARGUMENT);
    assert_error_contains("the logs lack a value");
    cj_release(model), cj_release(data);
}

static void keep_warning(const char *sentence, void *context)
{
    snprintf(context, 1000, "%s", sentence);
}

// As in Keras: it warns and saves.
static void without_the_monitored_value_each_epoch_is_saved(void **state)
{
    (void)state;
    char kept[1000] = "";
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    cj_set_warning_handler(keep_warning, kept);
    assert_ok(cj_fit(model, data, .epochs = 2,
                     .callbacks = {cj_model_checkpoint(support_path("n-{epoch}.safetensors"),
                                                       .save_best_only = true)}));
    cj_set_warning_handler(NULL, NULL);
    assert_true(exists("n-1.safetensors") && exists("n-2.safetensors"));
    assert_non_null(strstr(kept, "ModelCheckpoint: the logs have no \"val_loss\""));
    cj_release(model), cj_release(data);
}

static void the_folder_of_the_file_is_made(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    assert_ok(cj_fit(model, data,
                     .callbacks = {cj_model_checkpoint(support_path("a/b/{epoch}.safetensors"))}));
    assert_true(exists("a/b/1.safetensors"));
    cj_release(model), cj_release(data);
}

// What it prints is Keras's, word for word.
static void messages_are_those_of_keras(void **state)
{
    (void)state;
    const double losses[] = {0.5, 0.25, 0.3};
    const char *path = support_path("m.safetensors"), *out = support_path("stdout.txt");
    char expected[2000];
    size_t size;
    cj_model *model = compiled();
    cj_callback *callback =
        cj__own(cj_model_checkpoint(path, .save_best_only = true, .verbose = 1));
    fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    assert_non_null(freopen(out, "w", stdout));
    tell(callback, model, "val_loss", losses, 0, 3);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    snprintf(expected, sizeof expected,
             "\nEpoch 1: val_loss improved from None to 0.50000, saving model to %s\n"
             "\nEpoch 1: finished saving model to %s\n"
             "\nEpoch 2: val_loss improved from 0.50000 to 0.25000, saving model to %s\n"
             "\nEpoch 2: finished saving model to %s\n"
             "\nEpoch 3: val_loss did not improve from 0.25000\n",
             path, path, path, path);
    char *text = support_read(out, &size);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(text, expected, size);
    free(text);
    cj_release(callback), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_so_far_and_the_count_survive_a_stop),
        cmocka_unit_test(the_first_save_improves_a_threshold),
        cmocka_unit_test(the_count_of_batches_survives_a_file),
        cmocka_unit_test(kept_weights_come_back_from_a_file),
        cmocka_unit_test(epochs_without_a_validation_are_passed_over),
        cmocka_unit_test(without_the_monitored_value_each_epoch_is_saved),
        cmocka_unit_test(the_folder_of_the_file_is_made),
        cmocka_unit_test(messages_are_those_of_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
