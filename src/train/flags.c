#include "train/flags.h"
#include "base/memory.h"

cj_status cj__flags_take(cj__flags *flags, cj_layer *layer)
{
    cj_layer *const *children = NULL;
    if (!cj__reserve((void **)&flags->rows, &flags->capacity, flags->count + 1,
                     sizeof *flags->rows))
        return CJ_OUT_OF_MEMORY;
    if (!cj__index_find(&flags->index, layer) &&
        !cj__index_add(&flags->index, layer, layer->trainable))
        return CJ_OUT_OF_MEMORY;
    flags->rows[flags->count++] = (cj__flag){layer, layer->trainable};
    const int count = cj__layer_children(layer, &children);
    for (int i = 0; i < count; i++)
        CJ_TRY(cj__flags_take(flags, children[i]));
    return CJ_OK;
}

static void exchange(cj__flag *row)
{
    const bool now = row->layer->trainable;
    row->layer->trainable = row->trainable;
    row->trainable = now;
}

void cj__flags_swap(cj__flags *flags)
{
    for (size_t i = 0; i < flags->count; i++)
        exchange(&flags->rows[i]);
}

// In the opposite order, so that a layer that is there several times gets back what it had first.
void cj__flags_swap_back(cj__flags *flags)
{
    for (size_t i = flags->count; i-- > 0;)
        exchange(&flags->rows[i]);
}

void cj__flags_free(cj__flags *flags)
{
    cj__free(flags->rows);
    cj__index_free(&flags->index);
    *flags = (cj__flags){0};
}
