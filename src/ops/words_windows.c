// The words of cajal/ops_shape.h on windows and blocks of pixels. A window's elements are picked by
// constant places along one axis, so that the gradient, and folding, add them back.
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_shape.h>
#include <string.h>

// Whether the channels come first; false with a sentence for another text.
static bool first_of(cj__build *g, const char *who, const char *data_format, bool *first)
{
    *first = data_format && strcmp(data_format, "channels_first") == 0;
    if (!data_format || *first || strcmp(data_format, "channels_last") == 0)
        return true;
    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                 "%s: data format \"%s\" is neither \"channels_last\" nor "
                                 "\"channels_first\"",
                                 who, data_format));
    return false;
}

static bool images(cj__build *g, const char *who, const cj_symbol *x, int64_t block)
{
    const cj_shape *shape = cj_symbol_shape(x);
    if (shape->rank == 4 && block >= 1 && shape->dims[1] >= 0 && shape->dims[2] >= 0 &&
        shape->dims[3] >= 0)
        return true;
    char text[CJ__SHAPE_TEXT];
    cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                 "%s: blocks of %lld in %s, needed are images of four axes and "
                                 "blocks of 1 or more",
                                 who, (long long)block, cj__shape_words(shape, text)));
    return false;
}

static cj_symbol *regrouped(cj__build *g, cj_symbol *x, const int64_t *apart, const int *order,
                            const int64_t *together)
{
    cj_shape six = {.rank = 6}, four = {.rank = 4};
    memcpy(six.dims, apart, 6 * sizeof *apart);
    memcpy(four.dims, together, 4 * sizeof *together);
    return cj__reshape(g, cj__transpose(g, cj__reshape(g, x, &six), order), &four);
}

static bool divides(cj__build *g, const char *who, int64_t length, int64_t by)
{
    if (length % by == 0)
        return true;
    cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld does not divide an axis of %lld", who,
                                 (long long)by, (long long)length));
    return false;
}

cj_symbol *cj_op_depth_to_space(cj_symbol *x, int64_t block, const char *data_format)
{
    bool first = false;
    CJ__TAKE(x)
    {
        const int64_t *d = cj_symbol_shape(x)->dims, b = block;
        if (first_of(g, "depth_to_space", data_format, &first) &&
            images(g, "depth_to_space", x, block) &&
            divides(g, "depth_to_space", d[first ? 1 : 3], b * b)) {
            const int64_t c = d[first ? 1 : 3] / (b * b);
            y = first ?
                    regrouped(g, x, (int64_t[]){d[0], c, b, b, d[2], d[3]},
                              (int[]){0, 1, 4, 2, 5, 3}, (int64_t[]){d[0], c, d[2] * b, d[3] * b}) :
                    regrouped(g, x, (int64_t[]){d[0], d[1], d[2], b, b, c},
                              (int[]){0, 1, 3, 2, 4, 5}, (int64_t[]){d[0], d[1] * b, d[2] * b, c});
        }
    }
    CJ__GIVE_OF(depth_to_space, x,
                (&(cj__block_settings){block, data_format ? data_format : "channels_last"}));
}

cj_symbol *cj_op_space_to_depth(cj_symbol *x, int64_t block, const char *data_format)
{
    bool first = false;
    CJ__TAKE(x)
    {
        const int64_t *d = cj_symbol_shape(x)->dims, b = block;
        if (first_of(g, "space_to_depth", data_format, &first) &&
            images(g, "space_to_depth", x, block) &&
            divides(g, "space_to_depth", d[first ? 2 : 1], b) &&
            divides(g, "space_to_depth", d[first ? 3 : 2], b))
            y = first ? regrouped(g, x, (int64_t[]){d[0], d[1], d[2] / b, b, d[3] / b, b},
                                  (int[]){0, 1, 3, 5, 2, 4},
                                  (int64_t[]){d[0], d[1] * b * b, d[2] / b, d[3] / b}) :
                        regrouped(g, x, (int64_t[]){d[0], d[1] / b, b, d[2] / b, b, d[3]},
                                  (int[]){0, 1, 3, 2, 4, 5},
                                  (int64_t[]){d[0], d[1] / b, d[2] / b, d[3] * b * b});
    }
    CJ__GIVE_OF(space_to_depth, x,
                (&(cj__block_settings){block, data_format ? data_format : "channels_last"}));
}

// ---- Windows ----

// How many windows lie along an axis of `length`; -1 if the windows make no sense or none does.
static int64_t windows_of(const cj_windows *w, int axis, int64_t length)
{
    if (w->kernel[axis] < 1 || w->dilation[axis] < 1 || w->stride[axis] < 1 ||
        w->padding[axis] < 0 || length < 0 || w->kernel[axis] > INT16_MAX ||
        w->dilation[axis] > INT16_MAX || w->padding[axis] > INT16_MAX)
        return -1;
    const int64_t reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
    const int64_t room = length + 2 * w->padding[axis] - reach;
    return room < 0 ? -1 : room / w->stride[axis] + 1;
}

// The place in a padded image of width `width` of each element (i, j) of each window (p, q): an int32
// constant of kernel x windows, NULL with a sentence.
static cj_symbol *places_of(cj__build *g, const cj_windows *w, const int64_t *count, int64_t width)
{
    const int64_t elements = w->kernel[0] * w->kernel[1], all = elements * count[0] * count[1];
    int64_t next = 0, *places = cj__new((size_t)all + 1, sizeof *places);
    if (!places) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (int64_t i = 0; i < w->kernel[0]; i++)
        for (int64_t j = 0; j < w->kernel[1]; j++)
            for (int64_t p = 0; p < count[0]; p++)
                for (int64_t q = 0; q < count[1]; q++)
                    places[next++] = (p * w->stride[0] + i * w->dilation[0]) * width +
                                     q * w->stride[1] + j * w->dilation[1];
    cj_symbol *y = cj__word_ints(g, places, all);
    cj__free(places);
    return cj__word_along(g, y, 3, 2);
}

// The numbers of windows as settings, in `out`.
static cj__unfold_settings settings_of(const cj_windows *w, double *out)
{
    return (cj__unfold_settings){.kernel_size = cj__numbers_of(w->kernel, 2, out),
                                 .dilation = cj__numbers_of(w->dilation, 2, out + 2),
                                 .padding = cj__numbers_of(w->padding, 2, out + 4),
                                 .stride = cj__numbers_of(w->stride, 2, out + 6)};
}

static cj_symbol *no_windows(cj__build *g, const char *who, const cj_shape *shape)
{
    char text[CJ__SHAPE_TEXT];
    return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "%s: the windows do not fit %s", who,
                                       cj__shape_words(shape, text)));
}

cj_symbol *cj_op_unfold(cj_symbol *x, cj_windows windows)
{
    cj_symbol *const operand = x;
    double numbers[8];
    CJ__TAKE(x)
    {
        const cj_windows *w = &windows;
        const int64_t *d = cj_symbol_shape(x)->dims;
        const bool four = cj_symbol_shape(x)->rank == 4 && d[1] >= 0;
        const int64_t count[2] = {four ? windows_of(w, 0, d[2]) : -1,
                                  four ? windows_of(w, 1, d[3]) : -1};
        if (count[0] < 0 || count[1] < 0) {
            y = no_windows(g, "unfold", cj_symbol_shape(x));
        } else {
            const int64_t high = d[2] + 2 * w->padding[0], wide = d[3] + 2 * w->padding[1];
            cj_shape flat = {3, {d[0], d[1], high * wide}};
            cj_shape columns = {3, {d[0], d[1] * w->kernel[0] * w->kernel[1], count[0] * count[1]}};
            for (int axis = 0; axis < 2; axis++)
                if (w->padding[axis] > 0)
                    x = cj__pad(g, x, 2 + axis, w->padding[axis], w->padding[axis]);
            y = cj__take_along(g, cj__reshape(g, x, &flat), places_of(g, w, count, wide), 2);
            y = cj__reshape(g, y, &columns);
        }
    }
    const cj__unfold_settings settings = settings_of(&windows, numbers);
    CJ__GIVE_OF(unfold, operand, &settings);
}

cj_symbol *cj_op_fold(cj_symbol *x, int64_t height, int64_t width, cj_windows windows)
{
    double numbers[10];
    CJ__TAKE(x)
    {
        const cj_windows *w = &windows;
        const cj_shape *shape = cj_symbol_shape(x);
        const int64_t *d = shape->dims, elements = w->kernel[0] * w->kernel[1];
        const int64_t count[2] = {windows_of(w, 0, height), windows_of(w, 1, width)};
        if (shape->rank != 3 || count[0] < 0 || count[1] < 0 || d[1] < 0 || d[1] % elements != 0 ||
            d[2] != count[0] * count[1]) {
            y = no_windows(g, "fold", shape);
        } else {
            const int64_t high = height + 2 * w->padding[0], wide = width + 2 * w->padding[1];
            const int64_t c = d[1] / elements;
            cj_shape columns = {3, {d[0], c, elements * d[2]}};
            cj_shape image = {4, {d[0], c, high, wide}};
            // zeros in the shape of the image, made from x so that a free axis is x's
            cj_symbol *none = cj__slice(g, cj__reshape(g, x, &columns), 2, 0, 0);
            cj_symbol *like = cj__pad(g, none, 2, 0, high * wide);
            y = cj__add_along(g, like, places_of(g, w, count, wide), cj__reshape(g, x, &columns),
                              2);
            y = cj__reshape(g, y, &image);
            for (int axis = 0; axis < 2; axis++)
                if (w->padding[axis] > 0)
                    y = cj__slice(g, y, 2 + axis, w->padding[axis], axis ? width : height);
        }
    }
    cj__unfold_settings settings = settings_of(&windows, numbers);
    settings.output_size = cj__numbers_of((int64_t[]){height, width}, 2, numbers + 8);
    CJ__GIVE_OF(fold, x, &settings);
}

cj_symbol *cj_op_extract_sequences(cj_symbol *x, int64_t length, int64_t stride)
{
    int last = 0;
    CJ__TAKE(x)
    {
        if (cj__word_fixed_axis(g, "extract_sequences", x, -1, &last)) {
            cj_shape shape = *cj_symbol_shape(x);
            const int64_t n = shape.dims[last];
            if (length < 1 || stride < 1 || length > n || shape.rank == CJ_MAX_RANK) {
                y = cj__word_refuse(g,
                                    cj__fail(CJ_INVALID_ARGUMENT,
                                             "extract_sequences: windows of %lld, %lld apart, in "
                                             "%lld entries",
                                             (long long)length, (long long)stride, (long long)n));
            } else {
                const int64_t count = (n - length) / stride + 1;
                int64_t *places = cj__new((size_t)(count * length), sizeof *places);
                for (int64_t i = 0; places && i < count * length; i++)
                    places[i] = i / length * stride + i % length;
                if (!places)
                    cj__build_refuse(g, CJ_OUT_OF_MEMORY);
                else
                    y = cj__word_pick(g, x, last, places, count * length);
                cj__free(places);
                shape.dims[last] = count;
                shape.dims[shape.rank++] = length;
                y = cj__reshape(g, y, &shape);
            }
        }
    }
    CJ__GIVE_OF(extract_sequences, x, (&(cj__sequences_settings){length, stride}));
}
