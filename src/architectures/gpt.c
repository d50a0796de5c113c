// Transformers that predict the next token: GPT-2 and a small one.
#include "architectures/architectures.h"

#include <cajal/activations.h>
#include <cajal/attention.h>
#include <cajal/embeddings.h>
#include <cajal/merging.h>
#include <cajal/normalization.h>

typedef struct gpt {
    int64_t blocks, heads, width;
    bool tied; // the last layer has the table of the first one
} gpt;

static cj_symbol *normalized(cj_symbol *x)
{
    return cj_apply(cj_layer_normalization(.epsilon = 1e-5), x);
}

// The initial deviations are GPT-2's: 0.02, and what is added to the sum of all blocks smaller by the
// square root of how many are added. "gelu_approximate" is GPT-2's form, by tanh.
static cj_symbol *block(cj_symbol *x, const gpt *g, const char *last)
{
    static const char usual[] = "random_normal(stddev=0.02)";
    cj_symbol *y = normalized(x);
    y = cj_merge(cj_multi_head_attention(g->heads, g->width / g->heads, .use_causal_mask = true,
                                         .kernel_initializer = usual),
                 y, y);
    x = cj_merge(cj_add(), x, y);
    y = cj_apply(
        cj_dense(4 * g->width, .activation = "gelu(approximate=true)", .kernel_initializer = usual),
        normalized(x));
    y = cj_apply(cj_dense(g->width, .kernel_initializer = last), y);
    return cj_merge(cj_add(), x, y);
}

static cj_symbol *build(cj_symbol *tokens, cj_symbol *positions, int64_t vocabulary, const gpt *g,
                        const char *last)
{
    static const char usual[] = "random_normal(stddev=0.02)";
    const cj_shape *shape = tokens ? cj_symbol_shape(tokens) : NULL;
    const int64_t context = shape ? shape->dims[1] : 1;
    cj_layer *table =
        g->tied ? cj_reversible_embedding(vocabulary, g->width, .embeddings_initializer = usual) :
                  cj_embedding(vocabulary, g->width, .embeddings_initializer = usual);
    cj_symbol *words = cj_apply(table, tokens);
    cj_symbol *places =
        cj_apply(cj_embedding(context, g->width, .embeddings_initializer = usual), positions);
    cj_symbol *x = cj_merge(cj_add(), words, places);
    for (int64_t i = 0; i < g->blocks; i++)
        x = block(x, g, last);
    x = normalized(x);
    if (g->tied)
        return cj_apply(cj_softmax(), cj_apply_with(table, "reverse", x));
    return cj_apply(cj_dense(vocabulary, .activation = "softmax", .use_bias = false,
                             .kernel_initializer = usual),
                    x);
}

// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners": the smallest of its four.
cj_symbol *cj__architecture_gpt2(cj_symbol *tokens, cj_symbol *positions, int64_t vocabulary)
{
    return build(tokens, positions, vocabulary, &(gpt){12, 12, 768, true},
                 "random_normal(stddev=0.004082482904638631)"); // 0.02 / sqrt(24)
}

// The same in small, for texts as bytes.
cj_symbol *cj__architecture_gpt(cj_symbol *tokens, cj_symbol *positions, int64_t vocabulary)
{
    return build(tokens, positions, vocabulary, &(gpt){4, 4, 128, false},
                 "random_normal(stddev=0.007071067811865475)"); // 0.02 / sqrt(8)
}
