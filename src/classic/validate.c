// Cross-validation of any model: for each fold a fresh clone is trained on the other folds and
// evaluated on this one.
#include "classic/folds.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

struct cj_cross_scores {
    cj__object object;
    int folds, count;
    cj_results **results;   // of each fold
    cj_history **histories; // of each fold
};

static void destroy_scores(void *object)
{
    cj_cross_scores *scores = object;
    for (int fold = 0; fold < scores->folds; fold++) {
        cj_release(scores->results[fold]);
        cj_release(scores->histories[fold]);
    }
    cj__free(scores->results);
    cj__free(scores->histories);
    cj__free(scores);
}

static const cj__class scores_class = {.name = "cross-validation scores",
                                       .destroy = destroy_scores};

static cj_cross_scores *new_scores(int folds)
{
    cj_cross_scores *scores = cj__object_new(&scores_class, sizeof *scores);
    if (!scores)
        return NULL;
    scores->results = cj__new((size_t)folds, sizeof(cj_results *));
    scores->histories = cj__new((size_t)folds, sizeof(cj_history *));
    if (!scores->results || !scores->histories) {
        cj_release(scores);
        return NULL;
    }
    scores->folds = folds;
    return scores;
}

int cj_cross_scores_folds(const cj_cross_scores *scores)
{
    return scores ? scores->folds : 0;
}

int cj_cross_scores_count(const cj_cross_scores *scores)
{
    return scores ? cj_results_count(scores->results[0]) : 0;
}

const char *cj_cross_scores_name(const cj_cross_scores *scores, int index)
{
    return scores ? cj_results_name(scores->results[0], index) : NULL;
}

double cj_cross_scores_value(const cj_cross_scores *scores, const char *name, int fold)
{
    return scores && name && fold >= 0 && fold < scores->folds ?
               cj_results_value(scores->results[fold], name) :
               (double)NAN;
}

double cj_cross_scores_mean(const cj_cross_scores *scores, const char *name)
{
    double sum = 0;
    if (!scores)
        return (double)NAN;
    for (int fold = 0; fold < scores->folds; fold++)
        sum += cj_cross_scores_value(scores, name, fold);
    return sum / scores->folds;
}

double cj_cross_scores_deviation(const cj_cross_scores *scores, const char *name)
{
    const double mean = cj_cross_scores_mean(scores, name);
    double squares = 0;
    if (!scores)
        return (double)NAN;
    for (int fold = 0; fold < scores->folds; fold++) {
        const double difference = cj_cross_scores_value(scores, name, fold) - mean;
        squares += difference * difference;
    }
    return sqrt(squares / scores->folds);
}

const cj_history *cj_cross_scores_history(const cj_cross_scores *scores, int fold)
{
    return scores && fold >= 0 && fold < scores->folds ? scores->histories[fold] : NULL;
}

// ---- a fold ----

static cj_status train(cj_model *model, cj_dataset *train, cj_dataset *test, int fold,
                       const cj_cross_validate_args *args, cj_cross_scores *scores)
{
    cj_fit_args fit = {CJ_FIT_DEFAULTS, .epochs = args->epochs, .batch_size = args->batch_size,
                       .verbose = args->verbose, .stream = args->stream};
    if (args->prepare) {
        cj__error_forget();
        CJ_TRY(cj__returned(args->prepare(args->context, fold, model, train, &fit),
                            "cj_cross_validate: prepare"));
    }
    fit.history = &scores->histories[fold];
    CJ_TRY(cj_fit_with(model, train, &fit));
    return cj_evaluate(model, test, &scores->results[fold], .batch_size = fit.batch_size);
}

static cj_status run_fold(cj_model *model, cj_dataset *data, const cj_folds *folds, int fold,
                          const cj_cross_validate_args *args, cj_cross_scores *scores)
{
    cj_dataset *rest = NULL, *part = NULL;
    cj_model *clone = NULL;
    cj_status status = cj_folds_split(folds, data, fold, &rest, &part);
    if (status == CJ_OK) {
        clone = cj_clone(model, .seed = (int64_t)args->seed + fold, .compile = true);
        status = clone ? train(clone, rest, part, fold, args, scores) : cj_error_status();
    }
    cj_release(clone);
    cj_release(part);
    cj_release(rest);
    return status;
}

// The folds to use: to be released.
static cj_status choose_folds(cj_dataset *data, const cj_cross_validate_args *args,
                              cj_folds **folds)
{
    if (!args->given)
        return cj_k_fold(data, folds, .folds = args->folds, .stratified = args->stratified,
                         .shuffle = args->shuffle, .seed = args->seed);
    if (args->stratified || args->shuffle)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_cross_validate: the folds are given, which leaves nothing to %s",
                        args->stratified ? "stratify" : "shuffle");
    *folds = cj_retain(args->given);
    return *folds ? CJ_OK : cj_error_status();
}

CJ__DEFAULTS(cross_validate, CROSS_VALIDATE)

cj_status cj_cross_validate_with(cj_model *model, cj_dataset *data, cj_cross_scores **scores,
                                 const cj_cross_validate_args *args)
{
    cj_cross_validate_args given;
    cj_folds *folds = NULL;
    if (!scores)
        return cj__fail_null("cj_cross_validate: the place for the scores");
    *scores = NULL;
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_cross_validate: the model");
    if (!data)
        return cj__fail_missing(CJ__MADE_DATASET, "cj_cross_validate: the data set");
    CJ_TRY(
        cj__args_read("cj_cross_validate", args, &cross_validate_defaults, sizeof given, &given));
    if (given.epochs < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_cross_validate: %d epochs, it needs at least 1",
                        given.epochs);
    CJ_TRY(choose_folds(data, &given, &folds));
    cj_cross_scores *found = new_scores(cj_folds_count(folds));
    cj_status status = found ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int fold = 0; status == CJ_OK && fold < cj_folds_count(folds); fold++) {
        status = run_fold(model, data, folds, fold, &given, found);
        if (status == CJ_OK && given.progress)
            given.progress(given.context, fold + 1, cj_folds_count(folds));
    }
    cj_release(folds);
    if (status == CJ_OK)
        *scores = found;
    else
        cj_release(found);
    return status;
}
