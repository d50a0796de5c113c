// Scaled dot-product attention: y = softmax(scale q k' + mask) v for each head, and its gradient.
//
//   q (b, t, h, d), k (b, s, g, d), v (b, s, g, e) -> y (b, t, h, e)
//
// h is a multiple of g: query head i sees key head i g / h (grouped-query attention). A mask is bool
// and broadcasts to (b, h, t, s); where it is false, or a causal query i would see a key j > i, the
// score is -1e9 and passes no gradient. So a query without any key gets the mean of all values.
//
// Scores are never stored: some queries at a time against all keys fit the second cache, and the
// gradient makes them again. A task of the forward run is such a block of queries, a task of the
// gradient is a key head, whose blocks of queries are added up in order.
#include "ops/attention.h"
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <string.h>

// Scores of a block; queries. Of causal attention fewer: keys that none of a block's queries sees are
// left out.
enum { TILE = 64 * 1024, ROWS_MIN = 8, ROWS_MAX = 64, CAUSAL_ROWS = 32 };

typedef struct attention_setup {
    int64_t batch, queries, keys, heads, key_heads, depth, width;
    int64_t rows;               // queries of a block
    cj__job space;              // scratch of a thread
    size_t product, tile, rest; // of which: for products, for scores, for what is summed up
} attention_setup;

// Shape rule
// -----------------------------------------------------------------------------------------------

static cj_status misfit(const cj__inference *r, const cj__type *a, const cj__type *b)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s and %s do not fit", r->op->name,
                    cj__shape_words(&a->shape, first), cj__shape_words(&b->shape, second));
}

static cj_status check_mask(const cj__inference *r, int index, const cj_shape *scores)
{
    const cj__type *mask = &r->inputs[index];
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_dtype(r, index, CJ_BOOL));
    CJ_TRY(cj__need_rank(r, index, 4, 4));
    for (int i = 0; i < 4; i++)
        if (mask->shape.dims[i] != 1 && mask->shape.dims[i] != scores->dims[i])
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: mask %s does not broadcast to scores %s",
                            r->op->name, cj__shape_words(&mask->shape, first),
                            cj__shape_words(scores, second));
    return CJ_OK;
}

// Inputs q, k, v and, from `mask` on, perhaps a mask; y is the type of the result.
static cj_status check_operands(const cj__inference *r, int mask, cj__type *y)
{
    const cj__type *q = &r->inputs[0], *k = &r->inputs[1], *v = &r->inputs[2];
    for (int i = 0; i < mask; i++) {
        CJ_TRY(cj__need_real(r, i, q));
        CJ_TRY(cj__need_rank(r, i, 4, 4));
    }
    const int64_t heads = q->shape.dims[2], key_heads = k->shape.dims[2];
    if (q->shape.dims[0] != k->shape.dims[0] || q->shape.dims[3] != k->shape.dims[3])
        return misfit(r, q, k);
    if (memcmp(k->shape.dims, v->shape.dims, 3 * sizeof(int64_t)) != 0)
        return misfit(r, k, v);
    if (key_heads < 1 || heads % key_heads != 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: %lld heads of queries are no multiple of %lld of keys", r->op->name,
                        (long long)heads, (long long)key_heads);
    for (int i = 0; i < 3; i++)
        for (int axis = 1; axis < 4; axis++)
            CJ_TRY(cj__need_axis(r, &r->inputs[i], axis, false));
    *y = *q;
    y->shape.dims[3] = v->shape.dims[3];
    const cj_shape scores = {.rank = 4,
                             .dims = {q->shape.dims[0], heads, q->shape.dims[1], k->shape.dims[1]}};
    CJ_TRY(cj__check_output(r, &scores));
    return r->input_count > mask ? check_mask(r, mask, &scores) : CJ_OK;
}

static cj_status infer_attention(cj__inference *r)
{
    return check_operands(r, 3, &r->outputs[0]);
}

static cj_status infer_attention_grad(cj__inference *r)
{
    cj__type y;
    CJ_TRY(check_operands(r, 4, &y));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[3], &y));
    for (int i = 0; i < 3; i++)
        r->outputs[i] = r->inputs[i];
    r->output_count = 3;
    return CJ_OK;
}

// A block of scores
// -----------------------------------------------------------------------------------------------

// A matrix whose rows lie `step` apart.
typedef struct matrix {
    char *data;
    int64_t rows, cols, step;
} matrix;

static cj__gemm product_of(matrix a, bool trans_a, matrix b, bool trans_b, matrix c)
{
    return (cj__gemm){.m = c.rows,
                      .n = c.cols,
                      .k = trans_a ? a.rows : a.cols,
                      .a = a.data,
                      .b = b.data,
                      .c = c.data,
                      .lda = a.step,
                      .ldb = b.step,
                      .ldc = c.step,
                      .trans_a = trans_a,
                      .trans_b = trans_b,
                      .act = CJ__UNARY_NONE};
}

// C = op(A) op(B) by the running thread.
static void multiply(const cj__call *call, char *scratch, matrix a, bool trans_a, matrix b,
                     bool trans_b, matrix c)
{
    const cj__gemm g = product_of(a, trans_a, b, trans_b, c);
    cj__job job = {0};
    call->kernels->gemm_job(&g, &job);
    for (int phase = 0; phase < job.phases; phase++)
        if (job.tasks[phase] > 0)
            call->kernels->gemm_run(&g, scratch + cj__align_up_64(job.scratch), scratch, phase, 0,
                                    job.tasks[phase]);
}

static size_t space_of(const cj__call *call, matrix a, bool trans_a, matrix b, bool trans_b,
                       matrix c)
{
    const cj__gemm g = product_of(a, trans_a, b, trans_b, c);
    cj__job job = {0};
    call->kernels->gemm_job(&g, &job);
    return cj__align_up_64(job.scratch) + cj__align_up_64(job.workspace);
}

// What the queries of a block and their head see.
typedef struct block {
    const cj__call *call;
    const attention_setup *s;
    int64_t image, head, first, rows; // queries first .. first + rows - 1
    int64_t keys;                     // of these, from 0 on
    const uint8_t *mask;              // of all images; NULL for none
    const cj_shape *mask_shape;
    bool causal;
} block;

static block block_of(const cj__call *call, int mask, int64_t image, int64_t head, int64_t first)
{
    const attention_setup *s = call->setup;
    block b = {.call = call,
               .s = s,
               .image = image,
               .head = head,
               .first = first,
               .rows = s->queries - first < s->rows ? s->queries - first : s->rows,
               .keys = s->keys,
               .causal = ((const cj__attention_attrs *)call->attrs)->causal != 0};
    if (call->input_count > mask) {
        b.mask = call->inputs[mask].data;
        b.mask_shape = &call->inputs[mask].type.shape;
    } else if (b.causal && first + b.rows < b.keys) {
        b.keys = first + b.rows; // none of its queries sees a later one
    }
    return b;
}

// The rows of a block in an operand (b, length, heads, depth) of the call, or all rows of a key head.
static matrix rows_of(const cj__call *call, const cj__operand *x, int64_t image, int64_t head,
                      int64_t first, int64_t rows)
{
    const int64_t *dims = x->type.shape.dims;
    return (matrix){cj__at(call, x->data, ((image * dims[1] + first) * dims[2] + head) * dims[3]),
                    rows, dims[3], dims[2] * dims[3]};
}

static void fill(const cj__call *call, char *data, int64_t count, double value)
{
    float *const floats = (void *)data;
    double *const doubles = (void *)data;
    if (call->kernels->real_size == sizeof *floats)
        for (int64_t i = 0; i < count; i++)
            floats[i] = (float)value;
    else
        for (int64_t i = 0; i < count; i++)
            doubles[i] = value;
}

// Puts `value` where the queries do not see the keys.
static void hide(const block *b, matrix tile, double value)
{
    const cj__call *call = b->call;
    const cj__real real = cj__real_of(call, value);
    for (int64_t i = 0; i < b->rows; i++) {
        char *const row = cj__at(call, tile.data, i * tile.step);
        const int64_t seen = b->first + i + 1;
        if (b->mask) {
            const int64_t *dims = b->mask_shape->dims;
            const int64_t image = dims[0] == 1 ? 0 : b->image, head = dims[1] == 1 ? 0 : b->head,
                          query = dims[2] == 1 ? 0 : b->first + i;
            const uint8_t *m = b->mask + ((image * dims[1] + head) * dims[2] + query) * dims[3];
            if (dims[3] != 1)
                call->kernels->select(b->keys, m, row, 1, &real, 0, row);
            else if (!*m)
                fill(call, row, b->keys, value);
        }
        if (b->causal && seen < b->keys)
            fill(call, cj__at(call, row, seen), b->keys - seen, value);
    }
}

// A thread's scratch: room for products, then the scaled queries of a block, tiles, and sums.
typedef struct room {
    char *product, *queries, *tile[2], *sum;
} room;

static room room_of(const cj__call *call)
{
    const attention_setup *s = call->setup;
    char *at = cj__job_scratch(call, &s->space);
    room r = {.product = at};
    r.queries = at + s->product;
    r.tile[0] =
        r.queries + cj__align_up_64((size_t)(s->rows * s->depth) * call->kernels->real_size);
    r.tile[1] = r.tile[0] + s->tile;
    r.sum = r.tile[1] + s->tile;
    return r;
}

// The attention of a block's queries to its keys, in tile 0. Leaves the scaled queries too.
static matrix attend(const block *b, const room *r)
{
    const cj__call *call = b->call;
    const attention_setup *s = b->s;
    const double scale = ((const cj__attention_attrs *)call->attrs)->scale;
    const matrix q = rows_of(call, &call->inputs[0], b->image, b->head, b->first, b->rows),
                 k = rows_of(call, &call->inputs[1], b->image, b->head * s->key_heads / s->heads, 0,
                             b->keys);
    const matrix scaled = {r->queries, b->rows, s->depth, s->depth},
                 tile = {r->tile[0], b->rows, b->keys, b->keys};
    for (int64_t i = 0; i < b->rows; i++)
        call->kernels->rescale(s->depth, cj__at(call, q.data, i * q.step), scale, 0,
                               cj__at(call, scaled.data, i * s->depth));
    multiply(call, r->product, scaled, false, k, true, tile);
    hide(b, tile, -1e9);
    call->kernels->softmax(b->rows, b->keys, tile.data, tile.data);
    return tile;
}

// Forward
// -----------------------------------------------------------------------------------------------

static int64_t blocks_of(const attention_setup *s)
{
    return (s->queries + s->rows - 1) / s->rows;
}

static void forward_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const attention_setup *s = call->setup;
    const room r = room_of(call);
    const int64_t blocks = blocks_of(s);
    for (int64_t task = begin; task < end; task++) {
        const int64_t image = task / blocks / s->heads, head = task / blocks % s->heads;
        const block b = block_of(call, 3, image, head, task % blocks * s->rows);
        multiply(call, r.product, attend(&b, &r), false,
                 rows_of(call, &call->inputs[2], image, head * s->key_heads / s->heads, 0, b.keys),
                 false, rows_of(call, &call->outputs[0], image, head, b.first, b.rows));
    }
}

static cj_status run_attention(const cj__call *call)
{
    const attention_setup *s = call->setup;
    const int64_t cost = s->rows * s->keys * (s->depth + s->width) / 32;
    if (s->keys == 0)
        memset(call->outputs[0].data, 0, cj__bytes(&call->outputs[0]));
    else if (cj__count(&call->outputs[0]) > 0)
        cj__each_item(call, s->batch * s->heads * blocks_of(s), cost, forward_task, (void *)call);
    return CJ_OK;
}

// Gradient
// -----------------------------------------------------------------------------------------------

// y += x
static void add_rows(const cj__call *call, matrix x, matrix y)
{
    for (int64_t i = 0; i < x.rows; i++) {
        char *const to = cj__at(call, y.data, i * y.step);
        call->kernels->binary[CJ__BINARY_add](1, x.cols, to, 0, 1, cj__at(call, x.data, i * x.step),
                                              0, 1, to);
    }
}

// What a block adds to the gradients of its key head, and the gradient of its queries. With p the
// attention: dv += p' dy, dp = dy v', ds = p (dp - sum(p dp)), dq = scale ds k, dk += ds' (scale q).
static void gradient_of_block(const block *b, const room *r)
{
    const cj__call *call = b->call;
    const attention_setup *s = b->s;
    const int64_t key_head = b->head * s->key_heads / s->heads;
    const double scale = ((const cj__attention_attrs *)call->attrs)->scale;
    const matrix p = attend(b, r), ds = {r->tile[1], b->rows, b->keys, b->keys};
    const matrix k = rows_of(call, &call->inputs[1], b->image, key_head, 0, b->keys),
                 v = rows_of(call, &call->inputs[2], b->image, key_head, 0, b->keys),
                 dy = rows_of(call, &call->inputs[3], b->image, b->head, b->first, b->rows),
                 dq = rows_of(call, &call->outputs[0], b->image, b->head, b->first, b->rows),
                 scaled = {r->queries, b->rows, s->depth, s->depth},
                 sum_k = {r->sum, b->keys, s->depth, s->depth},
                 sum_v = {r->sum, b->keys, s->width, s->width};
    if (call->outputs[2].data) {
        multiply(call, r->product, p, true, dy, false, sum_v);
        add_rows(call, sum_v, rows_of(call, &call->outputs[2], b->image, key_head, 0, b->keys));
    }
    multiply(call, r->product, dy, false, v, true, ds);
    call->kernels->softmax_grad(b->rows, b->keys, p.data, ds.data, ds.data);
    hide(b, ds, 0);
    if (call->outputs[1].data) {
        multiply(call, r->product, ds, true, scaled, false, sum_k);
        add_rows(call, sum_k, rows_of(call, &call->outputs[1], b->image, key_head, 0, b->keys));
    }
    multiply(call, r->product, ds, false, k, false, dq);
    for (int64_t i = 0; i < b->rows; i++) {
        char *const row = cj__at(call, dq.data, i * dq.step);
        call->kernels->rescale(s->depth, row, scale, 0, row);
    }
}

static void clear_rows(const cj__call *call, matrix x)
{
    for (int64_t i = 0; i < x.rows; i++)
        memset(cj__at(call, x.data, i * x.step), 0, (size_t)x.cols * call->kernels->real_size);
}

static void backward_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const attention_setup *s = call->setup;
    const room r = room_of(call);
    const int64_t group = s->heads / s->key_heads;
    for (int64_t task = begin; task < end; task++) {
        const int64_t image = task / s->key_heads, key_head = task % s->key_heads;
        for (int i = 1; i < 3; i++)
            if (call->outputs[i].data)
                clear_rows(call, rows_of(call, &call->outputs[i], image, key_head, 0, s->keys));
        for (int64_t head = key_head * group; head < (key_head + 1) * group; head++)
            for (int64_t first = 0; first < s->queries; first += s->rows) {
                const block b = block_of(call, 4, image, head, first);
                gradient_of_block(&b, &r);
            }
    }
}

static cj_status run_attention_grad(const cj__call *call)
{
    const attention_setup *s = call->setup;
    const int64_t cost = s->queries * s->keys * (s->depth + s->width) / 16;
    for (int i = 0; i < 3; i++)
        if (call->outputs[i].data && (s->keys == 0 || s->queries == 0))
            memset(call->outputs[i].data, 0, cj__bytes(&call->outputs[i]));
    if (s->keys > 0 && s->queries > 0)
        cj__each_item(call, s->batch * s->key_heads, cost, backward_task, (void *)call);
    return CJ_OK;
}

// Set-up, and the ops
// -----------------------------------------------------------------------------------------------

static size_t at_least(size_t a, size_t b)
{
    return a > b ? a : b;
}

// Bytes for the products of a block of `rows` queries that see `keys` keys.
static size_t space_for(const cj__call *call, const attention_setup *s, int64_t rows, int64_t keys,
                        bool backward)
{
    const int64_t step_q = s->heads * s->depth, step_k = s->key_heads * s->depth,
                  step_v = s->key_heads * s->width, step_y = s->heads * s->width;
    const matrix scaled = {NULL, rows, s->depth, s->depth}, tile = {NULL, rows, keys, keys},
                 k = {NULL, keys, s->depth, step_k}, v = {NULL, keys, s->width, step_v},
                 y = {NULL, rows, s->width, step_y}, q = {NULL, rows, s->depth, step_q},
                 sum_k = {NULL, keys, s->depth, s->depth}, sum_v = {NULL, keys, s->width, s->width};
    size_t most = space_of(call, scaled, false, k, true, tile);
    if (!backward)
        return at_least(most, space_of(call, tile, false, v, false, y));
    most = at_least(most, space_of(call, tile, true, y, false, sum_v));
    most = at_least(most, space_of(call, y, false, v, true, tile));
    most = at_least(most, space_of(call, tile, true, scaled, false, sum_k));
    return at_least(most, space_of(call, tile, false, k, false, q));
}

static void set_up(const cj__call *call, attention_setup *s, bool backward)
{
    const int64_t *q = call->inputs[0].type.shape.dims, *v = call->inputs[2].type.shape.dims;
    const size_t real = call->kernels->real_size;
    *s = (attention_setup){.batch = q[0],
                           .queries = q[1],
                           .keys = v[1],
                           .heads = q[2],
                           .key_heads = v[2],
                           .depth = q[3],
                           .width = v[3]};
    int64_t rows = s->keys > 0 ? TILE / s->keys / ROWS_MIN * ROWS_MIN : ROWS_MAX;
    const bool causal = ((const cj__attention_attrs *)call->attrs)->causal != 0;
    const int64_t most = causal ? CAUSAL_ROWS : ROWS_MAX;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows > most ? most : rows;
    s->rows = rows < s->queries ? rows : s->queries > 0 ? s->queries : 1;
    const int64_t last = s->queries - (s->queries - 1) / s->rows * s->rows;
    if (s->keys == 0 || s->queries == 0 || s->batch == 0)
        return;
    s->product = at_least(space_for(call, s, s->rows, s->keys, backward),
                          space_for(call, s, last, s->keys, backward));
    for (int64_t keys = s->rows; causal && keys < s->keys && keys < s->queries; keys += s->rows)
        s->product = at_least(s->product, space_for(call, s, s->rows, keys, backward));
    if (causal && s->queries < s->keys) // the last block sees as many keys as there are queries
        s->product = at_least(s->product, space_for(call, s, last, s->queries, backward));
    const int64_t wide = s->depth > s->width ? s->depth : s->width;
    s->tile = cj__align_up_64((size_t)(s->rows * s->keys) * real);
    s->rest = backward ? s->tile + cj__align_up_64((size_t)(s->keys * wide) * real) : 0;
    s->space.scratch =
        s->product + cj__align_up_64((size_t)(s->rows * s->depth) * real) + s->tile + s->rest;
}

static void set_up_attention(const cj__call *call, void *setup)
{
    set_up(call, setup, false);
}

static void set_up_attention_grad(const cj__call *call, void *setup)
{
    set_up(call, setup, true);
}

static size_t workspace_attention(const cj__call *call)
{
    attention_setup s;
    set_up(call, &s, call->op == &cj__op_attention_grad);
    return cj__job_space(call, &s.space);
}

static double flops_attention(const cj__call *call)
{
    attention_setup s;
    const bool backward = call->op == &cj__op_attention_grad;
    set_up(call, &s, backward);
    const double scores = (double)s.batch * (double)s.heads * (double)s.queries * (double)s.keys;
    return 2 * scores * (double)(backward ? 3 * s.depth + 2 * s.width : s.depth + s.width);
}

// A mask gets no gradient.
void cj__gradient_attention(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    cj_symbol *inputs[5] = {node->inputs[0], node->inputs[1], node->inputs[2], dy[0]};
    if (node->input_count == 4)
        inputs[4] = node->inputs[3];
    cj__append_many(g, &cj__op_attention_grad, node->attrs, inputs, node->input_count + 1, dx);
}

#define ATTENTION(op_name, inputs)                         \
    const cj__op cj__op_##op_name = {                      \
        .name = #op_name,                                  \
        .min_inputs = inputs,                              \
        .max_inputs = (inputs) + 1,                        \
        .samples = CJ__WHOLE_BATCH,                        \
        .on_blocks = CJ__ON_BLOCKS_NO,                     \
        .identity = CJ__IDENTITY_NEVER,                    \
        .bf16 = CJ__BF16_NEVER,                            \
        .attrs_size = CJ__ATTRS_SIZE(cj__attention_attrs), \
        .setup_size = sizeof(attention_setup),             \
        .infer = infer_##op_name,                          \
        .set_up = set_up_##op_name,                        \
        .gradient = cj__gradient_##op_name,                \
        .workspace = workspace_attention,                  \
        .run = run_##op_name,                              \
        .flops = flops_attention,                          \
    }
ATTENTION(attention, 3);
ATTENTION(attention_grad, 4);
