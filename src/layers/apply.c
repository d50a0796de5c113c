// Applying layers to symbols that users hold, which gives symbols with a history.
//
// A functional model is written line by line, and several lines name the same symbol or layer. When
// one line fails, later lines may still name its arguments; but a layer made within the call, as in
// cj_apply(cj_dense(3), NULL), has no name by which anybody could release it. The two cases look
// alike from here. So a failed application takes its arguments over, as a successful one does, and
// releases them when no later line of that model can name them: at the end of cj_functional_new(),
// where the failure is reported, or at the end of the thread.
#include "base/error.h"
#include "base/memory.h"
#include "base/thread_end.h"
#include "layers/history.h"
#include "layers/input.h"

#include <cajal/calls.h>

static void history_destroy(void *object)
{
    cj__history *history = object;
    for (int i = 0; i < history->output_count; i++)
        cj_release(history->output_masks[i]);
    for (int i = 0; i < history->input_count; i++)
        cj_release(history->inputs[i]);
    cj__free(history->output_masks);
    cj__free(history->inputs);
    cj_release(history->layer);
    cj__free(history);
}

const cj__class cj__history_class = {"history", history_destroy};

cj__history *cj__symbol_history(const cj_symbol *symbol)
{
    return cj__is(symbol->history, &cj__history_class) ? symbol->history : NULL;
}

cj__value cj__symbol_value(cj_symbol *symbol)
{
    const cj__history *history = symbol ? cj__symbol_history(symbol) : NULL;
    return (cj__value){symbol, history ? history->output_masks[symbol->history_index] : NULL};
}

// A new floating symbol for the value of `symbol`, made by `history`, which it holds.
static cj_symbol *symbol_of_history(cj__history *history, int index, const cj_symbol *symbol)
{
    cj__build g = {0};
    cj_symbol *made = cj__build_result(&g, cj__node_output(&g, symbol->node, symbol->index));
    if (made) {
        cj_release(made->history);
        made->history = cj_retain(history);
        made->history_index = index;
    }
    return made;
}

// A history with room for the masks of outputs.
static cj__history *history_new(cj_layer *layer, cj_symbol *const *inputs, int count, int outputs)
{
    cj__history *history = cj__object_new(&cj__history_class, sizeof *history);
    if (!history)
        return NULL;
    history->inputs = cj__new((size_t)count, sizeof *history->inputs);
    history->output_masks = cj__new((size_t)outputs, sizeof *history->output_masks);
    if (!history->inputs || !history->output_masks) {
        cj_release(history);
        return NULL;
    }
    history->layer = cj_retain(layer);
    for (int i = 0; i < count; i++)
        history->inputs[history->input_count++] = cj_retain(inputs[i]);
    return history;
}

// The arguments of this thread's failed applications, each held once.
static _Thread_local struct kept {
    const void **objects;
    size_t count, capacity;
} kept;

void cj__applied_release(void)
{
    const struct kept done = kept;
    kept = (struct kept){0};
    for (size_t i = 0; i < done.count; i++)
        cj_release(done.objects[i]);
    cj__free(done.objects);
}

// Without memory the object is held for good: a leak is better than a later line that names freed
// memory.
static void keep(const void *object)
{
    if (!object)
        return;
    for (size_t i = 0; i < kept.count; i++)
        if (kept.objects[i] == object)
            return;
    cj__at_thread_end(cj__applied_release);
    cj_retain(object);
    if (cj__reserve((void **)&kept.objects, &kept.capacity, kept.count + 1, sizeof *kept.objects))
        kept.objects[kept.count++] = object;
}

// Where the outputs of an application go: to so many places, or with `all` to a list that is made.
typedef struct taking {
    cj_symbol **outputs;
    int capacity;
    bool all;
} taking;

static cj_status apply(cj_layer *layer, cj__trace *trace, cj__call_settings settings,
                       cj_symbol *const *inputs, int count, taking *to)
{
    cj__value *made = NULL;
    int made_count = 0;
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs 1 or more", layer->name,
                        count);
    cj__value *given = cj__build_memory(&trace->build, (size_t)count, sizeof *given);
    if (!given)
        return trace->build.status;
    for (int i = 0; i < count; i++)
        given[i] = cj__symbol_value(inputs[i]);
    CJ_TRY(cj__layer_call_with(layer, trace, settings, given, count, &made, &made_count));
    cj__history *history = history_new(layer, inputs, count, made_count);
    cj_status status = history ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (history)
        history->settings = settings;
    if (to->all && status == CJ_OK) {
        to->outputs = cj__new((size_t)made_count, sizeof(cj_symbol *));
        to->capacity = to->outputs ? made_count : 0;
        status = to->outputs ? CJ_OK : CJ_OUT_OF_MEMORY;
    }
    cj_symbol **outputs = to->outputs;
    const int capacity = to->capacity;
    for (int i = 0; history && i < made_count; i++)
        history->output_masks[history->output_count++] = cj_retain(made[i].mask);
    for (int i = 0; status == CJ_OK && i < made_count && i < capacity; i++)
        if (!(outputs[i] = symbol_of_history(history, i, made[i].symbol)))
            status = CJ_OUT_OF_MEMORY;
    cj_release(history);
    for (int i = 0; status != CJ_OK && i < capacity; i++) {
        cj_release(outputs[i]);
        outputs[i] = NULL;
    }
    return status;
}

static cj_status need_objects(const cj_layer *layer, cj_symbol *const *inputs, int count)
{
    int missing = !layer;
    for (int i = 0; i < count; i++)
        missing += !inputs[i];
    const unsigned kinds =
        (layer ? 0U : CJ__MADE_LAYER) | (missing > !layer ? CJ__MADE_SYMBOL : 0U);
    return missing ? cj__fail_missing_some(kinds, missing,
                                           layer ? "cj_apply: the symbol" : "cj_apply: the layer") :
                     CJ_OK;
}

// `text`, which says more settings, is read when the layer is known to be one; it may be NULL.
static cj_status apply_many(cj_layer *layer, cj__call_settings settings, const char *text,
                            cj_symbol *const *inputs, int count, taking *to)
{
    cj__trace trace = {0};
    cj_status status = CJ_OK;
    for (int i = 0; to->outputs && i < to->capacity; i++)
        to->outputs[i] = NULL;
    count = inputs && count > 0 ? count : 0;
    cj__own(layer);
    for (int i = 0; i < count; i++) // held until the end, when keep() may hold them
        cj__own(inputs[i]);
    status = need_objects(layer, inputs, count);
    if (status == CJ_OK && (!inputs || (!to->outputs && to->capacity > 0)))
        status = cj__fail_null(inputs ? "cj_apply_many: the list of outputs" :
                                        "cj_apply_many: the list of inputs");
    if (status == CJ_OK)
        status = cj__call_settings_read(layer, text, &settings);
    const uint64_t begin = cj__causes_begin();
    if (status == CJ_OK)
        status = cj__build_take(&trace.build, inputs, count);
    if (status == CJ_OK)
        status = apply(layer, &trace, settings, inputs, count, to);
    if (status != CJ_OK)
        keep(layer);
    for (int i = 0; status != CJ_OK && i < count; i++)
        keep(inputs[i]);
    cj__trace_end(&trace);
    for (int i = 0; i < count; i++)
        cj_release(inputs[i]);
    cj_release(layer);
    return cj__causes_end(begin, status);
}

cj_status cj__apply_many(cj_layer *layer, cj__call_settings settings, cj_symbol *const *inputs,
                         int count, cj_symbol **outputs, int output_capacity)
{
    return apply_many(layer, settings, NULL, inputs, count,
                      &(taking){outputs, output_capacity, false});
}

cj_status cj__apply_all(cj_layer *layer, cj__call_settings settings, cj_symbol *const *inputs,
                        int count, cj_symbol ***outputs, int *output_count)
{
    taking to = {.all = true};
    const cj_status status = apply_many(layer, settings, NULL, inputs, count, &to);
    if (status != CJ_OK) {
        cj__free(to.outputs);
        to = (taking){NULL, 0, true};
    }
    *outputs = to.outputs;
    *output_count = to.capacity;
    return status;
}

cj_status cj_apply_many(cj_layer *layer, cj_symbol *const *inputs, int count, cj_symbol **outputs,
                        int output_capacity)
{
    return cj__apply_many(layer, (cj__call_settings){0}, inputs, count, outputs, output_capacity);
}

cj_status cj_apply_many_with(cj_layer *layer, const char *settings, cj_symbol *const *inputs,
                             int count, cj_symbol **outputs, int output_capacity)
{
    return apply_many(layer, (cj__call_settings){0}, settings, inputs, count,
                      &(taking){outputs, output_capacity, false});
}

cj_symbol *cj_apply_with(cj_layer *layer, const char *settings, cj_symbol *input)
{
    cj_symbol *output = NULL;
    return cj_apply_many_with(layer, settings, &input, 1, &output, 1) == CJ_OK ?
               output :
               cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj_apply_list(cj_layer *layer, cj_symbol *const *inputs, int count)
{
    cj_symbol *output = NULL;
    return cj_apply_many(layer, inputs, count, &output, 1) == CJ_OK ?
               output :
               cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj_apply(cj_layer *layer, cj_symbol *input)
{
    return cj_apply_list(layer, &input, 1);
}

cj_symbol *cj__input_symbol_of(cj_layer *layer)
{
    cj__type type;
    cj__input_type(layer, &type);
    type = cj__type_of_length(&type, CJ__LENGTH);
    cj_symbol *symbol = cj_symbol_input(type.dtype, type.shape, layer->name), *made = NULL;
    cj__history *history = symbol ? history_new(layer, NULL, 0, 1) : NULL;
    if (history) {
        history->output_count = 1;
        made = symbol_of_history(history, 0, symbol);
    }
    cj_release(history);
    cj_release(symbol);
    return made;
}

cj_symbol *cj_input_symbol_new(const cj_input_args *args)
{
    cj_layer *layer = cj__own(cj_input_new(args));
    cj_symbol *symbol = layer ? cj__input_symbol_of(layer) : NULL;
    cj_release(layer);
    return symbol ? symbol : cj__build_failed(CJ__MADE_SYMBOL);
}
