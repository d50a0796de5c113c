// Resizing, UpSampling2D with an interpolation, CenterCrop: each new pixel is a sum of old ones. The
// weights along an axis are a kernel around the pixel's place in the old image, made to add up to 1;
// "nearest" takes one old pixel.
#include "explain/explain.h"
#include <cajal/preprocessing.h>
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

// The kernels at a distance in pixels: linear; Keys's cubic (1981) with a = -1/2; Lanczos's.
static double kernel_at(const char *interpolation, double x)
{
    if (strcmp(interpolation, "bilinear") == 0)
        return x < 1 ? 1 - x : 0;
    if (strcmp(interpolation, "bicubic") == 0)
        return x >= 2 ? 0 :
               x >= 1 ? 2 - 4 * x + 2.5 * x * x - 0.5 * x * x * x :
                        1 - 2.5 * x * x + 1.5 * x * x * x;
    const double radius = strcmp(interpolation, "lanczos3") == 0 ? 3 : 5;
    if (x > radius)
        return 0;
    return x > 1e-3 ? radius * sin(pi * x) * sin(pi * x / radius) / (pi * pi * x * x) : 1;
}

// One axis: a part of the input of `length` pixels from `begin`, which may be outside of it, of which
// one pixel of `made` is made.
typedef struct blended {
    int64_t begin, length, inside; // and the input's own length
    int64_t made, pixel;
    double *weights; // of the part
} blended;

static void weigh(const blended *axis, const char *interpolation, bool antialias)
{
    const double inverse = (double)axis->length / (double)axis->made,
                 wide = antialias && inverse > 1 ? inverse : 1,
                 place = ((double)axis->pixel + 0.5) * inverse - 0.5;
    double sum = 0;
    for (int64_t i = 0; i < axis->length; i++)
        axis->weights[i] = 0;
    if (axis->length == axis->made) {
        axis->weights[axis->pixel] = 1;
        return;
    }
    if (strcmp(interpolation, "nearest") == 0) {
        // in float, as it is computed: at a boundary this decides
        const float at =
            floorf(((float)axis->pixel + 0.5f) * (float)axis->length / (float)axis->made);
        axis->weights[at < (float)axis->length ? (int64_t)at : axis->length - 1] = 1;
        return;
    }
    for (int64_t i = 0; i < axis->length; i++)
        sum += axis->weights[i] = kernel_at(interpolation, fabs(place - (double)i) / wide);
    for (int64_t i = 0; i < axis->length; i++)
        axis->weights[i] /= sum;
}

static int64_t counted(const blended *axis)
{
    int64_t count = 0;
    for (int64_t i = 0; i < axis->length; i++)
        count += fabs(axis->weights[i]) > 0;
    return count;
}

// Pixels beside the input have the fill value.
static double pixel_at(const cj_tensor *x, const blended axes[2], int64_t i, int64_t j,
                       int64_t channel, double fill)
{
    const int64_t row = axes[0].begin + i, column = axes[1].begin + j;
    if (row < 0 || row >= axes[0].inside || column < 0 || column >= axes[1].inside)
        return fill;
    return cj__element_at(x,
                          (row * axes[1].inside + column) * cj_tensor_shape(x)->dims[3] + channel);
}

// `buffer` has room for two numbers of each pixel that counts.
static cj_status show_blend(const cj__explanation *explanation, const blended axes[2], double fill,
                            double *buffer, int64_t count)
{
    const cj_tensor *x = explanation->record->inputs[0];
    double *pixels = buffer, *weights = buffer + count, sum = 0, magnitude = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < axes[0].length; i++)
        for (int64_t j = 0; j < axes[1].length && fabs(axes[0].weights[i]) > 0; j++) {
            if (!(fabs(axes[1].weights[j]) > 0))
                continue;
            pixels[at] = pixel_at(x, axes, i, j, explanation->index[3], fill);
            weights[at++] = axes[0].weights[i] * axes[1].weights[j];
        }
    cj__print_line(explanation, "row %lld and column %lld of the result from %lld pixels:",
                   (long long)axes[0].pixel, (long long)axes[1].pixel, (long long)count);
    const cj__products products = {"pixel", "weight", pixels, weights, count};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    return cj__conclude_near(explanation, sum, magnitude + fabs(fill));
}

static cj_status explain_blend(const cj__explanation *explanation, blended axes[2],
                               const char *interpolation, bool antialias, double fill)
{
    double *weights = cj__new((size_t)(axes[0].length + axes[1].length), sizeof *weights);
    if (!weights)
        return CJ_OUT_OF_MEMORY;
    axes[0].weights = weights;
    axes[1].weights = weights + axes[0].length;
    weigh(&axes[0], interpolation, antialias);
    weigh(&axes[1], interpolation, antialias);
    const int64_t count = counted(&axes[0]) * counted(&axes[1]);
    double *buffer = cj__new((size_t)count * 2, sizeof *buffer);
    cj_status status = buffer ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = show_blend(explanation, axes, fill, buffer, count);
    cj__free(buffer);
    cj__free(weights);
    return status;
}

// The whole image.
static void whole(const cj__explanation *explanation, blended axes[2])
{
    const int64_t *x = cj_tensor_shape(explanation->record->inputs[0])->dims,
                  *y = cj_tensor_shape(explanation->record->outputs[0])->dims;
    for (int i = 0; i < 2; i++)
        axes[i] = (blended){.length = x[i + 1],
                            .inside = x[i + 1],
                            .made = y[i + 1],
                            .pixel = explanation->index[i + 1]};
}

cj_status cj__explain_up_sampling2d(cj__explanation *explanation)
{
    const cj_up_sampling2d_args *a = explanation->record->layer->args;
    blended axes[2];
    if (strcmp(a->interpolation, "nearest") == 0)
        return cj__explain_repeating(explanation);
    whole(explanation, axes);
    return explain_blend(explanation, axes, a->interpolation, false, 0);
}

// The middle part that has the aspect ratio of the result, or with `pad` the image with as much of
// the fill value on both sides as gives it that ratio.
static void fit(blended axes[2], bool pad)
{
    const double height = (double)axes[0].inside, width = (double)axes[1].inside;
    const int64_t fitting[2] = {(int64_t)(width * (double)axes[0].made / (double)axes[1].made),
                                (int64_t)(height * (double)axes[1].made / (double)axes[0].made)};
    if (pad) {
        const int i = (fitting[0] - axes[0].inside) / 2 > 0 ? 0 : 1;
        const int64_t side = (fitting[i] - axes[i].inside) / 2;
        axes[i].begin = side > 0 ? -side : 0;
        axes[i].length += side > 0 ? 2 * side : 0;
        return;
    }
    for (int i = 0; i < 2; i++) {
        const int64_t length = fitting[i] < 1 ? 1 : fitting[i];
        if (length >= axes[i].inside)
            continue;
        axes[i].begin = (axes[i].inside - length) / 2;
        axes[i].length = length;
    }
}

cj_status cj__explain_resizing(cj__explanation *explanation)
{
    const cj_resizing_args *a = explanation->record->layer->args;
    blended axes[2];
    whole(explanation, axes);
    if (a->crop_to_aspect_ratio || a->pad_to_aspect_ratio) {
        fit(axes, a->pad_to_aspect_ratio);
        cj__print_line(explanation, "%s keeps the aspect ratio: rows from %lld, columns from %lld",
                       a->pad_to_aspect_ratio ? "padding" : "cropping", (long long)axes[0].begin,
                       (long long)axes[1].begin);
    }
    return explain_blend(explanation, axes, a->interpolation, a->antialias, a->fill_value);
}

// Where the image is smaller than the crop, its middle part is made larger.
cj_status cj__explain_center_crop(cj__explanation *explanation)
{
    const cj_tensor *x = explanation->record->inputs[0];
    int64_t index[CJ_MAX_RANK];
    blended axes[2];
    memcpy(index, explanation->index, sizeof index);
    whole(explanation, axes);
    if (axes[0].inside < axes[0].made || axes[1].inside < axes[1].made) {
        fit(axes, false);
        return explain_blend(explanation, axes, "bilinear", false, 0);
    }
    for (int i = 0; i < 2; i++)
        index[i + 1] += (axes[i].inside - axes[i].made) / 2;
    return cj__explain_copy(explanation, "the middle of the image", 0, cj__offset_of(x, index));
}

cj_status cj__explain_random_crop(cj__explanation *explanation)
{
    blended axes[2];
    whole(explanation, axes);
    fit(axes, false);
    cj__print_line(explanation,
                   "crops are random in training only; here it is the middle, resized");
    return explain_blend(explanation, axes, "bilinear", false, 0);
}
