// New models by name, compiled for the data that they will learn.
#ifndef CLI_COMPILE_H
#define CLI_COMPILE_H

#include "cli.h"

// What a new model is made from, as options say it.
typedef struct recipe {
    const char *name; // "auto" for a sensible model for the data
    const char *optimizer, *dtype;
    const char *loss;           // NULL for the one that fits the targets
    const char *mix;            // of training batches; NULL: none
    const char *schedule;       // of learning rates; NULL for none
    double learning_rate;       // NAN: the optimizer's own
    int64_t epochs, batch_size; // for the schedule; a batch size of 0 is the model's or 32
    bool normalize;             // bytes are standardised by channel, not scaled to 0..1
    int64_t seed, threads;
} recipe;

#define IMAGE_OPTIONS(own)                                                                      \
    INT_OPTION("image-size", "N", &(own)->side, 1, 4096,                                        \
               "with folder: the height and width that images get (64)"),                       \
        FLAG_OPTION("grayscale", &(own)->grey, "with folder: images without colours"),          \
        TEXT_OPTION(                                                                            \
            "interpolation", "NAME", &(own)->pictures.interpolation,                            \
            "with folder: bilinear, nearest, bicubic, area, lanczos3 or lanczos5 (bilinear)"),  \
        FLAG_OPTION(                                                                            \
            "crop-to-aspect-ratio", &(own)->pictures.crop_to_aspect_ratio,                      \
            "with folder: keep the middle of images that are wider or higher, do not stretch"), \
        FLAG_OPTION("pad-to-aspect-ratio", &(own)->pictures.pad_to_aspect_ratio,                \
                    "with folder: put black around images, do not stretch")
#define OPTIMIZER_OPTIONS(r)                                                \
    TEXT_OPTION("optimizer", "SPEC", &(r)->optimizer,                       \
                "such as adam or \"sgd(momentum=0.9)\" (adam)"),            \
        REAL_OPTION("learning-rate", "X", &(r)->learning_rate, 0, INFINITY, \
                    "instead of the optimizer's own"),                      \
        TEXT_OPTION("loss", "SPEC", &(r)->loss, "the loss (the one that fits the targets)")
#define DTYPE_OPTION(r)                         \
    TEXT_OPTION("dtype", "POLICY", &(r)->dtype, \
                "float32 or mixed_bfloat16, what layers compute in (float32)")

// What the first target of a data set is.
typedef enum target_kind {
    TARGET_CLASSES, // a class number
    TARGET_ONE_HOT, // a row with one 1
    TARGET_NUMBERS, // any numbers
    TARGET_TOKENS   // what comes next at each place
} target_kind;

target_kind kind_of_target(const own_data *own, const cj_dataset *data);
// Samples of one class alone are refused: a model of one class is always right, and learns nothing.
cj_status check_classes(const own_data *own, const cj_dataset *data, target_kind kind);
// The name of the metric that goes with it, for the answers that the model gives.
const char *metric_of(const cj_model *model, target_kind kind);
// The optimizer of a spec with another learning rate, a number or a schedule, unless that is NULL; NULL
// with a sentence.
cj_optimizer *make_optimizer(const char *spec, const char *learning_rate);
// Layers of a model that make_model() made by its name learn mean and variance, or the vocabulary, of its
// input; anew if they have learnt before.
cj_status learn_from(cj_model *model, const cj_tensor *input);
// Whether layers of the recipe's model learn by learn_from(): those of a file have learnt, and those that
// are made for a table learn by its columns.
bool learns_anew(const recipe *r, const own_data *own);
// Layers that learn from data, such as vocabularies, have learnt from `train`.
cj_status make_compiled(const recipe *r, const own_data *own, cj_dataset *train, cj_model **model);

#endif
