// The forms that labels of classes have.
#include "data/files.h"

#include "base/error.h"
#include <string.h>

cj_status cj__label_mode_find(const char *word, const char *who, cj__label_mode *mode)
{
    static const char *const words[] = {"int", "categorical", "binary"};
    if (!word)
        return cj__fail_null_of(who, "label_mode");
    for (int i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *mode = (cj__label_mode)i;
            return CJ_OK;
        }
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: label_mode \"%s\", it needs \"int\", \"categorical\" or \"binary\"", who,
                    word);
}

void cj__label_type(cj__label_mode mode, int64_t classes, cj_dtype *dtype, cj_shape *shape)
{
    *dtype = mode == CJ__LABEL_INT ? CJ_I32 : CJ_F32;
    *shape = (cj_shape){.rank = mode == CJ__LABEL_INT ? 0 : 1,
                        .dims = {mode == CJ__LABEL_CATEGORICAL ? classes : 1}};
}

void cj__label_write(cj__label_mode mode, int64_t classes, int64_t label, void *to)
{
    if (mode == CJ__LABEL_INT) {
        *(int32_t *)to = (int32_t)label;
        return;
    }
    float *hot = to;
    if (mode == CJ__LABEL_BINARY) {
        *hot = (float)label;
        return;
    }
    for (int64_t c = 0; c < classes; c++)
        hot[c] = c == label;
}
