// What the files of attention share.
#ifndef CJ_OPS_ATTENTION_H
#define CJ_OPS_ATTENTION_H

#include "ops/build.h"

// The gradients of both ops: of attention its own op, of that op an expression
// (attention_second.c).
void cj__gradient_attention(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx);
void cj__gradient_attention_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                 cj_symbol **dx);

#endif
