// Pictures from pictures: resizing and contact sheets.
#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <string.h>

// One axis of a resize: x (outer, in, inner) to y (outer, out, inner). Shrinking averages the area
// that an output covers, in/out inputs wide; growing interpolates between the two inputs whose
// centres are nearest.
typedef struct axis {
    int64_t outer, in, out, inner;
} axis;

static void add_scaled(const float *from, float weight, float *to, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += weight * from[i];
}

static void shrink_one(const axis *a, const float *x, int64_t index, float *y)
{
    double step = (double)a->in / (double)a->out, begin = (double)index * step, end = begin + step;
    for (int64_t i = (int64_t)begin; i < a->in && (double)i < end; i++) {
        double low = (double)i > begin ? (double)i : begin,
               high = (double)(i + 1) < end ? (double)(i + 1) : end;
        add_scaled(x + i * a->inner, (float)((high - low) / step), y, a->inner);
    }
}

static void grow_one(const axis *a, const float *x, int64_t index, float *y)
{
    double at = ((double)index + 0.5) * (double)a->in / (double)a->out - 0.5;
    at = at < 0 ? 0 : at > (double)(a->in - 1) ? (double)(a->in - 1) : at;
    int64_t low = (int64_t)at, high = low + 1 < a->in ? low + 1 : low;
    float share = (float)(at - (double)low);
    add_scaled(x + low * a->inner, 1 - share, y, a->inner);
    add_scaled(x + high * a->inner, share, y, a->inner);
}

// y starts as zeros.
static void resize_axis(const axis *a, const float *x, float *y)
{
    for (int64_t o = 0; o < a->outer; o++)
        for (int64_t i = 0; i < a->out; i++) {
            const float *from = x + o * a->in * a->inner;
            float *to = y + (o * a->out + i) * a->inner;
            if (a->out < a->in)
                shrink_one(a, from, i, to);
            else
                grow_one(a, from, i, to);
        }
}

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
    cj_tensor *x = NULL, *wide = NULL, *y = NULL;
    cj_status status = cj_tensor_convert(image, CJ_F32, &x);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(dims[0], width, dims[2]), &wide);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(height, width, dims[2]), &y);
    if (status == CJ_OK) {
        resize_axis(&(axis){dims[0], dims[1], width, dims[2]}, (float *)x->data,
                    (float *)wide->data);
        resize_axis(&(axis){1, dims[0], height, width * dims[2]}, (float *)wide->data,
                    (float *)y->data);
        if (image->dtype != CJ_U8)
            status = cj_tensor_convert(y, image->dtype, resized);
        else if ((status = cj_tensor_new(CJ_U8, y->shape, resized)) == CJ_OK)
            store_bytes((float *)y->data, (unsigned char *)(*resized)->data,
                        cj_shape_count(&y->shape));
    }
    cj_release(x);
    cj_release(wide);
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
