// Allocation through the thread's hook. Aligned blocks go through it as well: they are asked for
// with room to spare, and the word before the first byte remembers what to give back.
#define _DEFAULT_SOURCE
#include "base/memory.h"
#include "base/error.h"
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 // since Linux 6.1; older ones refuse it
#endif
#endif

enum { ALIGNMENT = 64, PAGE = 4096, HUGE_PAGE = 2 << 20 };

static _Thread_local cj_memory_hook current;

void cj_set_memory_hook(const cj_memory_hook *hook)
{
    current = hook ? *hook : (cj_memory_hook){NULL, NULL};
}

cj_memory_hook cj__memory_hook(void)
{
    return current;
}

static bool product(size_t a, size_t b, size_t *result)
{
    if (b && a > SIZE_MAX / b)
        return false;
    *result = a * b;
    return true;
}

// A new block of at least one byte, zeroed. calloc knows which memory is already zero, so it is
// used unless there is a hook.
static void *fresh(size_t size)
{
    if (!current.resize)
        return calloc(1, size);
    void *block = current.resize(current.context, NULL, size);
    return block ? memset(block, 0, size) : NULL;
}

void *cj__new(size_t count, size_t size)
{
    size_t bytes;
    if (!product(count, size, &bytes)) {
        cj__fail_memory(SIZE_MAX, "allocation");
        return NULL;
    }
    void *block = fresh(bytes ? bytes : 1);
    if (!block)
        cj__fail_memory(bytes, "allocation");
    return block;
}

void *cj__resize(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!product(count, size, &bytes)) {
        cj__fail_memory(SIZE_MAX, "allocation");
        return NULL;
    }
    const size_t wanted = bytes ? bytes : 1;
    void *resized =
        current.resize ? current.resize(current.context, block, wanted) : realloc(block, wanted);
    if (!resized)
        cj__fail_memory(bytes, "allocation");
    return resized;
}

void cj__free(void *block)
{
    if (!block)
        return;
    if (current.resize)
        current.resize(current.context, block, 0);
    else
        free(block);
}

void cj_free(void *block)
{
    cj__free(block);
}

void *cj__copy_bytes(const void *bytes, size_t size)
{
    void *copy = cj__new(size, 1);
    if (copy && size)
        memcpy(copy, bytes, size);
    return copy;
}

char *cj__copy_text(const char *text)
{
    return text ? cj__copy_bytes(text, strlen(text) + 1) : NULL;
}

// Asks for huge pages and touches each small one, so that no page fault is left for the first use.
// A system that gives no huge page at a page fault may still collapse small pages into one, once
// they exist.
static void fault_in(char *begin, size_t size)
{
#if defined(MADV_HUGEPAGE)
    // Advice: where it is refused, small pages serve as well.
    const size_t whole = size / HUGE_PAGE * HUGE_PAGE;
    (void)madvise(begin, whole, MADV_HUGEPAGE);
    for (size_t at = 0; at < whole; at += HUGE_PAGE)
        ((volatile char *)begin)[at] = 0;
    (void)madvise(begin, whole, MADV_COLLAPSE);
#endif
    for (size_t at = 0; at < size; at += PAGE)
        ((volatile char *)begin)[at] = 0;
}

void *cj__new_aligned(size_t size, int huge)
{
    const bool large = huge && size >= HUGE_PAGE;
    const size_t alignment = large ? HUGE_PAGE : ALIGNMENT;
    const size_t spare = alignment + sizeof(void *);
    if (size > SIZE_MAX - spare) {
        cj__fail_memory(SIZE_MAX, "allocation");
        return NULL;
    }
    char *block = fresh(size + spare);
    if (!block) {
        cj__fail_memory(size, "allocation");
        return NULL;
    }
    const uintptr_t first = (uintptr_t)block + sizeof(void *);
    char *aligned = block + sizeof(void *) + (alignment - first % alignment) % alignment;
    memcpy(aligned - sizeof(void *), &block, sizeof block);
    if (large)
        fault_in(aligned, size);
    return aligned;
}

void cj__free_aligned(void *block, size_t size)
{
    (void)size;
    if (!block)
        return;
    void *whole;
    memcpy(&whole, (char *)block - sizeof(void *), sizeof whole);
    cj__free(whole);
}

int cj__reserve(void **items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return 1;
    size_t grown = *capacity > SIZE_MAX / 2 ? needed : *capacity * 2;
    if (grown < needed)
        grown = needed;
    if (grown < 8)
        grown = 8;
    void *resized = cj__resize(*items, grown, size);
    if (!resized)
        return 0;
    *items = resized;
    *capacity = grown;
    return 1;
}
