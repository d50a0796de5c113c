// Einstein's sum of two operands: y = sum over k of a b, where each axis has a letter.
//
// A letter is of one of four kinds by where it stands: in a, b and y (batch), in a and y (rows, m),
// in b and y (columns, n), in a and b (summed, k). So the gradients by a and b are sums of the same
// form, and the op is closed under differentiation.
//
// A call is one product of matrices for each combination of the letters that the product leaves
// over. Neighbouring axes with equal kinds that lie behind each other in every operand count as
// one. Operands are read where they lie if their axes allow it: a product needs one axis of each
// operand without a gap. Otherwise the operand is first brought into the order batch, m, k (or
// batch, k, n; or the result from batch, m, n) in the workspace.
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <assert.h>
#include <string.h>

// Products with more operations than this are shared between threads, smaller ones are each a task.
static const double large_product = 5e7;

static bool has(const char *letters, char letter)
{
    return strchr(letters, letter) != NULL;
}

// Shape rule
// -----------------------------------------------------------------------------------------------

static bool repeats(const char *letters)
{
    for (; *letters; letters++)
        if (has(letters + 1, *letters))
            return true;
    return false;
}

static bool letters_agree(const cj__einsum_attrs *e)
{
    if (repeats(e->a) || repeats(e->b) || repeats(e->y))
        return false;
    for (const char *p = e->a; *p; p++)
        if (!has(e->b, *p) && !has(e->y, *p))
            return false;
    for (const char *p = e->b; *p; p++)
        if (!has(e->a, *p) && !has(e->y, *p))
            return false;
    for (const char *p = e->y; *p; p++)
        if (!has(e->a, *p) && !has(e->b, *p))
            return false;
    return true;
}

static cj_status infer_einsum(cj__inference *r)
{
    const cj__einsum_attrs *e = r->attrs;
    const cj_shape *a = &r->inputs[0].shape, *b = &r->inputs[1].shape;
    cj_shape *y = &r->outputs[0].shape;
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    if ((int)strlen(e->a) != a->rank || (int)strlen(e->b) != b->rank || !letters_agree(e))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s,%s->%s does not fit %s and %s", r->op->name,
                        e->a, e->b, e->y, cj__shape_words(a, first), cj__shape_words(b, second));
    for (int i = 0; i < 2; i++)
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
    r->outputs[0].dtype = r->inputs[0].dtype;
    *y = (cj_shape){.rank = (int)strlen(e->y)};
    for (int i = 0; i < a->rank; i++) {
        const char *in_b = strchr(e->b, e->a[i]);
        if (in_b && b->dims[in_b - e->b] != a->dims[i])
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: axis %c of %s,%s->%s has two lengths in %s and %s", r->op->name,
                            e->a[i], e->a, e->b, e->y, cj__shape_words(a, first),
                            cj__shape_words(b, second));
    }
    for (int i = 0; i < y->rank; i++) {
        const char *in_a = strchr(e->a, e->y[i]);
        y->dims[i] = in_a ? a->dims[in_a - e->a] : b->dims[strchr(e->b, e->y[i]) - e->b];
    }
    return cj__check_output(r, y);
}

static void gradient_einsum(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    const cj__einsum_attrs *e = (const void *)node->attrs;
    cj__einsum_attrs by_a = {{0}, {0}, {0}}, by_b = {{0}, {0}, {0}};
    strcpy(by_a.a, e->y), strcpy(by_a.b, e->b), strcpy(by_a.y, e->a);
    strcpy(by_b.a, e->a), strcpy(by_b.b, e->y), strcpy(by_b.y, e->b);
    dx[0] = cj__append(g, &cj__op_einsum, &by_a, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = cj__append(g, &cj__op_einsum, &by_b, (cj_symbol *[]){node->inputs[0], dy[0]}, 2);
}

// The products of a call
// -----------------------------------------------------------------------------------------------

enum { A, B, Y, OPERANDS };
enum { BATCH, ROWS, COLS, SUMMED, KINDS };
enum { LETTERS = 2 * CJ_MAX_RANK };

// An axis, or several as one: how far its next element is in each operand, 0 where it is absent.
typedef struct axis {
    int64_t length, step[OPERANDS];
} axis;

typedef struct axes {
    int count;
    axis list[LETTERS];
} axes;

typedef struct einsum_setup {
    cj__gemm product;                 // without pointers
    cj__job job;                      // of one product
    bool swapped;                     // the product's A is b
    bool large;                       // a product is shared between threads
    axes loops;                       // over products
    int64_t count;                    // of products
    int order[OPERANDS][CJ_MAX_RANK]; // of the axes of a copy
    bool copied[OPERANDS];
    size_t copy_at[OPERANDS], copies; // in the workspace; bytes of all
} einsum_setup;

static int kind_of(const cj__einsum_attrs *e, char letter)
{
    return !has(e->y, letter) ? SUMMED :
           !has(e->b, letter) ? ROWS :
           !has(e->a, letter) ? COLS :
                                BATCH;
}

static const char *letters_of(const cj__einsum_attrs *e, int operand)
{
    return operand == A ? e->a : operand == B ? e->b : e->y;
}

// The letters of an operand in the order of a copy: batch, rows, columns as y has them, and the
// summed ones, which stand before columns and after rows, as a has them.
static void order_of_copy(const cj__einsum_attrs *e, int operand, char *order)
{
    static const int kinds[] = {BATCH, ROWS, SUMMED, COLS};
    for (int i = 0; i < KINDS; i++)
        for (const char *p = kinds[i] == SUMMED ? e->a : e->y; *p; p++)
            if (kind_of(e, *p) == kinds[i] && has(letters_of(e, operand), *p))
                *order++ = *p;
    *order = 0;
}

// How far the next element along a letter is in an operand of the call, or in its copy.
static int64_t step_of(const cj__call *call, const einsum_setup *s, int operand, char letter)
{
    const cj__einsum_attrs *e = call->attrs;
    const cj_shape *shape =
        operand == Y ? &call->outputs[0].type.shape : &call->inputs[operand].type.shape;
    const char *own = letters_of(e, operand);
    char copy[CJ_MAX_RANK + 1];
    if (!has(own, letter))
        return 0;
    if (!s->copied[operand])
        return cj__span(shape, (int)(strchr(own, letter) - own) + 1, shape->rank);
    order_of_copy(e, operand, copy);
    int64_t step = 1;
    for (const char *p = strchr(copy, letter) + 1; *p; p++)
        step *= shape->dims[strchr(own, *p) - own];
    return step;
}

static int64_t length_of(const cj__call *call, char letter)
{
    const cj__einsum_attrs *e = call->attrs;
    const char *in_a = strchr(e->a, letter);
    return in_a ? call->inputs[0].type.shape.dims[in_a - e->a] :
                  call->inputs[1].type.shape.dims[strchr(e->b, letter) - e->b];
}

// The axes of a kind, those of length 1 left out, neighbours as one where every operand that is
// asked for (a bit each) allows it.
static axes axes_of(const cj__call *call, const einsum_setup *s, int kind, unsigned asked)
{
    const cj__einsum_attrs *e = call->attrs;
    axes found = {0};
    for (const char *p = kind == SUMMED ? e->a : e->y; *p; p++) {
        axis next = {length_of(call, *p), {0}};
        if (kind_of(e, *p) != kind || next.length == 1)
            continue;
        bool follows = found.count > 0;
        axis *last = &found.list[found.count - follows];
        for (int i = 0; i < OPERANDS; i++) {
            next.step[i] = asked >> i & 1 ? step_of(call, s, i, *p) : 0;
            follows = follows && last->step[i] == next.length * next.step[i];
        }
        if (follows) {
            next.length *= last->length;
            *last = next;
        } else {
            found.list[found.count++] = next;
        }
    }
    return found;
}

static const axis no_axis = {1, {0}};

// Takes an axis out of a list.
static axis take(axes *from, int index)
{
    const axis taken = from->list[index];
    from->count--;
    for (int i = index; i < from->count; i++)
        from->list[i] = from->list[i + 1];
    return taken;
}

static int with_step_1(const axes *list, int operand)
{
    for (int i = 0; i < list->count; i++)
        if (list->list[i].step[operand] == 1)
            return i;
    return -1;
}

static int longest(const axes *list)
{
    int best = 0;
    for (int i = 1; i < list->count; i++)
        if (list->list[i].length > list->list[best].length)
            best = i;
    return best;
}

// The axis of a matrix beside one without a gap: its step, which for a single row is whatever a
// matrix of its width has.
static int64_t leading(axis along, int operand, int64_t width)
{
    return along.length == 1 ? width : along.step[operand];
}

static bool steps_1(axis along, int operand)
{
    return along.length == 1 || along.step[operand] == 1;
}

// Chooses the axes of a product by the operands as they lie. Returns the operand that has to be
// copied first, or OPERANDS.
static int choose(const cj__call *call, einsum_setup *s)
{
    const unsigned all = 1u << A | 1u << B | 1u << Y;
    axes batch = axes_of(call, s, BATCH, all), rows = axes_of(call, s, ROWS, all),
         cols = axes_of(call, s, COLS, all), summed = axes_of(call, s, SUMMED, all);
    if (summed.count > 1)
        return axes_of(call, s, SUMMED, 1u << A).count > 1 ? A : B;
    if (rows.count + cols.count > 0 && with_step_1(&batch, Y) >= 0)
        return Y;
    s->swapped = with_step_1(&rows, Y) >= 0;
    const int x = s->swapped ? B : A, z = s->swapped ? A : B; // the product's A and B
    axes *const m_axes = s->swapped ? &cols : &rows, *const n_axes = s->swapped ? &rows : &cols;
    const axis k = summed.count > 0 ? summed.list[0] : no_axis;
    const axis n = n_axes->count > 0 ? take(n_axes, with_step_1(n_axes, Y)) : no_axis;
    if (!steps_1(n, z) && !steps_1(k, z))
        return z;
    const bool plain = steps_1(k, x);
    const int at = plain ? longest(m_axes) : with_step_1(m_axes, x);
    if (at < 0 && m_axes->count > 0)
        return x;
    const axis m = m_axes->count > 0 ? take(m_axes, at) : no_axis;
    s->product = (cj__gemm){
        .m = m.length,
        .n = n.length,
        .k = k.length,
        .trans_a = !plain,
        .trans_b = !steps_1(n, z),
        .lda = plain ? leading(m, x, k.length) : leading(k, x, m.length),
        .ldb = steps_1(n, z) ? leading(k, z, n.length) : leading(n, z, k.length),
        .ldc = leading(m, Y, n.length),
        .act = CJ__UNARY_NONE,
    };
    s->loops = batch;
    for (int i = 0; i < rows.count; i++)
        s->loops.list[s->loops.count++] = rows.list[i];
    for (int i = 0; i < cols.count; i++)
        s->loops.list[s->loops.count++] = cols.list[i];
    return OPERANDS;
}

// The order of the axes for the transposition that makes a copy, or the result of its copy.
static void order_copy(const cj__einsum_attrs *e, int operand, int *order)
{
    const char *own = letters_of(e, operand);
    char copy[CJ_MAX_RANK + 1];
    order_of_copy(e, operand, copy);
    for (int i = 0; own[i]; i++)
        order[i] = (int)(operand == Y ? strchr(copy, own[i]) - copy : strchr(own, copy[i]) - own);
}

static double flops_of(const cj__gemm *g)
{
    return 2.0 * (double)g->m * (double)g->n * (double)g->k;
}

static void set_up_einsum(const cj__call *call, void *setup)
{
    einsum_setup *s = setup;
    *s = (einsum_setup){.count = 1};
    if (cj__count(&call->inputs[0]) == 0 || cj__count(&call->inputs[1]) == 0)
        return; // zeros, if anything
    for (int missing; (missing = choose(call, s)) != OPERANDS;) {
        assert(!s->copied[missing]); // a copy has the axes in the order that a product wants
        s->copied[missing] = true;
        order_copy(call->attrs, missing, s->order[missing]);
        s->copy_at[missing] = s->copies;
        s->copies +=
            cj__align_up_64(cj__bytes(missing == Y ? &call->outputs[0] : &call->inputs[missing]));
    }
    for (int i = 0; i < s->loops.count; i++)
        s->count *= s->loops.list[i].length;
    call->kernels->gemm_job(&s->product, &s->job);
    s->large = s->count == 1 || flops_of(&s->product) > large_product;
}

// Running
// -----------------------------------------------------------------------------------------------

// The workspace: copies, then for a large product its own, and what each thread has: scratch, and
// for small products the workspace too.
static cj__job space_of(const einsum_setup *s)
{
    const size_t workspace = cj__align_up_64(s->job.workspace);
    return (cj__job){.workspace = s->copies + (s->large ? workspace : 0),
                     .scratch = cj__align_up_64(s->job.scratch) + (s->large ? 0 : workspace)};
}

static size_t workspace_einsum(const cj__call *call)
{
    const einsum_setup *s = call->setup;
    einsum_setup room;
    if (!s) {
        set_up_einsum(call, &room);
        s = &room;
    }
    const cj__job space = space_of(s);
    return cj__job_space(call, &space);
}

typedef struct running {
    const cj__call *call;
    const einsum_setup *setup;
    cj__job space;
    const void *in[2];
    void *out;
    // of a large product
    cj__gemm product;
    int phase;
} running;

// The product number `index`.
static cj__gemm product_at(const running *r, int64_t index)
{
    const einsum_setup *s = r->setup;
    int64_t at[OPERANDS] = {0};
    for (int i = s->loops.count - 1; i >= 0; i--) {
        const axis *loop = &s->loops.list[i];
        for (int k = 0; k < OPERANDS; k++)
            at[k] += index % loop->length * loop->step[k];
        index /= loop->length;
    }
    cj__gemm g = s->product;
    const void *const a = cj__at(r->call, r->in[0], at[A]), *const b =
                                                                cj__at(r->call, r->in[1], at[B]);
    g.a = s->swapped ? b : a;
    g.b = s->swapped ? a : b;
    g.c = cj__at(r->call, r->out, at[Y]);
    return g;
}

static void small_products(void *context, int64_t begin, int64_t end)
{
    const running *r = context;
    const cj__job *job = &r->setup->job;
    char *scratch = cj__job_scratch(r->call, &r->space);
    for (int64_t i = begin; i < end; i++) {
        const cj__gemm g = product_at(r, i);
        for (int phase = 0; phase < job->phases; phase++)
            if (job->tasks[phase] > 0)
                r->call->kernels->gemm_run(&g, scratch + cj__align_up_64(job->scratch), scratch,
                                           phase, 0, job->tasks[phase]);
    }
}

static void large_task(void *context, int64_t begin, int64_t end)
{
    const running *r = context;
    r->call->kernels->gemm_run(&r->product, (char *)r->call->workspace + r->setup->copies,
                               cj__job_scratch(r->call, &r->space), r->phase, begin, end);
}

static void run_products(running *r)
{
    const einsum_setup *s = r->setup;
    const double worth = 4e5; // as for any product: some 5 microseconds of one core
    if (!s->large) {
        const double cost = flops_of(&s->product) / 64;
        cj__each_item(r->call, s->count, (int64_t)cost, small_products, r);
        return;
    }
    for (int64_t i = 0; i < s->count; i++) {
        r->product = product_at(r, i);
        for (r->phase = 0; r->phase < s->job.phases; r->phase++) {
            const int64_t tasks = s->job.tasks[r->phase];
            if (tasks > 0)
                cj__parallel(r->call->pool, tasks, flops_of(&r->product) < worth ? tasks : 1,
                             large_task, r);
        }
    }
}

// Turns the axes of an operand into the order of its copy, or back.
static cj_status turn(const cj__call *call, const int *order, const cj_shape *shape,
                      const void *from, void *to)
{
    cj__transpose_attrs attrs = {{0}};
    cj__operand in = {(void *)(uintptr_t)from, {call->outputs[0].type.dtype, *shape}},
                out = {to, in.type};
    memcpy(attrs.order, order, sizeof attrs.order);
    cj__call copy = {.op = &cj__op_transpose,
                     .device = call->device,
                     .attrs = &attrs,
                     .input_count = 1,
                     .output_count = 1,
                     .inputs = &in,
                     .outputs = &out,
                     .pool = call->pool,
                     .kernels = call->kernels};
    return cj__op_transpose.run(&copy);
}

static cj_status run_einsum(const cj__call *call)
{
    const einsum_setup *s = call->setup;
    cj__operand *const y = &call->outputs[0];
    running r = {.call = call, .setup = s, .space = space_of(s), .out = y->data};
    if (cj__count(y) == 0)
        return CJ_OK;
    if (s->product.k == 0) {
        memset(y->data, 0, cj__bytes(y));
        return CJ_OK;
    }
    for (int i = 0; i < 2; i++) {
        void *const copy = (char *)call->workspace + s->copy_at[i];
        r.in[i] = s->copied[i] ? copy : call->inputs[i].data;
        if (s->copied[i])
            CJ_TRY(
                turn(call, s->order[i], &call->inputs[i].type.shape, call->inputs[i].data, copy));
    }
    if (!s->copied[Y]) {
        run_products(&r);
        return CJ_OK;
    }
    r.out = (char *)call->workspace + s->copy_at[Y];
    run_products(&r);
    cj_shape shape = {.rank = y->type.shape.rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[s->order[Y][i]] = y->type.shape.dims[i];
    return turn(call, s->order[Y], &shape, r.out, y->data);
}

static double flops_einsum(const cj__call *call)
{
    const einsum_setup *s = call->setup;
    return s ? flops_of(&s->product) * (double)s->count : 0;
}

// How many operands are copied.
static const char *form_einsum(const cj__call *call)
{
    static const char *const forms[] = {"in place", "1 copy", "2 copies", "3 copies"};
    const einsum_setup *s = call->setup;
    return s ? forms[s->copied[A] + s->copied[B] + s->copied[Y]] : NULL;
}

const cj__op cj__op_einsum = {
    .name = "einsum",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__einsum_attrs),
    .setup_size = sizeof(einsum_setup),
    .infer = infer_einsum,
    .set_up = set_up_einsum,
    .gradient = gradient_einsum,
    .workspace = workspace_einsum,
    .run = run_einsum,
    .flops = flops_einsum,
    .form = form_einsum,
};
