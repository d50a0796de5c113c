// Building loops over time (ops/scan.h), and their gradient.
//
// A loop is written as what one step does:
//
//   cj__scan loop;
//   cj__scan_begin(&loop, g, steps, false);
//   cj_symbol *h = cj__scan_carry(&loop, h0);      // (batch, units): the state
//   cj_symbol *x = cj__scan_slice(&loop, products); // (batch, units), of (steps, batch, units)
//   cj_symbol *y = tanh(x + matmul(h, u));
//   cj__scan_next(&loop, h, y);
//   cj__scan_output(&loop, y);
//   cj__scan_end(&loop, &last, &all);
//
// An expression of the body may read any symbol of the graph around it, such as u: what does not
// depend on a state or an entry of a sequence is computed once, before the loop, and becomes an
// invariant. Scans may be nested in this way, and differentiated any number of times.
#ifndef CJ_GRAPH_SCAN_H
#define CJ_GRAPH_SCAN_H

#include "ops/build.h"
#include "ops/scan.h"

typedef struct cj__scan_input {
    cj_symbol *symbol; // a leaf
    cj__scan_role role;
    cj_symbol *operands[2]; // outside: see cj__scan_operands()
    cj_symbol *next;        // of a carried one
} cj__scan_input;

// A loop that is being built. Its symbols are held by the builder.
typedef struct cj__scan {
    cj__build *build;
    int64_t length;
    bool reverse;
    const cj__node *differentiated; // the scan whose gradient this is, or NULL
    cj__scan_input *inputs;
    int input_count, carried_count;
    size_t input_capacity;
    cj_symbol **outputs;
    int output_count;
    size_t output_capacity;
} cj__scan;

// Begins a loop of so many steps, which goes from the last entry to the first with `reverse`. It
// has to be ended.
void cj__scan_begin(cj__scan *scan, cj__build *build, int64_t length, bool reverse);

// Inputs of the body: symbols to be used in its expressions. NULL after a failure, which the
// builder keeps.
// A state, and what it is at first.
cj_symbol *cj__scan_carry(cj__scan *scan, cj_symbol *first);
// The entry of a sequence (steps, ...) at each step.
cj_symbol *cj__scan_slice(cj__scan *scan, cj_symbol *sequence);
// The entry before or after it, by index; at the end, where there is none, `other`.
cj_symbol *cj__scan_shifted(cj__scan *scan, cj__scan_role role, cj_symbol *sequence,
                            cj_symbol *other);

// What becomes of a state in a step; each state needs it once.
void cj__scan_next(cj__scan *scan, const cj_symbol *state, cj_symbol *next);
// A value of which all steps' are wanted; its index among the outputs.
int cj__scan_output(cj__scan *scan, cj_symbol *y);

// Ends the loop. last[k]: state k after the last step, in the order in which they were begun;
// outputs[i]: the sequence (steps, ...) of output i, by index. Both may be NULL for none.
cj_status cj__scan_end(cj__scan *scan, cj_symbol **last, cj_symbol **outputs);

// The gradient of a node that is a scan (cj__op.gradient), by those inputs that are wanted.
void cj__scan_gradient(cj__build *build, const cj__node *node, const bool *wanted,
                       cj_symbol *const *dy, cj_symbol **dx);

// The sequence of what a scan computed of a symbol of its body, or NULL if it does not offer it.
cj_symbol *cj__scan_sequence(cj__build *build, const cj__node *node, const cj_symbol *symbol);

#endif
