/**
 * @file calls.h
 * Applications of a layer with settings of their own: what Keras gives as arguments of the call, as
 * in `embedding(hidden, reverse=True)` and `attention(x, x, use_causal_mask=True)`. A layer that is
 * applied several times may do another thing each time. Files, clones, summaries and explanations
 * keep the settings with the application.
 *
 * | layer | settings of a call |
 * |---|---|
 * | ReversibleEmbedding | `reverse` |
 * | MultiHeadAttention, GroupQueryAttention, Attention, AdditiveAttention | `use_causal_mask`,
 *   `return_attention_scores` |
 */
#ifndef CAJAL_CALLS_H
#define CAJAL_CALLS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * `cj_apply_with(embedding, "reverse", hidden)`: applies a layer to one symbol with settings of this
 * call, and returns its first output. What the call does not say is as the layer's own settings say.
 *
 * @param settings names, each true unless it is followed by "=false", between commas; NULL or ""
 *        for none, which is cj_apply()
 * @return a floating symbol; NULL as cj_apply() gives it, or with CJ_INVALID_ARGUMENT (no setting of
 *         this layer's calls, a value other than true and false, a setting twice).
 */
CJ_API cj_symbol *cj_apply_with(cj_layer *layer, const char *settings, cj_symbol *input);

/**
 * cj_apply_many() with settings of this call: see cj_apply_with(). Its statuses are those of
 * cj_apply_many(), and CJ_INVALID_ARGUMENT for settings that the layer's calls do not have.
 */
CJ_API cj_status cj_apply_many_with(cj_layer *layer, const char *settings, cj_symbol *const *inputs,
                                    int count, cj_symbol **outputs, int output_capacity);

#ifdef __cplusplus
}
#endif

#endif
