// Cross-validation over k, and k-nearest neighbours on CIFAR-10.
#include "helpers.h"
#include <cajal/cross_validate.h>
#include <math.h>

static cj_knn_scores *scores;

// Samples of `data` outside begin .. end - 1, copied.
static cj_dataset *without(const cj_dataset *data, int64_t begin, int64_t end)
{
    const int64_t count = cj_dataset_count(data),
                  width = cj_tensor_shape(cj_dataset_x(data, 0))->dims[1];
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(count - (end - begin), width), &x));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(count - (end - begin)), &y));
    uint8_t *to = cj_tensor_data(x), *label = cj_tensor_data(y);
    for (int64_t i = 0; i < count; i++) {
        if (i >= begin && i < end)
            continue;
        for (int64_t p = 0; p < width; p++)
            *to++ = ((const uint8_t *)cj_tensor_data(cj_dataset_x(data, 0)))[i * width + p];
        *label++ = ((const uint8_t *)cj_tensor_data(cj_dataset_y(data, 0)))[i];
    }
    return cj_dataset(.x = {x}, .y = {y});
}

// 43 samples in 5 folds: 9, 9, 9, 8, 8.
static void each_fold_is_scored_by_the_others(void **unused)
{
    (void)unused;
    static const int64_t edges[] = {0, 9, 18, 27, 35, 43}, k[] = {7, 1, 3};
    cj_dataset *data = random_data(CJ_U8, 43, 2, 20, 3);
    assert_ok(cj_knn_cross_validate(data, &scores, .k = {7, 1, 3}, .folds = 5, .metric = "l1"));
    assert_int_equal(cj_knn_scores_folds(scores), 5);
    assert_int_equal(cj_knn_scores_count(scores), 3);
    for (int f = 0; f < 5; f++) {
        cj_dataset *others = without(data, edges[f], edges[f + 1]), *part = NULL;
        double accuracy[3];
        cj_knn *knn = cj_knn(.metric = "l1");
        assert_ok(cj_dataset_slice(data, edges[f], edges[f + 1] - edges[f], &part));
        assert_ok(cj_knn_fit(knn, others));
        assert_ok(cj_knn_score_each(knn, part, k, 3, accuracy));
        for (int i = 0; i < 3; i++)
            assert_true(accuracy[i] == cj_knn_scores_accuracy(scores, i, f));
        cj_release(knn), cj_release(part), cj_release(others);
    }
    for (int i = 0; i < 3; i++) {
        double sum = 0, squares = 0;
        for (int f = 0; f < 5; f++)
            sum += cj_knn_scores_accuracy(scores, i, f);
        for (int f = 0; f < 5; f++)
            squares += pow(cj_knn_scores_accuracy(scores, i, f) - sum / 5, 2);
        assert_near(cj_knn_scores_mean(scores, i), sum / 5, 1e-15, 0);
        assert_near(cj_knn_scores_deviation(scores, i), sqrt(squares / 5), 1e-15, 0);
    }
    cj_release(data), cj_release(scores);
}

// All labels are equal, so that every k is right always.
static void of_equal_means_the_smallest_k_is_best(void **unused)
{
    (void)unused;
    cj_dataset *data = random_data(CJ_U8, 20, 2, 20, 1);
    assert_ok(cj_knn_cross_validate(data, &scores, .k = {4, 2, 9}));
    assert_int_equal(cj_knn_scores_folds(scores), 5);
    assert_int_equal(cj_knn_scores_best(scores), 2);
    assert_true(cj_knn_scores_mean(scores, 0) == 1);
    cj_release(scores);
    assert_ok(cj_knn_cross_validate(data, &scores, .folds = 20));
    assert_int_equal(cj_knn_scores_count(scores), 1);
    assert_int_equal(cj_knn_scores_k(scores, 0), 5);
    cj_release(data), cj_release(scores);
}

static void note(void *context, int done, int folds)
{
    int *seen = context;
    assert_int_equal(done, *seen + 1);
    assert_int_equal(folds, 4);
    *seen = done;
}

static void progress_is_told_after_each_fold(void **unused)
{
    (void)unused;
    int seen = 0;
    cj_dataset *data = random_data(CJ_U8, 20, 2, 20, 2);
    assert_ok(cj_knn_cross_validate(data, &scores, .folds = 4, .progress = note, .context = &seen));
    assert_int_equal(seen, 4);
    cj_release(data), cj_release(scores);
}

static void a_pool_stays_the_callers(void **unused)
{
    (void)unused;
    cj_pool *pool = cj_pool_new(2);
    cj_dataset *data = random_data(CJ_U8, 20, 2, 20, 2);
    for (int i = 0; i < 2; i++) {
        assert_ok(cj_knn_cross_validate(data, &scores, .pool = pool));
        cj_release(scores);
    }
    assert_int_equal(cj_pool_threads(pool), 2);
    cj_release(pool), cj_release(data);
}

// Given folds give what the same samples in the order of the folds give.
static void given_folds_are_taken(void **unused)
{
    (void)unused;
    enum { COUNT = 40 };
    cj_dataset *data = random_data(CJ_U8, COUNT, 2, 20, 3);
    cj_folds *folds;
    assert_ok(cj_k_fold(data, &folds, .folds = 4, .shuffle = true, .seed = 3));
    assert_ok(cj_knn_cross_validate(data, &scores, .k = {3, 1}, .given = folds));
    assert_int_equal(cj_knn_scores_folds(scores), 4);
    for (int f = 0; f < 4; f++) {
        cj_dataset *train, *test;
        double accuracy[2];
        cj_knn *knn = cj_knn();
        assert_ok(cj_folds_split(folds, data, f, &train, &test));
        assert_ok(cj_knn_fit(knn, train));
        assert_ok(cj_knn_score_each(knn, test, (int64_t[]){3, 1}, 2, accuracy));
        for (int i = 0; i < 2; i++) // equal distances may be in another order
            assert_near(accuracy[i], cj_knn_scores_accuracy(scores, i, f), 0.11, 0);
        cj_release(knn), cj_release(train), cj_release(test);
    }
    cj_release(scores), cj_release(folds);
    // Consecutive folds are those of a number of folds, bit for bit.
    cj_knn_scores *same;
    assert_ok(cj_k_fold(data, &folds, .folds = 3));
    assert_ok(cj_knn_cross_validate(data, &scores, .given = folds));
    assert_ok(cj_knn_cross_validate(data, &same, .folds = 3));
    for (int f = 0; f < 3; f++)
        assert_true(cj_knn_scores_accuracy(scores, 0, f) == cj_knn_scores_accuracy(same, 0, f));
    cj_dataset *fewer = random_data(CJ_U8, COUNT - 1, 2, 20, 3);
    cj_release(scores), cj_release(same);
    assert_int_equal(cj_knn_cross_validate(fewer, &scores, .given = folds), CJ_INVALID_ARGUMENT);
    assert_error_contains("the given folds are of 40");
    cj_release(folds), cj_release(fewer), cj_release(data);
}

static void what_cannot_be_is_refused(void **unused)
{
    (void)unused;
    cj_dataset *data = random_data(CJ_U8, 10, 2, 20, 2);
    assert_int_equal(cj_knn_cross_validate(data, &scores, .folds = 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_cross_validate(data, &scores, .folds = 11), CJ_INVALID_ARGUMENT);
    assert_error_contains("11 folds of 10 samples");
    assert_int_equal(cj_knn_cross_validate(data, &scores, .folds = 3, .k = {1, 7}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("k is 7, but there are 6");
    assert_int_equal(cj_knn_cross_validate(data, &scores, .k = {-1}), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_cross_validate(data, &scores, .metric = "l4"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_cross_validate(NULL, &scores, .folds = 5), CJ_INVALID_ARGUMENT);
    cj_release(data), cj_release(scores);
}

static cj_status validate(void *context)
{
    const cj_status status = cj_knn_cross_validate(context, &scores, .folds = 2);
    cj_release(scores);
    scores = NULL;
    return status;
}

static void survives_failed_allocations(void **unused)
{
    (void)unused;
    cj_dataset *data = random_data(CJ_U8, 20, 2, 20, 2);
    support_fail_each_allocation(validate, data);
    cj_release(data), cj_release(scores);
}

// 5000 samples, 500 queries of raw pixels: by chance 10 of 100 would be right; published courses
// have 27 to 30 of 100.
static void pixels_of_cifar10_tell_more_than_chance(void **unused)
{
    (void)unused;
    if (!support_data("cifar-10-batches-bin"))
        support_skip("CAJAL_DATA has no cifar-10-batches-bin");
    static const char *const metrics[] = {"l2", "l1"};
    cj_dataset *train, *test, *samples, *queries;
    assert_ok(cj_load_cifar10(&train, &test));
    assert_ok(cj_dataset_slice(train, 0, 5000, &samples));
    assert_ok(cj_dataset_slice(test, 0, 500, &queries));
    for (int m = 0; m < 2; m++) {
        double accuracy[3];
        cj_knn *knn = cj_knn(.metric = metrics[m]);
        assert_ok(cj_knn_fit(knn, samples));
        assert_ok(cj_knn_score_each(knn, queries, (const int64_t[]){1, 5, 10}, 3, accuracy));
        for (int i = 0; i < 3; i++)
            assert_true(accuracy[i] > 0.24 && accuracy[i] < 0.33);
        cj_release(knn);
    }
    cj_release(queries), cj_release(samples), cj_release(test), cj_release(train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fold_is_scored_by_the_others),
        cmocka_unit_test(of_equal_means_the_smallest_k_is_best),
        cmocka_unit_test(progress_is_told_after_each_fold),
        cmocka_unit_test(a_pool_stays_the_callers),
        cmocka_unit_test(given_folds_are_taken),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(pixels_of_cifar10_tell_more_than_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
