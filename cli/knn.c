// cajal knn: k-nearest neighbours on a data set, with cross-validation over k.
#define _POSIX_C_SOURCE 200809L
#include "knn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QUERIES_AT_ONCE = 1024, MAX_CHOICES = 32, MAX_FOLDS = 100 };

typedef struct settings {
    const char *data, *k_list, *metric, *weights;
    int64_t train, test, folds, threads, queries;
    const char *picture, *chart;
    bool json, quiet, stratified, rotate;
    int64_t k[MAX_CHOICES];
    int k_count;
} settings;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void show_progress(const settings *s, const char *what, int64_t done, int64_t all)
{
    if (s->quiet || s->json || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%s %" PRId64 " of %" PRId64 "%s", what, done, all,
            done == all ? "\r\033[K" : "");
}

static void show_fold(void *context, int done, int folds)
{
    show_progress(context, "fold", done, folds);
}

// "1,3,5" into numbers of at least 1.
static bool read_list(settings *s)
{
    const char *at = s->k_list;
    for (;;) {
        char *end = NULL;
        const long long k = strtoll(at, &end, 10);
        if (end == at || k < 1 || s->k_count == MAX_CHOICES || (*end != '\0' && *end != ','))
            return false;
        s->k[s->k_count++] = k;
        if (*end == '\0')
            return true;
        at = end + 1;
    }
}

// Accuracies on the test samples, some at a time so that there is progress to show.
static cj_status test(cj_knn *knn, cj_dataset *data, const settings *s, double *accuracy)
{
    const int64_t all = cj_dataset_count(data);
    double right[MAX_CHOICES] = {0}, part[MAX_CHOICES];
    for (int64_t done = 0, count; done < all; done += count) {
        cj_dataset *slice = NULL;
        count = all - done < QUERIES_AT_ONCE ? all - done : QUERIES_AT_ONCE;
        cj_status status = cj_dataset_slice(data, done, count, &slice);
        if (status == CJ_OK)
            status = cj_knn_score_each(knn, slice, s->k, s->k_count, part);
        cj_release(slice);
        CJ_TRY(status);
        for (int i = 0; i < s->k_count; i++)
            right[i] += round(part[i] * (double)count);
        show_progress(s, "query", done + count, all);
    }
    for (int i = 0; i < s->k_count; i++)
        accuracy[i] = right[i] / (double)all;
    return CJ_OK;
}

static void print_scores(const cj_knn_scores *scores)
{
    printf("cross-validation\n%6s", "k");
    const int folds = cj_knn_scores_folds(scores);
    for (int f = 0; f < folds; f++)
        printf("%7s%2d", "fold", f + 1);
    printf("%9s%11s\n", "mean", "deviation");
    for (int i = 0; i < cj_knn_scores_count(scores); i++) {
        printf("%6" PRId64, cj_knn_scores_k(scores, i));
        for (int f = 0; f < folds; f++)
            printf("%9.4f", cj_knn_scores_accuracy(scores, i, f));
        printf("%9.4f%11.4f\n", cj_knn_scores_mean(scores, i), cj_knn_scores_deviation(scores, i));
    }
    printf("best k %" PRId64 "\n", cj_knn_scores_best(scores));
}

static void print_tests(const settings *s, const double *accuracy)
{
    printf("test\n%6s%10s\n", "k", "accuracy");
    for (int i = 0; i < s->k_count; i++)
        printf("%6" PRId64 "%10.4f\n", s->k[i], accuracy[i]);
}

static void print_json(const settings *s, const cj_knn_scores *scores, const double *accuracy)
{
    json_t *whole = json_object(), *tests = json_array(), *rows = json_array();
    for (int i = 0; !s->rotate && i < s->k_count; i++)
        json_array_append_new(
            tests, json_pack("{s:I, s:f}", "k", (json_int_t)s->k[i], "accuracy", accuracy[i]));
    for (int i = 0; i < cj_knn_scores_count(scores); i++) {
        json_t *folds = json_array();
        for (int f = 0; f < cj_knn_scores_folds(scores); f++)
            json_array_append_new(folds, number_json(cj_knn_scores_accuracy(scores, i, f)));
        json_array_append_new(rows, json_pack("{s:I, s:o, s:f, s:f}", "k",
                                              (json_int_t)cj_knn_scores_k(scores, i), "folds",
                                              folds, "mean", cj_knn_scores_mean(scores, i),
                                              "deviation", cj_knn_scores_deviation(scores, i)));
    }
    if (scores) {
        json_object_set_new(whole, "cross_validation", rows);
        json_object_set_new(whole, "best_k", json_integer(cj_knn_scores_best(scores)));
    } else {
        json_decref(rows);
    }
    if (s->rotate)
        json_decref(tests);
    else
        json_object_set_new(whole, "test", tests);
    print_json_value(whole);
    json_decref(whole);
}

static void tell_time(const settings *s, const char *what, double since)
{
    if (!s->quiet && !s->json)
        printf("%s took %.2f s\n", what, seconds() - since);
}

static cj_status cross_validate(cj_dataset *train, const cj_folds *given, cj_pool *pool,
                                settings *s, cj_knn_scores **scores)
{
    cj_knn_cross_validate_args args = {CJ_KNN_CROSS_VALIDATE_DEFAULTS,
                                       .folds = (int)s->folds,
                                       .metric = s->metric,
                                       .weights = s->weights,
                                       .pool = pool,
                                       .given = given,
                                       .progress = show_fold,
                                       .k_list = s->k,
                                       .k_count = s->k_count,
                                       .context = s};
    const double begin = seconds();
    CJ_TRY(cj_knn_cross_validate_with(train, scores, &args));
    if (!s->json && s->rotate)
        print_rotation(*scores, strcmp(s->data, "cifar10") == 0 && !s->train && !s->test);
    else if (!s->json)
        print_scores(*scores);
    tell_time(s, "cross-validation", begin);
    if (s->chart)
        CJ_TRY(draw_scores(*scores, s->chart));
    return CJ_OK;
}

// Each part in turn, the test set among them.
static cj_status rotate(cj_dataset *train, cj_dataset *queries, cj_pool *pool, settings *s,
                        cj_knn_scores **scores)
{
    cj_dataset *all = NULL;
    cj_folds *folds = NULL;
    CJ_TRY(join_parts(train, queries, &all, &folds));
    const cj_status status = cross_validate(all, folds, pool, s, scores);
    cj_release(folds);
    cj_release(all);
    return status;
}

static cj_status validate(cj_dataset *train, cj_dataset *queries, cj_pool *pool, settings *s,
                          cj_knn_scores **scores)
{
    cj_folds *folds = NULL;
    if (s->rotate)
        return rotate(train, queries, pool, s, scores);
    if (s->stratified)
        CJ_TRY(cj_k_fold(train, &folds, .folds = (int)s->folds, .stratified = true));
    const cj_status status = cross_validate(train, folds, pool, s, scores);
    cj_release(folds);
    return status;
}

static cj_status evaluate(cj_knn *knn, cj_dataset *train, cj_dataset *queries, const settings *s,
                          double *accuracy)
{
    const double begin = seconds();
    CJ_TRY(cj_knn_fit(knn, train));
    CJ_TRY(test(knn, queries, s, accuracy));
    if (!s->json)
        print_tests(s, accuracy);
    tell_time(s, "the test", begin);
    return CJ_OK;
}

static cj_status draw(cj_knn *knn, cj_dataset *train, cj_dataset *queries, int64_t k,
                      const settings *s)
{
    if (s->rotate)
        CJ_TRY(cj_knn_fit(knn, train));
    CJ_TRY(draw_neighbors(knn, train, queries, s->data, k, s->queries, s->picture));
    if (!s->json)
        printf("%s: each query and the %" PRId64 " samples nearest to it\n", s->picture, k);
    return CJ_OK;
}

// What would fail after minutes fails now.
static cj_status check_places(const settings *s)
{
    if (s->picture)
        CJ_TRY(check_output(s->picture));
    return s->chart ? check_output(s->chart) : CJ_OK;
}

// The classifier is made first: that checks its settings before data is loaded.
static cj_status run(settings *s)
{
    cj_knn_scores *scores = NULL;
    cj_dataset *train = NULL, *queries = NULL;
    double accuracy[MAX_CHOICES];
    int64_t most = 1;
    for (int i = 0; i < s->k_count; i++)
        most = s->k[i] > most ? s->k[i] : most;
    cj_pool *pool = cj_pool_new((int)s->threads);
    cj_knn *knn = NULL;
    if (pool)
        knn =
            cj_knn(.k = most, .metric = s->metric, .weights = s->weights, .pool = cj_retain(pool));
    own_data own = {OWN_DATA_DEFAULTS};
    cj_status status = knn ? check_places(s) : cj_error_status();
    if (status == CJ_OK)
        status = load_data(&s->data, NULL, &own, &train, &queries);
    json_decref(own.schema);
    if (status == CJ_OK)
        status = limit_samples(&train, s->train);
    if (status == CJ_OK)
        status = limit_samples(&queries, s->test);
    if (status == CJ_OK && !s->json)
        printf("%" PRId64 " samples and %" PRId64 " queries of \"%s\", metric %s, weights %s\n",
               cj_dataset_count(train), cj_dataset_count(queries), s->data, s->metric, s->weights);
    if (status == CJ_OK && (s->folds > 0 || s->rotate))
        status = validate(train, queries, pool, s, &scores);
    if (status == CJ_OK && !s->rotate) // the test set is one of the parts
        status = evaluate(knn, train, queries, s, accuracy);
    if (status == CJ_OK && s->picture)
        status = draw(knn, train, queries, most, s);
    if (status == CJ_OK && s->json)
        print_json(s, scores, accuracy);
    cj_release(scores);
    cj_release(knn);
    cj_release(pool);
    cj_release(queries);
    cj_release(train);
    return status;
}

int run_knn(int argc, char **argv)
{
    settings s = {
        .data = "auto", .k_list = "5", .metric = "l2", .weights = "uniform", .queries = 10};
    const option options[] = {
        DATA_OPTION(&s.data),
        TEXT_OPTION("k", "LIST", &s.k_list, "how many neighbours vote, such as 1,3,5,8 (5)"),
        TEXT_OPTION("metric", "NAME", &s.metric, "l2 or l1 (l2)"),
        TEXT_OPTION("weights", "NAME", &s.weights,
                    "of votes: uniform, or distance for 1 / distance (uniform)"),
        INT_OPTION("train", "N", &s.train, 1, INFINITY, "keep the first N training samples only"),
        INT_OPTION("test", "N", &s.test, 1, INFINITY, "ask for the first N test samples only"),
        INT_OPTION("folds", "N", &s.folds, 2, MAX_FOLDS,
                   "cross-validate on the training samples first, in N parts"),
        FLAG_OPTION("stratified", &s.stratified,
                    "with --folds: each part has its share of each class"),
        FLAG_OPTION(
            "rotate", &s.rotate,
            "test each part in turn: five parts of the training samples (CIFAR-10's batches), "
            "and the test set"),
        TEXT_OPTION("chart", "FILE.svg", &s.chart,
                    "with --folds or --rotate: draw accuracy by k, with its spread"),
        TEXT_OPTION("picture", "FILE.png", &s.picture,
                    "draw queries with the neighbours that vote"),
        INT_OPTION("queries", "N", &s.queries, 1, 200, "with --picture: the first N queries (10)"),
        THREADS_OPTION(&s.threads),
        FLAG_OPTION("quiet", &s.quiet, "no progress and no times"),
        FLAG_OPTION("json", &s.json, "print the results as JSON only"),
    };
    int done = read_options(find_command("knn"), options, sizeof(options) / sizeof options[0], argc,
                            argv, 0, 0, NULL);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (!read_list(&s)) {
        fprintf(stderr, "cajal knn: --k needs 1 to %d numbers above 0 with commas between, not \"",
                MAX_CHOICES);
        print_text(s.k_list, stderr);
        fputs("\"\n", stderr);
        return EXIT_USAGE;
    }
    const char *wrong = s.chart && !s.folds && !s.rotate ? "--chart needs --folds or --rotate" :
                        s.stratified && !s.folds         ? "--stratified needs --folds" :
                        s.folds && s.rotate ? "--folds and --rotate are two ways to cut the data" :
                                              NULL;
    if (wrong) {
        fprintf(stderr, "cajal knn: %s; see `cajal knn --help`\n", wrong);
        return EXIT_USAGE;
    }
    return finish(run(&s));
}
