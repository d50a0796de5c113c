// A loop in the graph: the op `scan` runs a *body*, a small graph of its own, once for each entry
// of a time axis.
//
// The body is a function of its inputs, which are leaves of the op `input`. Each input has a role:
//
//   carried    a state: the first step reads the initial value, each later one what the step before
//              has made of it
//   slice      entry t of a sequence (time, ...), at step t
//   before     entry t - 1 of a sequence, and at t = 0 another value: the states that step t begins
//              with, read from the states that the steps ended with
//   after      entry t + 1 of a sequence, and at the last t another value: the same for a scan that
//              goes backwards
//   invariant  the same value in every step
//
// The body's results are the next value of each carried input, and any number of values of which
// each step's is an entry of a sequence (time, ...). Sequences have time first, so that an entry is
// one block of memory: a step is pointed at it, and nothing is copied.
//
// Inputs of the op: for each input of the body in order, the initial value; the sequence; the
// sequence and the other value (before and after); or the value. Outputs: the last value of each
// carried input, then the sequences. The steps are taken with t from 0 up, or down to 0 with
// `reverse`.
//
// A scan offers all that its body computes as sequences (graph/scan.c). Nobody pays for those that
// are not read: a plan leaves them out (graph/loop.c). By them a gradient finds what the steps
// computed (graph/scan_gradient.c).
#ifndef CJ_OPS_SCAN_H
#define CJ_OPS_SCAN_H

#include "ops/symbol.h"

typedef enum cj__scan_role {
    CJ__SCAN_CARRIED,
    CJ__SCAN_SLICE,
    CJ__SCAN_BEFORE,
    CJ__SCAN_AFTER,
    CJ__SCAN_INVARIANT,
} cj__scan_role;

// A counted object, which never changes.
typedef struct cj__scan_body {
    cj__object object;
    int input_count, carried_count, stacked_count;
    cj_symbol **inputs;   // held; the carried ones come first
    cj__scan_role *roles; // of the inputs
    cj_symbol **results;  // held: the next value of each carried input, then those that are stacked
} cj__scan_body;

typedef struct cj__scan_attrs {
    cj__scan_body *body;
    int64_t length;  // steps
    int64_t reverse; // not 0: yes. Attributes are compared by bytes: a bool would leave padding
} cj__scan_attrs;
CJ__NO_PADDING(cj__scan_attrs, sizeof(cj__scan_body *) + 2 * sizeof(int64_t));

// An empty body with room for so many inputs and results, floating; NULL without memory. The maker
// counts the inputs and stores symbols that it has taken over for the body.
cj__scan_body *cj__scan_body_new(int inputs, int results);

// How many inputs of the op an input of the body with that role stands for.
int cj__scan_operands(cj__scan_role role);

// The body of an op with CJ__OP_LOOP.
static inline const cj__scan_body *cj__scan_body_of(const void *attrs)
{
    return ((const cj__scan_attrs *)attrs)->body;
}

#endif
