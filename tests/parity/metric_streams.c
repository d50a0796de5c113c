// Metrics by themselves against Keras: batches of uneven sizes into one metric, its result after each,
// without and with sample weights; see generator/metrics.py.
#include "fixture.h"
#include <cajal/metrics.h>
#include <string.h>

static const int64_t SIZES[] = {3, 5, 1, 4};
enum { BATCHES = sizeof SIZES / sizeof SIZES[0], MOST_NUMBERS = 8 };

static cj_tensor *rows_of(const cj_tensor *all, int64_t first, int64_t count)
{
    cj_shape shape = *cj_tensor_shape(all);
    cj_tensor *part = NULL;
    const size_t row =
        (size_t)(cj_tensor_count(all) / shape.dims[0]) * cj_dtype_size(cj_tensor_dtype(all));
    shape.dims[0] = count;
    const char *from = (const char *)cj_tensor_data(all) + (size_t)first * row;
    assert_int_equal(CJ_OK, cj_tensor_from(cj_tensor_dtype(all), shape, from,
                                           (size_t)cj_shape_count(&shape), &part));
    return part;
}

static bool update(cj_metric *metric, cj_tensor *const *all, int count, int64_t first, int64_t size)
{
    cj_tensor *part[3] = {NULL};
    for (int i = 0; i < count; i++)
        part[i] = rows_of(all[i], first, size);
    const cj_status status = cj_metric_update(metric, part[0], part[1], part[2]);
    if (status != CJ_OK)
        print_message("%s\n", cj_error());
    for (int i = 0; i < count; i++)
        cj_release(part[i]);
    return status == CJ_OK;
}

static bool follows(const fixture *file, const char *name, cj_metric *metric, const char *kind,
                    cj_tensor *const *all, int count)
{
    cj_tensor *expected = fixture_tensor(file, name, kind);
    bool right = metric != NULL;
    int64_t first = 0;
    for (int i = 0; i < BATCHES && right; i++) {
        double numbers[MOST_NUMBERS] = {0};
        right = update(metric, all, count, first, SIZES[i]);
        first += SIZES[i];
        const int found = right ? cj_metric_results(metric, numbers, MOST_NUMBERS) : 0;
        const int64_t wanted = cj_tensor_count(expected) / BATCHES;
        if (right && found != wanted) {
            print_message("%s: %d numbers, Keras has %d\n", name, found, (int)wanted);
            right = false;
        }
        for (int k = 0; k < found && right; k++)
            right = fixture_near(file, name, kind, numbers[k],
                                 cj_tensor_get(expected, (int64_t[]){i, k}));
    }
    cj_release(expected);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *all[3] = {fixture_tensor(file, name, "y"), fixture_tensor(file, name, "p"),
                         fixture_tensor(file, name, "weights")};
    cj_metric *metric = cj_metric_new(fixture_text(one, "spec"));
    bool right = follows(file, name, metric, "plain", all, 2);
    cj_metric_reset(metric);
    right = follows(file, name, metric, "weighted", all, 3) && right;
    cj_release(metric);
    for (int i = 0; i < 3; i++)
        cj_release(all[i]);
    return right;
}

static void streams_equal_keras(void **state)
{
    (void)state;
    fixture_run("metric_streams", equals_keras);
}

static void streams_by_drawn_settings_equal_keras(void **state)
{
    (void)state;
    fixture_run("metrics_drawn", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(streams_equal_keras),
                                       cmocka_unit_test(streams_by_drawn_settings_equal_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
