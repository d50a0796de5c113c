// What the tests of functions share: short ways to make symbols, tensors and calls.
#ifndef CJ_TESTS_GRAPH_FIXTURE_H
#define CJ_TESTS_GRAPH_FIXTURE_H

#include "support.h"

#include "graph/graph.h"

enum { MOST_IO = 32 };

// A graph under construction: a builder and what a function over it will be given and give.
typedef struct fixture {
    cj__build g;
    cj_symbol *inputs[MOST_IO], *outputs[MOST_IO];
    cj_update updates[MOST_IO];
    int input_count, output_count, update_count;
    cj_pool *pool;
} fixture;

// An f32 input of the function.
cj_symbol *fixture_input(fixture *f, cj_shape shape);

// A variable of f32 with the given values, which the caller releases, and the symbol that reads it.
cj_variable *fixture_variable(const char *name, cj_shape shape, const float *values);
cj_symbol *fixture_read(fixture *f, cj_variable *variable);

void fixture_output(fixture *f, cj_symbol *symbol);
void fixture_update(fixture *f, cj_variable *variable, cj_symbol *value);

// Every optimizer's step, some with slots or not: what its op takes beside weights, gradient and rate.
typedef struct fixture_optimizer {
    const cj__op *op;
    int slots;
    bool counts; // takes the step
    cj__update_attrs attrs;
} fixture_optimizer;
enum { FIXTURE_OPTIMIZERS = 6 };
extern const fixture_optimizer fixture_optimizers[FIXTURE_OPTIMIZERS];

// A variable of no axes: 0.01 of f32, or 0 of another dtype; the caller releases it.
cj_variable *fixture_scalar(cj_dtype dtype);

// Ends the builder and makes the function, with passes switched off by `off` ("-cse"; NULL for none). NULL on failure.
cj_function *fixture_function(fixture *f, const char *off);

// Whether the plan of a function for a batch size has a word.
bool fixture_plan_says(cj_function *function, int64_t batch, const char *word);

// A contiguous f32 tensor of the given values (zeros for NULL).
cj_tensor *fixture_tensor(cj_shape shape, const float *values);

// Fails unless a tensor holds these values exactly.
void fixture_expect(const cj_tensor *tensor, const float *values);

// The same numbers each time: -1 .. 1.
void fixture_fill(cj_tensor *tensor, unsigned seed);

#endif
