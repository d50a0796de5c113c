// The names of losses and metrics, and the files of CSVLogger, against Keras; see
// generator/logs.py.
#include "fixture.h"
#include "base/object.h"
#include "train/callbacks.h"

#include <cajal/layers.h>
#include <cajal/train.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

// The texts of a list of a case, NULL for null; returns how many.
static int texts(const json_t *one, const char *key, const char *list[MOST])
{
    const json_t *items = json_object_get(one, key);
    const int count = (int)json_array_size(items);
    for (int i = 0; i < count && i < MOST; i++)
        list[i] = json_string_value(json_array_get(items, (size_t)i));
    return count;
}

static cj_model *model_of(const char *const *names, int count)
{
    cj_symbol *x = cj_input_symbol(2), *outputs[MOST];
    for (int i = 0; i < count; i++)
        outputs[i] = cj_apply(cj_dense(2, .name = names[i]), x);
    return cj_functional(.inputs = {x}, .outputs_list = outputs, .outputs_count = count);
}

static cj_dataset *data_of(int count, bool sparse)
{
    cj_tensor *x = NULL, *y[MOST] = {NULL};
    if (cj_tensor_new(CJ_F32, CJ_SHAPE(2, 2), &x) != CJ_OK)
        return NULL;
    for (int i = 0; i < count; i++)
        if (cj_tensor_new(CJ_F32, sparse ? CJ_SHAPE(2) : CJ_SHAPE(2, 2), &y[i]) != CJ_OK)
            return NULL;
    return cj_dataset(.x = {x}, .y_list = y, .y_count = count);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool same_names(const cj_history *history, const json_t *one)
{
    const char *theirs[MOST], *ours[MOST];
    const int count = texts(one, "names", theirs);
    if (cj_history_names(history) != count)
        return false;
    for (int i = 0; i < count; i++)
        ours[i] = cj_history_name(history, i);
    qsort(ours, (size_t)count, sizeof ours[0], compare);
    for (int i = 0; i < count; i++)
        if (strcmp(ours[i], theirs[i]) != 0) {
            print_message("%s: \"%s\", Keras has \"%s\"\n", fixture_case_name(one), ours[i],
                          theirs[i]);
            return false;
        }
    return true;
}

static bool names_equal_keras(const json_t *one)
{
    const char *outputs[MOST], *losses[MOST], *metrics[MOST], *weighted[MOST];
    const int count = texts(one, "outputs", outputs);
    cj_compile_args args = {CJ_COMPILE_DEFAULTS, .losses_list = losses};
    args.losses_count = texts(one, "losses", losses);
    args.metrics_count = texts(one, "metrics", metrics);
    args.weighted_metrics_count = texts(one, "weighted_metrics", weighted);
    args.metrics_list = args.metrics_count ? metrics : NULL;
    args.weighted_metrics_list = args.weighted_metrics_count ? weighted : NULL;
    cj_model *model = model_of(outputs, count);
    cj_dataset *data = data_of(count, losses[0] && strncmp(losses[0], "sparse", 6) == 0);
    cj_history *history = NULL;
    const bool right = model && data && cj_compile_with(model, &args) == CJ_OK &&
                       cj_fit(model, data, .history = &history) == CJ_OK &&
                       same_names(history, one);
    cj_release(history);
    cj_release(data);
    cj_release(model);
    return right;
}

// Gives the callback one epoch's values.
static bool tell(cj_callback *logger, cj_model *model, int epoch, const json_t *row)
{
    const char *names[MOST], *key = NULL;
    double values[MOST];
    json_t *value = NULL;
    cj_logs logs = {.names = names, .values = values, .epoch = epoch};
    json_object_foreach ((json_t *)row, key, value) {
        names[logs.count] = key;
        values[logs.count++] = strtod(json_string_value(value), NULL);
    }
    return cj__callbacks_tell(&logger, 0, 1, CJ__MOMENT_EPOCH_END, model, &logs, NULL) == CJ_OK;
}

static bool csv_equals_keras(const json_t *one)
{
    const char *path = support_path("keras.csv"), *text = fixture_text(one, "text");
    const json_t *epochs = json_object_get(one, "epochs");
    cj_model *model = cj_sequential(cj_input(1), cj_dense(1));
    cj_callback *logger = cj__own(cj_csv_logger(path));
    cj_logs logs = {.count = 0};
    size_t size = 0;
    bool right =
        cj__callbacks_tell(&logger, 0, 1, CJ__MOMENT_TRAIN_BEGIN, model, &logs, NULL) == CJ_OK;
    for (size_t i = 0; right && i < json_array_size(epochs); i++)
        right = tell(logger, model, (int)i, json_array_get(epochs, i));
    cj_release(logger);
    cj_release(model);
    char *ours = support_read(path, &size);
    if (right && (size != strlen(text) || memcmp(ours, text, size) != 0)) {
        print_message("%s: ours is\n%.*s", fixture_case_name(one), (int)size, ours);
        right = false;
    }
    free(ours);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    (void)file;
    return strncmp(fixture_case_name(one), "csv_", 4) == 0 ? csv_equals_keras(one) :
                                                             names_equal_keras(one);
}

static void logs_equal_keras(void **state)
{
    (void)state;
    fixture_run("logs", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(logs_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
