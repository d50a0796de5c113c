// A picture of mistakes: the first hundred images that were taken for another class, each with its
// true class in green and the model's answer in red below it.
#include "sheet.h"

enum { MOST = 100, COLUMNS = 10, GAP = 4 };

static void draw_mistake(const sheet *s, const cj_tensor *images, int64_t sample, int64_t label,
                         int64_t answer, int zoom, int64_t place)
{
    const cj_shape *shape = cj_tensor_shape(images);
    const int64_t width = shape->dims[2] * zoom, height = shape->dims[1] * zoom;
    const int64_t x = place % COLUMNS * (width + GAP) + GAP;
    const int64_t y = place / COLUMNS * (height + SHEET_LINE + GAP) + GAP;
    char text[24];
    sheet_image(s, images, sample, zoom, x, y);
    snprintf(text, sizeof text, "%lld", (long long)label);
    const int64_t used = sheet_write(s, text, x + 2, y + height + 2, width, sheet_green);
    snprintf(text, sizeof text, "%lld", (long long)answer);
    sheet_write(s, text, x + 2 + used + 6, y + height + 2, width, sheet_red);
}

cj_status write_mistakes(const cj_tensor *images, const cj_tensor *labels,
                         const cj_tensor *probabilities, const char *path)
{
    const cj_shape *shape = cj_tensor_shape(images);
    const int zoom = shape->dims[1] < 64 ? 2 : 1;
    const int64_t classes = cj_tensor_shape(probabilities)->dims[1];
    int64_t chosen[MOST], answers[MOST], found = 0;
    for (int64_t i = 0; i < shape->dims[0] && found < MOST; i++) {
        const int64_t answer = best_of(probabilities, i, classes);
        if (answer == (int64_t)cj_tensor_get(labels, &i))
            continue;
        chosen[found] = i;
        answers[found++] = answer;
    }
    const int64_t rows = (found + COLUMNS - 1) / COLUMNS;
    sheet s;
    CJ_TRY(sheet_open(&s, COLUMNS * (shape->dims[2] * zoom + GAP) + GAP,
                      (rows ? rows : 1) * (shape->dims[1] * zoom + SHEET_LINE + GAP) + GAP));
    for (int64_t i = 0; i < found; i++)
        draw_mistake(&s, images, chosen[i], (int64_t)cj_tensor_get(labels, &chosen[i]), answers[i],
                     zoom, i);
    const cj_status status = sheet_save(&s, path);
    sheet_close(&s);
    return status;
}
