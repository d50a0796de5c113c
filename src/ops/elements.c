// elements and element_sums: the programs of elements.h.
//
//   elements       output 0 has the domain's shape: it may lie over an input of its type
//   element_sums   all outputs are reductions
//
// A thread has scratch memory for what lies between stages, and for copies of broadcast inputs,
// made once for a range of tiles, so that a step runs over a tile as over one long row.
//
// A piece of the domain adds its tiles into a tile of sums; the pieces' sums are added in order.
// Reductions over the last axes write their rows as tiles come.
#include "ops/elements_layout.h"

#include "base/memory.h"
#include "ops/device.h"
#include "ops/families.h"
#include "ops/infer.h"

#include <math.h>
#include <string.h>

// Where the block of a number is.
static size_t block_at(int number)
{
    return (size_t)number * CJ__CHAIN_BLOCK * sizeof(double);
}

// CJ__CHAIN_BLOCK copies of a number.
static void fill(void *to, const void *number, size_t size)
{
    float *const singles = to;
    double *const doubles = to;
    for (int i = 0; i < CJ__CHAIN_BLOCK && size == sizeof(float); i++)
        singles[i] = *(const float *)number;
    for (int i = 0; i < CJ__CHAIN_BLOCK && size == sizeof(double); i++)
        doubles[i] = *(const double *)number;
}

// ---- The object ----

static void destroy(void *object)
{
    cj__element_program *p = object;
    cj__free_aligned(p->blocks, block_at(p->number_count));
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
        const bool has_rows = (shape->rank == p->domain.rank || p->entries[i].count > 0) &&
                              rows > 1 && shape->dims[0] == rows;
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

cj_status cj__element_program_finish(cj__element_program *p)
{
    p->blocks = cj__new_aligned(block_at(p->number_count), 0);
    if (!p->blocks)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < p->number_count; i++)
        fill(p->blocks + block_at(i), &p->numbers[i].value, cj_dtype_size(p->numbers[i].dtype));
    give_places(p);
    find_direct(p);
    find_samples(p);
    for (int i = 0; i < p->step_count; i++)
        append_word(p, p->steps[i].op->name);
    for (int i = 0; i < p->reduction_count; i++)
        append_word(p, p->reductions[i].what.function == CJ__REDUCTION_sum ? "sum" : "extreme");
    return CJ_OK;
}

static void set_up(const cj__call *call, void *setup)
{
    cj__element_layout_of(call, setup);
}

static size_t workspace(const cj__call *call)
{
    cj__element_layout own;
    const cj__element_layout *g = call->setup;
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
    const cj__element_layout *g;
    place inputs[CJ__ELEMENTS_OPERANDS];
    char *outputs[CJ__ELEMENTS_OPERANDS];
    char *copies[CJ__ELEMENTS_OPERANDS]; // of broadcast inputs, and what they are copies of
    const char *copied[CJ__ELEMENTS_OPERANDS];
    char *sums[CJ__ELEMENTS_REDUCTIONS];
    char *places;
    int64_t rows, cols, first_col; // of the present tile
    cj__real ones[2];              // of f32 and f64
    cj__call calls[CJ__ELEMENTS_STEPS];
    cj__operand operands[CJ__ELEMENTS_STEPS][4];
} range;

static const cj__kernels *kernels_for(const cj__call *call, const cj__element_step *s)
{
    const cj__element_program *p = cj__element_program_of(call);
    for (int j = 0; j < s->input_count; j++)
        if (cj__is_real(cj__element_dtype(p, s->inputs[j])))
            return cj__device_kernels(call->device, cj__element_dtype(p, s->inputs[j]));
    return cj__device_kernels(call->device, cj__is_real(s->dtype) ? s->dtype : CJ_F32);
}

// The call of a step alone, without memory.
static void prepare_call(range *r, int step)
{
    const cj__element_step *s = &r->program->steps[step];
    cj__operand *operands = r->operands[step];
    for (int j = 0; j < s->input_count; j++)
        operands[j].type.dtype = cj__element_dtype(r->program, s->inputs[j]);
    operands[s->input_count].type.dtype = s->dtype;
    r->calls[step] = (cj__call){.op = s->op,
                                .device = r->call->device,
                                .attrs = s->attrs,
                                .input_count = s->input_count,
                                .output_count = 1,
                                .inputs = operands,
                                .outputs = operands + s->input_count,
                                .kernels = kernels_for(r->call, s)};
}

static void begin_range(range *r, const cj__call *call)
{
    const cj__element_program *p = cj__element_program_of(call);
    const cj__element_layout *g = call->setup;
    r->call = call;
    r->program = p;
    r->g = g;
    r->ones[0].f32 = 1;
    r->ones[1].f64 = 1;
    char *next = (char *)call->workspace + g->shared + g->scratch * (size_t)cj__thread_slot();
    r->places = next;
    next += g->tile_bytes * (size_t)p->place_count;
    for (int i = 0; i < p->input_count; i++) {
        r->copies[i] = next;
        r->copied[i] = NULL;
        next += g->spread[i] != CJ__SPREAD_NOT ? g->tile_bytes : 0;
    }
    for (int i = 0; i < p->reduction_count; i++) {
        r->sums[i] = next;
        next += g->sum_bytes[i];
    }
    for (int i = 0; i < g->stage_count; i++)
        if (g->stages[i].link_count == 0)
            prepare_call(r, g->stages[i].step);
}

// Makes the copy of a broadcast input that the tile needs.
static void spread(range *r, int input, cj_dtype dtype)
{
    const cj__element_layout *g = r->g;
    const place from = r->inputs[input];
    const size_t size = cj_dtype_size(dtype);
    const cj__spreading how = g->spread[input];
    const cj__kernels *kernels = cj__device_kernels(r->call->device, dtype);
    char *copy = r->copies[input];
    if (r->copied[input] != from.data) {
        if (how == CJ__SPREAD_BLOCK)
            fill(copy, from.data, size);
        else if (how == CJ__SPREAD_TILE)
            for (int64_t row = 0; row < g->tile_rows; row++)
                memcpy(copy + (size_t)(row * g->cols) * size, from.data, (size_t)g->cols * size);
        else
            kernels->binary[CJ__BINARY_multiply](r->rows, r->cols, from.data, from.row, 0,
                                                 &r->ones[dtype == CJ_F64], 0, 0, copy);
    }
    r->copied[input] = from.data;
    r->inputs[input] = how == CJ__SPREAD_BLOCK ? (place){copy, 0, 0} : (place){copy, r->cols, 1};
}

static void go_to_tile(range *r, int64_t tile)
{
    const cj__element_program *p = r->program;
    const cj__element_layout *g = r->g;
    int64_t at[CJ__ELEMENTS_OPERANDS] = {0}, rest = 0, row = 0, col = 0;
    const int operands = p->input_count + p->output_count, last = g->rank - 1;
    if (tile > 0) { // divisions take longer than all the rest of a small call
        rest = tile / g->col_tiles;
        col = tile % g->col_tiles * g->tile_cols;
        row = rest % g->row_tiles * g->tile_rows;
        rest /= g->row_tiles;
    }
    r->first_col = col;
    r->rows = g->rows - row < g->tile_rows ? g->rows - row : g->tile_rows;
    r->cols = g->cols - col < g->tile_cols ? g->cols - col : g->tile_cols;
    for (int axis = last - 2; axis >= 0 && rest > 0; axis--) {
        for (int i = 0; i < operands; i++)
            at[i] += rest % g->dims[axis] * g->steps[i][axis];
        rest /= g->dims[axis];
    }
    for (int i = 0; i < operands; i++) {
        const cj__operand *operand = &r->call->inputs[i];
        const size_t size = cj_dtype_size(operand->type.dtype);
        at[i] += g->first[i] + row * g->steps[i][last - 1] + col * g->steps[i][last];
        char *data = operand->data ? (char *)operand->data + (size_t)at[i] * size : NULL;
        if (i >= p->input_count) {
            r->outputs[i - p->input_count] = data;
            continue;
        }
        r->inputs[i] = (place){data, g->steps[i][last - 1], g->steps[i][last]};
        if (g->spread[i] != CJ__SPREAD_NOT)
            spread(r, i, operand->type.dtype);
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
    return (place){r->program->blocks + block_at(source.index), 0, 0};
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

// The memory that a link of a chain reads or writes in the present tile.
static void *operand_of(const range *r, const cj__link_plan *link, size_t size)
{
    switch ((cj__link_source)link->source) {
    case CJ__LINK_OF_INPUT:
        return r->inputs[link->index].data;
    case CJ__LINK_OF_STEP:
        return result_of(r, link->index);
    case CJ__LINK_OF_NUMBER:
        return r->program->blocks + block_at(link->index);
    case CJ__LINK_OF_SUM:
        return r->sums[link->index] +
               (r->g->kinds[link->index] == CJ__OVER_ROWS ? (size_t)r->first_col * size : 0);
    case CJ__LINK_OF_NOTHING:
        break;
    }
    return NULL;
}

static void run_chain(range *r, const cj__element_stage *stage)
{
    cj__link links[CJ__ELEMENTS_LINKS];
    const cj__kernels *kernels =
        cj__device_kernels(r->call->device, r->program->steps[stage->step].dtype);
    for (int i = 0; i < stage->link_count; i++) {
        const cj__link_plan *link = &r->g->links[stage->first_link + i];
        links[i] = (cj__link){.kind = (cj__link_kind)link->kind,
                              .repeats = link->repeats,
                              .operand = operand_of(r, link, kernels->real_size)};
        if (link->source == CJ__LINK_OF_SUM)
            links[i].period = (int)r->g->period;
    }
    kernels->chain(r->rows * r->cols, links, stage->link_count);
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
    const cj__element_layout *g = r->g;
    const cj__kernels *kernels = kernels_of_reduction(r, index);
    const cj__reduction function = reduction->what.function;
    const char *from = place_of(r, reduction->from).data;
    char *to = r->outputs[reduction->output];
    if (g->kinds[index] == CJ__OVER_COLUMNS) {
        if (!to)
            return;
        kernels->reduce[function](r->rows, r->cols, 1, from, to, r->first_col > 0);
        if (r->first_col + r->cols == g->cols)
            divide(kernels, reduction->what.divisor, r->rows, to);
        return;
    }
    char *sums = r->sums[index];
    if (g->kinds[index] == CJ__OVER_ROWS)
        sums += (size_t)r->first_col * kernels->real_size;
    kernels->binary[combining(function)](1, r->rows * r->cols, sums, 0, 1, from, 0, 1, sums);
}

static void run_tile(range *r, int64_t tile)
{
    const cj__element_program *p = r->program;
    go_to_tile(r, tile);
    for (int i = 0; i < r->g->stage_count; i++) {
        if (r->g->stages[i].link_count > 0)
            run_chain(r, &r->g->stages[i]);
        else
            run_step(r, r->g->stages[i].step);
    }
    for (int i = 0; i < p->reduction_count; i++)
        if (!r->g->linked[i])
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
    const cj__element_layout *g = call->setup;
    char *at = call->workspace;
    for (int i = 0; i < index; i++)
        at += g->partial_bytes[i];
    return at;
}

static void end_sums(const range *r, int index, int64_t piece)
{
    const cj__element_layout *g = r->g;
    const cj__kernels *kernels = kernels_of_reduction(r, index);
    const cj__reduction function = r->program->reductions[index].what.function;
    char *to =
        partial_of(r->call, index) + (size_t)(piece * g->results[index]) * kernels->real_size;
    if (g->kinds[index] == CJ__OVER_ALL)
        kernels->reduce[function](1, g->sum_count[index], 1, r->sums[index], to, false);
    else
        kernels->reduce[function](1, g->sum_count[index] / g->cols, g->cols, r->sums[index], to,
                                  false);
}

static void run_pieces(void *context, int64_t begin, int64_t end)
{
    range r;
    begin_range(&r, context);
    const cj__element_layout *g = r.g;
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece * g->piece_units, after = first + g->piece_units;
        for (int i = 0; i < r.program->reduction_count; i++)
            if (g->kinds[i] != CJ__OVER_COLUMNS)
                begin_sums(&r, i);
        for (int64_t tile = first * g->unit; tile < after * g->unit && tile < g->tiles; tile++)
            run_tile(&r, tile);
        for (int i = 0; i < r.program->reduction_count; i++)
            if (g->kinds[i] != CJ__OVER_COLUMNS)
                end_sums(&r, i, piece);
    }
}

static void add_pieces(const cj__call *call, int index)
{
    const cj__element_program *p = cj__element_program_of(call);
    const cj__element_layout *g = call->setup;
    const cj__element_reduction *reduction = &p->reductions[index];
    const cj__operand *y = &call->outputs[reduction->output];
    const cj__kernels *kernels = cj__device_kernels(call->device, y->type.dtype);
    if (!y->data || g->kinds[index] == CJ__OVER_COLUMNS)
        return;
    kernels->reduce[reduction->what.function](1, g->pieces, g->results[index],
                                              partial_of(call, index), y->data, false);
    divide(kernels, reduction->what.divisor, g->results[index], y->data);
}

static cj_status run_elements(const cj__call *call)
{
    const cj__element_layout *g = call->setup;
    void *context = (void *)(uintptr_t)call;
    if (!g->sums) {
        cj__each_item(call, g->units, g->unit_elements, run_units, context);
        return CJ_OK;
    }
    cj__each_item(call, g->pieces, g->piece_units * g->unit_elements, run_pieces, context);
    for (int i = 0; i < cj__element_program_of(call)->reduction_count; i++)
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
    return cj__element_program_of(call)->words;
}

#define ELEMENTS(op_name, more_flags)                     \
    const cj__op cj__op_##op_name = {                     \
        .name = #op_name,                                 \
        .flags = CJ__OP_FUSED | (more_flags),             \
        .min_inputs = 1,                                  \
        .max_inputs = CJ__ELEMENTS_OPERANDS - 1,          \
        .samples = CJ__WHOLE_BATCH,                       \
        .on_blocks = CJ__ON_BLOCKS_NO,                    \
        .identity = CJ__IDENTITY_NEVER,                   \
        .bf16 = CJ__BF16_NEVER,                           \
        .attrs_size = CJ__ATTRS_SIZE(cj__elements_attrs), \
        .samples_of = samples_of,                         \
        .count_outputs = count_elements,                  \
        .infer = infer_elements,                          \
        .setup_size = sizeof(cj__element_layout),         \
        .set_up = set_up,                                 \
        .workspace = workspace,                           \
        .object = object_of,                              \
        .form = form_of,                                  \
        .run = run_elements,                              \
    }
ELEMENTS(elements, CJ__OP_ELEMENTWISE);
ELEMENTS(element_sums, 0);
