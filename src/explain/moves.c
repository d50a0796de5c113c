// Layers that only move or add elements: Flatten, Reshape, Dropout, Add, Concatenate.
#include "explain/explain.h"
#include <math.h>

static void index_of(const cj_tensor *tensor, int64_t place, int64_t *index)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    for (int i = shape->rank - 1; i >= 0; i--) {
        index[i] = place % shape->dims[i];
        place /= shape->dims[i];
    }
}

static cj_status tell_copy(cj__telling *telling, const char *how, int input, int64_t place)
{
    char where[CJ__INDEX_TEXT], text[CJ__SHORT_TEXT];
    int64_t index[CJ_MAX_RANK];
    const cj_tensor *x = telling->sight->inputs[input];
    index_of(x, place, index);
    cj__index_text(index, cj_tensor_shape(x)->rank, where);
    cj__say(telling, "%s: input %d, element %s = %s", how, input, where,
            cj__short(cj__at(x, place), text));
    return cj__conclude(telling, cj__at(x, place), cj__at(x, place));
}

cj_status cj__tell_same_elements(cj__telling *telling)
{
    return tell_copy(telling, "the same elements in row-major order", 0, telling->place);
}

cj_status cj__tell_dropout(cj__telling *telling)
{
    return tell_copy(telling, "dropout does nothing when predicting", 0, telling->place);
}

// The place in input `which` of the output's element, with numpy's broadcasting of lengths of 1.
static int64_t broadcast_place(const cj__telling *telling, int which)
{
    const cj_shape *y = cj_tensor_shape(telling->sight->outputs[0]);
    const cj_shape *x = cj_tensor_shape(telling->sight->inputs[which]);
    int64_t index[CJ_MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        index[i] = x->dims[i] == 1 ? 0 : telling->index[y->rank - x->rank + i];
    return cj__place_of(telling->sight->inputs[which], index);
}

cj_status cj__tell_add(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    double sum = 0, magnitude = 0;
    char text[CJ__SHORT_TEXT];
    fputs("    ", telling->stream);
    for (int i = 0; i < sight->input_count; i++) {
        const double value = cj__at(sight->inputs[i], broadcast_place(telling, i));
        fprintf(telling->stream, "%s%s", i ? " + " : "", cj__short(value, text));
        sum += value;
        magnitude += fabs(value);
    }
    fprintf(telling->stream, " = %s\n", cj__short(sum, text));
    return cj__conclude(telling, sum - cj__slack(magnitude), sum + cj__slack(magnitude));
}

cj_status cj__tell_concatenate(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_concatenate_args *args = sight->layer->args;
    const int axis =
        args->axis < 0 ? args->axis + cj_tensor_shape(sight->outputs[0])->rank : args->axis;
    int64_t index[CJ_MAX_RANK];
    int which = 0;
    for (int i = 0; i < CJ_MAX_RANK; i++)
        index[i] = telling->index[i];
    while (which + 1 < sight->input_count &&
           index[axis] >= cj_tensor_shape(sight->inputs[which])->dims[axis])
        index[axis] -= cj_tensor_shape(sight->inputs[which++])->dims[axis];
    return tell_copy(telling, "side by side", which, cj__place_of(sight->inputs[which], index));
}
