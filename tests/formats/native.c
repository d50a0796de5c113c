// The native file: what is saved comes back, training goes on to the same bits, and damage gives a
// sentence.
#include "support.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok(call) support_ok(call, __FILE__, __LINE__)
static void support_ok(cj_status status, const char *file, int line)
{
    if (status != CJ_OK) {
        print_error("%s: %s\n", cj_status_name(status), cj_error());
        _fail(file, line);
    }
}

enum { SAMPLES = 40, SIDE = 6 };

static cj_dataset *samples(void)
{
    uint8_t pixels[SAMPLES * SIDE * SIDE], labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        labels[i] = (uint8_t)(i % 3);
        for (int j = 0; j < SIDE * SIDE; j++)
            pixels[i * SIDE * SIDE + j] = (uint8_t)((j * 37 + i * 11 + labels[i] * 80) & 255);
    }
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_from(CJ_U8, CJ_SHAPE(SAMPLES, SIDE, SIDE, 1), pixels, sizeof(pixels), &x));
    assert_ok(cj_tensor_from(CJ_U8, CJ_SHAPE(SAMPLES), labels, sizeof(labels), &y));
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_model *network(void)
{
    cj_model *model =
        cj_sequential(cj_input(SIDE, SIDE, 1, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                      cj_conv2d(4, {3, 3}, .activation = "relu"), cj_batch_normalization(),
                      cj_max_pooling2d({2, 2}), cj_flatten(), cj_dropout(0.25),
                      cj_dense(3, .activation = "softmax", .kernel_regularizer = "l2(0.001)"));
    assert_ok(cj_model_set_seed(model, 7));
    assert_ok(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.01),
                         .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    return model;
}

static void assert_same_weights(const cj_model *a, const cj_model *b)
{
    const cj_layer *x = cj_model_layer(a), *y = cj_model_layer(b);
    assert_int_equal(cj_layer_variable_count(x), cj_layer_variable_count(y));
    for (int i = 0; i < cj_layer_variable_count(x); i++) {
        const cj_tensor *v = cj_variable_value(cj_layer_variable(x, i)),
                        *w = cj_variable_value(cj_layer_variable(y, i));
        assert_memory_equal(cj_tensor_data(v), cj_tensor_data(w),
                            (size_t)cj_tensor_count(v) * sizeof(float));
    }
}

static void saved_model_predicts_the_same(void **state)
{
    (void)state;
    cj_dataset *data = samples();
    cj_model *model = network();
    cj_tensor *before = NULL, *after = NULL;
    assert_ok(cj_fit(model, data, .epochs = 2, .batch_size = 16));
    assert_ok(cj_save(model, support_path("m.safetensors")));
    cj_model *loaded = cj_load(support_path("m.safetensors"));
    assert_ok(loaded != NULL ? CJ_OK : cj_error_status());
    assert_same_weights(model, loaded);
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &before));
    assert_ok(cj_predict(loaded, cj_dataset_x(data, 0), &after));
    assert_memory_equal(cj_tensor_data(before), cj_tensor_data(after),
                        (size_t)cj_tensor_count(before) * sizeof(float));
    assert_true(cj_learning_rate(loaded) > 0.0099 && cj_learning_rate(loaded) < 0.0101);
    cj_release(before), cj_release(after), cj_release(model), cj_release(loaded), cj_release(data);
}

// A callback that stops a run after so many batches.
static cj_status stop_at(void *self, cj_model *model, cj_logs *logs)
{
    (void)model;
    int *left = self;
    logs->stop = logs->stop || --*left <= 0;
    return CJ_OK;
}

static const cj_callback_methods stopper = {
    .size = sizeof(cj_callback_methods), .name = "Stopper", .batch_end = stop_at};

static void run_stopped_at_any_batch_resumes_to_the_same_bits(void **state)
{
    (void)state;
    enum { BATCHES = 6 }; // two epochs of three
    cj_dataset *data = samples();
    cj_model *whole = network();
    assert_ok(cj_fit(whole, data, .epochs = 2, .batch_size = 16, .validation_data = data));
    for (int stop = 1; stop < BATCHES; stop++) {
        int left = stop;
        cj_model *first = network();
        assert_ok(cj_fit(first, data, .epochs = 2, .batch_size = 16, .validation_data = data,
                         .callbacks = {cj_callback_new(&stopper, &left)}));
        assert_ok(cj_save(first, support_path("stopped.safetensors")));
        cj_release(first);
        cj_model *second = cj_load(support_path("stopped.safetensors"));
        assert_non_null(second);
        assert_ok(cj_fit(second, data, .epochs = 2, .batch_size = 16, .validation_data = data,
                         .resume = true));
        assert_same_weights(whole, second);
        cj_release(second);
    }
    cj_release(whole), cj_release(data);
}

static void checkpoints_written_while_training_resume_to_the_same_bits(void **state)
{
    (void)state;
    cj_dataset *data = samples();
    cj_model *whole = network();
    assert_ok(cj_fit(whole, data, .epochs = 3, .batch_size = 16,
                     .callbacks = {cj_model_checkpoint(support_path("e{epoch}.safetensors"))}));
    cj_model *resumed = cj_load(support_path("e2.safetensors"));
    assert_non_null(resumed);
    assert_ok(cj_fit(resumed, data, .epochs = 3, .batch_size = 16, .resume = true));
    assert_same_weights(whole, resumed);
    cj_release(whole), cj_release(resumed), cj_release(data);
}

static void every_truncation_gives_a_sentence(void **state)
{
    (void)state;
    cj_model *model = network();
    assert_ok(cj_save(model, support_path("whole.safetensors")));
    size_t size = 0;
    char *bytes = support_read(support_path("whole.safetensors"), &size);
    for (size_t length = 0; length < size; length += length < 600 ? 1 : 97) {
        support_write(support_path("cut.safetensors"), bytes, length);
        cj_error_clear();
        assert_null(cj_load(support_path("cut.safetensors")));
        assert_true(cj_error_status() != CJ_OK && strlen(cj_error()) > 10);
    }
    free(bytes);
    cj_release(model);
}

// Every byte of the header replaced in turn: loads or is refused, never crashes.
static void damaged_headers_are_loaded_or_refused(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2));
    assert_ok(cj_save(model, support_path("small.safetensors")));
    size_t size = 0;
    char *bytes = support_read(support_path("small.safetensors"), &size);
    static const char replacements[] = {'0', '}', '"', '-', (char)0xFF};
    for (size_t i = 0; i < size; i += 1 + i / 400) {
        for (size_t r = 0; r < sizeof(replacements); r++) {
            char kept = bytes[i];
            bytes[i] = replacements[r];
            support_write(support_path("damaged.safetensors"), bytes, size);
            bytes[i] = kept;
            cj_error_clear();
            cj_model *loaded = cj_load(support_path("damaged.safetensors"));
            assert_true(loaded != NULL || strlen(cj_error()) > 10);
            cj_release(loaded);
        }
    }
    free(bytes);
    cj_release(model);
}

static void weights_of_another_architecture_change_nothing(void **state)
{
    (void)state;
    cj_model *small = cj_sequential(cj_input(4), cj_dense(3)),
             *large = cj_sequential(cj_input(4), cj_dense(5));
    float before[15];
    assert_ok(cj_save(small, support_path("small.safetensors")));
    memcpy(before, cj_tensor_data(cj_variable_value(cj_layer_variable(cj_model_layer(large), 0))),
           sizeof(before));
    assert_int_equal(cj_load_weights(large, support_path("small.safetensors")), CJ_SHAPE_MISMATCH);
    assert_error_contains("dense/kernel");
    assert_memory_equal(
        before, cj_tensor_data(cj_variable_value(cj_layer_variable(cj_model_layer(large), 0))),
        sizeof(before));
    cj_release(small), cj_release(large);
}

static void failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(2));
    assert_int_equal(cj_save(model, "/nowhere/at/all/m.safetensors"), CJ_IO);
    assert_error_contains("/nowhere/at/all/m.safetensors");
    assert_int_equal(cj_load_weights(model, support_path("missing.safetensors")), CJ_NOT_FOUND);
    cj_release(model);
}

static void nested_and_shared_layers_survive(void **state)
{
    (void)state;
    cj_model *inner = cj_sequential(cj_input(4), cj_dense(3, .activation = "relu"), cj_dense(4));
    cj_layer *shared = cj_dense(4, .name = "shared");
    cj_symbol *a = cj_input_symbol(4), *b = cj_input_symbol(4);
    cj_symbol *left = cj_apply(shared, cj_apply(cj_model_layer(inner), a)),
              *right = cj_apply(shared, b);
    cj_model *model = cj_functional(.inputs = {a, b},
                                    .outputs = {cj_merge(cj_concatenate(), left, right), right});
    assert_ok(model != NULL ? CJ_OK : cj_error_status());
    assert_ok(cj_save(model, support_path("nested.safetensors")));
    cj_model *loaded = cj_load(support_path("nested.safetensors"));
    assert_ok(loaded != NULL ? CJ_OK : cj_error_status());
    assert_same_weights(model, loaded);
    cj_tensor *x = NULL, *before[2] = {0}, *after[2] = {0};
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(3, 4), &x));
    cj_tensor_fill(x, 0.5);
    assert_ok(cj_predict_many(model, ((cj_tensor *[]){x, x}), before));
    assert_ok(cj_predict_many(loaded, ((cj_tensor *[]){x, x}), after));
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(cj_tensor_data(before[i]), cj_tensor_data(after[i]),
                            (size_t)cj_tensor_count(before[i]) * sizeof(float));
        cj_release(before[i]), cj_release(after[i]);
    }
    cj_release(x), cj_release(model), cj_release(loaded);
}

// A file of version 0.1, stopped in its second epoch: the model is what it was and its run goes on.
static void files_of_version_0_1_load_and_go_on(void **state)
{
    (void)state;
    static const float expected[] = {0.282035857f, 0.158389613f, 0.559574544f,
                                     0.278326988f, 0.223931462f, 0.49774152f};
    cj_dataset *data = samples();
    cj_tensor *scores = NULL;
    cj_model *model = cj_load(CAJAL_TEST_SOURCES "/formats/files/version_0_1");
    assert_ok(model ? CJ_OK : cj_error_status());
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &scores));
    assert_all_near(cj_tensor_data(scores), expected, 6, 1e-6, 1e-5);
    assert_ok(cj_fit(model, data, .epochs = 3, .batch_size = 16, .validation_data = data,
                     .resume = true, .callbacks = {cj_early_stopping(.patience = 5)}));
    cj_release(scores), cj_release(model), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_model_predicts_the_same),
        cmocka_unit_test(run_stopped_at_any_batch_resumes_to_the_same_bits),
        cmocka_unit_test(checkpoints_written_while_training_resume_to_the_same_bits),
        cmocka_unit_test(every_truncation_gives_a_sentence),
        cmocka_unit_test(damaged_headers_are_loaded_or_refused),
        cmocka_unit_test(weights_of_another_architecture_change_nothing),
        cmocka_unit_test(failed_write_leaves_the_old_file),
        cmocka_unit_test(nested_and_shared_layers_survive),
        cmocka_unit_test(files_of_version_0_1_load_and_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
