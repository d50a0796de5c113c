// Votes, scores, sentences and memory of the classifier.
#include "helpers.h"
#include <math.h>
#include <string.h>

// Samples at 0, 1, 2, ... on a line, with the labels given.
static cj_dataset *line(int64_t count, const uint8_t *labels)
{
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(count, 1), &x));
    for (int64_t i = 0; i < count; i++)
        ((uint8_t *)cj_tensor_data(x))[i] = (uint8_t)i;
    return cj_dataset(.x = {x}, .y = {bytes_of(CJ_SHAPE(count), labels)});
}

static int label_at(cj_knn *knn, uint8_t place)
{
    cj_tensor *query = bytes_of(CJ_SHAPE(1, 1), &place), *labels = NULL;
    assert_ok(cj_knn_predict(knn, query, &labels));
    assert_int_equal(cj_tensor_dtype(labels), CJ_I32);
    const int label = ((const int32_t *)cj_tensor_data(labels))[0];
    cj_release(query), cj_release(labels);
    return label;
}

static void of_as_many_votes_the_smaller_label_wins(void **unused)
{
    (void)unused;
    cj_dataset *data = line(6, (const uint8_t[]){7, 3, 3, 7, 9, 9});
    cj_knn *knn = cj_knn(.k = 4);
    assert_ok(cj_knn_fit(knn, data));
    assert_int_equal(label_at(knn, 0), 3); // 7 3 3 7
    cj_release(knn);
    knn = cj_knn(.k = 1);
    assert_ok(cj_knn_fit(knn, data));
    assert_int_equal(label_at(knn, 0), 7);
    assert_int_equal(label_at(knn, 200), 9);
    cj_release(knn), cj_release(data);
}

// At 10 the neighbours are 9 (label 1, distance 1), 8 and 7 (label 0, distances 2 and 3): 1 against
// 1/2 + 1/3.
static void nearer_votes_weigh_more_with_distance(void **unused)
{
    (void)unused;
    cj_dataset *data = line(10, (const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    cj_knn *uniform = cj_knn(.k = 3), *distance = cj_knn(.k = 3, .weights = "distance");
    assert_ok(cj_knn_fit(uniform, data));
    assert_ok(cj_knn_fit(distance, data));
    assert_int_equal(label_at(uniform, 10), 0);
    assert_int_equal(label_at(distance, 10), 1);
    assert_int_equal(label_at(distance, 9), 1); // on a sample: it has all votes
    assert_int_equal(label_at(distance, 8), 0);
    cj_release(uniform), cj_release(distance), cj_release(data);
}

static void shares_are_the_votes_of_each_class(void **unused)
{
    (void)unused;
    cj_dataset *data = line(6, (const uint8_t[]){2, 2, 0, 2, 3, 3});
    cj_tensor *query = bytes_of(CJ_SHAPE(2, 1), (const uint8_t[]){0, 2}), *shares = NULL;
    cj_knn *knn = cj_knn(.k = 4), *distance = cj_knn(.k = 3, .weights = "distance");
    assert_ok(cj_knn_fit(knn, data));
    assert_ok(cj_knn_predict_proba(knn, query, &shares));
    assert_true(cj_shape_equal(cj_tensor_shape(shares), &CJ_SHAPE(2, 4)));
    assert_all_near(cj_tensor_data(shares),
                    ((const float[]){0.25f, 0, 0.75f, 0, 0.25f, 0, 0.75f, 0}), 8, 0, 0);
    cj_release(shares);
    assert_ok(cj_knn_fit(distance, data));
    assert_ok(cj_knn_predict_proba(distance, query, &shares));
    assert_all_near(cj_tensor_data(shares), ((const float[]){0, 0, 1, 0, 1, 0, 0, 0}), 8, 0, 0);
    cj_release(shares), cj_release(query), cj_release(knn), cj_release(distance), cj_release(data);
}

static void scores_count_right_answers_for_each_k(void **unused)
{
    (void)unused;
    cj_dataset *data = random_data(CJ_U8, 500, 3, 256, 3),
               *test = random_data(CJ_U8, 211, 3, 256, 3);
    const int64_t k[] = {9, 1, 4};
    double each[3], one;
    cj_knn *all = cj_knn(.k = 5);
    assert_ok(cj_knn_fit(all, data));
    assert_ok(cj_knn_score_each(all, test, k, 3, each));
    for (int i = 0; i < 3; i++) {
        cj_tensor *labels = NULL;
        int64_t right = 0;
        cj_knn *knn = cj_knn(.k = k[i]);
        assert_ok(cj_knn_fit(knn, data));
        assert_ok(cj_knn_score(knn, test, &one));
        assert_true(one == each[i]);
        assert_ok(cj_knn_predict(knn, cj_dataset_x(test, 0), &labels));
        for (int64_t q = 0; q < 211; q++)
            right += ((const int32_t *)cj_tensor_data(labels))[q] ==
                     ((const uint8_t *)cj_tensor_data(cj_dataset_y(test, 0)))[q];
        assert_true(one == (double)right / 211);
        cj_release(labels), cj_release(knn);
    }
    cj_release(all), cj_release(test), cj_release(data);
}

static void labels_may_be_large_and_of_any_integer_type(void **unused)
{
    (void)unused;
    cj_tensor *x = bytes_of(CJ_SHAPE(2, 1), (const uint8_t[]){0, 100}), *y = NULL, *shares = NULL;
    assert_ok(cj_tensor_from(CJ_I64, CJ_SHAPE(2, 1), (const int64_t[]){INT32_MAX, 5}, 2, &y));
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_knn *knn = cj_knn(.k = 1);
    assert_ok(cj_knn_fit(knn, data));
    assert_int_equal(label_at(knn, 1), INT32_MAX);
    assert_int_equal(label_at(knn, 99), 5);
    assert_int_equal(cj_knn_predict_proba(knn, x, &shares), CJ_UNSUPPORTED);
    assert_null(shares);
    cj_release(knn), cj_release(data);
}

static void bytes_and_floats_are_held_not_copied(void **unused)
{
    (void)unused;
    for (int d = 0; d < 2; d++) {
        cj_dataset *data = random_data(d ? CJ_F32 : CJ_U8, 4000, 500, 256, 3);
        support_memory_begin(-1);
        cj_knn *knn = cj_knn(.k = 1, .metric = "l1");
        const long before = support_memory_live();
        assert_ok(cj_knn_fit(knn, data));
        assert_true(support_memory_live() == before + 1); // the labels
        assert_ok(cj_knn_fit(knn, data));
        assert_true(support_memory_live() == before + 1);
        cj_release(knn);
        support_memory_end();
        cj_release(data);
    }
}

// Sentences
// -------------------------------------------------------------------------------------------------

static void builders_refuse_what_is_none(void **unused)
{
    (void)unused;
    assert_null(cj_knn(.metric = "l3"));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_error_contains("unknown metric \"l3\"");
    assert_null(cj_knn(.weights = "unifrom"));
    assert_error_contains("did you mean \"uniform\"?");
    assert_null(cj_knn(.k = -2));
    assert_error_contains("k is -2");
}

static void expect_fit(cj_knn *knn, cj_tensor *x, cj_tensor *y, cj_status status,
                       const char *sentence)
{
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    assert_non_null(data);
    assert_int_equal(cj_knn_fit(knn, data), status);
    assert_error_contains(sentence);
    cj_release(data);
}

static void fitting_refuses_what_does_not_fit(void **unused)
{
    (void)unused;
    cj_knn *knn = cj_knn(.k = 3);
    cj_tensor *labels = NULL, *query = bytes_of(CJ_SHAPE(1, 2), (const uint8_t[]){0, 0});
    const uint8_t bytes[8] = {0};
    const float floats[4] = {0, 1, NAN, 2};
    int64_t negative[3] = {0, -1, 2};

    assert_int_equal(cj_knn_predict(knn, query, &labels), CJ_NOT_BUILT);
    assert_int_equal(cj_knn_fit(knn, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_fit(NULL, NULL), CJ_INVALID_ARGUMENT);
    expect_fit(knn, bytes_of(CJ_SHAPE(2, 2), bytes), bytes_of(CJ_SHAPE(2), bytes),
               CJ_INVALID_ARGUMENT, "k is 3, but there are 2");
    cj_dataset *unlabelled = cj_dataset(.x = {bytes_of(CJ_SHAPE(4, 2), bytes)});
    assert_int_equal(cj_knn_fit(knn, unlabelled), CJ_SHAPE_MISMATCH);
    assert_error_contains("no labels");
    cj_release(unlabelled);
    expect_fit(knn, bytes_of(CJ_SHAPE(4, 2), bytes), bytes_of(CJ_SHAPE(4, 2), bytes),
               CJ_SHAPE_MISMATCH, "(4, 1)");
    expect_fit(knn, bytes_of(CJ_SHAPE(4, 2), bytes), floats_of(CJ_SHAPE(4), floats),
               CJ_SHAPE_MISMATCH, "float32");
    expect_fit(knn, floats_of(CJ_SHAPE(4, 1), floats), bytes_of(CJ_SHAPE(4), bytes),
               CJ_INVALID_ARGUMENT, "sample 2");
    cj_tensor *y = NULL, *empty = NULL;
    assert_ok(cj_tensor_from(CJ_I64, CJ_SHAPE(3), negative, 3, &y));
    expect_fit(knn, bytes_of(CJ_SHAPE(3, 2), bytes), y, CJ_INVALID_ARGUMENT,
               "label -1 of sample 1");
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(4, 0), &empty));
    expect_fit(knn, empty, bytes_of(CJ_SHAPE(4), bytes), CJ_SHAPE_MISMATCH, "without elements");
    cj_dataset *two =
        cj_dataset(.x = {bytes_of(CJ_SHAPE(4, 1), bytes), bytes_of(CJ_SHAPE(4, 1), bytes)},
                   .y = {bytes_of(CJ_SHAPE(4), bytes)});
    assert_int_equal(cj_knn_fit(knn, two), CJ_SHAPE_MISMATCH);
    assert_error_contains("several");
    assert_int_equal(cj_knn_predict(knn, query, &labels), CJ_NOT_BUILT);
    cj_release(two), cj_release(query), cj_release(knn);
}

static void a_failed_fit_keeps_what_was_learned(void **unused)
{
    (void)unused;
    cj_dataset *good = line(6, (const uint8_t[]){0, 0, 0, 4, 4, 4}),
               *few = line(2, (const uint8_t[]){1, 1});
    cj_knn *knn = cj_knn(.k = 3);
    assert_ok(cj_knn_fit(knn, good));
    assert_int_equal(cj_knn_fit(knn, few), CJ_INVALID_ARGUMENT);
    assert_int_equal(label_at(knn, 5), 4);
    cj_release(knn), cj_release(good), cj_release(few);
}

static void expect_predict(cj_knn *knn, cj_tensor *x, cj_status status, const char *sentence)
{
    cj_tensor *labels = NULL;
    assert_int_equal(cj_knn_predict(knn, x, &labels), status);
    assert_error_contains(sentence);
    assert_null(labels);
    cj_release(x);
}

static void asking_refuses_what_does_not_fit(void **unused)
{
    (void)unused;
    cj_dataset *data = line(6, (const uint8_t[]){0, 0, 0, 4, 4, 4});
    cj_knn *knn = cj_knn(.k = 3);
    cj_tensor *none = NULL, *scalar = NULL, *distances = NULL,
              *query = bytes_of(CJ_SHAPE(1, 1), (const uint8_t[]){0});
    const uint8_t bytes[4] = {0};
    const float floats[2] = {0, INFINITY};
    double accuracy[32];
    assert_ok(cj_knn_fit(knn, data));
    expect_predict(knn, NULL, CJ_INVALID_ARGUMENT, "x is NULL");
    expect_predict(knn, bytes_of(CJ_SHAPE(2, 2), bytes), CJ_SHAPE_MISMATCH,
                   "2 elements for each query, but the samples have 1");
    expect_predict(knn, floats_of(CJ_SHAPE(1, 1), floats), CJ_SHAPE_MISMATCH, "x is not uint8");
    expect_predict(knn, floats_of(CJ_SHAPE(2, 1), floats), CJ_INVALID_ARGUMENT, "sample 1");
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(0, 1), &none));
    expect_predict(knn, none, CJ_INVALID_ARGUMENT, "no samples");
    assert_ok(cj_tensor_new(CJ_U8, (cj_shape){.rank = 0}, &scalar));
    expect_predict(knn, scalar, CJ_SHAPE_MISMATCH, "scalar");
    assert_int_equal(cj_knn_neighbors(knn, query, 7, &distances, NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("k is 7, but there are 6");
    assert_int_equal(cj_knn_neighbors(knn, query, -1, &distances, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_score_each(knn, data, (const int64_t[]){7}, 1, accuracy),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_score_each(knn, data, (const int64_t[]){1}, 0, accuracy),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_knn_score(knn, NULL, accuracy), CJ_INVALID_ARGUMENT);
    cj_release(query), cj_release(knn), cj_release(data);
}

// Memory
// -------------------------------------------------------------------------------------------------

static cj_status work(void *context)
{
    const bool bytes = *(const bool *)context;
    static const uint8_t some[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    cj_tensor *x = NULL, *y = NULL, *labels = NULL, *shares = NULL, *distances = NULL,
              *indices = NULL;
    cj_dataset *data = NULL;
    cj_knn *knn = NULL;
    double accuracy;
    cj_status status = cj_tensor_new(bytes ? CJ_U8 : CJ_F64, CJ_SHAPE(6, 2), &x);
    if (status == CJ_OK)
        status = cj_tensor_from(CJ_U8, CJ_SHAPE(6), some, 6, &y);
    if (status != CJ_OK) {
        cj_release(x);
        return status;
    }
    data = cj_dataset(.x = {x}, .y = {y});
    knn = data ? cj_knn(.k = 2) : NULL;
    status = knn ? CJ_OK : cj_error_status();
    if (status == CJ_OK)
        status = cj_knn_fit(knn, data);
    if (status == CJ_OK)
        status = cj_knn_predict(knn, x, &labels);
    if (status == CJ_OK)
        status = cj_knn_predict_proba(knn, x, &shares);
    if (status == CJ_OK)
        status = cj_knn_neighbors(knn, x, 0, &distances, &indices);
    if (status == CJ_OK)
        status = cj_knn_score(knn, data, &accuracy);
    cj_release(labels), cj_release(shares), cj_release(distances), cj_release(indices);
    cj_release(knn), cj_release(data);
    return status;
}

static void survives_failed_allocations(void **unused)
{
    (void)unused;
    support_fail_each_allocation(work, &(bool){true});
    support_fail_each_allocation(work, &(bool){false});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_as_many_votes_the_smaller_label_wins),
        cmocka_unit_test(nearer_votes_weigh_more_with_distance),
        cmocka_unit_test(shares_are_the_votes_of_each_class),
        cmocka_unit_test(scores_count_right_answers_for_each_k),
        cmocka_unit_test(labels_may_be_large_and_of_any_integer_type),
        cmocka_unit_test(bytes_and_floats_are_held_not_copied),
        cmocka_unit_test(builders_refuse_what_is_none),
        cmocka_unit_test(fitting_refuses_what_does_not_fit),
        cmocka_unit_test(a_failed_fit_keeps_what_was_learned),
        cmocka_unit_test(asking_refuses_what_does_not_fit),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
