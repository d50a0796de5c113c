// cajal explain: how a model computes its answer for one input.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int run_explain(int argc, char **argv)
{
    const char *layer = NULL, *index = NULL, *words[2] = {NULL, NULL};
    int64_t rows = 0;
    bool invert = false;
    const option options[] = {
        {"layer", "NAME", "only this layer", OPTION_TEXT, &layer},
        {"index", "I,J,...", "the output element to derive (the greatest)", OPTION_TEXT, &index},
        {"max-rows", "N", "shorten longer arrays (12)", OPTION_INT, &rows},
        {"invert", NULL, "the image is dark on light: take it the other way round", OPTION_FLAG,
         &invert},
    };
    int done = read_options(find_command("explain"), options, 4, argc, argv, 2, 2, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .layer = layer, .has_index = index,
                            .max_rows = rows};
    const char *c = index;
    for (int i = 0; c && *c != '\0' && i < CJ_MAX_RANK; i++) {
        char *end = NULL;
        args.index[i] = strtoll(c, &end, 10);
        if (end == c || (*end != ',' && *end != '\0')) {
            fputs("cajal explain: --index needs numbers such as 0,3,1, not \"", stderr);
            print_text(index, stderr);
            fputs("\"\n", stderr);
            return EXIT_USAGE;
        }
        c = *end == ',' ? end + 1 : end;
    }
    cj_tensor *image = NULL;
    cj_model *model = cj_load(words[0]);
    cj_status status =
        model ? read_model_image(model, words[1], invert, &image) : cj_error_status();
    if (status == CJ_OK)
        status = cj_explain_with(model, (cj_tensor *[]){image}, stdout, &args);
    cj_release(image);
    cj_release(model);
    return finish(status);
}
