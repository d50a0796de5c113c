// Cutting samples into folds, as scikit-learn's KFold, StratifiedKFold and PredefinedSplit do. The
// order of a shuffle is that of numpy.random.RandomState(seed), so that the folds are the same too.
#include "classic/folds.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/warning.h"
#include "data/twister.h"

static void destroy_folds(void *object)
{
    cj_folds *folds = object;
    cj__free(folds->of);
    cj__free(folds->sizes);
    cj__free(folds);
}

static const cj__class folds_class = {.name = "folds", .destroy = destroy_folds};

int cj_folds_count(const cj_folds *folds)
{
    return folds ? folds->count : 0;
}

int64_t cj_folds_samples(const cj_folds *folds)
{
    return folds ? folds->samples : 0;
}

int64_t cj_folds_size(const cj_folds *folds, int fold)
{
    return folds && fold >= 0 && fold < folds->count ? folds->sizes[fold] : 0;
}

int cj_folds_of(const cj_folds *folds, int64_t sample)
{
    return folds && sample >= 0 && sample < folds->samples ? folds->of[sample] : -1;
}

// ---- consecutive samples ----

static cj_status cut(const cj_k_fold_args *args, cj_folds *folds)
{
    int64_t *order = cj__new((size_t)folds->samples, sizeof *order);
    if (!order)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < folds->samples; i++)
        order[i] = i;
    if (args->shuffle) {
        cj__twister twister;
        cj__twister_start(&twister, args->seed);
        cj__twister_shuffle(&twister, order, folds->samples);
    }
    const int64_t least = folds->samples / folds->count, longer = folds->samples % folds->count;
    for (int64_t fold = 0, at = 0; fold < folds->count; fold++)
        for (int64_t n = least + (fold < longer); n > 0; n--)
            folds->of[order[at++]] = (int32_t)fold;
    cj__free(order);
    return CJ_OK;
}

// ---- the same share of each class ----

// Samples sorted by class are dealt out to the folds in turn: what each fold gets of a class is how
// many of each class it has. Which samples these are goes by the order of the samples in the class,
// or by a shuffle.
typedef struct strata {
    const int32_t *classes;
    int64_t class_count;
    int64_t *begins; // class_count + 1: where each class begins among the sorted samples
    int64_t *deck;   // the folds of the sorted samples
} strata;

static cj_status count_classes(strata *s, int64_t samples, int folds)
{
    int64_t least = samples, most = 0;
    s->begins = cj__new((size_t)s->class_count + 1, sizeof *s->begins);
    if (!s->begins)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < samples; i++)
        s->begins[s->classes[i] + 1]++;
    for (int64_t c = 0; c < s->class_count; c++) {
        const int64_t count = s->begins[c + 1];
        least = count < least ? count : least;
        most = count > most ? count : most;
        s->begins[c + 1] += s->begins[c];
    }
    if (most < folds)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_k_fold: %d folds, but no class has more than %lld samples", folds,
                        (long long)most);
    if (least < folds)
        cj__warn("cj_k_fold: a class has only %lld samples, fewer than the %d folds",
                 (long long)least, folds);
    s->deck = cj__new((size_t)samples, sizeof *s->deck);
    return s->deck ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// How many whole numbers from `begin` to `end` - 1 leave the rest `rest` when divided by `by`.
static int64_t with_rest(int64_t begin, int64_t end, int64_t rest, int64_t by)
{
    const int64_t below_end = (end - rest + by - 1) / by, below = (begin - rest + by - 1) / by;
    return (end > rest ? below_end : 0) - (begin > rest ? below : 0);
}

static cj_status deal(const cj_k_fold_args *args, strata *s, cj_folds *folds)
{
    cj__twister twister;
    cj__twister_start(&twister, args->seed);
    CJ_TRY(count_classes(s, folds->samples, folds->count));
    for (int64_t c = 0; c < s->class_count; c++) {
        int64_t *deck = s->deck + s->begins[c], count = 0;
        for (int64_t fold = 0; fold < folds->count; fold++)
            for (int64_t n = with_rest(s->begins[c], s->begins[c + 1], fold, folds->count); n > 0;
                 n--)
                deck[count++] = fold;
        if (args->shuffle)
            cj__twister_shuffle(&twister, deck, count);
    }
    for (int64_t i = 0; i < folds->samples; i++)
        folds->of[i] = (int32_t)s->deck[s->begins[s->classes[i]]++]; // the next of its class
    return CJ_OK;
}

static cj_status stratify(const cj_dataset *data, const cj_k_fold_args *args, cj_folds *folds)
{
    strata s = {.class_count = 0};
    int32_t *classes = NULL;
    CJ_TRY(cj__classes_of(data, "cj_k_fold", &classes, &s.class_count));
    s.classes = classes;
    const cj_status status = deal(args, &s, folds);
    cj__free(classes);
    cj__free(s.begins);
    cj__free(s.deck);
    return status;
}

// ---- given folds ----

static cj_status check_given(const cj_k_fold_args *args, int64_t samples)
{
    char text[128];
    const cj_tensor *of = args->fold_of;
    const cj_dtype dtype = cj_tensor_dtype(of);
    const cj_shape wanted = {.rank = 1, .dims = {samples}};
    if (args->stratified || args->shuffle)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_k_fold: fold_of says where each sample belongs, which leaves nothing to "
            "%s",
            args->stratified ? "stratify" : "shuffle");
    if (!cj_shape_equal(cj_tensor_shape(of), &wanted))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_k_fold: fold_of has shape %s, needs a number for each of %lld samples",
                        cj_shape_text(cj_tensor_shape(of), text, sizeof text), (long long)samples);
    if (dtype != CJ_I32 && dtype != CJ_I64 && dtype != CJ_U8)
        return cj__fail(CJ_SHAPE_MISMATCH, "cj_k_fold: fold_of is %s, needs uint8, int32 or int64",
                        cj_dtype_name(dtype));
    return CJ_OK;
}

static cj_status take_given(const cj_k_fold_args *args, cj_folds *folds)
{
    double most = -1;
    for (int64_t i = 0; i < folds->samples; i++) {
        const double fold = cj_tensor_get(args->fold_of, &i);
        if (fold < -1 || fold >= (double)folds->samples)
            return cj__fail(
                CJ_INVALID_ARGUMENT,
                "cj_k_fold: fold_of[%lld] is %.0f, needs to be from -1 to below the %lld "
                "samples",
                (long long)i, fold, (long long)folds->samples);
        folds->of[i] = (int32_t)fold;
        most = fold > most ? fold : most;
    }
    folds->count = (int)most + 1;
    return CJ_OK;
}

// ---- making ----

static cj_status count_sizes(cj_folds *folds)
{
    folds->sizes = cj__new((size_t)folds->count, sizeof *folds->sizes);
    if (!folds->sizes)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < folds->samples; i++)
        if (folds->of[i] >= 0)
            folds->sizes[folds->of[i]]++;
    for (int fold = 0; fold < folds->count; fold++)
        if (folds->sizes[fold] == 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_k_fold: fold %d of %d has no samples", fold,
                            folds->count);
        else if (folds->sizes[fold] == folds->samples)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_k_fold: fold %d has all samples, so that none is left to train on",
                            fold);
    return CJ_OK;
}

static cj_status make(const cj_dataset *data, const cj_k_fold_args *args, cj_folds *folds)
{
    folds->samples = cj_dataset_count(data);
    folds->count = args->folds;
    if (args->fold_of)
        CJ_TRY(check_given(args, folds->samples));
    else if (args->folds < 2 || args->folds > folds->samples)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_k_fold: %d folds of %lld samples, it needs at least 2 and no more than "
                        "samples",
                        args->folds, (long long)folds->samples);
    folds->of = cj__new((size_t)folds->samples, sizeof *folds->of);
    if (!folds->of)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(args->fold_of    ? take_given(args, folds) :
           args->stratified ? stratify(data, args, folds) :
                              cut(args, folds));
    if (folds->count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_k_fold: fold_of gives no sample a fold");
    return count_sizes(folds);
}

CJ__DEFAULTS(k_fold, K_FOLD)

cj_status cj_k_fold_with(cj_dataset *data, cj_folds **folds, const cj_k_fold_args *args)
{
    cj_k_fold_args given;
    if (!folds)
        return cj__fail_null("cj_k_fold: the place for the folds");
    *folds = NULL;
    if (!data)
        return cj__fail_missing(CJ__MADE_DATASET, "cj_k_fold: the data set");
    CJ_TRY(cj__args_read("cj_k_fold", args, &k_fold_defaults, sizeof given, &given));
    cj_folds *made = cj__object_new(&folds_class, sizeof *made);
    const cj_status status = made ? make(data, &given, made) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        *folds = made;
    else
        cj_release(made);
    return status;
}

// ---- the data of a fold ----

static cj_status pick(const cj_folds *folds, const cj_dataset *data, int fold, bool tested,
                      int64_t *numbers, cj_dataset **picked)
{
    int64_t count = 0;
    for (int64_t i = 0; i < folds->samples; i++)
        if ((folds->of[i] == fold) == tested)
            numbers[count++] = i;
    return cj__pick_samples(data, numbers, count, picked);
}

static cj_status check_split(const cj_folds *folds, const cj_dataset *data, int fold)
{
    if (!folds)
        return cj__fail_null("cj_folds_split: the folds");
    if (!data)
        return cj__fail_missing(CJ__MADE_DATASET, "cj_folds_split: the data set");
    if (fold < 0 || fold >= folds->count)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_folds_split: there is no fold %d, but %d from 0",
                        fold, folds->count);
    if (cj_dataset_count(data) != folds->samples)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_folds_split: the data set has %lld samples, the folds are of %lld",
                        (long long)cj_dataset_count(data), (long long)folds->samples);
    return CJ_OK;
}

cj_status cj_folds_split(const cj_folds *folds, const cj_dataset *data, int fold,
                         cj_dataset **train, cj_dataset **test)
{
    cj_dataset *rest = NULL, *part = NULL;
    if (train)
        *train = NULL;
    if (test)
        *test = NULL;
    CJ_TRY(check_split(folds, data, fold));
    int64_t *numbers = cj__new((size_t)folds->samples, sizeof *numbers);
    cj_status status = numbers ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && train)
        status = pick(folds, data, fold, false, numbers, &rest);
    if (status == CJ_OK && test)
        status = pick(folds, data, fold, true, numbers, &part);
    cj__free(numbers);
    if (status != CJ_OK) {
        cj_release(rest);
        cj_release(part);
        return status;
    }
    if (train)
        *train = rest;
    if (test)
        *test = part;
    return status;
}
