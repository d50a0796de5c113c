// Bringing files into the shape that a model takes.
#define _XOPEN_SOURCE 700
#include "arrays.h"
#include "table.h"

#include <string.h>
#include <strings.h>

bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

bool is_csv(const char *name)
{
    static const char *const endings[] = {".csv", ".tsv", ".csv.gz", ".tsv.gz"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, endings[i]))
            return true;
    return strcmp(name, "-") == 0;
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
    cj_tensor *rows = NULL;
    CJ_TRY(load_row_tensor(path, width, &rows));
    const cj_status status = fit_input(model, rows, input);
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

// The shape of the images that the model takes, channels last. A free side is 0.
static cj_status image_shape(const cj_model *model, int64_t size[2], int *channels)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    if (!shape)
        return cj_fail(CJ_NOT_BUILT, "the model does not know the shape of its input");
    for (int i = 0; i < 2; i++)
        size[i] = shape->rank < 3 ? 28 : shape->dims[i + 1] > 0 ? shape->dims[i + 1] : 0;
    *channels = shape->rank == 4 ? (int)shape->dims[3] : 1;
    if (*channels == 1 || *channels == 3 || *channels == 4)
        return CJ_OK;
    return cj_fail(CJ_UNSUPPORTED,
                   "the model takes images of %d channels, and files have 1, 3 or 4", *channels);
}

// By the rules of the folder that the model was trained on, to the very bits; else as a scan, reduced by
// areas, so that thin strokes stay.
static cj_status read_pixels(const cj_model *model, const char *path, cj_tensor **image)
{
    cj_load_picture_args rules;
    int64_t size[2] = {0};
    int channels = 0;
    CJ_TRY(image_shape(model, size, &channels));
    if (noted_pictures(model, &rules)) {
        rules.color_mode = channels == 1 ? "grayscale" : channels == 3 ? "rgb" : "rgba";
        for (int i = 0; i < 2; i++)
            rules.image_size[i] = size[i] > 0 ? size[i] : rules.image_size[i];
        return cj_load_picture_with(path, image, &rules);
    }
    cj_tensor *read = NULL;
    CJ_TRY(cj_load_image(path, channels, &read));
    const cj_status status =
        cj_resize_image(read, size[0] > 0 ? size[0] : 28, size[1] > 0 ? size[1] : 28, image);
    cj_release(read);
    return status;
}

cj_status read_model_image(const cj_model *model, const char *path, bool invert, cj_tensor **image)
{
    cj_tensor *pixels = NULL;
    cj_load_picture_args rules;
    CJ_TRY(read_pixels(model, path, &pixels));
    if (invert)
        turn(pixels);
    else if (!noted_pictures(model, &rules) && has_light_border(pixels))
        remark(path);
    const cj_status status = fit_input(model, pixels, image);
    cj_release(pixels); // the view holds it
    return status;
}

// An array of an .npy or an IDX file.
static cj_status read_array(const cj_model *model, const char *path, cj_tensor **input)
{
    cj_tensor *read = NULL;
    CJ_TRY(ends_with(path, ".npy") ? cj_load_npy(path, &read) : cj_load_idx(path, &read));
    const cj_status status = fit_input(model, read, input);
    cj_release(read);
    return status;
}

static bool is_array(const char *path)
{
    return ends_with(path, ".npy") || strstr(path, "ubyte") || ends_with(path, ".idx") ||
           ends_with(path, ".idx.gz");
}

cj_status read_model_inputs(cj_model *model, const char *path, bool invert, cj_tensor *inputs[2])
{
    inputs[0] = inputs[1] = NULL;
    if (is_table_model(model))
        return read_table_inputs(model, path, inputs);
    if (takes_texts(model))
        return read_texts(path, &inputs[0]);
    if (takes_events(model) && !ends_with(path, ".npy"))
        return read_events(model, path, &inputs[0]);
    if (is_csv(path))
        return read_rows(model, path, &inputs[0]);
    if (is_array(path))
        return read_array(model, path, &inputs[0]);
    if (ends_with(path, ".wav"))
        return read_sound(model, path, &inputs[0]);
    return read_model_image(model, path, invert, &inputs[0]);
}
