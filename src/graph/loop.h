// A loop in a plan: the body of a scan (ops/scan.h) as a plan of its own, which a call of the
// parent's plan runs once for each step.
//
// The body's program holds only what the parent reads: sequences and last values without a reader
// are left out, with all that only they need. It goes through the same passes and is planned once,
// for the parent's batch. Its arena is a part of the call's workspace, after two buffers for each
// carried value that is kept in no sequence.
//
// A step copies nothing: the plan of a body reads its inputs and writes its results where it is
// pointed to, which is an entry of a sequence, or one of the two buffers in turn. Where a carried
// value is also an entry of a sequence, the next step reads it there. Only what is no result of a
// call of its own is copied: an input of the body, or one value in two sequences.
#ifndef CJ_GRAPH_LOOP_H
#define CJ_GRAPH_LOOP_H

#include "graph/plan.h"
#include "ops/scan.h"

// Where each sample goes its own way through the body (passes/split_loop.c), the loop is cut into
// *parts* of the batch, by its shape alone. A part has a plan of its own and goes through all the
// steps: two threads that have a part each meet once a loop, not twice a step, and none writes what
// the other reads.

// What an input of the body reads at step t.
typedef struct cj__loop_input {
    cj__scan_role role;
    int operand;  // of the call, the first
    size_t bytes; // of an entry, or of the value
    bool samples; // it has the batch's samples along its first axis
    bool read;    // by the body's program
    int kept_in;  // of a carried input: the result that is its next value, or -1
} cj__loop_input;

// A result of the body's program.
typedef struct cj__loop_result {
    int output;    // of the call
    size_t stride; // from an entry of a sequence to the next
    size_t bytes;  // of what a part makes of an entry, or of the value
    int carried;   // of which input it is the next value; -1: it is an entry of a sequence
    int follows;   // the result in whose memory it lies; -1 for none
    size_t offset; // in the part's workspace, of two buffers of a carried value that follows none
} cj__loop_result;

// Some samples of the batch, or all of it.
typedef struct cj__loop_part {
    cj__plan *plan;            // of the body
    int64_t first, rows;       // samples
    cj__loop_result *results;  // result_count of them
    const void **from;         // where a step reads each input,
    void **to;                 // and writes each result
    const void **now;          // the value of each carried input
    size_t begin, states_size; // in the call's workspace: states, and then the plan's arena
    cj_status status;          // of a run
} cj__loop_part;

typedef struct cj__loop {
    cj__loop_part *parts;
    int part_count;
    int failed; // the part that failed last
    int64_t length, batch;
    bool reverse;
    cj__loop_input *inputs;
    int input_count, carried_count;
    int result_count;
    double
        *seconds; // of each call of the first part, summed up while the plan is timed; NULL before
    bool timing;
} cj__loop;

// Plans the body of a call, whose operands have types and of whose outputs `read` says which anyone
// reads. *workspace: what the call needs.
cj_status cj__loop_new(cj__plan *parent, const cj__call *call, const bool *read, cj__loop **loop,
                       size_t *workspace);
void cj__loop_free(cj__loop *loop); // NULL is fine
// cj__call.run of such a call.
cj_status cj__loop_run(const cj__call *call);

// The operand of the call that an input of the body's program is; -1 for a value that changes from
// step to step.
int cj__loop_invariant(const cj__loop *loop, int input);

#endif
