// Random images: attributes of their ops, and the words for expressions.
#ifndef CJ_OPS_IMAGES_H
#define CJ_OPS_IMAGES_H

#include "ops/build.h"

typedef struct cj__sample_uniform_attrs {
    uint64_t key;
    int64_t count; // numbers for each sample
} cj__sample_uniform_attrs;
CJ__NO_PADDING(cj__sample_uniform_attrs, sizeof(uint64_t) + sizeof(int64_t));

// What lies beside an image: cj__warp_attrs.beside.
enum { CJ__BESIDE_CONSTANT, CJ__BESIDE_NEAREST, CJ__BESIDE_REFLECT, CJ__BESIDE_WRAP };

// How each image is turned, zoomed and shifted: each range is {low, high}, and a sample's number is
// drawn from it. Rows first where there are two.
typedef struct cj__warp_attrs {
    uint64_t key;
    double angle[2];    // radians
    double shift[2][2]; // pixels
    double zoom[2][2];  // 1 for none; above 1 the image becomes smaller
    double fill_value;  // of CJ__BESIDE_CONSTANT
    int32_t size[2];    // height and width of the result
    int32_t input[2];   // and of the images
    int32_t nearest;    // not 0: the nearest pixel; else bilinear
    int32_t beside;
    int32_t whole;     // not 0: shifts are whole numbers, rounded down
    int32_t same_zoom; // not 0: the columns' zoom is the rows'
} cj__warp_attrs;
CJ__NO_PADDING(cj__warp_attrs, sizeof(uint64_t) + 11 * sizeof(double) + 8 * sizeof(int32_t));

// (n, count) numbers in [0, 1), of the dtype of x (n, ...), which is not read otherwise.
cj_symbol *cj__sample_uniform(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key,
                              int64_t count);
// Images x (n, h, w, c) turned, zoomed and shifted: see warp.c. attrs: the input is filled in.
cj_symbol *cj__warp(cj__build *g, cj_symbol *x, cj_symbol *step, const cj__warp_attrs *attrs);

#endif
