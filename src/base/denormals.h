// Denormal numbers: those too small for a full mantissa, below 2^-126 in float and 2^-1022 in
// double.
//
// Many processors compute with them a hundred times more slowly than with others, by microcode, and
// training makes them: the mean gradient of a weight that no longer learns shrinks by a factor at
// each step, and stays at the smallest denormal for ever. So kernels run by a plan or on a pool take
// them as 0 and give 0 for them (FTZ and DAZ of x86-64, FZ of AArch64; other processors go on as
// they are), in all threads alike. CAJAL_DENORMALS=keep leaves everything as it is.
#ifndef CJ_BASE_DENORMALS_H
#define CJ_BASE_DENORMALS_H

#include <stdint.h>

// Takes denormals as 0 in the calling thread from now on. Returns what to give to
// cj__restore_denormals(), in the same thread, so that the caller's own arithmetic is as before.
uint64_t cj__flush_denormals(void);
void cj__restore_denormals(uint64_t before);

#endif
