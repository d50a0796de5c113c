// The settings of pictures as words: those of folders and of single files.
#include "base/error.h"
#include "data/fit_image.h"
#include <string.h>

enum { SIZE_MAX_SIDE = 1 << 14 };

static cj_status read_colors(const char *who, const char *mode, int *channels)
{
    static const char *const colors[] = {"rgb", "grayscale", "rgba"};
    static const int counts[] = {3, 1, 4};
    if (!mode)
        return cj__fail_null_of(who, "color_mode");
    for (int i = 0; i < 3; i++)
        if (strcmp(mode, colors[i]) == 0) {
            *channels = counts[i];
            return CJ_OK;
        }
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: color_mode \"%s\", it needs \"rgb\", \"grayscale\" or \"rgba\"", who,
                    mode);
}

cj_status cj__look_read(const char *who, const cj__look_words *words, cj__look *look, int *channels)
{
    const int64_t *size = words->image_size;
    CJ_TRY(cj__method_find(words->interpolation, &look->method));
    look->reals = words->dtype && strcmp(words->dtype, "float32") == 0;
    if (!words->dtype || (!look->reals && strcmp(words->dtype, "uint8") != 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: dtype \"%s\", it needs \"uint8\" or \"float32\"",
                        who, words->dtype ? words->dtype : "NULL");
    CJ_TRY(read_colors(who, words->color_mode, channels));
    if (size[0] < 1 || size[1] < 1 || size[0] > SIZE_MAX_SIDE || size[1] > SIZE_MAX_SIDE)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: image_size %lld x %lld, each needs 1 to %d", who,
                        (long long)size[0], (long long)size[1], SIZE_MAX_SIDE);
    if (words->crop && words->pad)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be true",
                        who);
    look->fit = words->crop ? CJ__FIT_CROP : words->pad ? CJ__FIT_PAD : CJ__FIT_STRETCH;
    look->height = size[0];
    look->width = size[1];
    return CJ_OK;
}
