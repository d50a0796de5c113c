// The nearest neighbours found are those of a full sort, whatever the sizes and whoever works.
#include "helpers.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
    double distance;
    int64_t index;
} pair;

static int by_distance(const void *a, const void *b)
{
    const pair *left = a, *right = b;
    if (left->distance < right->distance || left->distance > right->distance)
        return left->distance < right->distance ? -1 : 1;
    return left->index < right->index ? -1 : 1;
}

// All samples from the nearest to the farthest of query `q`. Elements are whole numbers, so sums
// are exact here and there.
static void sort_all(const cj_tensor *x, const cj_tensor *queries, int64_t q, bool squares,
                     pair *all)
{
    const int64_t count = cj_tensor_shape(x)->dims[0], width = cj_tensor_shape(x)->dims[1];
    for (int64_t j = 0; j < count; j++) {
        double sum = 0;
        for (int64_t p = 0; p < width; p++) {
            const bool bytes = cj_tensor_dtype(x) == CJ_U8;
            const double a = bytes ?
                                 ((const uint8_t *)cj_tensor_data(queries))[q * width + p] :
                                 (double)((const float *)cj_tensor_data(queries))[q * width + p];
            const double b = bytes ? ((const uint8_t *)cj_tensor_data(x))[j * width + p] :
                                     (double)((const float *)cj_tensor_data(x))[j * width + p];
            sum += squares ? (a - b) * (a - b) : fabs(a - b);
        }
        all[j] = (pair){squares ? sqrt(sum) : sum, j};
    }
    qsort(all, (size_t)count, sizeof *all, by_distance);
}

static void compare(cj_dtype dtype, const char *metric, int64_t samples, int64_t queries,
                    int64_t width, int64_t values, int64_t k)
{
    cj_tensor *distances = NULL, *indices = NULL,
              *x = random_samples(dtype, queries, width, values);
    cj_dataset *data = random_data(dtype, samples, width, values, 10);
    cj_knn *knn = cj_knn(.k = 1, .metric = metric);
    pair *all = calloc((size_t)samples, sizeof *all);
    assert_non_null(all);
    assert_ok(cj_knn_fit(knn, data));
    assert_ok(cj_knn_neighbors(knn, x, k, &distances, &indices));
    for (int64_t q = 0; q<queries; q += queries> 50 ? 37 : 1) {
        sort_all(cj_dataset_x(data, 0), x, q, strcmp(metric, "l2") == 0, all);
        for (int64_t i = 0; i < k; i++) {
            assert_int_equal(((const int64_t *)cj_tensor_data(indices))[q * k + i], all[i].index);
            assert_true(((const double *)cj_tensor_data(distances))[q * k + i] == all[i].distance);
        }
    }
    free(all);
    cj_release(distances), cj_release(indices), cj_release(x), cj_release(knn), cj_release(data);
}

// Few values and short rows: nearly all distances are equal to others.
static void neighbors_are_those_of_a_full_sort(void **unused)
{
    (void)unused;
    static const cj_dtype dtypes[] = {CJ_U8, CJ_F32};
    static const char *const metrics[] = {"l1", "l2"};
    for (int d = 0; d < 2; d++)
        for (int m = 0; m < 2; m++) {
            compare(dtypes[d], metrics[m], 1, 1, 1, 4, 1);
            compare(dtypes[d], metrics[m], 23, 3, 2, 3, 23);
            compare(dtypes[d], metrics[m], 100, 65, 7, 4, 5);
            compare(dtypes[d], metrics[m], 3001, 64, 5, 4, 10);
            compare(dtypes[d], metrics[m], 5003, 130, 3, 3, 700);
            compare(dtypes[d], metrics[m], 2049, 1100, 9, 250, 3);
            compare(dtypes[d], metrics[m], 2200, 2, 3, 250, 2200);
        }
}

static void equal_samples_are_ordered_by_number(void **unused)
{
    (void)unused;
    cj_tensor *x = NULL, *y = NULL, *indices = NULL,
              *query = bytes_of(CJ_SHAPE(1, 2), (const uint8_t[]){7, 7});
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(9000, 2), &x));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(9000), &y));
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_knn *knn = cj_knn(.k = 40);
    assert_ok(cj_knn_fit(knn, data));
    assert_ok(cj_knn_neighbors(knn, query, 0, NULL, &indices));
    assert_true(cj_shape_equal(cj_tensor_shape(indices), &CJ_SHAPE(1, 40)));
    for (int64_t i = 0; i < 40; i++)
        assert_int_equal(((const int64_t *)cj_tensor_data(indices))[i], i);
    cj_release(indices), cj_release(query), cj_release(knn), cj_release(data);
}

static void results_do_not_depend_on_threads(void **unused)
{
    (void)unused;
    static const int threads[] = {1, 2, 5};
    for (int d = 0; d < 2; d++) {
        cj_dataset *data = random_data(d ? CJ_F32 : CJ_U8, 6001, 97, 256, 10);
        cj_tensor *queries = random_samples(d ? CJ_F32 : CJ_U8, 333, 97, 256);
        cj_tensor *distances[3], *indices[3];
        for (int t = 0; t < 3; t++) {
            cj_knn *knn = cj_knn(.pool = cj_pool_new(threads[t]));
            assert_ok(cj_knn_fit(knn, data));
            assert_ok(cj_knn_neighbors(knn, queries, 7, &distances[t], &indices[t]));
            assert_same_tensor(distances[t], distances[0]);
            assert_same_tensor(indices[t], indices[0]);
            cj_release(knn);
        }
        for (int t = 0; t < 3; t++)
            cj_release(distances[t]), cj_release(indices[t]);
        cj_release(queries), cj_release(data);
    }
}

typedef struct asking {
    cj_knn *knn;
    cj_tensor *queries, *labels;
    cj_status status;
} asking;

static void *ask(void *context)
{
    asking *a = context;
    a->status = cj_knn_predict(a->knn, a->queries, &a->labels);
    return NULL;
}

static void several_threads_may_ask_one_classifier(void **unused)
{
    (void)unused;
    cj_dataset *data = random_data(CJ_U8, 3000, 50, 256, 10);
    cj_knn *knn = cj_knn(.pool = cj_pool_new(2));
    asking asked[4];
    pthread_t threads[4];
    assert_ok(cj_knn_fit(knn, data));
    cj_tensor *queries = random_samples(CJ_U8, 200, 50, 256);
    for (int i = 0; i < 4; i++) {
        asked[i] = (asking){knn, queries, NULL, CJ_IO};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asked[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(asked[i].status, CJ_OK);
        assert_same_tensor(asked[i].labels, asked[0].labels);
    }
    for (int i = 0; i < 4; i++)
        cj_release(asked[i].labels);
    cj_release(queries), cj_release(knn), cj_release(data);
}

// 70000 differences of 255: the squares' sum is 4551750000, above 2^32.
static void distances_of_wide_rows_are_exact(void **unused)
{
    (void)unused;
    cj_tensor *x = NULL, *query = NULL, *distances = NULL;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(2, 70000), &x));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(1, 70000), &query));
    memset(cj_tensor_data(query), 255, 70000);
    ((uint8_t *)cj_tensor_data(x))[70000] = 255;
    cj_dataset *data = cj_dataset(.x = {x}, .y = {bytes_of(CJ_SHAPE(2), (const uint8_t[]){0, 1})});
    cj_knn *knn = cj_knn(.k = 2);
    assert_ok(cj_knn_fit(knn, data));
    assert_ok(cj_knn_neighbors(knn, query, 0, &distances, NULL));
    assert_true(((const double *)cj_tensor_data(distances))[0] == sqrt(65025.0 * 69999));
    assert_true(((const double *)cj_tensor_data(distances))[1] == sqrt(65025.0 * 70000));
    cj_release(distances), cj_release(query), cj_release(knn), cj_release(data);
}

// Doubles, integers and views are read as float32 and give what a float32 tensor gives.
static void other_dtypes_and_views_are_read_as_floats(void **unused)
{
    (void)unused;
    static const cj_dtype dtypes[] = {CJ_F64, CJ_I32, CJ_I64};
    cj_tensor *x = random_samples(CJ_F32, 60, 8, 100), *queries = random_samples(CJ_F32, 5, 8, 100),
              *due = NULL, *got = NULL;
    cj_tensor *y = cj_retain(random_labels(60, 4)); // data sets come and go
    for (int i = -1; i <= 3; i++) {
        cj_tensor *given = NULL, *swapped = NULL;
        if (i < 3)
            assert_ok(cj_tensor_convert(x, i < 0 ? CJ_F32 : dtypes[i], &given));
        if (i == 3) { // the transpose of a transposed copy
            cj_tensor *view = NULL;
            assert_ok(cj_tensor_transpose(x, (const int[]){1, 0}, &view));
            assert_ok(cj_tensor_convert(view, CJ_F32, &swapped));
            cj_release(view);
            assert_ok(cj_tensor_transpose(swapped, (const int[]){1, 0}, &given));
            assert_false(cj_tensor_contiguous(given));
        }
        cj_dataset *data = cj_dataset(.x = {given}, .y = {y});
        cj_knn *knn = cj_knn(.k = 3);
        assert_ok(cj_knn_fit(knn, data));
        assert_ok(cj_knn_neighbors(knn, queries, 0, i < 0 ? &due : &got, NULL));
        if (i >= 0) {
            assert_same_tensor(got, due);
            cj_release(got);
        }
        cj_release(knn), cj_release(data), cj_release(swapped);
    }
    cj_release(due), cj_release(queries), cj_release(x), cj_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbors_are_those_of_a_full_sort),
        cmocka_unit_test(equal_samples_are_ordered_by_number),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(several_threads_may_ask_one_classifier),
        cmocka_unit_test(distances_of_wide_rows_are_exact),
        cmocka_unit_test(other_dtypes_and_views_are_read_as_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
