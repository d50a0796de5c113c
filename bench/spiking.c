// Spiking networks: how fast they learn, what a step of a long sequence costs, and how near a converted
// network comes to the one that it was made of.
//
//   spiking serve dense|convolution   for each line of standard input, three training steps on a batch of
//                                     128, and the milliseconds of one: bench/peers/spiking.py takes turns
//   spiking plan dense|convolution    the calls of a training step on a batch of 128, with their times
//   spiking rates                     milliseconds of a convolution and of a product over spikes by their rate:
//                                     run it again with CAJAL_PLAN=-sparse_spikes
//   spiking lengths                   microseconds a step of sequences of 10 to 1,000 steps
//   spiking convert MODEL PERCENTILE  accuracy on MNIST after 1, 2, 4, ... 64 steps; [SAMPLES]
//   spiking learn EPOCHS              accuracy of the convolutional network after each epoch; [FILE [RATE]]:
//                                     the file is read first if it is there, and written after each epoch
#define _POSIX_C_SOURCE 200809L
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 128, CLASSES = 10, ROUNDS = 5 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cj_model *dense(void)
{
    return cj_sequential(cj_input(784), cj_dense(1000), cj_lif(0.95, .steps = 25),
                         cj_dense(CLASSES), cj_lif(0.95, .output = "membrane"));
}

// As snnTorch's tutorial 6 has it: 12 and 64 filters of 5 x 5, 50 steps, a decay of 0.5.
static cj_model *convolution(void)
{
    return cj_sequential(
        cj_input(28, 28, 1), cj_conv2d(12, {5, 5}), cj_max_pooling2d(),
        cj_lif(0.5, .steps = 50, .surrogate = "fast_sigmoid"),
        cj_time_distributed(cj_conv2d(64, {5, 5})), cj_time_distributed(cj_max_pooling2d()),
        cj_lif(0.5, .surrogate = "fast_sigmoid"), cj_time_distributed(cj_flatten()),
        cj_dense(CLASSES), cj_lif(0.5, .surrogate = "fast_sigmoid"));
}

static cj_status compile(cj_model *model, bool convolves, double rate)
{
    return cj_compile(
        model, .optimizer = cj_adam(rate),
        .loss = convolves ? "step_crossentropy" : "step_crossentropy(sum=true)",
        .metrics = {convolves ? "spike_count_accuracy" : "spike_count_accuracy(threshold=1)"});
}

static cj_status random_batch(cj_shape shape, cj_dataset **data)
{
    cj_tensor *x, *y;
    uint32_t state = 1;
    CJ_TRY(cj_tensor_new(CJ_F32, shape, &x));
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(shape.dims[0]), &y));
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        state = state * 1664525u + 1013904223u;
        ((float *)cj_tensor_data(x))[i] = (float)(state >> 8) / (float)(1 << 24);
    }
    for (int64_t i = 0; i < shape.dims[0]; i++)
        ((int32_t *)cj_tensor_data(y))[i] = (int32_t)(i % CLASSES);
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? CJ_OK : cj_error_status();
}

// ---- serve ----

static cj_status serve(bool convolves)
{
    char line[64];
    cj_dataset *data;
    cj_model *model = convolves ? convolution() : dense();
    CJ_TRY(compile(model, convolves, 5e-4));
    CJ_TRY(random_batch(convolves ? CJ_SHAPE(BATCH, 28, 28, 1) : CJ_SHAPE(BATCH, 784), &data));
    CJ_TRY(cj_train_on_batch(model, data, NULL));
    while (fgets(line, sizeof line, stdin)) {
        const double begin = now();
        for (int i = 0; i < 3; i++)
            CJ_TRY(cj_train_on_batch(model, data, NULL));
        printf("%.3f\n", 1e3 * (now() - begin) / 3);
        fflush(stdout);
    }
    cj_release(model);
    cj_release(data);
    return CJ_OK;
}

static cj_status print_plan(bool convolves)
{
    cj_model *model = convolves ? convolution() : dense();
    CJ_TRY(compile(model, convolves, 5e-4));
    CJ_TRY(cj_plan(model, .batch_size = BATCH, .training = true, .rounds = 2));
    cj_release(model);
    return CJ_OK;
}

// ---- rates ----

// The least of several predictions over spikes of a rate, in milliseconds. The neurons pass on the ones
// that they get.
static cj_status time_rate(bool convolves, double rate, double *least)
{
    cj_tensor *x, *y;
    uint32_t state = 1;
    cj_model *model =
        convolves ? cj_sequential(cj_input(50, 12, 12, 12), cj_lif(0, .threshold = 0.5),
                                  cj_time_distributed(cj_conv2d(64, {5, 5}))) :
                    cj_sequential(cj_input(25, 1000), cj_lif(0, .threshold = 0.5), cj_dense(10));
    CJ_TRY(cj_tensor_new(CJ_F32,
                         convolves ? CJ_SHAPE(16, 50, 12, 12, 12) : CJ_SHAPE(BATCH, 25, 1000), &x));
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        state = state * 1664525u + 1013904223u;
        ((float *)cj_tensor_data(x))[i] = (double)(state >> 8) < rate * (1 << 24) ? 1 : 0;
    }
    *least = 1e30;
    for (int round = 0; round <= ROUNDS; round++) {
        const double begin = now();
        CJ_TRY(cj_predict(model, x, &y, .batch_size = BATCH));
        const double each = 1e3 * (now() - begin);
        *least = round > 0 && each < *least ? each : *least;
        cj_release(y);
    }
    cj_release(model), cj_release(x);
    return CJ_OK;
}

static cj_status rates(void)
{
    static const double all[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5};
    printf("rate    ms, convolution   product\n");
    for (int i = 0; i < 7; i++) {
        double convolution, product;
        CJ_TRY(time_rate(true, all[i], &convolution));
        CJ_TRY(time_rate(false, all[i], &product));
        printf("%4.0f %%   %13.2f   %7.2f\n", 100 * all[i], convolution, product);
    }
    return CJ_OK;
}

// ---- lengths ----

// The least of several rounds, in microseconds a step of time.
static cj_status time_length(int64_t steps, bool recurrent, double *least)
{
    cj_dataset *data;
    cj_model *model = cj_sequential(cj_input(steps, 64), cj_dense(128),
                                    cj_lif(0.9, .recurrent = recurrent ? "dense" : "none"),
                                    cj_dense(CLASSES), cj_lif(0.9, .output = "membrane"));
    const int repeats = (int)(1000 / steps);
    CJ_TRY(compile(model, false, 1e-3));
    CJ_TRY(random_batch(CJ_SHAPE(32, steps, 64), &data));
    CJ_TRY(cj_train_on_batch(model, data, NULL));
    *least = 1e30;
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = now();
        for (int i = 0; i < repeats; i++)
            CJ_TRY(cj_train_on_batch(model, data, NULL));
        const double each = 1e6 * (now() - begin) / (double)(repeats * steps);
        *least = each < *least ? each : *least;
    }
    cj_release(model);
    cj_release(data);
    return CJ_OK;
}

static cj_status lengths(void)
{
    const int64_t all[] = {10, 100, 1000};
    printf("steps   us a step, none recurrent   recurrent\n");
    for (int i = 0; i < 3; i++) {
        double plain, recurrent;
        CJ_TRY(time_length(all[i], false, &plain));
        CJ_TRY(time_length(all[i], true, &recurrent));
        printf("%5lld   %26.2f   %9.2f\n", (long long)all[i], plain, recurrent);
    }
    return CJ_OK;
}

// ---- convert ----

// Counts right answers of the running means after 1, 2, 4, ... steps.
static void count_right(const cj_tensor *steps, const cj_tensor *labels, int64_t first,
                        int64_t *right)
{
    const cj_shape *shape = cj_tensor_shape(steps);
    const float *y = cj_tensor_data(steps);
    const uint8_t *label = cj_tensor_data(labels);
    for (int64_t s = 0; s < shape->dims[0]; s++) {
        double sums[CLASSES] = {0};
        int at = 0;
        for (int64_t t = 0; t < shape->dims[1]; t++) {
            int best = 0;
            for (int k = 0; k < CLASSES; k++)
                sums[k] += (double)*y++;
            for (int k = 1; k < CLASSES; k++)
                best = sums[k] > sums[best] ? k : best;
            if (((t + 1) & t) == 0)
                right[at++] += best == label[first + s];
        }
    }
}

static cj_status convert(const char *path, double percentile, int64_t samples)
{
    enum { STEPS = 64, PART = 50 };
    cj_dataset *train, *test;
    cj_tensor *balance, *x, *y;
    cj_results *results;
    int64_t right[7] = {0};
    cj_model *model = cj_load(path);
    CJ_TRY(cj_load_mnist(&train, &test));
    CJ_TRY(cj_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    cj_dataset *some;
    CJ_TRY(cj_dataset_slice(test, 0, samples, &some));
    CJ_TRY(cj_evaluate(model, some, &results));
    cj_release(some);
    CJ_TRY(cj_tensor_slice(cj_dataset_x(train, 0), 0, 0, 512, &balance));
    cj_model *spiking = cj_spiking_convert(model, balance, .steps = STEPS, .percentile = percentile,
                                           .output = "steps");
    for (int64_t at = 0; at < samples; at += PART) {
        CJ_TRY(cj_tensor_slice(cj_dataset_x(test, 0), 0, at, PART, &x));
        CJ_TRY(cj_predict(spiking, x, &y));
        count_right(y, cj_dataset_y(test, 0), at, right);
        cj_release(x), cj_release(y);
    }
    printf("trained %.2f; percentile %g;", 100 * cj_results_value(results, "accuracy"), percentile);
    for (int i = 0; i < 7; i++)
        printf(" T=%d %.2f", 1 << i, 100 * (double)right[i] / (double)samples);
    printf("\n");
    cj_release(results), cj_release(balance), cj_release(spiking), cj_release(model);
    cj_release(train), cj_release(test);
    return CJ_OK;
}

// ---- learn ----

static cj_status learn(int64_t epochs, const char *path, double rate)
{
    cj_dataset *train, *test;
    cj_results *results;
    const bool goes_on = path && access(path, R_OK) == 0;
    cj_model *model = goes_on ? cj_load(path) :
                                cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
                                              cj_model_layer(convolution()));
    CJ_TRY(cj_load_mnist(&train, &test));
    if (!goes_on)
        CJ_TRY(compile(model, true, 2e-3));
    if (rate > 0)
        CJ_TRY(cj_set_learning_rate(model, rate));
    for (int64_t epoch = 0; epoch < epochs; epoch++) {
        const double begin = now();
        CJ_TRY(cj_fit(model, train, .epochs = 1, .batch_size = BATCH, .verbose = CJ_SILENT));
        const double seconds = now() - begin;
        CJ_TRY(cj_evaluate(model, test, &results, .batch_size = 100));
        printf("%.2f s, test accuracy %.4f\n", seconds,
               cj_results_value(results, "spike_count_accuracy"));
        fflush(stdout);
        cj_release(results);
        if (path)
            CJ_TRY(cj_save(model, path));
    }
    cj_release(model), cj_release(train), cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "serve") == 0)
        return cj_report(serve(argc > 2 && strcmp(argv[2], "convolution") == 0));
    if (strcmp(mode, "plan") == 0)
        return cj_report(print_plan(argc > 2 && strcmp(argv[2], "convolution") == 0));
    if (strcmp(mode, "rates") == 0)
        return cj_report(rates());
    if (strcmp(mode, "lengths") == 0)
        return cj_report(lengths());
    if (strcmp(mode, "convert") == 0 && argc > 3)
        return cj_report(
            convert(argv[2], strtod(argv[3], NULL), argc > 4 ? strtoll(argv[4], NULL, 10) : 10000));
    if (strcmp(mode, "learn") == 0 && argc > 2)
        return cj_report(learn(strtoll(argv[2], NULL, 10), argc > 3 ? argv[3] : NULL,
                               argc > 4 ? strtod(argv[4], NULL) : 0));
    fprintf(stderr,
            "usage: spiking serve dense|convolution | plan dense|convolution | rates | lengths | "
            "convert MODEL PERCENTILE "
            "[SAMPLES] | learn EPOCHS [FILE [RATE]]\n");
    return 2;
}
