// What every optimizer keeps is saved and loaded with the model: a run that is stopped after any batch,
// saved, loaded and resumed ends in the same bits as one that never stopped, for any number of
// threads.
#include "problems.h"
#include "train/state.h"
#include <cajal/callbacks.h>

#include <string.h>

enum { EPOCHS = 2, BATCHES = 4, SAMPLES = 58, SIZE = 16 };

static const char *const specs[] = {
    "sgd(momentum=0.9)",
    "adamw(use_ema=true, ema_overwrite_frequency=3)",
    "adamax(weight_decay=0.1, exclude_from_weight_decay=bias)",
    "nadam(gradient_accumulation_steps=3)",
    "ftrl(learning_rate=0.05, l1_regularization_strength=0.01)",
    "lion(use_ema=true, ema_momentum=0.9)",
    "lamb(global_clipnorm=1)",
    "adafactor(gradient_accumulation_steps=2, use_ema=true)",
    "muon(exclude_layers=\"dense_1|other\")",
    "schedule_free_adamw(warmup_steps=4)",
    "rmsprop(learning_rate=polynomial_decay(0.01, 6), loss_scale_factor=64)",
};
enum { SPECS = sizeof specs / sizeof specs[0] };

static cj_status count_down(void *self, cj_model *model, cj_logs *logs)
{
    int *left = self;
    (void)model;
    if (*left >= 0 && --*left == 0)
        logs->stop = true;
    return CJ_OK;
}
static const cj_callback_methods stopper = {
    .size = sizeof(cj_callback_methods), .name = "Stopper", .batch_end = count_down};

static cj_model *fresh(const char *spec, int threads)
{
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(8, .activation = "relu"), cj_dropout(0.3),
                      cj_dense(3, .activation = "softmax", .kernel_constraint = "max_norm(1)"));
    cj_optimizer *optimizer = cj_optimizer_from_spec(spec);
    if (!optimizer)
        fail_msg("%s", cj_error());
    assert_ok(cj_model_set_seed(model, 7));
    assert_ok(cj_compile(model, .optimizer = optimizer, .pool = cj_pool_new(threads),
                         .loss = "sparse_categorical_crossentropy"));
    return model;
}

static cj_status fit(cj_model *model, cj_dataset *data, int stop_after, bool resume)
{
    int left = stop_after;
    return cj_fit(model, data, .epochs = EPOCHS, .batch_size = SIZE, .resume = resume,
                  .callbacks = {cj_callback_new(&stopper, &left)});
}

static void same_bits_from_a_file(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    for (int i = 0; i < SPECS; i++) {
        cj_model *whole = fresh(specs[i], 1);
        assert_ok(fit(whole, data, -1, false));
        for (int stop = 1; stop < EPOCHS * BATCHES; stop += 2) {
            cj_model *first = fresh(specs[i], 3);
            void *bytes = NULL;
            size_t size = 0;
            assert_ok(fit(first, data, stop, false));
            assert_ok(cj_save_memory(first, &bytes, &size));
            cj_model *second = cj_load_memory(bytes, size);
            if (!second || fit(second, data, -1, true) != CJ_OK)
                fail_msg("%s: %s", specs[i], cj_error());
            if (!problem_same_weights(second, whole))
                fail_msg("%s: stopped after batch %d", specs[i], stop);
            cj_free(bytes);
            cj_release(first);
            cj_release(second);
        }
        cj_release(whole);
    }
    cj_release(data);
}

// After cj_fit() the weights are the averages that the optimizer keeps.
static void a_run_ends_with_the_averages(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    cj_model *model = fresh("sgd(use_ema=true, ema_momentum=0.9)", 1);
    assert_ok(cj_fit(model, data, .epochs = 1, .batch_size = SIZE, .verbose = 0));
    const cj__train_state *s = cj__state_of(model);
    assert_int_equal(cj__state_variable_count(s), 2 + 4);
    for (int i = 0; i < 4; i++) {
        const cj_tensor *a = cj_variable_value(cj__state_variable(s, 2 + i)),
                        *w = cj_variable_value(cj_layer_variable(cj_model_layer(model), i));
        assert_memory_equal(a->data, w->data, (size_t)cj_tensor_count(w) * sizeof(float));
    }
    assert_string_equal(cj_variable_name(cj__state_variable(s, 2)),
                        "optimizer/dense/kernel/average");
    cj_release(model);
    cj_release(data);
}

// Keeps the weights that an epoch ends with, and the value of its validation.
typedef struct seen {
    float weights[4];
    double loss;
} seen;

static cj_status note(void *self, cj_model *model, cj_logs *logs)
{
    seen *s = self;
    const cj_tensor *w = cj_variable_value(cj_layer_variable(cj_model_layer(model), 0));
    memcpy(s->weights, w->data, sizeof s->weights);
    for (int i = 0; i < logs->count; i++)
        if (strcmp(logs->names[i], "val_loss") == 0)
            s->loss = logs->values[i];
    return CJ_OK;
}
static const cj_callback_methods noter = {
    .size = sizeof(cj_callback_methods), .name = "Noter", .epoch_end = note};

// An epoch with and without the callback: the training is the same, the validation is that of the
// averages, and with swap_on_epoch these are the weights that later callbacks see.
static void averages_stand_in_for_weights(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    seen plain = {{0}, 0}, validated = {{0}, 0}, swapped = {{0}, 0};
    cj_model *models[3];
    for (int i = 0; i < 3; i++) {
        models[i] = fresh("sgd(learning_rate=0.1, use_ema=true, ema_momentum=0.9)", 1);
        cj_callback *note_it = cj_callback_new(&noter, i == 0 ? &plain :
                                                       i == 1 ? &validated :
                                                                &swapped);
        if (i == 0)
            assert_ok(cj_fit(models[i], data, .epochs = 2, .batch_size = SIZE,
                             .validation_data = data, .callbacks = {note_it}));
        else
            assert_ok(cj_fit(models[i], data, .epochs = 2, .batch_size = SIZE,
                             .validation_data = data,
                             .callbacks = {cj_swap_ema_weights(.swap_on_epoch = i == 2), note_it}));
    }
    cj_results *results = NULL;
    assert_ok(cj_evaluate(models[0], data, &results)); // cj_fit() left the averages
    assert_memory_equal(plain.weights, validated.weights, sizeof plain.weights);
    assert_memory_not_equal(plain.weights, swapped.weights, sizeof plain.weights);
    assert_near(validated.loss, cj_results_value(results, "loss"), 1e-6, 0);
    assert_near(swapped.loss, validated.loss, 0, 0);
    assert_true(plain.loss < validated.loss || plain.loss > validated.loss);
    assert_true(problem_same_weights(models[0], models[1]));
    assert_true(problem_same_weights(models[0], models[2]));
    cj_release(results);
    for (int i = 0; i < 3; i++)
        cj_release(models[i]);
    cj_model *model = fresh("sgd", 1);
    assert_int_equal(
        cj_fit(model, data, .validation_data = data, .callbacks = {cj_swap_ema_weights()}),
        CJ_INVALID_ARGUMENT);
    assert_error_contains("it needs use_ema");
    cj_release(model);
    cj_release(data);
}

static void a_spec_makes_the_same_optimizer_again(void **state)
{
    (void)state;
    for (int i = 0; i < SPECS; i++) {
        cj_optimizer *first = cj_optimizer_from_spec(specs[i]);
        char *text = cj__optimizer_spec(first);
        cj_optimizer *second = cj_optimizer_from_spec(text);
        if (!second)
            fail_msg("%s: %s", text, cj_error());
        char *again = cj__optimizer_spec(second);
        assert_string_equal(text, again);
        cj_free(text);
        cj_free(again);
        cj_release(first);
        cj_release(second);
    }
}

static void wrong_settings_are_answered_with_a_sentence(void **state)
{
    (void)state;
    assert_null(cj_adam(.gradient_accumulation_steps = 1));
    assert_error_contains("gradient_accumulation_steps must be at least 2");
    assert_null(cj_adam(.use_ema = true, .ema_overwrite_frequency = 0));
    assert_error_contains("ema_overwrite_frequency must be at least 1");
    assert_null(cj_adam(.ema_momentum = 1.5));
    assert_error_contains("ema_momentum");
    assert_null(cj_sgd(.loss_scale_factor = -1));
    assert_error_contains("loss_scale_factor");
    assert_null(cj_ftrl(.learning_rate_power = 0.5));
    assert_error_contains("learning_rate_power");
    assert_null(cj_lion(.beta_1 = 0));
    assert_error_contains("beta_1");
    assert_null(cj_adafactor(.clip_threshold = 0));
    assert_error_contains("clip_threshold");
    assert_null(cj_muon(.ns_steps = -1));
    assert_error_contains("ns_steps");
    assert_null(cj_optimizer_from_spec("adamww"));
    assert_error_contains("did you mean \"adamw\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_from_a_file),
        cmocka_unit_test(a_run_ends_with_the_averages),
        cmocka_unit_test(averages_stand_in_for_weights),
        cmocka_unit_test(a_spec_makes_the_same_optimizer_again),
        cmocka_unit_test(wrong_settings_are_answered_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
