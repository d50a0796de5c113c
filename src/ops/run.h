// Helpers of run(): sharing work between threads. Pieces are fixed by the shape, so results never
// depend on the pool; work of less than some microseconds stays on the calling thread.
#ifndef CJ_OPS_RUN_H
#define CJ_OPS_RUN_H

#include "ops/op.h"

// Elements in a piece of element-wise work, and the least number of pieces for a thread. Data in the
// cache of the calling thread take as long to move to another thread and back as to be processed
// in place (bench/threads), so inputs of the caller are shared in larger runs.
enum { CJ__PIECE = 2048, CJ__PIECE_GRAIN = 2, CJ__CALLERS_GRAIN = 32 };

// Runs `work` on ranges of elements that cover 0 .. count - 1; ranges begin at multiples of
// CJ__PIECE.
typedef struct cj__elements {
    const cj__call *call;
    int64_t count;
    void (*work)(const cj__call *call, int64_t begin, int64_t end);
} cj__elements;
int64_t cj__piece_grain(const cj__call *call);

// If the call rounds, each piece of its first output is rounded right after it is computed.
void cj__each_element(const cj__call *call, int64_t count,
                      void (*work)(const cj__call *, int64_t, int64_t));

// Rounds elements begin .. end - 1 of the first output, which is f32, to bfloat16.
void cj__round_output(const cj__call *call, int64_t begin, int64_t end);

// Runs `task` on 0 .. count - 1 items, each of about `cost` elements' work: several at a time if
// they are small.
void cj__each_item(const cj__call *call, int64_t count, int64_t cost, cj__task task, void *context);

// Runs all phases of a kernel's job; `flops` tells whether it is worth sharing.
typedef void (*cj__phase)(const void *context, void *workspace, int phase, int64_t begin,
                          int64_t end);
// The value of op->workspace() for a job: its workspace, and scratch for every thread of the pool.
size_t cj__job_space(const cj__call *call, const cj__job *job);
// The value of op->prepared() for a job that can prepare an input, of which each element is then used
// `uses` times.
cj__prepared cj__job_prepares(const cj__job *job, int input, int64_t uses);
// Whether an input is what it was when the call that keeps something prepared it. If not, it is noted as
// it is now.
bool cj__kept_is_valid(cj__kept *kept, const void *input);
// The running thread's scratch.
void *cj__job_scratch(const cj__call *call, const cj__job *job);
void cj__run_job(const cj__call *call, const cj__job *job, double flops, cj__phase run,
                 const void *context);

// Element `index` of a real array by bytes, and the number of elements of an operand.
static inline char *cj__at(const cj__call *call, const void *data, int64_t index)
{
    return (char *)data + (size_t)index * call->kernels->real_size;
}
int64_t cj__count(const cj__operand *operand);
size_t cj__bytes(const cj__operand *operand);

// A real scalar of the call's dtype read from memory, and one stored for a kernel to read.
typedef union cj__real {
    float f32;
    double f64;
} cj__real;
double cj__real_get(const cj__call *call, const void *data);
cj__real cj__real_of(const cj__call *call, double value);

#endif
