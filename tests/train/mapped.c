// See mapped.h.
#define _DEFAULT_SOURCE
#include "mapped.h"

#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

// Address space that is reserved; pages take no memory before they are touched.
static const size_t reserved = (size_t)1 << 30;
enum { GARBAGE = 0xa5 };

struct mapped {
    cj__cpu cpu;
    char *memory;
    size_t used;
    pthread_mutex_t lock; // guards what follows
    int open;             // runs and copies under way
    int copies_left;      // until one fails; 0 for none
    mapped_counts counts;
    const char *missing_op;
    cj__device *host; // of the second kind: what runs its calls; held
};

static mapped *of(cj__device *device)
{
    return (mapped *)(void *)device;
}

// Memory is the device's own: readable as long as anything of the device is under way.
static void enter(mapped *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->open++ == 0 && mprotect(m->memory, reserved, PROT_READ | PROT_WRITE) != 0)
        __builtin_trap();
    pthread_mutex_unlock(&m->lock);
}

static void leave(mapped *m)
{
    pthread_mutex_lock(&m->lock);
    if (--m->open == 0 && mprotect(m->memory, reserved, PROT_NONE) != 0)
        __builtin_trap();
    pthread_mutex_unlock(&m->lock);
}

// Never given out twice: what is freed stays unreadable garbage.
static void *allocate(cj__device *device, size_t size)
{
    mapped *m = of(device);
    pthread_mutex_lock(&m->lock);
    char *block = m->memory + m->used;
    const size_t taken = cj__align_up_64(size + 1);
    const bool fits = taken <= reserved - m->used;
    if (fits) {
        m->used += taken;
        m->counts.allocated++;
    }
    pthread_mutex_unlock(&m->lock);
    if (!fits) {
        cj__fail_memory(size, "the mapped device");
        return NULL;
    }
    enter(m);
    memset(block, GARBAGE, size);
    leave(m);
    return block;
}

static void free_memory(cj__device *device, void *memory, size_t size)
{
    mapped *m = of(device);
    if (!memory)
        return;
    enter(m);
    memset(memory, GARBAGE, size);
    leave(m);
    pthread_mutex_lock(&m->lock);
    m->counts.freed++;
    pthread_mutex_unlock(&m->lock);
}

static bool is_own(const mapped *m, const void *pointer)
{
    return (const char *)pointer >= m->memory && (const char *)pointer < m->memory + reserved;
}

static cj_status copy(mapped *m, void *to, const void *from, size_t bytes, int64_t *count)
{
    pthread_mutex_lock(&m->lock);
    (*count)++;
    const bool fails = m->copies_left > 0 && --m->copies_left == 0;
    pthread_mutex_unlock(&m->lock);
    if (fails)
        return cj__fail(CJ_IO, "the mapped device: a copy failed");
    enter(m);
    memmove(to, from, bytes);
    leave(m);
    return CJ_OK;
}

static cj_status copy_in(cj__device *device, void *to, const void *from, size_t bytes)
{
    mapped *m = of(device);
    if (!is_own(m, to) || is_own(m, from))
        return cj__fail(CJ_INVALID_ARGUMENT, "the mapped device: a copy in the wrong direction");
    return copy(m, to, from, bytes, &m->counts.copies_in);
}

static cj_status copy_out(cj__device *device, void *to, const void *from, size_t bytes)
{
    mapped *m = of(device);
    if (is_own(m, to) || !is_own(m, from))
        return cj__fail(CJ_INVALID_ARGUMENT, "the mapped device: a copy in the wrong direction");
    return copy(m, to, from, bytes, &m->counts.copies_out);
}

static cj_status copy_within(cj__device *device, void *to, const void *from, size_t bytes)
{
    mapped *m = of(device);
    int64_t uncounted = 0;
    if (!is_own(m, to) || !is_own(m, from))
        return cj__fail(CJ_INVALID_ARGUMENT, "the mapped device: a copy in the wrong direction");
    return copy(m, to, from, bytes, &uncounted);
}

static cj_status plan_open(cj__device *device, void **own)
{
    return cj__cpu_kind.plan_open(device, own);
}

static void plan_close(cj__device *device, void *own)
{
    cj__cpu_kind.plan_close(device, own);
}

static cj_status prepare(cj__device *device, cj__call *call, size_t *workspace)
{
    return cj__cpu_kind.prepare(device, call, workspace);
}

static cj_status begin(cj__device *device, void *own, cj__run *run)
{
    mapped *m = of(device);
    enter(m);
    pthread_mutex_lock(&m->lock);
    m->counts.runs++;
    pthread_mutex_unlock(&m->lock);
    return cj__cpu_kind.begin(device, own, run);
}

static cj_status end(cj__device *device, void *own, cj__run *run, cj_status status)
{
    status = cj__cpu_kind.end(device, own, run, status);
    leave(of(device));
    return status;
}

static void describe(const cj__device *device, char *text, size_t size)
{
    cj__cpu_kind.describe(device, text, size);
}

static void destroy(cj__device *device)
{
    mapped *m = of(device);
    munmap(m->memory, reserved);
    cj_release(m->host);
    pthread_mutex_destroy(&m->lock);
    cj__cpu_kind.destroy(device);
}

static const cj__device_kind mapped_kind = {
    .name = "mapped",
    .kernels = cj__kernels_for,
    .allocate = allocate,
    .free = free_memory,
    .copy_in = copy_in,
    .copy_out = copy_out,
    .copy_within = copy_within,
    .plan_open = plan_open,
    .plan_close = plan_close,
    .prepare = prepare,
    .begin = begin,
    .end = end,
    .describe = describe,
    .destroy = destroy,
};

// ---- With kernels of its own, and lists ----

static const cj__kernels *kernels_of(const cj__call *call)
{
    for (int i = 0; i < call->input_count + call->output_count; i++) {
        const cj_dtype dtype = call->inputs[i].type.dtype; // outputs follow inputs
        if (dtype == CJ_F32 || dtype == CJ_F64)
            return cj__kernels_for(cj_dtype_size(dtype));
    }
    return cj__kernels_for(sizeof(float));
}

static cj_status prepare_own(cj__device *device, cj__call *call, size_t *workspace)
{
    const char *missing = of(device)->missing_op;
    if (missing && strcmp(missing, call->op->name) == 0)
        return cj__fail(CJ_UNSUPPORTED, "device \"%s\" has no kernel for %s", device->kind->name,
                        call->op->name);
    call->kernels = kernels_of(call);
    call->device = of(device)->host;
    return cj__cpu_kind.prepare(of(device)->host, call, workspace);
}

static cj_status run_list(cj__device *device, void *own, const cj__call_list *list,
                          const cj__run *run)
{
    mapped *m = of(device);
    (void)own;
    pthread_mutex_lock(&m->lock);
    m->counts.lists++;
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < list->count; i++) {
        list->calls[i].pool = run->pool;
        if (list->calls[i].run)
            CJ_TRY(list->calls[i].run(&list->calls[i]));
    }
    return CJ_OK;
}

static const char *const listing_passes[] = {
    "identity", "cse", "dead", "fuse_bias_act", "fuse_cross_entropy", "blocks", "one_sweep", NULL};

static const cj__device_kind listing_kind = {
    .name = "listing",
    .passes = listing_passes,
    .allocate = allocate,
    .free = free_memory,
    .copy_in = copy_in,
    .copy_out = copy_out,
    .copy_within = copy_within,
    .plan_open = plan_open,
    .plan_close = plan_close,
    .prepare = prepare_own,
    .begin = begin,
    .end = end,
    .run_list = run_list,
    .describe = describe,
    .destroy = destroy,
};

static mapped *make(const cj__device_kind *kind, int threads)
{
    void *memory =
        mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mapped *m = memory != MAP_FAILED ? cj__device_new(kind, sizeof *m) : NULL;
    if (!m)
        return NULL;
    m->memory = memory;
    m->cpu.pool = cj__own(cj_pool_new(threads));
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

cj__device *mapped_new(int threads)
{
    return &make(&mapped_kind, threads)->cpu.device;
}

cj__device *mapped_listing_new(int threads, const char *missing_op)
{
    mapped *m = make(&listing_kind, threads);
    m->missing_op = missing_op;
    m->host = cj__own(cj__cpu_new(m->cpu.pool));
    return &m->cpu.device;
}

mapped_counts mapped_counts_of(const cj__device *device)
{
    return ((const mapped *)(const void *)device)->counts;
}

void mapped_fail_copy(cj__device *device, int n)
{
    of(device)->copies_left = n;
}
