// The pool. Work is cut into tasks by its shape alone, never by the number of threads; each task writes its own part
// and sums across tasks are added in task order. That is why results do not depend on the pool.
#ifndef CJ_BASE_THREADS_H
#define CJ_BASE_THREADS_H

#include <cajal/base.h>

// Runs tasks begin .. end - 1; called several times with disjoint ranges, from several threads.
typedef void (*cj__task)(void *context, int64_t begin, int64_t end);

// Runs tasks 0 .. count - 1 on the pool and returns when all are done; ranges are handed out in chunks of at least
// `grain` tasks. A NULL pool, a pool of one thread, a count within one grain, and a pool that is busy with another
// caller's work all mean: run on the calling thread. Allocates nothing.
void cj__parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context);

// Which of the pool's threads runs the current task: 0 for the caller of cj__parallel(), 1 .. threads - 1 for workers.
// For scratch memory that each thread has for itself; results must not depend on it.
int cj__thread_slot(void);

#endif
