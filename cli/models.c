// The tutorial's networks by name, and the library's architectures. Each takes what the data set
// holds: bytes from 0 to 255, scaled to 0..1.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Chapter 3, feed-forward.
static cj_model *mlp(cj_layer *input, int64_t classes)
{
    return cj_sequential(input, cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(128, .activation = "relu"),
                         cj_dense(classes, .activation = "softmax"));
}

// Chapter 3, convolutional.
static cj_model *cnn_small(cj_layer *input, int64_t classes)
{
    return cj_sequential(input, cj_rescaling(1.0 / 255),
                         cj_conv2d(10, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(20, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(50, .activation = "relu"),
                         cj_dense(classes, .activation = "softmax"));
}

// Chapter 4.5.
static cj_model *cnn(cj_layer *input, int64_t classes)
{
    return cj_sequential(input, cj_rescaling(1.0 / 255),
                         cj_conv2d(32, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(64, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(classes, .activation = "softmax"));
}

// Texts as words, a recurrence that reads them both ways.
static cj_model *text_gru(cj_layer *input, int64_t classes)
{
    return cj_sequential(input, cj_text_vectorization(10000, .output_sequence_length = 100),
                         cj_embedding(10000, 64, .mask_zero = true), cj_bidirectional(cj_gru(32)),
                         cj_dense(classes, .activation = "softmax"));
}

// Texts as the words in them, in no order.
static cj_model *text_words(cj_layer *input, int64_t classes)
{
    return cj_sequential(input,
                         cj_text_vectorization(10000, .ngrams = {1, 2}, .output_mode = "multi_hot",
                                               .pad_to_max_tokens = true),
                         cj_dense(classes, .activation = "softmax"));
}

static const struct {
    const char *name, *what;
    cj_model *(*make)(cj_layer *input, int64_t classes);
} models[] = {
    {"mnist-cnn", "chapter 4.5: two convolutions of 32 and 64 filters, two pools, dense 128", cnn},
    {"mnist-cnn-small", "chapter 3: two convolutions of 10 and 20 filters, two pools, dense 50",
     cnn_small},
    {"mnist-mlp", "chapter 3: dense 128, dense 10", mlp},
    {"text-gru", "texts: embedding, bidirectional GRU, dense", text_gru},
    {"text-words", "texts: words and pairs of words, dense", text_words},
};
enum { MODEL_COUNT = sizeof(models) / sizeof models[0] };

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

int64_t class_count(const cj_dataset *data)
{
    cj_tensor *labels = cj_dataset_y(data, 0);
    int64_t most = 0;
    if (cj_dataset_class_count(data) > 0)
        return cj_dataset_class_count(data);
    for (int64_t i = 0; labels && i < cj_tensor_count(labels); i++) {
        int64_t label = (int64_t)cj_tensor_get(labels, &i);
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

static cj_model *architecture(const char *name, const cj_shape *shape, int64_t classes)
{
    cj_architecture_args args = {CJ_ARCHITECTURE_DEFAULTS, .classes = classes,
                                 .input_dtype = "uint8"};
    for (int axis = 1; shape && axis < shape->rank; axis++)
        args.input_shape[axis - 1] = shape->dims[axis];
    return cj_architecture_new(name, &args);
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

cj_model *make_model(const char *name, cj_dataset *data)
{
    cj_part part;
    cj_shape whole, *shape = NULL; // with the axis of samples
    if (data && cj_dataset_input(data, 0, &part) == CJ_OK) {
        whole = (cj_shape){.rank = part.shape.rank + 1, .dims = {cj_dataset_count(data)}};
        for (int axis = 1; axis < whole.rank; axis++)
            whole.dims[axis] = part.shape.dims[axis - 1];
        shape = &whole;
    }
    for (int i = 0; model_name(i); i++) {
        if (strcmp(name, model_name(i)) != 0)
            continue;
        if (i >= MODEL_COUNT)
            return architecture(name, shape, data ? class_count(data) : 0);
        const bool texts = strncmp(name, "text-", 5) == 0;
        cj_input_args input = {CJ_INPUT_DEFAULTS, .shape = {28, 28, 1}, .dtype = "uint8"};
        if (texts)
            input = (cj_input_args){CJ_INPUT_DEFAULTS, .shape = {1}, .dtype = "string"};
        for (int axis = 1; shape && axis < shape->rank; axis++)
            input.shape[axis - 1] = shape->dims[axis];
        return models[i].make(cj_input_new(&input), data ? class_count(data) : texts ? 2 : 10);
    }
    if (strpbrk(name, "./"))
        return from_json(name);
    unknown_model(name);
    return NULL;
}
