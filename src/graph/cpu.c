// The CPU as a device: see cpu.h. Everything about threads is here: which pool a run has for
// itself, whether its work is shared, and what denormal numbers count as meanwhile.
#include "graph/cpu.h"

#include "base/float_mode.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/threads.h"
#include "graph/trial.h"

#include <stdio.h>
#include <string.h>

static cj__cpu *cpu_of(cj__device *device)
{
    return (cj__cpu *)(void *)device;
}

static double now(void)
{
    return 1e-9 * (double)cj__clock();
}

static void *allocate(cj__device *device, size_t size)
{
    (void)device;
    return cj__new_aligned(size, 1);
}

static void free_memory(cj__device *device, void *memory, size_t size)
{
    (void)device;
    cj__free_aligned(memory, size);
}

static cj_status copy(cj__device *device, void *to, const void *from, size_t bytes)
{
    (void)device;
    if (bytes != 0 && to != from)
        memcpy(to, from, bytes);
    return CJ_OK;
}

// Of a plan: whether its runs share their work.
static cj_status plan_open(cj__device *device, void **own)
{
    cj__cpu *cpu = cpu_of(device);
    if (!cpu->pool) {
        cpu->pool = cj__own(cj_pool_new(0));
        if (!cpu->pool)
            return cj_error_status();
    }
    *own = cj__new(1, sizeof(cj__trial));
    return *own ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static void plan_close(cj__device *device, void *own)
{
    (void)device;
    cj__free(own);
}

static cj_status prepare(cj__device *device, cj__call *call, size_t *workspace)
{
    call->pool = cpu_of(device)->pool;
    call->run = call->op->run;
    *workspace = call->op->workspace ? call->op->workspace(call) : 0;
    return CJ_OK;
}

static cj_status begin(cj__device *device, void *own, cj__run *run)
{
    const cj__trial *trial = own;
    cj_pool *pool = cpu_of(device)->pool;
    const bool tries = !run->timing && cj_pool_threads(pool) > 1;
    run->timed = tries && cj__trial_is_timed(trial);
    run->pool = tries && !cj__trial_shares(trial) ? NULL : pool;
    run->began = run->timed ? now() : 0;
    run->entered = cj__pool_enter(run->pool);
    run->float_mode = cj__set_float_mode();
    return CJ_OK;
}

static cj_status end(cj__device *device, void *own, cj__run *run, cj_status status)
{
    cj__trial *trial = own;
    cj__restore_float_mode(run->float_mode);
    if (run->entered)
        cj__pool_leave(run->pool);
    if (status != CJ_OK || run->timing || cj_pool_threads(cpu_of(device)->pool) <= 1)
        return status;
    const double seconds = now() - run->began;
    cj__trial_ran(trial, run->timed ?
                             &(cj__trial_run){.seconds = seconds, .use = cj__get_processor_use()} :
                             NULL);
    return CJ_OK;
}

static void describe(const cj__device *device, char *text, size_t size)
{
    const int threads = cj_pool_threads(((const cj__cpu *)(const void *)device)->pool);
    snprintf(text, size, "%d thread%s", threads, threads == 1 ? "" : "s");
}

static void destroy(cj__device *device)
{
    cj_release(cpu_of(device)->pool);
}

const cj__device_kind cj__cpu_kind = {
    .name = "cpu",
    .host_memory = true,
    .kernels = cj__kernels_for,
    .allocate = allocate,
    .free = free_memory,
    .copy_in = copy,
    .copy_out = copy,
    .copy_within = copy,
    .plan_open = plan_open,
    .plan_close = plan_close,
    .prepare = prepare,
    .begin = begin,
    .end = end,
    .describe = describe,
    .destroy = destroy,
};

cj__device *cj__cpu_new(cj_pool *pool)
{
    cj__cpu *cpu = cj__device_new(&cj__cpu_kind, sizeof *cpu);
    if (!cpu)
        return NULL;
    cpu->pool = cj__own(pool);
    return &cpu->device;
}
