// Weights alone in a file: cj_save_weights(), and ModelCheckpoint with save_weights_only.
#include "support.h"

#include <cajal.h>
#include <cajal/clone.h>
#include <stdlib.h>
#include <string.h>

static cj_status step(void *context, const cj_cell_step *s)
{
    (void)context;
    *s->output =
        cj_op_activation("tanh", cj_op_add(cj_op_matmul(s->input, s->weights[0]), s->states[0]));
    s->next[0] = *s->output;
    return CJ_OK;
}

static cj_status build(void *context, cj_layer *cell, cj_shape input)
{
    (void)context;
    return cj_cell_weight(cell, "kernel", CJ_SHAPE(input.dims[1], 3), "glorot_uniform");
}

// With a cell of the program, which no model file can hold.
static cj_model *network(uint64_t seed)
{
    cj_layer *cell = cj_cell(.state_sizes = {3}, .build = build, .step = step);
    cj_model *model = cj_sequential(cj_input(5, 2), cj_rnn(cell), cj_dense(2));
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_set_seed(model, seed), CJ_OK);
    return model;
}

static bool same(const cj_model *a, const cj_model *b)
{
    bool yes = true;
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(a)); i++) {
        const cj_tensor *x = cj_variable_value(cj_layer_variable(cj_model_layer(a), i)),
                        *y = cj_variable_value(cj_layer_variable(cj_model_layer(b), i));
        yes = yes && memcmp(cj_tensor_data((cj_tensor *)(uintptr_t)x),
                            cj_tensor_data((cj_tensor *)(uintptr_t)y),
                            (size_t)cj_tensor_count(x) * sizeof(float)) == 0;
    }
    return yes;
}

static void weights_go_into_another_model(void **state)
{
    (void)state;
    const char *path = support_path("w.safetensors");
    cj_model *model = network(1), *other = network(2);
    assert_false(same(model, other));
    assert_int_equal(cj_save(model, path), CJ_UNSUPPORTED);
    assert_int_equal(cj_save_weights(model, path), CJ_OK);
    assert_int_equal(cj_load_weights(other, path), CJ_OK);
    assert_true(same(model, other));
    assert_null(cj_load(path));
    assert_error_contains("weights only: load it into a model");
    cj_model *wrong = cj_sequential(cj_input(5, 2), cj_flatten(), cj_dense(2));
    assert_int_not_equal(cj_load_weights(wrong, path), CJ_OK);
    cj_release(model), cj_release(other), cj_release(wrong);
}

static void a_checkpoint_has_the_weights_alone(void **state)
{
    (void)state;
    float x[80], y[16];
    cj_tensor *inputs = NULL, *targets = NULL;
    for (int i = 0; i < 80; i++)
        x[i] = (float)(i * 7 % 11) / 11 - 0.5f;
    for (int i = 0; i < 16; i++)
        y[i] = x[i];
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(8, 5, 2), x, 80, &inputs), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(8, 2), y, 16, &targets), CJ_OK);
    cj_dataset *data = cj_dataset(.x = {inputs}, .y = {targets});
    cj_model *model = network(1), *other = network(2);
    const char *path = support_path("best.safetensors");
    assert_int_equal(cj_compile(model, .loss = "mse"), CJ_OK);
    assert_int_equal(
        cj_fit(model, data, .epochs = 2,
               .callbacks = {cj_model_checkpoint(.filepath = path, .save_weights_only = true)}),
        CJ_OK);
    assert_int_equal(cj_load_weights(other, path), CJ_OK);
    assert_true(same(model, other));
    cj_release(model), cj_release(other), cj_release(data);
}

static cj_model *classifier(int64_t classes, uint64_t seed)
{
    cj_model *model = cj_sequential(cj_input(4), cj_dense(8, .name = "body"),
                                    cj_dense(classes, .name = "head"), cj_dense(2, .name = "more"));
    assert_non_null(model);
    assert_int_equal(cj_model_set_seed(model, seed), CJ_OK);
    return model;
}

static const float *kernel_of(const cj_model *model, const char *layer)
{
    return cj_tensor_data((cj_tensor *)(uintptr_t)cj_variable_value(
        cj_layer_variable(cj_model_find_layer(model, layer), 0)));
}

static void another_last_layer_takes_what_matches(void **state)
{
    (void)state;
    const char *path = support_path("transfer.safetensors");
    cj_model *trained = classifier(3, 1), *other = classifier(5, 2), *before = classifier(5, 2);
    int loaded = -1;
    assert_int_equal(cj_save_weights(trained, path), CJ_OK);
    assert_int_equal(cj_load_weights(other, path), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_load_matching_weights(other, path, &loaded), CJ_OK);
    assert_int_equal(loaded, 3); // the body, and the bias of the layer after the head
    assert_memory_equal(kernel_of(other, "body"), kernel_of(trained, "body"), 32 * sizeof(float));
    assert_memory_equal(kernel_of(other, "head"), kernel_of(before, "head"), 40 * sizeof(float));
    assert_int_equal(cj_load_matching_weights(other, "/nowhere.safetensors", &loaded),
                     CJ_NOT_FOUND);
    assert_int_equal(loaded, 0);
    assert_int_equal(cj_load_matching_weights(NULL, path, NULL), CJ_INVALID_ARGUMENT);
    cj_release(trained), cj_release(other), cj_release(before);
}

static void mistakes_get_their_sentences(void **state)
{
    (void)state;
    cj_model *model = network(1), *none = cj_sequential(cj_dense(2));
    assert_int_equal(cj_save_weights(NULL, "x"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_save_weights(model, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_save_weights(model, support_path("x.onnx")), CJ_UNSUPPORTED);
    assert_int_equal(cj_save_weights(none, support_path("x.safetensors")), CJ_NOT_BUILT);
    assert_int_equal(cj_save_weights(model, "/nowhere/at/all.safetensors"), CJ_IO);
    cj_release(model), cj_release(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_go_into_another_model),
        cmocka_unit_test(a_checkpoint_has_the_weights_alone),
        cmocka_unit_test(another_last_layer_takes_what_matches),
        cmocka_unit_test(mistakes_get_their_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
