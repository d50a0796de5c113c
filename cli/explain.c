// cajal explain: how a model computes its answer for one input.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int run_explain(int argc, char **argv)
{
    const char *layer = NULL, *index = NULL, *words[2] = {NULL, NULL};
    int64_t rows = 0;
    const option options[] = {
        {"layer", "NAME", "only this layer", OPTION_TEXT, &layer},
        {"index", "I,J,...", "the output element to derive (the first)", OPTION_TEXT, &index},
        {"max-rows", "N", "shorten longer arrays (12)", OPTION_INT, &rows},
    };
    int done = read_options(find_command("explain"), options, 3, argc, argv, 2, 2, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_explain_args args = {CJ_EXPLAIN_DEFAULTS, .layer = layer, .has_index = index,
                            .max_rows = rows};
    const char *c = index;
    for (int i = 0; c && *c != '\0' && i < CJ_MAX_RANK; i++) {
        char *end = NULL;
        args.index[i] = strtoll(c, &end, 10);
        if (end == c || (*end != ',' && *end != '\0')) {
            fprintf(stderr, "cajal explain: \"%s\" is not a list of indices\n", index);
            return EXIT_USAGE;
        }
        c = *end == ',' ? end + 1 : end;
    }
    cj_tensor *image = NULL;
    cj_model *model = cj_load(words[0]);
    cj_status status = model ? read_model_image(model, words[1], &image) : cj_error_status();
    if (status == CJ_OK)
        status = cj_explain_with(model, (cj_tensor *[]){image}, stdout, &args);
    cj_release(image);
    cj_release(model);
    return finish(status);
}
