// Bringing files into the shape that a model takes.
#define _XOPEN_SOURCE 700
#include "cli.h"
#include "csv.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

bool is_model_file(const char *name)
{
    return ends_with(name, ".safetensors") || ends_with(name, ".nir");
}

// For a model whose input has a free length beside the batch: arrays that have its axes, or are one
// sample of it.
static cj_status fit_free_input(const cj_shape *shape, const cj_tensor *given, cj_tensor **fitted)
{
    cj_shape wanted = *cj_tensor_shape(given);
    if (wanted.rank == shape->rank - 1) {
        memmove(wanted.dims + 1, wanted.dims, (size_t)wanted.rank++ * sizeof *wanted.dims);
        wanted.dims[0] = 1;
    }
    bool fits = wanted.rank == shape->rank;
    for (int i = 1; fits && i < wanted.rank; i++)
        fits = shape->dims[i] < 0 || shape->dims[i] == wanted.dims[i];
    if (fits)
        return cj_tensor_reshape(given, wanted, fitted);
    char a[160], b[160];
    return cj_fail(CJ_SHAPE_MISMATCH, "the input has shape %s, needed is %s",
                   cj_shape_text(cj_tensor_shape(given), a, sizeof a),
                   cj_shape_text(shape, b, sizeof b));
}

cj_status fit_input(const cj_model *model, cj_tensor *given, cj_tensor **fitted)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    if (!shape)
        return cj_fail(CJ_NOT_BUILT, "the model does not know the shape of its input");
    for (int i = 1; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return fit_free_input(shape, given, fitted);
    cj_shape wanted = *shape;
    wanted.dims[0] = -1;
    cj_tensor *reshaped = NULL;
    CJ_TRY(cj_tensor_reshape(given, wanted, &reshaped));
    *fitted = reshaped;
    return CJ_OK;
}

cj_status read_rows(const cj_model *model, const char *path, cj_tensor **input)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    int64_t width = 1;
    for (int i = 1; shape && i < shape->rank; i++)
        if (i != 1 || shape->rank != 3 || shape->dims[1] > 0)
            width *= shape->dims[i];
    if (!shape || width < 1)
        return cj_fail(CJ_UNSUPPORTED, "%s: rows of numbers do not fit a model with a free length",
                       path);
    const bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return cj_fail(CJ_NOT_FOUND, "%s: cannot be read: %s", path, strerror(errno));
    cj_tensor *rows = NULL;
    cj_status status = read_csv(file, standard ? "standard input" : path, width, &rows);
    if (!standard)
        fclose(file);
    if (status == CJ_OK)
        status = fit_input(model, rows, input);
    cj_release(rows);
    return status;
}

// Whether most of the border of a grey image is light, as ink on paper is; MNIST is light on dark.
static bool has_light_border(const cj_tensor *image)
{
    const cj_shape *shape = cj_tensor_shape(image);
    const int64_t height = shape->dims[0], width = shape->dims[1];
    const uint8_t *pixels = cj_tensor_data(image);
    int64_t light = 0, all = 0;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            if (y == 0 || x == 0 || y == height - 1 || x == width - 1) {
                light += pixels[y * width + x] > 160;
                all++;
            }
    return shape->dims[2] == 1 && 2 * light > all;
}

static void turn(cj_tensor *image)
{
    uint8_t *pixels = cj_tensor_data(image);
    for (int64_t i = 0; i < cj_tensor_count(image); i++)
        pixels[i] = (uint8_t)(255 - pixels[i]);
}

static void remark(const char *path)
{
    fflush(stdout);
    fputs("cajal: ", stderr);
    print_text(path, stderr);
    fputs(": dark on a light ground; a model of light digits on dark, as MNIST's are, wants "
          "--invert\n",
          stderr);
}

cj_status read_model_image(const cj_model *model, const char *path, bool invert, cj_tensor **image)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    if (!shape)
        return cj_fail(CJ_NOT_BUILT, "the model does not know the shape of its input");
    const int64_t height = shape->rank >= 3 && shape->dims[1] > 0 ? shape->dims[1] : 28;
    const int64_t width = shape->rank >= 3 && shape->dims[2] > 0 ? shape->dims[2] : 28;
    const int channels = shape->rank == 4 ? (int)shape->dims[3] : 1;
    cj_tensor *read = NULL, *resized = NULL;
    if (channels != 1 && channels != 3)
        return cj_fail(CJ_UNSUPPORTED,
                       "the model takes images of %d channels, and files have 1 or 3", channels);
    CJ_TRY(cj_load_image(path, channels, &read));
    cj_status status = cj_resize_image(read, height, width, &resized);
    cj_release(read);
    CJ_TRY(status);
    if (invert)
        turn(resized);
    else if (has_light_border(resized))
        remark(path);
    status = fit_input(model, resized, image);
    cj_release(resized); // the view holds it
    return status;
}
