// Small problems and models that the tests of training share.
#ifndef CJ_TESTS_TRAIN_PROBLEMS_H
#define CJ_TESTS_TRAIN_PROBLEMS_H

#include "support.h"
#include <cajal.h>

// `count` points (4) of three classes with uint8 labels, separable but for some noise; the same in
// every run.
cj_dataset *problem_classes(int64_t count);

// `count` byte images (8, 8, 1) with a bright quarter, and labels 0..3 that say which.
cj_dataset *problem_images(int64_t count);

// A tensor of float32 from its values.
cj_tensor *problem_tensor(cj_shape shape, const float *values);

// 4 -> dense 8 relu -> dense 3 softmax, seeded, not compiled.
cj_model *problem_model(void);

// Whether all variables of two models have the same bits.
bool problem_same_weights(const cj_model *a, const cj_model *b);

// Fails the test with the sentence unless the status is CJ_OK.
#define assert_ok(call)                            \
    do {                                           \
        if ((call) != CJ_OK)                       \
            fail_msg("%s: %s", #call, cj_error()); \
    } while (0)

#endif
