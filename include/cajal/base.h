/**
 * @file base.h
 * Statuses, error sentences, ownership and memory: the base of every other header.
 *
 * **Errors are values.** What can fail returns a cj_status and gives its results through pointers,
 * or returns a pointer that is NULL on failure. Beside the status, each thread keeps one sentence,
 * cj_error(), that says which object failed, what it was given and what it needed. Builders may be
 * nested freely: a NULL that one builder returns is accepted by the next, which returns NULL in its
 * turn and passes the *first* cause on. A function that gives a status and is given that NULL fails
 * with the builder's status and sentence, which are then reported. A NULL whose cause was reported
 * (returned, read by cj_error() or cj_error_status(), or cleared), or that no builder of such objects
 * gave, is CJ_INVALID_ARGUMENT, with a sentence that says what was NULL; getters answer it with a
 * neutral value ("", 0, NULL or NAN). A program that tries a builder and goes on without it calls
 * cj_error_clear(). docs/errors.md has the whole rule.
 *
 * **Objects are counted.** A cj_layer, cj_symbol, cj_variable, cj_model, cj_function, cj_tensor,
 * cj_dataset, cj_optimizer, cj_callback and cj_pool is an object: cj_retain() adds a holder,
 * cj_release() removes one. cj_history, cj_results, cj_knn and cj_knn_scores are objects too. A new
 * object is *floating* until the first object that is built from it takes it over. So
 * `cj_sequential(cj_input(4), cj_dense(2))` needs one release, of the model; an object from which
 * nothing was built is released by its maker. When a builder fails, it releases the floating
 * objects that it was given.
 *
 * **Arguments.** What has settings takes a pointer to an arguments struct. Makers are functions
 * `cj_X_new(const cj_X_args *)`, and `cj_X(...)` is a macro over them in which settings are written
 * by name: `cj_dense(32, .use_bias = false)`. Functions that act are `cj_X_with(fixed arguments,
 * const cj_X_args *)`, and `cj_X(fixed arguments, .setting = ...)` is a macro over them. What is
 * left out has the default that stands in `CJ_X_DEFAULTS`; what is written is what is meant: false
 * is false, 0 is 0. Settings that may be absent have a value for that: INFINITY for no limit, -1
 * for no seed, NULL for no text. Each struct begins with its size, `size`, by which a newer library
 * knows what an older program has: it takes the defaults for members that came later. The macros
 * are of C: in C++ and other languages call `cj_X_defaults(&args)`, set members, and call the
 * function. Arguments are read during the call only.
 *
 * The library never prints unless asked and never exits. Beside objects it keeps, for each thread,
 * the last sentence, the memory hook, the warning handler, and what cj_apply() was given in vain
 * until the thread's next cj_functional() or its end; and for the process the choice of kernels.
 * docs/threads.md says what threads may share.
 */
#ifndef CAJAL_BASE_H
#define CAJAL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(CAJAL_BUILDING) && defined(__GNUC__)
#define CJ_API __attribute__((visibility("default")))
#else
#define CJ_API
#endif

#if defined(__GNUC__)
#define CJ_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define CJ_PRINTF(format_index, first)
#endif

/** The version of these headers; cj_version() gives that of the library that was linked. */
#define CJ_VERSION "0.2.0"

/**
 * Every status: its name, and what it means in general. The sentence in cj_error() says what
 * happened this time.
 */
#define CJ_STATUSES(X)                                                                             \
    X(OK, "success")                                                                               \
    X(INVALID_ARGUMENT, "an argument is out of its range, or names something that does not exist") \
    X(SHAPE_MISMATCH, "shapes or dtypes do not fit each other")                                    \
    X(OUT_OF_MEMORY, "an allocation failed")                                                       \
    X(NOT_FOUND, "a file, data set, layer or entry is not there")                                  \
    X(IO, "reading or writing failed")                                                             \
    X(BAD_FILE, "a file is damaged, truncated or not what it claims to be")                        \
    X(UNSUPPORTED, "well formed, but outside what this version can do")                            \
    X(NOT_BUILT, "the model has no input shape yet, or was not compiled")                          \
    X(NOT_FINITE, "a loss or a weight became NaN or infinite")                                     \
    X(CANCELLED, "a callback asked to stop with an error")

/**
 * What a call came to. CJ_OK is zero; everything else is a failure with a sentence in cj_error().
 */
typedef enum cj_status {
#define CJ_STATUS_ENUM(name, meaning) CJ_##name,
    CJ_STATUSES(CJ_STATUS_ENUM)
#undef CJ_STATUS_ENUM
} cj_status;

/**
 * The name of a status, such as "SHAPE_MISMATCH"; "UNKNOWN" for a number that is no status. Static
 * memory.
 */
CJ_API const char *cj_status_name(cj_status status);

/** What a status means in general, in English. Static memory. */
CJ_API const char *cj_status_meaning(cj_status status);

/**
 * The sentence of this thread's latest failure, or "" if there was none. It is valid until the
 * thread's next failure. Whoever reads it has been told: no later call reports it again.
 */
CJ_API const char *cj_error(void);

/**
 * The status of the failure that cj_error() describes; for a builder, which can return only NULL. As
 * after cj_error(), no later call reports that failure again.
 */
CJ_API cj_status cj_error_status(void);

/**
 * Forgets this thread's failures: cj_error() is "" and cj_error_status() is CJ_OK afterwards, and a
 * NULL that a builder returned before is a NULL like any other.
 */
CJ_API void cj_error_clear(void);

/**
 * Sets this thread's sentence, for a callback or another function of the user's own that fails: the
 * caller finds it with cj_error(). `format` and the arguments after it are printf's; a sentence
 * beyond 1023 bytes is cut and ends in "...". Returns `status`; CJ_INVALID_ARGUMENT for a number
 * that is no status. For CJ_OK it does nothing.
 */
CJ_API cj_status cj_fail(cj_status status, const char *format, ...) CJ_PRINTF(2, 3);

/**
 * Sets what this thread does with warnings: sentences about calls that succeed, though not as the
 * caller may expect, such as a callback that waits for a value which never comes. `handler` is
 * called from inside the call that warns, with a sentence that is valid until it returns, and with
 * `context`; it must not call the library. NULL, the default, drops warnings; a cj_fit() that
 * prints then prints them on its own stream. Each thread has its own handler.
 */
CJ_API void cj_set_warning_handler(void (*handler)(const char *sentence, void *context),
                                   void *context);

/**
 * For the end of a main(): prints the sentence of a failure on standard error and returns 1;
 * returns 0 for CJ_OK. It is the only function of the library that prints without having been given
 * a stream.
 */
CJ_API int cj_report(cj_status status);

/** Returns from the enclosing function with the status of `call` if that is a failure. */
#define CJ_TRY(call)                      \
    do {                                  \
        cj_status cj_try_status = (call); \
        if (cj_try_status != CJ_OK)       \
            return cj_try_status;         \
    } while (0)

/**
 * The number of entries that an array member of an arguments struct holds, for a list that is
 * written in braces: `.metrics = {"accuracy"}`. It ends at the first NULL (or 0). It is no limit:
 * beside each such member are a pointer and a count (`metrics_list`, `metrics_count`) for lists of
 * any length. Part of the binary interface, and therefore fixed for ever.
 */
#define CJ_IN_BRACES 8

// The macros that take arguments put the defaults first, and what the caller writes overrides them:
// that is what these two warnings are about. They are of C only.
#if !defined(__cplusplus)
#if defined(__clang__)
#pragma clang diagnostic ignored "-Winitializer-overrides"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#endif

/** Machinery of the macros: of a list of arguments, the first and the others. */
#define CJ__HEAD(first, ...) first
#define CJ__TAIL(first, ...) __VA_ARGS__

/** The library's version, such as "0.2.0". Static memory. */
CJ_API const char *cj_version(void);

/**
 * Adds a holder to any counted object and returns it; NULL is passed through. A pointer to anything
 * else gives NULL, with a sentence. Safe from several threads.
 */
CJ_API void *cj_retain(const void *object);

/**
 * Removes a holder from any counted object, and frees it with the last one; NULL is fine. A pointer
 * to anything else is left alone, with a sentence. Safe from several threads.
 */
CJ_API void cj_release(const void *object);

/**
 * Makes the caller a holder of any counted object and returns it; NULL is passed through. A
 * floating object becomes the caller's own, any other gains a holder; either way the caller
 * releases it once with cj_release(), whatever is built from it before. For bindings to languages
 * with destructors: the wrapper of each object takes it when it is made and releases it when it is
 * destroyed. A pointer to anything else gives NULL, with a sentence. Safe from several threads.
 */
CJ_API void *cj_take(const void *object);

/**
 * How the library obtains memory. `resize` has realloc's contract, with NULL for a new block and
 * size 0 to free one.
 */
typedef struct cj_memory_hook {
    /** NULL on failure, the old block then stays valid */
    void *(*resize)(void *context, void *block, size_t size);
    void *context; ///< passed to every call
} cj_memory_hook;

/**
 * Sets the allocator of the calling thread and of the threads that its objects start; NULL restores
 * malloc. Tests use it to fail the n-th allocation. Blocks are freed through the hook that is set
 * at that time: set it before the first object is made and keep it until the last one is gone.
 */
CJ_API void cj_set_memory_hook(const cj_memory_hook *hook);

/** Frees a block that a function of this library gave to be freed with it; NULL is fine. */
CJ_API void cj_free(void *block);

/**
 * A pool of worker threads, shared by whatever is built with it. The calling thread works too, so a
 * pool of 2 starts one. Idle workers spin for some microseconds, then sleep. Results never depend
 * on the size of the pool.
 */
typedef struct cj_pool cj_pool;

/**
 * What stands for "no pool given" in arguments whose default it is: the call makes a pool of the
 * default size. It is known by its address and of no other use.
 */
CJ_API extern cj_pool cj_default_pool;

/**
 * Makes a pool. `threads` is the number of threads including the caller's, 0 for the default:
 * CAJAL_NUM_THREADS if set, else the CPUs that affinity and cgroup allow. Returns NULL without
 * memory or threads (CJ_OUT_OF_MEMORY), for another number, and where CAJAL_NUM_THREADS, CAJAL_ISA
 * or CAJAL_DENORMALS has a value that means nothing (CJ_INVALID_ARGUMENT). Release with
 * cj_release().
 */
CJ_API cj_pool *cj_pool_new(int threads);

/** The number of threads of a pool, the caller's included; 1 for NULL. */
CJ_API int cj_pool_threads(const cj_pool *pool);

/**
 * The instruction set whose kernels are in use: "amx" (AVX-512 with AMX's products of bfloat16),
 * "avx512", "avx2", "baseline" or "ref". CAJAL_ISA can lower it. On Linux the first call of this or
 * of what computes asks the system's permission to use AMX, for the process, where the processor
 * has it and CAJAL_ISA does not lower the choice.
 */
CJ_API const char *cj_isa(void);

#ifdef __cplusplus
}
#endif
#endif
