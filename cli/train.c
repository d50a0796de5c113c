// cajal train: a model by name or from JSON, a data set by name; leaves the model, a curve, a
// confusion matrix and the mistakes.
#include "train.h"
#include "language.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What --report leaves.
enum { REPORT_CURVE, REPORT_CONFUSION, REPORT_CONFUSION_PICTURE, REPORT_MISTAKES, REPORT_COUNT };
static const char *const report_files[] = {"curve.svg", "confusion.csv", "confusion.svg",
                                           "mistakes.png"};

// What would fail after hours fails now.
static cj_status check_places(const train_settings *s)
{
    char path[4096];
    if (s->output)
        CJ_TRY(check_output(s->output));
    if (s->timeline)
        CJ_TRY(check_output(s->timeline));
    if (!s->report)
        return CJ_OK;
    CJ_TRY(make_folder(s->report));
    for (int i = 0; i < REPORT_COUNT; i++) {
        snprintf(path, sizeof path, "%s/%s", s->report, report_files[i]);
        CJ_TRY(check_output(path));
    }
    return CJ_OK;
}

static cj_status report(cj_model *model, cj_dataset *test, const cj_history *history,
                        const train_settings *s)
{
    char path[4096];
    cj_tensor *probabilities = NULL;
    int64_t *counts = NULL;
    int classes = 0;
    const cj_tensor *images = cj_dataset_x(test, 0);
    snprintf(path, sizeof path, "%s/%s", s->report, report_files[REPORT_CURVE]);
    CJ_TRY(write_curve(history, path));
    cj_status status = s->kind != TARGET_CLASSES ?
                           CJ_OK :
                           count_confusion(model, test, &counts, &classes, &probabilities);
    if (status == CJ_OK && classes > 0) {
        if (!s->json)
            print_confusion(counts, classes, stdout);
        snprintf(path, sizeof path, "%s/%s", s->report, report_files[REPORT_CONFUSION]);
        status = write_confusion(counts, classes, path);
        snprintf(path, sizeof path, "%s/%s", s->report, report_files[REPORT_CONFUSION_PICTURE]);
        if (status == CJ_OK)
            status = draw_confusion(counts, classes, path);
        snprintf(path, sizeof path, "%s/%s", s->report, report_files[REPORT_MISTAKES]);
        if (status == CJ_OK && cj_tensor_dtype(images) == CJ_U8 &&
            cj_tensor_shape(images)->rank == 4)
            status = write_mistakes(images, cj_dataset_y(test, 0), probabilities, path);
    }
    if (status == CJ_OK && !s->json) {
        printf("%s: ", s->report);
        for (int i = 0; i < REPORT_COUNT; i++)
            printf("%s%s", report_files[i], i + 1 < REPORT_COUNT ? ", " : "\n");
    }
    free(counts);
    cj_release(probabilities);
    return status;
}

static void print_json(const cj_history *history, const cj_results *results,
                       const train_settings *s)
{
    json_t *epochs = json_array(), *final = json_object(), *whole = json_object();
    for (int e = 0; e < cj_history_epochs(history); e++) {
        json_t *row = json_object();
        for (int n = 0; n < cj_history_names(history); n++) {
            const char *name = cj_history_name(history, n);
            json_object_set_new(row, name, number_json(cj_history_value(history, name, e)));
        }
        json_array_append_new(epochs, row);
    }
    for (int i = 0; i < cj_results_count(results); i++)
        json_object_set_new(final, cj_results_name(results, i),
                            number_json(cj_results_value_at(results, i)));
    json_object_set_new(whole, "data", json_string(s->data));
    json_object_set_new(whole, "epochs", epochs);
    json_object_set_new(whole, "test", final);
    if (s->output)
        json_object_set_new(whole, "model", text_json(s->output));
    print_json_value(whole);
    json_decref(whole);
}

static cj_status fit(cj_model *model, cj_dataset *data, cj_dataset *validation,
                     const train_settings *s, cj_history **history)
{
    cj_callback *callbacks[4];
    int count = 0;
    if (s->output)
        callbacks[count++] = cj_model_checkpoint(s->output, .save_best_only = s->save_best_only,
                                                 .verbose = s->save_best_only && !s->json);
    if (s->patience > 0)
        callbacks[count++] = cj_early_stopping(.patience = (int)s->patience - 1);
    if (s->timeline)
        callbacks[count++] = cj_timeline(s->timeline);
    callbacks[count++] = interruptible(s->output);
    return cj_fit(
        model, data, .epochs = (int)s->epochs, .batch_size = s->batch_size,
        .validation_data = validation, .class_weight = s->class_count ? s->class_weight : NULL,
        .class_count = s->class_count, .verbose = s->json || s->quiet ? CJ_SILENT : CJ_BAR,
        .stream = stdout, .resume = s->resume, .history = history, .callbacks_list = callbacks,
        .callbacks_count = count);
}

// `test` has the targets as the model's loss wants them, `shown` as the data has them.
static cj_status finish_training(cj_model *model, cj_dataset *test, cj_dataset *shown,
                                 const cj_history *history, const train_settings *s)
{
    cj_results *results = NULL;
    if (s->output && !s->save_best_only)
        CJ_TRY(cj_save(model, s->output));
    CJ_TRY(cj_evaluate(model, test, &results, .batch_size = batch_of(model, 256)));
    const double loss = cj_results_value(results, "loss");
    cj_status status = s->report ? report(model, shown, history, s) : CJ_OK;
    if (status == CJ_OK && s->json)
        print_json(history, results, s);
    else if (status == CJ_OK) {
        const char *metric = metric_of(model, s->kind);
        printf("test loss %.4f, test %s %.4f", loss, metric, cj_results_value(results, metric));
        if (s->output) {
            printf(", saved as ");
            print_text(s->output, stdout);
        } else
            printf(", not saved (--output FILE saves the model)");
        putchar('\n');
    }
    if (status == CJ_OK && !isfinite(loss))
        status = cj_fail(CJ_NOT_FINITE, "the loss is no finite number: training diverged (try a "
                                        "smaller --learning-rate)");
    cj_release(results);
    return status;
}

// What a run reads.
typedef struct run_data {
    cj_dataset *train, *test;
    cj_dataset *rest;    // a part of the training samples for validation; NULL for none
    cj_dataset *targets; // the test set with targets as the model's loss wants them
} run_data;

static void free_data(run_data *d)
{
    cj_release(d->train);
    cj_release(d->test);
    cj_release(d->rest);
    cj_release(d->targets);
}

// The data sets of a run, and what it begins with: the model, if it is not resumed.
static cj_status prepare(train_settings *s, run_data *d, cj_model **model)
{
    if (s->resume)
        CJ_TRY(load_saved_run(s, model));
    set_run_defaults(s);
    s->own.tokens = !s->resume && is_language_name(s->recipe.name);
    if (s->own.tokens && s->recipe.normalize)
        return cj_fail(CJ_INVALID_ARGUMENT, "--normalize is for bytes of images; %s takes texts",
                       s->recipe.name);
    CJ_TRY(load_data(&s->data, *model, &s->own, &d->train, &d->test));
    CJ_TRY(limit_samples(&d->train, s->limit));
    const int64_t samples = cj_dataset_count(d->train);
    CJ_TRY(split_samples(s->validation_split, &d->train, &d->rest));
    s->kind = kind_of_target(&s->own, d->train);
    if (strchr(s->data, ':')) // a user's own
        CJ_TRY(check_classes(&s->own, d->train, s->kind));
    s->recipe.epochs = s->epochs;
    s->recipe.batch_size = s->batch_size;
    if (!s->resume)
        CJ_TRY(make_compiled(&s->recipe, &s->own, d->train, model));
    CJ_TRY(note_data(*model, s->data, d->train));
    if (is_folder_data(s->data) && !s->resume)
        CJ_TRY(note_pictures(*model, &s->own));
    CJ_TRY(note_run(*model, s));
    CJ_TRY(note_augmentation(*model, &s->augmentation, samples));
    return s->own.schema ? note_table(*model, s->own.schema) : CJ_OK;
}

// Samples and targets as the model learns from them.
static cj_status change_data(const train_settings *s, run_data *d, const cj_model *model)
{
    d->test = cj_take(d->test);
    CJ_TRY(targets_of(model, d->test, &d->targets));
    if (d->rest)
        CJ_TRY(fit_targets(model, &d->rest));
    CJ_TRY(fit_targets(model, &d->train));
    return augment(&s->augmentation, &d->train);
}

static cj_status introduce(const train_settings *s, const cj_dataset *data, cj_model *model)
{
    if (s->json || s->quiet)
        return CJ_OK;
    CJ_TRY(cj_model_summary(model, stdout, .width = summary_width()));
    printf("training on %lld samples of %s, kernels %s\n", (long long)cj_dataset_count(data),
           s->data, cj_isa());
    if (*s->augmentation.specs)
        printf("each changed by %s\n", s->augmentation.specs);
    if (s->own.schema)
        print_schema(s->own.schema, stdout);
    return CJ_OK;
}

static cj_status train(train_settings *s)
{
    run_data d = {NULL, NULL, NULL, NULL};
    cj_model *model = NULL;
    cj_history *history = NULL;
    cj_status status = check_places(s);
    if (status == CJ_OK)
        status = read_augmentation(&s->augmentation);
    if (status == CJ_OK)
        status = prepare(s, &d, &model);
    if (status == CJ_OK)
        status = introduce(s, d.train, model);
    if (status == CJ_OK)
        status = change_data(s, &d, model);
    if (status == CJ_OK)
        status = fit(model, d.train, d.rest ? d.rest : d.targets, s, &history);
    if (status == CJ_OK && s->resume && cj_history_epochs(history) == 0)
        fprintf(stderr, "cajal: the run has had its %lld epochs; more of them with --epochs\n",
                (long long)s->epochs);
    if (status == CJ_OK)
        status = finish_training(model, d.targets, d.test, history, s);
    cj_release(history);
    cj_release(model);
    free_data(&d);
    json_decref(s->own.schema);
    return status;
}

// What is wrong with the options together, or NULL.
static const char *check_options(train_settings *s)
{
    if (s->save_best_only && !s->output)
        return "--save-best-only needs --output";
    if (s->recipe.schedule && !isnan(s->recipe.learning_rate))
        return "--learning-rate and --schedule are two rates: give one of them";
    if (s->resume && check_resumed(s))
        return check_resumed(s);
    return read_class_weights(s) ? NULL : "--class-weight needs weights such as 1,2.5,1";
}

int run_train(int argc, char **argv)
{
    train_settings s = {.data = "auto",
                        .own = {OWN_DATA_DEFAULTS},
                        .recipe = {.learning_rate = NAN, .seed = -1},
                        .validation_split =
                            NAN}; // what is not given is set later: --resume has other defaults
    s.own.side = 0;
    s.own.pictures.interpolation = NULL;
    recipe *r = &s.recipe;
    const option options[] = {
        DATA_OPTION(&s.data),
        IMAGE_OPTIONS(&s.own),
        FLAG_OPTION("stream", &s.own.stream,
                    "with folder: decode images while training runs; keep up to 1 GiB of them"),
        INT_OPTION("window", "N", &s.own.window, 1, 1000000,
                   "with series, steps that a prediction is made from (24); with gpt, bytes (128)"),
        INT_OPTION("epochs", "N", &s.epochs, 1, 1000000,
                   "how often to go through the data (what the resumed run had, else 5)"),
        INT_OPTION("batch-size", "N", &s.batch_size, 1, BATCH_SIZE_MAX,
                   "samples a step (what the resumed run had, the model's, else 32)"),
        OPTIMIZER_OPTIONS(r),
        TEXT_OPTION("schedule", "SPEC", &r->schedule,
                    "learning rates: \"one_cycle(0.2)\" over the whole run, \"cosine_decay(0.1, 30 "
                    "epochs)\""),
        TEXTS_OPTION("augment", "SPECS", &s.augmentation.given,
                     "layers that change training samples by chance: \"random_flip(horizontal), "
                     "random_rotation(0.1)\"; may be repeated"),
        FLAG_OPTION(
            "normalize", &r->normalize,
            "bytes get mean 0 and variance 1 by those of each channel, not a scale of 0..1"),
        TEXT_OPTION("mix", "SPEC", &r->mix,
                    "training images mixed with each other: mix_up, \"cut_mix(factor=0.5)\""),
        DTYPE_OPTION(r),
        INT_OPTION("seed", "N", &r->seed, 0, INFINITY, "of weights, order and dropout (0)"),
        THREADS_OPTION(&r->threads),
        INT_OPTION("limit", "N", &s.limit, 1, INFINITY, "train on the first N samples only"),
        TEXT_OPTION("output", "FILE", &s.output,
                    "where to save the model, after each epoch and at the end"),
        FLAG_OPTION("save-best-only", &s.save_best_only,
                    "with --output: keep the epoch of the smallest val_loss"),
        INT_OPTION("early-stopping", "N", &s.patience, 1, 1000000,
                   "end when val_loss has not improved for N epochs"),
        SHARE_OPTION(
            "validation-split", "X", &s.validation_split,
            "validate on the last share X of the training samples, not on the test samples"),
        TEXT_OPTION("class-weight", "LIST", &s.class_weights,
                    "a weight for each class 0, 1, ..., such as 1,2.5,1"),
        TEXT_OPTION("report", "FOLDER", &s.report,
                    "write curve.svg, confusion.csv, confusion.svg and mistakes.png there"),
        TEXT_OPTION("timeline", "FILE", &s.timeline,
                    "write when steps ran and waited for data there, for chrome://tracing"),
        TEXT_OPTION("resume", "FILE", &s.resume,
                    "go on with a saved run, to the same bits: options that are not given are as "
                    "they were"),
        FLAG_OPTION("quiet", &s.quiet, "no summary and no progress"),
        FLAG_OPTION("json", &s.json, "print the results as JSON only"),
    };
    int done = read_options(find_command("train"), options, sizeof(options) / sizeof options[0],
                            argc, argv, 0, 1, &r->name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    const char *wrong = check_options(&s);
    if (wrong) {
        fprintf(stderr, "cajal train: %s\n", wrong);
        return EXIT_USAGE;
    }
    const cj_status status = train(&s);
    if (status == CJ_CANCELLED && was_interrupted()) {
        tell_interrupted_run(&s);
        return EXIT_INTERRUPTED;
    }
    return finish(status);
}
