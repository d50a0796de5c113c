// Over-fitting, and what is done against it (chapter 2.5).
//
// Sixty noisy points of two classes are learnt by networks with 3, 6 and 20 hidden neurons, and by one
// with 20 and a penalty lambda * sum(W^2): the pictures show what each makes of the whole plane. More
// neurons follow every point, the penalty smooths again. Then the loss on points that were not learnt
// tells over-fitting by numbers; so it does for a small convolutional network on few pictures, alone,
// with dropout, and with pictures that are moved and mirrored anew each time.
//
//   overfitting [FOLDER]    writes hidden.svg, lambda.svg, points.svg and images.svg
//
// For a quick look: CAJAL_EXAMPLE_SAMPLES=512 takes fewer epochs and pictures.
#include "drawing.h"
#include <math.h>
#include <stdlib.h>

enum {
    TRAINING = 60,
    VALIDATION = 600,
    GRID = 80,
    SIDE = 220,
    MOST_EPOCHS = 400,
    EACH = 10,
    RUNS = 4
};

static bool quick(void)
{
    return getenv("CAJAL_EXAMPLE_SAMPLES");
}

// ---- Points ----

// Two half-moons that reach into each other, with normal noise.
static cj_status make_points(int count, uint64_t seed, cj_dataset **data)
{
    cj_tensor *x, *y, *noise, *angle;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 2), &x));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 1), &y));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 2), &noise));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count), &angle));
    CJ_TRY(cj_tensor_fill_normal(noise, seed, 0, 0.3));
    CJ_TRY(cj_tensor_fill_uniform(angle, seed + 1, 0, 3.14159265358979));
    float *points = cj_tensor_data(x), *labels = cj_tensor_data(y);
    const float *shift = cj_tensor_data(noise), *at = cj_tensor_data(angle);
    for (int i = 0; i < count; i++) {
        const bool second = i % 2;
        labels[i] = second;
        points[2 * i] = (second ? 1 - cosf(at[i]) : cosf(at[i])) - 0.5F + shift[2 * i];
        points[2 * i + 1] = (second ? 0.5F - sinf(at[i]) : sinf(at[i])) - 0.25F + shift[2 * i + 1];
    }
    cj_release(noise);
    cj_release(angle);
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? CJ_OK : cj_error_status();
}

// One hidden layer; `noise` moves the points anew in each step, `dropout` silences hidden neurons.
static cj_model *network(int64_t hidden, double lambda, double noise, double dropout)
{
    char penalty[48];
    snprintf(penalty, sizeof penalty, "l2(%g)", lambda);
    cj_model *model = cj_sequential(
        cj_input(2), cj_gaussian_noise(noise),
        cj_dense(hidden, .activation = "tanh", .kernel_regularizer = penalty), cj_dropout(dropout),
        cj_dense(1, .activation = "sigmoid", .kernel_regularizer = penalty));
    if (!model || cj_compile(model, .optimizer = cj_adam(0.03), .loss = "binary_crossentropy",
                             .metrics = {"accuracy"}) != CJ_OK) {
        cj_release(model);
        return NULL;
    }
    return model;
}

// What the model makes of the plane: runs of one colour in each row.
static cj_status draw_plane(const panel *p, cj_model *model, const cj_dataset *points,
                            const char *title)
{
    cj_tensor *grid, *answers;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(GRID * GRID, 2), &grid));
    float *at = cj_tensor_data(grid);
    const double wide = (p->x_high - p->x_low) / GRID, high = (p->y_high - p->y_low) / GRID;
    for (int i = 0; i < GRID * GRID; i++) {
        at[2 * i] = (float)(p->x_low + (i % GRID + 0.5) * wide);
        at[2 * i + 1] = (float)(p->y_low + ((double)(i / GRID) + 0.5) * high);
    }
    CJ_TRY(cj_predict(model, grid, &answers, .batch_size = 1600));
    const float *answer = cj_tensor_data(answers);
    for (int row = 0; row < GRID; row++)
        for (int begin = 0, end; begin < GRID; begin = end) {
            const bool second = answer[row * GRID + begin] > 0.5F;
            for (end = begin + 1; end < GRID && (answer[row * GRID + end] > 0.5F) == second; end++)
                ;
            panel_box(p, p->x_low + begin * wide, p->x_low + end * wide, p->y_low + row * high,
                      p->y_low + (row + 1) * high + high / 10, second ? "#f4b8b0" : "#b8dcb8");
        }
    const float *x = cj_tensor_data(cj_dataset_x(points, 0)),
                *y = cj_tensor_data(cj_dataset_y(points, 0));
    for (int i = 0; i < TRAINING; i++)
        panel_point(p, x[2 * i], x[2 * i + 1], 4, y[i] > 0.5F ? "#c0392b" : "#2e8b57", "black");
    panel_frame(p, title);
    cj_release(grid);
    cj_release(answers);
    return CJ_OK;
}

// The tutorial's figure: three networks side by side, and how right each is.
static cj_status draw_three(const char *folder, const char *name, cj_dataset *train,
                            cj_dataset *validation, const int64_t *hidden, const double *lambda)
{
    FILE *file;
    CJ_TRY(drawing_open(folder, name, 3 * (SIDE + 50) + 20, SIDE + 60, &file));
    for (int i = 0; i < 3; i++) {
        char title[96];
        double right[2];
        cj_model *model = network(hidden[i], lambda[i], 0, 0);
        if (!model)
            return cj_error_status();
        CJ_TRY(cj_fit(model, train, .epochs = quick() ? 20 : 1500, .batch_size = TRAINING));
        for (int part = 0; part < 2; part++) {
            cj_results *results;
            CJ_TRY(cj_evaluate(model, part ? validation : train, &results, .batch_size = 600));
            right[part] = cj_results_value(results, "accuracy");
            cj_release(results);
        }
        snprintf(title, sizeof title, "%lld hidden, lambda %g: %.2f, new %.2f",
                 (long long)hidden[i], lambda[i], right[0], right[1]);
        printf("%s\n", title);
        const panel p = {.file = file,
                         .left = 40 + i * (SIDE + 50),
                         .top = 30,
                         .width = SIDE,
                         .height = SIDE,
                         .x_low = -2.4,
                         .x_high = 2.4,
                         .y_low = -1.8,
                         .y_high = 1.8};
        CJ_TRY(draw_plane(&p, model, train, title));
        cj_release(model);
    }
    return drawing_close(file, name);
}

// ---- Curves ----

// Losses and accuracies of several runs, training dashed, validation drawn through.
typedef struct curves {
    const char *names[RUNS];
    double loss[RUNS][MOST_EPOCHS], val_loss[RUNS][MOST_EPOCHS];
    double right[RUNS][MOST_EPOCHS], val_right[RUNS][MOST_EPOCHS];
    int runs, epochs;
} curves;

// Each point of a curve is the mean of `each` epochs.
static void keep_value(const cj_history *history, const char *name, int each, double *values)
{
    for (int e = 0; e < cj_history_epochs(history) / each * each; e++)
        values[e / each] += cj_history_value(history, name, e) / each;
}

static void keep(curves *c, const char *name, const cj_history *history, int each)
{
    const int run = c->runs++, epochs = cj_history_epochs(history);
    c->names[run] = name;
    c->epochs = epochs / each;
    keep_value(history, "loss", each, c->loss[run]);
    keep_value(history, "val_loss", each, c->val_loss[run]);
    keep_value(history, "accuracy", each, c->right[run]);
    keep_value(history, "val_accuracy", each, c->val_right[run]);
    printf("%-24s after %d epochs: training %.3f, validation %.3f\n", name, epochs,
           c->right[run][c->epochs - 1], c->val_right[run][c->epochs - 1]);
}

static cj_status draw_curves(const curves *c, const char *folder, const char *name,
                             double highest_loss, double lowest_right, int each)
{
    static const char *const colors[RUNS] = {"#c0392b", "#1f5fa8", "#2e8b57", "#8e44ad"};
    FILE *file;
    CJ_TRY(drawing_open(folder, name, 760, 330, &file));
    panel p = {.file = file,
               .left = 50,
               .top = 60,
               .width = 310,
               .height = 240,
               .x_low = 1,
               .x_high = c->epochs,
               .y_low = 0,
               .y_high = highest_loss};
    panel right = p;
    right.left = 425;
    right.y_low = lowest_right;
    right.y_high = 1;
    for (int i = 0; i < c->runs; i++) {
        panel_line(&p, c->loss[i], c->epochs, colors[i], "4 3");
        panel_line(&p, c->val_loss[i], c->epochs, colors[i], "none");
        panel_line(&right, c->right[i], c->epochs, colors[i], "4 3");
        panel_line(&right, c->val_right[i], c->epochs, colors[i], "none");
        fprintf(file, "<text x=\"%d\" y=\"20\" fill=\"%s\">%s</text>\n", 50 + 175 * i, colors[i],
                c->names[i]);
    }
    p.x_low = right.x_low = each; // epochs are told, not points
    p.x_high = right.x_high = c->epochs * each;
    panel_frame(&p, "loss by epoch (dashed: training)");
    panel_frame(&right, "accuracy by epoch (dashed: training)");
    return drawing_close(file, name);
}

static cj_status train_points(curves *c, const char *name, cj_model *model, cj_dataset *train,
                              cj_dataset *validation)
{
    cj_history *history;
    if (!model)
        return cj_error_status();
    CJ_TRY(cj_fit(model, train, .epochs = quick() ? 2 * EACH : MOST_EPOCHS, .batch_size = TRAINING,
                  .validation_data = validation, .validation_batch_size = VALIDATION,
                  .history = &history));
    keep(c, name, history, EACH);
    cj_release(history);
    cj_release(model);
    return CJ_OK;
}

// ---- Pictures ----

static cj_model *convolutional(const cj_shape *image, bool augmented, double dropout)
{
    const bool coloured = image->dims[3] == 3; // a mirrored digit is none
    cj_model *model = cj_sequential(
        cj_input(image->dims[1], image->dims[2], image->dims[3]), cj_rescaling(1.0 / 255),
        augmented && coloured ? cj_random_flip("horizontal") : cj_identity(),
        augmented ? cj_random_translation(0.1, 0.1) : cj_identity(),
        cj_conv2d(16, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
        cj_conv2d(32, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}), cj_flatten(),
        cj_dropout(dropout), cj_dense(64, .activation = "relu"), cj_dropout(dropout),
        cj_dense(10, .activation = "softmax"));
    if (!model ||
        cj_compile(model, .optimizer = cj_adam(0.001), .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy"}) != CJ_OK) {
        cj_release(model);
        return NULL;
    }
    return model;
}

static cj_status pictures(const char *folder)
{
    static const char *const names[] = {"alone", "dropout 0.5", "moved and mirrored", "both"};
    const int64_t samples = quick() ? 100 : 2000;
    cj_dataset *all, *test, *train, *validation;
    curves *c = calloc(1, sizeof *c);
    if (!c)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the curves");
    if (cj_load_dataset("cifar10", &all, &test) != CJ_OK)
        CJ_TRY(cj_load_dataset("auto", &all, &test));
    CJ_TRY(cj_dataset_slice(all, 0, samples, &train));
    CJ_TRY(cj_dataset_slice(test, 0, samples, &validation));
    for (int i = 0; i < RUNS; i++) {
        cj_history *history;
        cj_model *model = convolutional(cj_tensor_shape(cj_dataset_x(all, 0)), i >= 2, i % 2 * 0.5);
        if (!model)
            return cj_error_status();
        CJ_TRY(cj_fit(model, train, .epochs = quick() ? 2 : 40, .validation_data = validation,
                      .validation_batch_size = 500, .history = &history));
        keep(c, names[i], history, 1);
        cj_release(history);
        cj_release(model);
    }
    CJ_TRY(draw_curves(c, folder, "images.svg", 3, 0.2, 1));
    cj_release(all), cj_release(test), cj_release(train), cj_release(validation);
    free(c);
    return CJ_OK;
}

static cj_status run(const char *folder)
{
    cj_dataset *train, *validation;
    curves *c = calloc(1, sizeof *c);
    if (!c)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the curves");
    CJ_TRY(make_points(TRAINING, 4, &train));
    CJ_TRY(make_points(VALIDATION, 14, &validation));
    CJ_TRY(draw_three(folder, "hidden.svg", train, validation, (int64_t[]){3, 6, 20},
                      (double[]){0, 0, 0}));
    CJ_TRY(draw_three(folder, "lambda.svg", train, validation, (int64_t[]){20, 20, 20},
                      (double[]){0.001, 0.01, 0.1}));

    printf("\nPoints, 100 hidden neurons:\n");
    CJ_TRY(train_points(c, "alone", network(100, 0, 0, 0), train, validation));
    CJ_TRY(train_points(c, "lambda 0.003", network(100, 0.003, 0, 0), train, validation));
    CJ_TRY(train_points(c, "dropout 0.5", network(100, 0, 0, 0.5), train, validation));
    CJ_TRY(train_points(c, "points moved", network(100, 0, 0.3, 0), train, validation));
    CJ_TRY(draw_curves(c, folder, "points.svg", 1.2, 0.6, EACH));
    cj_release(train);
    cj_release(validation);
    free(c);

    printf("\nPictures, a convolutional network:\n");
    return pictures(folder);
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : "."));
}
