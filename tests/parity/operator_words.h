// The words of keras.ops for the parity test operators.c.
#ifndef CJ_TESTS_PARITY_OPERATOR_WORDS_H
#define CJ_TESTS_PARITY_OPERATOR_WORDS_H

#include "fixture.h"
#include <cajal/graph.h>

enum { INPUTS = 5, OUTPUTS = 8 };

// A case as it is made: its inputs, taken over by the word, and what becomes of them.
typedef struct made {
    const json_t *one;
    cj_symbol *x[INPUTS], *y[OUTPUTS];
} made;

// Makes y from x by the word and the settings of the case; y[0] stays NULL, with a sentence, if that
// fails.
void make_operator(made *m);

#endif
