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
    struct cj__arenas *arenas; // to run in; NULL for the function's own
} fixture;

// An input of the function, of f32 unless said.
cj_symbol *fixture_input(fixture *f, cj_shape shape);
cj_symbol *fixture_input_of(fixture *f, cj_dtype dtype, cj_shape shape);

// A variable of f32 with the given values, which the caller releases, and the symbol that reads it.
cj_variable *fixture_variable(const char *name, cj_shape shape, const float *values);
cj_variable *fixture_variable_of(cj_dtype dtype, const char *name, cj_shape shape); // zeros
cj_symbol *fixture_read(fixture *f, cj_variable *variable);

void fixture_output(fixture *f, cj_symbol *symbol);
void fixture_update(fixture *f, cj_variable *variable, cj_symbol *value);

// Every optimizer's step, some with slots or not: what its op takes beside weights, gradient and
// rate.
typedef struct fixture_optimizer {
    const cj__op *op;
    int slots;
    bool counts; // takes the step
    cj__update_attrs attrs;
} fixture_optimizer;
enum { FIXTURE_OPTIMIZERS = 6 };
extern const fixture_optimizer fixture_optimizers[FIXTURE_OPTIMIZERS];

// A variable of no axes: 0.01 of a real dtype, or 0 of another; the caller releases it.
cj_variable *fixture_scalar(cj_dtype dtype);

// Ends the builder and makes the function, with passes switched off by `off` ("-cse"; NULL for
// none). NULL on failure.
cj_function *fixture_function(fixture *f, const char *off);

// What a file holds; free() it.
char *fixture_text(const char *path);

// The plan for a batch of n, as `cajal summary --plan` prints it; free() it. And how often it has a
// word.
char *fixture_plan(cj_function *function, int64_t n);
int fixture_planned(cj_function *function, int64_t n, const char *word);

// A contiguous f32 tensor of the given values (zeros for NULL); zeros of another dtype.
cj_tensor *fixture_tensor(cj_shape shape, const float *values);
cj_tensor *fixture_tensor_of(cj_dtype dtype, cj_shape shape);

// Fails unless a tensor holds these values exactly.
void fixture_expect(const cj_tensor *tensor, const float *values);

// The same numbers each time, of f32 or f64: -1 .. 1; whole ones from -most to most.
void fixture_fill(cj_tensor *tensor, unsigned seed);
void fixture_fill_whole(cj_tensor *tensor, unsigned seed, int most);

// An element of an f32 or f64 tensor.
double fixture_get(const cj_tensor *tensor, int64_t i);

// Fails unless tensors of one type hold the same bits.
void fixture_expect_same(const cj_tensor *a, const cj_tensor *b);

#endif
