// The k nearest neighbours found so far: a binary heap with the farthest at its root. A nearer
// neighbour replaces the root.
#ifndef CJ_CLASSIC_HEAP_H
#define CJ_CLASSIC_HEAP_H

#include <stdbool.h>
#include <stdint.h>

// A neighbour of a query.
typedef struct cj__neighbor {
    double distance;
    int64_t index; // of the sample
} cj__neighbor;

// The order of neighbours: by distance, then by index. Indices differ, so the order is total.
static inline bool cj__nearer(cj__neighbor a, cj__neighbor b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
}

// Adds to a heap of `size`; the array has room for one more.
void cj__heap_add(cj__neighbor *heap, int64_t size, cj__neighbor one);
// Replaces the farthest of a heap of `size` >= 1.
void cj__heap_replace(cj__neighbor *heap, int64_t size, cj__neighbor one);
// Turns a heap into a list, nearest first.
void cj__heap_sort(cj__neighbor *heap, int64_t size);

#endif
