// Element-wise instructions joined into one (graph/passes/fuse_elements.c): a short program that
// runs on one tile of its operands after another, so that what lies between its steps stays in the
// first cache.
//
// All steps have one shape, the *domain*, to which inputs are broadcast; or which is that of an
// *entry* of an input along one of its axes, as the gates of a cell lie beside each other. A step is one of the
// element-wise ops, done by that op's own loop (cj__op.work_elements, work_rows), so it gives the
// bits of that op. Reductions of inputs and of steps' results stand at the end.
#ifndef CJ_OPS_ELEMENTS_H
#define CJ_OPS_ELEMENTS_H

#include "ops/op.h"
#include "ops/run.h"

enum {
    CJ__ELEMENTS_OPERANDS = CJ__OP_IO_MAX, // inputs and outputs
    CJ__ELEMENTS_STEPS = 32,
    CJ__ELEMENTS_NUMBERS = 16,
    CJ__ELEMENTS_REDUCTIONS = 8,
    CJ__ELEMENTS_COLUMNS = 1 << 16, // of a reduction over the leading axes, at most
    CJ__ELEMENTS_ATTRS = 32,
    CJ__ELEMENTS_WORDS = 64
};

// What a step or a reduction reads.
typedef enum cj__source_kind {
    CJ__SOURCE_INPUT,
    CJ__SOURCE_STEP, // the result of a step before
    CJ__SOURCE_NUMBER
} cj__source_kind;
typedef struct cj__source {
    cj__source_kind kind;
    int index;
} cj__source;

typedef struct cj__element_step {
    const cj__op *op;
    cj_dtype dtype; // of the result
    bool rounds;    // the result is rounded to bfloat16
    int output;     // that the result is; -1 for none
    int place;      // in scratch memory, of a result that is no output
    int input_count;
    cj__source inputs[3];
    _Alignas(16) unsigned char attrs[CJ__ELEMENTS_ATTRS];
} cj__element_step;

typedef struct cj__element_reduction {
    cj__reducing what; // over axes of the domain
    cj__source from;   // of the domain's shape
    int output;
} cj__element_reduction;

// Which entry of an input the domain has: the input is `count` of them along an axis that the domain
// does not have. count 0: all of the input.
typedef struct cj__element_entry {
    int axis; // of the domain, before which it is; not the first
    int64_t count, index;
} cj__element_entry;

typedef struct cj__element_number {
    cj_dtype dtype;
    cj__real value;
} cj__element_number;

// An object, held by the instruction that runs it; it never changes once it is made.
typedef struct cj__element_program {
    cj__object object;
    cj_shape domain; // with the whole batch
    int input_count, output_count, step_count, reduction_count, number_count, place_count;
    cj__type inputs[CJ__ELEMENTS_OPERANDS], outputs[CJ__ELEMENTS_OPERANDS];
    cj__element_entry entries[CJ__ELEMENTS_OPERANDS]; // of inputs
    int direct; // the step that writes output 0; -1 if it is copied there at the end of each tile
    // the axes of the domain over which an output is reduced
    uint32_t reduced[CJ__ELEMENTS_OPERANDS];
    cj__element_step steps[CJ__ELEMENTS_STEPS];
    cj__element_reduction reductions[CJ__ELEMENTS_REDUCTIONS];
    cj__element_number numbers[CJ__ELEMENTS_NUMBERS];
    char *blocks;                            // of CJ__CHAIN_BLOCK copies of each number, owned
    char samples[CJ__ELEMENTS_OPERANDS + 2]; // cj__op.samples
    char words[CJ__ELEMENTS_WORDS];          // for listings
} cj__element_program;

typedef struct cj__elements_attrs {
    cj__element_program *program;
} cj__elements_attrs;
CJ__NO_PADDING(cj__elements_attrs, sizeof(cj__element_program *));

// A new program without steps; floating. NULL without memory.
cj__element_program *cj__element_program_new(void);
// Once all steps and operands are there: gives results their places, and works out the rest.
// CJ_OUT_OF_MEMORY if that fails.
cj_status cj__element_program_finish(cj__element_program *program);

#endif
