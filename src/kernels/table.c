// The tables: plain C first, then the entries of each instruction set laid over it. All are made
// once, on first use. Compiled without the flags of any instruction set, for it runs on every
// processor, and entries are data: a function of theirs would have been compiled with those flags.
#include "kernels/tables.h"
#include "base/sync.h"
#include <string.h>

typedef void function(void);

enum { FIRST_ENTRY = offsetof(cj__kernels, unary), ENTRY_SIZE = sizeof(function *) };

_Static_assert((sizeof(cj__kernels) - FIRST_ENTRY) % ENTRY_SIZE == 0,
               "behind its first members a table has nothing but pointers to functions");

// What each instruction set lays over plain C, for float and double; NULL where this build has
// nothing for it.
static const cj__kernels *const overlays[CJ__ISA_COUNT][2] = {
    [CJ__ISA_BASELINE] = {&cj__kernels_baseline_f32, &cj__kernels_baseline_f64},
#ifdef __x86_64__
    [CJ__ISA_AVX2] = {&cj__kernels_avx2_f32, &cj__kernels_avx2_f64},
    [CJ__ISA_AVX512] = {&cj__kernels_avx512_f32, &cj__kernels_avx512_f64},
#endif
#ifdef CAJAL_HAS_AMX
    [CJ__ISA_AMX] = {&cj__kernels_avx512_f32, NULL},
#endif
};

cj__kernels cj__tables[CJ__ISA_COUNT][2];
static cj__once made;

// Copies the entries that `overlay` has. Pointers to functions are all represented alike (POSIX).
static void lay_over(cj__kernels *table, const cj__kernels *overlay)
{
    table->isa = overlay->isa;
    if (overlay->lanes)
        table->lanes = overlay->lanes;
    for (size_t at = FIRST_ENTRY; at < sizeof *table; at += ENTRY_SIZE) {
        function *entry;
        memcpy(&entry, (const char *)overlay + at, sizeof entry);
        if (entry)
            memcpy((char *)table + at, &entry, sizeof entry);
    }
}

static void make_tables(void)
{
    for (int isa = 0; isa < CJ__ISA_COUNT; isa++) {
        cj__tables[isa][0] = cj__kernels_ref_f32;
        cj__tables[isa][1] = cj__kernels_ref_f64;
        for (int i = 0; i < 2; i++)
            if (overlays[isa][i])
                lay_over(&cj__tables[isa][i], overlays[isa][i]);
    }
#ifdef __x86_64__
    if (cj__cpu_has_bf16())
        lay_over(&cj__tables[CJ__ISA_AVX512][0], &cj__kernels_avx512bf16_f32);
#endif
#ifdef CAJAL_HAS_AMX
    cj__tables[CJ__ISA_AMX][0] = cj__tables[CJ__ISA_AVX512][0];
    lay_over(&cj__tables[CJ__ISA_AMX][0], &cj__kernels_amx_f32);
#endif
}

const cj__kernels *cj__kernels_of(cj__isa isa, size_t real_size)
{
    const int which = real_size == sizeof(double);
    if (isa < CJ__ISA_REF || isa > cj__cpu_isa() || (isa != CJ__ISA_REF && !overlays[isa][which]))
        return NULL;
    cj__call_once(&made, make_tables);
    return &cj__tables[isa][which];
}

const cj__kernels *cj__kernels_for(size_t real_size)
{
    for (cj__isa isa = cj__cpu_isa(); isa > CJ__ISA_REF; isa--) {
        const cj__kernels *table = cj__kernels_of(isa, real_size);
        if (table)
            return table;
    }
    return cj__kernels_of(CJ__ISA_REF, real_size);
}
