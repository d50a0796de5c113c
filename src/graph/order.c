// Topological order without recursion, with a hash table from a node to its place in the order.
#include "graph/order.h"

#include "base/memory.h"

enum { FIRST_SLOTS = 64 };
static const size_t pending = SIZE_MAX; // on the stack

// A node that is being visited: its inputs before `next` are done.
typedef struct frame {
    cj__node *node;
    int next;
} frame;

typedef struct stack {
    frame *frames;
    size_t count, capacity;
} stack;

static struct cj__order_slot *find_slot(struct cj__order_slot *slots, size_t count,
                                        const cj__node *node)
{
    uint64_t hash = (uint64_t)(uintptr_t)node * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(hash >> 20) & (count - 1);
    while (slots[i].node && slots[i].node != node)
        i = (i + 1) & (count - 1);
    return &slots[i];
}

// Keeps the table at most half full.
static cj_status grow(cj__order *order)
{
    if (2 * (order->used + 1) <= order->slot_count)
        return CJ_OK;
    size_t count = order->slot_count == 0 ? FIRST_SLOTS : 2 * order->slot_count;
    struct cj__order_slot *slots = cj__new(count, sizeof *slots);
    if (!slots)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < order->slot_count; i++) {
        if (order->slots[i].node)
            *find_slot(slots, count, order->slots[i].node) = order->slots[i];
    }
    cj__free(order->slots);
    order->slots = slots;
    order->slot_count = count;
    return CJ_OK;
}

// Begins the visit of a node, unless it has begun before.
static cj_status enter(cj__order *order, stack *visit, cj__node *node)
{
    CJ_TRY(grow(order));
    struct cj__order_slot *slot = find_slot(order->slots, order->slot_count, node);
    if (slot->node)
        return CJ_OK;
    if (!cj__reserve((void **)&visit->frames, &visit->capacity, visit->count + 1,
                     sizeof *visit->frames))
        return CJ_OUT_OF_MEMORY;
    slot->node = node;
    slot->place = pending;
    order->used++;
    visit->frames[visit->count++] = (frame){.node = node};
    return CJ_OK;
}

static cj_status leave(cj__order *order, stack *visit)
{
    cj__node *node = visit->frames[visit->count - 1].node;
    if (!cj__reserve((void **)&order->nodes, &order->capacity, order->count + 1,
                     sizeof *order->nodes))
        return CJ_OUT_OF_MEMORY;
    find_slot(order->slots, order->slot_count, node)->place = order->count;
    order->nodes[order->count++] = node;
    visit->count--;
    return CJ_OK;
}

cj_status cj__order_add(cj__order *order, cj__node *root)
{
    stack visit = {0};
    cj_status status = enter(order, &visit, root);
    while (status == CJ_OK && visit.count > 0) {
        frame *top = &visit.frames[visit.count - 1];
        if (top->next < top->node->input_count) {
            cj__node *input = top->node->inputs[top->next++]->node;
            status = enter(order, &visit, input);
        } else {
            status = leave(order, &visit);
        }
    }
    cj__free(visit.frames);
    return status;
}

size_t cj__order_place(const cj__order *order, const cj__node *node)
{
    if (order->slot_count == 0)
        return SIZE_MAX;
    const struct cj__order_slot *slot = find_slot(order->slots, order->slot_count, node);
    return !slot->node ? SIZE_MAX : slot->place;
}

void cj__order_free(cj__order *order)
{
    cj__free(order->nodes);
    cj__free(order->slots);
    *order = (cj__order){0};
}
