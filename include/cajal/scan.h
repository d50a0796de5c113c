/**
 * @file scan.h
 * Loops in a graph: a body that runs once for each entry of a time axis, for recurrences that no
 * layer has. The body is written once, as a function that makes symbols out of symbols; the plan of
 * 10,000 steps is as large as that of 10, and gradients of any order pass through it.
 */
#ifndef CAJAL_SCAN_H
#define CAJAL_SCAN_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the body of a loop is given, and what it gives. The symbols it is given are the loop's: they
 * are not released. Its size is not fixed: it is made by the library.
 */
typedef struct cj_scan_step {
    cj_symbol *const *states;  ///< each state before the step
    cj_symbol *const *entries; ///< the entry of each sequence at this step, without the time axis
    cj_symbol **next;    ///< to be set: each state after the step, of the same dtype and shape
    cj_symbol **outputs; ///< to be set: values of which those of all steps are wanted
} cj_scan_step;

/** The arguments of cj_scan(). Arrays are read during the call only. */
typedef struct cj_scan_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /**
     * required: writes down one step. It is called once, during the call, and may use any symbol
     * of the graph around it: what depends on no state and no entry is computed once, before the
     * loop. It returns CJ_OK, or a failure, which cj_scan() returns; then nothing that it has set is
     * touched, since an op that fails has dropped its arguments.
     */
    cj_status (*body)(void *context, const cj_scan_step *step);
    void *context;               ///< for the body; default NULL
    cj_symbol *const *states;    ///< what each state is before the first step
    int state_count;             ///< how many states; default 0, at most 64
    cj_symbol *const *sequences; ///< (steps, ...): time is the first axis, of one length in all
    int sequence_count;          ///< how many sequences; default 0, at most 64
    int output_count;            ///< how many outputs the body sets; default 0, at most 64
    int64_t steps; ///< how many steps; default 0: the length of the sequences' first axis
    bool reverse;  ///< default false; true: from the last entry to the first
} cj_scan_args;
/** The defaults of cj_scan_args. */
#define CJ_SCAN_DEFAULTS .size = sizeof(cj_scan_args)
/** Sets `args` to CJ_SCAN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_scan_defaults(cj_scan_args *args);
/**
 * Makes a loop. last[k] receives state k after the last step, outputs[i] the sequence (steps, ...)
 * of output i, whose entry t belongs to entry t of the sequences, also with `reverse`; all floating.
 * Either may be NULL if it is not wanted. States and sequences are taken over, as by an op. A symbol
 * must not depend on the number of a step in other ways than through states and entries.
 * CJ_INVALID_ARGUMENT if the body is missing, does not set what it has to, or gives a state another
 * type, or if there is nothing by which the number of steps is known; CJ_SHAPE_MISMATCH if the
 * sequences differ in length; CJ_OUT_OF_MEMORY; what the body returns.
 */
CJ_API cj_status cj_scan_with(const cj_scan_args *args, cj_symbol **last, cj_symbol **outputs);
/**
 * `cj_scan(last, outputs, step, .states = &h, .state_count = 1, .sequences = &x, .sequence_count = 1)`
 */
#define cj_scan(last, outputs, ...) \
    cj_scan_with(&(cj_scan_args){CJ_SCAN_DEFAULTS, ._ = 0, __VA_ARGS__}, last, outputs)

#ifdef __cplusplus
}
#endif

#endif
