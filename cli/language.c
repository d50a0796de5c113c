// See language.h.
#include "language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 256, WINDOW = 128, TEXT_MAX = 1 << 26 };

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

// A whole file; the caller frees.
static cj_status read_file(const char *path, unsigned char **bytes, int64_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return cj_fail(CJ_NOT_FOUND, "%s: cannot be read", path);
    *bytes = malloc(TEXT_MAX);
    *size = *bytes ? (int64_t)fread(*bytes, 1, TEXT_MAX, file) : 0;
    const bool broken = ferror(file), more = *size == TEXT_MAX && fgetc(file) != EOF;
    fclose(file);
    if (!*bytes)
        return cj_fail(CJ_OUT_OF_MEMORY, "%s: no memory for the text", path);
    if (broken || more)
        return cj_fail(broken ? CJ_IO : CJ_UNSUPPORTED,
                       broken ? "%s: cannot be read" : "%s: a text of more than 64 MiB", path);
    return CJ_OK;
}

// Windows of a text, each `stride` bytes after the one before: tokens, places, and what comes next.
static cj_status make_windows(const unsigned char *text, int64_t size, int64_t window,
                              int64_t stride, int inputs, cj_dataset **data)
{
    const int64_t count = (size - window - 1) / stride + 1;
    cj_tensor *parts[3] = {NULL, NULL, NULL};
    cj_status status = CJ_OK;
    for (int i = 0; i < 3 && status == CJ_OK; i++)
        status = cj_tensor_new(CJ_I32, CJ_SHAPE(count, window), &parts[i]);
    for (int64_t at = 0; status == CJ_OK && at < count * window; at++) {
        const int64_t place = at % window, from = at / window * stride + place;
        ((int32_t *)cj_tensor_data(parts[0]))[at] = text[from];
        ((int32_t *)cj_tensor_data(parts[1]))[at] = (int32_t)place;
        ((int32_t *)cj_tensor_data(parts[2]))[at] = text[from + 1];
    }
    if (status == CJ_OK) {
        *data = cj_dataset(.x_list = parts, .x_count = inputs, .y = {parts[2]});
        if (inputs == 1)
            cj_release(parts[1]);
        return *data ? CJ_OK : cj_error_status();
    }
    for (int i = 0; i < 3; i++)
        cj_release(parts[i]);
    return status;
}

cj_status load_next_bytes(const char *name, cj_model *model, int64_t window, cj_dataset **train,
                          cj_dataset **test)
{
    const char *path = strchr(name, ':') + 1;
    unsigned char *text = NULL;
    int64_t size = 0;
    const int64_t own = model ? window_of(model) : 0;
    const int inputs = model ? cj_model_input_count(model) : 2;
    window = own > 0 ? own : window > 0 ? window : WINDOW;
    cj_status status = read_file(path, &text, &size);
    const int64_t last = size / 10; // for the test
    if (status == CJ_OK && last < window + 1)
        status = cj_fail(CJ_INVALID_ARGUMENT,
                         "%s: a text of %lld bytes, whose last tenth is the test, is too short for "
                         "windows of %lld: needed are %lld or more, or a smaller --window",
                         path, (long long)size, (long long)window, (long long)(10 * (window + 1)));
    if (status == CJ_OK)
        status = make_windows(text, size - last, window, (window + 1) / 2, inputs, train);
    if (status == CJ_OK)
        status = make_windows(text + size - last, last, window, window, inputs, test);
    free(text);
    return status;
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
