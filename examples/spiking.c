// Spiking networks, the third generation of chapter 1.5: neurons that gather input, fire a spike at a
// threshold, and are reset.
//
// First one neuron by hand, as chapter 4.6 follows a convolution. Then networks that read handwritten
// digits: with `convolution` on the command line the one of two convolutions, else the one of two
// dense layers; a number after it is the seed. Their settings are those of snnTorch's tutorials 5 and
// 6 (Eshraghian and others 2023).
#include <cajal.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, HAND_STEPS = 9 };

// For a quick look: CAJAL_EXAMPLE_SAMPLES=512 trains on so many samples.
static int64_t steps(void)
{
    const char *samples = getenv("CAJAL_EXAMPLE_SAMPLES");
    return samples ? strtoll(samples, NULL, 10) / BATCH : 0;
}

// A constant current of 0.3 flows into one neuron. In each step 0.9 of its membrane is left; where it
// comes above 1 the neuron fires, and in the next step 1 is taken away.
static cj_status by_hand(void)
{
    cj_model *model =
        cj_sequential(cj_input(1), cj_lif(0.9, .steps = HAND_STEPS, .output = "membrane"));
    cj_tensor *current, *membrane;
    double v = 0;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(1, 1), &current));
    cj_tensor_fill(current, 0.3);
    CJ_TRY(cj_predict(model, current, &membrane));
    printf("step   0.9 v + 0.3 - reset = v\n");
    for (int t = 0; t < HAND_STEPS; t++) {
        const double reset = v > 1 ? 1 : 0, next = 0.9 * v + 0.3 - reset;
        printf("%4d   0.9 x %.3f + 0.3 - %.0f = %.3f%s the layer says %.3f\n", t, v, reset, next,
               next > 1 ? ", a spike:" : ":", (double)((float *)cj_tensor_data(membrane))[t]);
        v = next;
    }
    printf("\nThe library walks through the same steps:\n\n");
    CJ_TRY(cj_explain(model, (cj_tensor *[]){current}, stdout, .layer = "lif", .has_index = true,
                      .index = {HAND_STEPS - 1}));
    cj_release(membrane);
    cj_release(current);
    cj_release(model);
    return CJ_OK;
}

// Weights begin as those of the tutorial's library do: uniform, within 1 / sqrt(inputs).
#define SMALL "variance_scaling(scale=0.3333333,mode=fan_in,distribution=uniform)"

// The image is a constant current, so its product is computed once, and not once a step. The last
// neurons give their membranes, which the loss reads in each step; a spike is a membrane above 1.
static cj_model *dense_network(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(1000, .kernel_initializer = SMALL), cj_lif(0.95, .steps = 25),
                         cj_dense(10, .kernel_initializer = SMALL),
                         cj_lif(0.95, .output = "membrane"));
}

static cj_model *convolutional_network(void)
{
    return cj_sequential(
        cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_conv2d(12, {5, 5}), cj_max_pooling2d(),
        cj_lif(0.5, .steps = 50, .surrogate = "fast_sigmoid"),
        cj_time_distributed(cj_conv2d(64, {5, 5})), cj_time_distributed(cj_max_pooling2d()),
        cj_lif(0.5, .surrogate = "fast_sigmoid"), cj_time_distributed(cj_flatten()), cj_dense(10),
        cj_lif(0.5, .surrogate = "fast_sigmoid"));
}

static cj_status read_digits(bool convolution, uint64_t seed)
{
    cj_dataset *train, *test;
    cj_results *results = NULL;
    CJ_TRY(cj_load_dataset("auto", &train, &test));
    cj_model *model = convolution ? convolutional_network() : dense_network();
    CJ_TRY(cj_model_set_seed(model, seed));
    CJ_TRY(cj_model_reset_weights(model));
    CJ_TRY(cj_model_summary(model, stdout));
    const char *accuracy =
        convolution ? "spike_count_accuracy" : "spike_count_accuracy(threshold=1)";
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(convolution ? 1e-2 : 5e-4),
                      .loss = convolution ? "step_crossentropy" : "step_crossentropy(sum=true)",
                      .metrics = {accuracy}));
    CJ_TRY(cj_fit(model, train, .epochs = 1, .batch_size = BATCH, .verbose = CJ_BAR,
                  .steps_per_epoch = steps()));
    CJ_TRY(cj_evaluate(model, test, &results, .batch_size = BATCH));
    printf("Test accuracy: %.4f\n", cj_results_value(results, "spike_count_accuracy"));
    cj_release(results);
    cj_release(model);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

static cj_status run(bool convolution, uint64_t seed)
{
    CJ_TRY(by_hand());
    return read_digits(convolution, seed);
}

int main(int argc, char **argv)
{
    const bool convolution = argc > 1 && strcmp(argv[1], "convolution") == 0;
    const char *seed = argc > 1 ? argv[argc - 1] : "0";
    return cj_report(run(convolution, strtoull(seed, NULL, 10)));
}
