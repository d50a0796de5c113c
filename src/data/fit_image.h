// Resizing images by the methods of tf.image.resize, without anti-aliasing.
#ifndef CJ_DATA_FIT_IMAGE_H
#define CJ_DATA_FIT_IMAGE_H

#include <cajal/tensor.h>

typedef enum cj__fit { CJ__FIT_STRETCH, CJ__FIT_CROP, CJ__FIT_PAD } cj__fit;

typedef struct cj__method cj__method;

// The method of that name. CJ_INVALID_ARGUMENT.
cj_status cj__method_find(const char *name, const cj__method **method);

// Writes `image` (uint8, height, width, channels, contiguous) as `height` x `width` to `pixels`.
// CJ_OUT_OF_MEMORY.
cj_status cj__fit_image(const cj_tensor *image, const cj__method *method, cj__fit fit,
                        int64_t height, int64_t width, unsigned char *pixels);

#endif
