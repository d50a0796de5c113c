// The outputs of a model by their names, as cj_compile() and logs have them: that of the layer that
// makes an output, as in Keras.
#ifndef CJ_TRAIN_OUTPUTS_H
#define CJ_TRAIN_OUTPUTS_H

#include <cajal/train.h>

// The outputs of a model that may not be built yet: then it is sequential, and has one.
int cj__outputs_count(const cj_model *model);
const char *cj__output_name(const cj_model *model, int index);

// Puts what `args` say of outputs by name into their lists by order, which lie in `*block`: to be freed
// when the arguments have been used, also after a failure.
cj_status cj__outputs_by_order(const cj_model *model, cj_compile_args *args, void **block);

#endif
