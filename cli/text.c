// Texts as data: "text:FILE" of labelled lines, "text:FOLDER" of a folder a class, and lines to predict from.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char prefix[] = "text:";

bool is_text_data(const char *name)
{
    return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

cj_status load_text_data(const char *name, cj_dataset **train, cj_dataset **test)
{
    struct stat facts;
    const char *path = name + sizeof prefix - 1;
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return cj_load_text_folder(path, train, test, .validation_split = 0.2);
    return cj_load_texts(path, train, test, .validation_split = 0.2);
}

bool takes_texts(cj_model *model)
{
    cj_symbol *input = cj_model_input_count(model) > 0 ? cj_model_input(model, 0) : NULL;
    return input && cj_symbol_dtype(input) == CJ_STRING; // the symbol is the model's
}

cj_status learn_words(cj_model *model, const cj_tensor *input)
{
    if (cj_tensor_dtype(input) != CJ_STRING)
        return CJ_OK;
    for (int i = 0; i < cj_model_layer_count(model); i++) {
        cj_layer *layer = cj_model_layer_at(model, i);
        if (strcmp(cj_layer_class(layer), "TextVectorization") == 0 &&
            !cj_vocabulary_token(layer, 2)) // beside what stands for nothing and for the unknown
            CJ_TRY(cj_adapt(layer, input));
    }
    return CJ_OK;
}

// All of standard input; the caller frees.
static char *read_all(size_t *size)
{
    size_t capacity = 1 << 16, used = 0;
    char *bytes = malloc(capacity);
    while (bytes) {
        used += fread(bytes + used, 1, capacity - used, stdin);
        if (used < capacity)
            break;
        char *more = realloc(bytes, capacity * 2);
        if (!more)
            free(bytes);
        bytes = more;
        capacity *= 2;
    }
    *size = used;
    return bytes;
}

// The lines of standard input as texts (n, 1).
static cj_status read_input_lines(cj_tensor **lines)
{
    size_t size = 0;
    char *bytes = read_all(&size);
    int64_t count = 0;
    for (size_t i = 0; bytes && i < size; i++)
        count += bytes[i] == '\n' || i + 1 == size;
    const char **values = bytes && count ? calloc((size_t)count, sizeof *values) : NULL;
    int64_t *lengths = values ? calloc((size_t)count, sizeof *lengths) : NULL;
    cj_status status = CJ_OK;
    if (bytes && count == 0)
        status = cj_fail(CJ_BAD_FILE, "standard input has no line");
    else if (!lengths)
        status = cj_fail(CJ_OUT_OF_MEMORY, "no memory for standard input");
    const char *at = bytes;
    for (int64_t i = 0; i < count && status == CJ_OK; i++) {
        const char *end = memchr(at, '\n', size - (size_t)(at - bytes));
        end = end ? end : bytes + size;
        values[i] = at;
        lengths[i] = end - at - (end > at && end[-1] == '\r');
        at = end + 1;
    }
    if (status == CJ_OK)
        status =
            cj_tensor_from_texts(CJ_SHAPE(count, 1), (cj_texts){values, lengths, count}, lines);
    free(lengths);
    free(values);
    free(bytes);
    return status;
}

cj_status read_texts(const char *path, cj_tensor **lines)
{
    return strcmp(path, "-") == 0 ? read_input_lines(lines) : cj_load_lines(path, lines);
}
