// The settings of a compile as the train state keeps them: copies of what the user gave.
#ifndef CJ_TRAIN_SETTINGS_H
#define CJ_TRAIN_SETTINGS_H

#include <cajal/train.h>

// Specs, owned. An entry of the losses may be NULL.
typedef struct cj__specs {
    char **items;
    int count;
} cj__specs;

typedef struct cj__settings {
    cj_optimizer *optimizer; // held
    cj_pool *pool;           // held
    char *loss;              // of every output, or NULL
    cj__specs losses;        // of each output, or none
    double *loss_weights;    // of each output, or NULL: 1 each
    int loss_weight_count;
    cj__specs metrics, weighted_metrics; // of every output
    cj__specs *output_metrics;           // of each output instead of `metrics`, or NULL
    int output_metrics_count;
    cj__specs *output_weighted_metrics; // of each output instead of `weighted_metrics`, or NULL
    int output_weighted_metrics_count;
    char *mix; // of batches in training (mix.h), or NULL
} cj__settings;

// Copies everything but optimizer and pool, and checks every spec. On failure `settings` holds what
// was copied so far.
cj_status cj__settings_take(cj__settings *settings, const cj_compile_args *args);
void cj__settings_free(cj__settings *settings);

// What is meant for one output: the spec of its loss, or NULL; its loss's weight; its metrics, and
// those that see weights.
const char *cj__settings_loss(const cj__settings *settings, int output);
double cj__settings_loss_weight(const cj__settings *settings, int output);
const cj__specs *cj__settings_metrics(const cj__settings *settings, int output);
const cj__specs *cj__settings_weighted_metrics(const cj__settings *settings, int output);
// The most values that a log has: the loss of all, and for each output its loss and its metrics.
int64_t cj__settings_values(const cj__settings *settings, int outputs);

#endif
