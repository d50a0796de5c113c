// The tutorial's networks against Keras: from the same weights, on the same batches, the same
// losses for 100 steps. Weights and batches come from the formulas of generator/formula.py, made
// again here.
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
        const double limit =
            shape->rank > 1 ? sqrt(6.0 / (double)(count / in / out * (in + out))) : 0;
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
            const int grain =
                (int)(word(1000 * number + 200000 + (uint64_t)step, (uint64_t)(784 * i + p)) >> 57);
            x[784 * i + p] = (float)(pattern + grain) / 255.0f;
        }
    }
}

// The loss of one training step; takes both tensors over.
static double train(cj_model *model, cj_tensor *x, cj_tensor *y)
{
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_results *results = NULL;
    if (cj_train_on_batch(model, data, &results) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(data);
    const double loss = cj_results_value(results, "loss");
    cj_release(results);
    return loss;
}

// For each weight, the sum and the sum of squares that training ended with; `first` is the first
// row of Keras's.
static bool sums_near_keras(const char *name, const cj_model *model, cj_tensor *expected, int first,
                            double rtol)
{
    cj_layer *layer = cj_model_layer(model);
    bool right = true;
    for (int w = 0; w < cj_layer_variable_count(layer); w++) {
        const cj_tensor *value = cj_variable_value(cj_layer_variable(layer, w));
        const float *data = cj_tensor_data((cj_tensor *)(uintptr_t)value);
        const double count = (double)cj_tensor_count(value);
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < cj_tensor_count(value); i++) {
            sum += (double)data[i];
            squares += (double)data[i] * (double)data[i];
        }
        const double keras = cj_tensor_get(expected, (int64_t[]){first + w, 0});
        const double keras_squares = cj_tensor_get(expected, (int64_t[]){first + w, 1});
        // A sum may cancel: it is compared as a share of its greatest possible size, sqrt(count *
        // squares).
        if (!support_near(sum, keras, 10 * rtol * sqrt(count * keras_squares), 0) ||
            !support_near(squares, keras_squares, 0, 10 * rtol)) {
            print_message("%s: weight %d ends with sums %.9g, %.9g, Keras has %.9g, %.9g\n", name,
                          w, sum, squares, keras, keras_squares);
            right = false;
        }
    }
    return right;
}

static bool near_keras(const char *name, int step, double loss, cj_tensor *expected, double rtol)
{
    const double keras = cj_tensor_get(expected, (int64_t[]){step});
    if (support_near(loss, keras, 0, rtol))
        return true;
    print_message("%s: the loss of step %d is %.9g, Keras has %.9g\n", name, step, loss, keras);
    return false;
}

// Steps from `sensitive` on (0: none) are held to `CHAOS` only: see convolution_deep_follows_keras.
#define CHAOS 0.05

static void follows(const char *name, cj_model *model, const char *loss, int sensitive)
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
        cj_tensor *y =
            recurrent ? tensor(CJ_F32, CJ_SHAPE(batch, 1)) : tensor(CJ_I32, CJ_SHAPE(batch));
        if (recurrent) {
            memcpy(cj_tensor_data(x), (float[]){0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f},
                   8 * sizeof(float));
            memcpy(cj_tensor_data(y), (float[]){0.9f, 1.0f, 1.1f, 1.2f}, 4 * sizeof(float));
        } else {
            digits(number, step, batch, cj_tensor_data(x), cj_tensor_data(y));
        }
        right = near_keras(name, step, train(model, x, y), losses,
                           sensitive && step >= sensitive ? CHAOS : file->rtol);
    }
    cj_tensor *sums = fixture_tensor(file, name, "sums");
    right = right && (sensitive || sums_near_keras(name, model, sums, 0, file->rtol));
    cj_release(sums);
    cj_release(losses);
    fixture_close(file);
    cj_release(model);
    assert_true(right);
}

#define CROSSENTROPY "sparse_categorical_crossentropy"

static void feedforward_follows_keras(void **state)
{
    (void)state;
    follows("feedforward",
            cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                          cj_dense(10, .activation = "softmax")),
            CROSSENTROPY, 0);
}

static void recurrent_follows_keras(void **state)
{
    (void)state;
    follows("recurrent", cj_sequential(cj_input(1, 2), cj_simple_rnn(16), cj_dense(1)), "mse", 0);
}

static cj_model *network(int64_t first, int64_t second, int64_t hidden, int64_t size)
{
    return cj_sequential(
        cj_input(28, 28, 1), cj_conv2d(first, {size, size}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_conv2d(second, {size, size}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(hidden, .activation = "relu"),
        cj_dense(10, .activation = "softmax"));
}

static void convolution_follows_keras(void **state)
{
    (void)state;
    follows("convolution", network(10, 20, 50, 5), CROSSENTROPY, 0);
}

static void convolution_deep_follows_keras(void **state)
{
    (void)state;
    // Keras 3.15.1 against itself, with the first kernel moved by one float32 step: 1e-4 apart at
    // step 59, 2e-2 at step 88.
    follows("convolution_deep", network(32, 64, 128, 3), CROSSENTROPY, 60);
}

static cj_tensor *noise(uint64_t stream, int64_t batch)
{
    cj_tensor *made = tensor(CJ_F32, CJ_SHAPE(batch, 100));
    float *data = cj_tensor_data(made);
    for (int64_t i = 0; i < batch * 100; i++) {
        double sum = 0;
        for (int64_t j = 0; j < 12; j++)
            sum += uniform(stream, (uint64_t)(12 * i + j));
        data[i] = (float)(sum - 6);
    }
    return made;
}

// Real images, then generated ones, with labels 1 and 0; and the discriminator's step on them.
static double train_discriminator(cj_model *generator, cj_model *discriminator, uint64_t number,
                                  int step, int64_t batch)
{
    cj_tensor *x = tensor(CJ_F32, CJ_SHAPE(2 * batch, 28, 28)),
              *y = tensor(CJ_F32, CJ_SHAPE(2 * batch, 1));
    cj_tensor *from = noise(1000 * number + 300000 + (uint64_t)step, batch), *fake = NULL;
    float *pixels = cj_tensor_data(x);
    assert_int_equal(cj_predict(generator, from, &fake, .batch_size = batch), CJ_OK);
    digits(number, step, batch, pixels, NULL);
    memcpy(pixels + batch * 784, cj_tensor_data(fake), (size_t)batch * 784 * sizeof(float));
    for (int64_t i = 0; i < 2 * batch; i++)
        ((float *)cj_tensor_data(y))[i] = i < batch ? 1.0f : 0.0f;
    cj_release(fake);
    cj_release(from);
    return train(discriminator, x, y);
}

static double train_generator(cj_model *gan, uint64_t number, int step, int64_t batch)
{
    cj_tensor *y = tensor(CJ_F32, CJ_SHAPE(batch, 1));
    for (int64_t i = 0; i < batch; i++)
        ((float *)cj_tensor_data(y))[i] = 1.0f;
    return train(gan, noise(1000 * number + 400000 + (uint64_t)step, batch), y);
}

static void adversarial_follows_keras(void **state)
{
    (void)state;
    fixture *file = fixture_open("models");
    const uint64_t number = 5;
    const int64_t batch = 64;
    cj_tensor *d_losses = fixture_tensor(file, "adversarial", "discriminator_losses");
    cj_tensor *g_losses = fixture_tensor(file, "adversarial", "generator_losses");
    cj_tensor *sums = fixture_tensor(file, "adversarial", "sums");
    cj_model *generator =
        cj_sequential(cj_input(100), cj_dense(256, .activation = "relu"),
                      cj_dense(784, .activation = "sigmoid"), cj_reshape({28, 28}));
    cj_model *discriminator =
        cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                      cj_dense(1, .activation = "sigmoid"));
    cj_retain(generator);
    cj_retain(discriminator);
    start(generator, 1000 * number);
    start(discriminator, 1000 * number + 10);
    assert_int_equal(
        cj_compile(discriminator, .optimizer = cj_adam(), .loss = "binary_crossentropy"), CJ_OK);
    cj_set_trainable(cj_model_layer(discriminator), false);
    cj_model *gan = cj_sequential(cj_model_layer(generator), cj_model_layer(discriminator));
    assert_int_equal(cj_compile(gan, .optimizer = cj_adam(), .loss = "binary_crossentropy"), CJ_OK);
    bool right = true;
    for (int step = 0; right && step < (int)cj_tensor_count(d_losses); step++) {
        const double d = train_discriminator(generator, discriminator, number, step, batch);
        const double g = train_generator(gan, number, step, batch);
        right = near_keras("discriminator", step, d, d_losses, file->rtol) &&
                near_keras("generator", step, g, g_losses, file->rtol);
    }
    right = right && sums_near_keras("adversarial", gan, sums, 0, file->rtol);
    cj_release(gan);
    cj_release(generator);
    cj_release(discriminator);
    cj_release(sums);
    cj_release(d_losses);
    cj_release(g_losses);
    fixture_close(file);
    assert_true(right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feedforward_follows_keras),
        cmocka_unit_test(recurrent_follows_keras),
        cmocka_unit_test(convolution_follows_keras),
        cmocka_unit_test(convolution_deep_follows_keras),
        cmocka_unit_test(adversarial_follows_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
