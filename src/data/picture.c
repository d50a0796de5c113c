// Pictures from pictures: resizing and contact sheets.
#include "base/error.h"
#include "data/fit_image.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <string.h>

// Back to bytes, to the nearest.
static void store_bytes(const float *from, unsigned char *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (unsigned char)(from[i] < 0 ? 0 : from[i] > 255 ? 255 : from[i] + 0.5f);
}

cj_status cj_resize_image(const cj_tensor *image, int64_t height, int64_t width,
                          cj_tensor **resized)
{
    if (!image || !resized)
        return image ? cj__fail_null("cj_resize_image: the place for the result") :
                       cj__fail_missing(CJ__MADE_TENSOR, "cj_resize_image: the image");
    *resized = NULL;
    const int64_t *dims = image->shape.dims;
    char text[160];
    if (image->shape.rank != 3 || cj_shape_count(&image->shape) < 1)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "image: shape %s cannot be resized, it needs (height, width, channels)",
                        cj_shape_text(&image->shape, text, sizeof text));
    if (height < 1 || width < 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "image: %lldx%lld to be resized to, it needs at least 1x1",
                        (long long)width, (long long)height);
    const bool bytes = image->dtype == CJ_U8;
    const cj__look look = {.height = height, .width = width, .reals = !bytes};
    cj_tensor *x, *y = NULL;
    CJ_TRY(cj_tensor_convert(image, bytes ? CJ_U8 : CJ_F32, &x));
    cj_status status = cj_tensor_new(x->dtype, CJ_SHAPE(height, width, dims[2]), &y);
    if (status == CJ_OK)
        status = cj__fit_image(x, &look, y->data);
    if (status == CJ_OK)
        status = cj_tensor_convert(y, image->dtype, resized);
    cj_release(x);
    cj_release(y);
    return status;
}

// The bytes of images, contiguous: a float from 0 to 1 becomes 0 to 255, to the nearest.
static cj_status images_as_bytes(const cj_tensor *images, cj_tensor **bytes)
{
    *bytes = NULL;
    if (images->dtype == CJ_U8)
        return cj_tensor_convert(images, CJ_U8, bytes);
    cj_tensor *reals;
    CJ_TRY(cj_tensor_convert(images, CJ_F32, &reals));
    int64_t count = cj_shape_count(&reals->shape);
    float *value = (float *)reals->data;
    for (int64_t i = 0; i < count; i++)
        value[i] = value[i] > 0 ? value[i] * 255 : 0; // also for NaN
    cj_status status = cj_tensor_new(CJ_U8, reals->shape, bytes);
    if (status == CJ_OK)
        store_bytes(value, (unsigned char *)(*bytes)->data, count);
    cj_release(reals);
    return status;
}

cj_status cj_image_grid(const cj_tensor *images, int64_t columns, cj_tensor **picture)
{
    if (!images || !picture)
        return images ? cj__fail_null("cj_image_grid: the place for the picture") :
                        cj__fail_missing(CJ__MADE_TENSOR, "cj_image_grid: the images");
    *picture = NULL;
    char text[160];
    if (images->shape.rank != 4 || cj_shape_count(&images->shape) < 1)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "image grid: shape %s, it needs (samples, height, width, channels)",
                        cj_shape_text(&images->shape, text, sizeof text));
    if (images->dtype != CJ_U8 && images->dtype != CJ_F32 && images->dtype != CJ_F64 &&
        images->dtype != CJ_BF16)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "image grid: %s images, it needs uint8 or floats from 0 to 1",
                        cj_dtype_name(images->dtype));
    if (columns < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "image grid: %lld columns, it needs at least 1",
                        (long long)columns);
    int64_t count = images->shape.dims[0], height = images->shape.dims[1],
            width = images->shape.dims[2];
    int64_t channels = images->shape.dims[3], rows = (count - 1) / columns + 1, total_width;
    if (__builtin_mul_overflow(columns, width, &total_width))
        return cj__fail(CJ_INVALID_ARGUMENT, "image grid: %lld columns are too many",
                        (long long)columns);
    cj_tensor *bytes = NULL;
    cj_status status = images_as_bytes(images, &bytes);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_U8, CJ_SHAPE(rows * height, total_width, channels), picture);
    for (int64_t i = 0; status == CJ_OK && i < count * height; i++) {
        int64_t sample = i / height, y = sample / columns * height + i % height,
                x = sample % columns * width;
        memcpy((*picture)->data + (y * total_width + x) * channels,
               bytes->data + i * width * channels, (size_t)(width * channels));
    }
    cj_release(bytes);
    return status;
}
