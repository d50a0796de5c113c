// An image as a sequence: an LSTM reads a digit row by row, 28 steps of 28 pixels, and says which it
// is. For real: `rows` (some 98 % after three epochs of MNIST).
#include <cajal.h>
#include <stdlib.h>

enum { BATCH = 64 };

static cj_status run(void)
{
    const char *samples = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look: so many an epoch
    cj_dataset *train, *test;
    CJ_TRY(cj_load_dataset("auto", &train, &test));

    // The images are (28, 28, 1). To the LSTM the rows are steps of time, and a row's pixels the
    // features of a step. Its last state has seen the whole image.
    cj_model *model =
        cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_reshape({28, 28}),
                      cj_lstm(128), cj_dense(10, .activation = "softmax"));
    CJ_TRY(cj_model_summary(model, stdout));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, train, .epochs = 3, .batch_size = BATCH, .verbose = CJ_BAR,
                  .steps_per_epoch = samples ? strtoll(samples, NULL, 10) / BATCH : 0));

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
