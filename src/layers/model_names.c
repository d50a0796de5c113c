// The names of a model's layers, and the first weights that depend on them.
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "layers/model.h"
#include <stdio.h>
#include <string.h>

// The names that are given out within a model, and for each class the number to try next.
typedef struct naming {
    cj__index taken;   // by text
    cj__index numbers; // by class name, which is one address for each class
} naming;

// The class's name, or the first of "dense_1", "dense_2", ... that is free.
static cj_status renumber(naming *n, cj_layer *layer)
{
    const char *class_name = cj_layer_class(layer);
    char base[64], name[96];
    int *number = cj__index_find(&n->numbers, class_name);
    if (!number && cj__index_add(&n->numbers, class_name, 0))
        number = cj__index_find(&n->numbers, class_name);
    if (!number)
        return CJ_OUT_OF_MEMORY;
    cj__snake_case(class_name, base, sizeof base);
    do {
        if (*number == 0)
            snprintf(name, sizeof name, "%s", base);
        else
            snprintf(name, sizeof name, "%s_%d", base, *number);
        ++*number;
    } while (cj__index_find(&n->taken, name));
    return strcmp(name, layer->name) == 0 ? CJ_OK : cj__layer_rename(layer, name);
}

static bool has_fixed_name(const cj_layer *layer)
{
    return layer->named || layer->joined;
}

static cj_status settle_name(const cj_model *model, naming *n, cj_layer *layer)
{
    const bool taken = cj__index_find(&n->taken, layer->name);
    if (layer->named && taken)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: two layers are named \"%s\"; a name must be unique in a model",
                        model->layer.name, layer->name);
    if (!layer->named && (taken || !layer->joined))
        CJ_TRY(renumber(n, layer));
    return cj__index_add(&n->taken, layer->name, 0) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// Layers that the user or another model has named come first, the others are numbered around them.
static cj_status settle_names(cj_model *model)
{
    naming n = {.taken = {.texts = true}};
    cj_status status = CJ_OK;
    for (int fixed = 1; fixed >= 0; fixed--)
        for (int i = 0; status == CJ_OK && i < model->layer_count; i++)
            if (has_fixed_name(model->layers[i]) == fixed)
                status = settle_name(model, &n, model->layers[i]);
    cj__index_free(&n.taken);
    cj__index_free(&n.numbers);
    return status;
}

cj_status cj__model_join(cj_model *model)
{
    const uint64_t key = cj__key(model->seed, model->layer.name);
    CJ_TRY(settle_names(model));
    for (int i = 0; i < model->layer_count; i++) {
        cj_layer *layer = model->layers[i];
        bool untouched = false;
        if (!layer->joined && !cj__layer_is_model(layer))
            CJ_TRY(cj__layer_untouched(layer, &untouched));
        if (untouched)
            CJ_TRY(cj__layer_draw(layer, cj__key(key, layer->name)));
    }
    for (int i = 0; i < model->layer_count; i++)
        model->layers[i]->joined = true;
    return CJ_OK;
}
