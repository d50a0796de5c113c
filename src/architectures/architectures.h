// Architectures: a row each, and what their files share. A builder takes the input's symbol and the
// number of classes and gives the output's. A NULL on the way goes through to the end.
#ifndef CJ_ARCHITECTURES_ARCHITECTURES_H
#define CJ_ARCHITECTURES_ARCHITECTURES_H

#include <cajal/architectures.h>

typedef struct cj__architecture {
    const char *name, *meaning;
    int64_t input_shape[CJ_MAX_RANK]; // ended by 0
    int64_t classes;
    cj_symbol *(*build)(cj_symbol *x, int64_t classes);
    // of a sequence: tokens and their positions
    cj_symbol *(*build_sequence)(cj_symbol *tokens, cj_symbol *positions, int64_t classes);
} cj__architecture;

#define CJ__ARCHITECTURE(name, meaning, ...) \
    cj_symbol *cj__architecture_##name(cj_symbol *x, int64_t classes);
#define CJ__SEQUENCE(name, meaning, ...) \
    cj_symbol *cj__architecture_##name(cj_symbol *tokens, cj_symbol *positions, int64_t classes);
#include "architectures/architectures.def"
#undef CJ__ARCHITECTURE
#undef CJ__SEQUENCE

// A convolution with padding "same", a bias and ReLU.
cj_symbol *cj__conv_relu(cj_symbol *x, int64_t filters, int64_t kernel, int64_t stride);
// `window` is the side of a max pool with padding "valid" or "same".
cj_symbol *cj__pool(cj_symbol *x, int64_t window, int64_t stride, const char *padding);
cj_symbol *cj__classify(cj_symbol *x, int64_t classes); // Dense with softmax
cj_symbol *cj__relu_layer(cj_symbol *x);

#endif
