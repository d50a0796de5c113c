// cajal cross-validate: each part of the data in turn is the test for a new model that is trained on the
// others.
#define _POSIX_C_SOURCE 200809L
#include "compile.h"
#include "table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FOLDS = 1000 };

typedef struct settings {
    const char *data;
    recipe recipe;
    int64_t epochs, batch_size, folds, limit;
    bool stratified, shuffle, rotate, json, quiet;
    own_data own;
} settings;

static void show_progress(void *context, int done, int folds)
{
    const settings *s = context;
    if (!s->quiet && !s->json && isatty(STDERR_FILENO))
        fprintf(stderr, "\rfold %d of %d%s", done, folds, done == folds ? "\r\033[K" : "");
}

// Layers that learn from data learn from the samples that the fold trains on alone.
static cj_status prepare(void *context, int fold, cj_model *model, cj_dataset *train,
                         cj_fit_args *fit)
{
    (void)fold, (void)fit;
    const settings *s = context;
    return learns_anew(&s->recipe, &s->own) ? learn_from(model, cj_dataset_x(train, 0)) : CJ_OK;
}

// The folds to be taken, NULL for those of a number of folds; *data may become another data set.
static cj_status choose_folds(const settings *s, cj_dataset *test, cj_dataset **data,
                              cj_folds **folds)
{
    cj_dataset *all = NULL;
    if (!s->rotate)
        return CJ_OK;
    CJ_TRY(join_parts(*data, test, &all, folds));
    cj_release(*data);
    *data = all;
    return CJ_OK;
}

static void print_scores(const cj_cross_scores *scores)
{
    const int count = cj_cross_scores_count(scores);
    printf("%-10s", "fold");
    for (int i = 0; i < count; i++)
        printf("  %20s", cj_cross_scores_name(scores, i));
    putchar('\n');
    for (int f = 0; f < cj_cross_scores_folds(scores); f++) {
        printf("%-10d", f + 1);
        for (int i = 0; i < count; i++)
            printf("  %20.4f", cj_cross_scores_value(scores, cj_cross_scores_name(scores, i), f));
        putchar('\n');
    }
    for (int e = 0; e < 2; e++) {
        printf("%-10s", e ? "deviation" : "mean");
        for (int i = 0; i < count; i++) {
            const char *name = cj_cross_scores_name(scores, i);
            printf("  %20.4f", e ? cj_cross_scores_deviation(scores, name) :
                                   cj_cross_scores_mean(scores, name));
        }
        putchar('\n');
    }
}

static void print_json(const cj_cross_scores *scores)
{
    json_t *whole = json_object();
    for (int i = 0; i < cj_cross_scores_count(scores); i++) {
        const char *name = cj_cross_scores_name(scores, i);
        json_t *folds = json_array();
        for (int f = 0; f < cj_cross_scores_folds(scores); f++)
            json_array_append_new(folds, number_json(cj_cross_scores_value(scores, name, f)));
        json_object_set_new(whole, name,
                            json_pack("{s:o, s:o, s:o}", "folds", folds, "mean",
                                      number_json(cj_cross_scores_mean(scores, name)), "deviation",
                                      number_json(cj_cross_scores_deviation(scores, name))));
    }
    print_json_value(whole);
    json_decref(whole);
}

static cj_status validate(settings *s, cj_model *model, cj_dataset *data, const cj_folds *folds)
{
    cj_cross_scores *scores = NULL;
    if (!s->json && !s->quiet)
        printf("%lld samples of \"%s\" in %lld folds, %lld epochs each\n",
               (long long)cj_dataset_count(data), s->data,
               (long long)(folds ? cj_folds_count(folds) : s->folds), (long long)s->epochs);
    CJ_TRY(cj_cross_validate(
        model, data, &scores, .given = folds, .folds = (int)s->folds, .stratified = s->stratified,
        .shuffle = s->shuffle, .seed = (uint32_t)s->recipe.seed, .epochs = (int)s->epochs,
        .batch_size = s->batch_size, .prepare = prepare, .progress = show_progress, .context = s));
    if (s->json)
        print_json(scores);
    else
        print_scores(scores);
    cj_release(scores);
    return CJ_OK;
}

static cj_status run(settings *s)
{
    cj_dataset *data = NULL, *test = NULL;
    cj_folds *folds = NULL;
    cj_model *model = NULL;
    cj_status status = load_data(&s->data, NULL, &s->own, &data, &test);
    if (status == CJ_OK)
        status = limit_samples(&data, s->limit);
    if (status == CJ_OK)
        status = choose_folds(s, test, &data, &folds);
    if (status == CJ_OK)
        status = make_compiled(&s->recipe, &s->own, data, &model);
    if (status == CJ_OK)
        status = validate(s, model, data, folds);
    cj_release(folds);
    cj_release(model);
    cj_release(data);
    cj_release(test);
    json_decref(s->own.schema);
    return status;
}

int run_cross_validate(int argc, char **argv)
{
    settings s = {
        .data = "auto",
        .own = {OWN_DATA_DEFAULTS},
        .recipe = {.name = "auto", .optimizer = "adam", .dtype = "float32", .learning_rate = NAN},
        .epochs = 5,
        .folds = 0};
    recipe *r = &s.recipe;
    const option options[] = {
        DATA_OPTION(&s.data),
        IMAGE_OPTIONS(&s.own),
        INT_OPTION("folds", "N", &s.folds, 2, MAX_FOLDS,
                   "into how many parts the training samples are cut (5)"),
        FLAG_OPTION("stratified", &s.stratified, "each part has its share of each class"),
        FLAG_OPTION("shuffle", &s.shuffle, "samples are mixed before they are cut"),
        FLAG_OPTION(
            "rotate", &s.rotate,
            "instead of --folds: five parts of the training samples (CIFAR-10's batches), and "
            "the test set"),
        INT_OPTION("epochs", "N", &s.epochs, 1, 1000000, "how often to go through the data (5)"),
        INT_OPTION("batch-size", "N", &s.batch_size, 1, BATCH_SIZE_MAX,
                   "samples a step (the model's, else 32)"),
        OPTIMIZER_OPTIONS(r),
        DTYPE_OPTION(r),
        INT_OPTION("seed", "N", &r->seed, 0, 4294967295.0,
                   "of the shuffle, and of weights, order and dropout: fold F has seed N + F (0)"),
        THREADS_OPTION(&r->threads),
        INT_OPTION("limit", "N", &s.limit, 1, INFINITY, "take the first N training samples only"),
        FLAG_OPTION("quiet", &s.quiet, "the table and nothing else"),
        FLAG_OPTION("json", &s.json, "print the results as JSON only"),
    };
    int done = read_options(find_command("cross-validate"), options,
                            sizeof options / sizeof options[0], argc, argv, 0, 1, &r->name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (s.rotate && (s.folds || s.stratified || s.shuffle)) {
        fprintf(stderr,
                "cajal cross-validate: --rotate takes the parts as they are, without --folds, "
                "--stratified and --shuffle\n");
        return EXIT_USAGE;
    }
    s.folds = s.folds ? s.folds : 5;
    return finish(run(&s));
}
