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
