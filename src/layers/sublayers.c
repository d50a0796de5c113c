// Layers that are settings of other layers: what a wrapper wraps, the cells of a recurrent layer.
// The arguments struct has their addresses; a layer holds them in a list of its own, in the order
// of its kind's rows.
#include "base/memory.h"
#include "layers/model.h"

#include <stdio.h>

int cj__sublayers_at(const cj__sublayer *row, const void *args, cj_layer *const **layers)
{
    cj_layer *const *at = (const void *)((const char *)args + row->offset);
    int count = 0;
    while (count < (row->list ? CJ__SUBLAYER_LIST : 1) && at[count])
        count++;
    *layers = at;
    return count;
}

// The head of every layer's arguments.
typedef struct layer_args {
    CJ_LAYER_MEMBERS
} layer_args;

static void drop_before(const cj__layer_kind *kind, const void *args, const cj__sublayer *end)
{
    cj_layer *const *at;
    for (const cj__sublayer *row = kind->sublayers; row && row != end && row->key; row++)
        for (int i = cj__sublayers_at(row, args, &at); i > 0; i--)
            cj_release(at[i - 1]);
}

void cj__sublayers_drop(const cj__layer_kind *kind, const void *args)
{
    drop_before(kind, args, NULL);
}

// Whether a NULL in a list is one of its layers that could not be made, and not its end.
static bool ends_early(const cj__sublayer *row, cj_layer *const *at, int count)
{
    if (!row->list || count == CJ__SUBLAYER_LIST)
        return false;
    for (int i = count; i < CJ__SUBLAYER_LIST; i++)
        if (at[i])
            return true;
    return cj__builder_failed(CJ__MADE_LAYER);
}

cj_status cj__sublayers_hold(const cj__layer_kind *kind, const void *args, const char *who)
{
    cj_layer *const *at;
    char what[96];
    cj_status status = CJ_OK;
    for (const cj__sublayer *row = kind->sublayers; row->key; row++) {
        const int count = cj__sublayers_at(row, args, &at);
        for (int i = 0; i < count; i++)
            cj__own(at[i]);
        if ((count > 0 || row->optional) && !ends_early(row, at, count))
            continue;
        if (status != CJ_OK)
            continue;
        snprintf(what, sizeof what, "%.60s: the %s", who, row->key);
        status = cj__fail_missing(CJ__MADE_LAYER, what);
    }
    if (status != CJ_OK)
        cj__sublayers_drop(kind, args);
    return status;
}

static cj_status add(cj_layer *layer, cj_layer *child)
{
    for (int i = 0; i < layer->sublayer_count; i++)
        if (layer->sublayers[i] == child)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: layer %s is given twice", layer->name,
                            child->name);
    if (child->depth >= CJ__MODEL_DEPTH_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: %s in it is nested %d deep, at most %d are possible",
                        layer->name, child->name, child->depth, CJ__MODEL_DEPTH_MAX - 1);
    layer->sublayers[layer->sublayer_count++] = cj__own(child);
    atomic_fetch_add(&child->containers, 1);
    if (layer->depth <= child->depth)
        layer->depth = child->depth + 1;
    return CJ_OK;
}

cj_status cj__sublayers_take(cj_layer *layer)
{
    cj_layer *const *at;
    int count = 0;
    for (const cj__sublayer *row = layer->kind->sublayers; row && row->key; row++)
        count += cj__sublayers_at(row, layer->args, &at);
    if (count == 0)
        return CJ_OK;
    layer->sublayers = cj__new((size_t)count, sizeof(cj_layer *));
    if (!layer->sublayers)
        return CJ_OUT_OF_MEMORY;
    for (const cj__sublayer *row = layer->kind->sublayers; row->key; row++) {
        const int here = cj__sublayers_at(row, layer->args, &at);
        for (int i = 0; i < here; i++)
            CJ_TRY(add(layer, at[i]));
    }
    return CJ_OK;
}

void cj__sublayers_free(cj_layer *layer)
{
    for (int i = 0; i < layer->sublayer_count; i++) {
        atomic_fetch_sub(&layer->sublayers[i]->containers, 1);
        cj_release(layer->sublayers[i]);
    }
    cj__free(layer->sublayers);
}

cj_status cj__sublayer_build(cj_layer *child, const cj__type *inputs, int count)
{
    cj__trace trace = {0};
    cj__value *outputs = NULL;
    int output_count = 0;
    if (child->built)
        return CJ_OK;
    cj__value *given = cj__build_memory(&trace.build, (size_t)count, sizeof *given);
    for (int i = 0; given && i < count; i++)
        given[i] =
            (cj__value){cj__build_keep(&trace.build, cj__symbol_input(&inputs[i], "x")), NULL};
    cj_status status = trace.build.status;
    if (status == CJ_OK)
        status = cj__layer_call(child, &trace, given, count, &outputs, &output_count);
    const cj_status ended = cj__trace_end(&trace);
    return status != CJ_OK ? status : ended;
}

// Makes the copies of sublayers.
typedef struct copier {
    cj_layer *(*copy)(void *context, const cj_layer *sublayer);
    void *context;
} copier;

// Puts copies in the place of the layers in `args`, held once.
static bool copy_sublayers(const cj_layer *layer, void *args, const copier *by)
{
    for (const cj__sublayer *row = layer->kind->sublayers; row && row->key; row++) {
        cj_layer *const *at;
        cj_layer **to = (void *)((char *)args + row->offset);
        const int count = cj__sublayers_at(row, layer->args, &at);
        for (int i = 0; i < count; i++) {
            if (!(to[i] = cj__own(by->copy(by->context, at[i])))) {
                while (i > 0)
                    cj_release(to[--i]);
                drop_before(layer->kind, args, row);
                return false;
            }
        }
    }
    return true;
}

cj_layer *cj__layer_like(const cj_layer *layer, const char *name, bool turned,
                         cj_layer *(*copy)(void *context, const cj_layer *sublayer), void *context)
{
    const copier by = {copy, context};
    const bool *backwards = cj__layer_setting(layer, "go_backwards");
    if (cj__layer_is_model(layer) || !layer->args) {
        cj__fail(CJ_UNSUPPORTED, "%s: a model has no settings of which another could be made",
                 layer->name);
        return NULL;
    }
    layer_args *args = cj__copy_bytes(layer->args, layer->kind->choice.args_size);
    cj_layer *made = NULL;
    if (!args)
        return NULL;
    if (turned && backwards)
        *(bool *)((char *)args + ((const char *)backwards - (const char *)layer->args)) =
            !*backwards;
    args->name = name;
    if (copy_sublayers(layer, args, &by)) {
        made = cj__layer_new(layer->kind, args);
        drop_before(layer->kind, args, NULL);
    }
    if (made)
        made->trainable = layer->trainable;
    cj__free(args);
    return made;
}

static cj_layer *again(void *context, const cj_layer *sublayer)
{
    (void)context;
    return cj__layer_again(sublayer, sublayer->name, false);
}

cj_layer *cj__layer_again(const cj_layer *layer, const char *name, bool turned)
{
    return cj__layer_like(layer, name, turned, again, NULL);
}
