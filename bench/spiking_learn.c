// How far the convolutional spiking network of snnTorch's tutorial 6 goes on MNIST: 12 and 64 filters
// of 5 x 5, a decay of 0.5, the cross-entropy of the spikes of each step.
//
//   spiking_learn DIR [EPOCHS [STEPS [SHIFT]]]
//   spiking_learn tutorial [SEED]
//
// The first trains EPOCHS epochs (default 12) with Adam, from 2e-3 down a cosine: all but the last two
// with STEPS steps (default 12), which cost a fourth of 50 and give nearly the same gradients, as half
// of a membrane is gone after one step; the last two with 50. Images are moved by up to SHIFT of their
// width (default 0.07), but not in the last two epochs. After each epoch DIR has the network (DIR/
// network.safetensors) and a line of DIR/log.csv with the accuracy on all test images with 50 steps. Started
// again it goes on after the last line.
//
// The second is the tutorial itself: 150 batches of 128 at 1e-2.
#define _POSIX_C_SOURCE 200809L
#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BATCH = 128, ALL_STEPS = 50, LAST = 2, TUTORIAL_BATCHES = 150 };
static const double FIRST_RATE = 2e-3, PI = 3.14159265358979323846;

// As PyTorch draws weights and biases: uniform, within 1 / sqrt(inputs).
#define SMALL         "variance_scaling(scale=0.3333333,mode=fan_in,distribution=uniform)"
#define WITHIN(limit) "random_uniform(minval=-" limit ",maxval=" limit ")"

// The network begins silent, and gradients that pass three layers of silent neurons are about 1e-9. Adam
// divides them by their size plus epsilon, so epsilon has to be smaller still. PyTorch's 1e-8 counts as
// 3e-10 at the first step, since PyTorch adds it after the correction of the bias and Keras before.
static const double EPSILON = 3e-10;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cj_model *network(int64_t steps, double shift, const char *surrogate)
{
    return cj_sequential(
        cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
        cj_random_translation(shift, shift, .fill_mode = "constant"),
        cj_conv2d(12, {5, 5}, .kernel_initializer = SMALL, .bias_initializer = WITHIN("0.2")),
        cj_max_pooling2d(), cj_lif(0.5, .steps = steps, .surrogate = surrogate),
        cj_time_distributed(cj_conv2d(64, {5, 5}, .kernel_initializer = SMALL,
                                      .bias_initializer = WITHIN("0.0577"))),
        cj_time_distributed(cj_max_pooling2d()), cj_lif(0.5, .surrogate = surrogate),
        cj_time_distributed(cj_flatten()),
        cj_dense(10, .kernel_initializer = SMALL, .bias_initializer = WITHIN("0.03125")),
        cj_lif(0.5, .surrogate = surrogate));
}

static cj_status compile(cj_model *model, double rate)
{
    return cj_compile(model, .optimizer = cj_adam(rate, .epsilon = EPSILON),
                      .loss = "step_crossentropy", .metrics = {"spike_count_accuracy"});
}

// What is asked, and where its files are.
typedef struct course {
    int epochs, steps;
    double shift;
    char network[4096], log[4096];
} course;

// Epochs that the log has, lines after its first.
static int epochs_done(const course *c)
{
    int lines = 0;
    FILE *log = fopen(c->log, "r");
    for (int byte; log && (byte = fgetc(log)) != EOF;)
        lines += byte == '\n';
    if (log)
        fclose(log);
    return lines > 0 ? lines - 1 : 0;
}

static bool is_last(const course *c, int epoch)
{
    return epoch >= c->epochs - LAST;
}

// The network for an epoch: from its file where the epoch before had the same steps, so that Adam goes
// on too; else a new one with the weights of the file.
static cj_status network_for(const course *c, int epoch, cj_model **model)
{
    cj_model *before = epoch > 0 ? cj_load(c->network) : NULL;
    const bool last = is_last(c, epoch);
    *model = NULL;
    if (epoch > 0 && !before)
        return cj_error_status();
    if (epoch > 0 && last == is_last(c, epoch - 1)) {
        *model = before;
        return CJ_OK;
    }
    cj_model *made = network(last ? ALL_STEPS : c->steps, last ? 0 : c->shift, "fast_sigmoid");
    CJ_TRY(compile(made, FIRST_RATE));
    if (before)
        CJ_TRY(cj_copy_weights(made, before));
    cj_release(before);
    *model = made;
    return CJ_OK;
}

static cj_status test_accuracy(const cj_model *model, cj_dataset *test, double *accuracy)
{
    cj_results *results;
    cj_model *whole = network(ALL_STEPS, 0, "fast_sigmoid");
    CJ_TRY(compile(whole, FIRST_RATE));
    CJ_TRY(cj_copy_weights(whole, model));
    CJ_TRY(cj_evaluate(whole, test, &results, .batch_size = 100));
    *accuracy = cj_results_value(results, "spike_count_accuracy");
    cj_release(results);
    cj_release(whole);
    return CJ_OK;
}

static cj_status learn_epoch(const course *c, int epoch, cj_model *model, cj_dataset *train,
                             cj_dataset *test)
{
    double accuracy;
    cj_history *history = NULL;
    const double begin = now(), rate = FIRST_RATE * (1 + cos(PI * (epoch + 0.5) / c->epochs)) / 2;
    CJ_TRY(cj_set_learning_rate(model, rate));
    CJ_TRY(cj_fit(model, train, .epochs = 1, .batch_size = BATCH, .verbose = CJ_SILENT,
                  .history = &history));
    const double seconds = now() - begin, loss = cj_history_value(history, "loss", 0),
                 trained = cj_history_value(history, "spike_count_accuracy", 0);
    cj_release(history);
    CJ_TRY(test_accuracy(model, test, &accuracy));
    CJ_TRY(cj_save(model, c->network));
    FILE *log = fopen(c->log, epoch == 0 ? "w" : "a");
    if (!log)
        return CJ_IO;
    if (epoch == 0)
        fprintf(log, "epoch,steps,rate,loss,accuracy,test_accuracy,seconds\n");
    const int steps = is_last(c, epoch) ? ALL_STEPS : c->steps;
    fprintf(log, "%d,%d,%.6f,%.5f,%.5f,%.4f,%.1f\n", epoch + 1, steps, rate, loss, trained,
            accuracy, seconds);
    printf("epoch %d: loss %.4f, accuracy %.4f, test accuracy %.4f, %.1f s\n", epoch + 1, loss,
           trained, accuracy, seconds);
    fflush(stdout);
    return fclose(log) == 0 ? CJ_OK : CJ_IO;
}

static cj_status learn(course *c)
{
    cj_dataset *train, *test;
    CJ_TRY(cj_load_mnist(&train, &test));
    for (int epoch = epochs_done(c); epoch < c->epochs; epoch++) {
        cj_model *model;
        CJ_TRY(network_for(c, epoch, &model));
        CJ_TRY(learn_epoch(c, epoch, model, train, test));
        cj_release(model);
    }
    cj_release(train), cj_release(test);
    return CJ_OK;
}

static cj_status tutorial(uint64_t seed)
{
    cj_dataset *train, *test;
    cj_results *results;
    CJ_TRY(cj_load_mnist(&train, &test));
    cj_model *model = network(ALL_STEPS, 0, "fast_sigmoid");
    CJ_TRY(cj_model_set_seed(model, seed));
    CJ_TRY(cj_model_reset_weights(model));
    CJ_TRY(compile(model, 1e-2));
    const double begin = now();
    CJ_TRY(cj_fit(model, train, .epochs = 1, .batch_size = BATCH, .verbose = CJ_SILENT,
                  .steps_per_epoch = TUTORIAL_BATCHES));
    const double seconds = now() - begin;
    CJ_TRY(cj_evaluate(model, test, &results, .batch_size = 100));
    printf("seed %llu: %d batches in %.1f s, test accuracy %.4f\n", (unsigned long long)seed,
           TUTORIAL_BATCHES, seconds, cj_results_value(results, "spike_count_accuracy"));
    cj_release(results), cj_release(model), cj_release(train), cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "tutorial") == 0)
        return cj_report(tutorial(argc > 2 ? strtoull(argv[2], NULL, 10) : 0));
    course c = {.epochs = argc > 2 ? atoi(argv[2]) : 12,
                .steps = argc > 3 ? atoi(argv[3]) : 12,
                .shift = argc > 4 ? strtod(argv[4], NULL) : 0.07};
    if (argc < 2 || strlen(argv[1]) > 4000 || c.epochs <= LAST || c.steps < 1) {
        fprintf(stderr, "usage: spiking_learn DIR [EPOCHS [STEPS [SHIFT]]] | tutorial [SEED]\n");
        return 2;
    }
    mkdir(argv[1], 0777);
    snprintf(c.network, sizeof c.network, "%s/network.safetensors", argv[1]);
    snprintf(c.log, sizeof c.log, "%s/log.csv", argv[1]);
    return cj_report(learn(&c));
}
