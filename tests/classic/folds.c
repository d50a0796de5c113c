// Folds are those of scikit-learn, sample by sample: folds.txt is made by make_folds.py.
#include "helpers.h"
#include <cajal/cross_validate.h>
#include <cajal/folders.h>
#include <cajal/texts.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

// The numbers of a line.
static int read_numbers(const char *line, int32_t *numbers)
{
    int count = 0;
    for (char *end = NULL;; line = end) {
        const long number = strtol(line, &end, 10);
        if (end == line)
            return count;
        assert_true(count < MOST);
        numbers[count++] = (int32_t)number;
    }
}

static cj_dataset *labelled(const int32_t *labels, int count)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 2), &x));
    for (int i = 0; i < 2 * count; i++)
        ((float *)cj_tensor_data(x))[i] = (float)i;
    assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(count), labels, (size_t)count, &y));
    return cj_dataset(.x = {x}, .y = {y});
}

static void folds_are_those_of_scikit_learn(void **unused)
{
    (void)unused;
    char line[4096], kind[16];
    int count, shuffle, cases = 0;
    unsigned seed;
    FILE *file = fopen(CAJAL_TEST_SOURCES "/classic/folds.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        int32_t labels[MOST], of[MOST];
        assert_int_equal(sscanf(line, "%15s %d %d %u", kind, &count, &shuffle, &seed), 4);
        assert_non_null(fgets(line, sizeof line, file));
        const int samples = read_numbers(line, labels);
        assert_non_null(fgets(line, sizeof line, file));
        assert_int_equal(read_numbers(line, of), samples);
        cj_dataset *data = labelled(labels, samples);
        cj_folds *folds;
        assert_ok(cj_k_fold(data, &folds, .folds = count, .shuffle = shuffle, .seed = seed,
                            .stratified = strcmp(kind, "stratified") == 0));
        assert_int_equal(cj_folds_count(folds), count);
        assert_int_equal(cj_folds_samples(folds), samples);
        int64_t sizes = 0;
        for (int f = 0; f < count; f++)
            sizes += cj_folds_size(folds, f);
        assert_int_equal(sizes, samples);
        for (int i = 0; i < samples; i++)
            assert_int_equal(cj_folds_of(folds, i), of[i]);
        cj_release(folds), cj_release(data);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 48);
}

static void a_split_has_the_samples_in_order(void **unused)
{
    (void)unused;
    const int32_t labels[7] = {0, 1, 2, 3, 4, 5, 6}, of[7] = {1, 0, -1, 1, 0, 1, -1};
    cj_dataset *data = labelled(labels, 7), *train, *test;
    cj_tensor *given = NULL;
    cj_folds *folds;
    assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(7), of, 7, &given));
    assert_ok(cj_k_fold(data, &folds, .fold_of = given));
    assert_int_equal(cj_folds_count(folds), 2);
    assert_int_equal(cj_folds_size(folds, 1), 3);
    assert_ok(cj_folds_split(folds, data, 1, &train, &test));
    const int32_t trained[4] = {1, 2, 4, 6}, tested[3] = {0, 3, 5};
    assert_int_equal(cj_dataset_count(train), 4);
    assert_memory_equal(cj_tensor_data(cj_dataset_y(train, 0)), trained, sizeof trained);
    assert_memory_equal(cj_tensor_data(cj_dataset_y(test, 0)), tested, sizeof tested);
    assert_true(((float *)cj_tensor_data(cj_dataset_x(test, 0)))[3] == 7);
    cj_release(train), cj_release(test);
    assert_ok(cj_folds_split(folds, data, 0, NULL, &test));
    assert_int_equal(cj_dataset_count(test), 2);
    cj_release(test), cj_release(folds), cj_release(given), cj_release(data);
}

// Texts, weights, views with gaps and several inputs are picked as well.
static void every_kind_of_sample_is_picked(void **unused)
{
    (void)unused;
    cj_tensor *texts = NULL, *wide = NULL, *turned = NULL, *weight = NULL, *y = NULL;
    const float weights[4] = {1, 2, 3, 4}, numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_ok(cj_tensor_from_texts(CJ_SHAPE(4, 2), CJ_TEXTS("a", "b", "c", "d", "e", "f", "g", "h"),
                                   &texts));
    assert_ok(cj_tensor_from(CJ_F32, CJ_SHAPE(2, 4), numbers, 8, &wide));
    assert_ok(cj_tensor_transpose(wide, (int[]){1, 0}, &turned));
    assert_ok(cj_tensor_from(CJ_F32, CJ_SHAPE(4), weights, 4, &weight));
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(4), &y));
    cj_dataset *data = cj_dataset(.x = {texts, turned}, .y = {y}, .sample_weight = weight);
    cj_dataset *train, *test;
    cj_folds *folds;
    cj_release(wide);
    assert_ok(cj_k_fold(data, &folds, .folds = 2));
    assert_ok(cj_folds_split(folds, data, 1, &train, &test));
    assert_string_equal(cj_tensor_text(cj_dataset_x(test, 0), (int64_t[]){1, 1}).data, "h");
    const float expected[4] = {2, 6, 3, 7};
    assert_memory_equal(cj_tensor_data(cj_dataset_x(test, 1)), expected, sizeof expected);
    assert_memory_equal(cj_tensor_data(cj_dataset_sample_weight(test)), weights + 2, 8);
    assert_string_equal(cj_tensor_text(cj_dataset_x(train, 0), (int64_t[]){0, 1}).data, "b");
    cj_release(train), cj_release(test), cj_release(folds), cj_release(data);
}

// One-hot rows are classes too.
static void rows_of_classes_are_stratified(void **unused)
{
    (void)unused;
    cj_tensor *x = NULL, *y = NULL;
    cj_folds *folds, *same;
    const int32_t labels[6] = {2, 2, 2, 0, 0, 0};
    float rows[18] = {0};
    for (int i = 0; i < 6; i++)
        rows[3 * i + labels[i]] = 1;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(6, 1), &x));
    assert_ok(cj_tensor_from(CJ_F32, CJ_SHAPE(6, 3), rows, 18, &y));
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y}), *plain = labelled(labels, 6);
    assert_ok(cj_k_fold(data, &folds, .folds = 3, .stratified = true));
    assert_ok(cj_k_fold(plain, &same, .folds = 3, .stratified = true));
    for (int i = 0; i < 6; i++)
        assert_int_equal(cj_folds_of(folds, i), cj_folds_of(same, i));
    assert_int_equal(cj_folds_size(folds, 0), 2);
    cj_release(folds), cj_release(same), cj_release(data), cj_release(plain);
}

static char told[256];
static void keep_warning(const char *sentence, void *context)
{
    (void)context;
    snprintf(told, sizeof told, "%s", sentence);
}

static void what_cannot_be_cut_is_refused(void **unused)
{
    (void)unused;
    const int32_t labels[5] = {0, 0, 0, 1, 1}, gap[5] = {0, 2, 0, 2, 0},
                  none[5] = {-1, -1, -1, -1, -1}, one[5] = {0, 0, 0, 0, 0},
                  far[5] = {0, 1, 5, 0, 1}, low[5] = {0, 1, -2, 0, 1};
    const struct {
        const int32_t *of;
        const char *sentence;
    } cases[] = {{gap, "fold 1 of 3 has no samples"},
                 {none, "gives no sample a fold"},
                 {one, "fold 0 has all samples"},
                 {far, "fold_of[2] is 5"},
                 {low, "fold_of[2] is -2"}};
    cj_dataset *data = labelled(labels, 5);
    cj_folds *folds = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj_tensor *of = NULL;
        assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(5), cases[i].of, 5, &of));
        assert_int_equal(cj_k_fold(data, &folds, .fold_of = of), CJ_INVALID_ARGUMENT);
        assert_error_contains(cases[i].sentence);
        assert_null(folds);
        assert_int_equal(cj_k_fold(data, &folds, .fold_of = of, .shuffle = true),
                         CJ_INVALID_ARGUMENT);
        assert_error_contains("nothing to shuffle");
        cj_release(of);
    }
    assert_int_equal(cj_k_fold(data, &folds, .folds = 6), CJ_INVALID_ARGUMENT);
    assert_error_contains("6 folds of 5 samples");
    assert_int_equal(cj_k_fold(data, &folds, .folds = 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_k_fold(data, &folds, .folds = 4, .stratified = true), CJ_INVALID_ARGUMENT);
    assert_error_contains("no class has more than 3 samples");
    cj_set_warning_handler(keep_warning, NULL);
    assert_ok(cj_k_fold(data, &folds, .folds = 3, .stratified = true));
    cj_set_warning_handler(NULL, NULL);
    assert_non_null(strstr(told, "only 2 samples"));
    cj_dataset *train, *other = labelled(labels, 4);
    assert_int_equal(cj_folds_split(folds, data, 3, &train, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_folds_split(folds, other, 0, &train, NULL), CJ_SHAPE_MISMATCH);
    assert_error_contains("4 samples, the folds are of 5");
    assert_int_equal(cj_folds_of(folds, -1), -1);
    assert_int_equal(cj_folds_of(NULL, 0), -1);
    cj_release(folds), cj_release(other), cj_release(data);
}

static void a_target_that_is_no_class_is_refused(void **unused)
{
    (void)unused;
    const float halves[4] = {0, 1, 0.5F, 1}, nan[4] = {0, 1, (float)NAN, 1},
                infinite[4] = {0, 1, -INFINITY, 1};
    const float *const targets[] = {halves, nan, infinite};
    cj_folds *folds;
    for (int i = 0; i < 3; i++) {
        cj_tensor *x = NULL, *y = NULL;
        assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(4, 1), &x));
        assert_ok(cj_tensor_from(CJ_F32, CJ_SHAPE(4, 1), targets[i], 4, &y));
        cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
        assert_int_equal(cj_k_fold(data, &folds, .folds = 2, .stratified = true),
                         CJ_INVALID_ARGUMENT);
        assert_error_contains("the target of sample 2 is");
        cj_release(data);
    }
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(4, 1), &x));
    cj_dataset *data = cj_dataset(.x = {x});
    assert_int_equal(cj_k_fold(data, &folds, .stratified = true, .folds = 2), CJ_SHAPE_MISMATCH);
    assert_error_contains("no target");
    cj_release(data);
}

static cj_status cut_and_split(void *context)
{
    cj_folds *folds = NULL;
    cj_dataset *train = NULL, *test = NULL;
    cj_status status = cj_k_fold(context, &folds, .folds = 2, .stratified = true, .shuffle = true);
    if (status == CJ_OK)
        status = cj_folds_split(folds, context, 0, &train, &test);
    cj_release(folds), cj_release(train), cj_release(test);
    return status;
}

static void each_allocation_may_fail(void **unused)
{
    (void)unused;
    const int32_t labels[6] = {0, 1, 0, 1, 1, 0};
    cj_dataset *data = labelled(labels, 6);
    support_fail_each_allocation(cut_and_split, data);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_are_those_of_scikit_learn),
        cmocka_unit_test(a_split_has_the_samples_in_order),
        cmocka_unit_test(every_kind_of_sample_is_picked),
        cmocka_unit_test(rows_of_classes_are_stratified),
        cmocka_unit_test(what_cannot_be_cut_is_refused),
        cmocka_unit_test(a_target_that_is_no_class_is_refused),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
