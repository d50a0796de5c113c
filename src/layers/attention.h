// What the layers of attention share: masks as expressions, and attention with scores.
#ifndef CJ_LAYERS_ATTENTION_H
#define CJ_LAYERS_ATTENTION_H

#include "layers/layer.h"

// How a layer attends. q (b, t, h, d), k (b, s, g, d), v (b, s, g, e), h a multiple of g.
typedef struct cj__attending {
    double scale;
    bool causal;
    cj_symbol *mask;     // bool, broadcasts to (b, h, t, s); NULL for none
    double dropout;      // of the attention, in training
    int64_t seed;        // of the dropout
    bool scores;         // wanted
    bool zero_if_masked; // a query without any key gets zeros, not the mean of all values
} cj__attending;

// The attention (b, t, h, e), and its scores (b, h, t, s) after the softmax, if they are wanted.
// With the op attention, which keeps no scores, unless they are wanted or dropped.
cj_symbol *cj__attend(cj__layer_context *context, const cj__attending *how, cj_symbol *q,
                      cj_symbol *k, cj_symbol *v, cj_symbol **scores);

// Both masks; one of them may be NULL.
cj_symbol *cj__mask_and(cj__build *g, cj_symbol *a, cj_symbol *b);
// A mask of queries (b, t) or keys (b, s) as (b, 1, t, 1) or (b, 1, 1, s).
cj_symbol *cj__mask_of_queries(cj__build *g, cj_symbol *mask);
cj_symbol *cj__mask_of_keys(cj__build *g, cj_symbol *mask);
// (1, 1, queries, keys): key j is seen by query i if -before < j - i < after. As a constant.
cj_symbol *cj__mask_of_band(cj__build *g, int64_t queries, int64_t keys, int64_t before,
                            int64_t after);
// An input as a bool mask: where it is not 0.
cj_symbol *cj__mask_of_input(cj__build *g, cj_symbol *x);

#endif
