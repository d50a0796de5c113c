// The confusion matrix: counted, printed, as CSV, and as a picture.
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static cj_status file_failed(const char *path)
{
    return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
}

int64_t best_of(const cj_tensor *probabilities, int64_t row, int64_t classes)
{
    int64_t best = 0;
    for (int64_t j = 1; j < classes; j++) {
        if (cj_tensor_get(probabilities, (int64_t[]){row, j}) >
            cj_tensor_get(probabilities, (int64_t[]){row, best}))
            best = j;
    }
    return best;
}

static cj_status predict_one(cj_model *model, cj_tensor *given, cj_tensor **probabilities)
{
    cj_tensor *input = NULL;
    CJ_TRY(fit_input(model, given, &input));
    const cj_status status =
        cj_predict(model, input, probabilities, .batch_size = batch_of(model, 256));
    cj_release(input);
    return status;
}

cj_status count_confusion(cj_model *model, cj_dataset *data, int64_t **counts, int *classes,
                          cj_tensor **probabilities)
{
    *counts = NULL;
    *probabilities = NULL;
    cj_tensor *inputs[2] = {cj_dataset_x(data, 0), cj_dataset_x(data, 1)};
    if (inputs[1])
        CJ_TRY(cj_predict_many(model, inputs, probabilities, .batch_size = batch_of(model, 256)));
    else
        CJ_TRY(predict_one(model, inputs[0], probabilities));
    const cj_shape *shape = cj_tensor_shape(*probabilities);
    if (shape->rank == 3 && cj_tensor_shape(cj_dataset_y(data, 0))->rank == 1 &&
        cj_tensor_dtype(*probabilities) == CJ_F32) {
        CJ_TRY(sum_steps(probabilities)); // of spikes or membranes
        shape = cj_tensor_shape(*probabilities);
    }
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

// ---- As a picture: a darker cell is a greater share of its row ----

enum { CELL = 36, EDGE = 60 };

static void draw_cell(FILE *file, int row, int column, int64_t count, double share)
{
    const int x = EDGE + column * CELL, y = EDGE + row * CELL;
    const int light = (int)(255 - 190 * sqrt(share)); // a few mistakes are still seen
    fprintf(file,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"rgb(%d,%d,255)\" "
            "stroke=\"#ccc\"/>\n",
            x, y, CELL, CELL, light, light);
    if (count > 0)
        fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"%s\">%lld</text>\n",
                x + CELL / 2, y + CELL / 2 + 4, share > 0.5 ? "white" : "black", (long long)count);
}

static void draw_row(FILE *file, const int64_t *counts, int classes, int row)
{
    int64_t all = 0;
    for (int j = 0; j < classes; j++)
        all += counts[j];
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d</text>\n", EDGE - 8,
            EDGE + row * CELL + CELL / 2 + 4, row);
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
            EDGE + row * CELL + CELL / 2, EDGE - 8, row);
    for (int j = 0; j < classes; j++)
        draw_cell(file, row, j, counts[j], all > 0 ? (double)counts[j] / (double)all : 0);
}

cj_status draw_confusion(const int64_t *counts, int classes, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return file_failed(path);
    const int size = EDGE + classes * CELL + 20;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            size, size);
    fprintf(file,
            "<text x=\"%d\" y=\"20\" text-anchor=\"middle\" font-size=\"14\">"
            "predicted class</text>\n",
            EDGE + classes * CELL / 2);
    fprintf(file,
            "<text transform=\"translate(20,%d) rotate(-90)\" text-anchor=\"middle\" "
            "font-size=\"14\">true class</text>\n",
            EDGE + classes * CELL / 2);
    for (int i = 0; i < classes; i++)
        draw_row(file, counts + (int64_t)i * classes, classes, i);
    fprintf(file, "</svg>\n");
    const bool failed = ferror(file) != 0;
    return fclose(file) != 0 || failed ? file_failed(path) : CJ_OK;
}
