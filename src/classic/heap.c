// See heap.h.
#include "classic/heap.h"

void cj__heap_add(cj__neighbor *heap, int64_t size, cj__neighbor one)
{
    int64_t at = size;
    while (at > 0 && cj__nearer(heap[(at - 1) / 2], one)) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = one;
}

void cj__heap_replace(cj__neighbor *heap, int64_t size, cj__neighbor one)
{
    int64_t at = 0;
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child + 1 < size && cj__nearer(heap[child], heap[child + 1]))
            child++;
        if (child >= size || !cj__nearer(one, heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = one;
}

void cj__heap_sort(cj__neighbor *heap, int64_t size)
{
    for (int64_t left = size; left > 1; left--) {
        const cj__neighbor farthest = heap[0];
        cj__heap_replace(heap, left - 1, heap[left - 1]);
        heap[left - 1] = farthest;
    }
}
