/**
 * @file embeddings.h
 * ReversibleEmbedding: one table between tokens and vectors, read in both directions. A language
 * model looks its tokens up in the table, and asks with the same table at its end which token comes
 * next (Press and Wolf 2016, "Using the Output Embedding to Improve Language Models"). All that
 * layers.h says of constructors and arguments holds here.
 *
 *     cj_layer *embedding = cj_reversible_embedding(vocabulary, width);
 *     cj_symbol *hidden = cj_apply(embedding, tokens);
 *     ...
 *     cj_symbol *logits = cj_apply_with(embedding, "reverse", hidden);
 */
#ifndef CAJAL_EMBEDDINGS_H
#define CAJAL_EMBEDDINGS_H

#include <cajal/calls.h>
#include <cajal/layers.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/** ReversibleEmbedding: rows of a learned table, and with the call setting "reverse" its inverse. */
typedef struct cj_reversible_embedding_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** required: number of rows; an index outside fails the call */
    int64_t input_dim;
    int64_t output_dim; ///< required: length of a row
    /** default true; false: a table of its own for the reverse, "reverse_embeddings" */
    bool tie_weights;
    const char *embeddings_initializer; ///< spec, default "uniform" (-0.05 to 0.05), of both tables
    const char *embeddings_regularizer; ///< spec, default NULL: none; of the first table
    const char *embeddings_constraint;  ///< spec, default NULL: none; of the first table
    bool mask_zero; ///< default false; true: index 0 is padding, and masks later layers
    /**
     * default NULL, that of the layer; "float32"; "bfloat16": the reverse rounds its input, the table and
     * the product to bfloat16, and gives that as float32
     */
    const char *reverse_dtype;
    double logit_soft_cap; ///< default INFINITY: none; else the reverse gives cap tanh(x / cap)
} cj_reversible_embedding_args;
/** The defaults of cj_reversible_embedding_args. */
#define CJ_REVERSIBLE_EMBEDDING_DEFAULTS             \
    CJ_LAYER_DEFAULTS(cj_reversible_embedding_args), \
        .tie_weights = true, .embeddings_initializer = "uniform", .logit_soft_cap = INFINITY
/** Sets `args` to CJ_REVERSIBLE_EMBEDDING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_reversible_embedding_defaults(cj_reversible_embedding_args *args);
/**
 * Indices (...) become rows (..., output_dim); with the call setting "reverse" vectors
 * (..., output_dim) become logits x E^T (..., input_dim), E being the table.
 */
CJ_API cj_layer *cj_reversible_embedding_new(const cj_reversible_embedding_args *args);
#define cj_reversible_embedding(...) \
    cj_reversible_embedding_new(     \
        &(cj_reversible_embedding_args){CJ_REVERSIBLE_EMBEDDING_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
