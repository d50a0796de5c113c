// Attention by several heads, whose projections are sublayers.
#ifndef CJ_LAYERS_MULTI_HEAD_H
#define CJ_LAYERS_MULTI_HEAD_H

#include "layers/kind.h"

#include <cajal/attention.h>

// The settings of such a layer.
typedef struct cj__heads {
    int64_t heads, key_heads; // of queries, and of keys and values, which divides it
    int64_t depth, width;     // features of a head's queries and keys, and of its values
    int most_axes;            // of inputs
    double dropout;
    int64_t window, seed; // -1 for none
    bool use_bias, use_gate;
    const int64_t *output_shape, *attention_axes; // ended by 0; NULL for none
    const char *kernel_initializer, *bias_initializer;
    const char *kernel_regularizer, *bias_regularizer, *activity_regularizer;
} cj__heads;

enum { CJ__HEADS_INPUTS = 4 };

// .arguments and .call_settings of the kinds
extern const char *const cj__heads_arguments[];
extern const char *const cj__attention_call_settings[];

cj_status cj__build_heads(cj_layer *layer, const cj__heads *h, const cj__type *inputs);
cj_status cj__call_heads(cj__layer_context *context, const cj__heads *h);

// The members of cj__heads that all arguments structs have.
#define CJ__HEADS_OF(a)                                                                       \
    .dropout = (a)->dropout, .window = (a)->sliding_window, .seed = (a)->seed,                \
    .use_bias = (a)->use_bias, .use_gate = (a)->use_gate,                                     \
    .kernel_initializer = (a)->kernel_initializer, .bias_initializer = (a)->bias_initializer, \
    .kernel_regularizer = (a)->kernel_regularizer, .bias_regularizer = (a)->bias_regularizer, \
    .activity_regularizer = (a)->activity_regularizer

// Their fields.
#define CJ__HEADS_FIELDS(args)                                                                \
    CJ__FIELD(args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),                                    \
        CJ__FIELD(args, use_bias, CJ__FIELD_BOOL), CJ__FIELD(args, use_gate, CJ__FIELD_BOOL), \
        CJ__FIELD(args, sliding_window, CJ__FIELD_SEED),                                      \
        CJ__SPEC_FIELD(args, kernel_initializer, cj__initializers),                           \
        CJ__SPEC_FIELD(args, bias_initializer, cj__initializers),                             \
        CJ__SPEC_FIELD(args, kernel_regularizer, cj__regularizers),                           \
        CJ__SPEC_FIELD(args, bias_regularizer, cj__regularizers),                             \
        CJ__SPEC_FIELD(args, activity_regularizer, cj__regularizers),                         \
        CJ__FIELD(args, seed, CJ__FIELD_SEED),                                                \
        CJ__FIELD(args, use_causal_mask, CJ__FIELD_BOOL, .hidden = true),                     \
        CJ__FIELD(args, return_attention_scores, CJ__FIELD_BOOL, .hidden = true)

// The further keys of their configs.
#define CJ__HEADS_KEYS                                                                  \
    CJ__KEY_ONLY("kernel_constraint", "null"), CJ__KEY_ONLY("bias_constraint", "null"), \
        CJ__KEY_HARMLESS("flash_attention")

#endif
