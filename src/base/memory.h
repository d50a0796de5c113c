// Checked allocation. Every block of the library comes from here, so that a test can fail the n-th
// request. Sizes are given as count and element size and are multiplied with a check. A failure has
// recorded its sentence.
#ifndef CJ_BASE_MEMORY_H
#define CJ_BASE_MEMORY_H

#include <cajal/base.h>

// The hook of this thread, for a thread that it starts and that allocates; {NULL, NULL} is malloc.
cj_memory_hook cj__memory_hook(void);

// zeroed; NULL on failure; count 0 gives a valid block
void *cj__new(size_t count, size_t size);
void *cj__resize(void *block, size_t count, size_t size); // keeps the old block on failure
char *cj__copy_text(const char *text);                    // NULL stays NULL (not a failure)
void *cj__copy_bytes(const void *bytes, size_t size);
void cj__free(void *block); // NULL is fine

// Bytes in whole lines of the cache, 64 bytes each.
static inline size_t cj__align_up_64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

// Blocks aligned to 64 bytes, zeroed; `huge` asks for huge pages and faults everything in now. Free
// with cj__free_aligned.
void *cj__new_aligned(size_t size, int huge);
void cj__free_aligned(void *block, size_t size);

// Grows *items to hold at least `needed` of `size` bytes each, doubling. 0 on failure.
int cj__reserve(void **items, size_t *capacity, size_t needed, size_t size);

#endif
