// Batches mixed in training: the setting `mix` of cj_compile().
#include "problems.h"
#include <math.h>
#include <string.h>

enum { SAMPLES = 60, SIDE = 6, CLASSES = 3 };

// Images of noise with a bright stripe at the class's place, and class numbers.
static cj_dataset *stripes(bool one_hot)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, SIDE, SIDE, 1), &x));
    assert_ok(cj_tensor_new(one_hot ? CJ_F32 : CJ_I32,
                            one_hot ? CJ_SHAPE(SAMPLES, CLASSES) : CJ_SHAPE(SAMPLES), &y));
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        const int64_t n = i / (SIDE * SIDE), col = i % SIDE;
        ((float *)cj_tensor_data(x))[i] =
            (float)(i * 7919 % 13) / 40 + (col / 2 == n % CLASSES ? 1.0f : 0.0f);
    }
    for (int64_t n = 0; n < SAMPLES; n++)
        if (one_hot)
            for (int64_t k = 0; k < CLASSES; k++)
                ((float *)cj_tensor_data(y))[n * CLASSES + k] = k == n % CLASSES;
        else
            ((int32_t *)cj_tensor_data(y))[n] = (int32_t)(n % CLASSES);
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_model *network(void)
{
    cj_model *model =
        cj_sequential(cj_input(SIDE, SIDE, 1), cj_flatten(), cj_dense(8, .activation = "relu"),
                      cj_dropout(0.1), cj_dense(CLASSES, .activation = "softmax"));
    assert_ok(cj_model_set_seed(model, 5));
    return model;
}

static cj_status compile(cj_model *model, const char *mix, const char *loss)
{
    return cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.02), .loss = loss,
                      .metrics = {"accuracy"}, .mix = mix);
}

// The mixture is learnt, by each of them, and of class numbers as of vectors.
static void a_network_learns_from_mixtures(void **state)
{
    (void)state;
    const char *const mixes[] = {"mix_up(alpha=0.4)", "cut_mix", "CutMix(factor=0.5, seed=3)"};
    for (int i = 0; i < 3; i++) {
        cj_dataset *data = stripes(false);
        cj_model *model = network();
        cj_results *results = NULL;
        assert_ok(compile(model, mixes[i], "categorical_crossentropy"));
        assert_ok(cj_fit(model, data, .epochs = 30, .batch_size = 20, .verbose = 0,
                         .validation_data = data));
        assert_ok(cj_evaluate(model, data, &results, .verbose = 0));
        assert_true(isfinite(cj_results_value(results, "loss")));
        assert_true(cj_results_value(results, "accuracy") > 0.95);
        cj_release(results);
        cj_release(model);
        cj_release(data);
    }
}

static void class_numbers_are_as_vectors_of_classes(void **state)
{
    (void)state;
    cj_dataset *numbers = stripes(false), *vectors = stripes(true);
    cj_model *a = network(), *b = network(), *c = network();
    assert_ok(compile(a, "mix_up", "categorical_crossentropy"));
    assert_ok(compile(b, "mix_up", "categorical_crossentropy"));
    assert_ok(compile(c, NULL, "categorical_crossentropy"));
    assert_ok(cj_fit(a, numbers, .epochs = 2, .batch_size = 20, .verbose = 0));
    assert_ok(cj_fit(b, vectors, .epochs = 2, .batch_size = 20, .verbose = 0));
    assert_ok(cj_fit(c, vectors, .epochs = 2, .batch_size = 20, .verbose = 0));
    assert_true(problem_same_weights(a, b));
    assert_false(problem_same_weights(a, c));
    cj_release(a);
    cj_release(b);
    cj_release(c);
    cj_release(numbers);
    cj_release(vectors);
}

// Two epochs at once are one epoch and one that goes on, with the mixture that the model keeps.
static void a_resumed_run_mixes_on(void **state)
{
    (void)state;
    cj_dataset *data = stripes(false);
    cj_model *whole = network(), *parts = network();
    assert_ok(compile(whole, "cut_mix(seed=4)", "categorical_crossentropy"));
    assert_ok(compile(parts, "cut_mix(seed=4)", "categorical_crossentropy"));
    assert_ok(cj_fit(whole, data, .epochs = 2, .batch_size = 16, .verbose = 0));
    assert_ok(cj_fit(parts, data, .epochs = 1, .batch_size = 16, .verbose = 0));
    assert_ok(cj_fit(parts, data, .epochs = 2, .batch_size = 16, .verbose = 0, .resume = true));
    assert_true(problem_same_weights(whole, parts));
    cj_release(whole);
    cj_release(parts);
    cj_release(data);
}

static void any_number_of_threads_mixes_alike(void **state)
{
    (void)state;
    cj_dataset *data = stripes(false);
    cj_model *models[3];
    for (int i = 0; i < 3; i++) {
        models[i] = network();
        assert_ok(cj_compile(models[i], .loss = "categorical_crossentropy", .mix = "mix_up",
                             .pool = cj_pool_new(i == 2 ? 5 : i + 1)));
        assert_ok(cj_fit(models[i], data, .epochs = 2, .batch_size = 20, .verbose = 0));
        assert_true(problem_same_weights(models[0], models[i]));
    }
    for (int i = 0; i < 3; i++)
        cj_release(models[i]);
    cj_release(data);
}

static void what_cannot_be_mixed_gets_a_sentence(void **state)
{
    (void)state;
    cj_dataset *data = stripes(false);
    cj_model *model = network();
    assert_int_equal(compile(model, "mixup", "mse"), CJ_INVALID_ARGUMENT);
    assert_error_contains("unknown mixture \"mixup\": did you mean \"mix_up\"?");
    assert_int_equal(compile(model, "", "mse"), CJ_INVALID_ARGUMENT);
    assert_error_contains("mix: there is no name of a mixture");
    assert_int_equal(compile(model, "mix_up(alpha=-1)", "mse"), CJ_INVALID_ARGUMENT);
    assert_error_contains("alpha");
    assert_int_equal(compile(model, "cut_mix(factor=3)", "mse"), CJ_INVALID_ARGUMENT);
    assert_error_contains("factor must be from 0 to 1");
    assert_ok(compile(model, "mix_up", "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .epochs = 1, .verbose = 0), CJ_SHAPE_MISMATCH);
    assert_error_contains("one-hot targets need categorical_crossentropy");
    cj_release(model);
    // features are no images
    model = cj_sequential(cj_input(SIDE * SIDE), cj_dense(CLASSES, .activation = "softmax"));
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(4, SIDE * SIDE), &x));
    assert_ok(cj_tensor_new(CJ_I32, CJ_SHAPE(4), &y));
    memset(cj_tensor_data(x), 0, 4 * SIDE * SIDE * sizeof(float));
    memset(cj_tensor_data(y), 0, 4 * sizeof(int32_t));
    cj_dataset *flat = cj_dataset(.x = {x}, .y = {y});
    assert_ok(compile(model, "mix_up", "categorical_crossentropy"));
    assert_int_equal(cj_fit(model, flat, .epochs = 1, .verbose = 0), CJ_SHAPE_MISMATCH);
    assert_error_contains("mix_up: input");
    cj_release(model);
    cj_release(flat);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_learns_from_mixtures),
        cmocka_unit_test(class_numbers_are_as_vectors_of_classes),
        cmocka_unit_test(a_resumed_run_mixes_on),
        cmocka_unit_test(any_number_of_threads_mixes_alike),
        cmocka_unit_test(what_cannot_be_mixed_gets_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
