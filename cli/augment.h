// What is done to training data before a model sees it, and what a run that goes on must know of it.
#ifndef CLI_AUGMENT_H
#define CLI_AUGMENT_H

#include "cli.h"

// Layers that change training samples by chance, in the threads that read.
typedef struct augmentation {
    text_list given;  // lists of specs, as options say them
    char specs[2048]; // all of them as one list; "" for none
    uint64_t seed;
} augmentation;

// Reads the options into one list and makes each layer once, so that a wrong one fails at once.
cj_status read_augmentation(augmentation *a);
// The samples of `data` go through the layers from now on; their type stays as it was: bytes are
// rounded. Nothing for an empty list.
cj_status augment(const augmentation *a, cj_dataset **data);
// A model file remembers the layers and their seed, and how many samples the run was given, in the
// notes "augment", "augment/seed" and "samples".
cj_status note_augmentation(cj_model *model, const augmentation *a, int64_t samples);
// The layers of a run that goes on. Other layers in the options are refused.
cj_status noted_augmentation(const cj_model *model, augmentation *a);
// How many samples a run was given before a part went to validation; `otherwise` if it does not say.
int64_t noted_samples(const cj_model *model, int64_t otherwise);
// The last share of the samples becomes *rest, as cj_fit() splits data; nothing for a share of 0.
cj_status split_samples(double share, cj_dataset **data, cj_dataset **rest);
// Where the model's loss needs vectors of classes (categorical_crossentropy, which has label_smoothing)
// and the targets are class numbers, they become vectors.
cj_status fit_targets(const cj_model *model, cj_dataset **data);
// The same for data that stays as it is: another holder of it, or what is made from it.
cj_status targets_of(const cj_model *model, cj_dataset *data, cj_dataset **fitted);

#endif
