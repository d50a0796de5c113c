// Placing buffers by lifetime: largest first, each in the smallest gap between the buffers already
// placed whose lifetimes overlap its own. This is the "greedy by size" rule (Pisarchyk and Lee 2020, "Efficient
// Memory Management for Deep Neural Net Inference").
#include "base/memory.h"
#include "graph/plan.h"

#include <stdlib.h>

// Large buffers are as a rule multiples of a page long. Side by side, all would begin at one place of
// a page: a load of one then waits for a store to another a few lines before, and their lines
// crowd one set of the cache. 17 lines between them spread them.
static size_t room_of(size_t bytes)
{
    const size_t large = 32 << 10, apart = 17 * 64;
    return cj__align_up_64(bytes) + (bytes >= large ? apart : 0);
}

typedef struct candidate {
    size_t bytes;
    int value;
} candidate;

static int larger_first(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

// The lowest offset of the tightest gap for `buffer` among `placed`, which are sorted by offset.
static size_t find_gap(const cj__buffer *buffers, const int *placed, int count,
                       const cj__buffer *buffer)
{
    size_t end = 0, best = SIZE_MAX, best_room = SIZE_MAX, bytes = room_of(buffer->bytes);
    for (int i = 0; i < count; i++) {
        const cj__buffer *other = &buffers[placed[i]];
        if (other->end < buffer->begin || other->begin > buffer->end)
            continue;
        if (other->offset >= end + bytes && other->offset - end < best_room) {
            best = end;
            best_room = other->offset - end;
        }
        size_t other_end = other->offset + room_of(other->bytes);
        end = other_end > end ? other_end : end;
    }
    return best != SIZE_MAX ? best : end;
}

cj_status cj__place_buffers(cj__plan *plan, size_t *size)
{
    int values = plan->program.value_count, count = 0;
    candidate *candidates = cj__new((size_t)values, sizeof *candidates);
    int *placed = cj__new((size_t)values, sizeof *placed);
    if (!candidates || !placed) {
        cj__free(candidates);
        cj__free(placed);
        return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < values; i++) {
        if (plan->buffers[i].home == CJ__HOME_ARENA)
            candidates[count++] = (candidate){plan->buffers[i].bytes, i};
    }
    qsort(candidates, (size_t)count, sizeof *candidates, larger_first);
    *size = 0;
    for (int i = 0; i < count; i++) {
        cj__buffer *buffer = &plan->buffers[candidates[i].value];
        buffer->offset = find_gap(plan->buffers, placed, i, buffer);
        int at = i;
        while (at > 0 && plan->buffers[placed[at - 1]].offset > buffer->offset) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = candidates[i].value;
        size_t end = buffer->offset + room_of(buffer->bytes);
        *size = end > *size ? end : *size;
    }
    cj__free(candidates);
    cj__free(placed);
    return CJ_OK;
}
