/**
 * @file cross_validate.h
 * Cross-validation: how well a model does on samples that it was not trained on.
 *
 * The samples are cut into *folds*. Each fold in turn is the test set of a model that is trained,
 * from fresh weights, on all other folds; so each sample is tested once, and the spread of the
 * results says how much they owe to chance.
 *
 * @code
 * cj_cross_scores *scores;
 * CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
 *                   .metrics = {"accuracy"}));
 * CJ_TRY(cj_cross_validate(model, data, &scores, .folds = 5, .stratified = true, .epochs = 10));
 * printf("%.3f +- %.3f\n", cj_cross_scores_mean(scores, "accuracy"),
 *        cj_cross_scores_deviation(scores, "accuracy"));
 * cj_release(scores);
 * @endcode
 *
 * Folds are scikit-learn's, to the sample: those of its KFold, StratifiedKFold and PredefinedSplit,
 * shuffled or not, with the same seed. classic.h has cross-validation for k-nearest neighbours.
 */
#ifndef CAJAL_CROSS_VALIDATE_H
#define CAJAL_CROSS_VALIDATE_H

#include <cajal/clone.h>
#include <cajal/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which sample is tested in which fold: a counted object (base.h), never changed once made. */
typedef struct cj_folds cj_folds;

/** The arguments of cj_k_fold(). */
typedef struct cj_k_fold_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    int folds;   ///< how many; default 5; not with fold_of
    /**
     * default false: consecutive samples, the first `samples mod folds` folds with one more. True:
     * each fold has each class as often as the others, give or take one sample
     */
    bool stratified;
    bool shuffle;  ///< default false; true: samples are mixed before they are cut
    uint32_t seed; ///< of the shuffle; default 0
    /**
     * or the fold of each sample: integers (samples), from 0 without a gap; -1 for a sample that is
     * always trained on and never tested. Default NULL
     */
    const cj_tensor *fold_of;
} cj_k_fold_args;
/** The defaults of cj_k_fold_args. */
#define CJ_K_FOLD_DEFAULTS .size = sizeof(cj_k_fold_args), .folds = 5
/** Sets `args` to CJ_K_FOLD_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_k_fold_defaults(cj_k_fold_args *args);
/**
 * Cuts the samples of `data` into folds. Classes, for `stratified`, are those of its only target:
 * whole numbers (samples) or (samples, 1), or rows of one number for each class, the greatest of
 * which counts. Classes that have fewer samples than there are folds are missing in some of them,
 * with a warning. `*folds` receives a new object, to be released.
 *
 * CJ_INVALID_ARGUMENT (a NULL; fewer than 2 folds, or more than samples; every class has fewer
 * samples than there are folds; a target that is no class; fold_of with a fold that is empty or has
 * all samples, or with `stratified` or `shuffle`), CJ_SHAPE_MISMATCH (fold_of of another length or
 * not of integers; several targets), CJ_UNSUPPORTED (`stratified`, and the samples are not in
 * memory: cj_dataset_load()), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_k_fold_with(cj_dataset *data, cj_folds **folds, const cj_k_fold_args *args);
/** `cj_k_fold(data, &folds, .folds = 10, .stratified = true, .shuffle = true, .seed = 1)`. */
#define cj_k_fold(data, ...)                       \
    cj_k_fold_with(data, CJ__HEAD(__VA_ARGS__, ~), \
                   &(cj_k_fold_args){CJ_K_FOLD_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The number of folds; 0 for NULL. */
CJ_API int cj_folds_count(const cj_folds *folds);
/** The number of samples that were cut; 0 for NULL. */
CJ_API int64_t cj_folds_samples(const cj_folds *folds);
/** The number of samples that are tested in `fold`; 0 if out of range. */
CJ_API int64_t cj_folds_size(const cj_folds *folds, int fold);
/** The fold in which a sample is tested; -1 if in none, or out of range. */
CJ_API int cj_folds_of(const cj_folds *folds, int64_t sample);
/**
 * The data of one fold: `*train` receives the samples that are not tested in it, `*test` those that
 * are, each in the order of `data` and copied; both are new data sets, to be released, and either
 * pointer may be NULL. CJ_INVALID_ARGUMENT (a NULL, no such fold), CJ_SHAPE_MISMATCH (`data` has
 * another number of samples than was cut), CJ_UNSUPPORTED (its samples are not in memory),
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_folds_split(const cj_folds *folds, const cj_dataset *data, int fold,
                                cj_dataset **train, cj_dataset **test);

/** The arguments of cj_cross_validate(). */
typedef struct cj_cross_validate_args {
    size_t size;     ///< bytes of the struct
    int _;           ///< what follows may be given by position
    int folds;       ///< as in cj_k_fold(); default 5
    bool stratified; ///< as in cj_k_fold()
    bool shuffle;    ///< as in cj_k_fold()
    /**
     * of the shuffle into folds, and of the weights: fold f trains a model of seed `seed` + f;
     * default 0
     */
    uint32_t seed;
    const cj_folds *given; ///< or folds that are made already; default NULL
    int epochs;            ///< default 1
    int64_t batch_size;    ///< default 0: the model's fixed batch size, else 32
    cj_verbose verbose;    ///< of each cj_fit(); default CJ_AUTO: silent
    FILE *stream;          ///< where to print; default NULL: standard output
    /**
     * called before each fold is trained, NULL for nothing to be done: may set what else cj_fit() is
     * given, such as callbacks of this fold, and may change the fold's model, such as adapting a
     * layer to the samples that it is trained on. A failure ends the call with it
     */
    cj_status (*prepare)(void *context, int fold, cj_model *model, cj_dataset *train,
                         cj_fit_args *fit);
    /** called after each fold, by the calling thread; NULL for nothing to be done */
    void (*progress)(void *context, int done, int folds);
    void *context; ///< given to `prepare` and `progress`
} cj_cross_validate_args;
/** The defaults of cj_cross_validate_args. */
#define CJ_CROSS_VALIDATE_DEFAULTS \
    .size = sizeof(cj_cross_validate_args), .folds = 5, .epochs = 1, .verbose = CJ_AUTO
/** Sets `args` to CJ_CROSS_VALIDATE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cross_validate_defaults(cj_cross_validate_args *args);

/**
 * What cj_cross_validate() found: the loss and the metrics on each fold's test samples. A counted
 * object (base.h), never changed once made.
 */
typedef struct cj_cross_scores cj_cross_scores;
/** The number of folds; 0 for NULL. */
CJ_API int cj_cross_scores_folds(const cj_cross_scores *scores);
/** The number of values that each fold has: the loss, then each metric; 0 for NULL. */
CJ_API int cj_cross_scores_count(const cj_cross_scores *scores);
/** The name of value `index`, such as "accuracy"; NULL if out of range. Valid as long as `scores`. */
CJ_API const char *cj_cross_scores_name(const cj_cross_scores *scores, int index);
/** The value of `name` on the test samples of `fold`; NAN if there is none. */
CJ_API double cj_cross_scores_value(const cj_cross_scores *scores, const char *name, int fold);
/** The mean of `name` over the folds, each of which counts the same; NAN if there is none. */
CJ_API double cj_cross_scores_mean(const cj_cross_scores *scores, const char *name);
/** The standard deviation of `name` over the folds (their number as divisor); NAN if there is none. */
CJ_API double cj_cross_scores_deviation(const cj_cross_scores *scores, const char *name);
/** What happened while `fold` was trained; NULL if out of range. It belongs to `scores`. */
CJ_API const cj_history *cj_cross_scores_history(const cj_cross_scores *scores, int fold);

/**
 * Cross-validates a compiled model: for each fold a clone of `model`, with the same compile settings,
 * fresh weights and a fresh optimizer, is trained on the other folds and evaluated on this one.
 * `model` itself stays as it is: neither its weights nor its optimizer count. The same seed gives the
 * same bits for any number of threads. `*scores` receives a new object, to be released.
 *
 * One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; an argument out of range), CJ_SHAPE_MISMATCH,
 * CJ_NOT_BUILT (not compiled), CJ_OUT_OF_MEMORY, and what cj_k_fold(), cj_clone(), cj_fit(),
 * cj_evaluate() and `prepare` give.
 */
CJ_API cj_status cj_cross_validate_with(cj_model *model, cj_dataset *data, cj_cross_scores **scores,
                                        const cj_cross_validate_args *args);
/** `cj_cross_validate(model, data, &scores, .folds = 5, .epochs = 10)`. */
#define cj_cross_validate(model, data, ...)    \
    cj_cross_validate_with(                    \
        model, data, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_cross_validate_args){CJ_CROSS_VALIDATE_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
