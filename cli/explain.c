// cajal explain: how a model computes its answer for one input.
#include "cli.h"

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

// One text, (1, 1): the first line of a file.
static cj_status read_text(const char *path, cj_tensor **text)
{
    cj_tensor *lines = NULL;
    CJ_TRY(read_texts(path, &lines));
    const cj_status status = cj_tensor_slice(lines, 0, 0, 1, text);
    cj_release(lines);
    return status;
}

int run_explain(int argc, char **argv)
{
    const char *layer = NULL, *index = NULL, *words[2] = {NULL, NULL};
    int64_t rows = 12;
    bool invert = false;
    const option options[] = {
        TEXT_OPTION("layer", "NAME", &layer, "only this layer"),
        TEXT_OPTION("index", "I,J,...", &index, "the output element to derive (the greatest)"),
        INT_OPTION("max-rows", "N", &rows, 3, 1000, "shorten longer arrays (12)"),
        FLAG_OPTION("invert", &invert, "the image is dark on light: take it the other way round"),
    };
    int done = read_options(find_command("explain"), options, 4, argc, argv, 2, 2, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .layer = layer, .has_index = index,
                            .max_rows = rows};
    if (index && !read_index(index, args.index)) {
        fprintf(stderr,
                "cajal explain: --index needs 1 to %d whole numbers, 0 or more, with commas "
                "between, not \"",
                CJ_MAX_RANK);
        print_text(index, stderr);
        fputs("\"\n", stderr);
        return EXIT_USAGE;
    }
    cj_tensor *image = NULL;
    cj_model *model = cj_load(words[0]);
    cj_status status = !model             ? cj_error_status() :
                       takes_texts(model) ? read_text(words[1], &image) :
                                            read_model_image(model, words[1], invert, &image);
    if (status == CJ_OK)
        status = cj_explain_with(model, (cj_tensor *[]){image}, stdout, &args);
    cj_release(image);
    cj_release(model);
    return finish(status);
}
