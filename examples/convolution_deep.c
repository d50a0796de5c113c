// The tutorial's chapter 4.5: a larger convolutional network, step by step.
//
// Give it a file name (deep.safetensors) to keep the trained model; `adversarial` and `cajal
// predict` can use it.
#include <cajal.h>
#include <stdlib.h>

// For a quick look: CAJAL_EXAMPLE_SAMPLES=512 trains on so many samples an epoch instead of on all.
static int64_t steps(int64_t batch_size)
{
    const char *samples = getenv("CAJAL_EXAMPLE_SAMPLES");
    return samples ? strtoll(samples, NULL, 10) / batch_size : 0;
}

static cj_status run(const char *path)
{
    // 1. Load the data.
    cj_dataset *train, *test;
    CJ_TRY(cj_load_dataset("auto", &train, &test));

    // 2. Prepare it: the images are (samples, height, width, channels) already, and the Rescaling
    //    layer below brings the pixels from 0..255 to 0..1.

    // 3. Build the model.
    cj_model *model =
        cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
                      // First convolution: 32 kernels of 3x3, then ReLU.
                      cj_conv2d(32, {3, 3}, .activation = "relu"),
                      // Max pooling: windows of 2x2.
                      cj_max_pooling2d({2, 2}),
                      // Second convolution: 64 kernels of 3x3, then ReLU.
                      cj_conv2d(64, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                      // The 5x5 maps of 64 channels as one vector of 1600 numbers.
                      cj_flatten(),
                      // Fully connected: 128 units, then ReLU.
                      cj_dense(128, .activation = "relu"),
                      // The output: one unit for each digit; softmax makes
                      // probabilities of them.
                      cj_dense(10, .activation = "softmax"));
    CJ_TRY(cj_model_summary(model, stdout));

    // 4. Compile it.
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}));

    // 5. Train it.
    CJ_TRY(cj_fit(model, train, .epochs = 5, .batch_size = 64, .verbose = CJ_BAR,
                  .steps_per_epoch = steps(64)));

    // 6. Evaluate it.
    cj_results *results = NULL;
    CJ_TRY(cj_evaluate(model, test, &results));
    printf("Test accuracy: %.4f\n", cj_results_value(results, "accuracy"));

    if (path)
        CJ_TRY(cj_save(model, path));
    cj_release(results);
    cj_release(model);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : NULL));
}
