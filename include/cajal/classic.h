/**
 * @file classic.h
 * Classic learning: classifiers that are no networks. So far k-nearest neighbours, and
 * cross-validation to choose k.
 *
 * **k-nearest neighbours** learns nothing: it keeps the samples, and an unknown one gets the label
 * that is most frequent among the k samples nearest to it (Cover and Hart 1967). All work is done
 * when it is asked, one distance for each pair of a query and a sample.
 *
 *     cj_knn *knn = cj_knn(.k = 5, .metric = "l2");
 *     CJ_TRY(cj_knn_fit(knn, train));
 *     CJ_TRY(cj_knn_score(knn, test, &accuracy));
 *     CJ_TRY(cj_knn_predict(knn, images, &labels));
 *     cj_release(knn);
 *
 * A sample is all elements along the axes after the first, whatever their shape. Samples of bytes
 * stay bytes, and distances between them are exact: they are computed in integers. Samples of any
 * other dtype are read as float32, and their distances are sums of float32 differences, each pair
 * of which is taken directly (never as |q|² + |x|² - 2qx, whose digits cancel), so equal samples
 * have distance 0. Of two samples at the same distance the one with the smaller number is the
 * nearer. So results never depend on the number of threads; for bytes nor on the instruction set.
 *
 * Words and results are those of scikit-learn's KNeighborsClassifier.
 */
#ifndef CAJAL_CLASSIC_H
#define CAJAL_CLASSIC_H

#include <cajal/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A classifier by k-nearest neighbours: a counted object (base.h). After cj_knn_fit() several
 * threads may ask one.
 */
typedef struct cj_knn cj_knn;

/** The arguments of cj_knn(). */
typedef struct cj_knn_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    int64_t k;   ///< how many neighbours vote; default 5
    /** "l2" (the default; or "euclidean": root of the sum of (q - x)²) or "l1" ("manhattan": sum of
        |q - x|) */
    const char *metric;
    /** "uniform": each neighbour has one vote; "distance": 1 / distance votes; default "uniform" */
    const char *weights;
    /**
     * threads; default &cj_default_pool: a pool of the default size; NULL is refused. A new pool is
     * taken over
     */
    cj_pool *pool;
} cj_knn_args;
/** The defaults of cj_knn_args. */
#define CJ_KNN_DEFAULTS                                                        \
    .size = sizeof(cj_knn_args), .k = 5, .metric = "l2", .weights = "uniform", \
    .pool = &cj_default_pool
/** Sets `args` to CJ_KNN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_knn_defaults(cj_knn_args *args);
/**
 * A classifier without samples; release with cj_release(). NULL with CJ_INVALID_ARGUMENT (k below
 * 1, an unknown metric or weights) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_knn *cj_knn_new(const cj_knn_args *args);
/** `cj_knn(.k = 5, .metric = "l1")`. */
#define cj_knn(...) cj_knn_new(&(cj_knn_args){CJ_KNN_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Keeps the samples and labels of `data`, which stays the caller's: `data` has one input (samples,
 * ...) and one target (samples) or (samples, 1) of class numbers, uint8, int32 or int64, from 0 to
 * 2147483647. Contiguous uint8 and float32 inputs are held, not copied, and must not change; others
 * are copied. May be called again; on failure what was kept before stays. CJ_INVALID_ARGUMENT (no
 * data; fewer samples than k; a label out of range; a NaN or infinity among the inputs),
 * CJ_SHAPE_MISMATCH (inputs, targets or dtypes that do not fit), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_knn_fit(cj_knn *knn, cj_dataset *data);

/**
 * The labels of `x` (queries, ...), as a new int32 tensor (queries), to be released. The label with
 * the most votes wins, of several the smallest. With weights "distance" neighbours at distance 0,
 * where there are any, have all votes. `x` has the learned samples' number of elements, and is
 * uint8 if and only if they are. CJ_NOT_BUILT (not fitted), CJ_SHAPE_MISMATCH, CJ_INVALID_ARGUMENT
 * (no queries; a NaN or infinity), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_knn_predict(cj_knn *knn, const cj_tensor *x, cj_tensor **labels);

/**
 * The share of the votes that each class has for each query of `x`: a new float32 tensor (queries,
 * classes), to be released; classes are 0 to the maximum of the labels learned. Fails as
 * cj_knn_predict() does, and with CJ_UNSUPPORTED above 65536 classes.
 */
CJ_API cj_status cj_knn_predict_proba(cj_knn *knn, const cj_tensor *x, cj_tensor **probabilities);

/**
 * The `k` samples (0: the classifier's own k) nearest to each query of `x`, nearest first: their
 * numbers as a new int64 tensor (queries, k) and their distances as a new float64 tensor (queries,
 * k), both to be released; either pointer may be NULL. Fails as cj_knn_predict() does, and with
 * CJ_INVALID_ARGUMENT for more neighbours than samples.
 */
CJ_API cj_status cj_knn_neighbors(cj_knn *knn, const cj_tensor *x, int64_t k, cj_tensor **distances,
                                  cj_tensor **indices);

/**
 * The share of `test`'s samples whose label is predicted right, 0 to 1. Fails as cj_knn_predict()
 * and cj_knn_fit() do.
 */
CJ_API cj_status cj_knn_score(cj_knn *knn, cj_dataset *test, double *accuracy);

/**
 * cj_knn_score() for each of `count` values of k, from one search for their maximum:
 * `accuracy` has `count` entries. CJ_INVALID_ARGUMENT for a k below 1 or above the number of
 * samples, or a count below 1.
 */
CJ_API cj_status cj_knn_score_each(cj_knn *knn, cj_dataset *test, const int64_t *k, int count,
                                   double *accuracy);

struct cj_folds;
/** The arguments of cj_knn_cross_validate(). */
typedef struct cj_knn_cross_validate_args {
    size_t size;             ///< bytes of the struct
    int _;                   ///< what follows may be given by position
    int64_t k[CJ_IN_BRACES]; ///< the values of k to try, up to the first 0; default {5}
    const int64_t *k_list;   ///< or any number of them; see CJ_IN_BRACES
    int k_count;             ///< length of k_list
    int folds;               ///< default 5
    const char *metric;      ///< as in cj_knn()
    const char *weights;     ///< as in cj_knn()
    /**
     * threads, and stays the caller's; default &cj_default_pool: a pool of the default size; NULL is
     * refused
     */
    cj_pool *pool;
    /** called after each fold, by the calling thread; may be NULL */
    void (*progress)(void *context, int done, int folds);
    void *context; ///< given to `progress`
    /**
     * or folds of cj_k_fold() (cross_validate.h), instead of `folds` consecutive parts; of samples at
     * one distance the nearer is then the one whose fold comes first. Default NULL
     */
    const struct cj_folds *given;
} cj_knn_cross_validate_args;
/** The defaults of cj_knn_cross_validate_args. */
#define CJ_KNN_CROSS_VALIDATE_DEFAULTS                                                \
    .size = sizeof(cj_knn_cross_validate_args), .k = {5}, .folds = 5, .metric = "l2", \
    .weights = "uniform", .pool = &cj_default_pool
/**
 * Sets `args` to CJ_KNN_CROSS_VALIDATE_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_knn_cross_validate_defaults(cj_knn_cross_validate_args *args);

/**
 * What cj_knn_cross_validate() found: an accuracy for each value of k and each fold. A counted
 * object (base.h), never changed once made.
 */
typedef struct cj_knn_scores cj_knn_scores;
/** The number of values of k that were tried; 0 for NULL. */
CJ_API int cj_knn_scores_count(const cj_knn_scores *scores);
/** The number of folds; 0 for NULL. */
CJ_API int cj_knn_scores_folds(const cj_knn_scores *scores);
/** Value `index` of those that were tried; 0 if out of range. */
CJ_API int64_t cj_knn_scores_k(const cj_knn_scores *scores, int index);
/**
 * The accuracy with value `index` of k on `fold`, when the other folds are the samples; NAN if out
 * of range.
 */
CJ_API double cj_knn_scores_accuracy(const cj_knn_scores *scores, int index, int fold);
/** The mean over the folds with value `index` of k; NAN if out of range. */
CJ_API double cj_knn_scores_mean(const cj_knn_scores *scores, int index);
/** The standard deviation over the folds (their number as divisor); NAN if out of range. */
CJ_API double cj_knn_scores_deviation(const cj_knn_scores *scores, int index);
/** The k with the maximal mean; of several the smallest. 0 for NULL. */
CJ_API int64_t cj_knn_scores_best(const cj_knn_scores *scores);

/**
 * Cross-validation: the data is cut into `folds` consecutive parts (the first `samples mod folds`
 * have one sample more, as scikit-learn's KFold cuts without shuffling), and each part in turn is
 * the test for a classifier that keeps the others. For all values of k together this takes one
 * search a fold. CJ_INVALID_ARGUMENT (folds below 2 or above the number of samples; a k below 1 or
 * above what the other folds hold; given folds of another number of samples), and as cj_knn_fit().
 */
CJ_API cj_status cj_knn_cross_validate_with(cj_dataset *data, cj_knn_scores **scores,
                                            const cj_knn_cross_validate_args *args);
/** `cj_knn_cross_validate(train, &scores, .k = {1, 3, 5, 8}, .folds = 5)`. */
#define cj_knn_cross_validate(data, ...)                                                     \
    cj_knn_cross_validate_with(data, CJ__HEAD(__VA_ARGS__, ~),                               \
                               &(cj_knn_cross_validate_args){CJ_KNN_CROSS_VALIDATE_DEFAULTS, \
                                                             ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
