// Where tables come from. Each file of an instruction set exports one constant: the entries that
// the set does better, NULL elsewhere. table.c, compiled without the flags of any set, lays them
// over plain C's entries.
#ifndef CJ_KERNELS_TABLES_H
#define CJ_KERNELS_TABLES_H

#include "kernels/kernels.h"

enum { CJ__ISA_COUNT = CJ__ISA_AMX + 1 };

// The complete tables, for float [0] and double [1]: what kernels use that end in another kernel of
// their table. Made before any kernel can be called (table.c).
extern cj__kernels cj__tables[CJ__ISA_COUNT][2];

extern const cj__kernels cj__kernels_ref_f32;
extern const cj__kernels cj__kernels_ref_f64;
extern const cj__kernels cj__kernels_baseline_f32;
extern const cj__kernels cj__kernels_baseline_f64;
#ifdef __x86_64__
extern const cj__kernels cj__kernels_avx2_f32;
extern const cj__kernels cj__kernels_avx2_f64;
extern const cj__kernels cj__kernels_avx512_f32;
extern const cj__kernels cj__kernels_avx512_f64;
extern const cj__kernels cj__kernels_avx512bf16_f32; // over avx512's, where cj__cpu_has_bf16()
#endif
#ifdef CAJAL_HAS_AMX
extern const cj__kernels cj__kernels_amx_f32; // over both
#endif

#endif
