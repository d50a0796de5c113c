// A device whose memory is not the host's, for tests: a mapping without any access rights, except
// while a run or a copy of the device is under way. Its calls are the CPU's. So whoever follows a
// pointer into its memory from host code ends the test with a segmentation fault, and bits must be
// those of the CPU.
#ifndef CJ_TESTS_TRAIN_MAPPED_H
#define CJ_TESTS_TRAIN_MAPPED_H

#include "graph/cpu.h"

typedef struct mapped mapped;

// A device of this kind with so many threads; floating.
cj__device *mapped_new(int threads);
// The same with other kernels: none in tables, so that passes cannot ask them; lists of calls are
// run as a whole; and there is no kernel for the op of that name (NULL for all).
cj__device *mapped_listing_new(int threads, const char *missing_op);

// What was done with it so far.
typedef struct mapped_counts {
    int64_t allocated, freed, copies_in, copies_out, runs, lists;
} mapped_counts;
mapped_counts mapped_counts_of(const cj__device *device);

// Fails the n-th copy from now on, counted from 1; 0 for none.
void mapped_fail_copy(cj__device *device, int n);

#endif
