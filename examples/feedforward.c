// The tutorial's first network (chapter 3): a feed-forward network reads handwritten digits.
//
// The data are MNIST where it is found (set CAJAL_DATA to its folder, or run `cajal datasets fetch
// mnist`); elsewhere the library draws digits itself.
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

    // The images are bytes from 0 to 255. Rescaling divides them by 255 inside the model, so that
    // whoever uses the model later cannot forget to.
    cj_model *model =
        cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_flatten(),
                      cj_dense(128, .activation = "relu"), cj_dense(10, .activation = "softmax"));
    CJ_TRY(cj_model_summary(model, stdout));

    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}));

    CJ_TRY(cj_fit(model, train, .epochs = 5, .verbose = CJ_BAR, .steps_per_epoch = steps(32)));

    // Never judge a network by what it was trained on.
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
