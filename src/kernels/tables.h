// Where the parts of a table come from: each function fills in, over what the table has, the
// entries that its instruction set does better. They are all that the files of an instruction set
// export.
#ifndef CJ_KERNELS_TABLES_H
#define CJ_KERNELS_TABLES_H

#include "kernels/kernels.h"

void cj__kernels_ref_f32(cj__kernels *table);
void cj__kernels_ref_f64(cj__kernels *table);
void cj__kernels_baseline_f32(cj__kernels *table);
void cj__kernels_baseline_f64(cj__kernels *table);
#ifdef __x86_64__
void cj__kernels_avx2_f32(cj__kernels *table);
void cj__kernels_avx2_f64(cj__kernels *table);
void cj__kernels_avx512_f32(cj__kernels *table);
void cj__kernels_avx512_f64(cj__kernels *table);
void cj__kernels_avx512bf16_f32(cj__kernels *table); // over avx512's, where cj__cpu_has_bf16()
#endif
#ifdef CAJAL_HAS_AMX
void cj__kernels_amx_f32(cj__kernels *table); // over both
#endif

#endif
