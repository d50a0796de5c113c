// Resizing images by the methods of tf.image.resize, without anti-aliasing. Rows come in order and
// only those that are needed, so that a decoder needs no memory for a whole image.
#ifndef CJ_DATA_FIT_IMAGE_H
#define CJ_DATA_FIT_IMAGE_H

#include <cajal/tensor.h>

typedef enum cj__fit { CJ__FIT_STRETCH, CJ__FIT_CROP, CJ__FIT_PAD } cj__fit;

typedef struct cj__method cj__method;

// The method of that name. CJ_INVALID_ARGUMENT.
cj_status cj__method_find(const char *name, const cj__method **method);

// What an image becomes.
typedef struct cj__look {
    const cj__method *method; // NULL: "area" along an axis that shrinks, else "bilinear"
    cj__fit fit;
    int64_t height, width;
    bool reals; // float32 come out, else uint8, to the nearest
} cj__look;

// The same as words; see include/cajal/folders.h.
typedef struct cj__look_words {
    int64_t image_size[2];
    const char *color_mode, *interpolation, *dtype;
    bool crop, pad;
} cj__look_words;

// CJ_INVALID_ARGUMENT; `who` begins the sentence.
cj_status cj__look_read(const char *who, const cj__look_words *words, cj__look *look,
                        int *channels);

// One axis of an image: which pixels of it an output pixel is made of.
typedef struct cj__taps {
    int64_t out, most; // outputs, and the most inputs of one
    int64_t *first;    // of each output: its first input
    int32_t *counts;   // and how many there are
    float *weights;    // (out, most)
} cj__taps;

// The part of an axis from `begin`, `in` long, as `out` pixels. CJ_OUT_OF_MEMORY.
cj_status cj__taps_new(const cj__method *method, int64_t begin, int64_t in, int64_t out,
                       cj__taps *taps);
void cj__taps_free(cj__taps *taps);

typedef struct cj__fitter cj__fitter;

// For an image of so many rows, columns and channels, float32 or bytes; the result goes to `pixels`
// (height, width, channels). CJ_OUT_OF_MEMORY.
cj_status cj__fitter_new(const cj__look *look, const int64_t dims[3], bool of_reals, void *pixels,
                         cj__fitter **fitter);
// The number of the row that is needed next; -1 when all is done.
int64_t cj__fitter_next(const cj__fitter *fitter);
// Takes that row.
void cj__fitter_take(cj__fitter *fitter, const void *row);
void cj__fitter_free(cj__fitter *fitter); // NULL is fine

// Writes `image` (uint8 or float32, height, width, channels, contiguous) to `pixels`.
// CJ_OUT_OF_MEMORY.
cj_status cj__fit_image(const cj_tensor *image, const cj__look *look, void *pixels);

#endif
