// What is done to data before a network sees it (chapter 2.6), on points in a plane and on pictures:
//
//   raw           x
//   centred       x - mean                     the cloud lies around zero
//   normalised    (x - mean) / deviation       ... and is as wide along both axes
//   decorrelated  (x - mean) U                 turned onto its main axes: no covariance is left (PCA)
//   whitened      (x - mean) U / sqrt(lambda)  ... and as wide along each of them: covariance 1
//
// U and lambda are the eigenvectors and eigenvalues of the covariance. Mean and deviation are those of
// the training samples, for whatever is predicted later: a Normalization layer keeps them in the model.
//
//   preprocessing [FOLDER]    writes preprocessing.svg and normalised.png
#include "drawing.h"
#include <math.h>
#include <stdlib.h>

enum { POINTS = 300, SIDE = 180 };

typedef struct moments {
    double mean[2], covariance[2][2];
} moments;

static moments moments_of(const double (*x)[2])
{
    moments m = {{0}, {{0}}};
    for (int i = 0; i < POINTS; i++)
        for (int a = 0; a < 2; a++)
            m.mean[a] += x[i][a] / POINTS;
    for (int i = 0; i < POINTS; i++)
        for (int a = 0; a < 2; a++)
            for (int b = 0; b < 2; b++)
                m.covariance[a][b] += (x[i][a] - m.mean[a]) * (x[i][b] - m.mean[b]) / POINTS;
    return m;
}

// Eigenvectors, the columns of u, and eigenvalues of a symmetric matrix, by one rotation (Jacobi 1846).
static void find_axes(const double c[2][2], double u[2][2], double lambda[2])
{
    const double angle = 0.5 * atan2(2 * c[0][1], c[0][0] - c[1][1]);
    u[0][0] = u[1][1] = cos(angle);
    u[1][0] = sin(angle);
    u[0][1] = -u[1][0];
    for (int k = 0; k < 2; k++)
        lambda[k] = u[0][k] * (c[0][0] * u[0][k] + c[0][1] * u[1][k]) +
                    u[1][k] * (c[1][0] * u[0][k] + c[1][1] * u[1][k]);
}

static cj_status make_points(double (*x)[2])
{
    cj_tensor *noise;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(POINTS, 2), &noise));
    CJ_TRY(cj_tensor_fill_normal(noise, 1, 0, 1));
    const float *n = cj_tensor_data(noise);
    for (int i = 0; i < POINTS; i++) {
        x[i][0] = 3 + 1.6 * (double)n[2 * i] + 0.2 * (double)n[2 * i + 1];
        x[i][1] = 2 + 0.9 * (double)n[2 * i] + 0.35 * (double)n[2 * i + 1];
    }
    cj_release(noise);
    return CJ_OK;
}

static void draw(FILE *file, int place, const char *title, const double (*x)[2])
{
    const panel p = {.file = file,
                     .left = 30 + place * (SIDE + 40),
                     .top = 30,
                     .width = SIDE,
                     .height = SIDE,
                     .x_low = -8,
                     .x_high = 8,
                     .y_low = -8,
                     .y_high = 8};
    fprintf(file, "<path stroke=\"#ccc\" d=\"M%.1f %.1fV%.1fM%.1f %.1fH%.1f\"/>\n", panel_x(&p, 0),
            p.top, p.top + SIDE, p.left, panel_y(&p, 0), p.left + SIDE);
    for (int i = 0; i < POINTS; i++)
        panel_point(&p, x[i][0], x[i][1], 1.5, "#1f5fa8", "none");
    panel_frame(&p, title);
    const moments m = moments_of(x);
    printf("%-13s mean %6.3f %6.3f, covariance %6.3f %6.3f %6.3f\n", title, m.mean[0], m.mean[1],
           m.covariance[0][0], m.covariance[0][1], m.covariance[1][1]);
}

static cj_status points(const char *folder)
{
    FILE *file;
    double x[5][POINTS][2]; // of each step
    double u[2][2], lambda[2];
    static const char *const titles[] = {"raw", "centred", "normalised", "decorrelated",
                                         "whitened"};
    CJ_TRY(make_points(x[0]));
    const moments m = moments_of((const double(*)[2])x[0]);
    find_axes(m.covariance, u, lambda);
    for (int i = 0; i < POINTS; i++)
        for (int a = 0; a < 2; a++) {
            const double centred[2] = {x[0][i][0] - m.mean[0], x[0][i][1] - m.mean[1]};
            x[1][i][a] = centred[a];
            x[2][i][a] = centred[a] / sqrt(m.covariance[a][a]);
            x[3][i][a] = centred[0] * u[0][a] + centred[1] * u[1][a];
            x[4][i][a] = x[3][i][a] / sqrt(lambda[a] + 1e-9);
        }
    CJ_TRY(drawing_open(folder, "preprocessing.svg", 5 * (SIDE + 40) + 10, SIDE + 60, &file));
    for (int step = 0; step < 5; step++)
        draw(file, step, titles[step], (const double(*)[2])x[step]);
    return drawing_close(file, "preprocessing.svg");
}

// Ten pictures raw, less the mean picture, and also divided by the deviation of each pixel: a
// Normalization layer that keeps all axes, adapted to a thousand pictures.
static cj_status pictures(const char *folder)
{
    char path[4096];
    cj_dataset *train, *test;
    cj_tensor *some, *first, *numbers, *normalised, *rows, *picture;
    if (cj_load_dataset("cifar10", &train, &test) != CJ_OK)
        CJ_TRY(cj_load_dataset("auto", &train, &test));
    const cj_shape *shape = cj_tensor_shape(cj_dataset_x(train, 0));
    CJ_TRY(cj_tensor_slice(cj_dataset_x(train, 0), 0, 0, 1000, &some));
    CJ_TRY(cj_tensor_slice(cj_dataset_x(train, 0), 0, 0, 10, &first));
    cj_model *model = cj_sequential(cj_input(shape->dims[1], shape->dims[2], shape->dims[3]),
                                    cj_normalization(.axis = {1, 2, 3}, .name = "normalization"));
    if (!model)
        return cj_error_status();
    CJ_TRY(cj_adapt(cj_model_layer_at(model, 0), some));
    CJ_TRY(cj_predict(model, first, &normalised));
    const cj_tensor *mean = cj_variable_value(cj_layer_variable(cj_model_layer(model), 0));
    CJ_TRY(cj_tensor_convert(first, CJ_F32, &numbers));
    const int64_t count = cj_tensor_count(first), pixels = count / 10;
    CJ_TRY(
        cj_tensor_new(CJ_U8, CJ_SHAPE(30, shape->dims[1], shape->dims[2], shape->dims[3]), &rows));
    uint8_t *bytes = cj_tensor_data(rows);
    for (int64_t i = 0; i < count; i++) {
        const double raw = (double)((const float *)cj_tensor_data(numbers))[i];
        const double centred = raw - (double)((const float *)cj_tensor_data(mean))[i % pixels];
        const double scaled = (double)((const float *)cj_tensor_data(normalised))[i] * 64;
        bytes[i] = (uint8_t)raw;
        bytes[count + i] = (uint8_t)fmin(255, fmax(0, 128 + centred / 2));
        bytes[2 * count + i] = (uint8_t)fmin(255, fmax(0, 128 + scaled));
    }
    CJ_TRY(cj_image_grid(rows, 10, &picture));
    snprintf(path, sizeof path, "%s/normalised.png", folder);
    CJ_TRY(cj_save_png(picture, path));
    printf("%s: pictures raw, less the mean picture, and normalised\n", path);
    cj_release(picture), cj_release(rows), cj_release(numbers), cj_release(normalised);
    cj_release(model), cj_release(first), cj_release(some);
    cj_release(train), cj_release(test);
    return CJ_OK;
}

static cj_status run(const char *folder)
{
    CJ_TRY(points(folder));
    return pictures(folder);
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : "."));
}
