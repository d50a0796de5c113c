// The pool. Work is cut into tasks by its shape alone, never by the number of threads; each task
// writes its own part and sums across tasks are added in task order. That is why results do not
// depend on the pool.
#ifndef CJ_BASE_THREADS_H
#define CJ_BASE_THREADS_H

#include <cajal/base.h>

// Runs tasks begin .. end - 1; called several times with disjoint ranges, from several threads.
typedef void (*cj__task)(void *context, int64_t begin, int64_t end);

// Runs tasks 0 .. count - 1 on the pool and returns when all are done. Threads take chunks of at
// least `grain` tasks; of two threads the first begins with the first half of the tasks, and takes
// from the other half when it is done with its own. A NULL pool, a pool of one thread, a count within
// one grain, and a pool that is busy with another caller's work all mean: run on the calling
// thread. Tasks take denormal numbers as 0 (float_mode.h). Allocates nothing.
void cj__parallel(cj_pool *pool, int64_t count, int64_t grain, cj__task task, void *context);

// A caller that has many pieces of work to run in a row, such as the steps of a plan, enters the
// pool first: it then has the pool for itself until it leaves, and workers spin for the next piece
// instead of going to sleep between two. False, and then cj__pool_leave() must not be called: for
// NULL, for a pool without workers, if the thread has entered already, and if another caller has
// the pool. cj__parallel() works in each of these cases.
bool cj__pool_enter(cj_pool *pool);
void cj__pool_leave(cj_pool *pool);

// Which of the pool's threads runs the current task: 0 for the caller of cj__parallel(), 1 ..
// threads - 1 for workers. For scratch memory that each thread has for itself; results must not
// depend on it.
int cj__thread_slot(void);

// The pool of arguments, at the door of `who`: &cj_default_pool becomes NULL, and NULL fails.
cj_status cj__pool_given(cj_pool **pool, const char *who);

#endif
