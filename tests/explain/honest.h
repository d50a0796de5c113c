// What the tests of explanations share: explaining into a text, and that what is derived is what the
// model computed.
#ifndef CJ_TESTS_EXPLAIN_HONEST_H
#define CJ_TESTS_EXPLAIN_HONEST_H

#include "support.h"

#include <cajal/explain.h>

// What cj_explain() prints (to be freed), with its status in *status.
char *honest_text(cj_model *model, cj_tensor *const *inputs, cj_explain_args args,
                  cj_status *status);
void assert_says(const char *text, const char *part);
// Numbers that look random, between -1 and 1.
cj_tensor *honest_numbers(cj_shape shape, unsigned seed);
// Every variable becomes random: biases, and moving averages (variances positive), too.
void honest_stir(cj_model *model);
// Derives the corner elements and some in between of the last layer. Each must agree.
void assert_derives(cj_model *model, bool mixed);
// The same with these inputs.
void assert_derives_of(cj_model *model, cj_tensor *const *inputs, bool mixed);
// In float32, and in bfloat16, where what a layer is given, its variables and what it gives are
// rounded; releases the model.
void assert_honest(cj_model *model);

#endif
