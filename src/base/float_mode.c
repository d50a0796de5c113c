// The control register of the thread: MXCSR of x86-64, FPCR of AArch64; elsewhere C's rounding mode.
#include "base/float_mode.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// Bits of the register: denormals count as 0; the mode of rounding, 0 for nearest; and exceptions
// that trap, which MXCSR masks by ones and FPCR enables by ones.
#if defined(__x86_64__)
#include <xmmintrin.h>

enum { FLUSH = 1 << 15 | 1 << 6, ROUNDING = 3 << 13, TRAPS = 0x3f << 7, TRAPS_OFF = TRAPS };

static uint64_t get_mode(void)
{
    return _mm_getcsr();
}

static void set_mode(uint64_t mode)
{
    _mm_setcsr((unsigned)mode);
}
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24, ROUNDING = 3 << 22, TRAPS = 0x9f << 8, TRAPS_OFF = 0 };

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
#include <fenv.h>

enum { FLUSH = 0, ROUNDING = -1, TRAPS = 0, TRAPS_OFF = 0 };

_Static_assert(FE_TONEAREST == 0, "the mode of a kernel is 0");

static uint64_t get_mode(void)
{
    return (uint64_t)fegetround();
}

static void set_mode(uint64_t mode)
{
    (void)fesetround((int)mode);
}
#endif

static const uint64_t CONTROL = (uint64_t)FLUSH | (uint64_t)ROUNDING | (uint64_t)TRAPS;

static bool are_denormals_kept(void)
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
uint64_t cj__set_float_mode(void)
{
    const uint64_t before = get_mode();
    const uint64_t flush = are_denormals_kept() ? before & FLUSH : FLUSH;
    const uint64_t wanted = (before & ~CONTROL) | flush | TRAPS_OFF;
    if (wanted != before)
        set_mode(wanted);
    return before;
}

// Of the register only what was changed: exceptions that were raised meanwhile stay raised.
void cj__restore_float_mode(uint64_t before)
{
    const uint64_t now = get_mode(), wanted = (now & ~CONTROL) | (before & CONTROL);
    if (wanted != now)
        set_mode(wanted);
}
