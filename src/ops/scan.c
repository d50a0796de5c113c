// The op `scan`: see scan.h. What it is here is its shape rule; the graph plans it, runs it and
// differentiates it.
#include "ops/scan.h"

#include "base/memory.h"
#include "ops/infer.h"
#include <limits.h>

static void destroy(void *object)
{
    cj__scan_body *body = object;
    for (int i = 0; i < body->input_count; i++)
        cj_release(body->inputs[i]);
    for (int i = 0; i < body->carried_count + body->stacked_count; i++)
        cj_release(body->results[i]);
    cj__free(body->inputs);
    cj__free(body->roles);
    cj__free(body->results);
    cj__free(body);
}

static const cj__class body_class = {"body of a scan", destroy};

cj__scan_body *cj__scan_body_new(int inputs, int results)
{
    cj__scan_body *body = cj__object_new(&body_class, sizeof *body);
    if (!body)
        return NULL;
    body->inputs = cj__new((size_t)inputs, sizeof(cj_symbol *));
    body->roles = cj__new((size_t)inputs, sizeof *body->roles);
    body->results = cj__new((size_t)results, sizeof(cj_symbol *));
    if (body->inputs && body->roles && body->results)
        return body;
    cj_release(body);
    return NULL;
}

int cj__scan_operands(cj__scan_role role)
{
    return role == CJ__SCAN_BEFORE || role == CJ__SCAN_AFTER ? 2 : 1;
}

static int count_outputs(const void *attrs, const cj__type *inputs)
{
    const cj__scan_body *body = cj__scan_body_of(attrs);
    (void)inputs;
    return body ? body->carried_count + body->stacked_count : 0;
}

// Checks that an operand is what an input of the body needs, and finds the length of the free axis.
static cj_status fit(const cj__inference *r, int operand, const cj__type *given,
                     const cj__type *needed, int64_t *batch)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    bool fits = given->dtype == needed->dtype && given->shape.rank == needed->shape.rank;
    for (int i = 0; fits && i < given->shape.rank; i++) {
        const int64_t length = given->shape.dims[i], wanted = needed->shape.dims[i];
        if (wanted >= 0 || length < 0) {
            fits = length == wanted;
        } else {
            *batch = *batch == CJ_BATCH ? length / -wanted : *batch;
            fits = length == cj__length_for(wanted, *batch);
        }
    }
    if (fits)
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d gives a step %s %s, needs %s %s", r->op->name,
                    operand, cj__shape_words(&given->shape, first), cj_dtype_name(given->dtype),
                    cj__shape_words(&needed->shape, second), cj_dtype_name(needed->dtype));
}

static cj_status fit_sequence(const cj__inference *r, int operand, const cj__type *needed,
                              int64_t *batch)
{
    const int64_t length = ((const cj__scan_attrs *)r->attrs)->length;
    cj__type entry = r->inputs[operand];
    CJ_TRY(cj__need_axis(r, &entry, 0, false));
    if (entry.shape.dims[0] != length)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d has %lld entries, needs %lld as steps",
                        r->op->name, operand, (long long)entry.shape.dims[0], (long long)length);
    entry.shape = cj__reduced_shape(&entry.shape, 1, false);
    return fit(r, operand, &entry, needed, batch);
}

static cj_status fit_inputs(const cj__inference *r, int64_t *batch)
{
    const cj__scan_body *body = cj__scan_body_of(r->attrs);
    int next = 0;
    for (int i = 0; i < body->input_count; i++) {
        const cj__type *needed = cj__symbol_type(body->inputs[i]);
        const cj__scan_role role = body->roles[i];
        const int first = next;
        next += cj__scan_operands(role);
        if (next > r->input_count)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs more", r->op->name,
                            r->input_count);
        const bool moves = role != CJ__SCAN_CARRIED && role != CJ__SCAN_INVARIANT;
        if (moves)
            CJ_TRY(fit_sequence(r, first, needed, batch));
        if (!moves || next - first == 2)
            CJ_TRY(fit(r, next - 1, &r->inputs[next - 1], needed, batch));
    }
    return CJ_OK;
}

static void set_free_axis(cj_shape *shape, int64_t batch)
{
    for (int i = 0; batch >= 0 && i < shape->rank; i++)
        shape->dims[i] = cj__length_for(shape->dims[i], batch);
}

static cj_status infer_scan(cj__inference *r)
{
    const cj__scan_attrs *a = r->attrs;
    int64_t batch = CJ_BATCH;
    if (!a->body || a->length < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: needs a body and a number of steps", r->op->name);
    CJ_TRY(fit_inputs(r, &batch));
    r->output_count = count_outputs(a, r->inputs);
    for (int i = 0; i < r->output_count; i++) {
        cj__type *y = &r->outputs[i];
        *y = *cj__symbol_type(a->body->results[i]);
        if (i < a->body->carried_count) {
            CJ_TRY(cj__need_same_shape(r, y, cj__symbol_type(a->body->inputs[i])));
        } else {
            if (y->shape.rank == CJ_MAX_RANK)
                return cj__fail(CJ_INVALID_ARGUMENT, "%s: time cannot be added to %d axes",
                                r->op->name, y->shape.rank);
            for (int axis = y->shape.rank++; axis > 0; axis--)
                y->shape.dims[axis] = y->shape.dims[axis - 1];
            y->shape.dims[0] = a->length;
        }
        set_free_axis(&y->shape, batch);
        CJ_TRY(cj__check_output(r, &y->shape));
    }
    return CJ_OK;
}

static void *object_of(const void *attrs)
{
    return ((const cj__scan_attrs *)attrs)->body;
}

const cj__op cj__op_scan = {
    .name = "scan",
    .flags = CJ__OP_LOOP,
    .min_inputs = 0,
    .max_inputs = INT_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__scan_attrs),
    .count_outputs = count_outputs,
    .infer = infer_scan,
    .object = object_of,
};
