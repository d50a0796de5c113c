// A training run as the options of cajal train say it, and as its file remembers it.
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "augment.h"
#include "compile.h"

enum { MOST_CLASSES = 1024 };

typedef struct train_settings {
    const char *data, *output, *report, *resume, *class_weights, *timeline;
    augmentation augmentation;
    recipe recipe;
    int64_t epochs, batch_size, limit, patience;
    double validation_split;
    bool save_best_only, json, quiet;
    own_data own;
    target_kind kind; // of the data
    double class_weight[MOST_CLASSES];
    int class_count;
} train_settings;

// "1,2.5,1" into a weight for each class 0, 1, 2; false if it is something else.
bool read_class_weights(train_settings *s);

// resume.c
// What is given beside --resume though the file has it and it cannot change; NULL for nothing.
const char *check_resumed(const train_settings *s);
// The model of a saved run; what the options do not say is as that run had it. What contradicts the file is
// refused by cj_fit().
cj_status load_saved_run(train_settings *s, cj_model **model);
// What neither the options nor a saved run say.
void set_run_defaults(train_settings *s);
// What the options say of a run as a whole is noted in its file, for --resume: "run/epochs",
// "run/early-stopping", "run/validation-split", "run/class-weight" and "run/save-best-only".
cj_status note_run(cj_model *model, const train_settings *s);
// How a run goes on that was interrupted, on standard error.
void tell_interrupted_run(const train_settings *s);

#endif
