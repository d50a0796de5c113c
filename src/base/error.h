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

// Forgets the sentence, but not why builders failed: for a function that gets over a failure of its
// own, while its caller may hold NULLs.
void cj__error_forget(void);

// The status that a function of the user's returned; CJ_INVALID_ARGUMENT with a sentence if it is
// none. `what` names the function: "cj_fit: a callback".
cj_status cj__returned(cj_status status, const char *what);

// What builders make.
typedef enum cj__made {
    CJ__MADE_LAYER = 1 << 0,
    CJ__MADE_MODEL = 1 << 1,
    CJ__MADE_SYMBOL = 1 << 2,
    CJ__MADE_VARIABLE = 1 << 3,
    CJ__MADE_FUNCTION = 1 << 4,
    CJ__MADE_OPTIMIZER = 1 << 5,
    CJ__MADE_UPDATES = 1 << 6,
    CJ__MADE_CALLBACK = 1 << 7,
    CJ__MADE_DATASET = 1 << 8,
    CJ__MADE_POOL = 1 << 9,
    CJ__MADE_KNN = 1 << 10,
    CJ__MADE_METRIC = 1 << 11,
    CJ__MADE_TENSOR = 1 << 12 // by no builder, but read from data sets and variables
} cj__made;

// What a function returns that was given NULL where a string, an array or a place for a result is
// due: records "<what> is NULL" and returns CJ_INVALID_ARGUMENT. `what` names the argument: "the
// name of the file".
cj_status cj__fail_null(const char *what);

// The same for a function of that name, or an object: "<who>: <what> is NULL".
cj_status cj__fail_null_of(const char *who, const char *what);

// What a function returns that was given NULL where an object of `kind` is due. If a builder of such
// objects failed in this thread, and that was not reported yet, the NULL is taken to be its result:
// its sentence and status are recorded again, and the status is returned. Else as cj__fail_null().
cj_status cj__fail_missing(cj__made kind, const char *what);

// The same as cj__fail_null_of() in this.
cj_status cj__fail_missing_of(cj__made kind, const char *who, const char *what);

// The same for a function that was given `count` NULLs, of any of the `kinds` (cj__made): the cause
// is the first of the `count` latest.
cj_status cj__fail_missing_some(unsigned kinds, int count, const char *what);

// Whether a builder of one of the `kinds` failed in this thread and that was not reported yet. For
// lists in which NULL is also the end.
bool cj__builder_failed(unsigned kinds);

// How a builder of `kind` leaves on failure: the recorded failure is the cause of its NULL, for
// cj__fail_missing(). Returns NULL. A builder that was itself given NULL calls cj__fail_missing()
// before.
void *cj__build_failed(cj__made kind);

// For a function that calls builders and is none: what they could not make is in nobody's hands when
// it returns. `const uint64_t begin = cj__causes_begin(); ... return cj__causes_end(begin, status);`
uint64_t cj__causes_begin(void);
cj_status cj__causes_end(uint64_t begin, cj_status status);

#endif
