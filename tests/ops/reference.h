// What ops compute, written as plain loops over doubles with nothing in mind but the formula.
#ifndef CJ_TESTS_OPS_REFERENCE_H
#define CJ_TESTS_OPS_REFERENCE_H

#include "cases.h"

// Writes the outputs of an op into f64 (or integer) tensors of the right shapes.
typedef void (*reference)(const op_case *c, cj_tensor *const *in, cj_tensor *const *out);

// NULL where there is none.
reference reference_of(const cj__op *op);
reference reference_of_network(const cj__op *op); // those of reference_network.c
reference reference_of_update(const cj__op *op);  // those of reference_update.c
reference reference_of_words(const cj__op *op);   // those of reference_words.c
reference reference_of_images(const cj__op *op);  // those of reference_images.c
reference reference_of_texts(const cj__op *op);   // those of reference_text.c

#endif
