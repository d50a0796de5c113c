// A plan: a program for one batch size and one device, with every buffer placed and every call
// prepared, ready to run again and again in whatever arena it is pointed into (arena.h).
//
// The steps of a run: the inputs come into the device's memory, unless that is the host's; main
// calls; then what must be saved before variables change (outputs and updates that are variables'
// old values); then update calls, which may write into variables; then copies to the caller and of
// updates. Calls that can fail (a label out of range) are main calls, so a failure leaves every
// variable as it was.
#ifndef CJ_GRAPH_PLAN_H
#define CJ_GRAPH_PLAN_H

#include "graph/program.h"
#include "ops/device.h"
#include <stdio.h>

// Where a value lives in a plan.
typedef enum cj__home {
    CJ__HOME_ARENA, // its own place in the arena
    // another value's memory: a view, or an element-wise result over its dying input
    CJ__HOME_SHARED,
    CJ__HOME_FIXED,   // a variable's or constant's memory
    CJ__HOME_INPUT,   // the caller's, where the device reads the host's memory
    CJ__HOME_OUTPUT,  // of a loop's body: where each step's result goes
    CJ__HOME_NOWHERE, // an output without a reader
} cj__home;

typedef struct cj__buffer {
    cj__type type; // concrete
    cj__home home;
    int root; // the value whose memory this is: itself, or another for CJ__HOME_SHARED
    size_t bytes;
    size_t offset;  // in the arena
    int begin, end; // first and last call (by position) that touch it, -1 for before; for roots
    bool one_part;  // of roots: it has room for one part of the batch only (split_batch.c)
    int output;     // of CJ__HOME_OUTPUT: which
    void *data;     // of roots; inputs' are set at each run
} cj__buffer;

// A copy between a value and memory outside the arena or a place for safe keeping.
typedef struct cj__copy {
    int from;            // value
    int output;          // to the caller's output, or -1
    cj_variable *to;     // else to this variable
    bool save;           // the value must be saved before variables change, ...
    size_t saved_offset; // ... so far after what else is saved, ...
    void *saved;         // ... which is here in this arena; NULL for the others
    size_t bytes;
} cj__copy;

// Calls that run on one part of the batch after another.
typedef struct cj__split {
    int begin, end; // positions
    int64_t rows, part;
    size_t workspace; // of a part; what parts after the first sum up lies after it
} cj__split;

// Work that goes on beside the calls between two positions: see Effects in ops/op.h.
typedef struct cj__pending {
    int start, await; // positions
    bool under_way;   // in this run
} cj__pending;

typedef struct cj__plan {
    cj__program program; // this plan's own: types are concrete
    int64_t batch;
    const char *off;         // the function's passes that are switched off, or NULL
    bool is_body;            // of a loop: inputs and results are wherever each step has them
    struct cj__loop **loops; // by position, NULL for other calls; NULL for a plan without (loop.h)
    cj__device *device;      // the function's
    void *device_own;        // what the device keeps for this plan
    cj__buffer *buffers;     // one a value
    int *order;              // positions to instructions
    int main_count;          // positions [0, main_count) are main calls, the rest updates
    bool *in_place;          // an update instruction writes into its variables
    cj__call *calls;         // by position
    cj__operand *operands;
    size_t operand_count;
    unsigned char *setups; // of all calls (setup.c)
    // by position, of a call that runs on parts of the batch: of a whole part, and of the last one
    const void *(*part_setups)[2];
    struct cj__patch {
        cj__operand *operand;
        int input;  // or -1
        int output; // of a body
    } * patches;    // operands that live in the caller's inputs, or in a body's results
    int patch_count;
    int *staged; // values of inputs that are copied into the arena, where the device needs that
    int staged_count;
    struct cj__placed {
        cj_variable *variable;
        const void *memory;
    } * placed; // the variables that the plan reads or writes, and where they were
    int placed_count;
    char *constants; // of a device whose memory is not the host's
    size_t constants_size;
    cj__copy *copies;
    int copy_count;
    cj__split *splits; // in order
    int split_count;
    cj__pending *pending; // in the order of the awaits
    int pending_count;
    cj__kept
        *kept; // what calls keep from run to run, and its memory, which a body has in its arena
    int kept_count;
    char *kept_memory;
    size_t kept_size;
    // Positions [0, steady_count) are main calls whose results are kept from run to run, in memory of
    // the plan's own, until a variable that they read changes (keep_steady.c).
    int steady_count;
    struct cj__steady_source {
        const _Atomic int64_t *version;
        int64_t seen; // in the run that made them
    } * sources;
    int source_count;
    char *steady_memory;
    size_t steady_size;
    bool steady_made;
    bool outdated;                  // it may not be used for further runs
    int64_t steady_runs;            // in which they were made
    _Atomic int64_t steady_version; // of their results, as of a variable
    // The arena has buffers, the workspace, what is saved, and what calls of a body keep.
    size_t arena_size, buffers_size, workspace, saved_size;
    char *base;              // the arena that all pointers point into; NULL before the first
    uint64_t version;        // another one whenever they have moved
    int failed;              // position of the call that failed last; -1 for none
    bool busy;               // in use by a thread, ...
    struct cj__arena *arena; // ... which has borrowed this
    uint64_t used;           // when it was last used
} cj__plan;

// Plans a program for a batch size, on the program's device; `off` as for cj__program_optimize().
cj_status cj__plan_new(const cj__program *program, int64_t batch, const char *off, cj__plan **plan);
// The same for the body of a loop: a program without variables, whose inputs and outputs are given
// anew for each step.
cj_status cj__plan_body(const cj__program *program, int64_t batch, const char *off,
                        cj__plan **plan);
void cj__plan_free(cj__plan *plan);
// Makes the plan run in an arena of arena_size bytes. Nothing to do, and quick, for the one that it
// ran in before.
void cj__plan_point(cj__plan *plan, char *base);
// run.c
cj_status cj__plan_run(cj__plan *plan, const void *const *inputs, void *const *outputs);
// One run of a body within a run of its parent, on the threads of that. outputs[i] may be NULL for
// one that lies in the memory of another. Adds to the seconds of each call, unless that is NULL.
cj_status cj__plan_step(cj__plan *plan, cj_pool *pool, const void *const *inputs,
                        void *const *outputs, double *seconds);
// The median seconds of every call, by position, in so many runs of them all, updates included,
// which the caller undoes.
cj_status cj__plan_time(cj__plan *plan, const void *const *inputs, int rounds, double *seconds);

// setup.c: what calls work out once (cj__op.set_up), once the calls are made; and that of a part.
cj_status cj__make_setups(cj__plan *plan);
const void *cj__part_setup(const cj__plan *plan, int position, int64_t first);

// split_batch.c: finds the splits, once homes are known, and what memory they want; and the
// workspace of a split.
cj_status cj__split_in_plan(cj__plan *plan);
size_t cj__split_workspace(cj__plan *plan, cj__split *split);

// effects.c: moves starts up and awaits down, once the order of calls is known, and finds the pairs.
cj_status cj__order_effects(cj__plan *plan);
// What a start reads and writes lives until its await.
void cj__keep_pending(const cj__plan *plan, int *last);
// After the call at a position: what it started is under way, what it awaited is not, and all that
// is gets on.
void cj__poke_pending(cj__plan *plan, int position);
// After a failure with a status, which it returns with its sentence: awaits what is under way.
cj_status cj__await_pending(cj__plan *plan, const cj__run *run, cj_status status);

// keep_prepared.c: memory for the calls that keep what they prepare, once the calls are made: of the
// plan's own, or of a body at the end of its arena, but for what outlives the run. Where that memory
// is; and of a body, that a run of the loop begins.
cj_status cj__keep_in_plan(cj__plan *plan);
void cj__point_kept(cj__plan *plan, char *memory);
void cj__forget_kept(cj__plan *plan);
// Whether what a call of a body keeps outlives runs of the loop: `version` is then that of its weights.
bool cj__kept_outlives(const cj__kept *kept);

// keep_steady.c: memory for the results of steady calls, once homes are known. And whether these are
// still what the variables give; if not, they are to run.
cj_status cj__steady_in_plan(cj__plan *plan);
bool cj__steady_is_valid(cj__plan *plan);

// print.c: the table, with the seconds of each call by position (NULL for none).
cj_status cj__plan_print(const cj__plan *plan, const double *seconds, FILE *stream);

// place.c: gives every root of CJ__HOME_ARENA an offset so that no two that live at once overlap;
// returns the size.
cj_status cj__place_buffers(cj__plan *plan, size_t *size);

#endif
