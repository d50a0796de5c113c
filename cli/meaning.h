// What a model's outputs mean, told by the activation at its end and the loss it was compiled with.
#ifndef CLI_MEANING_H
#define CLI_MEANING_H

#include <cajal.h>

typedef enum meaning {
    MEANING_VALUES,        // numbers, as they are
    MEANING_CLASSES,       // probabilities of classes that exclude each other: softmax
    MEANING_PROBABILITIES, // probabilities that do not: sigmoid
    MEANING_LOGITS,        // of classes: a cross-entropy from logits
    MEANING_ONE_LOGIT      // of a probability: a binary cross-entropy from logits
} meaning;

// The meaning of output `index` of a model. MEANING_VALUES where nothing says more.
meaning meaning_of_output(cj_model *model, int index);

#endif
