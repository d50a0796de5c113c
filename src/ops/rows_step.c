// The step of a table of which a gather has read some rows, without the table's gradient. Where a row
// without a gradient keeps its bits (cj__step_rule.rests), the step of these rows is that of the
// whole table, and costs what they are, not what the table is. Any other rule steps all rows, a block
// of them at a time, with a gradient of zeros but for those that were read.
//
//   w, slots = step(w, gather_grad(indices, dy), rate, slots)      indices (i...), dy (i..., ...)
//
// Inputs are the step's with the indices in the gradient's place, and dy last. The places of the
// indices are sorted by row, in order within a row, so each row's gradient is summed as gather_grad
// sums it; rows do not touch each other, so any thread may take any.
#include "base/memory.h"
#include "ops/build.h"
#include "ops/run.h"
#include "ops/step.h"

#include <string.h>

enum { INDICES = 1, OPERANDS_MAX = 12, DIGIT = 8, DIGITS = 1 << DIGIT, BLOCK = 4096 };

// One index: its row, and where it stands.
typedef struct place {
    uint32_t row, at;
} place;

static const cj__operand *dy_of(const cj__call *call)
{
    return &call->inputs[call->input_count - 1];
}

static int64_t width_of(const cj_shape *table)
{
    int64_t width = 1;
    for (int i = 1; i < table->rank; i++)
        width *= table->dims[i];
    return width;
}

static cj_status infer_rows_step(cj__inference *r)
{
    cj__matmul_step_attrs *a = r->attrs;
    cj__type gradient[2], step[OPERANDS_MAX];
    if (r->input_count > OPERANDS_MAX || r->input_count < 4 || r->inputs[0].shape.rank < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, or a table without rows",
                        r->op->name, r->input_count);
    cj__index_attrs rows = {.size = r->inputs[0].shape.dims[0]};
    gradient[0] = r->inputs[INDICES];
    gradient[1] = r->inputs[r->input_count - 1];
    memcpy(step, r->inputs, (size_t)(r->input_count - 1) * sizeof *step);
    CJ_TRY(cj__op_gather_grad.infer(&(cj__inference){.op = &cj__op_gather_grad,
                                                     .attrs = &rows,
                                                     .inputs = gradient,
                                                     .input_count = 2,
                                                     .outputs = &step[INDICES],
                                                     .output_count = 1}));
    cj__inference rule = *r;
    rule.op = a->step;
    rule.attrs = &a->update;
    rule.inputs = step;
    rule.input_count = r->input_count - 1;
    CJ_TRY(a->step->infer(&rule));
    r->output_count = rule.output_count;
    return CJ_OK;
}

// Whether only the rows that were read are stepped.
static bool rests(const cj__call *call)
{
    const cj__matmul_step_attrs *a = call->attrs;
    return a->step->step->rests && a->step->step->rests(&a->update);
}

// Rows that are stepped at once.
static int64_t rows_of_block(const cj__call *call)
{
    const int64_t width = width_of(&call->inputs[0].type.shape);
    return rests(call) || width >= BLOCK ? 1 : BLOCK / (width > 0 ? width : 1);
}

// Room for the places twice; a thread's scratch is the gradient of a block.
static cj__job space_of(const cj__call *call)
{
    const size_t places = (size_t)cj__count(&call->inputs[INDICES]) * sizeof(place);
    const int64_t width = width_of(&call->inputs[0].type.shape);
    return (cj__job){.workspace = 2 * cj__align_up_64(places),
                     .scratch = cj__align_up_64((size_t)(rows_of_block(call) * width) *
                                                call->kernels->real_size)};
}

static size_t workspace_rows_step(const cj__call *call)
{
    const cj__job space = space_of(call);
    return cj__job_space(call, &space);
}

// One pass of a radix sort by a digit of the row; keeps the order of equal ones.
static void sort_by(const place *from, place *to, int64_t count, int shift)
{
    int64_t starts[DIGITS + 1] = {0};
    for (int64_t i = 0; i < count; i++)
        starts[(from[i].row >> shift) % DIGITS + 1]++;
    for (int i = 0; i < DIGITS; i++)
        starts[i + 1] += starts[i];
    for (int64_t i = 0; i < count; i++)
        to[starts[(from[i].row >> shift) % DIGITS]++] = from[i];
}

// The places of the indices by row, in one of the two halves of the workspace.
static cj_status sorted_places(const cj__call *call, place **places)
{
    const int32_t *index = call->inputs[INDICES].data;
    const int64_t count = cj__count(&call->inputs[INDICES]),
                  rows = call->inputs[0].type.shape.dims[0];
    const cj__job space = space_of(call);
    place *other = (place *)(void *)((char *)call->workspace + space.workspace / 2);
    *places = call->workspace;
    for (int64_t i = 0; i < count; i++) {
        if (index[i] < 0 || index[i] >= rows)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: index %d of element %lld is outside 0..%lld",
                            call->op->name, (int)index[i], (long long)i, (long long)rows - 1);
        (*places)[i] = (place){(uint32_t)index[i], (uint32_t)i};
    }
    for (int shift = 0; shift < 32 && (rows - 1) >> shift > 0; shift += DIGIT) {
        sort_by(*places, other, count, shift);
        place *const last = *places;
        *places = other;
        other = last;
    }
    return CJ_OK;
}

typedef struct context {
    const cj__call *call;
    const place *places;
    int64_t count; // places
    cj__job space;
    cj__step_size size;
    int64_t width, block; // of a row; rows of a block
} context;

// The step of some rows, whose gradient is `gradient`.
static void step_rows(const context *c, void *gradient, int64_t row, int64_t rows)
{
    const cj__call *call = c->call;
    const cj__matmul_step_attrs *a = call->attrs;
    cj__operand in[OPERANDS_MAX], out[OPERANDS_MAX];
    cj__call step = *call;
    step.op = a->step;
    step.attrs = &a->update;
    step.inputs = in;
    step.outputs = out;
    step.input_count = call->input_count - 1;
    for (int i = 0; i < step.input_count; i++)
        in[i] = call->inputs[i];
    for (int i = 0; i < step.output_count; i++) {
        out[i] = call->outputs[i];
        out[i].data = cj__at(call, out[i].data, row * c->width);
    }
    in[0].data = cj__at(call, in[0].data, row * c->width);
    in[INDICES].data = gradient;
    for (int i = a->step->step->first_slot; i < step.input_count; i++)
        in[i].data = cj__at(call, in[i].data, row * c->width);
    a->step->step->run(&step, &c->size, 0, rows * c->width);
}

// sum += the gradient of a place
static void add_place(const context *c, int64_t index, void *sum)
{
    const cj__call *call = c->call;
    call->kernels->binary[CJ__BINARY_add](
        1, c->width, sum, 0, 1,
        cj__at(call, dy_of(call)->data, (int64_t)c->places[index].at * c->width), 0, 1, sum);
}

// The first place of a row that is not before `row`.
static int64_t first_place(const context *c, int64_t row)
{
    int64_t low = 0, high = c->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (c->places[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// All rows of blocks begin .. end - 1.
static void blocks_task(void *context_, int64_t begin, int64_t end)
{
    const context *c = context_;
    const cj__call *call = c->call;
    const int64_t all = call->inputs[0].type.shape.dims[0], last = end * c->block;
    void *const gradient = cj__job_scratch(call, &c->space);
    int64_t next = first_place(c, begin * c->block);
    for (int64_t row = begin * c->block; row < last && row < all; row += c->block) {
        const int64_t rows = all - row < c->block ? all - row : c->block;
        memset(gradient, 0, (size_t)(rows * c->width) * call->kernels->real_size);
        for (; next < c->count && c->places[next].row < row + rows; next++)
            add_place(c, next, cj__at(call, gradient, (c->places[next].row - row) * c->width));
        step_rows(c, gradient, row, rows);
    }
}

// The rows whose first place is among begin .. end - 1.
static void rows_task(void *context_, int64_t begin, int64_t end)
{
    const context *c = context_;
    const cj__call *call = c->call;
    void *const sum = cj__job_scratch(call, &c->space);
    for (int64_t i = begin; i < end; i++) {
        if (i > 0 && c->places[i - 1].row == c->places[i].row)
            continue;
        memset(sum, 0, (size_t)c->width * call->kernels->real_size);
        for (int64_t j = i; j < c->count && c->places[j].row == c->places[i].row; j++)
            add_place(c, j, sum);
        step_rows(c, sum, c->places[i].row, 1);
    }
}

// Where the plan could not write in place.
static void copy_tables(const cj__call *call)
{
    const cj__matmul_step_attrs *a = call->attrs;
    for (int i = 0; i < call->output_count; i++) {
        const cj__operand *from = &call->inputs[a->step->alias[i] - '0'];
        if (call->outputs[i].data != from->data)
            memcpy(call->outputs[i].data, from->data, cj__bytes(from));
    }
}

static cj_status run_rows_step(const cj__call *call)
{
    const cj__matmul_step_attrs *a = call->attrs;
    cj__call step = *call; // for the rate: operands in the step's places
    place *places = NULL;
    step.op = a->step;
    step.attrs = &a->update;
    CJ_TRY(sorted_places(call, &places));
    context c = {.call = call,
                 .places = places,
                 .count = cj__count(&call->inputs[INDICES]),
                 .space = space_of(call),
                 .size = cj__step_size_of(&step),
                 .width = width_of(&call->inputs[0].type.shape),
                 .block = rows_of_block(call)};
    if (rests(call)) {
        copy_tables(call);
        cj__each_item(call, c.count, 4 * c.width + 64, rows_task, &c);
    } else {
        const int64_t rows = call->inputs[0].type.shape.dims[0];
        cj__each_item(call, (rows + c.block - 1) / c.block, 4 * c.block * c.width, blocks_task, &c);
    }
    return CJ_OK;
}

const cj__op cj__op_rows_step = {
    .name = "rows_step",
    .flags = CJ__OP_UPDATE | CJ__OP_FUSED,
    .min_inputs = 4,
    .max_inputs = OPERANDS_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__matmul_step_attrs),
    .count_outputs = cj__fused_step_outputs,
    .aliased = cj__fused_step_alias,
    .infer = infer_rows_step,
    .workspace = workspace_rows_step,
    .form = cj__fused_step_form,
    .run = run_rows_step,
};
