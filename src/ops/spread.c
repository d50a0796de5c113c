// Broadcasting at run time: an output of any rank becomes runs of rows and columns that kernels
// understand.
#include "ops/families.h"
#include "ops/run.h"
#include <string.h>

// The step of an input along output axis `axis`: 0 where it is stretched.
static int64_t step_of(const cj_shape *shape, int axis, int rank)
{
    const int own = axis - (rank - shape->rank);
    int64_t step = 1;
    if (own < 0 || shape->dims[own] == 1)
        return 0;
    for (int i = own + 1; i < shape->rank; i++)
        step *= shape->dims[i];
    return step;
}

void cj__spread_of(const cj__call *call, int count, cj__spread *s)
{
    const cj_shape *out = &call->outputs[0].type.shape;
    s->rank = 0;
    for (int axis = 0; axis < out->rank; axis++) {
        const int64_t length = out->dims[axis];
        int64_t steps[CJ__SPREAD_INPUTS] = {0};
        bool merged = s->rank > 0;
        if (length == 1)
            continue;
        for (int i = 0; i < count; i++) {
            steps[i] = step_of(&call->inputs[i].type.shape, axis, out->rank);
            merged = merged && s->steps[i][s->rank - 1] == steps[i] * length;
        }
        if (merged)
            s->dims[s->rank - 1] *= length;
        else
            s->dims[s->rank++] = length;
        for (int i = 0; i < count; i++)
            s->steps[i][s->rank - 1] = steps[i];
    }
    if (s->rank == 0) {
        *s = (cj__spread){.rank = 1, .dims = {1}};
    }
}

typedef struct spread_context {
    const cj__call *call;
    const cj__spread *spread;
    int count;
    cj__spread_work work;
} spread_context;

static void work_of(const spread_context *c, const cj__run_of *run)
{
    c->work(c->call, run);
    if (c->call->rounds)
        cj__round_output(c->call, run->out, run->out + run->rows * run->cols);
}

// Elements of the one run.
static void run_task(void *context, int64_t begin, int64_t end)
{
    const spread_context *c = context;
    const cj__spread *s = c->spread;
    const int64_t all = end * CJ__PIECE < s->dims[0] ? end * CJ__PIECE : s->dims[0];
    const int64_t piece = c->call->rounds ? CJ__PIECE : all; // as in run.c
    for (int64_t first = begin * CJ__PIECE, last; first < all; first = last) {
        last = all - first < piece ? all : first + piece;
        cj__run_of run = {.rows = 1, .cols = last - first, .out = first};
        for (int i = 0; i < c->count; i++) {
            run.step[i] = s->steps[i][0];
            run.at[i] = first * run.step[i];
        }
        work_of(c, &run);
    }
}

// Rows begin .. end - 1 of all rows of the output, in runs along the last axis but one.
static void rows_task(void *context, int64_t begin, int64_t end)
{
    const spread_context *c = context;
    const cj__spread *s = c->spread;
    const int last = s->rank - 1;
    const int64_t most = c->call->rounds ? 1 + CJ__PIECE / s->dims[last] : end; // rows at a time
    for (int64_t row = begin; row < end;) {
        const int64_t place = row % s->dims[last - 1], left = s->dims[last - 1] - place;
        const int64_t rows = left < end - row ? left : end - row;
        cj__run_of run = {
            .rows = rows < most ? rows : most, .cols = s->dims[last], .out = row * s->dims[last]};
        int64_t rest = row;
        for (int axis = last - 1; axis >= 0; axis--) {
            for (int i = 0; i < c->count; i++)
                run.at[i] += rest % s->dims[axis] * s->steps[i][axis];
            rest /= s->dims[axis];
        }
        for (int i = 0; i < c->count; i++) {
            run.row[i] = s->steps[i][last - 1];
            run.step[i] = s->steps[i][last];
        }
        work_of(c, &run);
        row += run.rows;
    }
}

void cj__spread_run(const cj__call *call, int count, cj__spread_work work)
{
    cj__spread spread;
    const int64_t total = cj__count(&call->outputs[0]);
    if (total <= 0)
        return;
    cj__spread_of(call, count, &spread);
    spread_context context = {call, &spread, count, work};
    const int64_t cols = spread.dims[spread.rank - 1];
    if (spread.rank == 1)
        cj__parallel(call->pool, (cols + CJ__PIECE - 1) / CJ__PIECE, cj__piece_grain(call),
                     run_task, &context);
    else
        cj__each_item(call, total / cols, cols, rows_task, &context);
}

static void copy_block(const cj__blocks_copy *c, int64_t block, size_t at, size_t bytes)
{
    char *to = (char *)c->to + (size_t)block * c->to_stride + at;
    if (c->from)
        memcpy(to, (const char *)c->from + (size_t)block * c->from_stride + at, bytes);
    else
        memset(to, 0, bytes);
}

static void copy_task(void *context, int64_t begin, int64_t end)
{
    const cj__blocks_copy *c = context;
    for (int64_t block = begin; block < end; block++)
        copy_block(c, block, 0, c->bytes);
}

// Long blocks are copied piece by piece: there may be one alone, as along the first axis.
static const size_t COPY_PIECE = (size_t)64 << 10;

static int64_t pieces_of(const cj__blocks_copy *c)
{
    return (int64_t)((c->bytes - 1) / COPY_PIECE + 1);
}

static void piece_task(void *context, int64_t begin, int64_t end)
{
    const cj__blocks_copy *c = context;
    const int64_t pieces = pieces_of(c);
    for (int64_t i = begin; i < end; i++) {
        const size_t at = (size_t)(i % pieces) * COPY_PIECE, left = c->bytes - at;
        copy_block(c, i / pieces, at, left < COPY_PIECE ? left : COPY_PIECE);
    }
}

void cj__copy_blocks(const cj__call *call, const cj__blocks_copy *copy)
{
    cj__blocks_copy context = *copy;
    if (copy->bytes > COPY_PIECE)
        cj__each_item(call, copy->outer * pieces_of(copy), (int64_t)(COPY_PIECE / sizeof(float)),
                      piece_task, &context);
    else if (copy->bytes > 0)
        cj__each_item(call, copy->outer, (int64_t)(copy->bytes / sizeof(float)), copy_task,
                      &context);
}
