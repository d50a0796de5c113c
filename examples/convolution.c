// The tutorial's third network (chapter 3): a convolutional network reads handwritten digits.
#include <cajal.h>
#include <stdlib.h>

// For a quick look: CAJAL_EXAMPLE_SAMPLES=512 trains on so many samples an epoch instead of on all.
static int64_t steps(int64_t batch_size)
{
    const char *samples = getenv("CAJAL_EXAMPLE_SAMPLES");
    return samples ? strtoll(samples, NULL, 10) / batch_size : 0;
}

static cj_status run(void)
{
    // (x_train, y_train), (x_test, y_test) = mnist.load_data()
    cj_dataset *train, *test;
    CJ_TRY(cj_load_dataset("auto", &train, &test));

    // A convolution looks at the image through small windows, with the same weights everywhere;
    // pooling keeps the strongest answer of each 2x2 window. Twice over, and then a small
    // feed-forward network decides.
    cj_model *model = cj_sequential(
        cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_conv2d(10, {5, 5}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_conv2d(20, {5, 5}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(50, .activation = "relu"),
        cj_dense(10, .activation = "softmax"));
    CJ_TRY(cj_model_summary(model, stdout));

    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}));

    CJ_TRY(cj_fit(model, train, .epochs = 5, .verbose = CJ_BAR, .steps_per_epoch = steps(32)));

    cj_results *results = NULL;
    CJ_TRY(cj_evaluate(model, test, &results));
    printf("Test accuracy: %.4f\n", cj_results_value(results, "accuracy"));

    cj_release(results);
    cj_release(model);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(void)
{
    return cj_report(run());
}
