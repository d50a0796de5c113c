// Inside the graph room, for the rooms above: differentiation over a builder. Functions are public
// (cajal/graph.h).
//
// The room is split by verb: gradient.c (reverse-mode differentiation over symbols), program.c (the
// reachable graph as a flat list of instructions), passes.c and fuse.c (rewrites of that list, each
// a row in a table with a name, which CAJAL_PLAN=-name switches off), plan.c (buffers placed by
// lifetime for one batch size), arena.c (the memory that runs borrow), run.c (a call), function.c
// (the object that holds programs and plans).
#ifndef CJ_GRAPH_GRAPH_H
#define CJ_GRAPH_GRAPH_H

#include "ops/build.h"

// cj_gradients() through a builder, which holds the results.
cj_status cj__gradients(cj__build *build, cj_symbol *y, cj_symbol *const *xs, int count,
                        cj_symbol **gradients);

// The gradients by xs of the sum of seeds[i] ys[i], reals of any shape;
// NULL where none passes.
cj_status cj__gradients_from(cj__build *build, cj_symbol *const *ys, cj_symbol *const *seeds,
                             int y_count, cj_symbol *const *xs, int count, cj_symbol **gradients);

// cj_function_new() for a function that runs in memory shared with others: their arenas (arena.h),
// which it holds, and whose device it runs on where that has memory of its own. NULL for arenas of
// its own, on the device of its variables if they are on one, else on the CPU.
struct cj__arenas;
cj_function *cj__function_new(const cj_function_args *args, struct cj__arenas *arenas);

// A call whose operands are plain pointers: inputs[i] and outputs[i] are contiguous memory of the
// right type for `batch`; an output may be NULL. What cj_function_call() does after checking its
// tensors.
cj_status cj__function_run(cj_function *function, int64_t batch, const void *const *inputs,
                           void *const *outputs);

// The type of input or output `index` (free axis as CJ_BATCH).
const cj__type *cj__function_input(const cj_function *function, int index);
const cj__type *cj__function_output(const cj_function *function, int index);

// Prints the plan for a batch size: each kernel, its operands, buffer, bytes and FLOPs; totals.
// With rounds > 0 also the median time of each kernel in so many runs on inputs of zeros, after
// which every variable has its bits again; no other thread may use the variables meanwhile.
cj_status cj__function_print(cj_function *function, int64_t batch, int rounds, FILE *stream);

// Shows the plan for a batch size to `look`, which may read it until it returns.
struct cj__plan;
cj_status cj__function_look(cj_function *function, int64_t batch,
                            void (*look)(void *context, const struct cj__plan *plan),
                            void *context);

#endif
