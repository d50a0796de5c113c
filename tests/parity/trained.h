// Models that Keras trained, trained again: see generator/trained.py.
#ifndef CJ_TESTS_PARITY_TRAINED_H
#define CJ_TESTS_PARITY_TRAINED_H

#include "fixture.h"

// Loads the case's model, trains it on the case's batches, and compares losses, weights and the
// optimizer's variables with Keras's.
bool trained_equals_keras(const fixture *file, const json_t *one);

#endif
