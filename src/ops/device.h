// Devices: where calls run, and the memory that they run in.
//
// A *device* is a counted object of some *kind*, and a kind is one const table of functions. What
// lies above it is the same for all: a graph becomes a program, a program is rewritten by passes
// and planned for a batch size, and a plan has offsets in an arena, variables, constants, and a
// list of calls. The device says four things about that plan.
//
// *Memory.* allocate and free, and three copies: from the host to the device, back, and within the
// device. Arenas (graph/arena.h), the constants of a plan, what calls keep from run to run, and the
// variables placed on the device (variable.h) all lie in such memory. `host_memory` says that it is
// the host's: then a plan reads the caller's inputs where they are, a variable is its tensor, and
// nothing is copied. On any other device a plan has a place for each input in the arena, copies the
// inputs in when a run begins, and copies the outputs out when it ends; host code never follows a
// pointer into the memory of such a device.
//
// *Passes.* Which passes rewrite a program for this device (a list of their names), and passes of
// its own. Those that choose a form by what the kernels in a table of kernels/kernels.h do best run
// only where the device has such tables; so does the layout in blocks, whose width is the table's.
//
// *Calls.* When a plan is made, the device prepares every call: it says how much workspace the call
// needs and sets call->run, which is the CPU's kernel driver (op->run) or the device's own. A
// device that has no kernel for an op refuses the plan here, with a sentence that names the op. A
// device that can do better with a whole list of calls than run them one after another (capture
// them as a graph, say) has run_list.
//
// *Runs.* Every run of a plan lies between begin and end. The CPU uses them for its pool: who
// works, whether sharing pays (graph/trial.h), what denormal numbers count as. A device with a
// stream of its own waits for it in end, and after a list of calls of which one can fail.
//
// Nothing else is known of a device above this file, and nothing of a device is known to layers or
// training: they read and write variables (variable.h) and call functions. Machines that train
// together need no device of their own: a sum over machines is an op, which runs where the others
// run.
#ifndef CJ_OPS_DEVICE_H
#define CJ_OPS_DEVICE_H

#include "base/object.h"
#include "ops/op.h"

struct cj__program;
typedef struct cj__device cj__device;

// One run of a plan: begin fills it in for the calls and for end.
typedef struct cj__run {
    // Timing every call of a plan (cj_plan()): what the device learns from runs of their usual
    // speed is then left as it is.
    bool timing;
    cj_pool *pool;       // for the calls: cj__call.pool
    bool entered;        // of the CPU: the pool is this run's until end,
    bool timed;          // this run is compared with others,
    double began;        // when it began, in seconds,
    uint64_t float_mode; // and what denormals counted as before it
} cj__run;

// The calls of a plan that run one after another: its main calls (index 0) or its updates (1).
typedef struct cj__call_list {
    cj__call *calls;
    int count, index;
    uint64_t version; // another number whenever an operand lies at another place than before
} cj__call_list;

typedef struct cj__device_kind {
    const char *name; // "cpu"
    bool host_memory; // its memory is the host's
    // The kernels for a real dtype of so many bytes; NULL for a device whose kernels are not in
    // such tables.
    const cj__kernels *(*kernels)(size_t real_size);
    // The names of the passes that may rewrite its programs, ended by NULL; NULL for all.
    const char *const *passes;
    // A pass of its own, after those of a stage (a cj__stage, graph/program.h); NULL for none.
    cj_status (*rewrite)(const cj__device *device, struct cj__program *program, int stage);

    // Memory of `size` bytes, aligned to 64. NULL with a sentence. Any size is fine, 0 too.
    void *(*allocate)(cj__device *device, size_t size);
    void (*free)(cj__device *device, void *memory, size_t size); // NULL memory is fine
    // From the host's memory to the device's, back, and within the device's. In a run they come in
    // order with its calls; copy_out has ended when it returns.
    cj_status (*copy_in)(cj__device *device, void *to, const void *from, size_t bytes);
    cj_status (*copy_out)(cj__device *device, void *to, const void *from, size_t bytes);
    cj_status (*copy_within)(cj__device *device, void *to, const void *from, size_t bytes);

    // Makes ready what it keeps for a plan from run to run (*own), and lets go of it. Plans of one
    // device may be opened by several threads at once.
    cj_status (*plan_open)(cj__device *device, void **own);
    void (*plan_close)(cj__device *device, void *own); // NULL is fine
    // Sets call->run, and call->pool where a pool bounds the workspace; gives the bytes of
    // workspace that a run of it needs. Operands have types and no places yet.
    cj_status (*prepare)(cj__device *device, cj__call *call, size_t *workspace);
    // Around each run of a plan. end is called after every begin that went well, with the status
    // of the run, and returns it or, if that was CJ_OK, its own.
    cj_status (*begin)(cj__device *device, void *own, cj__run *run);
    cj_status (*end)(cj__device *device, void *own, cj__run *run, cj_status status);
    // Runs a list at once. NULL for a device whose calls are run one by one. A device with this
    // function must leave out the pass split_batch, which makes lists into loops over parts of a
    // batch. Plans with ops that start early and are awaited late run call by call all the same.
    cj_status (*run_list)(cj__device *device, void *own, const cj__call_list *list,
                          const cj__run *run);
    // What it computes with, for listings: "2 threads".
    void (*describe)(const cj__device *device, char *text, size_t size);
    void (*destroy)(cj__device *device); // what it holds beside its memory; NULL for nothing
} cj__device_kind;

// Begins what a kind knows of its devices.
struct cj__device {
    cj__object object;
    const cj__device_kind *kind;
};

// A zeroed device of `size` bytes, which begin with a cj__device; floating. NULL without memory.
void *cj__device_new(const cj__device_kind *kind, size_t size);

// Whether a device's memory is the host's; it is for NULL.
static inline bool cj__device_is_host(const cj__device *device)
{
    return !device || device->kind->host_memory;
}

// The kernels of a device for a real dtype, or NULL.
static inline const cj__kernels *cj__device_kernels(const cj__device *device, cj_dtype real)
{
    return device->kind->kernels ? device->kind->kernels(cj_dtype_size(real)) : NULL;
}

#endif
