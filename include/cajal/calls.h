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

/*
 * Masks of a call. A layer obeys the masks that its inputs carry (of an Embedding with mask_zero, say). A
 * call may give others, as Keras's `lstm(x, initial_state=states, mask=mask)`: the settings below say
 * that the last inputs are masks, in this order, where they are not 0. A mask is (batch, time), or has
 * more of the first axes of what it masks; that of Softmax broadcasts from the last axis on.
 *
 *     cj_apply_many_with(lstm, "mask", (cj_symbol *[]){x, h, c, mask}, 4, outputs, 1);
 *
 * | layer | settings |
 * |---|---|
 * | SimpleRNN, LSTM, GRU, RNN, ConvLSTM, Bidirectional, TimeDistributed, GlobalAveragePooling1D,
 *   BatchNormalization, Softmax | `mask` |
 * | Attention, AdditiveAttention | `query_mask`, `value_mask`, `key_mask` (which changes nothing); any
 *   of them stands for all that the inputs carry |
 * | MultiHeadAttention, GroupQueryAttention | `value_mask`, `key_mask` |
 */

#endif
