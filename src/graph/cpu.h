// The CPU: the host's processors as a device. Its memory is the host's, its kernels are those of
// the best instruction set here, and its calls run on the threads of a pool.
#ifndef CJ_GRAPH_CPU_H
#define CJ_GRAPH_CPU_H

#include "ops/device.h"

// Begins any device whose calls are run by the CPU's kernels.
typedef struct cj__cpu {
    cj__device device;
    cj_pool *pool; // held; NULL until the first plan where none was given
} cj__cpu;

extern const cj__device_kind cj__cpu_kind;

// A CPU with the threads of a pool, which it takes over; NULL for a pool of the default size, made
// for the first plan. Such a device is for plans that one thread after another makes. Floating;
// NULL without memory.
cj__device *cj__cpu_new(cj_pool *pool);

#endif
