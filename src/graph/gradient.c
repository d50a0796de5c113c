// Reverse-mode differentiation as a transformation of the graph.
//
// The nodes that y needs are put in order. Those on a path from some x are marked. Then, from y
// backwards, each marked node turns the gradients of its outputs into gradients of its inputs.
// Where a symbol has several readers their gradients are added in the order of the visit, which
// depends on the graph alone, so the bits of the sums do too.
//
// A variable is one value however many symbols read it. An x that reads a variable therefore stands
// for every node of the graph that reads it, and all of them add to one gradient.
#include "graph/graph.h"
#include "graph/order.h"
#include "graph/scan.h"

#include "base/memory.h"

// One differentiation under way. `slots` has an entry for each output of each node; first[place] is
// the first entry of a node. Nodes that read one variable have one entry, that of the first of them.
typedef struct pass {
    cj__build *build;
    cj__order order;
    size_t *first;
    bool *depends; // by place: whether the node is some x, or is computed from one
    bool *passes;  // by place: whether gradients go on to its inputs
    cj_symbol **slots;
    // scratch, as many as the widest node has inputs: the gradients by them, and which are wanted
    cj_symbol **input_grads;
    bool *wanted;
} pass;

static bool is_real(cj_dtype dtype)
{
    return dtype == CJ_F32 || dtype == CJ_F64;
}

static cj_status check(const cj_symbol *y, cj_symbol *const *xs, int count)
{
    if (!y)
        return cj__fail_missing(CJ__MADE_SYMBOL, "gradients: the scalar");
    const cj__type *type = cj__symbol_type(y);
    char text[128];
    if (!is_real(type->dtype) || type->shape.rank != 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "gradients: need the derivatives of a real scalar, not of a %s of shape %s",
                        cj_dtype_name(type->dtype), cj_shape_text(&type->shape, text, sizeof text));
    for (int i = 0; i < count; i++) {
        if (!xs[i])
            return cj__fail_missing(CJ__MADE_SYMBOL, "gradients: one of the symbols");
        if (!is_real(cj__symbol_type(xs[i])->dtype))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "gradients: symbol %d is of dtype %s; only reals have derivatives", i,
                            cj_dtype_name(cj__symbol_type(xs[i])->dtype));
    }
    return CJ_OK;
}

static cj_status start(pass *p, cj_symbol *const *ys, int y_count)
{
    for (int i = 0; i < y_count; i++)
        CJ_TRY(cj__order_add(&p->order, ys[i]->node));
    size_t count = p->order.count, slots = 0;
    int widest = 0;
    p->first = cj__new(count, sizeof *p->first);
    p->depends = cj__new(count, sizeof *p->depends);
    p->passes = cj__new(count, sizeof *p->passes);
    if (!p->first || !p->depends || !p->passes)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const cj__node *node = p->order.nodes[i];
        p->first[i] = slots;
        slots += (size_t)node->output_count;
        widest = node->input_count > widest ? node->input_count : widest;
    }
    p->slots = cj__new(slots, sizeof *p->slots);
    p->input_grads = cj__new((size_t)widest, sizeof *p->input_grads);
    p->wanted = cj__new((size_t)widest, sizeof *p->wanted);
    return !p->slots || !p->input_grads || !p->wanted ? CJ_OUT_OF_MEMORY : CJ_OK;
}

// Adds to the gradient by a symbol of the order.
static void add_to(pass *p, const cj_symbol *symbol, cj_symbol *gradient)
{
    const size_t place = cj__order_place(&p->order, symbol->node);
    cj_symbol **slot = &p->slots[p->first[place] + (size_t)symbol->index];
    *slot = !*slot ? gradient : cj__add(p->build, *slot, gradient);
}

// Marks every node that reads `variable` and gives all of them the entry of the first.
static void mark_reads(pass *p, const cj_variable *variable)
{
    size_t entry = SIZE_MAX;
    for (size_t i = 0; i < p->order.count; i++) {
        if (p->order.nodes[i]->variable != variable)
            continue;
        entry = entry == SIZE_MAX ? p->first[i] : entry;
        p->first[i] = entry;
        p->depends[i] = true;
    }
}

// Marks the nodes on a path from some x to y.
static cj_status mark(pass *p, cj_symbol *const *xs, int count)
{
    for (int i = 0; i < count; i++) {
        size_t place = cj__order_place(&p->order, xs[i]->node);
        if (xs[i]->node->variable)
            mark_reads(p, xs[i]->node->variable);
        else if (place != SIZE_MAX)
            p->depends[place] = true;
    }
    for (size_t i = 0; i < p->order.count; i++) {
        const cj__node *node = p->order.nodes[i];
        if (node->op->flags & (CJ__OP_LEAF | CJ__OP_NO_GRADIENT))
            continue;
        for (int k = 0; k < node->input_count && !p->passes[i]; k++) {
            p->passes[i] = p->depends[cj__order_place(&p->order, node->inputs[k]->node)] &&
                           is_real(cj__symbol_type(node->inputs[k])->dtype);
        }
        if (p->passes[i] && !node->op->gradient && !(node->op->flags & CJ__OP_LOOP))
            return cj__fail(CJ_UNSUPPORTED, "gradients: op %s has no derivative", node->op->name);
        p->depends[i] = p->depends[i] || p->passes[i];
    }
    return CJ_OK;
}

// Passes the gradients of a node's outputs on to its inputs.
static void go_back(pass *p, size_t place)
{
    const cj__node *node = p->order.nodes[place];
    cj_symbol **grads = &p->slots[p->first[place]];
    bool any = false;
    for (int k = 0; k < node->output_count; k++)
        any = any || grads[k];
    if (!any)
        return;
    for (int k = 0; k < node->input_count; k++) {
        p->input_grads[k] = NULL;
        p->wanted[k] = p->depends[cj__order_place(&p->order, node->inputs[k]->node)];
    }
    if (node->op->flags & CJ__OP_LOOP)
        cj__scan_gradient(p->build, node, p->wanted, grads, p->input_grads);
    else
        node->op->gradient(p->build, node, grads, p->input_grads);
    for (int k = 0; k < node->input_count; k++)
        if (p->input_grads[k] && p->wanted[k])
            add_to(p, node->inputs[k], p->input_grads[k]);
}

// A node of y's graph that has the value of x: x's own, or for a variable any that reads it;
// SIZE_MAX if there is none.
static size_t place_of(const pass *p, const cj_symbol *x)
{
    if (!x->node->variable)
        return cj__order_place(&p->order, x->node);
    for (size_t i = 0; i < p->order.count; i++)
        if (p->order.nodes[i]->variable == x->node->variable)
            return i;
    return SIZE_MAX;
}

// The gradient by x, or NULL.
static cj_symbol *result(pass *p, const cj_symbol *x)
{
    const size_t place = place_of(p, x);
    return place == SIZE_MAX ? NULL : p->slots[p->first[place] + (size_t)x->index];
}

cj_status cj__gradients_from(cj__build *build, cj_symbol *const *ys, cj_symbol *const *seeds,
                             int y_count, cj_symbol *const *xs, int count, cj_symbol **gradients)
{
    pass p = {.build = build};
    cj_status status = build->status;
    if (status == CJ_OK)
        status = start(&p, ys, y_count);
    if (status == CJ_OK)
        status = mark(&p, xs, count);
    if (status != CJ_OK)
        goto fail;
    for (int i = 0; i < y_count; i++)
        add_to(&p, ys[i], seeds[i]);
    for (size_t i = p.order.count; i-- > 0 && build->status == CJ_OK;) {
        if (p.passes[i])
            go_back(&p, i);
    }
    for (int i = 0; i < count; i++)
        gradients[i] = result(&p, xs[i]);
    status = build->status;
fail:
    cj__order_free(&p.order);
    cj__free(p.first);
    cj__free(p.depends);
    cj__free(p.passes);
    cj__free(p.slots);
    cj__free(p.input_grads);
    cj__free(p.wanted);
    if (status != CJ_OK && build->status == CJ_OK)
        build->status = status;
    return status;
}

cj_status cj__gradients(cj__build *build, cj_symbol *y, cj_symbol *const *xs, int count,
                        cj_symbol **gradients)
{
    if (build->status != CJ_OK)
        return build->status;
    const cj_status status = check(y, xs, count);
    if (status != CJ_OK)
        return build->status = status;
    cj_symbol *one = cj__scalar_like(build, y, 1);
    CJ_TRY(cj__gradients_from(build, &y, &one, 1, xs, count, gradients));
    // Where none passes they are zeros of x's shape: a scalar zero that is broadcast in each call,
    // since x may have the free axis.
    for (int i = 0; i < count; i++)
        if (!gradients[i])
            gradients[i] = cj__broadcast_like(build, cj__scalar_like(build, xs[i], 0), xs[i]);
    return build->status;
}

// A new symbol for the same value, which belongs to the caller alone. Two gradients may be one
// symbol, or one that the caller already has (the gradient of x w by x is w), and a floating symbol
// can be taken over only once.
static cj_symbol *hand_out(const cj_symbol *symbol)
{
    cj_symbol *copy = cj__object_new(&cj__symbol_class, sizeof *copy);
    if (!copy)
        return NULL;
    copy->node = cj__own(symbol->node);
    copy->index = symbol->index;
    return copy;
}

cj_status cj_gradients(cj_symbol *y, cj_symbol *const *xs, int count, cj_symbol **gradients)
{
    if (count < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_gradients: %d symbols", count);
    if (!y || (count > 0 && (!xs || !gradients)))
        return y ? cj__fail_null(xs ? "cj_gradients: the place for the gradients" :
                                      "cj_gradients: the array of symbols") :
                   cj__fail_missing(CJ__MADE_SYMBOL, "cj_gradients: the scalar");
    const uint64_t begin = cj__causes_begin();
    cj__build build = {0};
    int made = 0;
    cj_status status = cj__gradients(&build, y, xs, count, gradients);
    while (status == CJ_OK && made < count) {
        gradients[made] = hand_out(gradients[made]);
        if (!gradients[made])
            status = CJ_OUT_OF_MEMORY;
        else
            made++;
    }
    cj_status ended = cj__build_end(&build);
    if (status == CJ_OK)
        status = ended;
    for (int i = 0; status != CJ_OK && i < count; i++) {
        if (i < made)
            cj_release(gradients[i]);
        gradients[i] = NULL;
    }
    return cj__causes_end(begin, status);
}
