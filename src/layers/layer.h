// The inside of a layer: its kind (a row of layers.def, a const struct), resolved settings,
// variables, sublayers.
//
// A layer is *traced*: its call() appends ops through a cj__trace, either for training or for
// prediction. Symbols that users hold come from tracing for prediction; compiling traces the same
// layers again for training. A functional model finds its layers through the history of its symbols
// (which layer, which application, which output).
#ifndef CJ_LAYERS_LAYER_H
#define CJ_LAYERS_LAYER_H

#include "base/fields.h"
#include "base/use.h"
#include "graph/graph.h"
#include "layers/index.h"
#include <cajal/convolutions.h>
#include <cajal/layers.h>
#include <cajal/model.h>
#include <cajal/preprocessing.h>
#include <cajal/spatial.h>
#include <cajal/text.h>

// A symbol and its mask, bool (batch, time): false for steps to be ignored. NULL for no mask.
typedef struct cj__value {
    cj_symbol *symbol;
    cj_symbol *mask;
} cj__value;

// One tracing of a model.
typedef struct cj__trace {
    cj__build build;
    bool training;
    // Its results are about to be computed: no layer may lack what it is to learn first.
    bool running;
    // For each layer, whether it was trainable when the model was compiled. If NULL, and for layers
    // that are not in it, the layer's own flag counts. Not held.
    const cj__index *flags;
    // int64 scalar, the number of the training step, on which dropout's masks depend; set if
    // training
    cj_symbol *step;
    bool mixed;         // the layer that is being called computes in bfloat16 (policy.c)
    uint64_t seed;      // of the model
    cj_update *updates; // of moving averages and states, held by the builder
    int update_count;
    size_t update_capacity;
    // scalars to be added to the loss: activity regularizers (weights' are in cj__layer_losses)
    cj_symbol **losses;
    int loss_count;
    size_t loss_capacity;
    // If not NULL, called after each layer with its inputs and outputs (for cj_explain() and
    // TerminateOnNaN).
    void (*watch)(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count);
    void *watch_context;
    cj_symbol **reads; // the symbols of the variables that were read
    int read_count;
    size_t read_capacity;
    cj__index read_index; // of each variable, the index of its symbol in `reads`
    uint32_t called;      // for `watch`: the call settings that were on, bit i: that of row i
    int drawn;            // random consumers (dropouts) traced so far: part of their keys
} cj__trace;              // starts as {0}; ended by cj__trace_end

cj_status cj__trace_end(cj__trace *trace); // ends the builder, frees the lists
cj_status cj__trace_update(cj__trace *trace, cj_variable *variable, cj_symbol *value);
cj_status cj__trace_loss(cj__trace *trace, cj_symbol *scalar);

// The symbol that reads a variable. A trace has one for each variable, so that gradients by it are
// complete; a layer with the policy mixed_bfloat16 gets it rounded. NULL after a failure.
cj_symbol *cj__trace_variable(cj__trace *trace, cj_variable *variable);
// Makes `value` what the trace reads as the variable, for what is traced from now on: gradients are taken
// by it, and the optimizer steps from it. Whether that was done.
cj_status cj__trace_replace(cj__trace *trace, cj_variable *variable, cj_symbol *value);
bool cj__trace_replaced(const cj__trace *trace, const cj_variable *variable);
// The value of the variable after the updates traced so far: that of its latest update, or else its
// symbol.
cj_symbol *cj__trace_latest(cj__trace *trace, cj_variable *variable);
// x rounded to bfloat16 if the layer that is being called has the policy mixed_bfloat16, else x.
cj_symbol *cj__trace_round(cj__trace *trace, cj_symbol *x);
// A key for random numbers, made from `seed`, or from the trace's seed if that is -1. Each call
// gives another key.
uint64_t cj__trace_key(cj__trace *trace, int64_t seed, const char *name);

// A call of a layer has any number of inputs and outputs. CJ__LAYER_FEW: outputs that there is room for
// without asking. CJ__SUBLAYER_LIST: layers in a setting that is a list.
enum { CJ__LAYER_FEW = 24, CJ__SUBLAYER_LIST = 16, CJ__LAYER_VARIABLES_MAX = 16 };

// One call of a layer: the inputs of its kind's call(), and the place for its outputs.
typedef struct cj__layer_context {
    cj_layer *layer;
    cj__trace *trace;
    cj__build *build; // the trace's
    const cj__value *inputs;
    int input_count;
    uint32_t called;    // the call settings that are on: see cj__called_with()
    cj__value *outputs; // zeroed, room for CJ__LAYER_FEW: see cj__layer_outputs()
    int output_count;   // 1, unless call() sets another number
} cj__layer_context;

// For a call() with perhaps more outputs than CJ__LAYER_FEW: sets their number, and makes room.
cj_status cj__layer_outputs(cj__layer_context *context, int count);
// The symbols of values, in memory of the builder; NULL after a failure.
cj_symbol **cj__value_symbols(cj__build *build, const cj__value *values, int count);

// A setting that is a layer, or with `list` up to CJ__SUBLAYER_LIST of them, ended by NULL.
typedef struct cj__sublayer {
    const char *key; // Keras's config key; in its model files the sublayer's place, too
    size_t offset;   // of a cj_layer *, or of the list, in the arguments struct
    bool list, optional;
} cj__sublayer;

// A mask that an application may be given as an input of its own, behind the others: the call setting
// that says so, and the input that it is the mask of.
typedef struct cj__given_mask {
    const char *name;
    int input;
} cj__given_mask;
// "mask", of input 0; and the call settings of layers that have no others.
extern const cj__given_mask cj__mask_of_first[];
extern const char *const cj__mask_settings[];

typedef struct cj__layer_kind {
    cj__choice choice; // name "conv2d", class_name "Conv2D", fields of its arguments struct
    // further keys of Keras's config, ended by a row without a key; or NULL
    const cj__config_key *keys;
    // settings that are layers, ended by a row without a key; or NULL
    const cj__sublayer *sublayers;
    // the keyword that Keras gives the inputs after the first by ("initial_state"); NULL where all
    // inputs are one list
    const char *more_inputs;
    int min_inputs, max_inputs;
    // Changes arguments before they are resolved, `who` for sentences; may be NULL.
    cj_status (*prepare)(void *args, const char *who);
    // Checks resolved settings against each other; may be NULL.
    cj_status (*check)(cj_layer *layer);
    // Creates variables for the types of layer->input_count inputs, the batch axis included; may be
    // NULL.
    cj_status (*build)(cj_layer *layer, const cj__type *inputs);
    // The axes of a variable, by its index, that count as inputs where an initializer scales with
    // their number (the others are outputs), bit i: axis i; 0 for Keras's rule. NULL for most.
    uint32_t (*input_axes)(const cj_layer *layer, int index);
    // Changes what was drawn for a variable, by its index; NULL for most.
    void (*after_draw)(const cj_layer *layer, int index, cj_tensor *value);
    // Learns the layer's state from data, for cj_adapt(); NULL for most. The data has samples.
    cj_status (*adapt)(cj_layer *layer, const cj_tensor *data);
    // Takes over what neither settings nor variables say, for a layer that is made again (clone.c);
    // NULL for most.
    void (*copy_state)(cj_layer *made, const cj_layer *layer);
    // Appends ops. Masks: see `mask`.
    cj_status (*call)(cj__layer_context *context);
    // The outputs' masks: none; that of input 0 where call() sets none; or what call() sets.
    enum { CJ__MASK_DROP, CJ__MASK_PASS, CJ__MASK_OWN } mask;
    // The immediate sublayers in order, of a model or wrapper; returns their number. NULL for plain
    // layers.
    int (*children)(const cj_layer *layer, cj_layer *const **children);
    void (*free)(cj_layer *layer); // frees what the kind added to the layer; may be NULL
    // of the layer's struct, at least sizeof(cj_layer); 0 for sizeof(cj_layer)
    size_t size;
    // Keras calls it with training = true unless it is told: so do files, which changes nothing
    bool any_training;
    // In Keras its inputs are arguments of the call with these names, not one list; ended by NULL.
    const char *const *arguments;
    // In Keras several inputs are one dictionary with these keys, and its outputs too; a single input
    // is given as it is. Ended by NULL.
    const char *const *input_keys;
    // The bools that in Keras are arguments of the call, 32 at most; ended by NULL. One that is a
    // hidden setting of the layer, too, is what it says there unless an application says otherwise.
    const char *const *call_settings;
    // Those of the call settings that say that the last inputs are masks; ended by a row without a
    // name. NULL for none: see given_masks.c.
    const cj__given_mask *given_masks;
    bool masks_in_list; // in Keras they are one list, "mask", which stands for all masks of inputs
    const char *module; // Keras's module of it; NULL: keras.layers
    const struct cj__cell *cell; // of a cell of a recurrent layer (cells.h); else NULL
    bool of_program;             // it is made of functions of the program, which no file can hold
    bool custom;                 // its class is one that the program registered (custom.h)
    bool by_batch;        // in training its result for a sample depends on the batch around it
    bool any_dtype;       // takes inputs of any dtype; for others they are cast to float32
    bool exact_variables; // mixed_bfloat16 leaves its variables as they are
    bool no_trainable;    // Keras's config has no "trainable"
    bool no_dtype;  // in Keras its "dtype" is that of whole numbers, which follows from its mode
    bool no_policy; // mixed_bfloat16 leaves its inputs and outputs as they are
} cj__layer_kind;

// The loading of a model whose weights follow: variables are not drawn, since they are about to be
// overwritten, and have no more elements than the file has left for them.
typedef struct cj__filling {
    int64_t elements;
} cj__filling;

// Levels of models within one another. What walks over a model calls itself for a model in it, on
// whatever stack its thread has.
enum { CJ__MODEL_DEPTH_MAX = 64 };

struct cj_layer {
    cj__object object;
    const cj__layer_kind *kind;
    void *args; // resolved
    char *name;
    bool named;            // by the user: never renumbered
    bool trainable;        // own flag; a containing layer that is frozen freezes it too
    bool mixed;            // its dtype policy is mixed_bfloat16
    atomic_bool built;     // set last, so that a thread that sees it sees the variables too
    bool joined;           // belongs to a model: its name and initial weights are settled
    int depth;             // levels of models in it, its own included; 0 for a plain layer
    atomic_int containers; // models whose list of layers has this one
    uint64_t key;          // of initial weights: a variable is drawn with cj__key(key, its name)
    cj_variable *variables[CJ__LAYER_VARIABLES_MAX]; // own, in order of creation, held
    // spec of each variable; strings are those of `args` or static
    const char *initializers[CJ__LAYER_VARIABLES_MAX];
    const char *regularizers[CJ__LAYER_VARIABLES_MAX]; // spec of each variable, or NULL
    const char *constraints[CJ__LAYER_VARIABLES_MAX];  // spec of each variable, or NULL
    bool states[CJ__LAYER_VARIABLES_MAX];              // carried from batch to batch: not a weight
    int variable_count;
    cj_layer **sublayers; // held; those of its settings, in order (sublayers.c)
    int sublayer_count;
    cj__type *input_types; // of the first build
    int input_count;
    cj__filling *filling; // while the model is loaded; else NULL
};

// All kinds but those of models, ended by NULL. cj__layer_kind_find() takes a class name ("Conv2D"),
// also of a class that the program registered, and suggests one on failure.
extern const cj__layer_kind *const cj__layer_kinds[];
#define CJ__LAYER(name) extern const cj__layer_kind cj__layer_##name;
#include "layers/layers.def"
#undef CJ__LAYER
extern const cj__layer_kind cj__layer_sequential, cj__layer_functional;
const cj__layer_kind *cj__layer_kind_find(const char *class_name);

// Makes a layer of a kind from its unresolved arguments struct, for the public constructors. Every
// kind has the fields "name" and "trainable".
cj_layer *cj__layer_new(const cj__layer_kind *kind, const void *args);

// For build(): creates a variable, drawn from the initializer spec with the layer's key.
// regularizer may be NULL. Its constraint is the setting of that name: see CJ__CONSTRAINT_FIELD.
cj_status cj__layer_add_variable(cj_layer *layer, const char *name, cj_shape shape,
                                 const char *initializer, const char *regularizer, bool trainable,
                                 cj_variable **variable);

// Builds a layer that is not built, for inputs of these types.
cj_status cj__layer_build(cj_layer *layer, const cj__type *inputs, int count);

// Builds the layer if it is not, checks the number and types of inputs, and calls it. The core of
// cj_apply and of models. The outputs are in memory of the trace's builder.
cj_status cj__layer_call(cj_layer *layer, cj__trace *trace, const cj__value *inputs, int count,
                         cj__value **outputs, int *output_count);

// What an application says of the kind's call_settings, bit i of row i.
typedef struct cj__call_settings {
    uint32_t given; // that it says something
    uint32_t on;    // what it says
} cj__call_settings;

// cj__layer_call() by an application with settings of its own.
cj_status cj__layer_call_with(cj_layer *layer, cj__trace *trace, cj__call_settings settings,
                              const cj__value *inputs, int count, cj__value **outputs,
                              int *output_count);
// call_settings.c: the settings that are on in such a call, bit i of row i.
uint32_t cj__call_settings_on(const cj_layer *layer, cj__call_settings settings);
// The bit of the call setting of that name; 0 if the kind has none.
uint32_t cj__call_setting_bit(const cj__layer_kind *kind, const char *name);
// Whether the call setting of that name is on, among those of the kind that are.
bool cj__call_setting_in(const cj__layer_kind *kind, uint32_t on, const char *name);
bool cj__called_with(const cj__layer_context *context, const char *name);
// given_masks.c: how many of the inputs are masks, with these call settings.
int cj__given_mask_count(const cj__layer_kind *kind, uint32_t on);
// Inputs whose last ones are masks as those before them, with these masks; *count is lessened. NULL after
// a failure.
const cj__value *cj__take_masks(const cj_layer *layer, cj__build *build, uint32_t on,
                                const cj__value *inputs, int *count);
// Reads "reverse, use_causal_mask=false"; NULL or "" says nothing.
cj_status cj__call_settings_read(const cj_layer *layer, const char *text,
                                 cj__call_settings *settings);

// All variables of a layer and what it contains, each once, as Keras orders `weights`: a layer's
// own trainable ones, its own others, then those of each sublayer in turn. With trainable_only,
// only those that training may change, given frozen layers. Returns the count; fills at most
// `capacity`.
int cj__layer_variables(const cj_layer *layer, bool trainable_only, cj_variable **variables,
                        int capacity);
// The states of stateful layers, which are variables too but no weights; counted and filled alike.
int cj__layer_states(const cj_layer *layer, cj_variable **variables, int capacity);

// The variables that training changes, given the flags of a compile (see cj__trace.flags), in the
// same order. Returns the count; fills at most `capacity`.
int cj__layer_trained(const cj_layer *layer, const cj__index *flags, cj_variable **variables,
                      int capacity);
// For each of them its constraint's spec, or NULL: fills at most `capacity`.
void cj__layer_constraints(const cj_layer *layer, const cj__index *flags, const char **specs,
                           int capacity);
// Whether the layer itself trains under these flags.
bool cj__layer_trains(const cj_layer *layer, const cj__index *flags);

// The sum of all weight regularizers of a layer and what it contains as a scalar, NULL with *any
// false if none. Frozen weights do not count, as in Keras.
cj_symbol *cj__layer_losses(cj_layer *layer, cj__trace *trace, bool *any);

// Gives a layer a name, also in its arguments and its variables' names.
cj_status cj__layer_rename(cj_layer *layer, const char *name);
// The policy of that name for the layer alone (policy.c).
cj_status cj__layer_set_policy(cj_layer *layer, const char *policy);
// Rounds float32 inputs or outputs of a layer to bfloat16 if its policy is mixed_bfloat16.
void cj__layer_round(const cj_layer *layer, cj__trace *trace, cj__value *values, int count);
// The address of the setting of that key in the layer's arguments; NULL if the kind has none.
void *cj__layer_setting(const cj_layer *layer, const char *key);
// Draws the variables of a layer and of all it contains anew. The key of a sublayer is made from
// that of its container and its name.
cj_status cj__layer_draw(cj_layer *layer, uint64_t key);
// Draws the layer's own variables anew with its key.
cj_status cj__layer_draw_own(cj_layer *layer);
// Whether the variables still have the values that were drawn: not assigned, not trained.
cj_status cj__layer_untouched(const cj_layer *layer, bool *untouched);

// Ends the loading of a layer and all it contains: from now on variables are drawn again.
void cj__layer_end_filling(cj_layer *layer);

// sublayers.c: layers that are settings of others.
// Adds or takes away a holder of each layer in unresolved arguments.
cj_status cj__sublayers_hold(const cj__layer_kind *kind, const void *args, const char *who);
void cj__sublayers_drop(const cj__layer_kind *kind, const void *args);
// Takes those in the resolved arguments for the layer's; ends that.
cj_status cj__sublayers_take(cj_layer *layer);
void cj__sublayers_free(cj_layer *layer);
// For build(): builds a sublayer, if it is not, by a call with inputs of these types.
cj_status cj__sublayer_build(cj_layer *child, const cj__type *inputs, int count);
// The layer or layers of a row, in an arguments struct, ended by NULL if they are fewer than
// CJ__SUBLAYER_LIST; their number.
int cj__sublayers_at(const cj__sublayer *row, const void *args, cj_layer *const **layers);
// A new floating layer of the same settings, sublayers included, with another name, and with
// go_backwards turned around if that is asked for. NULL after a failure.
cj_layer *cj__layer_again(const cj_layer *layer, const char *name, bool turned);
// The same, with sublayers that `copy` makes; it may give one that is held already.
cj_layer *cj__layer_like(const cj_layer *layer, const char *name, bool turned,
                         cj_layer *(*copy)(void *context, const cj_layer *sublayer), void *context);

// The immediate sublayers in order and their number; 0 for plain layers.
int cj__layer_children(const cj_layer *layer, cj_layer *const **children);

// activations.c: an activation spec applied to a symbol ("softmax" works over the last axis). NULL
// spec is linear.
cj_symbol *cj__activation(cj__build *build, const char *spec, const char *who, cj_symbol *x);
// initializers.c: fills a tensor with initial values by a spec, with random numbers of the key.
cj_status cj__initialize(cj_tensor *tensor, const char *spec, const char *who, uint64_t key);
// The same with input_axes as in cj__layer_kind.
cj_status cj__initialize_by_axes(cj_tensor *tensor, const char *spec, const char *who, uint64_t key,
                                 uint32_t input_axes);
// regularizers.c: the penalty of a spec on a symbol: a scalar.
cj_symbol *cj__regularizer(cj__build *build, const char *spec, const char *who, cj_symbol *x);
// The same divided by the length of axis 0, the batch: an activity regularizer.
cj_symbol *cj__activity_regularizer(cj__build *build, const char *spec, const char *who,
                                    cj_symbol *x);
// constraints.c: the value that a constraint's spec makes of a weight.
cj_symbol *cj__constrain(cj__build *build, const char *spec, const char *who, cj_symbol *x);
// Whether the spec fits a weight of that shape.
cj_status cj__constraint_check(const char *spec, const char *who, const cj_shape *shape);
// (l1 sum |x| + l2 sum x^2) / batch.
cj_symbol *cj__activity_penalty(cj__build *build, cj_symbol *x, double l1, double l2);
extern const cj__catalog cj__activations, cj__initializers, cj__regularizers, cj__constraints;
// Layers that mix images and labels, as specs (image_mixtures.c).
extern const cj__catalog cj__mixtures;

// Models (model.h): layers whose kind is sequential or functional.
struct cj_model; // the same object as its cj_layer
// The types of the inputs of a built model, and their number; 0 for a model that is not built.
int cj__model_inputs(const cj_model *model, const cj__type **types);
// cj_model_set_input(), but for a model that may be built already, or meanwhile by another thread.
cj_status cj__model_need_input(cj_model *model, cj_dtype dtype, cj_shape shape);
// Traces a whole model on given inputs; outputs in order, in memory of the trace's builder.
cj_status cj__model_trace(cj_model *model, cj__trace *trace, cj_symbol *const *inputs,
                          cj__value **outputs);

// An object that a room above keeps with a model (train/state.h); it is released with the model.
void cj__model_attach(cj_model *model, void *object); // takes one holder over; releases the former
void *cj__model_attached(const cj_model *model);

// The uses of a model by threads at the moment: for functions that change a model, or read it while
// another thread might change it.
cj__use *cj__model_use(cj_model *model);
uint64_t cj__model_seed(const cj_model *model);
// Note `index` of a model: false if there are no more. The texts are the model's.
bool cj__model_note_at(const cj_model *model, int index, const char **name, const char **text);
// Sets the size of the optimizer's variables for the summary: elements and bytes; 0 for none.
void cj__model_note_optimizer(cj_model *model, int64_t params, int64_t bytes);

// A functional model's graph, for summary, JSON and explain: applications ("nodes") in topological
// order.
typedef struct cj__application {
    cj_layer *layer; // NULL for an op that was applied to symbols without a layer
    cj__node *node;  // that op, held, to be appended again over this application's inputs; or NULL
    cj__call_settings settings; // what it says of the layer's call settings
    int which;                  // index of this application among those of the same layer, from 0
    int next;                   // the next application of the same layer; -1 if this is the last
    int input_count, output_count;
    int *input_app;         // for each input: index of the producing application
    int *input_index;       // and which of its outputs
    cj__type *output_types; // of each output; of a built model
    cj_symbol **symbols;    // the outputs, held, once they were asked for (model_symbols.c)
} cj__application;
// The applications of a sequential model form a chain. Inputs of a model are applications of input
// layers.
int cj__model_applications(const cj_model *model, const cj__application **applications);
// Input and output `index` of the model as (application, output).
void cj__model_input_at(const cj_model *model, int index, int *application);
void cj__model_output_at(const cj_model *model, int index, int *application, int *output);
bool cj__model_is_sequential(const cj_model *model);

#endif
