// k-nearest neighbours against scikit-learn: labels, shares of votes, neighbours and
// cross-validation; see make_knn.py.
#include "fixture.h"

#include <cajal/classic.h>

static bool scores_equal(const fixture *file, const char *name, const json_t *one, cj_dataset *data)
{
    cj_knn_scores *scores = NULL;
    cj_tensor *due = fixture_tensor(file, name, "scores");
    bool right = cj_knn_cross_validate(data, &scores, .k = {(int64_t)fixture_number(one, "k")},
                                       .folds = (int)fixture_number(one, "folds"),
                                       .metric = fixture_text(one, "metric"),
                                       .weights = fixture_text(one, "weights")) == CJ_OK;
    for (int64_t f = 0; right && f < cj_tensor_count(due); f++)
        right = fixture_near(file, name, fixture_part("score", (int)f),
                             cj_knn_scores_accuracy(scores, 0, (int)f), cj_tensor_get(due, &f));
    cj_release(due), cj_release(scores);
    return right;
}

static bool equals_sklearn(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *queries = fixture_tensor(file, name, "queries");
    cj_tensor *labels = NULL, *shares = NULL, *distances = NULL, *indices = NULL, *numbers = NULL;
    cj_tensor *x = fixture_tensor(file, name, "x"), *y = fixture_tensor(file, name, "y");
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    cj_knn *knn =
        cj_knn(.k = (int64_t)fixture_number(one, "k"), .metric = fixture_text(one, "metric"),
               .weights = fixture_text(one, "weights"));
    bool right = knn && cj_knn_fit(knn, data) == CJ_OK &&
                 cj_knn_predict(knn, queries, &labels) == CJ_OK &&
                 cj_knn_predict_proba(knn, queries, &shares) == CJ_OK &&
                 cj_knn_neighbors(knn, queries, 0, &distances, &indices) == CJ_OK &&
                 cj_tensor_convert(indices, CJ_I32, &numbers) == CJ_OK;
    if (!right)
        print_message("%s: %s\n", name, cj_error());
    right = right && fixture_compare(file, name, "labels", labels) &&
            fixture_compare(file, name, "shares", shares) &&
            fixture_compare(file, name, "indices", numbers) &&
            fixture_compare(file, name, "distances", distances) &&
            scores_equal(file, name, one, data);
    cj_release(labels), cj_release(shares), cj_release(distances), cj_release(indices),
        cj_release(numbers);
    cj_release(knn), cj_release(data), cj_release(x), cj_release(y), cj_release(queries);
    return right;
}

static void neighbours_and_votes_equal_sklearn(void **state)
{
    (void)state;
    fixture_run("knn", equals_sklearn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(neighbours_and_votes_equal_sklearn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
