// What an initializer is inside: a row of the table in initializers.c. The formulas that need no
// random numbers, patterns of windows among them, are in patterns.c.
#ifndef CJ_LAYERS_INITIALIZER_H
#define CJ_LAYERS_INITIALIZER_H

#include "base/fields.h"
#include <cajal/tensor.h>

typedef struct cj__scaling_args {
    double scale;
    const char *mode, *distribution;
} cj__scaling_args;

typedef struct cj__pattern_args {
    double gain, sigma;
    int64_t axis; // of the window
} cj__pattern_args;

typedef struct cj__stft_args {
    const char *side, *window, *scaling;
    bool periodic;
} cj__stft_args;

typedef struct cj__initializer {
    cj__choice choice;
    cj_status (*fill)(const struct cj__initializer *row, const void *args, cj_tensor *tensor,
                      uint64_t key);
    // of glorot_uniform, he_normal, ...: variance scaling with fixed settings
    cj__scaling_args scaling;
} cj__initializer;

cj_status cj__fill_identity(const cj__initializer *row, const void *args, cj_tensor *tensor,
                            uint64_t key);
cj_status cj__fill_stft(const cj__initializer *row, const void *args, cj_tensor *tensor,
                        uint64_t key);
cj_status cj__fill_sobel(const cj__initializer *row, const void *args, cj_tensor *tensor,
                         uint64_t key);
cj_status cj__fill_prewitt(const cj__initializer *row, const void *args, cj_tensor *tensor,
                           uint64_t key);
cj_status cj__fill_laplacian(const cj__initializer *row, const void *args, cj_tensor *tensor,
                             uint64_t key);
cj_status cj__fill_gaussian(const cj__initializer *row, const void *args, cj_tensor *tensor,
                            uint64_t key);

#endif
