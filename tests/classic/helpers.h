// What the tests of classic learning share: data sets of random samples.
#ifndef CJ_TESTS_CLASSIC_HELPERS_H
#define CJ_TESTS_CLASSIC_HELPERS_H

#include "support.h"
#include <cajal/classic.h>

// A number below `n`, from a sequence that is the same in every run.
int64_t pick(int64_t n);

// Samples (count, width) of whole numbers below `values`; few values make equal distances.
cj_tensor *random_samples(cj_dtype dtype, int64_t count, int64_t width, int64_t values);

// Labels (count), uint8, below `classes`.
cj_tensor *random_labels(int64_t count, int64_t classes);

// Both; x[0] and y[0] are the data set's.
cj_dataset *random_data(cj_dtype dtype, int64_t count, int64_t width, int64_t values,
                        int64_t classes);

// Tensors of bytes and of floats from numbers.
cj_tensor *bytes_of(cj_shape shape, const uint8_t *values);
cj_tensor *floats_of(cj_shape shape, const float *values);

void assert_ok(cj_status status);
void assert_same_tensor(const cj_tensor *a, const cj_tensor *b);

#endif
