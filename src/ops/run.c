// Sharing work between threads: see run.h.
#include "ops/run.h"

#include "base/memory.h"
#include "ops/device.h"
#include <string.h>

void cj__round_output(const cj__call *call, int64_t begin, int64_t end)
{
    float *const y = (float *)call->outputs[0].data + begin;
    cj__device_kernels(call->device, CJ_F32)->round_bf16(end - begin, y, y);
}

static void element_task(void *context, int64_t begin, int64_t end)
{
    const cj__elements *e = context;
    const int64_t all = end * CJ__PIECE < e->count ? end * CJ__PIECE : e->count;
    // small enough to be in the cache still when it is rounded
    const int64_t piece = e->call->rounds ? CJ__PIECE : all;
    for (int64_t first = begin * CJ__PIECE, last; first < all; first = last) {
        last = all - first < piece ? all : first + piece;
        e->work(e->call, first, last);
        if (e->call->rounds)
            cj__round_output(e->call, first, last);
    }
}

int64_t cj__piece_grain(const cj__call *call)
{
    return call->from_caller ? CJ__CALLERS_GRAIN : CJ__PIECE_GRAIN;
}

void cj__each_element(const cj__call *call, int64_t count,
                      void (*work)(const cj__call *, int64_t, int64_t))
{
    cj__elements context = {call, count, work};
    if (count > 0)
        cj__parallel(call->pool, (count + CJ__PIECE - 1) / CJ__PIECE, cj__piece_grain(call),
                     element_task, &context);
}

void cj__each_item(const cj__call *call, int64_t count, int64_t cost, cj__task task, void *context)
{
    const int64_t worth = CJ__PIECE * cj__piece_grain(call);
    const int64_t grain = cost >= worth ? 1 : worth / (cost > 0 ? cost : 1);
    if (count > 0)
        cj__parallel(call->pool, count, grain, task, context);
}

typedef struct job_context {
    cj__phase run;
    const void *context;
    void *workspace;
    int phase;
} job_context;

static void job_task(void *context, int64_t begin, int64_t end)
{
    const job_context *c = context;
    c->run(c->context, c->workspace, c->phase, begin, end);
}

size_t cj__job_space(const cj__call *call, const cj__job *job)
{
    return cj__align_up_64(job->workspace) +
           cj__align_up_64(job->scratch) * (size_t)cj_pool_threads(call->pool);
}

void *cj__job_scratch(const cj__call *call, const cj__job *job)
{
    return (char *)call->workspace + cj__align_up_64(job->workspace) +
           cj__align_up_64(job->scratch) * (size_t)cj__thread_slot();
}

cj__prepared cj__job_prepares(const cj__job *job, int input, int64_t uses)
{
    const int64_t most = 2048; // with more uses, preparing takes less than 1 % of the call
    return (cj__prepared){job->prepares > 0 && uses <= most ? input : -1, job->workspace};
}

bool cj__kept_is_valid(cj__kept *kept, const void *input)
{
    const int64_t version =
        kept->version ? atomic_load_explicit(kept->version, memory_order_relaxed) : -1;
    const bool same = version >= 0 ? kept->prepared && kept->seen == version :
                                     kept->prepared && kept->seen < 0 &&
                                         memcmp(kept->copy, input, kept->copy_bytes) == 0;
    kept->seen = version;
    if (!same && version < 0)
        memcpy(kept->copy, input, kept->copy_bytes);
    return same;
}

// The first phase to run. What an earlier run prepared is valid while the input has the same bytes.
static int first_phase(const cj__call *call, const cj__job *job)
{
    cj__kept *kept = call->kept;
    if (!kept)
        return 0;
    if (kept->rounded) {
        kept->prepared = true;
        return kept->same ? job->prepares : 0;
    }
    if (kept->of_loop) {
        const bool prepared = kept->prepared;
        kept->prepared = true;
        kept->odd = !kept->odd;
        return prepared ? job->prepares : 0;
    }
    const bool valid = cj__kept_is_valid(kept, call->inputs[kept->input].data);
    kept->prepared = true; // true once this call has ended; not read before
    return valid ? job->prepares : 0;
}

void cj__run_job(const cj__call *call, const cj__job *job, double flops, cj__phase run,
                 const void *context)
{
    const double worth = 4e5; // some 5 microseconds of one core
    void *workspace = call->kept ? call->kept->workspace : call->workspace;
    for (int phase = first_phase(call, job); phase < job->phases; phase++) {
        job_context c = {run, context, workspace, phase};
        const int64_t tasks = job->tasks[phase];
        if (tasks > 0)
            cj__parallel(call->pool, tasks, flops < worth ? tasks : 1, job_task, &c);
    }
}

int64_t cj__count(const cj__operand *operand)
{
    return cj_shape_count(&operand->type.shape);
}

size_t cj__bytes(const cj__operand *operand)
{
    return (size_t)cj__count(operand) * cj_dtype_size(operand->type.dtype);
}

double cj__real_get(const cj__call *call, const void *data)
{
    return call->kernels->real_size == sizeof(float) ? (double)*(const float *)data :
                                                       *(const double *)data;
}

cj__real cj__real_of(const cj__call *call, double value)
{
    cj__real real;
    if (call->kernels->real_size == sizeof(float))
        real.f32 = (float)value;
    else
        real.f64 = value;
    return real;
}
