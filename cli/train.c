// cajal train: a model by name or from JSON, a data set by name; leaves the model, a curve, a
// confusion matrix, mistakes.
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct settings {
    const char *data, *optimizer, *loss, *output, *report, *resume, *dtype;
    int64_t epochs, batch_size, seed, threads, limit;
    double learning_rate;
    bool json, quiet;
} settings;

static cj_status limit_samples(cj_dataset **data, int64_t limit)
{
    cj_dataset *slice = NULL;
    if (limit <= 0 || limit >= cj_dataset_count(*data))
        return CJ_OK;
    CJ_TRY(cj_dataset_slice(*data, 0, limit, &slice));
    cj_release(*data);
    *data = slice;
    return CJ_OK;
}

static cj_optimizer *make_optimizer(const settings *s)
{
    if (s->learning_rate <= 0)
        return cj_optimizer_from_spec(s->optimizer);
    char spec[256];
    size_t length = strlen(s->optimizer);
    bool open = length != 0 && s->optimizer[length - 1] == ')';
    snprintf(spec, sizeof(spec), "%.*s%slearning_rate=%.17g)", (int)(open ? length - 1 : length),
             s->optimizer, open ? ", " : "(", s->learning_rate);
    return cj_optimizer_from_spec(spec);
}

static cj_status prepare(const char *name, const settings *s, cj_dataset *train, cj_model **model)
{
    if (s->resume) {
        *model = cj_load(s->resume);
        return *model ? CJ_OK : cj_error_status();
    }
    *model = make_model(name, train);
    if (!*model)
        // told by make_model()
        return cj_error_status() != CJ_OK ? cj_error_status() : CJ_INVALID_ARGUMENT;
    CJ_TRY(cj_set_dtype_policy(cj_model_layer(*model), s->dtype));
    CJ_TRY(cj_model_set_seed(*model, (uint64_t)s->seed));
    cj_pool *pool = cj_pool_new((int)s->threads);
    cj_optimizer *optimizer = make_optimizer(s);
    if (!pool || !optimizer)
        return cj_error_status();
    return cj_compile(*model, .optimizer = optimizer, .loss = s->loss, .metrics = {"accuracy"},
                      .pool = pool);
}

static cj_status report(cj_model *model, cj_dataset *test, const cj_history *history,
                        const settings *s)
{
    char path[1024];
    cj_tensor *probabilities = NULL;
    int64_t *counts = NULL;
    int classes = 0;
    if (mkdir(s->report, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "cajal: cannot make the folder \"%s\": %s\n", s->report, strerror(errno));
        return CJ_IO;
    }
    snprintf(path, sizeof(path), "%s/curve.svg", s->report);
    CJ_TRY(write_curve(history, path));
    cj_status status = count_confusion(model, test, &counts, &classes, &probabilities);
    if (status == CJ_OK && classes > 0) {
        if (!s->json)
            print_confusion(counts, classes, stdout);
        snprintf(path, sizeof(path), "%s/confusion.csv", s->report);
        status = write_confusion(counts, classes, path);
        const cj_tensor *images = cj_dataset_x(test, 0);
        snprintf(path, sizeof(path), "%s/mistakes.png", s->report);
        if (status == CJ_OK && cj_tensor_dtype(images) == CJ_U8 &&
            cj_tensor_shape(images)->rank == 4)
            status =
                write_mistakes(images, cj_tensor_data(cj_dataset_y(test, 0)), probabilities, path);
        if (status == CJ_OK && !s->json)
            printf("%s: curve.svg, confusion.csv, mistakes.png\n", s->report);
    }
    free(counts);
    cj_release(probabilities);
    return status;
}

static void print_json(const cj_history *history, const cj_results *results, const char *output)
{
    json_t *epochs = json_array(), *final = json_object();
    for (int e = 0; e < cj_history_epochs(history); e++) {
        json_t *row = json_object();
        for (int n = 0; n < cj_history_names(history); n++)
            json_object_set_new(
                row, cj_history_name(history, n),
                json_real(cj_history_value(history, cj_history_name(history, n), e)));
        json_array_append_new(epochs, row);
    }
    for (int i = 0; i < cj_results_count(results); i++)
        json_object_set_new(final, cj_results_name(results, i),
                            json_real(cj_results_value_at(results, i)));
    json_t *whole = json_pack("{s:o, s:o, s:s?}", "epochs", epochs, "test", final, "model", output);
    json_dumpf(whole, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(whole);
}

static cj_status train(const char *name, const settings *s)
{
    cj_dataset *data = NULL, *test = NULL;
    cj_model *model = NULL;
    cj_history *history = NULL;
    cj_results *results = NULL;
    cj_status status = cj_load_dataset(s->data, &data, &test);
    if (status == CJ_OK)
        status = limit_samples(&data, s->limit);
    if (status == CJ_OK)
        status = prepare(name, s, data, &model);
    if (status == CJ_OK && !s->json && !s->quiet) {
        cj_model_summary(model, stdout);
        printf("training on %lld samples of \"%s\", kernels %s\n",
               (long long)cj_dataset_count(data), s->data, cj_isa());
    }
    if (status == CJ_OK)
        status =
            cj_fit(model, data, .epochs = (int)s->epochs, .batch_size = s->batch_size,
                   .validation_data = test, .verbose = s->json || s->quiet ? CJ_SILENT : CJ_BAR,
                   .stream = stdout, .resume = s->resume, .history = &history,
                   .callbacks = {s->output ? cj_model_checkpoint(s->output) : NULL});
    if (status == CJ_OK && s->output)
        status = cj_save(model, s->output);
    if (status == CJ_OK)
        status = cj_evaluate(model, test, &results, .batch_size = 256);
    if (status == CJ_OK && s->report)
        status = report(model, test, history, s);
    if (status == CJ_OK && s->json)
        print_json(history, results, s->output);
    else if (status == CJ_OK)
        printf("test loss %.4f, test accuracy %.4f%s%s\n", cj_results_value(results, "loss"),
               cj_results_value(results, "accuracy"), s->output ? ", saved as " : "",
               s->output ? s->output : "");
    cj_release(results);
    cj_release(history);
    cj_release(model);
    cj_release(data);
    cj_release(test);
    return status;
}

int run_train(int argc, char **argv)
{
    settings s = {.data = "auto",
                  .optimizer = "adam",
                  .loss = "sparse_categorical_crossentropy",
                  .dtype = "float32",
                  .epochs = 5,
                  .batch_size = 32};
    const option options[] = {
        {"data", "NAME", "mnist, digits, or auto (mnist where it is found; the default)",
         OPTION_TEXT, &s.data},
        {"epochs", "N", "how often to go through the data (5)", OPTION_INT, &s.epochs},
        {"batch-size", "N", "samples a step (32)", OPTION_INT, &s.batch_size},
        {"optimizer", "SPEC", "such as adam or \"sgd(momentum=0.9)\" (adam)", OPTION_TEXT,
         &s.optimizer},
        {"learning-rate", "X", "instead of the optimizer's own", OPTION_REAL, &s.learning_rate},
        {"loss", "SPEC", "the loss (sparse_categorical_crossentropy)", OPTION_TEXT, &s.loss},
        {"dtype", "POLICY", "float32 or mixed_bfloat16, what layers compute in (float32)",
         OPTION_TEXT, &s.dtype},
        {"seed", "N", "of weights, order and dropout (0)", OPTION_INT, &s.seed},
        {"threads", "N", "threads to use (all)", OPTION_INT, &s.threads},
        {"limit", "N", "train on the first N samples only", OPTION_INT, &s.limit},
        {"output", "FILE", "where to save the model, after each epoch and at the end", OPTION_TEXT,
         &s.output},
        {"report", "FOLDER", "write curve.svg, confusion.csv and mistakes.png there", OPTION_TEXT,
         &s.report},
        {"resume", "FILE", "go on with a saved run, to the same bits", OPTION_TEXT, &s.resume},
        {"quiet", NULL, "no summary and no progress", OPTION_FLAG, &s.quiet},
        {"json", NULL, "print the results as JSON only", OPTION_FLAG, &s.json},
    };
    const char *name = "mnist-cnn";
    int done = read_options(find_command("train"), options, sizeof(options) / sizeof options[0],
                            argc, argv, 0, 1, &name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (s.epochs < 1 || s.epochs > 1000000 || s.batch_size < 1 || s.threads < 0 ||
        s.threads > 256) {
        fprintf(stderr, "cajal train: epochs, batch size and threads must be positive\n");
        return EXIT_USAGE;
    }
    return finish(train(name, &s));
}
