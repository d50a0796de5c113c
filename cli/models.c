// The tutorial's networks by name, and the library's architectures. Each takes what the data set
// holds: bytes from 0 to 255, scaled to 0..1.
#include "language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a model is made for.
typedef struct task {
    cj_layer *input;
    bool bytes;      // inputs are bytes, to be scaled to 0..1; else numbers, to be standardised
    int64_t outputs; // how many classes, or with `numbers` how many numbers
    bool numbers;    // any numbers are predicted, not a class
} task;

static cj_layer *scale(const task *t)
{
    return t->bytes ? cj_rescaling(1.0 / 255) : cj_normalization();
}

static cj_layer *answer(const task *t)
{
    return t->numbers ? cj_dense(t->outputs) : cj_dense(t->outputs, .activation = "softmax");
}

// Chapter 3, feed-forward.
static cj_model *mlp(const task *t)
{
    return cj_sequential(t->input, scale(t), cj_flatten(), cj_dense(128, .activation = "relu"),
                         answer(t));
}

// Chapter 3, convolutional.
static cj_model *cnn_small(const task *t)
{
    return cj_sequential(t->input, scale(t), cj_conv2d(10, {5, 5}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(20, {5, 5}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(50, .activation = "relu"),
                         answer(t));
}

// Chapter 4.5.
static cj_model *cnn(const task *t)
{
    return cj_sequential(t->input, scale(t), cj_conv2d(32, {3, 3}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_conv2d(64, {3, 3}, .activation = "relu"),
                         cj_max_pooling2d({2, 2}), cj_flatten(),
                         cj_dense(128, .activation = "relu"), answer(t));
}

// Images of any size, down to one pixel: what is left after three pools is averaged.
static cj_model *image_cnn(const task *t)
{
    return cj_sequential(
        t->input, scale(t), cj_conv2d(32, {3, 3}, .padding = "same", .activation = "relu"),
        cj_max_pooling2d({2, 2}, .padding = "same"),
        cj_conv2d(64, {3, 3}, .padding = "same", .activation = "relu"),
        cj_max_pooling2d({2, 2}, .padding = "same"),
        cj_conv2d(128, {3, 3}, .padding = "same", .activation = "relu"),
        cj_global_average_pooling2d(), cj_dense(128, .activation = "relu"), answer(t));
}

static cj_model *numbers_mlp(const task *t)
{
    return cj_sequential(t->input, scale(t), cj_flatten(), cj_dense(64, .activation = "relu"),
                         cj_dense(64, .activation = "relu"), answer(t));
}

static cj_model *series_gru(const task *t)
{
    return cj_sequential(t->input, scale(t), cj_gru(64), answer(t));
}

// The time of a recording of 16 kHz as a picture, in tens of decibels.
static cj_model *sound_cnn(const task *t)
{
    enum { FRAME = 512, HOP = 256, BINS = 64, DECIBELS = 40 };
    return cj_sequential(
        t->input, cj_reshape({-1}),
        cj_mel_spectrogram(.fft_length = FRAME, .sequence_stride = HOP, .num_mel_bins = BINS),
        cj_rescaling(1.0 / DECIBELS), cj_reshape({BINS, -1, 1}),
        cj_conv2d(16, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
        cj_conv2d(32, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}), cj_flatten(),
        cj_dense(64, .activation = "relu"), answer(t));
}

// Texts as words, a recurrence that reads them both ways.
static cj_model *text_gru(const task *t)
{
    return cj_sequential(t->input, cj_text_vectorization(10000, .output_sequence_length = 100),
                         cj_embedding(10000, 64, .mask_zero = true), cj_bidirectional(cj_gru(32)),
                         answer(t));
}

// Texts as the words in them, in no order.
static cj_model *text_words(const task *t)
{
    return cj_sequential(t->input,
                         cj_text_vectorization(10000, .ngrams = {1, 2}, .output_mode = "multi_hot",
                                               .pad_to_max_tokens = true),
                         answer(t));
}

static const struct {
    const char *name, *what;
    cj_model *(*make)(const task *t);
} models[] = {
    {"mnist-cnn", "chapter 4.5: two convolutions of 32 and 64 filters, two pools, dense 128", cnn},
    {"mnist-cnn-small", "chapter 3: two convolutions of 10 and 20 filters, two pools, dense 50",
     cnn_small},
    {"mnist-mlp", "chapter 3: dense 128, dense 10", mlp},
    {"image-cnn", "images of any size: convolutions of 32, 64 and 128 filters, dense 128",
     image_cnn},
    {"numbers-mlp", "rows of numbers: standardised, two dense layers of 64", numbers_mlp},
    {"series-gru", "numbers in time: standardised, GRU 64", series_gru},
    {"sound-cnn", "recordings: a mel spectrogram, two convolutions, dense 64", sound_cnn},
    {"text-gru", "texts: embedding, bidirectional GRU, dense", text_gru},
    {"text-words", "texts: words and pairs of words, dense", text_words},
};
enum { MODEL_COUNT = sizeof(models) / sizeof models[0] };

// The shape of all first inputs, and their dtype; NULL without data.
static const cj_shape *input_of(const cj_dataset *data, cj_shape *whole, cj_dtype *dtype)
{
    cj_part part;
    if (!data || cj_dataset_input(data, 0, &part) != CJ_OK)
        return NULL;
    *dtype = part.dtype;
    *whole = (cj_shape){.rank = part.shape.rank + 1, .dims = {cj_dataset_count(data)}};
    for (int axis = 1; axis < whole->rank; axis++)
        whole->dims[axis] = part.shape.dims[axis - 1];
    return whole;
}

// A sensible first model for what the data holds.
static const char *sensible_model(const cj_shape *shape, cj_dtype dtype)
{
    enum { LONG = 2000 };
    if (!shape)
        return "mnist-cnn";
    if (dtype == CJ_STRING)
        return "text-gru";
    if (shape->rank == 3 && shape->dims[1] > LONG && shape->dims[2] == 1)
        return "sound-cnn";
    if (shape->rank == 4 && shape->dims[1] >= 24 && shape->dims[1] <= 32 && shape->dims[2] >= 24 &&
        shape->dims[2] <= 32 && shape->dims[3] == 1)
        return "mnist-cnn";
    return shape->rank == 4 ? "image-cnn" : shape->rank == 3 ? "series-gru" : "numbers-mlp";
}

static cj_model *from_json(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        cj_fail(CJ_NOT_FOUND, "%s: cannot be read", path);
        return NULL;
    }
    enum { MOST = 16 << 20 };
    char *json = malloc(MOST);
    size_t length = json ? fread(json, 1, MOST, file) : 0;
    fclose(file);
    cj_model *model = json ? cj_model_from_json(json, length) : NULL;
    free(json);
    return model;
}

static int64_t class_count(const cj_dataset *data)
{
    cj_tensor *labels = cj_dataset_y(data, 0);
    int64_t most = 0;
    const cj_shape *shape = cj_tensor_shape(labels);
    if (cj_dataset_class_count(data) > 0)
        return cj_dataset_class_count(data);
    if (labels && shape->rank == 2 && shape->dims[1] > 1)
        return shape->dims[1]; // a row for each sample
    for (int64_t i = 0; labels && i < cj_tensor_count(labels); i++) {
        int64_t label = (int64_t)cj_tensor_get(labels, (int64_t[]){i, 0});
        most = label > most ? label : most;
    }
    return most + 1;
}

int64_t batch_of(const cj_model *model, int64_t otherwise)
{
    const int64_t fixed = cj_model_batch_size(model);
    return fixed ? fixed : otherwise;
}

// What a name may be: the rows above, then the architectures. NULL past the last.
const char *model_name(int index)
{
    return index < 0           ? NULL :
           index < MODEL_COUNT ? models[index].name :
                                 cj_architecture_name(index - MODEL_COUNT);
}

static cj_model *architecture(const char *name, const cj_shape *shape, int64_t classes,
                              bool normalized)
{
    cj_architecture_args args = {CJ_ARCHITECTURE_DEFAULTS, .classes = classes,
                                 .input_dtype = normalized ? "float32" : "uint8"};
    cj_input_args input = {CJ_INPUT_DEFAULTS, .dtype = "uint8"};
    for (int axis = 1; shape && axis < shape->rank; axis++)
        input.shape[axis - 1] = args.input_shape[axis - 1] = shape->dims[axis];
    cj_model *body = cj_architecture_new(name, &args);
    if (!normalized || !body)
        return body;
    return cj_sequential(cj_input_new(&input), cj_normalization(), cj_model_layer(body));
}

static void unknown_model(const char *name)
{
    const char *known[64];
    char names[512] = "";
    int count = 0;
    for (; count < 64 && model_name(count); count++) {
        known[count] = model_name(count);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", count ? ", " : "",
                 known[count]);
    }
    const char *nearest = nearest_name(name, known, sizeof *known, count);
    if (nearest)
        cj_fail(CJ_NOT_FOUND, "there is no model \"%s\": did you mean \"%s\"?", name, nearest);
    else
        cj_fail(CJ_NOT_FOUND, "there is no model \"%s\"; it takes a JSON file or one of %s", name,
                names);
}

// How many numbers a target has for each sample.
static int64_t number_count(const cj_dataset *data)
{
    const cj_shape *shape = cj_tensor_shape(cj_dataset_y(data, 0));
    return shape && shape->rank == 2 ? shape->dims[1] : 1;
}

static cj_model *make(const char *name, cj_dataset *data, bool numbers, bool normalized)
{
    cj_shape whole;
    cj_dtype dtype = CJ_U8;
    const cj_shape *shape = input_of(data, &whole, &dtype);
    if (strcmp(name, "auto") == 0)
        name = sensible_model(shape, dtype);
    for (int i = 0; model_name(i); i++) {
        if (strcmp(name, model_name(i)) != 0)
            continue;
        if (i >= MODEL_COUNT && numbers) {
            cj_fail(CJ_INVALID_ARGUMENT, "%s tells classes, and the targets are other numbers",
                    name);
            return NULL;
        }
        if (i >= MODEL_COUNT && is_language_name(name)) // of bytes, or its own number of tokens
            return architecture(name, dtype == CJ_I32 ? shape : NULL, 0, false);
        if (i >= MODEL_COUNT)
            return architecture(name, shape, data ? class_count(data) : 0,
                                normalized && dtype == CJ_U8);
        const bool texts = strncmp(name, "text-", 5) == 0;
        const bool bytes = dtype == CJ_U8 || dtype == CJ_STRING;
        task t = {.bytes = bytes && !normalized, .numbers = numbers};
        cj_input_args input = {CJ_INPUT_DEFAULTS, .shape = {28, 28, 1},
                               .dtype = bytes ? "uint8" : "float32"};
        if (!shape && strcmp(name, "series-gru") == 0)
            input = (cj_input_args){CJ_INPUT_DEFAULTS, .shape = {28, 28}};
        if (texts)
            input = (cj_input_args){CJ_INPUT_DEFAULTS, .shape = {1}, .dtype = "string"};
        for (int axis = 1; shape && axis < shape->rank; axis++)
            input.shape[axis - 1] = shape->dims[axis];
        for (int axis = shape ? shape->rank - 1 : CJ_MAX_RANK; axis < CJ_MAX_RANK; axis++)
            input.shape[axis] = 0;
        t.input = cj_input_new(&input);
        t.outputs = !data ? texts ? 2 : 10 : numbers ? number_count(data) : class_count(data);
        return models[i].make(&t);
    }
    if (strpbrk(name, "./"))
        return from_json(name);
    unknown_model(name);
    return NULL;
}

cj_model *make_model(const char *name, cj_dataset *data, bool numbers)
{
    return make(name, data, numbers, false);
}

cj_model *make_normalized_model(const char *name, cj_dataset *data, bool numbers)
{
    if (!strpbrk(name, "./"))
        return make(name, data, numbers, true);
    cj_fail(CJ_INVALID_ARGUMENT,
            "--normalize is for models by name; %s says what becomes of its input", name);
    return NULL;
}
