// Resizing as rows come: each row that is needed is resized along x and kept in a ring, until the
// last row that an output row is made of is there.
#include "base/memory.h"
#include "data/fit_image.h"
#include "tensor/tensor.h"
#include <string.h>

struct cj__fitter {
    cj__look look;
    int64_t channels;
    bool of_reals;
    int64_t top, left; // where the result begins in the picture; what is around it is black
    cj__taps rows, columns;
    float *ring;        // (rows.most, columns.out, channels)
    float *sums;        // (columns.out, channels)
    int64_t next, done; // the row that is needed next, and output rows that are done
    char *pixels;
};

// Which part of an image is resized to which part of the picture.
typedef struct place {
    int64_t begin[2], in[2], out[2], at[2]; // rows, columns
} place;

// The middle of the image in the ratio of the picture; lengths are rounded down as Keras's
// smart_resize() does.
static void crop(const cj__look *look, const int64_t dims[3], place *p)
{
    const int64_t height = (int64_t)((double)(dims[1] * look->height) / (double)look->width);
    const int64_t width = (int64_t)((double)(dims[0] * look->width) / (double)look->height);
    p->in[0] = height < dims[0] ? height : dims[0];
    p->in[1] = width < dims[1] ? width : dims[1];
    for (int i = 0; i < 2; i++) {
        p->in[i] = p->in[i] < 1 ? 1 : p->in[i];
        p->begin[i] = (dims[i] - p->in[i]) / 2;
    }
}

// The whole image in the middle of the picture, as tf.image.resize_with_pad() places it.
static void pad(const cj__look *look, const int64_t dims[3], place *p)
{
    const double y = (double)dims[0] / (double)look->height;
    const double x = (double)dims[1] / (double)look->width, ratio = y > x ? y : x;
    for (int i = 0; i < 2; i++) {
        const double length = (double)dims[i] / ratio, room = (double)p->out[i];
        p->at[i] = length < room ? (int64_t)((room - length) / 2) : 0;
        p->out[i] = length < 1 ? 1 : length < room ? (int64_t)length : p->out[i];
    }
}

static cj_status make(cj__fitter *f, const place *p)
{
    CJ_TRY(cj__taps_new(f->look.method, p->begin[0], p->in[0], p->out[0], &f->rows));
    CJ_TRY(cj__taps_new(f->look.method, p->begin[1], p->in[1], p->out[1], &f->columns));
    const size_t row = (size_t)(p->out[1] * f->channels);
    f->ring = cj__resize(NULL, (size_t)f->rows.most * row, sizeof *f->ring);
    f->sums = cj__resize(NULL, row, sizeof *f->sums);
    return f->ring && f->sums ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__fitter_new(const cj__look *look, const int64_t dims[3], bool of_reals, void *pixels,
                         cj__fitter **fitter)
{
    place p = {.in = {dims[0], dims[1]}, .out = {look->height, look->width}};
    cj__fitter *f = cj__new(1, sizeof *f);
    *fitter = NULL;
    if (!f)
        return CJ_OUT_OF_MEMORY;
    *f = (cj__fitter){*look, .channels = dims[2], .of_reals = of_reals, .pixels = pixels};
    if (look->fit == CJ__FIT_CROP)
        crop(look, dims, &p);
    else if (look->fit == CJ__FIT_PAD)
        pad(look, dims, &p);
    f->top = p.at[0];
    f->left = p.at[1];
    if (make(f, &p) != CJ_OK) {
        cj__fitter_free(f);
        return CJ_OUT_OF_MEMORY;
    }
    if (look->fit == CJ__FIT_PAD)
        memset(pixels, 0, (size_t)(look->height * look->width * dims[2]) * (look->reals ? 4 : 1));
    f->next = f->rows.first[0];
    *fitter = f;
    return CJ_OK;
}

int64_t cj__fitter_next(const cj__fitter *fitter)
{
    return fitter->next;
}

// A row along x: to (columns.out, channels). The body is inlined for each number of channels.
static inline void across_bytes(const cj__taps *t, const unsigned char *row, int64_t channels,
                                float *to)
{
    for (int64_t i = 0; i < t->out; i++, to += channels) {
        const unsigned char *from = row + t->first[i] * channels;
        const float *weights = t->weights + i * t->most;
        for (int64_t c = 0; c < channels; c++)
            to[c] = weights[0] * (float)from[c];
        for (int32_t k = 1; k < t->counts[i]; k++)
            for (int64_t c = 0; c < channels; c++)
                to[c] += weights[k] * (float)from[k * channels + c];
    }
}

static void across_reals(const cj__taps *t, const float *row, int64_t channels, float *to)
{
    for (int64_t i = 0; i < t->out; i++, to += channels) {
        const float *from = row + t->first[i] * channels, *weights = t->weights + i * t->most;
        for (int64_t c = 0; c < channels; c++)
            to[c] = weights[0] * from[c];
        for (int32_t k = 1; k < t->counts[i]; k++)
            for (int64_t c = 0; c < channels; c++)
                to[c] += weights[k] * from[k * channels + c];
    }
}

static void across(const cj__fitter *f, const void *row, float *to)
{
    if (f->of_reals)
        across_reals(&f->columns, row, f->channels, to);
    else if (f->channels == 3)
        across_bytes(&f->columns, row, 3, to);
    else if (f->channels == 1)
        across_bytes(&f->columns, row, 1, to);
    else
        across_bytes(&f->columns, row, f->channels, to);
}

static float *ring_row(const cj__fitter *f, int64_t row)
{
    return f->ring + row % f->rows.most * (f->columns.out * f->channels);
}

// Makes an output row of the rows in the ring.
static void finish_row(const cj__fitter *f, int64_t index)
{
    const int64_t count = f->columns.out * f->channels, first = f->rows.first[index];
    const float *weights = f->rows.weights + index * f->rows.most;
    const int64_t at = ((f->top + index) * f->look.width + f->left) * f->channels;
    float *sums = f->look.reals ? (float *)(void *)f->pixels + at : f->sums;
    for (int32_t k = 0; k < f->rows.counts[index]; k++) {
        const float *from = ring_row(f, first + k), weight = weights[k];
        if (k == 0)
            for (int64_t i = 0; i < count; i++)
                sums[i] = weight * from[i];
        else
            for (int64_t i = 0; i < count; i++)
                sums[i] += weight * from[i];
    }
    unsigned char *to = (unsigned char *)f->pixels + at;
    for (int64_t i = 0; !f->look.reals && i < count; i++)
        to[i] = (unsigned char)(sums[i] < 0 ? 0 : sums[i] > 255 ? 255 : sums[i] + 0.5f);
}

void cj__fitter_take(cj__fitter *f, const void *row)
{
    across(f, row, ring_row(f, f->next));
    const cj__taps *t = &f->rows;
    while (f->done < t->out && t->first[f->done] + t->counts[f->done] - 1 <= f->next)
        finish_row(f, f->done++);
    if (f->done == t->out)
        f->next = -1;
    else
        f->next = t->first[f->done] > f->next ? t->first[f->done] : f->next + 1;
}

void cj__fitter_free(cj__fitter *fitter)
{
    if (!fitter)
        return;
    cj__taps_free(&fitter->rows);
    cj__taps_free(&fitter->columns);
    cj__free(fitter->ring);
    cj__free(fitter->sums);
    cj__free(fitter);
}

cj_status cj__fit_image(const cj_tensor *image, const cj__look *look, void *pixels)
{
    cj__fitter *fitter;
    const int64_t *dims = image->shape.dims;
    const size_t row = (size_t)(dims[1] * dims[2]) * cj_dtype_size(image->dtype);
    CJ_TRY(cj__fitter_new(look, dims, image->dtype == CJ_F32, pixels, &fitter));
    for (int64_t y; (y = cj__fitter_next(fitter)) >= 0;)
        cj__fitter_take(fitter, image->data + (size_t)y * row);
    cj__fitter_free(fitter);
    return CJ_OK;
}
