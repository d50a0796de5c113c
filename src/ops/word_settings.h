// The settings of words that have some of their own (word_rows_*.c); the names are Keras's keys.
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
    int64_t given; // as in cj__normalization_settings
    double scale;  // INFINITY: 1 / sqrt(depth)
    bool is_causal;
} cj__attention_settings;
typedef struct cj__einsum_settings {
    const char *subscripts;
} cj__einsum_settings;
typedef struct cj__one_hot_settings {
    int64_t num_classes;
} cj__one_hot_settings;
typedef struct cj__pad_settings {
    cj_numbers pad_width;   // before and after of each axis
    const char *mode;       // NULL: "constant"
    double constant_values; // INFINITY: 0
} cj__pad_settings;
typedef struct cj__reshape_settings {
    int64_t
        newshape[CJ_MAX_RANK]; // ended by 0; -1 for the free axis, or a length that is worked out
} cj__reshape_settings;
typedef struct cj__roll_settings {
    cj_numbers shift; // along each axis, or the same along all
    int64_t axis[1 + CJ_MAX_RANK];
} cj__roll_settings;
typedef struct cj__tile_settings {
    int64_t repeats[CJ_MAX_RANK]; // of each axis; ended by 0
} cj__tile_settings;
typedef struct cj__transpose_settings {
    int64_t axes[1 + CJ_MAX_RANK]; // how many, then these
} cj__transpose_settings;

// ---- Of words of ops_math.h, ops_reduce.h, ops_shape.h, ops_index.h, ops_nn.h ----

// A word with one whole number: what it is called is in the row's field.
typedef struct cj__number_settings {
    int64_t number;
} cj__number_settings;
// The same along an axis, or with none along all elements.
typedef struct cj__number_axis_settings {
    int64_t number;
    int64_t axis[1 + CJ_MAX_RANK];
} cj__number_axis_settings;
typedef struct cj__close_settings {
    double rtol, atol;
    bool equal_nan;
} cj__close_settings;
typedef struct cj__nan_settings {
    double nan, posinf, neginf; // INFINITY for the greatest and the least number
} cj__nan_settings;
typedef struct cj__value_settings {
    double value;
} cj__value_settings;

typedef struct cj__quantile_settings {
    int64_t axis[1 + CJ_MAX_RANK];
    bool keepdims;
    const char *method;
    cj_numbers q;
    double one; // of q, if there is no list
} cj__quantile_settings;
typedef struct cj__normalize_settings {
    int64_t axis, order;
    double epsilon;
} cj__normalize_settings;
typedef struct cj__trapezoid_settings {
    double dx;
    int64_t axis;
} cj__trapezoid_settings;

// Whole numbers under one key or two, and an axis.
typedef struct cj__places_settings {
    cj_numbers first, second;
    double parts; // instead of the first, a number
    int64_t axis[1 + CJ_MAX_RANK];
} cj__places_settings;
typedef struct cj__diagonal_settings {
    int64_t offset, axis1, axis2;
} cj__diagonal_settings;
typedef struct cj__rot90_settings {
    int64_t k, axes[1 + CJ_MAX_RANK];
} cj__rot90_settings;
typedef struct cj__block_settings {
    int64_t block_size;
    const char *data_format;
} cj__block_settings;
typedef struct cj__unfold_settings {
    cj_numbers output_size, kernel_size, dilation, padding, stride;
} cj__unfold_settings;
typedef struct cj__sequences_settings {
    int64_t sequence_length, sequence_stride;
} cj__sequences_settings;
typedef struct cj__vander_settings {
    int64_t powers; // 0: as many as entries
    bool increasing;
} cj__vander_settings;
typedef struct cj__rearrange_settings {
    const char *pattern, *lengths;
} cj__rearrange_settings;
// A word with one text.
typedef struct cj__text_settings {
    const char *text;
} cj__text_settings;

typedef struct cj__isin_settings {
    bool invert;
} cj__isin_settings;
typedef struct cj__bins_settings {
    cj_numbers bins;
} cj__bins_settings;

typedef struct cj__window_settings {
    cj_numbers pool_size, strides, dilation_rate, output_padding;
    const char *padding, *data_format;
} cj__window_settings;
// Of words of which operands may be left out, `given` has a bit for each that is there, 0 for the first
// ones.
typedef struct cj__normalization_settings {
    int64_t given;
    int64_t axis[1 + CJ_MAX_RANK];
    double epsilon;
} cj__normalization_settings;
typedef struct cj__entropy_settings {
    bool from_logits;
    int64_t axis;
} cj__entropy_settings;
typedef struct cj__decode_settings {
    const char *strategy;
    int64_t beam_width, top_paths, mask_index;
    bool merge_repeated;
} cj__decode_settings;

#endif
