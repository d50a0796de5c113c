// The same seed gives the same bits with 1, 2 and 3 threads.
#include "problems.h"

static cj_model *dense_model(void)
{
    return cj_sequential(cj_input(8, 8, 1), cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(96, .activation = "relu"), cj_batch_normalization(),
                         cj_dropout(0.25), cj_dense(4, .activation = "softmax"));
}

static cj_model *conv_model(void)
{
    return cj_sequential(cj_input(8, 8, 1), cj_rescaling(1.0 / 255),
                         cj_conv2d(16, {3, 3}, .activation = "relu", .padding = "same"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(24, {3, 3}, .activation = "relu"),
                         cj_batch_normalization(), cj_flatten(), cj_dropout(0.25),
                         cj_dense(4, .activation = "softmax"));
}

// Wide enough for products in pairs.
static cj_model *mixed_model(void)
{
    cj_model *model = cj_sequential(
        cj_input(8, 8, 1), cj_rescaling(1.0 / 255), cj_conv2d(16, {3, 3}, .activation = "relu"),
        cj_flatten(), cj_dense(160, .activation = "relu"), cj_dense(96, .activation = "tanh"),
        cj_dense(4, .activation = "softmax"));
    assert_ok(cj_set_dtype_policy(cj_model_layer(model), "mixed_bfloat16"));
    return model;
}

static cj_model *trained(cj_model *model, int threads)
{
    cj_dataset *data = problem_images(400);
    assert_ok(cj_model_set_seed(model, 11));
    assert_ok(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                         .metrics = {"accuracy"}, .pool = cj_pool_new(threads)));
    assert_ok(cj_fit(model, data, .epochs = 2, .batch_size = 64));
    cj_release(data);
    return model;
}

static void check(cj_model *(*make)(void))
{
    cj_model *one = trained(make(), 1);
    for (int threads = 2; threads <= 3; threads++) {
        cj_model *several = trained(make(), threads);
        assert_true(problem_same_weights(one, several));
        cj_release(several);
    }
    cj_release(one);
}

static void dense_with_dropout_and_batch_normalization(void **state)
{
    (void)state;
    check(dense_model);
}

static void convolutions(void **state)
{
    (void)state;
    check(conv_model);
}

static void mixed_bfloat16(void **state)
{
    (void)state;
    check(mixed_model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_with_dropout_and_batch_normalization),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(mixed_bfloat16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
