// Random models with data that fits them. A problem follows from its seed alone: the same seed
// builds the same model in every process, so a failing one is told by its number. `draw` changes
// weights and data and leaves the model as it is.
#ifndef CJ_TESTS_TRAIN_RANDOM_GENERATOR_H
#define CJ_TESTS_TRAIN_RANDOM_GENERATOR_H

#include "support.h"
#include <cajal.h>

enum { TEXT_MAX = 4096, LAYERS_MAX = 24, CLASSES_MAX = 40 };

// Numbers drawn one after the other.
typedef struct dice {
    uint64_t state;
} dice;
uint64_t dice_word(dice *d);
int64_t dice_range(dice *d, int64_t least, int64_t most);
bool dice_chance(dice *d, int percent);
double dice_real(dice *d); // 0 to 1
double dice_normal(dice *d);
#define DICE_PICK(d, list) ((list)[dice_range(d, 0, (int64_t)(sizeof(list) / sizeof *(list)) - 1)])

// What a model reads.
typedef enum random_input {
    RANDOM_IMAGE,
    RANDOM_BYTES,
    RANDOM_VECTOR,
    RANDOM_SEQUENCE,
    RANDOM_TOKENS
} random_input;

// A model under construction: layers of a list, or applied to symbols.
typedef struct random_net {
    dice dice;
    bool functional;
    // as people write models: 3 x 3, ReLU, pools of 2 x 2, dropout. Most passes wait for that
    bool usual;
    cj_layer *layers[LAYERS_MAX];
    int layer_count;
    cj_symbol *input, *symbol;
    random_input kind;
    int64_t input_dims[3], dims[3]; // without the batch axis
    int rank;
    int64_t tokens; // of an embedding
    bool wide;      // a matrix beyond the inner caches comes first
    double work;    // multiplications of a sample, forward
    double most_work;
    char text[TEXT_MAX]; // the model in words
} random_net;

typedef struct random_problem {
    cj_model *model;
    cj_dataset *data;
    int64_t count, batch_size;
    char loss[96], optimizer[160];
    const char *metrics[3];
    double class_weights[CLASSES_MAX];
    int class_count; // of class_weights
    bool mixed;      // computes in bfloat16
    char text[TEXT_MAX + 512];
} random_problem;

// Layers up to an output of one of the kinds that losses want. False, with cj_error(), if a layer
// could not be made.
typedef enum random_head { HEAD_CLASSES, HEAD_VALUES, HEAD_YES_NO } random_head;
bool random_net_body(random_net *net);
bool random_net_head(random_net *net, random_head head, bool activated);

// Adds to the model's description.
void random_say(random_net *net, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Builds the problem of a seed; false with a sentence in cj_error().
bool random_problem_make(random_problem *p, uint64_t seed, uint64_t draw);
void random_problem_free(random_problem *p);

#endif
