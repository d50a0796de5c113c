// cajal summary: the layers of a model, its architecture as JSON, or the plan of a step.
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct summary_settings {
    const char *name, *dtype;
    bool json, plan, training;
    int64_t batch_size, rounds;
} summary_settings;

// The plan of a step. A model that was never compiled is compiled as `cajal train` does it.
static cj_status print_plan(cj_model *model, const summary_settings *s)
{
    if (s->training && isnan(cj_learning_rate(model)))
        CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "sparse_categorical_crossentropy",
                          .metrics = {"accuracy"}));
    return cj_plan(model, .batch_size = s->batch_size ? s->batch_size : batch_of(model, 32),
                   .training = s->training, .rounds = (int)s->rounds);
}

static cj_status print_json(cj_model *model)
{
    char *text = NULL;
    cj_status status = cj_model_to_json(model, &text);
    if (status == CJ_OK)
        puts(text);
    cj_free(text);
    return status;
}

int run_summary(int argc, char **argv)
{
    summary_settings s = {.rounds = 20};
    const option options[] = {
        FLAG_OPTION("json", &s.json, "print the architecture as JSON, in Keras's config form"),
        TEXT_OPTION("dtype", "POLICY", &s.dtype,
                    "float32 or mixed_bfloat16, what layers compute in (the model's own)"),
        FLAG_OPTION("plan", &s.plan, "print the kernels of a prediction, with their times"),
        FLAG_OPTION("training", &s.training, "with --plan: of a training step instead"),
        INT_OPTION("batch-size", "N", &s.batch_size, 1, BATCH_SIZE_MAX,
                   "with --plan: samples of a step (the model's, else 32)"),
        INT_OPTION("rounds", "N", &s.rounds, 0, 10000,
                   "with --plan: runs that are timed; 0 for none (20)"),
    };
    int done = read_options(find_command("summary"), options, sizeof(options) / sizeof options[0],
                            argc, argv, 1, 1, &s.name);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    cj_model *model = is_model_file(s.name) ? cj_load(s.name) : make_model(s.name, NULL, false);
    cj_status status = model ? CJ_OK : cj_error_status();
    if (status == CJ_OK && s.dtype)
        status = cj_set_dtype_policy(cj_model_layer(model), s.dtype);
    if (status == CJ_OK)
        status = s.json ? print_json(model) :
                 s.plan ? print_plan(model, &s) :
                          cj_model_summary(model, stdout, .width = summary_width());
    cj_release(model);
    return finish(status);
}
