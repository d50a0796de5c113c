// The tutorial's networks against Keras: from the same weights, on the same batches, the same losses for 100 steps. Weights and
// batches come from the formulas of generator/formula.py, made again here.
#include "fixture.h"

#include <cajal/train.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t word(uint64_t stream, uint64_t index)
{
    return mix(mix(stream + GOLDEN) + index * GOLDEN);
}

static double uniform(uint64_t stream, uint64_t index)
{
    return (double)(word(stream, index) >> 40) * 0x1p-24;
}

static cj_tensor *tensor(cj_dtype dtype, cj_shape shape)
{
    cj_tensor *made = NULL;
    assert_int_equal(cj_tensor_new(dtype, shape, &made), CJ_OK);
    return made;
}

// Glorot's uniform by formula for every weight of a model, in Keras's order; biases are zero.
static void start(cj_model *model, uint64_t stream)
{
    cj_layer *layer = cj_model_layer(model);
    for (int w = 0; w < cj_layer_variable_count(layer); w++) {
        cj_tensor *value = cj_variable_value(cj_layer_variable(layer, w));
        const cj_shape *shape = cj_tensor_shape(value);
        float *data = cj_tensor_data(value);
        const int64_t count = cj_tensor_count(value), out = shape->dims[shape->rank - 1];
        const int64_t in = shape->rank > 1 ? shape->dims[shape->rank - 2] : 0;
        const double limit = shape->rank > 1 ? sqrt(6.0 / (double)(count / in / out * (in + out))) : 0;
        for (int64_t i = 0; i < count; i++)
            data[i] = (float)(limit * (2 * uniform(stream + (uint64_t)w, (uint64_t)i) - 1));
    }
}

// Labels and striped images of one step, into rows `begin` .. `begin + batch - 1`.
static void digits(uint64_t number, int step, int64_t batch, float *x, int32_t *y)
{
    for (int64_t i = 0; i < batch; i++) {
        const int k = (int)(word(1000 * number + 100000 + (uint64_t)step, (uint64_t)i) % 10);
        if (y)
            y[i] = k;
        for (int64_t p = 0; p < 784; p++) {
            const int pattern = 12 * (int)((p / 28 * (k + 3) + p % 28 * (11 - k)) % 11);
            const int grain = (int)(word(1000 * number + 200000 + (uint64_t)step, (uint64_t)(784 * i + p)) >> 57);
            x[784 * i + p] = (float)(pattern + grain) / 255.0f;
        }
    }
}

// The loss of one training step; takes both tensors over.
static double train(cj_model *model, cj_tensor *x, cj_tensor *y)
{
    cj_dataset *data = cj_dataset_new(.x = {x}, .y = {y});
    cj_results results = {0};
    if (cj_train_on_batch(model, data, &results) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data);
    return cj_results_value(&results, "loss");
}

static bool near_keras(const char *name, int step, double loss, cj_tensor *expected, double rtol)
{
    const double keras = cj_tensor_get(expected, (int64_t[]){step});
    if (support_near(loss, keras, 0, rtol))
        return true;
    print_message("%s: the loss of step %d is %.9g, Keras has %.9g\n", name, step, loss, keras);
    return false;
}

static void follows(const char *name, cj_model *model, const char *loss)
{
    fixture *file = fixture_open("models");
    const json_t *one = NULL;
    for (size_t i = 0; i < fixture_count(file); i++)
        if (strcmp(fixture_case_name(fixture_case(file, i)), name) == 0)
            one = fixture_case(file, i);
    assert_non_null(one);
    const uint64_t number = (uint64_t)fixture_number(one, "number");
    const int64_t batch = (int64_t)fixture_number(one, "batch");
    cj_tensor *losses = fixture_tensor(file, name, "losses");
    if (!model || cj_compile(model, .optimizer = cj_adam(), .loss = loss) != CJ_OK)
        fail_msg("%s", cj_error());
    start(model, 1000 * number);
    bool right = true;
    for (int step = 0; right && step < (int)cj_tensor_count(losses); step++) {
        cj_shape shape = *cj_model_input_shape(model, 0);
        shape.dims[0] = batch;
        const bool recurrent = json_array_size(json_object_get(one, "image")) == 0;
        cj_tensor *x = tensor(CJ_F32, shape);
        cj_tensor *y = recurrent ? tensor(CJ_F32, CJ_SHAPE(batch, 1)) : tensor(CJ_I32, CJ_SHAPE(batch));
        if (recurrent) {
            memcpy(cj_tensor_data(x), (float[]){0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f}, 8 * sizeof(float));
            memcpy(cj_tensor_data(y), (float[]){0.9f, 1.0f, 1.1f, 1.2f}, 4 * sizeof(float));
        } else {
            digits(number, step, batch, cj_tensor_data(x), cj_tensor_data(y));
        }
        right = near_keras(name, step, train(model, x, y), losses, file->rtol);
    }
    cj_release(losses);
    fixture_close(file);
    cj_release(model);
    assert_true(right);
}

#define CROSSENTROPY "sparse_categorical_crossentropy"

static void feedforward_follows_keras(void **state)
{
    (void)state;
    follows("feedforward", cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                                         cj_dense(10, .activation = "softmax")), CROSSENTROPY);
}

static void recurrent_follows_keras(void **state)
{
    (void)state;
    follows("recurrent", cj_sequential(cj_input(1, 2), cj_simple_rnn(16), cj_dense(1)), "mse");
}

static cj_model *network(int64_t first, int64_t second, int64_t hidden, int64_t size)
{
    return cj_sequential(cj_input(28, 28, 1), cj_conv2d(first, {size, size}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(second, {size, size}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(hidden, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static void convolution_follows_keras(void **state)
{
    (void)state;
    follows("convolution", network(10, 20, 50, 5), CROSSENTROPY);
}

static void convolution_deep_follows_keras(void **state)
{
    (void)state;
    follows("convolution_deep", network(32, 64, 128, 3), CROSSENTROPY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feedforward_follows_keras),
        cmocka_unit_test(recurrent_follows_keras),
        cmocka_unit_test(convolution_follows_keras),
        cmocka_unit_test(convolution_deep_follows_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
