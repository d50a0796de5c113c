// elements and element_sums: the programs of elements.h.
//
//   elements       output 0 has the domain's shape: it may lie over an input of its type
//   element_sums   all outputs are reductions
//
// The axes that all operands walk through alike are merged. A *tile* is some rows of the last two
// axes, or a part of one row. A vector along the last axis is repeated in scratch memory, once
// for a range of tiles, so that a step runs over a tile as over one long row.
//
// Sums over the leading axes or over all: a *piece* of the domain, cut by its shape alone, adds its
// tiles into a tile of sums, and the pieces' sums are added in order. Reductions over the last axes
// write their rows as tiles come.
#include "ops/elements.h"

#include "base/memory.h"
#include "ops/device.h"
#include "ops/families.h"
#include "ops/infer.h"

#include <math.h>
#include <string.h>

enum {
    TILE = 1024,          // elements
    PIECE_LEAST = 1 << 15 // elements of a piece that is summed up by itself
};
static const int64_t PIECES_MOST = 512, SUMS_MOST = 1 << 20; // pieces, and sums of all of them

// ---- The object ----

static void destroy(void *object)
{
    cj__free(object);
}

static const cj__class program_class = {"element program", destroy};

cj__element_program *cj__element_program_new(void)
{
    return cj__object_new(&program_class, sizeof(cj__element_program));
}

static int last_read(const cj__element_program *p, int step)
{
    int last = step;
    for (int i = step + 1; i < p->step_count; i++)
        for (int j = 0; j < p->steps[i].input_count; j++)
            if (p->steps[i].inputs[j].kind == CJ__SOURCE_STEP &&
                p->steps[i].inputs[j].index == step)
                last = i;
    for (int i = 0; i < p->reduction_count; i++)
        if (p->reductions[i].from.kind == CJ__SOURCE_STEP && p->reductions[i].from.index == step)
            last = p->step_count;
    return p->steps[step].output == 0 ? p->step_count : last; // it may be copied at the end
}

// A place is free for the step after the last one that reads it.
static void give_places(cj__element_program *p)
{
    int until[CJ__ELEMENTS_STEPS];
    p->place_count = 0;
    for (int i = 0; i < p->step_count; i++) {
        int place = 0;
        while (place < p->place_count && until[place] >= i)
            place++;
        if (place == p->place_count)
            p->place_count++;
        until[place] = last_read(p, i);
        p->steps[i].place = place;
    }
}

static void append_word(cj__element_program *p, const char *word)
{
    const size_t length = strlen(p->words), left = sizeof p->words - length;
    if (strlen(word) + 2 <= left) {
        if (length > 0)
            strcat(p->words, " ");
        strcat(p->words, word);
    }
}

// Letters as in cj__op.samples; none where the batch cannot be cut.
static void find_samples(cj__element_program *p)
{
    int next = 0;
    const int64_t rows = p->domain.rank > 0 ? p->domain.dims[0] : 0;
    for (int i = 0; i < p->input_count; i++) {
        const cj_shape *shape = &p->inputs[i].shape;
        const bool has_rows = shape->rank == p->domain.rank && rows > 1 && shape->dims[0] == rows;
        p->samples[next++] = has_rows ? 's' : 'w';
    }
    p->samples[next++] = '>';
    for (int k = 0; k < p->output_count; k++)
        p->samples[next++] = p->reduced[k] & 1 ? '+' : 's';
    for (int i = 0; i < p->reduction_count; i++)
        if (p->reductions[i].what.function != CJ__REDUCTION_sum && (p->reductions[i].what.axes & 1))
            p->samples[0] = '\0';
    if (rows == 0 || !memchr(p->samples, 's', (size_t)p->input_count))
        p->samples[0] = '\0';
}

// Output 0 may lie over an input: a step may write it there itself if nothing reads inputs after it.
static void find_direct(cj__element_program *p)
{
    const int last = p->step_count - 1;
    p->direct = last >= 0 && p->steps[last].output == 0 ? last : -1;
    for (int i = 0; i < p->reduction_count; i++)
        if (p->reductions[i].from.kind == CJ__SOURCE_INPUT)
            p->direct = -1;
}

void cj__element_program_finish(cj__element_program *p)
{
    give_places(p);
    find_direct(p);
    find_samples(p);
    for (int i = 0; i < p->step_count; i++)
        append_word(p, p->steps[i].op->name);
    for (int i = 0; i < p->reduction_count; i++)
        append_word(p, p->reductions[i].what.function == CJ__REDUCTION_sum ? "sum" : "extreme");
}

static const cj__element_program *program_of(const cj__call *call)
{
    return ((const cj__elements_attrs *)call->attrs)->program;
}

// ---- Geometry ----

// Over which of the merged axes a reduction goes.
typedef enum reduction_kind {
    OVER_COLUMNS, // the last axis: it leaves a number for each row
    OVER_ROWS,    // all others: it leaves a number for each column
    OVER_ALL
} reduction_kind;

typedef struct geometry {
    int rank; // at least 2; the last axes are rows and columns
    int64_t dims[CJ_MAX_RANK + 1];
    int64_t steps[CJ__ELEMENTS_OPERANDS][CJ_MAX_RANK + 1]; // of inputs, then outputs, in elements
    int64_t rows, cols, tile_rows, tile_cols, row_tiles, col_tiles;
    int64_t tiles, unit, units; // a unit is tiles that one thread does in order
    int64_t pieces, piece_units;
    int64_t unit_elements;
    bool sums; // has reductions whose pieces are added up
    bool repeats[CJ__ELEMENTS_OPERANDS];
    reduction_kind kinds[CJ__ELEMENTS_REDUCTIONS];
    int64_t results[CJ__ELEMENTS_REDUCTIONS]; // numbers of a reduction
    size_t tile_bytes, partial_bytes[CJ__ELEMENTS_REDUCTIONS], sum_bytes[CJ__ELEMENTS_REDUCTIONS];
    size_t shared, scratch; // bytes of all threads, and of each
} geometry;

// The domain of a call, which may have only a part of the batch.
static cj_shape domain_of(const cj__call *call)
{
    const cj__element_program *p = program_of(call);
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

// The step of a reduction's result: reduced axes are left out.
static int64_t step_reduced(const cj_shape *domain, uint32_t reduced, int axis)
{
    int64_t step = 1;
    for (int i = axis + 1; i < domain->rank; i++)
        step *= reduced >> i & 1 ? 1 : domain->dims[i];
    return reduced >> axis & 1 ? 0 : step;
}

static void merge_axes(const cj__call *call, geometry *g)
{
    const cj__element_program *p = program_of(call);
    const cj_shape domain = domain_of(call);
    const int operands = p->input_count + p->output_count;
    g->rank = 0;
    for (int axis = 0; axis < domain.rank; axis++) {
        int64_t steps[CJ__ELEMENTS_OPERANDS];
        const int64_t length = domain.dims[axis];
        bool merged = g->rank > 0;
        if (length == 1)
            continue;
        for (int i = 0; i < operands; i++) {
            const uint32_t reduced = i < p->input_count ? 0 : p->reduced[i - p->input_count];
            steps[i] = reduced != 0 ? step_reduced(&domain, reduced, axis) :
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
static void complete_axes(geometry *g)
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

static void cut_tiles(geometry *g)
{
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
    g->row_tiles = quotient_up(g->rows, g->tile_rows);
    g->tiles = outer * g->row_tiles * g->col_tiles;
}

static reduction_kind kind_of(const geometry *g, int operand)
{
    int64_t any = 0;
    for (int axis = 0; axis < g->rank; axis++)
        any |= g->steps[operand][axis];
    return any == 0 ? OVER_ALL : g->steps[operand][g->rank - 1] != 0 ? OVER_ROWS : OVER_COLUMNS;
}

static void cut_pieces(const cj__element_program *p, geometry *g)
{
    bool rows = false;
    int64_t most = PIECES_MOST;
    for (int i = 0; i < p->reduction_count; i++) {
        g->kinds[i] = kind_of(g, p->input_count + p->reductions[i].output);
        g->results[i] = g->kinds[i] == OVER_ROWS ? g->cols : 1;
        rows = rows || g->kinds[i] == OVER_COLUMNS;
        if (g->kinds[i] != OVER_COLUMNS) {
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

// What a step leaves in scratch memory lies 64 bytes further than a multiple of the cache's ways
// would have it.
static void size_scratch(const cj__call *call, geometry *g)
{
    const cj__element_program *p = program_of(call);
    const int64_t tile = g->tile_rows * g->tile_cols;
    size_t widest = 1;
    for (int i = 0; i < p->step_count; i++) {
        const size_t size = cj_dtype_size(p->steps[i].dtype);
        widest = size > widest ? size : widest;
    }
    for (int i = 0; i < p->input_count; i++) {
        const size_t size = cj_dtype_size(p->inputs[i].dtype);
        g->repeats[i] =
            g->tile_rows > 1 && g->steps[i][g->rank - 1] == 1 && g->steps[i][g->rank - 2] == 0;
        widest = size > widest ? size : widest;
    }
    g->tile_bytes = cj__align_up_64((size_t)tile * widest) + 64;
    g->scratch = g->tile_bytes * (size_t)p->place_count;
    for (int i = 0; i < p->input_count; i++)
        g->scratch += g->repeats[i] ? g->tile_bytes : 0;
    g->shared = 0;
    for (int i = 0; i < p->reduction_count; i++) {
        const size_t real = cj_dtype_size(p->outputs[p->reductions[i].output].dtype);
        if (g->kinds[i] == OVER_COLUMNS)
            continue;
        const int64_t sums = g->kinds[i] == OVER_ROWS && g->col_tiles > 1 ? g->cols : tile;
        g->sum_bytes[i] = cj__align_up_64((size_t)sums * real) + 64;
        g->partial_bytes[i] = cj__align_up_64((size_t)(g->pieces * g->results[i]) * real);
        g->scratch += g->sum_bytes[i];
        g->shared += g->partial_bytes[i];
    }
}

static void set_up(const cj__call *call, void *setup)
{
    geometry *g = setup;
    *g = (geometry){0};
    merge_axes(call, g);
    complete_axes(g);
    cut_tiles(g);
    cut_pieces(program_of(call), g);
    size_scratch(call, g);
}

static size_t workspace(const cj__call *call)
{
    geometry own;
    const geometry *g = call->setup;
    if (!g) { // of the whole call, which runs in parts
        set_up(call, &own);
        g = &own;
    }
    return g->shared + g->scratch * (size_t)cj_pool_threads(call->pool);
}

// ---- Running ----

typedef struct place {
    char *data;
    int64_t row, step; // in elements
} place;

// What a thread has for a range of tiles.
typedef struct range {
    const cj__call *call;
    const cj__element_program *program;
    const geometry *g;
    place inputs[CJ__ELEMENTS_OPERANDS];
    char *outputs[CJ__ELEMENTS_OPERANDS];
    char *copies[CJ__ELEMENTS_OPERANDS]; // of repeated vectors, and what they are copies of
    const char *copied[CJ__ELEMENTS_OPERANDS];
    char *sums[CJ__ELEMENTS_REDUCTIONS];
    char *places;
    int64_t rows, cols, first_col; // of the present tile
    cj__call calls[CJ__ELEMENTS_STEPS];
    cj__operand operands[CJ__ELEMENTS_STEPS][4];
} range;

static cj_dtype dtype_of(const cj__element_program *p, cj__source source)
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

static const cj__kernels *kernels_for(const cj__call *call, const cj__element_step *s)
{
    const cj__element_program *p = program_of(call);
    for (int j = 0; j < s->input_count; j++)
        if (cj__is_real(dtype_of(p, s->inputs[j])))
            return cj__device_kernels(call->device, dtype_of(p, s->inputs[j]));
    return cj__device_kernels(call->device, cj__is_real(s->dtype) ? s->dtype : CJ_F32);
}

static void begin_range(range *r, const cj__call *call)
{
    const cj__element_program *p = program_of(call);
    const geometry *g = call->setup;
    r->call = call;
    r->program = p;
    r->g = g;
    char *next = (char *)call->workspace + g->shared + g->scratch * (size_t)cj__thread_slot();
    r->places = next;
    next += g->tile_bytes * (size_t)p->place_count;
    for (int i = 0; i < p->input_count; i++) {
        r->copies[i] = next;
        r->copied[i] = NULL;
        next += g->repeats[i] ? g->tile_bytes : 0;
    }
    for (int i = 0; i < p->reduction_count; i++) {
        r->sums[i] = next;
        next += g->sum_bytes[i];
    }
    for (int i = 0; i < p->step_count; i++) {
        const cj__element_step *s = &p->steps[i];
        cj__operand *operands = r->operands[i];
        for (int j = 0; j < s->input_count; j++)
            operands[j].type.dtype = dtype_of(p, s->inputs[j]);
        operands[s->input_count].type.dtype = s->dtype;
        r->calls[i] = (cj__call){.op = s->op,
                                 .device = call->device,
                                 .attrs = s->attrs,
                                 .input_count = s->input_count,
                                 .output_count = 1,
                                 .inputs = operands,
                                 .outputs = operands + s->input_count,
                                 .kernels = kernels_for(call, s)};
    }
}

// A vector once for each row of a tile.
static void repeat(range *r, int input, size_t size)
{
    const char *from = r->inputs[input].data;
    const size_t bytes = (size_t)r->g->cols * size;
    if (r->copied[input] != from)
        for (int64_t row = 0; row < r->g->tile_rows; row++)
            memcpy(r->copies[input] + (size_t)row * bytes, from, bytes);
    r->copied[input] = from;
    r->inputs[input] = (place){r->copies[input], r->g->cols, 1};
}

static void go_to_tile(range *r, int64_t tile)
{
    const cj__element_program *p = r->program;
    const geometry *g = r->g;
    int64_t at[CJ__ELEMENTS_OPERANDS] = {0}, rest = tile / g->col_tiles / g->row_tiles;
    const int64_t col = tile % g->col_tiles * g->tile_cols,
                  row = tile / g->col_tiles % g->row_tiles * g->tile_rows;
    const int operands = p->input_count + p->output_count, last = g->rank - 1;
    r->first_col = col;
    r->rows = g->rows - row < g->tile_rows ? g->rows - row : g->tile_rows;
    r->cols = g->cols - col < g->tile_cols ? g->cols - col : g->tile_cols;
    for (int axis = last - 2; axis >= 0; axis--) {
        for (int i = 0; i < operands; i++)
            at[i] += rest % g->dims[axis] * g->steps[i][axis];
        rest /= g->dims[axis];
    }
    for (int i = 0; i < operands; i++) {
        const cj__operand *operand = &r->call->inputs[i];
        const size_t size = cj_dtype_size(operand->type.dtype);
        at[i] += row * g->steps[i][last - 1] + col * g->steps[i][last];
        char *data = operand->data ? (char *)operand->data + (size_t)at[i] * size : NULL;
        if (i >= p->input_count) {
            r->outputs[i - p->input_count] = data;
            continue;
        }
        r->inputs[i] = (place){data, g->steps[i][last - 1], g->steps[i][last]};
        if (g->repeats[i])
            repeat(r, i, size);
    }
}

// Where a step's result is written.
static char *result_of(const range *r, int step)
{
    const cj__element_step *s = &r->program->steps[step];
    if (s->output > 0 && r->outputs[s->output])
        return r->outputs[s->output];
    if (step == r->program->direct)
        return r->outputs[0];
    return r->places + r->g->tile_bytes * (size_t)s->place;
}

static place place_of(const range *r, cj__source source)
{
    switch (source.kind) {
    case CJ__SOURCE_INPUT:
        return r->inputs[source.index];
    case CJ__SOURCE_STEP:
        return (place){result_of(r, source.index), r->cols, 1};
    case CJ__SOURCE_NUMBER:
        break;
    }
    return (place){(char *)(uintptr_t)&r->program->numbers[source.index].value, 0, 0};
}

static void run_step(range *r, int step)
{
    const cj__element_step *s = &r->program->steps[step];
    cj__call *call = &r->calls[step];
    const int64_t count = r->rows * r->cols;
    cj__run_of run = {.rows = r->rows, .cols = r->cols};
    bool flat = true;
    for (int j = 0; j < s->input_count; j++) {
        const place from = place_of(r, s->inputs[j]);
        call->inputs[j].data = from.data;
        run.row[j] = from.row;
        run.step[j] = from.step;
        flat = flat && (r->rows == 1 || from.row == r->cols * from.step);
    }
    call->outputs[0].data = result_of(r, step);
    if (flat) {
        run.rows = 1;
        run.cols = count;
    }
    if (s->op->work_rows)
        s->op->work_rows(call, &run);
    else
        s->op->work_elements(call, 0, count);
    if (s->rounds)
        call->kernels->round_bf16(count, call->outputs[0].data, call->outputs[0].data);
}

static cj__binary combining(cj__reduction function)
{
    return function == CJ__REDUCTION_sum ? CJ__BINARY_add :
           function == CJ__REDUCTION_max ? CJ__BINARY_maximum :
                                           CJ__BINARY_minimum;
}

static const cj__kernels *kernels_of_reduction(const range *r, int index)
{
    const cj__element_program *p = r->program;
    return cj__device_kernels(r->call->device, p->outputs[p->reductions[index].output].dtype);
}

// Divides numbers by the reduction's divisor.
static void divide(const cj__kernels *kernels, double divisor, int64_t count, void *y)
{
    cj__real real;
    if (kernels->real_size == sizeof(float))
        real.f32 = (float)divisor;
    else
        real.f64 = divisor;
    if (divisor < 1 || divisor > 1)
        kernels->binary[CJ__BINARY_divide](1, count, y, 0, 1, &real, 0, 0, y);
}

static void reduce_tile(range *r, int index)
{
    const cj__element_reduction *reduction = &r->program->reductions[index];
    const geometry *g = r->g;
    const cj__kernels *kernels = kernels_of_reduction(r, index);
    const cj__reduction function = reduction->what.function;
    const char *from = place_of(r, reduction->from).data;
    char *to = r->outputs[reduction->output];
    if (g->kinds[index] == OVER_COLUMNS) {
        if (!to)
            return;
        kernels->reduce[function](r->rows, r->cols, 1, from, to, r->first_col > 0);
        if (r->first_col + r->cols == g->cols)
            divide(kernels, reduction->what.divisor, r->rows, to);
        return;
    }
    char *sums = r->sums[index];
    if (g->kinds[index] == OVER_ROWS)
        sums += (size_t)r->first_col * kernels->real_size;
    kernels->binary[combining(function)](1, r->rows * r->cols, sums, 0, 1, from, 0, 1, sums);
}

static void run_tile(range *r, int64_t tile)
{
    const cj__element_program *p = r->program;
    go_to_tile(r, tile);
    for (int i = 0; i < p->step_count; i++)
        run_step(r, i);
    for (int i = 0; i < p->reduction_count; i++)
        reduce_tile(r, i);
    for (int i = 0; i < p->step_count; i++)
        if (p->steps[i].output == 0 && i != p->direct)
            memcpy(r->outputs[0], result_of(r, i),
                   (size_t)(r->rows * r->cols) * cj_dtype_size(p->steps[i].dtype));
}

static void run_units(void *context, int64_t begin, int64_t end)
{
    range r;
    begin_range(&r, context);
    for (int64_t tile = begin * r.g->unit; tile < end * r.g->unit; tile++)
        run_tile(&r, tile);
}

// ---- Sums of pieces ----

static void begin_sums(const range *r, int index)
{
    static const double starts[CJ__REDUCTION_COUNT] = {
        [CJ__REDUCTION_max] = -INFINITY, [CJ__REDUCTION_min] = INFINITY};
    const size_t size = kernels_of_reduction(r, index)->real_size;
    const double start = starts[r->program->reductions[index].what.function];
    const int64_t count = (int64_t)(r->g->sum_bytes[index] / size);
    if (!(start < 0 || start > 0)) {
        memset(r->sums[index], 0, r->g->sum_bytes[index]);
        return;
    }
    for (int64_t i = 0; i < count && size == sizeof(float); i++)
        ((float *)(void *)r->sums[index])[i] = (float)start;
    for (int64_t i = 0; i < count && size == sizeof(double); i++)
        ((double *)(void *)r->sums[index])[i] = start;
}

static char *partial_of(const cj__call *call, int index)
{
    const geometry *g = call->setup;
    char *at = call->workspace;
    for (int i = 0; i < index; i++)
        at += g->partial_bytes[i];
    return at;
}

static void end_sums(const range *r, int index, int64_t piece)
{
    const geometry *g = r->g;
    const cj__kernels *kernels = kernels_of_reduction(r, index);
    const cj__reduction function = r->program->reductions[index].what.function;
    char *to =
        partial_of(r->call, index) + (size_t)(piece * g->results[index]) * kernels->real_size;
    if (g->kinds[index] == OVER_ALL)
        kernels->reduce[function](1, g->tile_rows * g->tile_cols, 1, r->sums[index], to, false);
    else
        kernels->reduce[function](1, g->tile_rows, g->cols, r->sums[index], to, false);
}

static void run_pieces(void *context, int64_t begin, int64_t end)
{
    range r;
    begin_range(&r, context);
    const geometry *g = r.g;
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece * g->piece_units, after = first + g->piece_units;
        for (int i = 0; i < r.program->reduction_count; i++)
            if (g->kinds[i] != OVER_COLUMNS)
                begin_sums(&r, i);
        for (int64_t tile = first * g->unit; tile < after * g->unit && tile < g->tiles; tile++)
            run_tile(&r, tile);
        for (int i = 0; i < r.program->reduction_count; i++)
            if (g->kinds[i] != OVER_COLUMNS)
                end_sums(&r, i, piece);
    }
}

static void add_pieces(const cj__call *call, int index)
{
    const cj__element_program *p = program_of(call);
    const geometry *g = call->setup;
    const cj__element_reduction *reduction = &p->reductions[index];
    const cj__operand *y = &call->outputs[reduction->output];
    const cj__kernels *kernels = cj__device_kernels(call->device, y->type.dtype);
    if (!y->data || g->kinds[index] == OVER_COLUMNS)
        return;
    kernels->reduce[reduction->what.function](1, g->pieces, g->results[index],
                                              partial_of(call, index), y->data, false);
    divide(kernels, reduction->what.divisor, g->results[index], y->data);
}

static cj_status run_elements(const cj__call *call)
{
    const geometry *g = call->setup;
    void *context = (void *)(uintptr_t)call;
    if (!g->sums) {
        cj__each_item(call, g->units, g->unit_elements, run_units, context);
        return CJ_OK;
    }
    cj__each_item(call, g->pieces, g->piece_units * g->unit_elements, run_pieces, context);
    for (int i = 0; i < program_of(call)->reduction_count; i++)
        add_pieces(call, i);
    return CJ_OK;
}

// ---- The ops ----

static cj_status infer_elements(cj__inference *r)
{
    const cj__element_program *p = ((const cj__elements_attrs *)r->attrs)->program;
    if (r->input_count != p->input_count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, the program needs %d",
                        r->op->name, r->input_count, p->input_count);
    memcpy(r->outputs, p->outputs, (size_t)p->output_count * sizeof p->outputs[0]);
    r->output_count = p->output_count;
    return CJ_OK;
}

static int count_elements(const void *attrs, const cj__type *inputs)
{
    (void)inputs;
    return ((const cj__elements_attrs *)attrs)->program->output_count;
}

static void *object_of(const void *attrs)
{
    return ((const cj__elements_attrs *)attrs)->program;
}

static const char *samples_of(const void *attrs)
{
    return ((const cj__elements_attrs *)attrs)->program->samples;
}

static const char *form_of(const cj__call *call)
{
    return program_of(call)->words;
}

#define ELEMENTS(op_name, more_flags)             \
    const cj__op cj__op_##op_name = {             \
        .name = #op_name,                         \
        .flags = CJ__OP_FUSED | (more_flags),     \
        .min_inputs = 1,                          \
        .max_inputs = CJ__ELEMENTS_OPERANDS - 1,  \
        .samples = CJ__WHOLE_BATCH,               \
        .on_blocks = CJ__ON_BLOCKS_NO,            \
        .identity = CJ__IDENTITY_NEVER,           \
        .bf16 = CJ__BF16_NEVER,                   \
        .attrs_size = CJ__ATTRS_SIZE(cj__elements_attrs), \
        .samples_of = samples_of,                 \
        .count_outputs = count_elements,          \
        .infer = infer_elements,                  \
        .setup_size = sizeof(geometry),           \
        .set_up = set_up,                         \
        .workspace = workspace,                   \
        .object = object_of,                      \
        .form = form_of,                          \
        .run = run_elements,                      \
    }
ELEMENTS(elements, CJ__OP_ELEMENTWISE);
ELEMENTS(element_sums, 0);
