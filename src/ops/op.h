// What an op is: one row of ops.def, one const struct, in one file with its contract, shape rule,
// gradient and run.
#ifndef CJ_OPS_OP_H
#define CJ_OPS_OP_H

#include "base/error.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "tensor/tensor.h"

enum { CJ__ATTRS_MAX = 128, CJ__OP_IO_MAX = 16 };

struct cj__node;
struct cj__build;
struct cj_symbol;
struct cj__call;
struct cj__device;

typedef enum cj__op_flags {
    CJ__OP_LEAF = 1, // input, variable, constant: never run
    // output 0 may be placed in the memory of any input of its type that dies here
    CJ__OP_ELEMENTWISE = 2,
    // output 0 has the bytes of input 0: the plan shares the buffer and does not run it
    CJ__OP_VIEW = 4,
    // an optimizer's step: output i may be placed in input alias[i] (a variable's own memory)
    CJ__OP_UPDATE = 8,
    CJ__OP_NO_GRADIENT = 16, // integer, boolean or constant results: nothing passes back
    CJ__OP_FUSED = 32,       // made only by the plan's passes, after differentiation
    // likewise, and its operands are in a layout that the device's kernels chose (ops/blocks.h)
    CJ__OP_LAYOUT = 64,
} cj__op_flags;

// One run: operands with concrete shapes (no free axis), ready to compute. Made once by the plan;
// pointers of the function's own inputs and outputs are set at each call. The data of an output
// after the first may be NULL if nobody needs it, except for ops with CJ__OP_UPDATE; output 0
// always has memory.
typedef struct cj__operand {
    void *data;
    cj__type type;
} cj__operand;

// What the first phases of a call's job make of one of its inputs alone.
typedef struct cj__prepared {
    int input;    // -1 for nothing
    size_t bytes; // of workspace, without the threads' scratch
} cj__prepared;

// What a call keeps from run to run: a workspace of its own that its job has prepared from one of
// its inputs, and a copy of that input, by which a change is seen whoever makes it. (Comparing 73
// KB takes 2 microseconds, transforming them 5.)
typedef struct cj__kept {
    void *workspace;
    int input;
    void *copy; // of the input
    size_t workspace_bytes, copy_bytes;
    bool prepared;
    // The input is rounded by a call before, which has the copy of what it rounds, and looks
    // whether that is the same: then it need not round, for nobody else reads it.
    bool rounded, same;
} cj__kept;

typedef struct cj__call {
    const struct cj__op *op;
    // what the device has prepared to compute it, and the device; NULL of a view, which has nothing
    // to compute
    cj_status (*run)(const struct cj__call *call);
    const struct cj__device *device;
    const void *attrs;
    int input_count, output_count;
    cj__operand *inputs, *outputs;
    void *workspace; // of op->workspace() bytes, 64-byte aligned
    cj__kept *kept;  // NULL for most
    // of element-wise ops: the f32 result is rounded to bfloat16, piece by piece as it is made
    bool rounds;
    // all inputs are the caller's of the plan: no other thread's cache has any of them
    bool from_caller;
    cj_pool *pool; // of the CPU: the threads of this run; NULL for the calling thread alone
    // the device's, for the real dtype of this op (first real operand; float if none); NULL where
    // the device has kernels of another kind
    const cj__kernels *kernels;
} cj__call;

typedef struct cj__op {
    const char *name;
    unsigned flags;
    int min_inputs, max_inputs;
    size_t attrs_size;
    const char
        // for CJ__OP_UPDATE: the digit alias[i] is the input whose memory output i may take ("03":
        // 0 and 3)
        *alias;
    int (*aliased)(const void *attrs, int output); // the same for ops with any number of outputs
    // which of a family (a cj__unary, cj__binary, ...)
    int variant;
    // Where a part of the batch can be computed by itself: a letter an input, '>', a letter an
    // output. 's': samples along the first axis, and those of a result come of the same ones of the
    // operands; 'e': likewise, or broadcast; 'w': whole; '+': a sum over the samples. NULL: it
    // cannot.
    const char *samples;

    // Checks inputs and attributes and gives the outputs' types (free axis as CJ_BATCH). Sentences
    // name what clashes. `attrs` may be completed in place (a -1 worked out). `outputs` has room
    // for CJ__OP_IO_MAX, or for as many as count_outputs says where an op has that function (a
    // count that only shapes tell; sound even for bad attributes).
    int (*count_outputs)(const void *attrs, const cj__type *inputs);
    cj_status (*infer)(const struct cj__op *op, void *attrs, const cj__type *inputs,
                       int input_count, cj__type *outputs, int *output_count);
    // Given the gradients by the outputs (NULL where none arrives), appends the gradients by the
    // inputs through `build` and stores them (NULL where none passes). NULL function only with
    // CJ__OP_NO_GRADIENT, LEAF, UPDATE or FUSED.
    void (*gradient)(struct cj__build *build, const struct cj__node *node,
                     struct cj_symbol *const *output_grads, struct cj_symbol **input_grads);
    // For attributes that count images: makes those of `rows` rows from `first` on, of operands
    // with `samples`, from the call's; returns how many images a row is. NULL where no attribute
    // does.
    int64_t (*part)(const cj__call *call, int64_t first, int64_t rows, void *attrs);
    // Bytes of workspace for concrete operands; NULL for none.
    size_t (*workspace)(const cj__call *call);
    // What the first phases of the call's job prepare (filters transformed, panels packed), where
    // it is worth keeping as long as the input that it is made from stays the same. NULL for none.
    cj__prepared (*prepared)(const cj__call *call);
    // Floating point operations of a call, for listings; NULL for those that are bound by memory.
    double (*flops)(const cj__call *call);
    // The form of the kernel that a call takes, such as "winograd", for listings; NULL where there
    // is but one.
    const char *(*form)(const cj__call *call);
    // Computes the outputs on the host's processors, in memory that it can reach: how the CPU runs
    // a call (device.h). Fails only for what shapes cannot tell, such as an index out of range.
    cj_status (*run)(const cj__call *call);
} cj__op;

// Every op by name: cj__op_add, cj__op_conv2d, ...
#define CJ__OP(name, formula) extern const cj__op cj__op_##name;
#include "ops/ops.def"
#undef CJ__OP

// All ops in order, for tests and listings; ends with NULL.
extern const cj__op *const cj__ops[];

#endif
