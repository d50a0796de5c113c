// Building loops: from the expressions of a step to a body that is closed, that is, reads nothing
// but its own inputs and constants.
//
// Every node that the results need is visited in order. One that depends on a state or an entry of
// a sequence is made again *inside*, over the inputs of the body; all others stay *outside*, and
// where something inside reads one of them, that becomes an invariant. In a loop that is a gradient,
// expressions also read symbols of the body that is differentiated: the values that its steps had.
// Those are read from the sequences that the scan offers, so nothing is computed twice; only views,
// which cost nothing, are made again.
#include "graph/scan.h"

#include "base/memory.h"
#include "graph/order.h"
#include "ops/infer.h"

#include <string.h>

// ---- Inputs and results ----

void cj__scan_begin(cj__scan *scan, cj__build *build, int64_t length, bool reverse)
{
    *scan = (cj__scan){.build = build, .length = length, .reverse = reverse};
}

static void failed(cj__build *g, cj_status status)
{
    if (g->status == CJ_OK)
        g->status = status;
}

static bool is_same(const cj_symbol *a, const cj_symbol *b)
{
    return a->node == b->node && a->index == b->index;
}

static cj_symbol *add_input(cj__scan *scan, cj__scan_role role, const cj__type *type,
                            cj_symbol *operand, cj_symbol *other)
{
    cj__build *g = scan->build;
    if (g->status == CJ_OK && !cj__reserve((void **)&scan->inputs, &scan->input_capacity,
                                           (size_t)scan->input_count + 1, sizeof *scan->inputs))
        failed(g, CJ_OUT_OF_MEMORY);
    if (g->status != CJ_OK)
        return NULL;
    cj_symbol *symbol = cj__build_keep(g, cj__symbol_input(type, "scan"));
    if (symbol)
        scan->inputs[scan->input_count++] =
            (cj__scan_input){.symbol = symbol, .role = role, .operands = {operand, other}};
    return symbol;
}

cj_symbol *cj__scan_carry(cj__scan *scan, cj_symbol *first)
{
    if (!first)
        return cj__build_keep(scan->build, NULL);
    cj_symbol *state = add_input(scan, CJ__SCAN_CARRIED, cj__symbol_type(first), first, NULL);
    scan->carried_count += state != NULL;
    return state;
}

cj_symbol *cj__scan_slice(cj__scan *scan, cj_symbol *sequence)
{
    return cj__scan_shifted(scan, CJ__SCAN_SLICE, sequence, NULL);
}

cj_symbol *cj__scan_shifted(cj__scan *scan, cj__scan_role role, cj_symbol *sequence,
                            cj_symbol *other)
{
    char text[CJ__SHAPE_TEXT];
    if (!sequence || (!other && role != CJ__SCAN_SLICE))
        return cj__build_keep(scan->build, NULL);
    cj__type entry = *cj__symbol_type(sequence);
    if (scan->build->status == CJ_OK &&
        (entry.shape.rank == 0 || entry.shape.dims[0] != scan->length))
        failed(scan->build, cj__fail(CJ_SHAPE_MISMATCH,
                                     "scan: a sequence of shape %s has no entry for each of %lld "
                                     "steps along its first axis",
                                     cj__shape_words(&entry.shape, text), (long long)scan->length));
    if (scan->build->status != CJ_OK)
        return NULL;
    entry.shape = cj__reduced_shape(&entry.shape, 1, false);
    return add_input(scan, role, &entry, sequence, other);
}

void cj__scan_next(cj__scan *scan, const cj_symbol *state, cj_symbol *next)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    cj__build *g = scan->build;
    if (!state || !next)
        cj__build_keep(g, NULL);
    if (g->status != CJ_OK)
        return;
    const cj__type *is = cj__symbol_type(next), *was = cj__symbol_type(state);
    if (!cj__type_equal(is, was)) {
        failed(g, cj__fail(CJ_SHAPE_MISMATCH, "scan: a state is %s %s, but %s %s after a step",
                           cj__shape_words(&was->shape, first), cj_dtype_name(was->dtype),
                           cj__shape_words(&is->shape, second), cj_dtype_name(is->dtype)));
        return;
    }
    for (int i = 0; i < scan->input_count; i++)
        if (scan->inputs[i].role == CJ__SCAN_CARRIED && is_same(scan->inputs[i].symbol, state))
            scan->inputs[i].next = next;
}

int cj__scan_output(cj__scan *scan, cj_symbol *y)
{
    cj__build *g = scan->build;
    if (!y)
        cj__build_keep(g, NULL);
    for (int i = 0; y && i < scan->output_count; i++)
        if (is_same(scan->outputs[i], y))
            return i;
    if (g->status == CJ_OK && !cj__reserve((void **)&scan->outputs, &scan->output_capacity,
                                           (size_t)scan->output_count + 1, sizeof *scan->outputs))
        failed(g, CJ_OUT_OF_MEMORY);
    if (g->status != CJ_OK)
        return 0;
    scan->outputs[scan->output_count] = y;
    return scan->output_count++;
}

// ---- Closing ----

// An output of a node: what stands for it in the closed graph.
typedef struct slot {
    cj_symbol *symbol; // NULL: not looked at yet
    bool inside, needed, given;
    bool kept; // it was computed by the scan that is differentiated: see read_kept()
} slot;

typedef struct closing {
    cj__scan *scan;
    cj__order order;
    size_t *first; // by place: of its outputs in `slots`
    slot *slots;
    cj_symbol **made;   // scratch: as many as the widest node has outputs
    cj_symbol **inputs; // scratch: as many as it has inputs
    cj_symbol **results;
    int result_count;
    size_t result_capacity;
} closing;

static slot *slot_of(const closing *c, const cj_symbol *symbol)
{
    const size_t place = cj__order_place(&c->order, symbol->node);
    return place == SIZE_MAX ? NULL : &c->slots[c->first[place] + (size_t)symbol->index];
}

static cj_status add_result(closing *c, cj_symbol *symbol)
{
    if (!symbol)
        return c->scan->build->status;
    if (!cj__reserve((void **)&c->results, &c->result_capacity, (size_t)c->result_count + 1,
                     sizeof *c->results))
        return CJ_OUT_OF_MEMORY;
    c->results[c->result_count++] = symbol;
    return CJ_OK;
}

static cj_status start(closing *c)
{
    const cj__scan *scan = c->scan;
    size_t slots = 0;
    int inputs = 0, outputs = 0;
    for (int k = 0; k < scan->input_count; k++)
        if (scan->inputs[k].next)
            CJ_TRY(cj__order_add(&c->order, scan->inputs[k].next->node));
    for (int i = 0; i < scan->output_count; i++)
        CJ_TRY(cj__order_add(&c->order, scan->outputs[i]->node));
    c->first = cj__new(c->order.count, sizeof *c->first);
    if (!c->first)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->order.count; i++) {
        const cj__node *node = c->order.nodes[i];
        c->first[i] = slots;
        slots += (size_t)node->output_count;
        inputs = node->input_count > inputs ? node->input_count : inputs;
        outputs = node->output_count > outputs ? node->output_count : outputs;
    }
    c->slots = cj__new(slots, sizeof *c->slots);
    c->made = cj__new((size_t)outputs, sizeof *c->made);
    c->inputs = cj__new((size_t)inputs, sizeof *c->inputs);
    return c->slots && c->made && c->inputs ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The inputs of this body, and what the scan that is differentiated has computed.
static void mark_given(closing *c)
{
    const cj__scan *scan = c->scan;
    for (int i = 0; i < scan->input_count; i++) {
        slot *s = slot_of(c, scan->inputs[i].symbol);
        if (s)
            *s = (slot){.symbol = scan->inputs[i].symbol, .inside = true, .given = true};
    }
    if (!scan->differentiated)
        return;
    const cj__scan_body *body = cj__scan_body_of(scan->differentiated->attrs);
    for (int i = 0; i < body->carried_count + body->stacked_count + body->input_count; i++) {
        const int result = i - body->input_count;
        slot *s = slot_of(c, result < 0 ? body->inputs[i] : body->results[result]);
        if (s && (result < 0 || result >= body->carried_count))
            s->given = s->kept = true;
    }
}

static bool need(closing *c, const cj_symbol *symbol)
{
    return slot_of(c, symbol)->needed = true;
}

// Finds the nodes that have to be visited, from the results back; none behind what is given.
static void mark_needed(closing *c)
{
    const cj__scan *scan = c->scan;
    for (int k = 0; k < scan->input_count; k++)
        if (scan->inputs[k].next)
            need(c, scan->inputs[k].next);
    for (int i = 0; i < scan->output_count; i++)
        need(c, scan->outputs[i]);
    for (size_t place = c->order.count; place-- > 0;) {
        const cj__node *node = c->order.nodes[place];
        bool visit = false;
        for (int j = 0; j < node->output_count; j++) {
            const slot *s = &c->slots[c->first[place] + (size_t)j];
            visit = visit || (s->needed && !s->given);
        }
        for (int j = 0; visit && j < node->input_count; j++)
            need(c, node->inputs[j]);
    }
}

cj_symbol *cj__scan_sequence(cj__build *build, const cj__node *node, const cj_symbol *symbol)
{
    const cj__scan_body *body = cj__scan_body_of(node->attrs);
    for (int i = 0; i < body->stacked_count; i++)
        if (is_same(body->results[body->carried_count + i], symbol))
            return cj__node_output(build, node, body->carried_count + i);
    return NULL;
}

// An input of this body, or an outer symbol (*inside: which), that has the value of an input of the
// body that is differentiated. The states with which its steps began are those with which the steps
// before ended.
static cj_symbol *read_input(cj__scan *scan, int index, bool *inside)
{
    const cj__node *node = scan->differentiated;
    const cj__scan_body *body = cj__scan_body_of(node->attrs);
    const bool reverse = ((const cj__scan_attrs *)(const void *)node->attrs)->reverse != 0;
    int operand = 0;
    for (int i = 0; i < index; i++)
        operand += cj__scan_operands(body->roles[i]);
    *inside = body->roles[index] != CJ__SCAN_INVARIANT;
    switch (body->roles[index]) {
    case CJ__SCAN_CARRIED:
        return cj__scan_shifted(scan, reverse ? CJ__SCAN_AFTER : CJ__SCAN_BEFORE,
                                cj__scan_sequence(scan->build, node, body->results[index]),
                                node->inputs[operand]);
    case CJ__SCAN_BEFORE:
    case CJ__SCAN_AFTER:
        return cj__scan_shifted(scan, body->roles[index], node->inputs[operand],
                                node->inputs[operand + 1]);
    case CJ__SCAN_SLICE:
        return cj__scan_slice(scan, node->inputs[operand]);
    case CJ__SCAN_INVARIANT:
        break;
    }
    return node->inputs[operand];
}

static void read_kept(const closing *c, const cj__node *node, int output, slot *s)
{
    cj__scan *scan = c->scan;
    const cj__scan_body *body = cj__scan_body_of(scan->differentiated->attrs);
    s->inside = true;
    for (int i = 0; i < body->input_count; i++) {
        if (body->inputs[i]->node == node) {
            s->symbol = read_input(scan, i, &s->inside);
            return;
        }
    }
    for (int i = 0; i < body->stacked_count && !s->symbol; i++) {
        const cj_symbol *result = body->results[body->carried_count + i];
        if (result->node == node && result->index == output)
            s->symbol = cj__scan_slice(
                scan, cj__node_output(scan->build, scan->differentiated, body->carried_count + i));
    }
}

// The input of the body that stands for an outer symbol: a constant is itself.
static cj_symbol *capture(cj__scan *scan, cj_symbol *outer)
{
    if (!outer || outer->node->constant)
        return outer;
    for (int i = 0; i < scan->input_count; i++)
        if (scan->inputs[i].role == CJ__SCAN_INVARIANT &&
            is_same(scan->inputs[i].operands[0], outer))
            return scan->inputs[i].symbol;
    return add_input(scan, CJ__SCAN_INVARIANT, cj__symbol_type(outer), outer, NULL);
}

// What stands for a symbol, for a reader inside.
static cj_symbol *from_inside(closing *c, const cj_symbol *symbol)
{
    const slot *s = slot_of(c, symbol);
    return s->inside ? s->symbol : capture(c->scan, s->symbol);
}

static bool is_stackable(const cj__node *node, int output)
{
    return !(node->op->flags & CJ__OP_VIEW) && node->types[output].shape.rank < CJ_MAX_RANK;
}

// A node whose outputs are not given: itself, or made again over what stands for its inputs.
static cj_status visit(closing *c, size_t place)
{
    const cj__node *node = c->order.nodes[place];
    slot *slots = &c->slots[c->first[place]];
    cj__build *g = c->scan->build;
    bool inside = false, same = true;
    for (int j = 0; j < node->input_count; j++) {
        const slot *s = slot_of(c, node->inputs[j]);
        inside = inside || s->inside;
        same = same && s->symbol && is_same(s->symbol, node->inputs[j]);
    }
    if (!inside && same) {
        for (int j = 0; j < node->output_count; j++)
            slots[j].symbol = slots[j].needed ? cj__node_output(g, node, j) : NULL;
        return g->status;
    }
    if (inside && (node->op->flags & CJ__OP_EFFECT))
        return cj__fail(CJ_UNSUPPORTED,
                        "scan: %s does more than compute, so it cannot be in a loop",
                        node->op->name);
    for (int j = 0; j < node->input_count; j++)
        c->inputs[j] =
            inside ? from_inside(c, node->inputs[j]) : slot_of(c, node->inputs[j])->symbol;
    CJ_TRY(cj__append_like(g, node, c->inputs, c->made));
    for (int j = 0; j < node->output_count; j++) {
        if (slots[j].given)
            continue;
        slots[j].symbol = c->made[j];
        slots[j].inside = inside;
        if (inside && is_stackable(node, j))
            CJ_TRY(add_result(c, c->made[j]));
    }
    return CJ_OK;
}

// Visits all nodes that are needed. What is computed inside is then among the results.
static cj_status visit_all(closing *c)
{
    for (size_t place = 0; place < c->order.count; place++) {
        const cj__node *node = c->order.nodes[place];
        bool any = false;
        for (int j = 0; j < node->output_count; j++) {
            slot *s = &c->slots[c->first[place] + (size_t)j];
            if (s->needed && s->kept)
                read_kept(c, node, j, s);
            any = any || (s->needed && !s->given);
        }
        if (any)
            CJ_TRY(visit(c, place));
        CJ_TRY(c->scan->build->status);
    }
    return CJ_OK;
}

// ---- The body and its node ----

static bool is_stacked(const cj__scan_body *body, int count, const cj_symbol *symbol)
{
    for (int i = 0; i < count; i++)
        if (is_same(body->results[body->carried_count + i], symbol))
            return true;
    return false;
}

// The results: next values, the sequences that were asked for, and then all that a gradient may ask
// for: the next values as sequences, and what was computed for them.
static cj_status take_results(closing *c, cj__scan_body *body)
{
    const cj__scan *scan = c->scan;
    const int carried = body->carried_count, computed = c->result_count;
    for (int i = 0, k = 0; i < scan->input_count; i++) {
        if (scan->inputs[i].role != CJ__SCAN_CARRIED)
            continue;
        CJ_TRY(add_result(c, from_inside(c, scan->inputs[i].next)));
        body->results[k++] = cj__own(c->results[c->result_count - 1]);
    }
    for (int i = 0; i < scan->output_count; i++) {
        cj_symbol *y = from_inside(c, scan->outputs[i]);
        if (!y)
            return scan->build->status;
        body->results[carried + body->stacked_count++] = cj__own(y);
    }
    for (int i = 0; i < c->result_count; i++) {
        cj_symbol *symbol = c->results[i < carried ? computed + i : i - carried];
        if (!is_stacked(body, body->stacked_count, symbol) &&
            cj__symbol_type(symbol)->shape.rank < CJ_MAX_RANK)
            body->results[carried + body->stacked_count++] = cj__own(symbol);
    }
    return CJ_OK;
}

static void take_inputs(const cj__scan *scan, cj__scan_body *body, cj_symbol **operands, int *count)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < scan->input_count; i++) {
            const cj__scan_input *input = &scan->inputs[i];
            if ((input->role == CJ__SCAN_CARRIED) != (pass == 0))
                continue;
            body->roles[body->input_count] = input->role;
            body->inputs[body->input_count++] = cj__own(input->symbol);
            for (int j = 0; j < cj__scan_operands(input->role); j++)
                operands[(*count)++] = input->operands[j];
        }
    }
}

static cj_status append_node(closing *c, cj__scan_body *body, cj_symbol **last, cj_symbol **outputs)
{
    const cj__scan *scan = c->scan;
    cj_symbol **operands = cj__new(2 * (size_t)scan->input_count, sizeof(cj_symbol *));
    cj_symbol **made = NULL;
    int count = 0;
    cj_status status = operands ? take_results(c, body) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        made = cj__new((size_t)(body->carried_count + body->stacked_count), sizeof *made);
        status = made ? CJ_OK : CJ_OUT_OF_MEMORY;
    }
    if (status == CJ_OK) {
        const cj__scan_attrs attrs = {body, scan->length, scan->reverse};
        take_inputs(scan, body, operands, &count);
        status = cj__append_many(scan->build, &cj__op_scan, &attrs, operands, count, made);
    }
    for (int k = 0; status == CJ_OK && last && k < body->carried_count; k++)
        last[k] = made[k];
    for (int i = 0; status == CJ_OK && outputs && i < scan->output_count; i++)
        outputs[i] = made[body->carried_count + i];
    cj__free(operands);
    cj__free(made);
    return status;
}

static cj_status close_body(closing *c, cj_symbol **last, cj_symbol **outputs)
{
    cj__scan *scan = c->scan;
    for (int i = 0; i < scan->input_count; i++)
        if (scan->inputs[i].role == CJ__SCAN_CARRIED && !scan->inputs[i].next)
            return cj__fail(CJ_INVALID_ARGUMENT, "scan: a state has no value after a step");
    CJ_TRY(start(c));
    mark_given(c);
    mark_needed(c);
    CJ_TRY(visit_all(c));
    for (int i = 0; i < scan->input_count + scan->output_count; i++) // captures what they need
        if (i >= scan->input_count || scan->inputs[i].next)
            from_inside(c, i < scan->input_count ? scan->inputs[i].next :
                                                   scan->outputs[i - scan->input_count]);
    CJ_TRY(scan->build->status);
    const int most = 2 * scan->carried_count + scan->output_count + c->result_count;
    cj__scan_body *body = cj__own(cj__scan_body_new(scan->input_count, most));
    if (!body)
        return CJ_OUT_OF_MEMORY;
    body->carried_count = scan->carried_count;
    const cj_status status = append_node(c, body, last, outputs);
    cj_release(body);
    return status;
}

cj_status cj__scan_end(cj__scan *scan, cj_symbol **last, cj_symbol **outputs)
{
    closing c = {.scan = scan};
    if (scan->build->status == CJ_OK)
        failed(scan->build, close_body(&c, last, outputs));
    cj__order_free(&c.order);
    cj__free(c.first);
    cj__free(c.slots);
    cj__free(c.made);
    cj__free(c.inputs);
    cj__free(c.results);
    cj__free(scan->inputs);
    cj__free(scan->outputs);
    scan->inputs = NULL;
    scan->outputs = NULL;
    scan->input_count = scan->output_count = 0;
    return scan->build->status;
}
