// What the processor can do, found once at run time, lowered by CAJAL_ISA (ref, baseline, avx2, avx512).
#ifndef CJ_BASE_CPU_H
#define CJ_BASE_CPU_H

typedef enum cj__isa { CJ__ISA_REF, CJ__ISA_BASELINE, CJ__ISA_AVX2, CJ__ISA_AVX512 } cj__isa;

cj__isa cj__cpu_isa(void);          // the best that this CPU, OS and CAJAL_ISA allow
const char *cj__isa_name(cj__isa isa);
int cj__cpu_count(void);            // CAJAL_NUM_THREADS, else affinity and cgroup quota; at least 1

#endif
