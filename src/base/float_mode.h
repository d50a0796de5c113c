// How kernels compute: round to nearest, trap nothing, take denormal numbers as 0.
//
// The mode belongs to the thread, and a program may have set another one, before or after a pool was
// made. Whatever a plan or a pool runs is computed in the mode given here, on the calling thread as
// on the workers, so that bits do not depend on the program's; the calling thread's own mode is
// restored afterwards.
//
// Denormal numbers are those too small for a full mantissa, below 2^-126 in float and 2^-1022 in
// double. Many processors compute with them a hundred times more slowly than with others, by
// microcode, and training makes them: the mean gradient of a weight that no longer learns shrinks
// by a factor at each step, and stays at the least denormal for ever. So kernels take them as 0 and
// give 0 for them (FTZ and DAZ of x86-64, FZ of AArch64; other processors compute with them).
// CAJAL_DENORMALS=keep leaves them alone.
#ifndef CJ_BASE_FLOAT_MODE_H
#define CJ_BASE_FLOAT_MODE_H

#include <stdint.h>

// Sets the kernels' mode for the calling thread. Returns what to give to cj__restore_float_mode(),
// in the same thread.
uint64_t cj__set_float_mode(void);
void cj__restore_float_mode(uint64_t before);

#endif
