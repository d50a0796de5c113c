// What TextVectorization, StringLookup and IntegerLookup share: a vocabulary, given or learnt, and the
// forms in which indices come out. Indices: that of the mask, if there is one and the mode is "int";
// those of what is not in the vocabulary (oov_count of them); then the vocabulary's.
#ifndef CJ_LAYERS_LOOKUP_H
#define CJ_LAYERS_LOOKUP_H

#include "layers/kind.h"
#include "ops/text.h"

#include <stdatomic.h>

// A layer of this family.
typedef struct cj__lookup {
    cj_layer layer;
    cj__vocabulary *vocabulary; // the mask, if there is one, and the tokens; NULL: not known yet
    cj_tensor *weights;         // with "tf_idf": float32, one for each index; else NULL
    bool given;                 // the vocabulary was not learnt here
    atomic_bool used;           // it has been run in a model, whose functions hold the vocabulary
} cj__lookup;

// The settings that they have in common, or stand for where a class does not have them.
typedef struct cj__lookup_settings {
    bool whole;         // tokens are whole numbers, not texts
    int64_t max_tokens; // -1: any
    int64_t oov_count;
    bool masked, invert, pad;
    const char *mask, *oov; // texts
    int64_t mask_number, oov_number;
    const char *mode;
    int64_t hash;
    uint64_t salt[2];
    cj_texts *texts;     // the setting "vocabulary" of texts,
    cj_numbers *numbers; // or of numbers
    cj_numbers *idf;
} cj__lookup_settings;

// The family's member that a layer is; NULL for others. Its settings.
cj__lookup *cj__lookup_of(const cj_layer *layer);
cj__lookup_settings cj__lookup_settings_of(const cj_layer *layer);

// For the kinds: checks settings, and takes in a vocabulary that was given; learns one; frees.
cj_status cj__lookup_check(cj_layer *layer);
cj_status cj__lookup_adapt(cj_layer *layer, const cj_tensor *data);
void cj__lookup_free(cj_layer *layer);
void cj__lookup_copy_state(cj_layer *made, const cj_layer *layer);
// Takes in the vocabulary that is in the settings.
cj_status cj__lookup_take(cj_layer *layer);
// Gives the layer another vocabulary in place of its settings', which must come from malloc like
// resolved ones; it is taken over. On failure all is as it was.
cj_status cj__lookup_replace(cj_layer *layer, cj_texts texts, cj_numbers numbers, cj_numbers idf);

// Fails where a vocabulary is needed and not there: to run, or because the output's shape depends on
// it.
cj_status cj__lookup_need(const cj_layer *layer, bool running);
// Notes that a trace which is about to run holds the vocabulary.
void cj__lookup_note(const cj__layer_context *context);

// The number of indices, and the entries of an output that is not of mode "int".
int64_t cj__lookup_size(const cj_layer *layer);
int64_t cj__lookup_depth(const cj_layer *layer);
// The attributes of the ops.
cj__lookup_attrs cj__lookup_attrs_of(const cj_layer *layer);
// counts (..., depth) times the weights if the mode is "tf_idf".
cj_symbol *cj__lookup_weigh(cj__layer_context *context, cj_symbol *counts);
// Indices in another mode than "int": "one_hot", "multi_hot", "count".
cj_status cj__encode_indices(cj__layer_context *context, cj_symbol *indices, const char *mode,
                             int64_t depth);

// learn.c: the vocabulary of data: resolved texts or numbers, and with `idf` weights. The caller frees
// what is not NULL.
typedef struct cj__learnt {
    cj_texts texts;
    cj_numbers numbers, idf;
} cj__learnt;
cj_status cj__learn(const cj_layer *layer, const cj__lookup_settings *settings,
                    const cj__text_rules *rules, const cj_tensor *data, cj__learnt *learnt);

// text_vectorization.c: how it takes texts apart.
cj__text_rules cj__text_rules_of(const cj_layer *layer);
// Appends the op for `size` indices a text.
cj_symbol *cj__token_indices(cj__layer_context *context, int64_t size);

#endif
