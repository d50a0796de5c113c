// The control register of the thread: MXCSR of x86-64, FPCR of AArch64.
#include "base/denormals.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { FLUSH = 1 << 15 | 1 << 6 }; // flush to zero, denormals are zeros

static uint64_t get_mode(void)
{
    return _mm_getcsr();
}

static void set_mode(uint64_t mode)
{
    _mm_setcsr((unsigned)mode);
}
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24 };

static uint64_t get_mode(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}

static void set_mode(uint64_t mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
#else
enum { FLUSH = 0 };

static uint64_t get_mode(void)
{
    return 0;
}

static void set_mode(uint64_t mode)
{
    (void)mode;
}
#endif

static bool are_kept(void)
{
    static atomic_int known = -1; // every thread would find the same, so a race is harmless
    int kept = atomic_load_explicit(&known, memory_order_relaxed);
    if (kept < 0) {
        const char *wanted = getenv("CAJAL_DENORMALS");
        kept = wanted && strcmp(wanted, "keep") == 0;
        atomic_store_explicit(&known, kept, memory_order_relaxed);
    }
    return kept;
}

// Writing the register costs more than reading it.
uint64_t cj__flush_denormals(void)
{
    const uint64_t before = get_mode();
    if ((before & FLUSH) != FLUSH && !are_kept())
        set_mode(before | FLUSH);
    return before;
}

// Of the register only what was changed: exceptions that were raised meanwhile stay raised.
void cj__restore_denormals(uint64_t before)
{
    const uint64_t now = get_mode();
    if ((now & FLUSH) != (before & FLUSH))
        set_mode((now & ~(uint64_t)FLUSH) | (before & FLUSH));
}
