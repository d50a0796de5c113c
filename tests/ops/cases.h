// A table with cases of every op: attributes and inputs with which it is run and differentiated.
// Tests walk through it, so an op without a case is found by any of them.
#ifndef CJ_TESTS_OPS_CASES_H
#define CJ_TESTS_OPS_CASES_H

#include "support.h"

#include "ops/build.h"
#include "ops/words.h"
#include "ops/text.h"

enum { CASE_INPUTS = 7, CASE_OUTPUTS = 16, CASE_BATCH = 3 };

// What an input is filled with, and by that its dtype.
typedef enum case_fill {
    // reals that keep away from each other, from 0 and from the places where a derivative jumps
    FILL_ANY,
    FILL_POSITIVE, // reals in 0.3 .. 3
    FILL_UNIT,     // reals in -0.9 .. 0.9
    FILL_ABOVE_1,  // reals in 1.3 .. 4
    FILL_DISTINCT, // reals that all differ by 0.05 or more, shuffled
    FILL_INDEX,    // int32, 0 .. limit - 1, with repetitions
    FILL_PLACE,    // uint8, 0 .. limit - 1
    FILL_BOOL,
    FILL_STEP, // int64: the limit itself
    FILL_TEXT, // texts of a few words
} case_fill;

typedef struct case_input {
    case_fill fill;
    int limit;
    cj_shape shape; // CJ_BATCH where the free axis may be
} case_input;

typedef struct op_case {
    const cj__op *op;
    const void *attrs;
    int input_count;
    case_input inputs[CASE_INPUTS];
} op_case;

extern const op_case op_cases[];
extern const size_t op_case_count;

// A case as a graph. The builder holds it: cj__build_end() frees it.
typedef struct case_graph {
    cj__build build;
    cj_symbol *inputs[CASE_INPUTS], *outputs[CASE_OUTPUTS];
    int output_count;
} case_graph;

// Builds a case over reals of one dtype; `free_axis` leaves CJ_BATCH free, otherwise it is
// CASE_BATCH.
void case_build(const op_case *c, cj_dtype real, bool free_axis, case_graph *graph);

// A new tensor for input `index` of a case: the same numbers for the same index and seed, whatever
// the real dtype.
cj_tensor *case_tensor(const op_case *c, int index, cj_dtype real, unsigned seed);

// A new tensor of a symbol's type, CASE_BATCH for the free axis.
cj_tensor *case_tensor_like(const cj_symbol *symbol);

// Fills a tensor with reals between -1 and 1.
void case_fill_weights(cj_tensor *tensor, unsigned seed);

// Element `index` of a contiguous tensor.
double case_get(const cj_tensor *tensor, int64_t index);
void case_set(cj_tensor *tensor, int64_t index, double value);

bool case_is_real(cj_dtype dtype);

// Fails unless every op whose flags have none of `exempt` has a case.
void case_assert_complete(unsigned exempt);

#endif
