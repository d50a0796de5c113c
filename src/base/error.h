// Failing with a sentence. A failure is recorded once, where it is found; callers pass the status
// on. Builders (functions that return a pointer, NULL on failure) may be nested: the cause that a
// failed builder left stays recorded while its NULL is passed on from function to function.
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

// What a function returns that was given NULL where an object, a string or an output is due. If a
// builder of this thread failed last, the NULL is taken to be its result: its sentence stays and
// its status is returned. Else records "<what> is NULL" and returns CJ_INVALID_ARGUMENT. `what`
// names the argument: "the model", "the name of the file".
cj_status cj__fail_null(const char *what);

// The same for a function of that name, or an object: "<who>: <what> is NULL".
cj_status cj__fail_null_of(const char *who, const char *what);

// How a builder leaves on failure: marks the recorded cause as a builder's, for cj__fail_null(),
// and returns NULL. A builder that was itself given NULL calls cj__fail_null() before.
void *cj__build_failed(void);

// A number, never 0, that changes whenever this thread's sentence is recorded, read or forgotten.
// A function with an optional object, where NULL is also the default, tells by it the NULL of a
// builder that failed in its arguments from the default: the builder keeps the number when it
// fails, and nothing has happened to the sentence since.
uint64_t cj__error_moment(void);

// For a function that no argument list calls: what failed before is no failure of a later call's
// arguments.
void cj__error_pass(void);

#endif
