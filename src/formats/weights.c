#include "formats/weights.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

static cj_status add(cj__weights *weights, const char *prefix, cj_variable *variable)
{
    if (cj__index_find(&weights->met, variable))
        return CJ_OK;
    if (!cj__index_add(&weights->met, variable, weights->count))
        return CJ_OUT_OF_MEMORY;
    const char *name = cj_variable_name(variable), *last = strrchr(name, '/');
    cj__text path = {0};
    cj__text_add(&path, "%s%s", prefix, last ? last + 1 : name);
    size_t needed = (size_t)weights->count + 1;
    if (path.failed ||
        !cj__reserve((void **)&weights->names, &weights->name_capacity, needed, sizeof(char *)) ||
        !cj__reserve((void **)&weights->variables, &weights->variable_capacity, needed,
                     sizeof(cj_variable *))) {
        cj__text_free(&path);
        return CJ_OUT_OF_MEMORY;
    }
    weights->names[weights->count] = path.data;
    weights->variables[weights->count++] = variable;
    return CJ_OK;
}

// `prefix` ends with a slash, or is empty for the outermost model.
static cj_status walk(cj__weights *weights, const char *prefix, const cj_layer *layer)
{
    if (cj__index_find(&weights->met, layer))
        return CJ_OK; // shared: its variables are listed
    if (!cj__index_add(&weights->met, layer, 0))
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < layer->variable_count; i++)
        CJ_TRY(add(weights, prefix, layer->variables[i]));
    cj_layer *const *children = NULL;
    int count = cj__layer_children(layer, &children);
    for (int i = 0; i < count; i++) {
        cj__text inner = {0};
        cj__text_add(&inner, "%s%s/", prefix, cj_layer_name(children[i]));
        cj_status status = inner.failed ? CJ_OUT_OF_MEMORY : walk(weights, inner.data, children[i]);
        cj__text_free(&inner);
        CJ_TRY(status);
    }
    return CJ_OK;
}

cj_status cj__weights_collect(cj__weights *weights, cj_layer *model)
{
    return walk(weights, "", model);
}

void cj__weights_free(cj__weights *weights)
{
    for (int i = 0; i < weights->count; i++)
        cj__free(weights->names[i]);
    cj__free(weights->names);
    cj__free(weights->variables);
    cj__index_free(&weights->met);
    *weights = (cj__weights){0};
}
