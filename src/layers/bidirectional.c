// Bidirectional: keras/src/layers/rnn/bidirectional.py.
#include "layers/kind.h"
#include "layers/sequence.h"
#include "ops/families.h"

#include <cajal/wrappers.h>
#include <stdio.h>
#include <string.h>

CJ__DEFAULTS(bidirectional, BIDIRECTIONAL)

static const char *const merge_modes[] = {"concat", "sum", "mul", "ave", NULL};

static const cj__field fields[] = {
    CJ__FIELD(cj_bidirectional_args, merge_mode, CJ__FIELD_TEXT, .words = merge_modes),
    CJ__LAYER_FIELDS(cj_bidirectional_args),
};

static const cj__sublayer sublayers[] = {
    {"layer", offsetof(cj_bidirectional_args, layer), false, false},
    {"backward_layer", offsetof(cj_bidirectional_args, backward_layer), false, true},
    {NULL, 0, false, false},
};

enum { FORWARD, BACKWARD };

static bool flag_of(const cj_layer *layer, const char *key)
{
    const bool *flag = cj__layer_setting(layer, key);
    return flag && *flag;
}

// A layer that can go both ways has these settings.
static cj_status need_recurrent(const cj_layer *layer, const char *who)
{
    static const char *const keys[] = {"go_backwards", "return_sequences", "return_state",
                                       "stateful"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!cj__layer_setting(layer, keys[i]))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: %s (%s) is no recurrent layer: it has no setting %s", who,
                            layer->name, cj_layer_class(layer), keys[i]);
    return CJ_OK;
}

// The layer's settings again under the name with that prefix, which it may have already.
static cj_layer *made_from(const cj_layer *layer, const char *prefix, bool turned)
{
    char name[160];
    const size_t length = strlen(prefix);
    snprintf(name, sizeof name, "%s%.128s", prefix,
             layer->name + (strncmp(layer->name, prefix, length) == 0 ? length : 0));
    return cj__layer_again(layer, name, turned);
}

// Keras forces this on both layers: sequences are 0 where steps are masked.
static void set_zero_output(cj_layer *layer)
{
    bool *zero = cj__layer_setting(layer, "zero_output_for_mask");
    if (zero)
        *zero = flag_of(layer, "return_sequences");
}

static cj_status prepare(void *args, const char *who)
{
    cj_bidirectional_args *a = args;
    const cj_layer *given = a->layer;
    CJ_TRY(need_recurrent(given, who));
    if (a->backward_layer)
        CJ_TRY(need_recurrent(a->backward_layer, who));
    a->layer = made_from(given, "forward_", false);
    if (!a->layer)
        return cj_error_status();
    if (!a->backward_layer)
        a->backward_layer = made_from(given, "backward_", true);
    if (!a->backward_layer) {
        cj__drop_floating(a->layer);
        return cj_error_status();
    }
    return CJ_OK;
}

static cj_status check(cj_layer *layer)
{
    static const char *const same[] = {"stateful", "return_sequences", "return_state"};
    const cj_layer *forward = layer->sublayers[FORWARD], *backward = layer->sublayers[BACKWARD];
    if (flag_of(forward, "go_backwards") == flag_of(backward, "go_backwards"))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: go_backwards is %s in both layers; one must go the other way",
                        layer->name, flag_of(forward, "go_backwards") ? "true" : "false");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (flag_of(forward, same[i]) != flag_of(backward, same[i]))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: %s is %s in the forward layer and %s in the backward layer; it "
                            "must be the same",
                            layer->name, same[i], flag_of(forward, same[i]) ? "true" : "false",
                            flag_of(backward, same[i]) ? "true" : "false");
    set_zero_output(layer->sublayers[FORWARD]);
    set_zero_output(layer->sublayers[BACKWARD]);
    return CJ_OK;
}

// (batch, time, ...) with time the other way round. A loop that goes backwards has turned its
// sequence around as its last step, with time first: then that is undone.
static cj_symbol *turn_time(cj__build *g, cj_symbol *x)
{
    if (x && cj__symbol_is(x, &cj__op_transpose)) {
        const int *order = cj__symbol_attrs(x);
        cj_symbol *reversed = x->node->inputs[0];
        if (order[0] == 1 && order[1] == 0 && cj__symbol_is(reversed, &cj__op_reverse) &&
            ((const cj__axis_attrs *)cj__symbol_attrs(reversed))->axis == 0)
            return cj__transpose(g, reversed->node->inputs[0], order);
    }
    return cj__reverse(g, x, 1);
}

static cj_symbol *merge(cj__build *g, const char *mode, cj_symbol *a, cj_symbol *b)
{
    if (!a || !b)
        return NULL;
    if (strcmp(mode, "concat") == 0)
        return cj__concat(g, (cj_symbol *[]){a, b}, 2, cj_symbol_shape(a)->rank - 1);
    if (strcmp(mode, "mul") == 0)
        return cj__mul(g, a, b);
    cj_symbol *sum = cj__add(g, a, b);
    return strcmp(mode, "sum") == 0 ? sum : cj__scale(g, sum, 0.5);
}

// Calls one of the layers with the sequence and its half of the initial states.
static cj_status call_one(cj__layer_context *c, int which, cj__value **outputs, int *count)
{
    cj_layer *layer = c->layer->sublayers[which];
    cj__value *inputs = cj__build_memory(c->build, (size_t)c->input_count + 1, sizeof *inputs);
    if (!inputs)
        return c->build->status;
    const int states = (c->input_count - 1) / 2;
    const uint32_t masked = cj__call_setting_bit(layer->kind, "mask");
    inputs[0] = c->inputs[0];
    for (int i = 0; i < states; i++)
        inputs[1 + i] = c->inputs[1 + which * states + i];
    if (!masked || !cj__called_with(c, "mask"))
        return cj__layer_call(layer, c->trace, inputs, 1 + states, outputs, count);
    inputs[1 + states].symbol = c->inputs[0].mask;
    return cj__layer_call_with(layer, c->trace, (cj__call_settings){masked, masked}, inputs,
                               2 + states, outputs, count);
}

static cj_status call(cj__layer_context *c)
{
    const cj_bidirectional_args *a = c->layer->args;
    const bool sequences = flag_of(c->layer->sublayers[FORWARD], "return_sequences");
    cj__value *forward = NULL, *backward = NULL;
    int counts[2] = {0, 0}, next = 0;
    if (c->input_count % 2 == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %d initial states given, needs as many for each of the two layers",
                        c->layer->name, c->input_count - 1);
    CJ_TRY(call_one(c, FORWARD, &forward, &counts[FORWARD]));
    CJ_TRY(call_one(c, BACKWARD, &backward, &counts[BACKWARD]));
    CJ_TRY(cj__layer_outputs(c, counts[FORWARD] + counts[BACKWARD]));
    if (sequences)
        backward[0].symbol = turn_time(c->build, backward[0].symbol);
    if (a->merge_mode) {
        c->outputs[next++].symbol =
            merge(c->build, a->merge_mode, forward[0].symbol, backward[0].symbol);
    } else {
        c->outputs[next++].symbol = forward[0].symbol;
        c->outputs[next++].symbol = backward[0].symbol;
    }
    for (int i = 0; i < next && sequences; i++)
        c->outputs[i].mask = c->inputs[0].mask;
    for (int i = 1; i < counts[FORWARD]; i++)
        c->outputs[next++].symbol = forward[i].symbol;
    for (int i = 1; i < counts[BACKWARD]; i++)
        c->outputs[next++].symbol = backward[i].symbol;
    c->output_count = next;
    return c->build->status;
}

static const cj__config_key keys[] = {
    CJ__KEY_HARMLESS("layer"),
    CJ__KEY_HARMLESS("backward_layer"),
    CJ__KEY_HARMLESS("num_constants"),
    {.key = NULL},
};

const cj__layer_kind cj__layer_bidirectional = {
    .choice = CJ__CHOICE("bidirectional", "Bidirectional", fields, bidirectional_defaults),
    .keys = keys,
    .sublayers = sublayers,
    .more_inputs = "initial_state",
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .min_inputs = 1,
    .max_inputs = 1 + 2 * CJ__SEQUENCE_STATES,
    .prepare = prepare,
    .check = check,
    .call = call,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(bidirectional)
