#include "layers/operation.h"

#include "base/memory.h"
#include "base/text.h"
#include "layers/history.h"
#include "layers/kind.h"
#include "ops/build.h"
#include "ops/word_settings.h"
#include <limits.h>
#include <string.h>

typedef struct operation {
    cj_layer layer;
    const cj__word *word;
    void *settings; // resolved, owned; NULL if the word has none
} operation;

static operation *operation_of(const cj_layer *layer)
{
    return (operation *)(uintptr_t)layer;
}

const cj__word *cj__operation_word(const cj_layer *layer)
{
    return operation_of(layer)->word;
}

const void *cj__operation_settings(const cj_layer *layer)
{
    return operation_of(layer)->settings;
}

cj_status cj__operation_set(cj_layer *layer, const void *settings)
{
    operation *o = operation_of(layer);
    void *own = cj__word_resolve(o->word, settings, layer->name);
    if (!own)
        return cj_error_status();
    cj__word_free_settings(o->word, o->settings);
    o->settings = own;
    return CJ_OK;
}

static void free_operation(cj_layer *layer)
{
    operation *o = operation_of(layer);
    if (o->settings)
        cj__word_free_settings(o->word, o->settings);
}

// The word is applied to symbols of the trace alone, which have no history.
static cj_status call(cj__layer_context *c)
{
    const operation *o = operation_of(c->layer);
    if (c->input_count < o->word->least || c->input_count > o->word->most)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d to %d", c->layer->name,
                        c->input_count, o->word->least, o->word->most);
    cj_symbol **inputs = cj__value_symbols(c->build, c->inputs, c->input_count);
    const int64_t most =
        inputs && o->word->many ? o->word->many(inputs, o->settings) : CJ__OP_IO_MAX;
    cj_symbol **made = cj__build_memory(c->build, (size_t)most, sizeof *made);
    if (!made)
        return c->build->status;
    for (int i = 0; i < c->input_count; i++) {
        const cj_symbol *x = inputs[i];
        inputs[i] = cj__node_output(c->build, x->node, x->index);
    }
    CJ_TRY(c->build->status);
    cj_status status = CJ_OK;
    int count = 1;
    if (o->word->make_many)
        status = o->word->make_many(o->word, inputs, c->input_count, o->settings, made, &count);
    else if (!(made[0] = o->word->make(o->word, inputs, c->input_count, o->settings)))
        status = cj__fail_missing(CJ__MADE_SYMBOL, c->layer->name);
    CJ_TRY(status);
    cj__layer_outputs(c, count);
    for (int i = 0; i < count; i++)
        made[i] = cj__build_keep(c->build, made[i]);
    for (int i = 0; i < count && c->build->status == CJ_OK; i++)
        c->outputs[i].symbol = made[i];
    return c->build->status;
}

static const cj_merge_args defaults = {CJ_MERGE_DEFAULTS};
static const cj__field fields[] = {CJ__LAYER_FIELDS(cj_merge_args)};

const cj__layer_kind cj__layer_operation = {
    .choice = CJ__CHOICE("operation", "Operation", fields, defaults),
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .call = call,
    .mask = CJ__MASK_DROP,
    .free = free_operation,
    .size = sizeof(operation),
    .any_dtype = true,
    .no_trainable = true,
    .no_policy = true,
};

cj_layer *cj__operation_new(const cj__word *word, const void *settings, const char *name)
{
    char standard[64];
    cj__snake_case(word->choice.class_name, standard, sizeof standard);
    const bool any = word->by_key || cj__word_settings(word)->field_count > 0;
    void *own = any ? cj__word_resolve(word, settings, name ? name : standard) : NULL;
    if (any && !own)
        return cj__build_failed(CJ__MADE_LAYER);
    cj_layer *layer = cj__layer_new(
        &cj__layer_operation, &(cj_merge_args){CJ_MERGE_DEFAULTS, .name = name ? name : standard});
    if (!layer) {
        cj__word_free_settings(word, own);
        return NULL;
    }
    layer->named = name;
    operation_of(layer)->word = word;
    operation_of(layer)->settings = own;
    return layer;
}

cj_layer *cj__applied_layer(cj__applied *applied)
{
    if (!applied->layer)
        applied->layer = cj__own(cj__operation_new(applied->word, applied->settings, NULL));
    return applied->layer;
}

// ---- Activations ----

static cj_symbol *make_activation(const cj__word *word, cj_symbol *const *x, int count,
                                  const void *settings)
{
    char *spec = cj__spec_text(cj__word_settings(word), settings);
    cj_symbol *y = spec ? cj_op_activation(spec, x[0]) : NULL;
    (void)count;
    cj__free(spec);
    return y;
}

static const char *const operands[] = {"x", NULL};

// Those over an axis, which the catalog has over the last one alone.
static const cj__axis_settings last_axis = {.axis = -1};
static const cj__field axis_fields[] = {CJ__FIELD(cj__axis_settings, axis, CJ__FIELD_INT,
                                                  .low = -CJ_MAX_RANK, .high = CJ_MAX_RANK - 1)};

static cj_symbol *along_axis(cj__build *g, const char *name, cj_symbol *x, int64_t axis)
{
    const int rank = cj_symbol_shape(x)->rank;
    int order[CJ_MAX_RANK];
    char text[CJ__SHAPE_WORDS];
    if (axis < -rank || axis >= rank) {
        cj__build_refuse(g,
                         cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is none of %s", name, (int)axis,
                                  cj_shape_text(cj_symbol_shape(x), text, sizeof text)));
        return NULL;
    }
    axis += axis < 0 ? rank : 0;
    for (int i = 0; i < rank; i++)
        order[i] = i;
    order[axis] = rank - 1;
    order[rank - 1] = (int)axis; // the two change places, and change them back
    cj_symbol *y = axis == rank - 1 ? x : cj__transpose(g, x, order);
    y = y ? cj__activation(g, name, name, y) : NULL;
    return !y || axis == rank - 1 ? y : cj__transpose(g, y, order);
}

static cj_symbol *make_along_axis(const cj__word *word, cj_symbol *const *x, int count,
                                  const void *settings)
{
    const cj__axis_settings *s = settings;
    cj__build g = {0};
    cj_symbol *given = x[0], *y = NULL;
    (void)count;
    if (cj__build_take(&g, &given, 1) == CJ_OK)
        y = along_axis(&g, word->choice.name, given, s->axis);
    return cj__word_result(&g, y, word, &given, 1, settings);
}

#define ALONG_AXIS(plain, class)                                                      \
    {                                                                                 \
        .choice = CJ__CHOICE(plain, class, axis_fields, last_axis), .module = CJ__NN, \
        .operands = operands, .least = 1, .most = 1, .make = make_along_axis          \
    }

#define ACTIVATION(plain, class, of)                                                         \
    {                                                                                        \
        .choice = CJ__PLAIN_CHOICE(plain, class), .catalog = &cj__activations, .module = of, \
        .operands = operands, .least = 1, .most = 1, .make = make_activation                 \
    }
#define CLASSES "keras.src.activations.activations"
// With the settings of the catalog's rows.
static const cj__word activations[] = {
    ACTIVATION("relu", "ReLU", CLASSES),
    ACTIVATION("leaky_relu", "LeakyRelu", CJ__NN),
    ACTIVATION("relu6", "Relu6", CJ__NN),
    ACTIVATION("elu", "Elu", CJ__NN),
    ACTIVATION("selu", "Selu", CJ__NN),
    ALONG_AXIS("softmax", "Softmax"),
    ALONG_AXIS("log_softmax", "LogSoftmax"),
    ACTIVATION("softplus", "Softplus", CJ__NN),
    ACTIVATION("softsign", "Softsign", CJ__NN),
    ACTIVATION("tanh", "Tanh", CJ__NUMPY),
    ACTIVATION("tanh_shrink", "TanhShrink", CJ__NN),
    ACTIVATION("sigmoid", "Sigmoid", CJ__NN),
    ACTIVATION("hard_sigmoid", "HardSigmoid", CJ__NN),
    ACTIVATION("silu", "Silu", CJ__NN),
    ACTIVATION("swish", "Silu", CJ__NN),
    ACTIVATION("hard_silu", "HardSilu", CJ__NN),
    ACTIVATION("hard_swish", "HardSilu", CJ__NN),
    ACTIVATION("gelu", "Gelu", CJ__NN),
    ACTIVATION("mish", "Mish", CLASSES),
    ACTIVATION("exponential", "Exp", CJ__NUMPY),
    ACTIVATION("celu", "Celu", CJ__NN),
    ACTIVATION("hard_tanh", "HardTanh", CJ__NN),
    ACTIVATION("hard_shrink", "HardShrink", CJ__NN),
    ACTIVATION("soft_shrink", "SoftShrink", CJ__NN),
    ACTIVATION("threshold", "Threshold", CJ__NN),
    ACTIVATION("log_sigmoid", "LogSigmoid", CJ__NN),
    ACTIVATION("sparse_plus", "SparsePlus", CJ__NN),
    ACTIVATION("sparse_sigmoid", "SparseSigmoid", CJ__NN),
    ACTIVATION("squareplus", "Squareplus", CJ__NN),
    ALONG_AXIS("glu", "Glu"),
};
enum { ACTIVATION_COUNT = sizeof activations / sizeof activations[0] };

const cj__word *cj__word_of_activation(const char *name)
{
    for (int i = 0; i < ACTIVATION_COUNT; i++)
        if (strcmp(activations[i].choice.name, name) == 0)
            return &activations[i];
    return NULL;
}

// ---- All words ----

const cj__word *cj__word_at(int index)
{
    int count = 0;
    while (cj__op_words[count])
        count++;
    if (index < count)
        return cj__op_words[index];
    return index - count < ACTIVATION_COUNT ? &activations[index - count] : NULL;
}

const cj__word *cj__word_find(const char *module, const char *class_name)
{
    enum { NAMES_MAX = 1024 };
    const char *names[NAMES_MAX];
    int count = 0;
    for (int i = 0; cj__word_at(i); i++) {
        const cj__word *word = cj__word_at(i);
        const bool same = strcmp(word->choice.class_name, class_name) == 0 ||
                          (word->other_class && strcmp(word->other_class, class_name) == 0);
        if (same && strcmp(word->module, module) == 0)
            return word;
        if (count < NAMES_MAX)
            names[count++] = word->choice.class_name;
    }
    if (cj__nearest(class_name, names, sizeof names[0], count))
        cj__fail_unknown(CJ_UNSUPPORTED, "operation", class_name, names, sizeof names[0], count);
    else
        cj__fail(CJ_UNSUPPORTED, "unknown operation \"%.200s\" of Keras's module %.100s",
                 class_name, module);
    return NULL;
}
