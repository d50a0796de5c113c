// See language.h.
#define _XOPEN_SOURCE 700
#include "language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BYTES = 256, WINDOW = 128, TEXT_MAX = 1 << 30 };

bool is_language_name(const char *name)
{
    return strncmp(name, "gpt", 3) == 0;
}

// The tokens that a model of language takes at once; 0 for another model.
static int64_t window_of(cj_model *model)
{
    const int inputs = cj_model_input_count(model);
    const cj_shape *in = cj_model_input_shape(model, 0), *out = cj_model_output_shape(model, 0);
    if (inputs < 1 || inputs > 2 || cj_model_output_count(model) != 1 || in->rank != 2 ||
        out->rank != 3 || in->dims[1] < 1 || out->dims[1] != in->dims[1])
        return 0;
    for (int i = 0; i < inputs; i++) // the symbols are the model's
        if (cj_symbol_dtype(cj_model_input(model, i)) != CJ_I32 ||
            cj_model_input_shape(model, i)->dims[1] != in->dims[1])
            return 0;
    return in->dims[1];
}

bool is_language_model(cj_model *model)
{
    return model && window_of(model) > 0;
}

// ---- Data ----

// A text, and the windows that are cut of it when they are needed.
typedef struct windows {
    int64_t size, length, stride; // of the text; of a window; from one window to the next
    int inputs;
    unsigned char text[];
} windows;

// The part of a file from `begin` on; freed by the data set that it becomes.
static cj_status read_part(const char *path, int64_t begin, int64_t size, windows **part)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return cj_fail(CJ_NOT_FOUND, "%s: cannot be read: %s", path, strerror(errno));
    windows *w = malloc(sizeof *w + (size_t)size);
    cj_status status =
        w ? CJ_OK :
            cj_fail(CJ_OUT_OF_MEMORY, "%s: no memory for %lld bytes", path, (long long)size);
    if (w && (fseek(file, (long)begin, SEEK_SET) != 0 ||
              fread(w->text, 1, (size_t)size, file) != (size_t)size))
        status = cj_fail(CJ_IO, "%s: cannot be read", path);
    fclose(file);
    if (status != CJ_OK) {
        free(w);
        return status;
    }
    w->size = size;
    *part = w;
    return CJ_OK;
}

// Tokens, places, and what comes next.
static cj_status read_window(void *context, const cj_sample_read *sample)
{
    const windows *w = context;
    const unsigned char *from = w->text + sample->index * w->stride;
    int32_t *tokens = sample->x[0], *next = sample->y[0];
    for (int64_t i = 0; i < w->length; i++) {
        tokens[i] = from[i];
        next[i] = from[i + 1];
    }
    for (int64_t i = 0; w->inputs > 1 && i < w->length; i++)
        ((int32_t *)sample->x[1])[i] = (int32_t)i;
    return CJ_OK;
}

static cj_status cut_windows(windows *w, int64_t length, int64_t stride, int inputs,
                             cj_dataset **data)
{
    const cj_part part = {CJ_I32, CJ_SHAPE(length)};
    w->length = length;
    w->stride = stride;
    w->inputs = inputs;
    *data = cj_dataset_from(.count = (w->size - length - 1) / stride + 1, .read = read_window,
                            .context = w, .free = free, .x = {part, part}, .x_count = inputs,
                            .y = {part});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status size_of(const char *path, int64_t *size)
{
    struct stat facts;
    if (stat(path, &facts) != 0)
        return cj_fail(CJ_NOT_FOUND, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return cj_fail(CJ_UNSUPPORTED, "%s: not a file; a model of language learns from one text",
                       path);
    if (facts.st_size > TEXT_MAX)
        return cj_fail(CJ_UNSUPPORTED, "%s: a text of more than 1 GiB", path);
    *size = facts.st_size;
    return CJ_OK;
}

cj_status load_next_bytes(const char *name, cj_model *model, int64_t window, cj_dataset **train,
                          cj_dataset **test)
{
    const char *path = strchr(name, ':') + 1;
    windows *first = NULL, *rest = NULL;
    int64_t size = 0;
    const int64_t own = model ? window_of(model) : 0;
    const int inputs = model ? cj_model_input_count(model) : 2;
    window = own > 0 ? own : window > 0 ? window : WINDOW;
    CJ_TRY(size_of(path, &size));
    const int64_t last = size / 10; // for the test
    if (last < window + 1)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "%s: a text of %lld bytes, whose last tenth is the test, is too short for "
                       "windows of %lld: needed are %lld or more, or a smaller --window",
                       path, (long long)size, (long long)window, (long long)(10 * (window + 1)));
    CJ_TRY(read_part(path, 0, size - last, &first));
    cj_status status = cut_windows(first, window, (window + 1) / 2, inputs, train);
    if (status == CJ_OK)
        status = read_part(path, size - last, last, &rest);
    return status == CJ_OK ? cut_windows(rest, window, window, inputs, test) : status;
}

// ---- Writing on ----

typedef struct state {
    cj_model *model;
    int64_t window;
    int inputs;
    cj_tensor *given[2], *row; // (1, window) each; the scores of one place
    unsigned char *text;       // prompt and what follows it
    int64_t length;
} state;

static cj_status open_state(state *s, const writing *w)
{
    const char *prompt = w->prompt && *w->prompt ? w->prompt : "\n";
    const int64_t scores = cj_model_output_shape(s->model, 0)->dims[2];
    if (scores != BYTES)
        return cj_fail(
            CJ_UNSUPPORTED,
            "the model knows %lld tokens; texts are written byte by byte, which needs %d",
            (long long)scores, BYTES);
    s->inputs = cj_model_input_count(s->model);
    s->length = (int64_t)strlen(prompt);
    s->text = malloc((size_t)(s->length + w->count));
    if (!s->text)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for a text of %lld bytes",
                       (long long)(s->length + w->count));
    memcpy(s->text, prompt, (size_t)s->length);
    for (int i = 0; i < 2; i++)
        CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(1, s->window), &s->given[i]));
    for (int64_t i = 0; i < s->window; i++)
        ((int32_t *)cj_tensor_data(s->given[1]))[i] = (int32_t)i;
    return cj_tensor_new(CJ_F32, CJ_SHAPE(BYTES), &s->row);
}

static void close_state(state *s)
{
    cj_release(s->given[0]);
    cj_release(s->given[1]);
    cj_release(s->row);
    free(s->text);
}

// The next byte after the text so far, of which the model sees the end. What follows in the window is 0,
// and nothing that comes later counts for what comes before.
static cj_status next_byte(state *s, const writing *w, int64_t step)
{
    const int64_t seen = s->length < s->window ? s->length : s->window;
    int32_t *tokens = cj_tensor_data(s->given[0]);
    cj_tensor *output = NULL;
    int64_t token = 0;
    for (int64_t i = 0; i < s->window; i++)
        tokens[i] = i < seen ? s->text[s->length - seen + i] : 0;
    CJ_TRY(cj_predict_many(s->model, s->given, &output));
    memcpy(cj_tensor_data(s->row), (const float *)cj_tensor_data(output) + (seen - 1) * BYTES,
           BYTES * sizeof(float));
    cj_release(output);
    CJ_TRY(cj_sample(s->row, &token, .temperature = w->temperature, .top_k = w->top_k,
                     .top_p = w->top_p, .seed = (uint64_t)w->seed, .step = (uint64_t)step));
    s->text[s->length++] = (unsigned char)token;
    return CJ_OK;
}

// A byte of text; what a terminal would take for a command is a question mark.
static void print_byte(unsigned char c)
{
    putchar((c < 32 && c != '\n' && c != '\t') || c == 127 ? '?' : c);
}

static cj_status write_all(state *s, const writing *w)
{
    CJ_TRY(open_state(s, w));
    const int64_t before = s->length;
    for (int64_t i = 0; !w->json && w->prompt && i < before; i++)
        print_byte(s->text[i]);
    for (int64_t i = 0; i < w->count; i++) {
        CJ_TRY(next_byte(s, w, i));
        if (w->json)
            continue;
        print_byte(s->text[s->length - 1]);
        fflush(stdout);
    }
    if (!w->json) {
        putchar('\n');
        return CJ_OK;
    }
    char *made = malloc((size_t)w->count + 1);
    if (!made)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the text");
    for (int64_t i = 0; i < w->count; i++) // a text of JSON ends nowhere in the midst
        made[i] = s->text[before + i] ? (char)s->text[before + i] : '?';
    made[w->count] = '\0';
    json_t *object = json_object();
    json_object_set_new(object, "prompt", text_json(w->prompt ? w->prompt : ""));
    json_object_set_new(object, "text", text_json(made));
    print_json_value(object);
    json_decref(object);
    free(made);
    return CJ_OK;
}

cj_status write_on(cj_model *model, const writing *w)
{
    state s = {.model = model, .window = window_of(model)};
    if (s.window == 0)
        return cj_fail(CJ_UNSUPPORTED,
                       "--generate is for models of language: whole numbers (batch, tokens) in, a "
                       "row of probabilities for each of them out");
    const cj_status status = write_all(&s, w);
    close_state(&s);
    return status;
}
