// Metrics with states: in logs of whole epochs, over a stop in the middle of one, and by themselves.
#include "problems.h"
#include <cajal/metrics.h>
#include <math.h>
#include <string.h>

enum { SAMPLES = 45, SIZE = 8 };

// Points (4) with a target of 0 or 1.
static cj_dataset *two_classes(void)
{
    float x[SAMPLES * 4], y[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        for (int k = 0; k < 4; k++)
            x[i * 4 + k] = sinf((float)(7 * i + 3 * k)) + (k == 0 ? (float)(i % 2) : 0);
        y[i] = (float)(i % 2);
    }
    return cj_dataset(.x = {problem_tensor(CJ_SHAPE(SAMPLES, 4), x)},
                      .y = {problem_tensor(CJ_SHAPE(SAMPLES, 1), y)});
}

static cj_model *compiled(void)
{
    cj_model *model = cj_sequential(cj_input(4), cj_dense(6, .activation = "relu"),
                                    cj_dense(1, .activation = "sigmoid"));
    assert_ok(cj_model_set_seed(model, 5));
    assert_ok(cj_compile(
        model, .optimizer = cj_adam(.learning_rate = 0.02), .loss = "binary_crossentropy",
        .metrics = {"auc", "precision(thresholds=0.4)", "RootMeanSquaredError", "accuracy"}));
    return model;
}

// An epoch's metric is that of all its samples, not a mean of batches.
static void evaluate_is_the_metric_of_all_samples(void **state)
{
    (void)state;
    static const char *const specs[] = {"auc", "precision(thresholds=0.4)", "RootMeanSquaredError"};
    cj_dataset *data = two_classes();
    cj_model *model = compiled();
    cj_results *results = NULL;
    cj_tensor *p = NULL;
    assert_ok(cj_fit(model, data, .batch_size = SIZE));
    assert_ok(cj_evaluate(model, data, &results, .batch_size = SIZE));
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &p));
    for (int i = 0; i < 3; i++) {
        cj_metric *metric = cj_metric_new(specs[i]);
        assert_ok(cj_metric_update(metric, cj_dataset_y(data, 0), p, NULL));
        assert_near(cj_results_value_at(results, 1 + i), cj_metric_result(metric), 1e-6, 0);
        cj_release(metric);
    }
    assert_true(cj_results_value(results, "auc") > 0.5);
    assert_true(isnan(cj_results_value(results, "precision_1")));
    cj_release(p), cj_release(results), cj_release(model), cj_release(data);
}

// Stops after a number of batches.
static cj_status count_down(void *self, cj_model *model, cj_logs *logs)
{
    int *left = self;
    (void)model;
    if (--*left == 0)
        logs->stop = true;
    return CJ_OK;
}

static void states_survive_a_file_within_an_epoch(void **state)
{
    (void)state;
    const cj_callback_methods stopper = {
        .size = sizeof stopper, .name = "Stopper", .batch_end = count_down};
    const char *path = support_path("stopped.safetensors");
    cj_dataset *data = two_classes();
    cj_model *whole = compiled();
    cj_history *all = NULL;
    assert_ok(cj_fit(whole, data, .batch_size = SIZE, .epochs = 2, .history = &all,
                     .validation_data = data));
    for (int stop = 1; stop < 12; stop += 3) {
        cj_model *model = compiled(), *loaded = NULL;
        cj_history *rest = NULL;
        int left = stop;
        assert_ok(cj_fit(model, data, .batch_size = SIZE, .epochs = 2, .validation_data = data,
                         .callbacks = {cj_callback_new(&stopper, &left)}));
        assert_ok(cj_save(model, path));
        loaded = cj_load(path);
        assert_non_null(loaded);
        assert_ok(cj_fit(loaded, data, .batch_size = SIZE, .epochs = 2, .resume = true,
                         .history = &rest, .validation_data = data));
        const int last = cj_history_epochs(rest) - 1;
        static const char *const names[] = {"auc", "precision", "RootMeanSquaredError", "val_auc"};
        for (int i = 0; i < 4; i++) {
            const double expected = cj_history_value(all, names[i], 1);
            assert_true(isfinite(expected));
            assert_true(cj_history_value(rest, names[i], last) == expected);
        }
        cj_release(rest), cj_release(loaded), cj_release(model);
    }
    cj_release(all), cj_release(whole), cj_release(data);
}

static void early_stopping_knows_that_auc_rises(void **state)
{
    (void)state;
    cj_dataset *data = two_classes();
    cj_model *model = compiled();
    cj_history *history = NULL;
    // no epoch is better by 10: the first is the best, and the second is the last
    assert_ok(cj_fit(
        model, data, .batch_size = SIZE, .epochs = 5, .validation_data = data, .history = &history,
        .callbacks = {cj_early_stopping(.monitor = "val_auc", .patience = 1, .min_delta = 10)}));
    assert_int_equal(cj_history_epochs(history), 2);
    cj_release(history), cj_release(model), cj_release(data);
}

static void names_are_settings_or_specs(void **state)
{
    (void)state;
    cj_dataset *data = two_classes();
    cj_model *model = compiled();
    cj_results *r = NULL;
    assert_ok(cj_compile(model, .loss = "bce",
                         .metrics = {"AUC(curve=PR, name=area)", "auc", "auc(curve=PR)", "mape"},
                         .weighted_metrics = {"auc"}));
    assert_ok(cj_evaluate(model, data, &r));
    static const char *const names[] = {"loss", "area", "auc", "auc_1", "mape", "weighted_auc"};
    assert_int_equal(cj_results_count(r), 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(cj_results_name(r, i), names[i]);
    assert_true(cj_results_value(r, "area") == cj_results_value(r, "auc_1"));
    assert_true(cj_results_value(r, "auc") == cj_results_value(r, "weighted_auc"));
    cj_release(r), cj_release(model), cj_release(data);
}

static void settings_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *words;
    } cases[] = {
        {"precision(thresholds=(0.5, 0.3))", "do not rise"},
        {"precision(thresholds=1.5)", "thresholds must be from 0 to 1"},
        {"recall(thresholds=high)", "is not a list of numbers"},
        {"sensitivity_at_specificity", "specificity is required"},
        {"iou(num_classes=3, target_class_ids=(0, 3))", "target class 3"},
        {"mean_iou", "num_classes is required"},
        {"auc(curve=ROD)", "did you mean \"ROC\"?"},
        {"f1_score(average=mean)", "average"},
    };
    cj_model *model = compiled();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cj_compile(model, .loss = "mse", .metrics = {cases[i].spec}),
                         CJ_INVALID_ARGUMENT);
        assert_error_contains(cases[i].words);
        assert_null(cj_metric_new(cases[i].spec));
    }
    cj_release(model);
}

// A log takes one number a metric; an object has all.
static void several_numbers_are_for_objects(void **state)
{
    (void)state;
    cj_dataset *data = two_classes();
    cj_model *model = compiled();
    cj_results *r = NULL;
    cj_tensor *p = NULL;
    double numbers[4] = {-1, -1, -1, -1};
    const char *spec = "precision(thresholds=(0.2, 0.5, 0.8))";
    assert_ok(cj_compile(model, .loss = "mse", .metrics = {spec}));
    assert_int_equal(cj_evaluate(model, data, &r), CJ_UNSUPPORTED);
    assert_error_contains("it has 3 numbers");
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &p));
    cj_metric *metric = cj_metric_new(spec);
    assert_int_equal(cj_metric_results(metric, numbers, 4), 0); // nothing was seen
    assert_near(cj_metric_result(metric), 0, 0, 0);
    assert_ok(cj_metric_update(metric, cj_dataset_y(data, 0), p, NULL));
    assert_int_equal(cj_metric_results(metric, numbers, 2), 3);
    assert_true(numbers[0] >= 0 && numbers[1] >= 0 && numbers[2] < 0);
    assert_true(cj_metric_result(metric) == numbers[0]);
    cj_metric_reset(metric);
    assert_near(cj_metric_result(metric), 0, 0, 0);
    cj_release(metric), cj_release(p), cj_release(model), cj_release(data);
}

static void losses_by_themselves(void **state)
{
    (void)state;
    const float p[] = {0.5f, -1, 2, 0}, t[] = {0, 1, 2, 4}, w[] = {1, 3};
    cj_tensor *given = problem_tensor(CJ_SHAPE(2, 2), p),
              *wanted = problem_tensor(CJ_SHAPE(2, 2), t),
              *weights = problem_tensor(CJ_SHAPE(2), w), *mask = NULL;
    double value = 0;
    assert_ok(cj_tensor_from(CJ_BOOL, CJ_SHAPE(2), (bool[]){true, false}, 2, &mask));
    assert_ok(cj_loss_value("mae", wanted, given, NULL, NULL, &value));
    assert_near(value, 6.5 / 4, 1e-6, 0);
    assert_ok(cj_loss_value("mae(reduction=sum)", wanted, given, weights, NULL, &value));
    assert_near(value, 2.5 / 2 + 3 * 4.0 / 2, 1e-6, 0);
    assert_ok(cj_loss_value("mae", wanted, given, weights, mask, &value));
    assert_near(value, 2.5 / 2, 1e-6, 0);
    assert_int_equal(cj_loss_value("mae", wanted, given, given, NULL, &value), CJ_SHAPE_MISMATCH);
    assert_error_contains("sample_weight has 4 numbers for 2 samples");
    assert_int_equal(cj_loss_value("mea", wanted, given, NULL, NULL, &value), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_loss_value("mae", NULL, given, NULL, NULL, &value), CJ_INVALID_ARGUMENT);
    assert_true(isnan(value));
    cj_release(given), cj_release(wanted), cj_release(weights), cj_release(mask);
}

// Of Keras's documentation: [1, 3, 5, 7] has the mean 4 and the sum 16, with weights [1, 1, 0, 0] 2 and 4;
// of several values of a sample the mean, and the sum.
static void means_and_sums_of_values_are_metrics(void **state)
{
    (void)state;
    const float v[] = {1, 3, 5, 7}, w[] = {1, 1, 0, 0};
    cj_tensor *values = problem_tensor(CJ_SHAPE(4), v), *pairs = problem_tensor(CJ_SHAPE(2, 2), v),
              *weights = problem_tensor(CJ_SHAPE(4), w);
    cj_metric *mean = cj_metric_new("mean"), *sum = cj_metric_new("Sum");
    assert_ok(cj_metric_update(mean, values, values, NULL));
    assert_ok(cj_metric_update(sum, values, values, NULL));
    assert_near(cj_metric_result(mean), 4, 0, 0);
    assert_near(cj_metric_result(sum), 16, 0, 0);
    cj_metric_reset(mean), cj_metric_reset(sum);
    assert_ok(cj_metric_update(mean, values, values, weights));
    assert_ok(cj_metric_update(sum, values, values, weights));
    assert_near(cj_metric_result(mean), 2, 0, 0);
    assert_near(cj_metric_result(sum), 4, 0, 0);
    assert_ok(cj_metric_update(mean, pairs, pairs, NULL)); // samples 2 and 6 besides 1 and 3
    assert_ok(cj_metric_update(sum, pairs, pairs, NULL));
    assert_near(cj_metric_result(mean), 3, 1e-12, 0);
    assert_near(cj_metric_result(sum), 20, 0, 0);
    cj_release(mean), cj_release(sum);
    cj_release(values), cj_release(pairs), cj_release(weights);
}

static void a_metric_keeps_what_it_has_when_a_batch_fails(void **state)
{
    (void)state;
    const float p[] = {0.9f, 0.2f, 0.7f, 0.4f}, t[] = {1, 0, 0, 1};
    cj_tensor *given = problem_tensor(CJ_SHAPE(4, 1), p),
              *wanted = problem_tensor(CJ_SHAPE(4, 1), t),
              *short_one = problem_tensor(CJ_SHAPE(2, 1), t),
              *wide = problem_tensor(CJ_SHAPE(2, 2), p);
    cj_metric *metric = cj_metric_new("recall");
    assert_ok(cj_metric_update(metric, wanted, given, NULL));
    assert_near(cj_metric_result(metric), 0.5, 0, 0);
    assert_int_equal(cj_metric_update(metric, short_one, given, NULL), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_metric_update(metric, short_one, wide, NULL), CJ_SHAPE_MISMATCH);
    assert_int_equal(cj_metric_update(NULL, wanted, given, NULL), CJ_INVALID_ARGUMENT);
    assert_near(cj_metric_result(metric), 0.5, 0, 0);
    assert_true(isnan(cj_metric_result(NULL)));
    cj_metric_reset(NULL);
    cj_release(metric), cj_release(given), cj_release(wanted), cj_release(short_one);
    cj_release(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluate_is_the_metric_of_all_samples),
        cmocka_unit_test(states_survive_a_file_within_an_epoch),
        cmocka_unit_test(early_stopping_knows_that_auc_rises),
        cmocka_unit_test(names_are_settings_or_specs),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(several_numbers_are_for_objects),
        cmocka_unit_test(losses_by_themselves),
        cmocka_unit_test(means_and_sums_of_values_are_metrics),
        cmocka_unit_test(a_metric_keeps_what_it_has_when_a_batch_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
