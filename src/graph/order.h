// The nodes that a set of symbols needs, in an order in which inputs come before users, and each
// node's place in it. Found by depth-first search with a stack of its own: an unrolled sequence may
// be 100000 nodes deep.
#ifndef CJ_GRAPH_ORDER_H
#define CJ_GRAPH_ORDER_H

#include "ops/symbol.h"

typedef struct cj__order {
    cj__node **nodes; // not held: the roots keep them alive
    size_t count, capacity;
    // Open addressing, by the node's address: its place in `nodes`, or PENDING while it is on the
    // stack.
    struct cj__order_slot {
        const cj__node *node;
        size_t place;
    } * slots;
    size_t slot_count; // a power of two
    size_t used;
} cj__order; // starts as {0}

// Adds everything that `root` needs. The order depends on the graph and the order of the roots
// alone, never on addresses.
cj_status cj__order_add(cj__order *order, cj__node *root);

// The place of a node; SIZE_MAX if it was not reached.
size_t cj__order_place(const cj__order *order, const cj__node *node);

void cj__order_free(cj__order *order);

#endif
