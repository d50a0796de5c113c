// cajal evaluate: loss, metrics and confusion matrix of a trained model.
#include "augment.h"
#include "compile.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cj_status evaluate(const char *file, const char *data_name, int64_t limit, bool json,
                          bool spikes)
{
    cj_dataset *train = NULL, *test = NULL, *targets = NULL;
    cj_tensor *probabilities = NULL;
    int64_t *counts = NULL;
    int classes = 0;
    cj_results *results = NULL;
    cj_model *model = cj_load(file);
    own_data own = {OWN_DATA_DEFAULTS};
    cj_status status =
        model ? load_data(&data_name, model, &own, &train, &test) : cj_error_status();
    const bool numbers = status == CJ_OK && kind_of_target(&own, test) != TARGET_CLASSES;
    if (status == CJ_OK)
        status = limit_samples(&test, limit);
    test = cj_take(test);
    if (status == CJ_OK)
        status = targets_of(model, test, &targets);
    if (status == CJ_OK)
        status = cj_evaluate(model, targets, &results, .batch_size = batch_of(model, 256),
                             .verbose = json ? CJ_SILENT : CJ_BAR);
    if (status == CJ_OK && !numbers)
        status = count_confusion(model, test, &counts, &classes, &probabilities);
    if (status == CJ_OK && json) {
        json_t *object = json_object(), *matrix = json_array();
        for (int i = 0; i < cj_results_count(results); i++)
            json_object_set_new(object, cj_results_name(results, i),
                                number_json(cj_results_value_at(results, i)));
        for (int i = 0; i < classes; i++) {
            json_t *row = json_array();
            for (int j = 0; j < classes; j++)
                json_array_append_new(row, json_integer(counts[i * classes + j]));
            json_array_append_new(matrix, row);
        }
        json_object_set_new(object, "confusion", matrix);
        print_json_value(object);
        json_decref(object);
    } else if (status == CJ_OK) {
        printf("on %lld test samples of %s\n", (long long)cj_dataset_count(test), data_name);
        for (int i = 0; i < cj_results_count(results); i++)
            printf("%s %.4f\n", cj_results_name(results, i), cj_results_value_at(results, i));
        if (!numbers)
            print_confusion(counts, classes, stdout);
        if (spikes)
            status = print_activity(model, test);
    }
    json_decref(own.schema);
    free(counts);
    cj_release(results);
    cj_release(probabilities);
    cj_release(train);
    cj_release(test);
    cj_release(targets);
    cj_release(model);
    return status;
}

int run_evaluate(int argc, char **argv)
{
    const char *data = "auto", *file = NULL;
    int64_t limit = 0;
    bool json = false, spikes = false;
    const option options[] = {
        MODEL_DATA_OPTION(&data),
        INT_OPTION("limit", "N", &limit, 1, INFINITY, "evaluate on the first N test samples only"),
        FLAG_OPTION("json", &json, "print as JSON"),
        FLAG_OPTION("spikes", &spikes,
                    "how much the neurons of each layer fire, and which operations that saves"),
    };
    int done = read_options(find_command("evaluate"), options, sizeof options / sizeof *options,
                            argc, argv, 1, 1, &file);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    return finish(evaluate(file, data, limit, json, spikes));
}
