// What an op is: one row of ops.def, one const struct, in one file with its contract, shape rule,
// gradient and run.
#ifndef CJ_OPS_OP_H
#define CJ_OPS_OP_H

#include "base/error.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include "ops/functions.h"
#include "tensor/tensor.h"
#include <stdatomic.h>

enum { CJ__ATTRS_MAX = 128, CJ__OP_IO_MAX = 16 };

struct cj__node;
struct cj__build;
struct cj_symbol;
struct cj__call;
struct cj__device;

// Effects. An op may do something that its outputs do not show: send, log, wait for another machine.
// Such an op has CJ__OP_EFFECT. It runs in every run of a function that needs it (a function needs
// what its outputs and updates are computed from; an effect that nothing reads is given as an
// output), as one of the main calls. It is never merged with an equal one, dropped, or cut into
// parts of a batch, and effects run in the order in which the program has them: operands first,
// then in the order of the function's outputs and updates.
//
// Work that goes on beside other calls is two ops. One with CJ__OP_START begins it: output 0 is the
// memory of the result, which must not be read yet, and further outputs are what the work needs to
// know of itself (a request). One with CJ__OP_AWAIT has output 0 of the start as input 0, waits for
// the end, and gives the result in that memory as its own output 0. A plan moves the start
// up to the call that makes its last operand, and the await down to its first reader. In between
// it keeps the operands and the memory, and calls poke() of the await after each other call, so that
// libraries whose work makes progress only when they are called (MPI) get on. If a call in between
// fails, the await still runs before the run ends. Both ops have CJ__OP_EFFECT too.
//
// Attributes may refer to a counted object, a connection or a log, which op->object() finds in them:
// what has such attributes holds the object.

// Traits. Passes ask what an op is like, never which op it is, unless they are about that one op.
// An op that runs answers every question below whose first answer is "undeclared"; a test fails for
// one that does not (tests/ops/traits.c).

// May the op run on images in blocks (ops/blocks.h) as it is? Then each channel of a result depends
// on the same channel of the operands alone, and finite operands give finite results, as idle lanes
// need it.
typedef enum cj__on_blocks {
    CJ__ON_BLOCKS_UNDECLARED,
    CJ__ON_BLOCKS_NO,
    CJ__ON_BLOCKS_YES,
} cj__on_blocks;

// When is output 0 one of the inputs, bit for bit?
typedef enum cj__identity {
    CJ__IDENTITY_UNDECLARED,
    CJ__IDENTITY_NEVER,
    CJ__IDENTITY_OF_EQUAL_TYPE, // it is input 0 where it has that input's type
    CJ__IDENTITY_BY_ONE,        // it is one of two inputs where the other is the scalar 1
} cj__identity;

// When are the numbers of output 0 bfloat16 numbers?
typedef enum cj__bf16 {
    CJ__BF16_UNDECLARED,
    CJ__BF16_NEVER, // as far as anyone can tell
    CJ__BF16_FROM_INPUT_0,
    CJ__BF16_FROM_INPUT_1, // where those of this input are
    CJ__BF16_ALWAYS,
} cj__bf16;

// cj__op.samples of an op that needs the whole batch at once.
#define CJ__WHOLE_BATCH ""

// Traits of the rows of CJ__UNARIES and CJ__BINARIES.
enum { CJ__FINITE = 1, CJ__EXACT = 2, CJ__ONE_IS_NEUTRAL = 4 };

// A bias and an activation after a product or convolution: part of the attributes of fused ops.
typedef struct cj__epilogue {
    cj__unary act;   // CJ__UNARY_NONE for none
    uint32_t filler; // zero
    double a, b;     // its parameters
} cj__epilogue;
static const cj__epilogue cj__no_epilogue = {.act = CJ__UNARY_NONE};

// Attributes are compared by their bytes (graph/passes/passes.c), so a struct of them has no padding,
// whose bytes nobody sets: the sizes of its members add up to its own. Where they would not, flags
// are as wide as what follows, or a member `filler` that is always zero takes the place. An op says
// `.attrs_size = CJ__ATTRS_SIZE(type)`, which is there only after this check.
#define CJ__NO_PADDING(type, size_of_members) \
    enum { type##_size = sizeof(type) };      \
    _Static_assert(sizeof(type) == (size_of_members), #type " has padding between its members")
#define CJ__SIZE_OF(type, member) sizeof(((type *)0)->member)
#define CJ__ATTRS_SIZE(type)      type##_size

CJ__NO_PADDING(cj__epilogue, sizeof(cj__unary) + sizeof(uint32_t) + 2 * sizeof(double));

struct cj__call;

// What a convolution or a gradient of one is to the passes.
typedef struct cj__convolution {
    cj__conv2d_kind kind;
    // The kernel's arguments; pointers that the call does not have yet are NULL.
    cj__conv2d_args (*args)(const struct cj__call *call);
    const struct cj__op *with_pool; // a convolution with a max pool after it; NULL for none
} cj__convolution;

// What an optimizer's step is to the passes and to the ops that run one in their own way (step.h).
struct cj__step_size;
struct cj__run_of;
typedef struct cj__step_rule {
    int first_slot; // input; before it are w, g, rate and perhaps the number of the step
    // the step of elements begin .. end - 1
    void (*run)(const struct cj__call *call, const struct cj__step_size *size, int64_t begin,
                int64_t end);
    // Whether with these attributes an element whose gradient is 0 keeps its bits (but for the sign
    // of a zero), and those of its slots; NULL: never.
    bool (*rests)(const void *attrs);
} cj__step_rule;

// What a reduction is to the passes: output 0 is input 0 reduced over some axes, and then divided.
typedef struct cj__reducing {
    cj__reduction function;
    uint32_t axes;  // bit i: axis i of input 0
    double divisor; // 1 for none
} cj__reducing;

typedef enum cj__op_flags {
    CJ__OP_LEAF = 1, // input, variable, constant: never run
    // output 0 may be placed in the memory of any input of its type that dies here, and is rounded
    // piece by piece where the call asks for it (run.h)
    CJ__OP_ELEMENTWISE = 2,
    // output 0 has the bytes of input 0: the plan shares the buffer and does not run it
    CJ__OP_VIEW = 4,
    // an optimizer's step: output i may be placed in input alias[i] (a variable's own memory)
    CJ__OP_UPDATE = 8,
    CJ__OP_NO_GRADIENT = 16, // integer, boolean or constant results: nothing passes back
    CJ__OP_FUSED = 32,       // made only by the plan's passes, after differentiation
    // likewise, and its operands are in a layout that the device's kernels chose (ops/blocks.h)
    CJ__OP_LAYOUT = 64,
    // it does more than compute its outputs: see Effects
    CJ__OP_EFFECT = 128,
    CJ__OP_START = 256,
    CJ__OP_AWAIT = 512,
    // it runs a body over time (ops/scan.h): the graph plans, runs and differentiates it
    CJ__OP_LOOP = 1024,
} cj__op_flags;

// One run: operands with concrete shapes (no free axis), ready to compute. Made once by the plan;
// pointers of the function's own inputs and outputs are set at each call. The data of an output
// after the first may be NULL if nothing reads it, except for ops with CJ__OP_UPDATE; output 0
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
// its inputs, and a copy of that input, so that any change is detected. (Comparing 73
// KB takes 2 microseconds, transforming them 5.)
typedef struct cj__kept {
    void *workspace;
    int input;
    void *copy; // of the input
    size_t workspace_bytes, copy_bytes;
    // The input's number of now (cj__variable_version), and when it was prepared: while it is known,
    // the copy is not needed. NULL where there is none.
    const _Atomic int64_t *version;
    int64_t seen;
    bool prepared;
    // Of a loop's body: the input is the same in all steps, so the first step of each run prepares
    // it, and there is no copy.
    bool of_loop, odd; // and whether this is every second step
    // The input is rounded by a call before, which has the copy of what it rounds, and looks
    // whether that is the same: then it need not round, since nothing else reads it.
    bool rounded, same;
} cj__kept;

typedef struct cj__call {
    const struct cj__op *op;
    // what the device has prepared to compute it, and the device; NULL of a view, which has nothing
    // to compute
    cj_status (*run)(const struct cj__call *call);
    const void *setup; // what op->set_up() made when the call was planned; NULL before
    const struct cj__device *device;
    const void *attrs;
    int input_count, output_count;
    cj__operand *inputs, *outputs;
    void *workspace; // of op->workspace() bytes, 64-byte aligned
    int64_t steps;   // how often each run of the plan makes it: of a loop's body the loop's length
    bool keeps;      // what its job prepares of an input
    cj__kept *kept;  // NULL for most
    struct cj__loop *loop; // of an op with CJ__OP_LOOP: its body as the plan runs it
    // of element-wise ops: the f32 result is rounded to bfloat16, piece by piece as it is made
    bool rounds;
    // all inputs are the caller's of the plan: no other thread's cache has any of them
    bool from_caller;
    cj_pool *pool; // of the CPU: the threads of this run; NULL for the calling thread alone
    // the device's, for the real dtype of this op (first real operand; float if none); NULL where
    // the device has kernels of another kind
    const cj__kernels *kernels;
} cj__call;

// One application of a shape rule (cj__op.infer). A free axis is CJ_BATCH. Sentences of errors name
// what clashes.
typedef struct cj__inference {
    const struct cj__op *op;
    void *attrs; // may be completed: a -1 worked out
    const cj__type *inputs;
    int input_count;
    cj__type *outputs; // to fill in; room for CJ__OP_IO_MAX, or for cj__op.count_outputs()
    int output_count;  // 1 when the rule begins
} cj__inference;

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

    // Traits: see above.

    // Whether a part of the batch can be computed by itself: a letter for each input, '>', a letter
    // for each output; the last counts for all after it. 's': samples along the first axis, where i
    // of a result depends on i of the operands alone; 'e': likewise, or broadcast; 'w': whole; 'v':
    // too, and too large to be read for each part; '+': a sum. CJ__WHOLE_BATCH: it cannot.
    const char *samples;
    cj__on_blocks on_blocks;
    cj__identity identity;
    cj__bf16 bf16;
    bool (*keeps_bf16)(const void *attrs); // whether `bf16` holds with these; NULL: with all
    bool rounds;         // its kernels round the result to bfloat16 where the call asks for it
    bool activation;     // `variant` is the cj__unary that an epilogue can do instead
    unsigned shape_only; // bit i: of input i only the shape is read
    const struct cj__op *fused;             // the same with an epilogue; NULL for none
    cj__epilogue *(*epilogue)(void *attrs); // of an op with an epilogue: where it is
    const cj__convolution *convolution;     // NULL for all others
    // of a convolution over three axes: args() gives the 2-D one of its planes; NULL for all others
    const cj__convolution *planes;
    const cj__step_rule *step; // NULL for all others

    // How passes may join an op with its neighbours (elements.h); all NULL for an op that they
    // cannot join. Both of the first two read of a call only the operands' data and dtypes, the
    // attributes and the kernels. Elements begin .. end - 1 of an output of which all operands have
    // the shape:
    void (*work_elements)(const cj__call *call, int64_t begin, int64_t end);
    // rows of an output to which the operands are broadcast:
    void (*work_rows)(const cj__call *call, const struct cj__run_of *run);
    // output 0 is input 0 stretched to a shape and then divided by this:
    double (*stretched)(const cj__call *call);
    void (*reducing)(const cj__call *call, cj__reducing *r);
    // The letters of `samples`, where the attributes tell them.
    const char *(*samples_of)(const void *attrs);

    // The number of outputs, where it depends on shapes or attributes, which may be bad ones; NULL
    // for an op of at most CJ__OP_IO_MAX outputs.
    int (*count_outputs)(const void *attrs, const cj__type *inputs);
    // The shape rule: checks inputs and attributes and fills in the outputs' types.
    cj_status (*infer)(cj__inference *r);
    // Given the gradients by the outputs (NULL where none arrives), appends the gradients by the
    // inputs through `build` and stores them (NULL where none passes). NULL function only with
    // CJ__OP_NO_GRADIENT, LEAF, UPDATE, FUSED or LOOP.
    void (*gradient)(struct cj__build *build, const struct cj__node *node,
                     struct cj_symbol *const *output_grads, struct cj_symbol **input_grads);
    // For attributes that count images: makes those of `rows` rows from `first` on, of operands
    // with `samples`, from the call's; returns how many images a row is. NULL where no attribute
    // does.
    int64_t (*part)(const cj__call *call, int64_t first, int64_t rows, void *attrs);
    // What every run would work out again from types and attributes alone (a geometry, the tasks
    // of a job) is made once, when the call is planned, in setup_size bytes. NULL for nothing.
    size_t setup_size;
    void (*set_up)(const cj__call *call, void *setup);
    // Bytes of workspace for concrete operands; NULL for none.
    size_t (*workspace)(const cj__call *call);
    // What the first phases of the call's job prepare (filters transformed, panels packed), where
    // it is worth keeping as long as the input that it is made from stays the same. NULL for none.
    cj__prepared (*prepared)(const cj__call *call);
    // The counted object that attributes refer to; NULL for none.
    void *(*object)(const void *attrs);
    // Of an op with CJ__OP_AWAIT: makes progress between start and await; NULL for none.
    void (*poke)(const cj__call *call);
    // Floating point operations of a call, for listings; NULL for ops that are bound by memory.
    double (*flops)(const cj__call *call);
    // The form of the kernel that a call takes, such as "winograd", for listings; NULL where there
    // is but one.
    const char *(*form)(const cj__call *call);
    // Computes the outputs on the host's processors, in memory that it can reach: how the CPU runs
    // a call (device.h). Fails only for what shapes cannot tell, such as an index out of range.
    cj_status (*run)(const cj__call *call);
} cj__op;

// Whether of input `index` only the shape is read. Such inputs are among the first of an op.
static inline bool cj__shape_only(const cj__op *op, int index)
{
    return index < 32 && (op->shape_only >> index & 1);
}

// Every op by name: cj__op_add, cj__op_conv2d, ...
#define CJ__OP(name, formula) extern const cj__op cj__op_##name;
#include "ops/ops.def"
#undef CJ__OP

// All ops in order, for tests and listings; ends with NULL.
extern const cj__op *const cj__ops[];

#endif
