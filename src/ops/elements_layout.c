// The layout of a call of elements.h.
//
// The axes that all operands walk through alike are merged. A *tile* is some rows of the last two
// axes, or a part of one row. Sums over the leading axes or over all come from *pieces* of the
// domain, cut by its shape alone.
//
// Steps that follow each other, each working on the result of the one before, are one *stage*: a
// chain, which the kernel of that name runs in registers. Any other step is a stage by itself.
#include "ops/elements_layout.h"

#include "base/memory.h"
#include "ops/device.h"
#include "ops/infer.h"
#include "ops/spike.h"

#include <string.h>

enum {
    TILE = 1024,          // elements
    PIECE_LEAST = 1 << 15 // elements of a piece that is summed up by itself
};
static const int64_t PIECES_MOST = 512, SUMS_MOST = 1 << 20; // pieces, and sums of all of them

// The domain of a call, which may have only a part of the batch.
static cj_shape domain_of(const cj__call *call)
{
    const cj__element_program *p = cj__element_program_of(call);
    cj_shape domain = p->domain;
    for (int i = 0; i < p->input_count; i++)
        if (p->samples[0] != '\0' && p->samples[i] == 's')
            domain.dims[0] = call->inputs[i].type.shape.dims[0];
    return domain;
}

// The step of an input, or of an output of the domain's shape, along an axis of the domain.
static int64_t step_along(const cj_shape *shape, int axis, int rank)
{
    const int own = axis - (rank - shape->rank);
    return own < 0 || shape->dims[own] == 1 ? 0 : cj__span(shape, own + 1, shape->rank);
}

// The step of an input of which the domain has an entry.
static int64_t step_of_entry(const cj_shape *domain, const cj__element_entry *entry, int axis)
{
    return cj__span(domain, axis + 1, domain->rank) * (axis < entry->axis ? entry->count : 1);
}

// The step of a reduction's result: reduced axes are left out.
static int64_t step_reduced(const cj_shape *domain, uint32_t reduced, int axis)
{
    int64_t step = 1;
    for (int i = axis + 1; i < domain->rank; i++)
        step *= reduced >> i & 1 ? 1 : domain->dims[i];
    return reduced >> axis & 1 ? 0 : step;
}

static void merge_axes(const cj__call *call, cj__element_layout *g)
{
    const cj__element_program *p = cj__element_program_of(call);
    const cj_shape domain = domain_of(call);
    const int operands = p->input_count + p->output_count;
    g->rank = 0;
    for (int i = 0; i < p->input_count; i++)
        g->first[i] = p->entries[i].index * cj__span(&domain, p->entries[i].axis, domain.rank);
    for (int axis = 0; axis < domain.rank; axis++) {
        int64_t steps[CJ__ELEMENTS_OPERANDS];
        const int64_t length = domain.dims[axis];
        bool merged = g->rank > 0;
        if (length == 1)
            continue;
        for (int i = 0; i < operands; i++) {
            const uint32_t reduced = i < p->input_count ? 0 : p->reduced[i - p->input_count];
            const bool is_entry = i < p->input_count && p->entries[i].count > 0;
            steps[i] = reduced != 0 ? step_reduced(&domain, reduced, axis) :
                       is_entry     ? step_of_entry(&domain, &p->entries[i], axis) :
                                      step_along(&call->inputs[i].type.shape, axis, domain.rank);
            merged = merged && g->steps[i][g->rank - 1] == steps[i] * length;
        }
        g->rank += !merged;
        g->dims[g->rank - 1] = merged ? g->dims[g->rank - 1] * length : length;
        for (int i = 0; i < operands; i++)
            g->steps[i][g->rank - 1] = steps[i];
    }
}

// Puts axes of length 1 in front, so that there are rows and columns.
static void complete_axes(cj__element_layout *g)
{
    if (g->rank == 0) {
        g->dims[0] = g->dims[1] = 1;
        g->rank = 2;
    } else if (g->rank == 1) {
        g->dims[1] = g->dims[0];
        g->dims[0] = 1;
        for (int i = 0; i < CJ__ELEMENTS_OPERANDS; i++) {
            g->steps[i][1] = g->steps[i][0];
            g->steps[i][0] = 0;
        }
        g->rank = 2;
    }
}

static int64_t quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// Rows are added up in registers where some of them fill between 5 and 8 vectors.
static int64_t period_of(int64_t cols, int64_t lanes)
{
    for (int64_t vecs = 8; vecs >= 5; vecs--)
        if (vecs * lanes % cols == 0)
            return vecs * lanes;
    return 0;
}

static void cut_tiles(const cj__call *call, cj__element_layout *g)
{
    const cj__element_program *p = cj__element_program_of(call);
    int64_t outer = 1;
    for (int i = 0; i < g->rank - 2; i++)
        outer *= g->dims[i];
    g->rows = g->dims[g->rank - 2];
    g->cols = g->dims[g->rank - 1];
    g->col_tiles = quotient_up(g->cols, TILE);
    g->tile_cols = g->col_tiles == 1 ? g->cols : quotient_up(g->cols, g->col_tiles * 16) * 16;
    g->col_tiles = quotient_up(g->cols, g->tile_cols);
    g->tile_rows = g->col_tiles > 1 ? 1 : TILE / g->cols;
    g->tile_rows = g->tile_rows > g->rows ? g->rows : g->tile_rows;
    if (p->reduction_count > 0 && g->col_tiles == 1) {
        const cj_dtype dtype = p->outputs[p->reductions[0].output].dtype;
        g->period = period_of(g->cols, cj__device_kernels(call->device, dtype)->lanes);
    }
    const int64_t rows = g->period / g->cols; // whole periods, if there are some
    g->tile_rows -= rows > 0 && g->tile_rows > rows ? g->tile_rows % rows : 0;
    g->row_tiles = quotient_up(g->rows, g->tile_rows);
    g->tiles = outer * g->row_tiles * g->col_tiles;
}

static cj__reduction_kind kind_of(const cj__element_layout *g, int operand)
{
    int64_t any = 0;
    for (int axis = 0; axis < g->rank; axis++)
        any |= g->steps[operand][axis];
    return any == 0                            ? CJ__OVER_ALL :
           g->steps[operand][g->rank - 1] != 0 ? CJ__OVER_ROWS :
                                                 CJ__OVER_COLUMNS;
}

static void cut_pieces(const cj__element_program *p, cj__element_layout *g)
{
    bool rows = false;
    int64_t most = PIECES_MOST;
    for (int i = 0; i < p->reduction_count; i++) {
        g->kinds[i] = kind_of(g, p->input_count + p->reductions[i].output);
        g->results[i] = g->kinds[i] == CJ__OVER_ROWS ? g->cols : 1;
        rows = rows || g->kinds[i] == CJ__OVER_COLUMNS;
        if (g->kinds[i] != CJ__OVER_COLUMNS) {
            g->sums = true;
            most = SUMS_MOST / g->results[i] < most ? SUMS_MOST / g->results[i] : most;
        }
    }
    g->unit = rows ? g->col_tiles : 1;
    g->units = g->tiles / g->unit;
    g->unit_elements = g->tile_rows * g->tile_cols * g->unit;
    int64_t pieces = quotient_up(g->units * g->unit_elements, PIECE_LEAST);
    pieces = pieces > most ? most : pieces;
    pieces = pieces < 1 ? 1 : pieces;
    g->piece_units = g->sums ? quotient_up(g->units, pieces) : 1;
    g->pieces = quotient_up(g->units, g->piece_units);
}

// How an input must be copied so that it can be read by elements of a tile.
static cj__spreading spreading_of(const cj__element_layout *g, int input, cj_dtype dtype)
{
    const int64_t row = g->steps[input][g->rank - 2], col = g->steps[input][g->rank - 1];
    if (!cj__is_real(dtype))
        return CJ__SPREAD_NOT;
    if (col == 0)
        return row == 0 || g->tile_rows == 1 ? CJ__SPREAD_BLOCK : CJ__SPREAD_ROWS;
    return row == 0 && g->tile_rows > 1 ? CJ__SPREAD_TILE : CJ__SPREAD_NOT;
}

static void find_spreads(const cj__element_program *p, cj__element_layout *g)
{
    for (int i = 0; i < p->input_count; i++)
        g->spread[i] = spreading_of(g, i, p->inputs[i].dtype);
}

// What lies in scratch memory lies 64 bytes further than a multiple of the cache's ways would have it.
static void size_scratch(const cj__call *call, cj__element_layout *g)
{
    const cj__element_program *p = cj__element_program_of(call);
    const int64_t tile = g->tile_rows * g->tile_cols;
    const int64_t room = tile > CJ__CHAIN_BLOCK ? tile : CJ__CHAIN_BLOCK;
    size_t widest = 1, copies = 0;
    for (int i = 0; i < p->step_count; i++) {
        const size_t size = cj_dtype_size(p->steps[i].dtype);
        widest = size > widest ? size : widest;
    }
    for (int i = 0; i < p->input_count; i++) {
        const size_t size = cj_dtype_size(p->inputs[i].dtype);
        copies += g->spread[i] != CJ__SPREAD_NOT;
        widest = size > widest ? size : widest;
    }
    g->tile_bytes = cj__align_up_64((size_t)room * widest) + 64;
    g->scratch = g->tile_bytes * ((size_t)p->place_count + copies);
    g->shared = 0;
    for (int i = 0; i < p->reduction_count; i++) {
        const size_t real = cj_dtype_size(p->outputs[p->reductions[i].output].dtype);
        if (g->kinds[i] == CJ__OVER_COLUMNS)
            continue;
        g->sum_count[i] = g->kinds[i] == CJ__OVER_ROWS && g->col_tiles > 1 ? g->cols :
                          g->linked[i] && g->period > 0                    ? g->period :
                                                                             tile;
        g->sum_bytes[i] = cj__align_up_64((size_t)g->sum_count[i] * real) + 64;
        g->partial_bytes[i] = cj__align_up_64((size_t)(g->pieces * g->results[i]) * real);
        g->scratch += g->sum_bytes[i];
        g->shared += g->partial_bytes[i];
    }
}

// ---- Stages ----

// The links that do an op: where v is its operand 0 or 1, and o the other; -1 for none.
typedef struct link_row {
    const cj__op *op;
    int kinds[2];
} link_row;
static const link_row link_rows[] = {
    {&cj__op_add, {CJ__LINK_add, CJ__LINK_add}},
    {&cj__op_subtract, {CJ__LINK_subtract, CJ__LINK_subtract_from}},
    {&cj__op_multiply, {CJ__LINK_multiply, CJ__LINK_multiply}},
    {&cj__op_divide, {CJ__LINK_divide, -1}},
    {&cj__op_negative, {CJ__LINK_negative, -1}},
    {&cj__op_absolute, {CJ__LINK_absolute, -1}},
    {&cj__op_square, {CJ__LINK_square, -1}},
    {&cj__op_reciprocal, {CJ__LINK_reciprocal, -1}},
    {&cj__op_spike, {CJ__LINK_beyond, -1}}, // or "reached": see link_step()
    {&cj__op_relu, {CJ__LINK_relu, -1}},
    {&cj__op_relu_grad, {-1, CJ__LINK_relu_grad}},
    {&cj__op_square_grad, {-1, CJ__LINK_square_grad}},
};

static const link_row *row_of(const cj__op *op)
{
    for (size_t i = 0; i < sizeof link_rows / sizeof link_rows[0]; i++)
        if (link_rows[i].op == op)
            return &link_rows[i];
    return NULL;
}

cj_dtype cj__element_dtype(const cj__element_program *p, cj__source source)
{
    switch (source.kind) {
    case CJ__SOURCE_INPUT:
        return p->inputs[source.index].dtype;
    case CJ__SOURCE_STEP:
        return p->steps[source.index].dtype;
    case CJ__SOURCE_NUMBER:
        break;
    }
    return p->numbers[source.index].dtype;
}

// Whether a source has its elements in their places, or repeats in blocks.
static bool is_in_place(const cj__element_layout *g, cj__source source)
{
    if (source.kind != CJ__SOURCE_INPUT || g->spread[source.index] != CJ__SPREAD_NOT ||
        g->tile_rows == 1)
        return true;
    const int64_t *steps = g->steps[source.index];
    return steps[g->rank - 2] == g->cols * steps[g->rank - 1];
}

static bool can_link(const cj__element_program *p, const cj__element_layout *g, int step)
{
    const cj__element_step *s = &p->steps[step];
    if (!row_of(s->op) || s->rounds)
        return false;
    for (int j = 0; j < s->input_count; j++)
        if (cj__element_dtype(p, s->inputs[j]) != s->dtype || !is_in_place(g, s->inputs[j]))
            return false;
    return true;
}

static bool is_result(cj__source source, int step)
{
    return source.kind == CJ__SOURCE_STEP && source.index == step;
}

// Which operand of a step can be the chain's value, if `before` is the step that made that, or any
// if it is -1; -1 for none.
static int operand_for_value(const cj__element_program *p, int step, int before)
{
    const cj__element_step *s = &p->steps[step];
    for (int j = 0; j < s->input_count; j++)
        if (row_of(s->op)->kinds[j] >= 0 && (before < 0 || is_result(s->inputs[j], before)))
            return j;
    return -1;
}

typedef struct staging {
    const cj__element_program *p;
    cj__element_layout *g;
    int links;
} staging;

static void add_link(staging *s, int kind, cj__link_source source, int index, bool repeats)
{
    s->g->links[s->links++] =
        (cj__link_plan){(uint8_t)kind, (uint8_t)source, (uint8_t)index, repeats};
}

static void add_link_of(staging *s, int kind, cj__source source)
{
    switch (source.kind) {
    case CJ__SOURCE_INPUT:
        add_link(s, kind, CJ__LINK_OF_INPUT, source.index,
                 s->g->spread[source.index] == CJ__SPREAD_BLOCK);
        break;
    case CJ__SOURCE_STEP:
        add_link(s, kind, CJ__LINK_OF_STEP, source.index, false);
        break;
    case CJ__SOURCE_NUMBER:
        add_link(s, kind, CJ__LINK_OF_NUMBER, source.index, true);
        break;
    }
}

// Whether a reduction adds up what a chain has in registers.
static bool sums_link(const staging *s, int reduction, int step)
{
    const cj__element_reduction *r = &s->p->reductions[reduction];
    return is_result(r->from, step) && r->what.function == CJ__REDUCTION_sum &&
           s->g->kinds[reduction] != CJ__OVER_COLUMNS;
}

// Whether a step's result is read by anything but the operand `value` of the next step of its chain
// (-1: there is none), and by sums.
static bool is_read_elsewhere(const staging *s, int step, int value)
{
    const cj__element_program *p = s->p;
    if (p->steps[step].output >= 0)
        return true;
    for (int i = step + 1; i < p->step_count; i++)
        for (int j = 0; j < p->steps[i].input_count; j++)
            if (is_result(p->steps[i].inputs[j], step) && !(i == step + 1 && j == value))
                return true;
    for (int i = 0; i < p->reduction_count; i++)
        if (is_result(p->reductions[i].from, step) && !sums_link(s, i, step))
            return true;
    return false;
}

// The links of one step, whose operand `value` the chain has.
static void link_step(staging *s, int step, int value)
{
    const cj__element_step *e = &s->p->steps[step];
    int kind = row_of(e->op)->kinds[value];
    if (e->op == &cj__op_spike && ((const cj__spike_attrs *)(const void *)e->attrs)->reached)
        kind = CJ__LINK_reached;
    if (e->input_count == 2)
        add_link_of(s, kind, e->inputs[1 - value]);
    else
        add_link(s, kind, CJ__LINK_OF_NOTHING, 0, false);
}

static int next_of_chain(const staging *s, int step)
{
    return step + 1 < s->p->step_count && can_link(s->p, s->g, step + 1) ?
               operand_for_value(s->p, step + 1, step) :
               -1;
}

// The chain that begins at a step; returns the step after it.
static int link_chain(staging *s, int step)
{
    int value = operand_for_value(s->p, step, -1);
    add_link_of(s, CJ__LINK_load, s->p->steps[step].inputs[value]);
    for (;; step++) {
        link_step(s, step, value);
        value = next_of_chain(s, step);
        if (is_read_elsewhere(s, step, value))
            add_link(s, CJ__LINK_store, CJ__LINK_OF_STEP, step, false);
        for (int i = 0; i < s->p->reduction_count; i++) {
            if (!sums_link(s, i, step))
                continue;
            add_link(s, CJ__LINK_sum, CJ__LINK_OF_SUM, i, false);
            s->g->linked[i] = true;
        }
        if (value < 0)
            return step + 1;
    }
}

static void find_stages(const cj__element_program *p, cj__element_layout *g)
{
    staging s = {p, g, 0};
    for (int i = 0; i < p->step_count;) {
        cj__element_stage *stage = &g->stages[g->stage_count++];
        *stage = (cj__element_stage){.step = i, .first_link = s.links};
        i = can_link(p, g, i) ? link_chain(&s, i) : i + 1;
        stage->link_count = s.links - stage->first_link;
    }
}

void cj__element_layout_of(const cj__call *call, cj__element_layout *g)
{
    *g = (cj__element_layout){0};
    merge_axes(call, g);
    complete_axes(g);
    cut_tiles(call, g);
    cut_pieces(cj__element_program_of(call), g);
    find_spreads(cj__element_program_of(call), g);
    find_stages(cj__element_program_of(call), g);
    size_scratch(call, g);
}
