// How a call of elements.h is cut into tiles, and its program into stages: what elements_layout.c
// works out once for the shapes of a call, and elements.c runs.
#ifndef CJ_OPS_ELEMENTS_LAYOUT_H
#define CJ_OPS_ELEMENTS_LAYOUT_H

#include "ops/elements.h"

// Over which of the merged axes a reduction goes.
typedef enum cj__reduction_kind {
    CJ__OVER_COLUMNS, // the last axis: it leaves a number for each row
    CJ__OVER_ROWS,    // all others: it leaves a number for each column
    CJ__OVER_ALL
} cj__reduction_kind;

// Copies that a thread makes of a broadcast input, so that kernels find it as they want it.
typedef enum cj__spreading {
    CJ__SPREAD_NOT,
    CJ__SPREAD_BLOCK, // a number, CJ__CHAIN_BLOCK times
    CJ__SPREAD_TILE,  // a vector along the columns, once for each row of a tile
    CJ__SPREAD_ROWS   // a number for each row, once for each of its columns
} cj__spreading;

// A link of a chain (cj__kernels.chain) before the tile is known.
typedef enum cj__link_source {
    CJ__LINK_OF_NOTHING,
    CJ__LINK_OF_INPUT,
    CJ__LINK_OF_STEP, // its result
    CJ__LINK_OF_NUMBER,
    CJ__LINK_OF_SUM // the tile of sums of a reduction
} cj__link_source;
typedef struct cj__link_plan {
    uint8_t kind, source, index;
    bool repeats;
} cj__link_plan;

// A step that its op's own loop does, or steps that are one chain.
typedef struct cj__element_stage {
    int step;
    int first_link, link_count; // 0 links for a step alone
} cj__element_stage;

enum {
    // a step makes at most a load, itself and a store; a reduction one
    CJ__ELEMENTS_LINKS = 3 * CJ__ELEMENTS_STEPS + CJ__ELEMENTS_REDUCTIONS,
    CJ__ELEMENTS_AXES = CJ_MAX_RANK + 1
};

typedef struct cj__element_layout {
    int rank; // at least 2; the last axes are rows and columns
    int64_t dims[CJ__ELEMENTS_AXES];
    int64_t steps[CJ__ELEMENTS_OPERANDS][CJ__ELEMENTS_AXES]; // of inputs, then outputs, in elements
    int64_t first[CJ__ELEMENTS_OPERANDS];                    // and where they begin
    int64_t rows, cols, tile_rows, tile_cols, row_tiles, col_tiles;
    int64_t tiles, unit, units; // a unit is tiles that one thread does in order
    int64_t unit_elements;
    int64_t pieces, piece_units;
    bool sums; // has reductions whose pieces are added up
    // Elements after which the columns come again, a few vectors, where chains add up rows of few
    // columns in registers; 0 for none.
    int64_t period;
    cj__spreading spread[CJ__ELEMENTS_OPERANDS];
    cj__reduction_kind kinds[CJ__ELEMENTS_REDUCTIONS];
    bool linked[CJ__ELEMENTS_REDUCTIONS];       // a chain adds to its sums
    int64_t results[CJ__ELEMENTS_REDUCTIONS];   // numbers of a reduction,
    int64_t sum_count[CJ__ELEMENTS_REDUCTIONS]; // and elements in which a thread adds them up
    size_t tile_bytes, partial_bytes[CJ__ELEMENTS_REDUCTIONS], sum_bytes[CJ__ELEMENTS_REDUCTIONS];
    size_t shared, scratch; // bytes of all threads, and of each
    int stage_count;
    cj__element_stage stages[CJ__ELEMENTS_STEPS];
    cj__link_plan links[CJ__ELEMENTS_LINKS];
} cj__element_layout;

static inline const cj__element_program *cj__element_program_of(const cj__call *call)
{
    return ((const cj__elements_attrs *)call->attrs)->program;
}

cj_dtype cj__element_dtype(const cj__element_program *program, cj__source source);
void cj__element_layout_of(const cj__call *call, cj__element_layout *layout);

#endif
