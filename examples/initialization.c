// First weights (chapter 2.6): what becomes of signals on their way through ten layers of 500 neurons
// when weights begin at zero, too small, too large, or as large as Glorot and Bengio (2010) and He et
// al. (2015) computed. A histogram of the outputs of each layer shows it:
//
//   zero          nothing comes through, and all neurons would learn the same
//   0.01 N(0, 1)  signals shrink to nothing, and gradients with them
//   1.0 N(0, 1)   every neuron is driven to -1 or 1, where tanh has no slope
//   Xavier        N(0, 1) / sqrt(inputs): signals keep their size with tanh, but not with ReLU
//   He            N(0, 1) sqrt(2 / inputs): they do with ReLU
//
//   initialization [FOLDER]    writes initialization.svg
#include "drawing.h"
#include <math.h>

enum { LAYERS = 10, WIDTH = 500, SAMPLES = 1000, BINS = 40, RUNS = 6, SIDE = 88 };

static const struct {
    const char *name, *initializer, *activation;
} runs[RUNS] = {
    {"zero, tanh", "zeros", "tanh"},
    {"0.01 N(0, 1), tanh", "random_normal(stddev=0.01)", "tanh"},
    {"1.0 N(0, 1), tanh", "random_normal(stddev=1)", "tanh"},
    {"Xavier, tanh",
     "variance_scaling(scale=1, mode=\"fan_in\", distribution=\"untruncated_normal\")", "tanh"},
    {"Xavier, ReLU",
     "variance_scaling(scale=1, mode=\"fan_in\", distribution=\"untruncated_normal\")", "relu"},
    {"He, ReLU", "variance_scaling(scale=2, mode=\"fan_in\", distribution=\"untruncated_normal\")",
     "relu"},
};

// A model that gives the outputs of all its layers.
static cj_model *make_model(int run)
{
    cj_symbol *input = cj_input_symbol(WIDTH), *outputs[LAYERS], *x = input;
    for (int i = 0; i < LAYERS; i++) {
        x = cj_apply(cj_dense(WIDTH, .activation = runs[run].activation,
                              .kernel_initializer = runs[run].initializer),
                     x);
        outputs[i] = x;
    }
    return cj_functional(.inputs = {input}, .outputs_list = outputs, .outputs_count = LAYERS);
}

// How the outputs of a layer lie between `low` and `high`; those beyond count to the ends.
static void draw_histogram(const panel *p, const cj_tensor *output, double *mean, double *deviation)
{
    const float *y = cj_tensor_data(output);
    const int64_t count = cj_tensor_count(output);
    double shares[BINS] = {0}, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)y[i];
        int bin = (int)floor((value - p->x_low) / (p->x_high - p->x_low) * BINS);
        bin = bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
        shares[bin] += 1.0 / (double)count;
        sum += value;
        squares += value * value;
    }
    *mean = sum / (double)count;
    *deviation = sqrt(fmax(0, squares / (double)count - *mean * *mean));
    const double wide = (p->x_high - p->x_low) / BINS;
    for (int bin = 0; bin < BINS; bin++)
        if (shares[bin] > 0)
            panel_box(p, p->x_low + bin * wide, p->x_low + (bin + 1) * wide, 0, shares[bin],
                      "#1f5fa8");
}

static cj_status draw_run(FILE *file, int run, cj_tensor *samples)
{
    cj_tensor *outputs[LAYERS];
    cj_model *model = make_model(run);
    if (!model)
        return cj_error_status();
    CJ_TRY(cj_predict_many(model, &samples, outputs, .batch_size = SAMPLES));
    const int top = 40 + run * (SIDE + 50);
    fprintf(file, "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s</text>\n", top - 22,
            runs[run].name);
    printf("%s\n", runs[run].name);
    for (int i = 0; i < LAYERS; i++) {
        char title[64];
        double mean, deviation;
        const bool relu = strcmp(runs[run].activation, "relu") == 0;
        const panel p = {.file = file,
                         .left = 30 + i * (SIDE + 22),
                         .top = top,
                         .width = SIDE,
                         .height = SIDE,
                         .x_low = relu ? 0 : -1,
                         .x_high = relu ? 3 : 1,
                         .y_low = 0,
                         .y_high = 0.2};
        draw_histogram(&p, outputs[i], &mean, &deviation);
        snprintf(title, sizeof title, "%d: %.3g", i + 1, deviation);
        panel_frame(&p, title);
        printf("  layer %2d: mean %9.6f, deviation %.6f\n", i + 1, mean, deviation);
        cj_release(outputs[i]);
    }
    cj_release(model);
    return CJ_OK;
}

static cj_status run(const char *folder)
{
    FILE *file;
    cj_tensor *samples;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, WIDTH), &samples));
    CJ_TRY(cj_tensor_fill_normal(samples, 3, 0, 1));
    CJ_TRY(drawing_open(folder, "initialization.svg", LAYERS * (SIDE + 22) + 40,
                        RUNS * (SIDE + 50) + 20, &file));
    for (int i = 0; i < RUNS; i++)
        CJ_TRY(draw_run(file, i, samples));
    cj_release(samples);
    return drawing_close(file, "initialization.svg");
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : "."));
}
