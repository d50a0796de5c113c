// Failing with a sentence. A failure is recorded once, where it is found; callers pass the status
// on. Nested builders keep the first sentence: whoever receives a NULL from another builder returns
// NULL without recording anything.
#ifndef CJ_BASE_ERROR_H
#define CJ_BASE_ERROR_H

#include <cajal/base.h>

// Records the sentence for this thread and returns `status`. Names the object first: "conv2d_1:
// kernel 5x5 does not ...".
cj_status cj__fail(cj_status status, const char *format, ...) CJ_PRINTF(2, 3);

// The same for a failed allocation of `size` bytes for `what`. Always returns CJ_OUT_OF_MEMORY;
// allocates nothing.
cj_status cj__fail_memory(size_t size, const char *what);

// Puts "prefix: " before the sentence that is recorded; for context that only a caller knows.
// Returns `status`.
cj_status cj__fail_in(cj_status status, const char *format, ...) CJ_PRINTF(2, 3);

#endif
