// cajal explain: how a model computes its answer for one input.
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "0,3,1" into the index of an element.
static bool read_index(const char *text, int64_t index[CJ_MAX_RANK])
{
    for (int i = 0; i < CJ_MAX_RANK; i++) {
        char *end = NULL;
        index[i] = strtoll(text, &end, 10);
        if (end == text || index[i] < 0 || (*end != ',' && *end != '\0'))
            return false;
        if (*end == '\0')
            return true;
        text = end + 1;
    }
    return false;
}

// The first sample of a file.
static cj_status read_sample(cj_model *model, const char *path, bool invert, cj_tensor *sample[2])
{
    cj_tensor *inputs[2];
    CJ_TRY(read_model_inputs(model, path, invert, inputs));
    cj_status status = CJ_OK;
    for (int i = 0; i < 2 && inputs[i]; i++) {
        if (status == CJ_OK)
            status = cj_tensor_slice(inputs[i], 0, 0, 1, &sample[i]);
        cj_release(inputs[i]); // the slice holds it
    }
    return status;
}

// The names of the classes in the model's notes, as many as there are classes; in `text`. NULL if there
// are none.
static const char *const *class_names(const cj_model *model, int64_t classes, char *text,
                                      size_t size, const char **names)
{
    const char *noted = cj_model_note(model, "classes");
    int64_t count = 0;
    if (!noted || strlen(noted) >= size)
        return NULL;
    for (const char *at = noted; *at; at++) // a file may hold anything
        if (iscntrl((unsigned char)*at) && *at != '\n')
            return NULL;
    memcpy(text, noted, strlen(noted) + 1);
    for (char *line = text; line && count < classes; count++) {
        char *end = strchr(line, '\n');
        names[count] = line;
        line = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
    }
    return count == classes ? names : NULL;
}

// Both losses of the model's scores; of probabilities if its last layer makes such.
static cj_status explain_loss(cj_model *model, cj_tensor *const *inputs, int64_t label)
{
    enum { MOST = 1000 };
    const char *names[MOST];
    char text[1 << 15];
    cj_tensor *scores = NULL;
    CJ_TRY(cj_predict_many(model, inputs, &scores));
    const int64_t classes = cj_tensor_count(scores);
    double sum = 0;
    bool shares = true;
    for (int64_t i = 0; i < classes && cj_tensor_shape(scores)->rank == 2; i++) {
        const double value = cj_tensor_get(scores, (int64_t[]){0, i});
        sum += value;
        shares = shares && value >= 0 && value <= 1;
    }
    cj_explain_loss_args args = {CJ_EXPLAIN_LOSS_DEFAULTS, .label = label, .class_count = classes,
                                 .probabilities = shares && fabs(sum - 1) < 1e-4};
    if (classes <= MOST)
        args.class_names = class_names(model, classes, text, sizeof text, names);
    const cj_status status = cj_explain_loss_with(scores, stdout, &args);
    cj_release(scores);
    return status;
}

int run_explain(int argc, char **argv)
{
    const char *layer = NULL, *index = NULL, *words[2] = {NULL, NULL};
    int64_t rows = 12, label = -1;
    bool invert = false, every = false;
    const option options[] = {
        TEXT_OPTION("layer", "NAME", &layer, "only this layer"),
        TEXT_OPTION("index", "I,J,...", &index, "the output element to derive (the greatest)"),
        INT_OPTION("max-rows", "N", &rows, 3, 1000, "shorten longer arrays (12)"),
        FLAG_OPTION("every", &every, "derive every output element of that layer, or of the last"),
        INT_OPTION("label", "N", &label, 0, INFINITY,
                   "the right class: work out the hinge and the softmax loss of the scores"),
        FLAG_OPTION("invert", &invert, "the image is dark on light: take it the other way round"),
    };
    int done = read_options(find_command("explain"), options, sizeof options / sizeof options[0],
                            argc, argv, 2, 2, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .layer = layer, .has_index = index,
                            .max_rows = rows, .every = every};
    if (index && !read_index(index, args.index)) {
        fprintf(stderr,
                "cajal explain: --index needs 1 to %d whole numbers, 0 or more, with commas "
                "between, not \"",
                CJ_MAX_RANK);
        print_text(index, stderr);
        fputs("\"\n", stderr);
        return EXIT_USAGE;
    }
    cj_tensor *sample[2] = {NULL, NULL};
    cj_model *model = cj_load(words[0]);
    cj_status status = model ? read_sample(model, words[1], invert, sample) : cj_error_status();
    if (status == CJ_OK)
        status = cj_explain_with(model, sample, stdout, &args);
    if (status == CJ_OK && label >= 0)
        status = explain_loss(model, sample, label);
    cj_release(sample[0]);
    cj_release(sample[1]);
    cj_release(model);
    return finish(status);
}
