// See knn.h.
#include "knn.h"
#include "sheet.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

// ---- neighbours ----

enum { GAP = 6, FRAME = 3 };

typedef struct view {
    sheet s;
    const cj_dataset *train, *queries;
    const char *data_name;
    int zoom;
    int64_t width, height; // of an image
    int64_t k;
} view;

static int64_t label_of(const cj_dataset *data, int64_t sample)
{
    return (int64_t)cj_tensor_get(cj_dataset_y(data, 0), (int64_t[]){sample, 0});
}

// One image in a frame, its class below it.
static void draw_one(const view *v, const cj_dataset *data, int64_t sample, int64_t column,
                     int64_t row, bool right)
{
    char name[64];
    const uint8_t *rgb = right ? sheet_green : sheet_red;
    const int64_t x = GAP + column * (v->width + GAP) + (column > 0 ? 3 * GAP : 0);
    const int64_t y = GAP + row * (v->height + SHEET_LINE + GAP);
    sheet_box(&v->s, x - FRAME, y - FRAME, v->width + 2 * FRAME, v->height + 2 * FRAME, rgb);
    sheet_image(&v->s, cj_dataset_x(data, 0), sample, v->zoom, x, y);
    name_of_class(v->data_name, data, label_of(data, sample), name, sizeof name);
    sheet_write(&v->s, name, x, y + v->height + FRAME + 1, v->width, rgb);
}

static void draw_row(const view *v, int64_t row, const int64_t *neighbors, int64_t answer)
{
    const int64_t label = label_of(v->queries, row);
    draw_one(v, v->queries, row, 0, row, answer == label);
    for (int64_t i = 0; i < v->k; i++)
        draw_one(v, v->train, neighbors[i], i + 1, row, label_of(v->train, neighbors[i]) == label);
}

static cj_status draw_rows(view *v, const cj_tensor *indices, const cj_tensor *labels,
                           const char *path)
{
    const int64_t rows = cj_tensor_shape(indices)->dims[0];
    CJ_TRY(sheet_open(&v->s, GAP + (v->k + 1) * (v->width + GAP) + 3 * GAP,
                      GAP + rows * (v->height + SHEET_LINE + GAP)));
    for (int64_t row = 0; row < rows; row++)
        draw_row(v, row, (const int64_t *)cj_tensor_data(indices) + row * v->k,
                 ((const int32_t *)cj_tensor_data(labels))[row]);
    const cj_status status = sheet_save(&v->s, path);
    sheet_close(&v->s);
    return status;
}

cj_status draw_neighbors(cj_knn *knn, const cj_dataset *train, const cj_dataset *queries,
                         const char *data_name, int64_t k, int64_t rows, const char *path)
{
    const cj_tensor *images = cj_dataset_x(queries, 0);
    cj_tensor *some = NULL, *indices = NULL, *labels = NULL;
    if (!has_images(images) || !has_images(cj_dataset_x(train, 0)))
        return cj_fail(CJ_SHAPE_MISMATCH,
                       "--picture: the samples of %s are no images of 1 or 3 channels", data_name);
    const cj_shape *shape = cj_tensor_shape(images);
    view v = {.train = train,
              .queries = queries,
              .data_name = data_name,
              .k = k,
              .zoom = sheet_zoom(shape)};
    v.width = shape->dims[2] * v.zoom;
    v.height = shape->dims[1] * v.zoom;
    rows = rows < cj_dataset_count(queries) ? rows : cj_dataset_count(queries);
    cj_status status = cj_tensor_slice(images, 0, 0, rows, &some);
    if (status == CJ_OK)
        status = cj_knn_neighbors(knn, some, k, NULL, &indices);
    if (status == CJ_OK)
        status = cj_knn_predict(knn, some, &labels);
    if (status == CJ_OK)
        status = draw_rows(&v, indices, labels, path);
    cj_release(labels);
    cj_release(indices);
    cj_release(some);
    return status;
}

// ---- accuracy by k ----

enum { WIDTH = 680, HEIGHT = 400, LEFT = 70, RIGHT = 30, TOP = 50, BOTTOM = 50 };

typedef struct chart {
    FILE *file;
    const cj_knn_scores *scores;
    double low, high, step; // of the accuracies
} chart;

static double x_of(const chart *c, int index)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (index + 0.5) / cj_knn_scores_count(c->scores);
}

static double y_of(const chart *c, double accuracy)
{
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (accuracy - c->low) / (c->high - c->low));
}

// Round limits around all values.
static void find_range(chart *c)
{
    double low = 1, high = 0;
    for (int i = 0; i < cj_knn_scores_count(c->scores); i++)
        for (int f = 0; f < cj_knn_scores_folds(c->scores); f++) {
            low = fmin(low, cj_knn_scores_accuracy(c->scores, i, f));
            high = fmax(high, cj_knn_scores_accuracy(c->scores, i, f));
        }
    c->step = high - low < 0.02 ? 0.002 : high - low < 0.05 ? 0.01 : high - low < 0.25 ? 0.02 : 0.1;
    c->low = c->step * floor(low / c->step - 0.2);
    c->high = c->step * ceil(high / c->step + 0.2);
}

static void draw_axes(const chart *c)
{
    const int ticks = (int)lround((c->high - c->low) / c->step);
    for (int i = 0; i <= ticks; i++) {
        const double value = c->low + i * c->step, y = y_of(c, value);
        fprintf(c->file, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n", LEFT, y, WIDTH - RIGHT);
        fprintf(c->file, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n", LEFT - 8,
                y + 4, value);
    }
    for (int i = 0; i < cj_knn_scores_count(c->scores); i++)
        fprintf(c->file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%" PRId64 "</text>\n",
                x_of(c, i), HEIGHT - BOTTOM + 18, cj_knn_scores_k(c->scores, i));
    fprintf(c->file,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">k</text>\n"
            "<text x=\"%d\" y=\"26\" text-anchor=\"middle\" font-size=\"16\">Accuracy by k in %d "
            "folds</text>\n",
            WIDTH / 2, HEIGHT - 12, WIDTH / 2, cj_knn_scores_folds(c->scores));
}

static void draw_values(const chart *c)
{
    const int count = cj_knn_scores_count(c->scores);
    fprintf(c->file, "<path fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\" d=\"");
    for (int i = 0; i < count; i++)
        fprintf(c->file, "%c%.1f %.1f", i ? 'L' : 'M', x_of(c, i),
                y_of(c, cj_knn_scores_mean(c->scores, i)));
    fprintf(c->file, "\"/>\n");
    for (int i = 0; i < count; i++) {
        const double mean = cj_knn_scores_mean(c->scores, i),
                     deviation = cj_knn_scores_deviation(c->scores, i);
        fprintf(c->file,
                "<path d=\"M%.1f %.1fV%.1fm-5 0h10M%.1f %.1fh10\" stroke=\"#1f5fa8\" "
                "stroke-width=\"1.5\" fill=\"none\"/>\n",
                x_of(c, i), y_of(c, mean - deviation), y_of(c, mean + deviation), x_of(c, i) - 5,
                y_of(c, mean - deviation));
        for (int f = 0; f < cj_knn_scores_folds(c->scores); f++)
            fprintf(c->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#c0392b\"/>\n",
                    x_of(c, i), y_of(c, cj_knn_scores_accuracy(c->scores, i, f)));
    }
}

cj_status draw_scores(const cj_knn_scores *scores, const char *path)
{
    chart c = {.file = fopen(path, "w"), .scores = scores};
    if (!c.file)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    find_range(&c);
    fprintf(c.file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, HEIGHT);
    draw_axes(&c);
    draw_values(&c);
    fprintf(c.file, "</svg>\n");
    const bool failed = ferror(c.file) != 0;
    if (fclose(c.file) != 0 || failed)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    return CJ_OK;
}

// ---- the tutorial's table ----

// "1,2,4,5,test": all parts but the one that is tested; the last part is the test set.
static void name_parts(int folds, int tested, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int part = 0; part < folds && at < size; part++) {
        if (part == tested)
            continue;
        const char *comma = at ? "," : "";
        at += (size_t)(part + 1 < folds ? snprintf(text + at, size - at, "%s%d", comma, part + 1) :
                                          snprintf(text + at, size - at, "%stest", comma));
    }
}

static void print_row(const cj_knn_scores *scores, int tested)
{
    const int folds = cj_knn_scores_folds(scores), last = folds - 1;
    char learnt[128], part[16];
    name_parts(folds, tested, learnt, sizeof learnt);
    snprintf(part, sizeof part, "%d", tested + 1);
    printf("%-20s%-10s", learnt, tested == last ? "test" : part);
    for (int i = 0; i < cj_knn_scores_count(scores); i++)
        printf("%9.4f", cj_knn_scores_accuracy(scores, i, tested));
    putchar('\n');
}

void print_rotation(const cj_knn_scores *scores, bool batches)
{
    const int folds = cj_knn_scores_folds(scores);
    printf("parts in turn: %s1 to %s%d, and %s\n", batches ? "data_batch_" : "part ",
           batches ? "data_batch_" : "", folds - 1, batches ? "test_batch" : "the test set");
    printf("%-20s%-10s", "training set", "test set");
    for (int i = 0; i < cj_knn_scores_count(scores); i++) {
        char head[24];
        snprintf(head, sizeof head, "k=%" PRId64, cj_knn_scores_k(scores, i));
        printf("%9s", head);
    }
    putchar('\n');
    for (int tested = folds - 1; tested >= 0; tested--) // in the tutorial's order
        print_row(scores, tested);
    static const char *const ends[] = {"mean", "deviation"};
    for (int e = 0; e < 2; e++) {
        printf("%-30s", ends[e]);
        for (int i = 0; i < cj_knn_scores_count(scores); i++)
            printf("%9.4f", e ? cj_knn_scores_deviation(scores, i) : cj_knn_scores_mean(scores, i));
        putchar('\n');
    }
    printf("best k %" PRId64 "\n", cj_knn_scores_best(scores));
}
