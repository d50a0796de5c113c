// Which table of distances this machine gets.
#include "kernels/distances.h"

#include "base/cpu.h"

typedef struct choice {
    cj__isa isa;
    bool needs_vnni;
    const cj__distances *table;
} choice;

// From plain C to the best.
static const choice choices[] = {
    {CJ__ISA_REF, false, &cj__distances_ref},
    {CJ__ISA_BASELINE, false, &cj__distances_baseline},
#ifdef __x86_64__
    {CJ__ISA_AVX2, false, &cj__distances_avx2},
    {CJ__ISA_AVX512, false, &cj__distances_avx512},
    {CJ__ISA_AVX512, true, &cj__distances_avx512vnni},
#endif
};

const cj__distances *cj__distances_at(int index)
{
    const int count = (int)(sizeof choices / sizeof *choices);
    for (int i = 0; i < count; i++)
        if (choices[i].isa <= cj__cpu_isa() && (!choices[i].needs_vnni || cj__cpu_has_vnni()) &&
            index-- == 0)
            return choices[i].table;
    return NULL;
}

const cj__distances *cj__distances_best(void)
{
    const cj__distances *best = NULL, *next;
    for (int i = 0; (next = cj__distances_at(i)) != NULL; i++)
        best = next;
    return best;
}
