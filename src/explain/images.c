// Layers of augmentation.h that change images when predicting too.
#include "explain/explain.h"

#include <cajal/augmentation.h>
#include <math.h>

// y = (x - least) / (greatest - least), spread over the range of values.
cj_status cj__explain_auto_contrast(cj__explanation *explanation)
{
    const cj_auto_contrast_args *args = explanation->record->layer->args;
    const cj_tensor *image = explanation->record->inputs[0];
    const int64_t channels = cj_tensor_shape(image)->dims[3], count = cj_tensor_count(image);
    const double x = cj__element_at(image, explanation->offset), low = args->value_range.values[0],
                 high = args->value_range.values[1];
    double least = INFINITY, greatest = -INFINITY;
    char value[CJ__DIGITS_TEXT], from[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT], made[CJ__DIGITS_TEXT];
    for (int64_t i = explanation->offset % channels; i < count; i += channels) {
        least = fmin(least, cj__element_at(image, i));
        greatest = fmax(greatest, cj__element_at(image, i));
    }
    cj__print_line(explanation, "the channel has values from %s to %s", cj__digits(least, from),
                   cj__digits(greatest, to));
    if (!(greatest > least))
        return cj__explain_copy(explanation, "a channel of one value stays", 0,
                                explanation->offset);
    const double share = (x - least) / (greatest - least), y = low + share * (high - low);
    cj__print_line(explanation, "%s is %s of the way", cj__digits(x, value),
                   cj__digits(share, made));
    cj__print_line(explanation, "spread over %s to %s: %s", cj__digits(low, from),
                   cj__digits(high, to), cj__digits(y, made));
    const double size = fmax(fabs(least), fabs(greatest)) / (greatest - least) * (high - low);
    return cj__conclude_near(explanation, y, 4 * size + fabs(low) + fabs(high));
}

// Contrast-limited adaptive histogram equalization
// -------------------------------------------------------------------------------------------------

enum { BINS = 256 };

static double byte_of(const cj_numbers *range, double value)
{
    const double width = range->values[1] - range->values[0];
    return trunc(fmin(fmax((value - range->values[0]) / width * 255, 0), BINS - 1));
}

static int64_t mirrored(int64_t at, int64_t length)
{
    const int64_t place = at % (2 * length);
    return place < length ? place : 2 * length - 1 - place;
}

// What the table of a tile makes of a bin.
static double tile_value(const cj__explanation *e, const int64_t tile[2], const int64_t size[2],
                         int64_t bin)
{
    const cj_contrast_limited_adaptive_histogram_equalization_args *args = e->record->layer->args;
    const cj_tensor *image = e->record->inputs[0];
    const int64_t *dims = cj_tensor_shape(image)->dims, channel = e->index[3];
    const double pixels = (double)(size[0] * size[1]), limit = args->clip_limit * pixels / BINS;
    double counts[BINS] = {0}, excess = 0, sum = 0;
    for (int64_t i = 0; i < size[0] * size[1]; i++) {
        const int64_t row = mirrored(tile[0] * size[0] + i / size[1], dims[1]),
                      col = mirrored(tile[1] * size[1] + i % size[1], dims[2]);
        const double value = cj__element_at(image, (row * dims[2] + col) * dims[3] + channel);
        counts[(int)byte_of(&args->value_range, value)]++;
    }
    for (int b = 0; b < BINS && limit > 0; b++) {
        excess += fmax(counts[b] - limit, 0);
        counts[b] = fmin(counts[b], limit);
    }
    const double first = counts[0] + excess / BINS, rest = pixels - first;
    for (int64_t b = 1; b <= bin; b++)
        sum += counts[b] + excess / BINS;
    return fmin(fmax(sum * 255 / (rest > 0 || rest < 0 ? rest : 1), 0), 255);
}

// Between the tables of the four tiles around the pixel, by weights.
cj_status cj__explain_adapted_histogram(cj__explanation *explanation)
{
    const cj_contrast_limited_adaptive_histogram_equalization_args *args =
        explanation->record->layer->args;
    const cj_tensor *image = explanation->record->inputs[0];
    const cj_numbers *range = &args->value_range;
    const double x = cj__element_at(image, explanation->offset);
    const int64_t bin = (int64_t)byte_of(range, x);
    int64_t size[2], first[2];
    double share[2], sum = 0;
    char text[CJ__DIGITS_TEXT], made[CJ__DIGITS_TEXT];
    for (int d = 0; d < 2; d++) {
        const int64_t grid = args->tile_grid_size[d];
        size[d] = (cj_tensor_shape(image)->dims[d + 1] + grid - 1) / grid;
        const double place =
            ((double)explanation->index[d + 1] - (double)size[d] / 2) / (double)size[d];
        first[d] = (int64_t)floor(place);
        share[d] = place - floor(place);
    }
    cj__print_line(explanation, "%s is %lld of 255", cj__digits(x, text), (long long)bin);
    for (int corner = 0; corner < 4; corner++) {
        int64_t tile[2];
        double weight = 1;
        for (int d = 0; d < 2; d++) {
            const int64_t last = args->tile_grid_size[d] - 1,
                          at = first[d] + (corner >> (1 - d) & 1);
            tile[d] = at < 0 ? 0 : at > last ? last : at;
            weight *= corner >> (1 - d) & 1 ? share[d] : 1 - share[d];
        }
        const double value = tile_value(explanation, tile, size, bin);
        cj__print_line(explanation, "tile (%lld, %lld) makes it %s, by a weight of %s",
                       (long long)tile[0], (long long)tile[1], cj__digits(value, text),
                       cj__digits(weight, made));
        sum += weight * value;
    }
    const double width = range->values[1] - range->values[0];
    return cj__conclude_near(explanation, range->values[0] + sum / 255 * width,
                             8 * fabs(width) + fabs(range->values[0]));
}
