// The tutorial's networks on a device whose memory is not the host's (mapped.h): training,
// evaluating, predicting, saving, loading and resuming give the bits of the CPU, at whatever moment
// a model comes onto the device. Whoever reads a variable past ops/variable.h crashes here.
#define _DEFAULT_SOURCE
#include "mapped.h"
#include "problems.h"

#include "base/random.h"
#include "ops/variable.h"
#include "train/state.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS = 3,
    SAMPLES = 52,
    SIZE = 16,
    EPOCHS = 2,
    PIXELS = 28 * 28,
    CLASSES = 10,
    STEPS = 6
};

// ---- Data and networks ----

static unsigned noise(uint64_t index)
{
    return (unsigned)(cj__random_uniform(11, 0, index) * 256);
}

static cj_dataset *images_new(void)
{
    cj_tensor *x, *y;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(SAMPLES, 28, 28, 1), &x));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(SAMPLES), &y));
    uint8_t *pixels = cj_tensor_data(x), *labels = cj_tensor_data(y);
    for (int i = 0; i < SAMPLES * PIXELS; i++)
        pixels[i] = (uint8_t)noise((uint64_t)i);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = (uint8_t)(pixels[i * PIXELS] % CLASSES);
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_dataset *sequences_new(void)
{
    cj_tensor *x, *y;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, STEPS, 2), &x));
    assert_ok(cj_tensor_new(CJ_I32, CJ_SHAPE(SAMPLES), &y));
    float *values = cj_tensor_data(x);
    int32_t *labels = cj_tensor_data(y);
    for (int i = 0; i < SAMPLES * STEPS * 2; i++)
        values[i] = (float)noise((uint64_t)i) / 256;
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = values[i * STEPS * 2] > 0.5f;
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_model *mlp(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(32, .activation = "relu"), cj_dropout(0.2),
                         cj_dense(CLASSES, .activation = "softmax"));
}

static cj_model *small_cnn(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
                         cj_conv2d(10, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(20, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(50, .activation = "relu"),
                         cj_dense(CLASSES, .activation = "softmax"));
}

// Without an input layer: it is built by its first batch.
static cj_model *cnn(void)
{
    return cj_sequential(cj_rescaling(1.0 / 255), cj_conv2d(32, {3, 3}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(64, {3, 3}, .activation = "relu"),
                         cj_batch_normalization(), cj_max_pooling2d({2, 2}), cj_flatten(),
                         cj_dense(32, .activation = "relu"),
                         cj_dense(CLASSES, .activation = "softmax"));
}

static cj_model *rnn(void)
{
    return cj_sequential(cj_input(STEPS, 2), cj_simple_rnn(16),
                         cj_dense(2, .activation = "softmax"));
}

// Loops: their bodies run on the device too.
static cj_model *loops(void)
{
    return cj_sequential(cj_input(STEPS, 2), cj_lstm(8, .return_sequences = true),
                         cj_gru(8, .go_backwards = true), cj_dense(2, .activation = "softmax"));
}

static const struct network {
    const char *name;
    cj_model *(*make)(void);
    cj_dataset *(*data)(void);
} networks[] = {{"mlp", mlp, images_new},
                {"small cnn", small_cnn, images_new},
                {"cnn", cnn, images_new},
                {"rnn", rnn, sequences_new},
                {"loops", loops, sequences_new}};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

static void compile(cj_model *model)
{
    assert_ok(cj_model_set_seed(model, 5));
    assert_ok(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                         .metrics = {"accuracy"}, .pool = cj_pool_new(THREADS)));
}

static cj_model *make(const struct network *network, cj__device *device)
{
    cj_model *model = network->make();
    if (device)
        assert_ok(cj__model_set_device(model, device));
    compile(model);
    return model;
}

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

// Stops after a number of batches; negative: never.
static void fit(cj_model *model, cj_dataset *data, int batches, bool resume)
{
    int left = batches;
    assert_ok(cj_fit(model, data, .epochs = EPOCHS, .batch_size = SIZE, .resume = resume,
                     .callbacks = {cj_callback_new(&stopper, &left)}));
}

// ---- What a model gives ----

static cj_tensor *predict(cj_model *model, cj_dataset *data)
{
    cj_tensor *output = NULL;
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &output, .batch_size = SIZE));
    return output;
}

static double loss_of(cj_model *model, cj_dataset *data)
{
    cj_results *results = NULL;
    assert_ok(cj_evaluate(model, data, &results, .batch_size = SIZE));
    const double loss = cj_results_value(results, "loss");
    cj_release(results);
    return loss;
}

static void expect_same(cj_model *model, cj_model *other, cj_dataset *data)
{
    cj_tensor *a = predict(model, data), *b = predict(other, data);
    assert_true(problem_same_weights(model, other));
    assert_int_equal(cj_tensor_count(a), cj_tensor_count(b));
    assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b),
                        (size_t)cj_tensor_count(a) * sizeof(float));
    assert_true(loss_of(model, data) == loss_of(other, data));
    cj_release(a);
    cj_release(b);
}

static void expect_on(const cj_model *model, const cj__device *device)
{
    const cj__train_state *state = cj__state_of(model);
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++)
        assert_ptr_equal(cj__variable_device(cj_layer_variable(cj_model_layer(model), i)), device);
    for (int i = 0; i < cj__state_variable_count(state); i++)
        assert_ptr_equal(cj__variable_device(cj__state_variable(state, i)), device);
}

static void networks_train_to_the_bits_of_the_cpu(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        cj_dataset *data = networks[i].data();
        cj__device *device = cj__own(mapped_new(THREADS));
        cj_model *here = make(&networks[i], NULL), *there = make(&networks[i], device);
        fit(here, data, -1, false);
        fit(there, data, -1, false);
        expect_on(here, NULL);
        expect_on(there, device);
        expect_same(there, here, data);
        cj_release(here);
        cj_release(there);
        const mapped_counts counts = mapped_counts_of(device);
        assert_true(counts.runs > 0 && counts.allocated > 0);
        assert_int_equal(counts.allocated, counts.freed);
        cj_release(device);
        cj_release(data);
    }
}

static void models_come_and_go_at_any_time(void **state)
{
    (void)state;
    const struct network *network = &networks[1];
    cj_dataset *data = network->data();
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *whole = make(network, NULL), *moved = make(network, NULL);
    fit(whole, data, -1, false);
    fit(moved, data, 3, false);
    assert_ok(cj__model_set_device(moved, device)); // with what Adam remembers
    expect_on(moved, device);
    cj_release(predict(moved, data));
    fit(moved, data, 2, true);
    assert_ok(cj__model_set_device(moved, cj__cpu_new(NULL)));
    expect_on(moved, NULL);
    fit(moved, data, -1, true);
    expect_same(moved, whole, data);
    cj_release(moved);
    const mapped_counts counts = mapped_counts_of(device);
    assert_int_equal(counts.allocated, counts.freed);
    cj_release(whole);
    cj_release(device);
    cj_release(data);
}

static void files_are_those_of_the_cpu(void **state)
{
    (void)state;
    char path[] = "/tmp/cajal-device-XXXXXX.safetensors";
    const int file = mkstemps(path, 12);
    assert_true(file >= 0);
    close(file);
    for (int i = 0; i < NETWORKS; i++) {
        cj_dataset *data = networks[i].data();
        cj__device *device = cj__own(mapped_new(THREADS));
        cj_model *whole = make(&networks[i], NULL), *first = make(&networks[i], device), *second;
        fit(whole, data, -1, false);
        fit(first, data, 3, false); // in the midst of an epoch
        assert_ok(cj_save(first, path));
        second = cj_load(path);
        assert_non_null(second);
        expect_on(second, NULL);
        expect_same(second, first, data);
        assert_ok(cj__model_set_device(second, device));
        fit(second, data, -1, true);
        expect_on(second, device);
        expect_same(second, whole, data);
        cj_release(whole);
        cj_release(first);
        cj_release(second);
        cj_release(device);
        cj_release(data);
    }
    unlink(path);
}

// ---- A GAN: models that share layers ----

typedef struct gan {
    cj_model *generator, *discriminator, *both;
} gan;

static gan gan_new(cj__device *device)
{
    gan g = {cj_sequential(cj_input(8), cj_dense(16, .activation = "relu"), cj_dense(12)),
             cj_sequential(cj_input(12), cj_dense(16, .activation = "relu"),
                           cj_dense(1, .activation = "sigmoid")),
             NULL};
    assert_ok(cj_model_set_seed(g.generator, 1));
    assert_ok(cj_model_set_seed(g.discriminator, 2));
    if (device)
        assert_ok(cj__model_set_device(g.generator, device));
    if (device)
        assert_ok(cj__model_set_device(g.discriminator, device));
    assert_ok(cj_compile(g.discriminator, .optimizer = cj_adam(), .loss = "binary_crossentropy"));
    assert_ok(cj_set_trainable(cj_model_layer(g.discriminator), false));
    cj_symbol *input = cj_input_symbol(8);
    g.both = cj_functional(.inputs = {input},
                           .outputs = {cj_apply(cj_model_layer(g.discriminator),
                                                cj_apply(cj_model_layer(g.generator), input))});
    assert_non_null(g.both);
    assert_ok(cj_compile(g.both, .optimizer = cj_adam(), .loss = "binary_crossentropy"));
    return g;
}

static cj_tensor *floats(cj_shape shape, uint64_t begin)
{
    cj_tensor *tensor;
    assert_ok(cj_tensor_new(CJ_F32, shape, &tensor));
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        ((float *)cj_tensor_data(tensor))[i] = (float)noise(begin + (uint64_t)i) / 256;
    return tensor;
}

static void gan_train(const gan *g)
{
    for (int step = 0; step < 3; step++) {
        cj_tensor *seeds = cj_retain(floats(CJ_SHAPE(SIZE, 8), (uint64_t)step * 1000)), *made;
        cj_tensor *ones, *zeros;
        assert_ok(cj_predict(g->generator, seeds, &made));
        assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SIZE, 1), &ones));
        assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SIZE, 1), &zeros));
        cj_tensor_fill(ones, 1);
        cj_dataset *fake = cj_dataset(.x = {made}, .y = {zeros}),
                   *fool = cj_dataset(.x = {seeds}, .y = {ones});
        assert_ok(cj_train_on_batch(g->discriminator, fake, NULL));
        assert_ok(cj_train_on_batch(g->both, fool, NULL));
        cj_release(fake);
        cj_release(fool);
        cj_release(seeds);
    }
}

static void models_share_layers_on_a_device(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(THREADS));
    gan here = gan_new(NULL), there = gan_new(device);
    gan_train(&here);
    gan_train(&there);
    assert_true(problem_same_weights(here.generator, there.generator));
    assert_true(problem_same_weights(here.discriminator, there.discriminator));
    expect_on(there.both, device); // it was never told
    cj_release(here.both);         // it holds the two others
    cj_release(there.both);
    cj_release(device);
}

// ---- Values ----

static void values_are_copies_that_are_refreshed(void **state)
{
    (void)state;
    cj_dataset *data = images_new();
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *model = make(&networks[0], device);
    cj_variable *weight = cj_layer_variable(cj_model_layer(model), 0);
    cj_tensor *before = NULL;
    assert_ok(cj_tensor_convert(cj_variable_value(weight), CJ_F32, &before));
    fit(model, data, 1, false);
    const cj_tensor *now = cj_variable_value(weight);
    assert_memory_not_equal(cj_tensor_data(before), now->data, cj__variable_bytes(weight));
    assert_ptr_equal(now, cj_variable_value(weight));
    assert_ok(cj_variable_assign(weight, before));
    assert_memory_equal(cj_tensor_data(before), cj_variable_value(weight)->data,
                        cj__variable_bytes(weight));
    assert_ok(cj_set_learning_rate(model, 0.25));
    assert_true(cj_learning_rate(model) == 0.25);
    mapped_fail_copy(device, 1);
    assert_int_equal(cj_variable_assign(weight, before), CJ_IO);
    fit(model, data, 1, false);
    mapped_fail_copy(device, 1);
    assert_null(cj_variable_value(weight));
    assert_int_equal(cj_error_status(), CJ_IO);
    assert_non_null(cj_variable_value(weight));
    cj_release(before);
    cj_release(model);
    cj_release(device);
    cj_release(data);
}

static void stray_access_ends_the_process(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(1));
    cj_model *model = make(&networks[0], device);
    assert_ok(cj__model_set_device(model, device));
    const char *memory = cj__variable_memory(cj_layer_variable(cj_model_layer(model), 0));
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        _exit(*(const volatile char *)memory == 1);
    }
    int end = 0;
    assert_true(child > 0 && waitpid(child, &end, 0) == child);
    // the address sanitizer answers the signal itself, with exit status 1
    assert_true((WIFSIGNALED(end) && WTERMSIG(end) == SIGSEGV) ||
                (WIFEXITED(end) && WEXITSTATUS(end) != 0));
    cj_release(model);
    cj_release(device);
}

// ---- Threads ----

typedef struct caller {
    cj_model *model;
    cj_dataset *data;
    cj_tensor *expected;
    bool right;
} caller;

static void *call(void *context)
{
    caller *c = context;
    c->right = true;
    for (int i = 0; i < 4 && c->right; i++) {
        cj_tensor *output = NULL;
        c->right =
            cj_predict(c->model, cj_dataset_x(c->data, 0), &output, .batch_size = SIZE) == CJ_OK &&
            memcmp(cj_tensor_data(output), cj_tensor_data(c->expected),
                   (size_t)cj_tensor_count(output) * sizeof(float)) == 0 &&
            cj_variable_value(cj_layer_variable(cj_model_layer(c->model), 0));
        cj_release(output);
    }
    return NULL;
}

static void threads_predict_at_once(void **state)
{
    (void)state;
    enum { CALLERS = 3 };
    cj_dataset *data = images_new();
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *model = make(&networks[1], device);
    fit(model, data, 2, false);
    cj_tensor *expected = predict(model, data);
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){model, data, expected, false};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CALLERS; i++)
        assert_true(callers[i].right);
    cj_release(expected);
    cj_release(model);
    cj_release(device);
    cj_release(data);
}

// ---- What reads and writes weights beside the steps ----

static void callbacks_keep_and_restore_weights(void **state)
{
    (void)state;
    cj_dataset *data = images_new();
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *here = make(&networks[0], NULL), *there = make(&networks[0], device);
    cj_model *models[] = {here, there};
    char sentences[2][256];
    for (int i = 0; i < 2; i++)
        // "best" is the first epoch: the accuracy cannot rise by 10
        assert_ok(cj_fit(
            models[i], data, .epochs = 4, .batch_size = SIZE,
            .callbacks = {cj_early_stopping(.monitor = "accuracy", .mode = "max", .min_delta = 10,
                                            .patience = 2, .restore_best_weights = true)}));
    expect_same(there, here, data);
    for (int i = 0; i < 2; i++) {
        assert_ok(cj_set_learning_rate(models[i], 1e38));
        assert_int_equal(cj_fit(models[i], data, .epochs = 4, .batch_size = SIZE,
                                .callbacks = {cj_terminate_on_nan()}),
                         CJ_NOT_FINITE);
        snprintf(sentences[i], sizeof sentences[i], "%s", cj_error());
    }
    assert_string_equal(sentences[0], sentences[1]);
    assert_true(problem_same_weights(here, there));
    cj_release(here);
    cj_release(there);
    cj_release(device);
    cj_release(data);
}

static cj_model *stateful(void)
{
    return cj_sequential(cj_input(STEPS, 2, .batch_size = SAMPLES / 2),
                         cj_simple_rnn(16, .stateful = true), cj_dense(2, .activation = "softmax"));
}

static void states_carry_on_and_are_reset(void **state)
{
    static const struct network network = {"stateful", stateful, sequences_new};
    (void)state;
    cj_dataset *data = sequences_new();
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *models[] = {make(&network, NULL), make(&network, device)};
    cj_tensor *outputs[2][3];
    for (int i = 0; i < 2; i++) {
        assert_ok(cj_predict(models[i], cj_dataset_x(data, 0), &outputs[i][0]));
        assert_ok(cj_predict(models[i], cj_dataset_x(data, 0), &outputs[i][1]));
        assert_ok(cj_reset_states(cj_model_layer(models[i])));
        assert_ok(cj_predict(models[i], cj_dataset_x(data, 0), &outputs[i][2]));
    }
    const size_t bytes = (size_t)SAMPLES * 2 * sizeof(float);
    for (int k = 0; k < 3; k++)
        assert_memory_equal(cj_tensor_data(outputs[0][k]), cj_tensor_data(outputs[1][k]), bytes);
    assert_memory_not_equal(cj_tensor_data(outputs[1][0]), cj_tensor_data(outputs[1][1]), bytes);
    assert_memory_equal(cj_tensor_data(outputs[1][0]), cj_tensor_data(outputs[1][2]), bytes);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++)
            cj_release(outputs[i][k]);
        cj_release(models[i]);
    }
    cj_release(device);
    cj_release(data);
}

static char *explained(cj_model *model)
{
    char *text = NULL;
    size_t size = 0;
    cj_tensor *x;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(28, 28, 1), &x));
    for (int i = 0; i < PIXELS; i++)
        ((uint8_t *)cj_tensor_data(x))[i] = (uint8_t)noise((uint64_t)i);
    FILE *stream = open_memstream(&text, &size);
    assert_ok(cj_explain(model, &x, stream));
    fclose(stream);
    cj_release(x);
    return text;
}

static void explanations_are_those_of_the_cpu(void **state)
{
    (void)state;
    cj__device *device = cj__own(mapped_new(THREADS));
    cj_model *here = make(&networks[1], NULL), *there = make(&networks[1], device);
    char *a = explained(here), *b = explained(there);
    assert_true(strlen(a) > 1000);
    assert_string_equal(a, b);
    free(a);
    free(b);
    cj_release(here);
    cj_release(there);
    cj_release(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_train_to_the_bits_of_the_cpu),
        cmocka_unit_test(models_come_and_go_at_any_time),
        cmocka_unit_test(files_are_those_of_the_cpu),
        cmocka_unit_test(models_share_layers_on_a_device),
        cmocka_unit_test(values_are_copies_that_are_refreshed),
        cmocka_unit_test(stray_access_ends_the_process),
        cmocka_unit_test(threads_predict_at_once),
        cmocka_unit_test(callbacks_keep_and_restore_weights),
        cmocka_unit_test(states_carry_on_and_are_reset),
        cmocka_unit_test(explanations_are_those_of_the_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
