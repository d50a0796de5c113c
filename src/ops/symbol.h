// Symbols and nodes: the graph as it is built. A node is an op applied to symbols; a symbol is one
// output of a node. Nodes hold their input symbols, symbols hold their node, so what is reachable
// from a symbol stays alive. Inputs, variables and constants are nodes too, of the leaf ops. Chains
// may be long (unrolled sequences): freeing is iterative.
#ifndef CJ_OPS_SYMBOL_H
#define CJ_OPS_SYMBOL_H

#include "base/object.h"
#include "ops/op.h"
#include "tensor/tensor.h"
#include <cajal/graph.h>
#include <stdatomic.h>

struct cj_variable {
    cj__object object;
    char *name;
    bool trainable; // what layers say; the graph does not read it
    // What only ops/variable.c touches (tools/check-variables): all others read and write through
    // ops/variable.h.
    struct {
        cj_tensor *host; // in the host's memory: the value itself, or a copy of a device's
        struct cj__device *device; // where the value lives, held; NULL for the host's memory
        void *block;               // its block there
        bool host_is_old;          // the block has changed since it was copied
        // another number after each change; below 0 where it may change unseen: somebody else has a
        // pointer to it
        _Atomic int64_t version;
    } memory;
};

typedef struct cj__node {
    cj__object object;
    const cj__op *op;
    int input_count, output_count;
    struct cj_symbol **inputs;  // held
    cj__type *types;            // of the outputs
    cj_tensor *constant;        // of op "constant", held
    cj_variable *variable;      // of op "variable", held
    char *name;                 // of op "input"; may be NULL
    void *attrs_object;         // what the attributes refer to (cj__op.object), held; or NULL
    struct cj__node *next_dead; // while it is being freed
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX];
} cj__node;

struct cj_symbol {
    cj__object object;
    cj__node *node; // held
    int index;      // which output of the node
    void *history;  // an object held for the layers' room: which layer made this; or NULL
    int history_index;
};

extern const cj__class cj__symbol_class, cj__node_class, cj__variable_class;

const cj__type *cj__symbol_type(const cj_symbol *symbol);
bool cj__symbol_is(const cj_symbol *symbol, const cj__op *op); // whether its node is of that op
const void *cj__symbol_attrs(const cj_symbol *symbol);

// Building with care for failure: a builder keeps the first failure and everything appended through
// it alive until cj__build_end(). Each function below returns a symbol that the builder holds, or
// NULL once anything has failed (also when given NULL), so expressions may be nested and shared
// freely, and errors are looked at once, at the end.
typedef struct cj__build {
    cj_status status;
    cj_symbol **symbols; // held
    size_t count, capacity;
    void **blocks; // of cj__build_memory()
    size_t block_count, block_capacity;
} cj__build; // starts as {0}

// Zeroed memory for `count` things of a size, such as the operands of an op with any number of them,
// until cj__build_end(). NULL once anything has failed.
void *cj__build_memory(cj__build *build, size_t count, size_t size);

// Lets go of everything the builder holds (what others own stays alive) and returns the first
// failure.
cj_status cj__build_end(cj__build *build);

// Notes a failure, whose sentence is recorded, if it is the first.
void cj__build_refuse(cj__build *build, cj_status status);

// Appends an op. `attrs` is the op's attributes struct (op->attrs_size bytes), NULL for none.
// outputs gets every output.
cj_status cj__append_many(cj__build *build, const cj__op *op, const void *attrs,
                          cj_symbol *const *inputs, int count, cj_symbol **outputs);
cj_symbol *cj__append(cj__build *build, const cj__op *op, const void *attrs,
                      cj_symbol *const *inputs, int count);

// The same node again over other inputs (same op and attributes): how a traced graph is re-made.
cj_status cj__append_like(cj__build *build, const cj__node *node, cj_symbol *const *inputs,
                          cj_symbol **outputs);

// Lets the builder hold a symbol made elsewhere (floating or not), and returns it. After a failure
// it drops a floating one.
cj_symbol *cj__build_keep(cj__build *build, cj_symbol *symbol);

// The same for the arguments of a public builder, of which some may be NULL or given twice.
cj_status cj__build_take(cj__build *build, cj_symbol *const *symbols, int count);

// Ends the builder and gives `symbol` to the caller floating; NULL after a failure. What is given
// is a new symbol object for the same output of the same node, so that it is the caller's alone:
// compare nodes and indices, not pointers.
cj_symbol *cj__build_result(cj__build *build, cj_symbol *symbol);

// A symbol for one output of a node: how a gradient reads the results of its own op.
cj_symbol *cj__node_output(cj__build *build, const cj__node *node, int index);
// An input of any type, also with an axis of so many times the batch (infer.h).
cj_symbol *cj__symbol_input(const cj__type *type, const char *name);

#endif
