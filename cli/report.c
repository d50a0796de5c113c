// What a run leaves behind: a curve, a confusion matrix, a picture of mistakes.
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- The curve: loss above, accuracy below, an SVG that any browser shows ----

enum { WIDTH = 640, PANEL = 220, LEFT = 60, GAP = 40, TOP = 30 };

static void span_of(const cj_history *history, const char *const *names, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int n = 0; n < 2; n++) {
        for (int e = 0; e < cj_history_epochs(history); e++) {
            double value = cj_history_value(history, names[n], e);
            if (isfinite(value)) {
                *low = value < *low ? value : *low;
                *high = value > *high ? value : *high;
            }
        }
    }
    if (!(*low <= *high))
        *low = 0, *high = 1;
    double margin = *high > *low ? (*high - *low) * 0.05 : 0.5;
    *low -= margin;
    *high += margin;
}

static void draw_line(FILE *file, const cj_history *history, const char *name, const char *color,
                      int top, double low, double high)
{
    int epochs = cj_history_epochs(history);
    fprintf(file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", color);
    for (int e = 0; e < epochs; e++) {
        double value = cj_history_value(history, name, e);
        if (isfinite(value))
            fprintf(file, "%.1f,%.1f ", LEFT + (e + 0.5) * (WIDTH - LEFT - 20) / epochs,
                    top + PANEL * (1 - (value - low) / (high - low)));
    }
    fprintf(file, "\"/>\n");
}

static void draw_panel(FILE *file, const cj_history *history, const char *name, int top)
{
    char validation[64];
    snprintf(validation, sizeof(validation), "val_%.48s", name);
    const char *const names[2] = {name, validation};
    double low = 0, high = 0;
    span_of(history, names, &low, &high);
    fprintf(file,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>\n",
            LEFT, top, WIDTH - LEFT - 20, PANEL);
    for (int i = 0; i <= 4; i++)
        fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>\n", LEFT - 6,
                top + PANEL * i / 4 + 4, high - (high - low) * i / 4);
    int epochs = cj_history_epochs(history);
    for (int e = 0; e < epochs; e += epochs / 12 + 1)
        fprintf(file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
                LEFT + (e + 0.5) * (WIDTH - LEFT - 20) / epochs, top + PANEL + 14, e + 1);
    fprintf(file,
            "<text x=\"%d\" y=\"%d\" fill=\"#1f5fa8\">%s</text><text x=\"%d\" y=\"%d\" "
            "fill=\"#c0392b\">%s</text>\n",
            LEFT, top - 6, name, LEFT + 100, top - 6, validation);
    draw_line(file, history, name, "#1f5fa8", top, low, high);
    draw_line(file, history, validation, "#c0392b", top, low, high);
}

static cj_status file_failed(const char *path)
{
    fprintf(stderr, "cajal: cannot write \"%s\"\n", path);
    return CJ_IO;
}

cj_status write_curve(const cj_history *history, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return file_failed(path);
    int height = TOP + 2 * PANEL + GAP + 30;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" "
            "font-size=\"11\"><rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, height);
    draw_panel(file, history, "loss", TOP);
    draw_panel(file, history, "accuracy", TOP + PANEL + GAP);
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text></svg>\n", WIDTH / 2,
            height - 4);
    bool failed = ferror(file) != 0;
    return fclose(file) != 0 || failed ? file_failed(path) : CJ_OK;
}

// ---- The confusion matrix ----

static int64_t best_of(const cj_tensor *probabilities, int64_t row, int64_t classes)
{
    int64_t best = 0;
    for (int64_t j = 1; j < classes; j++) {
        if (cj_tensor_get(probabilities, (int64_t[]){row, j}) >
            cj_tensor_get(probabilities, (int64_t[]){row, best}))
            best = j;
    }
    return best;
}

cj_status count_confusion(cj_model *model, cj_dataset *data, int64_t **counts, int *classes,
                          cj_tensor **probabilities)
{
    *counts = NULL;
    *probabilities = NULL;
    cj_tensor *input = NULL;
    CJ_TRY(fit_input(model, cj_dataset_x(data, 0), &input));
    cj_status status = cj_predict(model, input, probabilities, .batch_size = 256);
    cj_release(input);
    CJ_TRY(status);
    const cj_shape *shape = cj_tensor_shape(*probabilities);
    *classes = shape->rank == 2 ? (int)shape->dims[1] : 0;
    *counts = calloc((size_t)*classes * (size_t)*classes + 1, sizeof(**counts));
    if (!*counts)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < cj_dataset_count(data) && *classes > 0; i++) {
        int64_t label = (int64_t)cj_tensor_get(cj_dataset_y(data, 0), &i);
        if (label >= 0 && label < *classes)
            (*counts)[label * *classes + best_of(*probabilities, i, *classes)]++;
    }
    return CJ_OK;
}

void print_confusion(const int64_t *counts, int classes, FILE *stream)
{
    fprintf(stream, "confusion matrix: a row a true class, a column a predicted one\n      ");
    for (int j = 0; j < classes; j++)
        fprintf(stream, "%6d", j);
    fputc('\n', stream);
    for (int i = 0; i < classes; i++) {
        fprintf(stream, "%5d ", i);
        for (int j = 0; j < classes; j++) {
            if (counts[i * classes + j] != 0)
                fprintf(stream, "%6lld", (long long)counts[i * classes + j]);
            else
                fprintf(stream, "     .");
        }
        fputc('\n', stream);
    }
}

cj_status write_confusion(const int64_t *counts, int classes, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return file_failed(path);
    fprintf(file, "true\\predicted");
    for (int j = 0; j < classes; j++)
        fprintf(file, ",%d", j);
    for (int i = 0; i < classes; i++) {
        fprintf(file, "\n%d", i);
        for (int j = 0; j < classes; j++)
            fprintf(file, ",%lld", (long long)counts[i * classes + j]);
    }
    fputc('\n', file);
    bool failed = ferror(file) != 0;
    return fclose(file) != 0 || failed ? file_failed(path) : CJ_OK;
}

// ---- Mistakes: the first hundred images that were taken for another class ----

cj_status write_mistakes(const cj_tensor *images, const uint8_t *labels,
                         const cj_tensor *probabilities, const char *path)
{
    enum { MOST = 100, COLUMNS = 10 };
    const cj_shape *shape = cj_tensor_shape(images);
    int64_t size = cj_tensor_count(images) / (shape->dims[0] > 0 ? shape->dims[0] : 1), found = 0;
    cj_shape picked_shape = *shape;
    picked_shape.dims[0] = MOST;
    cj_tensor *picked = NULL, *picture = NULL, *used = NULL;
    CJ_TRY(cj_tensor_new(CJ_U8, picked_shape, &picked));
    int64_t classes = cj_tensor_shape(probabilities)->dims[1];
    for (int64_t i = 0; i < shape->dims[0] && found < MOST; i++) {
        if (best_of(probabilities, i, classes) == labels[i])
            continue;
        memcpy((uint8_t *)cj_tensor_data(picked) + found * size,
               (const uint8_t *)cj_tensor_data(images) + i * size, (size_t)size);
        found++;
    }
    cj_status status = cj_tensor_slice(picked, 0, 0, found > 0 ? found : 1, &used);
    if (status == CJ_OK)
        status = cj_image_grid(used, COLUMNS, &picture);
    if (status == CJ_OK)
        status = cj_save_png(picture, path);
    cj_release(used);
    cj_release(picture);
    cj_release(picked);
    return status;
}
