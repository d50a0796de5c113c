// LossScaleOptimizer: what it refuses, and that training goes on after a file as without it.
#define _POSIX_C_SOURCE 200809L // mkdtemp()
#include "support.h"

#include "ops/variable.h"
#include "train/state.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_model *made(void)
{
    cj_model *model = cj_sequential(cj_input(3), cj_dense(4, .activation = "tanh"), cj_dense(1));
    assert_non_null(model);
    cj_optimizer *inner = cj_adam(0.05);
    assert_int_equal(cj_compile(model,
                                .optimizer = cj_loss_scale_optimizer(
                                    inner, .initial_scale = 0x1p126, .dynamic_growth_steps = 2),
                                .loss = "mse"),
                     CJ_OK);
    return model;
}

static cj_dataset *data(float factor)
{
    cj_tensor *x = NULL, *y = NULL;
    float numbers[24], targets[8];
    for (int i = 0; i < 24; i++)
        numbers[i] = (float)((i * 7) % 11) / 11 - 0.5F;
    for (int i = 0; i < 8; i++)
        targets[i] = factor * (numbers[3 * i] - numbers[3 * i + 1] + 1);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(8, 3), numbers, 24, &x), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(8, 1), targets, 8, &y), CJ_OK);
    return cj_dataset(.x = {x}, .y = {y});
}

static void fit(cj_model *model, int epochs)
{
    cj_dataset *set = data(1);
    if (cj_fit(model, set, .epochs = epochs, .batch_size = 4, .shuffle = false, .verbose = 0) !=
        CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(set);
}

static void training_goes_on_after_a_file_with_the_same_bits(void **state)
{
    (void)state;
    char folder[] = "/tmp/cajal-scale-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.safetensors", folder);
    cj_model *model = made();
    fit(model, 5);
    assert_int_equal(cj_save(model, path), CJ_OK);
    cj_model *loaded = cj_load(path);
    if (!loaded)
        fail_msg("%s", cj_error());
    fit(model, 6);
    fit(loaded, 6);
    const cj_layer *a = cj_model_layer(model), *b = cj_model_layer(loaded);
    for (int i = 0; i < cj_layer_variable_count(a); i++) {
        const cj_tensor *x = cj_variable_value(cj_layer_variable(a, i)),
                        *y = cj_variable_value(cj_layer_variable(b, i));
        assert_memory_equal(x->data, y->data, (size_t)cj_tensor_count(x) * sizeof(float));
    }
    for (int i = 0; i < cj__state_variable_count(cj__state_of(model)); i++) {
        const cj_tensor *x = cj__variable_read(cj__state_variable(cj__state_of(model), i)),
                        *y = cj__variable_read(cj__state_variable(cj__state_of(loaded), i));
        assert_memory_equal(x->data, y->data,
                            (size_t)cj_tensor_count(x) * cj_dtype_size(cj_tensor_dtype(x)));
    }
    remove(path);
    remove(folder);
    cj_release(loaded);
    cj_release(model);
}

static void a_step_that_is_left_out_is_not_counted(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    cj_optimizer *scaled = cj_optimizer_from_spec(
        "loss_scale_optimizer(inner_optimizer=sgd(learning_rate=0.1), initial_scale=3e38)");
    assert_non_null(scaled);
    assert_int_equal(cj_compile(model, .optimizer = scaled, .loss = "mse"), CJ_OK);
    float before[3], after[3];
    const cj_variable *kernel = cj_layer_variable(cj_model_layer(model), 0);
    cj_dataset *set = data(1000); // so far away that the scaled loss is infinite
    memcpy(before, cj_variable_value(kernel)->data, sizeof before);
    assert_int_equal(cj_fit(model, set, .batch_size = 8, .verbose = 0), CJ_OK);
    memcpy(after, cj_variable_value(kernel)->data, sizeof after);
    const int64_t steps =
        *(const int64_t *)(const void *)cj__variable_read(cj__state_of(model)->iterations)->data;
    assert_int_equal(steps, 0);
    assert_memory_equal(before, after, sizeof before);
    cj_release(set);
    cj_release(model);
}

static void refused(cj_optimizer *optimizer, const char *sentence)
{
    assert_null(optimizer);
    if (!strstr(cj_error(), sentence))
        fail_msg("%s", cj_error());
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    refused(cj_loss_scale_optimizer(), "loss_scale_optimizer: the inner optimizer");
    refused(cj_loss_scale_optimizer(cj_adam(.beta_1 = 7)), "beta_1");
    refused(cj_loss_scale_optimizer(cj_adam(), .initial_scale = 0), "initial_scale is 0, needs");
    refused(cj_loss_scale_optimizer(cj_adam(), .initial_scale = INFINITY), "initial_scale is inf");
    refused(cj_loss_scale_optimizer(cj_adam(), .dynamic_growth_steps = 0),
            "dynamic_growth_steps is 0, needs 1 to");
    refused(cj_loss_scale_optimizer(cj_loss_scale_optimizer(cj_adam())),
            "its inner optimizer scales the loss already");
    refused(cj_optimizer_from_spec("loss_scale_optimizer"), "inner_optimizer");
    refused(cj_optimizer_from_spec("loss_scale_optimizer(inner_optimizer=adm)"),
            "did you mean \"adam\"");
}

static void an_optimizer_that_is_wrapped_stays_as_it_is(void **state)
{
    (void)state;
    cj_optimizer *inner = cj_take(cj_sgd(0.1, .loss_scale_factor = 8)),
                 *outer = cj_take(cj_loss_scale_optimizer(inner));
    assert_non_null(outer);
    cj_model *model = cj_sequential(cj_input(3), cj_dense(1));
    assert_int_equal(cj_compile(model, .optimizer = inner, .loss = "mse"), CJ_OK);
    char *json = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    assert_non_null(strstr(json, "\"loss_scale_factor\": 8"));
    cj_free(json);
    cj_release(outer);
    cj_release(inner);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_goes_on_after_a_file_with_the_same_bits),
        cmocka_unit_test(a_step_that_is_left_out_is_not_counted),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(an_optimizer_that_is_wrapped_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
