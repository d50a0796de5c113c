// The settings of words that have some of their own (word_rows_shape.c); the names are Keras's keys.
#ifndef CJ_OPS_WORD_SETTINGS_H
#define CJ_OPS_WORD_SETTINGS_H

#include "ops/word.h"
#include <cajal/numbers.h>

typedef struct cj__cast_settings {
    const char *dtype;
} cj__cast_settings;
typedef struct cj__clip_settings {
    double x_min, x_max;
} cj__clip_settings;
typedef struct cj__attention_settings {
    double scale; // INFINITY: 1 / sqrt(depth)
    bool is_causal;
} cj__attention_settings;
typedef struct cj__einsum_settings {
    const char *subscripts;
} cj__einsum_settings;
typedef struct cj__one_hot_settings {
    int64_t num_classes;
} cj__one_hot_settings;
typedef struct cj__pad_settings {
    cj_numbers pad_width; // before and after of each axis
} cj__pad_settings;
typedef struct cj__reshape_settings {
    int64_t
        newshape[CJ_MAX_RANK]; // ended by 0; -1 for the free axis, or a length that is worked out
} cj__reshape_settings;
typedef struct cj__roll_settings {
    int64_t shift, axis;
} cj__roll_settings;
typedef struct cj__tile_settings {
    int64_t repeats[CJ_MAX_RANK]; // of each axis; ended by 0
} cj__tile_settings;
typedef struct cj__transpose_settings {
    int64_t axes[1 + CJ_MAX_RANK]; // how many, then these
} cj__transpose_settings;

#endif
