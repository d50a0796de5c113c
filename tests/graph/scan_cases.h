// Cells as loops: each case is what one step does. The same step builds a scan and the graph of all
// its steps one after another, with which the scan is compared.
#ifndef CJ_TESTS_GRAPH_SCAN_CASES_H
#define CJ_TESTS_GRAPH_SCAN_CASES_H

#include "fixture.h"

#include "graph/scan.h"

enum { CASE_MOST = 6, CASE_BATCH = 3 };

// The operands of a step, and what it gives.
typedef struct cell {
    cj__build *g;
    cj_symbol *states[CASE_MOST], *slices[CASE_MOST], *fixed[CASE_MOST];
    cj_symbol *next[CASE_MOST], *outputs[CASE_MOST];
} cell;

typedef struct scan_case {
    const char *name;
    void (*step)(cell *c);
    int states, slices, fixed, outputs;
    // of one step: of states, slices, fixed values; CJ_BATCH for the batch
    cj_shape shapes[3 * CASE_MOST];
} scan_case;

extern const scan_case scan_cases[];
extern const int scan_case_count;

// A case as a graph over inputs of a real dtype: states, sequences, fixed values.
typedef struct scan_graph {
    fixture f;
    cj_symbol *last[CASE_MOST], *sequences[CASE_MOST];
} scan_graph;

typedef struct scan_form {
    int64_t steps;
    bool reverse, unrolled;
    cj_dtype dtype;
} scan_form;

void scan_build(const scan_case *c, const scan_form *form, scan_graph *graph);

#endif
