// Time of a training step of the tutorial's networks W1 to W3: forward, loss, backward, Adam. Prints milliseconds a
// step for each network and number of threads: the median of several rounds, and their least and greatest.
//
//   training [rounds]
//
// The peer that it is compared with, on the same shapes and in the same units: bench/peers/pytorch_training.py.
#define _POSIX_C_SOURCE 200809L
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS_A_ROUND = 40, ROUNDS_MAX = 101 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cj_layer *pixels(void)
{
    return cj_input_with(.shape = {28, 28, 1}, .dtype = "uint8");
}

static cj_model *w1(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static cj_model *w2(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_conv2d(10, {5, 5}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(20, {5, 5}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(50, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static cj_model *w3(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_conv2d(32, {3, 3}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(64, {3, 3}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static const struct {
    const char *name;
    cj_model *(*make)(void);
    int64_t batch;
} workloads[] = {{"W1", w1, 32}, {"W2", w2, 32}, {"W3", w3, 64}};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static cj_status measure(int which, int threads, cj_dataset *data, int rounds)
{
    double times[ROUNDS_MAX];
    cj_dataset *batches = NULL;
    cj_model *model = workloads[which].make();
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}, .pool = cj_pool_new(threads)));
    CJ_TRY(cj_dataset_slice(data, 0, workloads[which].batch * STEPS_A_ROUND, &batches));
    for (int round = -1; round < rounds; round++) { // the first warms up
        double begun = now();
        CJ_TRY(cj_fit(model, batches, .epochs = 1, .batch_size = workloads[which].batch));
        if (round >= 0)
            times[round] = (now() - begun) / STEPS_A_ROUND * 1e3;
    }
    qsort(times, (size_t)rounds, sizeof(times[0]), ascending);
    printf("%s batch %lld, %d thread%s: %.3f ms a step (%.3f to %.3f)\n", workloads[which].name,
           (long long)workloads[which].batch, threads, threads == 1 ? "" : "s", times[rounds / 2], times[0],
           times[rounds - 1]);
    cj_release(batches);
    cj_release(model);
    return CJ_OK;
}

static cj_status run(int rounds)
{
    cj_dataset *train = NULL, *test = NULL;
    printf("kernels: %s\n", cj_isa());
    CJ_TRY(cj_load_digits(&(cj_digits_args){.train_count = 64 * STEPS_A_ROUND, .test_count = 1}, &train, &test));
    for (int threads = 1; threads <= 2; threads++) {
        for (int which = 0; which < 3; which++)
            CJ_TRY(measure(which, threads, train, rounds));
    }
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    return cj_report(run(rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds));
}
