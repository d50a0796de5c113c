// The tables: plain C first, then the entries of each instruction set laid over it. All are made
// once, on first use.
#include "kernels/tables.h"
#include "base/sync.h"

enum { ISA_COUNT = CJ__ISA_AMX + 1 };

typedef void overlay(cj__kernels *table);

// What each instruction set lays over plain C, for float and double; NULL where this build has
// nothing for it.
static overlay *const overlays[ISA_COUNT][2] = {
    [CJ__ISA_BASELINE] = {cj__kernels_baseline_f32, cj__kernels_baseline_f64},
#ifdef __x86_64__
    [CJ__ISA_AVX2] = {cj__kernels_avx2_f32, cj__kernels_avx2_f64},
    [CJ__ISA_AVX512] = {cj__kernels_avx512_f32, cj__kernels_avx512_f64},
#endif
#ifdef CAJAL_HAS_AMX
    [CJ__ISA_AMX] = {cj__kernels_avx512_f32, NULL},
#endif
};

static cj__kernels tables[ISA_COUNT][2];
static cj__once made;

static void make_tables(void)
{
    for (int isa = 0; isa < ISA_COUNT; isa++) {
        cj__kernels_ref_f32(&tables[isa][0]);
        cj__kernels_ref_f64(&tables[isa][1]);
        for (int i = 0; i < 2; i++)
            if (overlays[isa][i])
                overlays[isa][i](&tables[isa][i]);
    }
#ifdef __x86_64__
    for (int isa = CJ__ISA_AVX512; isa < ISA_COUNT && cj__cpu_has_bf16(); isa++)
        if (overlays[isa][0])
            cj__kernels_avx512bf16_f32(&tables[isa][0]);
#endif
#ifdef CAJAL_HAS_AMX
    if (cj__cpu_isa() == CJ__ISA_AMX)
        cj__kernels_amx_f32(&tables[CJ__ISA_AMX][0]);
#endif
}

const cj__kernels *cj__kernels_of(cj__isa isa, size_t real_size)
{
    const int which = real_size == sizeof(double);
    if (isa < CJ__ISA_REF || isa > cj__cpu_isa() || (isa != CJ__ISA_REF && !overlays[isa][which]))
        return NULL;
    cj__call_once(&made, make_tables);
    return &tables[isa][which];
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
