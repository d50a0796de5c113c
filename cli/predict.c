// cajal predict: what a model answers, one input file after the other. A bad input is named and
// passed over; the exit code says that there was one.
#include "arrays.h"
#include "language.h"
#include "meaning.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 4096, MOST_OUTPUTS = 64, MOST_SHOWN = 16 };

typedef struct prediction {
    cj_model *model;
    int outputs;
    meaning meanings[MOST_OUTPUTS];
    bool invert;
    bool failed;         // some input was
    const char *classes; // their names, one a line; NULL if the model does not say
    json_t *list;        // NULL: words on standard output
} prediction;

// ---- one row of an output ----

typedef struct row {
    const double *values;
    int64_t count;
    meaning meaning;
    const char *classes; // as those of a prediction; NULL where their number is another
} row;

// The name of a class; "" if there is none.
static void class_name(const row *r, int64_t at, char *name, size_t size)
{
    const char *line = r->classes ? r->classes : "";
    for (int64_t i = 0; i < at; i++) {
        const char *end = strchr(line, '\n');
        line = end ? end + 1 : "";
    }
    snprintf(name, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static int64_t line_count(const char *text)
{
    int64_t lines = 1;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

static void print_class(const row *r, int64_t at)
{
    char name[128];
    class_name(r, at, name, sizeof name);
    printf(" class %lld", (long long)at);
    if (*name) {
        fputs(" (", stdout);
        print_text(name, stdout);
        putchar(')');
    }
}

static int64_t greatest_of(const row *r)
{
    int64_t best = 0;
    for (int64_t j = 1; j < r->count; j++)
        if (r->values[j] > r->values[best])
            best = j;
    return best;
}

// The softmax of one entry, or the sigmoid of a single one.
static double probability_of(const row *r, int64_t at)
{
    double sum = 0;
    if (r->meaning == MEANING_ONE_LOGIT || r->count == 1)
        return 1 / (1 + exp(-r->values[at]));
    for (int64_t j = 0; j < r->count; j++)
        sum += exp(r->values[j] - r->values[at]);
    return 1 / sum;
}

static void print_values(const row *r)
{
    for (int64_t j = 0; j < r->count && j < MOST_SHOWN; j++)
        printf(" %.6g", r->values[j]);
    if (r->count > MOST_SHOWN)
        printf(" ... (%lld values)", (long long)r->count);
}

static void print_row(const row *r)
{
    const int64_t best = greatest_of(r);
    const bool one = r->count == 1;
    switch (r->meaning) {
    case MEANING_CLASSES:
        print_class(r, best);
        printf(", probability %.4f", r->values[best]);
        break;
    case MEANING_LOGITS:
        print_class(r, best);
        printf(", probability %.4f (logit %.4g)", probability_of(r, best), r->values[best]);
        break;
    case MEANING_PROBABILITIES:
        if (one)
            printf(" class %d, probability of class 1 %.4f", r->values[0] >= 0.5, r->values[0]);
        else
            printf(" probabilities"), print_values(r);
        break;
    case MEANING_ONE_LOGIT:
        if (one)
            printf(" class %d, probability of class 1 %.4f (logit %.4g)", r->values[0] >= 0,
                   probability_of(r, 0), r->values[0]);
        else
            printf(" logits"), print_values(r);
        break;
    case MEANING_VALUES:
        print_values(r);
        break;
    }
}

static void row_to_json(const row *r, json_t *object)
{
    json_t *all = json_array();
    const int64_t best = greatest_of(r);
    for (int64_t j = 0; j < r->count; j++)
        json_array_append_new(all, number_json(r->values[j]));
    json_object_set_new(object, "outputs", all);
    if (r->meaning == MEANING_CLASSES || r->meaning == MEANING_LOGITS) {
        char name[128];
        class_name(r, best, name, sizeof name);
        json_object_set_new(object, "class", json_integer(best));
        if (*name)
            json_object_set_new(object, "name", text_json(name));
        json_object_set_new(
            object, "probability",
            number_json(r->meaning == MEANING_LOGITS ? probability_of(r, best) : r->values[best]));
    } else if (r->count == 1 && r->meaning != MEANING_VALUES) {
        const double p = r->meaning == MEANING_ONE_LOGIT ? probability_of(r, 0) : r->values[0];
        json_object_set_new(object, "class", json_integer(p >= 0.5));
        json_object_set_new(object, "probability", number_json(p));
    }
}

// ---- an output ----

// Rows along all axes but the last: one a sample, or one a step of each sample's sequence.
static cj_status show_output(const prediction *p, const char *path, int index,
                             const cj_tensor *output)
{
    cj_tensor *values = NULL;
    CJ_TRY(cj_tensor_convert(output, CJ_F64, &values));
    const cj_shape *shape = cj_tensor_shape(values);
    const int64_t samples = shape->rank > 0 ? shape->dims[0] : 1;
    const int64_t width = shape->rank > 1 ? shape->dims[shape->rank - 1] : 1;
    const int64_t rows = width > 0 ? cj_tensor_count(values) / width : 0;
    const int64_t steps = samples > 0 ? rows / samples : 0;
    const bool named = p->classes && line_count(p->classes) == width;
    for (int64_t i = 0; i < rows; i++) {
        const row r = {.values = (const double *)cj_tensor_data(values) + i * width,
                       .count = width,
                       .meaning = p->meanings[index],
                       .classes = named ? p->classes : NULL};
        if (p->list) {
            json_t *object = json_object();
            json_object_set_new(object, "input", text_json(path));
            json_object_set_new(object, "row", json_integer(i / steps));
            if (steps > 1)
                json_object_set_new(object, "step", json_integer(i % steps));
            if (p->outputs > 1)
                json_object_set_new(object, "output", json_integer(index));
            row_to_json(&r, object);
            json_array_append_new(p->list, object);
            continue;
        }
        print_text(path, stdout);
        if (samples > 1)
            printf("[%lld]", (long long)(i / steps));
        if (steps > 1)
            printf(", step %lld", (long long)(i % steps));
        if (p->outputs > 1)
            printf(", output %d", index);
        putchar(':');
        print_row(&r);
        putchar('\n');
    }
    cj_release(values);
    return CJ_OK;
}

static cj_status predict_input(const prediction *p, const char *path)
{
    cj_tensor *inputs[2] = {NULL, NULL}, *outputs[MOST_OUTPUTS] = {NULL};
    cj_status status = read_model_inputs(p->model, path, p->invert, inputs);
    if (status == CJ_OK)
        status = cj_predict_many(p->model, inputs, outputs, .batch_size = batch_of(p->model, 256));
    for (int i = 0; i < p->outputs; i++) {
        if (status == CJ_OK)
            status = show_output(p, path, i, outputs[i]);
        cj_release(outputs[i]);
    }
    cj_release(inputs[0]);
    cj_release(inputs[1]);
    return status;
}

// One input, which may fail without ending the others.
static cj_status answer(void *context, const char *path)
{
    prediction *p = context;
    cj_error_clear();
    if (finish(predict_input(p, path)) != EXIT_DONE)
        p->failed = true;
    return CJ_OK;
}

// An input, or the images of a folder.
static void answer_all(prediction *p, const char *path)
{
    if (!is_folder(path))
        answer(p, path);
    else if (finish(each_picture(path, answer, p)) != EXIT_DONE)
        p->failed = true;
}

static cj_status prepare(prediction *p, const char *file)
{
    p->model = cj_load(file);
    if (!p->model)
        return cj_error_status();
    p->outputs = cj_model_output_count(p->model);
    if (!cj_model_input_shape(p->model, 0))
        return cj_fail(CJ_NOT_BUILT, "%s: the model does not know the shape of its input", file);
    const int most = is_table_model(p->model) ? 2 : 1;
    if (cj_model_input_count(p->model) > most || p->outputs > MOST_OUTPUTS)
        return cj_fail(CJ_UNSUPPORTED,
                       "%s: a model of %d inputs and %d outputs; predict takes one "
                       "input and at most %d outputs",
                       file, cj_model_input_count(p->model), p->outputs, MOST_OUTPUTS);
    for (int i = 0; i < p->outputs; i++)
        p->meanings[i] = meaning_of_output(p->model, i);
    p->classes = cj_model_note(p->model, "classes");
    return CJ_OK;
}

static int generate(const char *file, const writing *w)
{
    cj_model *model = cj_load(file);
    const int code = finish(model ? write_on(model, w) : cj_error_status());
    cj_release(model);
    return code;
}

// What is wrong with the options together, or NULL.
static const char *check_words(const writing *w, const char *input)
{
    const writing usual = {WRITING_DEFAULTS};
    const bool asked = w->prompt || w->top_k || w->seed || w->temperature < usual.temperature ||
                       w->temperature > usual.temperature || w->top_p < usual.top_p;
    if (w->count > 0)
        return input ? "--generate takes no input but --prompt" : NULL;
    if (asked)
        return "--prompt, --temperature, --top-k, --top-p and --seed are for --generate";
    return input ? NULL : "an input is needed, or --generate";
}

int run_predict(int argc, char **argv)
{
    static const char *words[MOST_INPUTS];
    bool json = false;
    prediction p = {.invert = false};
    writing w = {WRITING_DEFAULTS};
    const option options[] = {
        FLAG_OPTION("json", &json, "print as JSON"),
        FLAG_OPTION("invert", &p.invert,
                    "the images are dark on light: take them the other way round"),
        INT_OPTION("generate", "N", &w.count, 1, 1 << 24,
                   "of a model of language: write N bytes on, instead of an input"),
        TEXT_OPTION("prompt", "TEXT", &w.prompt, "with --generate: what the text begins with"),
        REAL_OPTION("temperature", "X", &w.temperature, 0, 1000,
                    "with --generate: below 1 likely bytes become likelier; 0: the likeliest (1)"),
        INT_OPTION("top-k", "K", &w.top_k, 1, 1 << 24,
                   "with --generate: only the K likeliest bytes count (all)"),
        REAL_OPTION("top-p", "X", &w.top_p, 0, 1,
                    "with --generate: only the likeliest bytes, up to this share (1)"),
        INT_OPTION("seed", "N", &w.seed, 0, INFINITY, "with --generate: another text (0)"),
    };
    const int done =
        read_options(find_command("predict"), options, sizeof options / sizeof *options, argc, argv,
                     1, MOST_INPUTS, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    const char *wrong = check_words(&w, words[1]);
    if (wrong) {
        fprintf(stderr, "cajal predict: %s\n", wrong);
        return EXIT_USAGE;
    }
    w.json = json;
    if (w.count > 0)
        return generate(words[0], &w);
    p.list = json ? json_array() : NULL;
    int code = finish(prepare(&p, words[0]));
    for (int i = 1; code == EXIT_DONE && i < MOST_INPUTS && words[i]; i++)
        answer_all(&p, words[i]);
    if (p.list && code == EXIT_DONE)
        print_json_value(p.list);
    json_decref(p.list);
    cj_release(p.model);
    return code == EXIT_DONE && p.failed ? EXIT_FAILED : code;
}
