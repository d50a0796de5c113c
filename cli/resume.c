// Runs that go on: what a file remembers of a run, and which options it leaves open. See train.h.
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 5 };

bool read_class_weights(train_settings *s)
{
    for (const char *at = s->class_weights; at;) {
        char *end = NULL;
        const double weight = strtod(at, &end);
        if (end == at || !(weight >= 0) || !isfinite(weight) || s->class_count == MOST_CLASSES ||
            (*end != '\0' && *end != ','))
            return false;
        s->class_weight[s->class_count++] = weight;
        at = *end == ',' ? end + 1 : NULL;
    }
    return true;
}

#define KEEPS(option, what) "--" option ": a run that goes on with --resume keeps its own " what

const char *check_resumed(const train_settings *s)
{
    const recipe *r = &s->recipe;
    const cj_load_picture_args *p = &s->own.pictures;
    const struct {
        bool given;
        const char *sentence;
    } rows[] = {
        {r->name, "a MODEL and --resume: a run that goes on keeps its own model"},
        {s->own.side != 0, KEEPS("image-size", "pictures")},
        {s->own.grey, KEEPS("grayscale", "pictures")},
        {p->interpolation, KEEPS("interpolation", "pictures")},
        {p->crop_to_aspect_ratio, KEEPS("crop-to-aspect-ratio", "pictures")},
        {p->pad_to_aspect_ratio, KEEPS("pad-to-aspect-ratio", "pictures")},
        {s->own.window != 0, KEEPS("window", "window")},
        {r->optimizer, KEEPS("optimizer", "optimizer; --learning-rate changes its rate")},
        {r->schedule, KEEPS("schedule", "learning rates")},
        {r->loss, KEEPS("loss", "loss")},
        {r->normalize, KEEPS("normalize", "model")},
        {r->mix, KEEPS("mix", "mixture")},
        {r->dtype, KEEPS("dtype", "dtype")},
        {r->seed >= 0, KEEPS("seed", "seed")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].given)
            return rows[i].sentence;
    return NULL;
}

cj_status note_run(cj_model *model, const train_settings *s)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)s->epochs);
    CJ_TRY(cj_model_set_note(model, "run/epochs", text));
    snprintf(text, sizeof text, "%lld", (long long)s->patience);
    CJ_TRY(cj_model_set_note(model, "run/early-stopping", text));
    snprintf(text, sizeof text, "%.17g", s->validation_split);
    CJ_TRY(cj_model_set_note(model, "run/validation-split", text));
    CJ_TRY(cj_model_set_note(model, "run/class-weight", s->class_weights ? s->class_weights : ""));
    return cj_model_set_note(model, "run/save-best-only", s->save_best_only ? "1" : "0");
}

// A number of a note within bounds, else what is given.
static double noted_number(const cj_model *model, const char *name, double low, double high,
                           double otherwise)
{
    const char *text = cj_model_note(model, name);
    const double number = text ? strtod(text, NULL) : NAN;
    return number >= low && number <= high ? number : otherwise;
}

// What was not given is as the run had it.
static cj_status noted_run(const cj_model *model, train_settings *s)
{
    if (s->epochs == 0)
        s->epochs = (int64_t)noted_number(model, "run/epochs", 1, 1e6, 0);
    if (s->patience == 0)
        s->patience = (int64_t)noted_number(model, "run/early-stopping", 0, 1e6, 0);
    if (isnan(s->validation_split))
        s->validation_split = noted_number(model, "run/validation-split", 0, 1 - 1e-9, 0);
    s->save_best_only |= s->output && noted_number(model, "run/save-best-only", 0, 1, 0) > 0;
    const char *weights = cj_model_note(model, "run/class-weight");
    if (s->class_weights || !weights || !*weights)
        return CJ_OK;
    s->class_weights = weights; // the model's
    return read_class_weights(s) ?
               CJ_OK :
               cj_fail(CJ_BAD_FILE, "%s: its class weights are none", s->resume);
}

cj_status load_saved_run(train_settings *s, cj_model **model)
{
    int64_t batch_size = 0, samples = 0;
    *model = cj_load(s->resume);
    if (!*model)
        return cj_error_status();
    if (!cj_resume_point(*model, NULL, &batch_size, &samples))
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "%s: the model was saved before it was trained; there "
                       "is no run to resume",
                       s->resume);
    s->batch_size = s->batch_size ? s->batch_size : batch_size;
    s->limit = s->limit ? s->limit : noted_samples(*model, samples);
    CJ_TRY(noted_run(*model, s));
    if (s->recipe.threads > 0)
        CJ_TRY(cj_model_set_pool(*model, cj_pool_new((int)s->recipe.threads)));
    if (!isnan(s->recipe.learning_rate))
        CJ_TRY(cj_set_learning_rate(*model, s->recipe.learning_rate));
    return noted_augmentation(*model, &s->augmentation);
}

void set_run_defaults(train_settings *s)
{
    recipe *r = &s->recipe;
    s->epochs = s->epochs ? s->epochs : EPOCHS;
    s->validation_split = isnan(s->validation_split) ? 0 : s->validation_split;
    s->own.side = s->own.side ? s->own.side : PICTURE_SIDE;
    if (!s->own.pictures.interpolation)
        s->own.pictures.interpolation = "bilinear";
    r->name = r->name ? r->name : "auto";
    r->optimizer = r->optimizer ? r->optimizer : "adam";
    r->dtype = r->dtype ? r->dtype : "float32";
    r->seed = r->seed < 0 ? 0 : r->seed;
    if (!s->resume)
        s->augmentation.seed = (uint64_t)r->seed;
}

// A word as a shell takes it.
static void print_word(const char *word, FILE *stream)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, stream);
        return;
    }
    fputc('\'', stream);
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            fputs("'\\''", stream);
        else
            fputc(*c, stream);
    fputc('\'', stream);
}

void tell_interrupted_run(const train_settings *s)
{
    fflush(stdout);
    if (!s->output) {
        fprintf(stderr, "\ncajal: interrupted; nothing is saved without --output\n");
        return;
    }
    fputs("\ncajal: interrupted; the run is saved, go on with\n    cajal train --resume ", stderr);
    print_word(s->output, stderr);
    fputs(" --output ", stderr);
    print_word(s->output, stderr);
    fputc('\n', stderr);
}
