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
enum {
    CJ__BESIDE_CONSTANT,
    CJ__BESIDE_NEAREST,
    CJ__BESIDE_REFLECT,
    CJ__BESIDE_WRAP,
    CJ__BESIDE_MIRROR
};

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

// How pixels are taken from given places.
typedef struct cj__pixels_attrs {
    double fill_value; // of CJ__BESIDE_CONSTANT
    int64_t beside;
    int64_t input[2]; // height and width of the images: filled in
} cj__pixels_attrs;
CJ__NO_PADDING(cj__pixels_attrs, sizeof(double) + 3 * sizeof(int64_t));

// Rectangles of images replaced.
typedef struct cj__erase_attrs {
    uint64_t key;     // of noise
    double low, high; // noise is cut to these; it is a standard normal number times `high`
    double fill[3];   // of each channel, or the first of all
    int64_t fills;    // how many: 0 for noise, 1, or 3
} cj__erase_attrs;
CJ__NO_PADDING(cj__erase_attrs, sizeof(uint64_t) + 5 * sizeof(double) + sizeof(int64_t));

typedef struct cj__histogram_attrs {
    int64_t bins;    // of equalize; 256 for adapt_histogram
    int64_t grid[2]; // tiles of adapt_histogram along rows and columns
    double limit;    // of a bin, times the mean; 0 for none
} cj__histogram_attrs;
CJ__NO_PADDING(cj__histogram_attrs, 3 * sizeof(int64_t) + sizeof(double));

typedef struct cj__mix_attrs {
    uint64_t key;
    double
        ends[2]; // sample_beta: both parameters are one number between these, drawn for the batch
    int64_t inverse; // shuffle_samples: not 0: the order turned back
} cj__mix_attrs;
CJ__NO_PADDING(cj__mix_attrs, sizeof(uint64_t) + 2 * sizeof(double) + sizeof(int64_t));

// (n, count) numbers in [0, 1), of the dtype of x (n, ...), which is not read otherwise.
cj_symbol *cj__sample_uniform(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key,
                              int64_t count);
// Images x (n, h, w, c) turned, zoomed and shifted: see warp.c. attrs: the input is filled in.
cj_symbol *cj__warp(cj__build *g, cj_symbol *x, cj_symbol *step, const cj__warp_attrs *attrs);
// The pixels of x (n, h, w, c) at int32 places (n, oh, ow, 2), row and column: see pixels.c.
cj_symbol *cj__sample_pixels(cj__build *g, cj_symbol *x, cj_symbol *at,
                             const cj__pixels_attrs *attrs);
// x (n, h, w, c) with the pixels of each image's rectangle box (n, 4) replaced: see erase.c.
cj_symbol *cj__erase(cj__build *g, cj_symbol *x, cj_symbol *box, cj_symbol *step,
                     const cj__erase_attrs *attrs);
// Images of values from 0 to 255 with values made about equally frequent: see histograms.c.
cj_symbol *cj__equalize(cj__build *g, cj_symbol *x, int64_t bins);
cj_symbol *cj__adapt_histogram(cj__build *g, cj_symbol *x, const cj__histogram_attrs *attrs);
// The samples of x (n, ...) in a random order: see mixing.c.
cj_symbol *cj__shuffle_samples(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key);
// (n, 1) numbers of a Beta(a, a) distribution, a drawn for the batch from low to high.
cj_symbol *cj__sample_beta(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key, double low,
                           double high);

#endif
