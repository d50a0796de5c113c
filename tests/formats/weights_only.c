// Weights alone in a file: cj_save_weights(), and ModelCheckpoint with save_weights_only.
#include "support.h"

#include <cajal.h>
#include <cajal/clone.h>
#include <math.h>
#include <stdio.h>
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

static const float *kernel_of(const cj_model *model, const char *layer)
{
    return cj_tensor_data((cj_tensor *)(uintptr_t)cj_variable_value(
        cj_layer_variable(cj_model_find_layer(model, layer), 0)));
}

// A file of others: "dense/kernel" (2, 1) in some dtype, "dense/bias" of float32, an empty tensor, and metadata.
static void write_foreign(const char *path, const char *dtype, const void *kernel, int bytes)
{
    char header[512];
    const float bias = 0.25F;
    const int length =
        snprintf(header, sizeof header,
                 "{\"__metadata__\":{\"format\":\"pt\"},\"none\":{\"dtype\":\"F64\",\"shape\":"
                 "[3,0],\"data_offsets\":[0,0]},\"dense/kernel\":{\"shape\":[2,1],\"dtype\":\"%s\","
                 "\"data_offsets\":[0,%d]},\"dense/bias\":{\"dtype\":\"F32\",\"shape\":[1],"
                 "\"data_offsets\":[%d,%d]}}   ",
                 dtype, bytes, bytes, bytes + 4);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 8; i++)
        putc(i == 0 ? length & 255 : i == 1 ? length >> 8 : 0, file);
    fwrite(header, 1, (size_t)length, file);
    fwrite(kernel, 1, (size_t)bytes, file);
    fwrite(&bias, 1, sizeof bias, file);
    assert_int_equal(fclose(file), 0);
}

static void weights_of_others_come_in_any_dtype(void **state)
{
    (void)state;
    static const struct {
        const char *dtype, *bytes;
        int size;
        float values[2];
    } cases[] = {
        {"F16", "\x00\x3c\x00\xc1", 4, {1, -2.5F}},
        {"F16",
         "\x01\x00\x00\x84",
         4,
         {0x1p-24F, -0x1p-14F}}, // denormal, and the least that is not
        {"F16", "\xff\x7b\x00\x7c", 4, {65504, INFINITY}},
        {"BF16", "\x80\x3f\x20\xc0", 4, {1, -2.5F}},
        {"F64", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0", 16, {1, -2.5F}},
        {"I8", "\x7f\x80", 2, {127, -128}},
        {"U8", "\x7f\x80", 2, {127, 128}},
        {"BOOL", "\1\0", 2, {1, 0}},
        {"I16", "\x34\x12\x00\x80", 4, {4660, -32768}},
        {"U16", "\x34\x12\x00\x80", 4, {4660, 32768}},
        {"I32", "\1\0\0\0\xff\xff\xff\xff", 8, {1, -1}},
        {"U32", "\1\0\0\0\0\0\0\x80", 8, {1, 0x1p31F}},
        {"I64", "\1\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16, {1, -1}},
        {"U64", "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40", 16, {1, 0x1p62F}},
    };
    const char *path = support_path("foreign.safetensors");
    cj_model *model = cj_sequential(cj_input(2), cj_dense(1, .name = "dense"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_foreign(path, cases[i].dtype, cases[i].bytes, cases[i].size);
        if (cj_load_weights(model, path) != CJ_OK)
            fail_msg("%s: %s", cases[i].dtype, cj_error());
        const float *kernel = kernel_of(model, "dense");
        if (kernel[0] != cases[i].values[0] || kernel[1] != cases[i].values[1])
            fail_msg("%s: %g, %g", cases[i].dtype, (double)kernel[0], (double)kernel[1]);
    }
    write_foreign(path, "U64", "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80", 16);
    assert_int_equal(cj_load_weights(model, path), CJ_BAD_FILE);
    assert_error_contains("\"dense/kernel\" has an integer above 2^63 - 1");
    write_foreign(path, "F8_E4M3", "\1\2", 2);
    assert_int_equal(cj_load_weights(model, path), CJ_UNSUPPORTED);
    write_foreign(path, "F16", "\1\2\3", 3);
    assert_int_equal(cj_load_weights(model, path), CJ_BAD_FILE);
    cj_release(model);
}

static cj_model *classifier(int64_t classes, uint64_t seed)
{
    cj_model *model = cj_sequential(cj_input(4), cj_dense(8, .name = "body"),
                                    cj_dense(classes, .name = "head"), cj_dense(2, .name = "more"));
    assert_non_null(model);
    assert_int_equal(cj_model_set_seed(model, seed), CJ_OK);
    return model;
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
        cmocka_unit_test(weights_of_others_come_in_any_dtype),
        cmocka_unit_test(another_last_layer_takes_what_matches),
        cmocka_unit_test(mistakes_get_their_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
