// cajal evaluate, predict and summary.
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- evaluate ----

static cj_status evaluate(const char *file, const char *data_name, bool json)
{
    cj_dataset *train = NULL, *test = NULL;
    cj_tensor *probabilities = NULL;
    int64_t *counts = NULL;
    int classes = 0;
    cj_results *results = NULL;
    cj_model *model = cj_load(file);
    cj_status status = model ? cj_load_dataset(data_name, &train, &test) : cj_error_status();
    if (status == CJ_OK)
        status = cj_evaluate(model, test, &results, .batch_size = 256);
    if (status == CJ_OK)
        status = count_confusion(model, test, &counts, &classes, &probabilities);
    if (status == CJ_OK && json) {
        json_t *object = json_object(), *matrix = json_array();
        for (int i = 0; i < cj_results_count(results); i++)
            json_object_set_new(object, cj_results_name(results, i),
                                json_real(cj_results_value_at(results, i)));
        for (int i = 0; i < classes; i++) {
            json_t *row = json_array();
            for (int j = 0; j < classes; j++)
                json_array_append_new(row, json_integer(counts[i * classes + j]));
            json_array_append_new(matrix, row);
        }
        json_object_set_new(object, "confusion", matrix);
        json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(object);
    } else if (status == CJ_OK) {
        for (int i = 0; i < cj_results_count(results); i++)
            printf("%s %.4f\n", cj_results_name(results, i), cj_results_value_at(results, i));
        print_confusion(counts, classes, stdout);
    }
    free(counts);
    cj_release(results);
    cj_release(probabilities);
    cj_release(train);
    cj_release(test);
    cj_release(model);
    return status;
}

int run_evaluate(int argc, char **argv)
{
    const char *data = "auto", *file = NULL;
    bool json = false;
    const option options[] = {
        {"data", "NAME", "mnist, digits or auto (the default): its test part", OPTION_TEXT, &data},
        {"json", NULL, "print as JSON", OPTION_FLAG, &json},
    };
    int done = read_options(find_command("evaluate"), options, 2, argc, argv, 1, 1, &file);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    return finish(evaluate(file, data, json));
}

// ---- predict ----

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

// Rows of numbers separated by commas, semicolons or spaces; a first line that is not numbers is a
// heading.
static cj_status read_csv(const cj_model *model, const char *path, cj_tensor **rows)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    int64_t width = 1, count = 0, capacity = 0;
    for (int i = 1; shape && i < shape->rank; i++)
        width *= shape->dims[i];
    FILE *file = fopen(path, "r");
    char *line = NULL, *next = NULL;
    size_t size = 0;
    float *values = NULL;
    cj_status status = file ? CJ_OK : CJ_NOT_FOUND;
    for (int64_t number = 1; status == CJ_OK && getline(&line, &size, file) >= 0; number++) {
        if ((count + 1) * width > capacity) {
            capacity = 2 * (count + 1) * width;
            float *grown = realloc(values, (size_t)capacity * sizeof(float));
            if (!grown) {
                status = CJ_OUT_OF_MEMORY;
                break;
            }
            values = grown;
        }
        int64_t read = 0;
        for (char *c = line; read < width; c = next + strspn(next, ",; \t"), read++) {
            values[count * width + read] = strtof(c, &next);
            if (next == c)
                break;
        }
        bool blank = line[strspn(line, " \t\r\n")] == '\0';
        if (read == width)
            count++;
        else if (!blank && number > 1) {
            fprintf(stderr,
                    "cajal: \"%s\", line %" PRId64 ": %" PRId64
                    " numbers where the model takes %" PRId64 "\n",
                    path, number, read, width);
            status = CJ_SHAPE_MISMATCH;
        }
    }
    free(line);
    if (file)
        fclose(file);
    else
        fprintf(stderr, "cajal: cannot read \"%s\"\n", path);
    if (status == CJ_OK) {
        cj_tensor *flat = NULL;
        status =
            cj_tensor_from(CJ_F32, CJ_SHAPE(count, width), values, (size_t)(count * width), &flat);
        if (status == CJ_OK)
            status = fit_input(model, flat, rows);
        cj_release(flat);
    }
    free(values);
    return status;
}

static cj_status read_input(const cj_model *model, const char *path, cj_tensor **input)
{
    if (ends_with(path, ".csv"))
        return read_csv(model, path, input);
    if (strstr(path, "ubyte") || ends_with(path, ".idx")) {
        cj_tensor *read = NULL;
        CJ_TRY(cj_load_idx(path, &read));
        cj_status status = fit_input(model, read, input);
        cj_release(read);
        return status;
    }
    return read_model_image(model, path, input);
}

static void print_rows(const char *path, const cj_tensor *output, json_t *list)
{
    const cj_shape *shape = cj_tensor_shape(output);
    int64_t classes = shape->rank == 2 ? shape->dims[1] : 1;
    for (int64_t i = 0; i < shape->dims[0]; i++) {
        int64_t best = 0;
        json_t *all = json_array();
        for (int64_t j = 0; j < classes && shape->rank == 2; j++) {
            double value = cj_tensor_get(output, (int64_t[]){i, j});
            json_array_append_new(all, json_real(value));
            if (value > cj_tensor_get(output, (int64_t[]){i, best}))
                best = j;
        }
        double value = shape->rank == 2 ? cj_tensor_get(output, (int64_t[]){i, best}) :
                                          cj_tensor_get(output, &i);
        if (!list && shape->dims[0] == 1)
            printf("%s: class %lld, probability %.4f\n", path, (long long)best, value);
        else if (!list)
            printf("%s[%lld]: class %lld, probability %.4f\n", path, (long long)i, (long long)best,
                   value);
        if (list)
            json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:f, s:O}", "input", path, "row",
                                                  (json_int_t)i, "class", (json_int_t)best,
                                                  "probability", value, "outputs", all));
        json_decref(all);
    }
}

enum { MOST_INPUTS = 4096 };

int run_predict(int argc, char **argv)
{
    static const char *words[MOST_INPUTS];
    bool json = false;
    const option options[] = {{"json", NULL, "print as JSON", OPTION_FLAG, &json}};
    int done = read_options(find_command("predict"), options, 1, argc, argv, 2, MOST_INPUTS, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_model *model = cj_load(words[0]);
    json_t *list = json ? json_array() : NULL;
    cj_status status = model ? CJ_OK : cj_error_status();
    for (int i = 1; i < MOST_INPUTS && words[i] && status == CJ_OK; i++) {
        cj_tensor *input = NULL, *output = NULL;
        status = read_input(model, words[i], &input);
        if (status == CJ_OK)
            status = cj_predict(model, input, &output, .batch_size = 256);
        if (status == CJ_OK)
            print_rows(words[i], output, list);
        cj_release(input);
        cj_release(output);
    }
    if (status == CJ_OK && json) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(list);
    cj_release(model);
    return finish(status);
}

// ---- summary ----

typedef struct summary_settings {
    const char *name, *dtype;
    bool json, plan, training;
    int64_t batch_size, rounds;
} summary_settings;

// The plan of a step. A model that was never compiled is compiled as `cajal train` does it.
static cj_status print_plan(cj_model *model, const summary_settings *s)
{
    if (s->training && isnan(cj_learning_rate(model)))
        CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                          .metrics = {"accuracy"}));
    return cj_plan(model, .batch_size = s->batch_size, .training = s->training,
                   .rounds = (int)s->rounds);
}

static cj_status print_json(cj_model *model)
{
    char *text = NULL;
    cj_status status = cj_model_to_json(model, &text);
    if (status == CJ_OK)
        puts(text);
    cj_free(text);
    return status;
}

int run_summary(int argc, char **argv)
{
    summary_settings s = {.batch_size = 32, .rounds = 20};
    const option options[] = {
        {"json", NULL, "print the architecture as JSON, in Keras's config form", OPTION_FLAG,
         &s.json},
        {"dtype", "POLICY", "float32 or mixed_bfloat16, what layers compute in (the model's own)",
         OPTION_TEXT, &s.dtype},
        {"plan", NULL, "print the kernels of a prediction, with their times", OPTION_FLAG, &s.plan},
        {"training", NULL, "with --plan: of a training step instead", OPTION_FLAG, &s.training},
        {"batch-size", "N", "with --plan: samples of a step (32)", OPTION_INT, &s.batch_size},
        {"rounds", "N", "with --plan: runs that are timed; 0 for none (20)", OPTION_INT, &s.rounds},
    };
    int done = read_options(find_command("summary"), options, sizeof(options) / sizeof options[0],
                            argc, argv, 1, 1, &s.name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (s.batch_size < 1 || s.batch_size > 1 << 20 || s.rounds < 0 || s.rounds > 10000) {
        fprintf(stderr,
                "cajal summary: --batch-size must be 1 to 1048576 and --rounds 0 to 10000\n");
        return EXIT_USAGE;
    }
    cj_model *model =
        ends_with(s.name, ".safetensors") ? cj_load(s.name) : make_model(s.name, NULL);
    cj_status status = model ? CJ_OK : cj_error_status();
    if (!model && status == CJ_OK)
        return EXIT_FAILED; // told by make_model()
    if (status == CJ_OK && s.dtype)
        status = cj_set_dtype_policy(cj_model_layer(model), s.dtype);
    if (status == CJ_OK)
        status = s.json ? print_json(model) :
                 s.plan ? print_plan(model, &s) :
                          cj_model_summary(model, stdout);
    cj_release(model);
    return finish(status);
}
