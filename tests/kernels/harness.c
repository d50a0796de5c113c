// What the kernel tests share (harness.h).
#include "harness.h"

#include "base/memory.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 128, PATTERN = 0xA5 };

void for_each_table(void (*body)(const tables *t))
{
    for (cj__isa isa = CJ__ISA_REF + 1; isa <= CJ__ISA_AMX; isa++) {
        for (size_t size = sizeof(float); size <= sizeof(double); size *= 2) {
            const tables t = {cj__kernels_of(CJ__ISA_REF, size), cj__kernels_of(isa, size), size,
                              size == sizeof(float) ? FLT_EPSILON : DBL_EPSILON};
            if (t.fast)
                body(&t);
        }
    }
}

operand operand_new(int64_t count, size_t size)
{
    const size_t bytes = (size_t)count * size;
    operand o = {malloc(bytes + 2 * GUARD), NULL, count, size};
    assert_non_null(o.block);
    memset(o.block, PATTERN, bytes + 2 * GUARD);
    o.data = o.block + GUARD / 2 + size; // not aligned to a vector
    return o;
}

void operand_free(operand *o)
{
    const unsigned char *end = o->block + (size_t)o->count * o->size + 2 * GUARD;
    const unsigned char *data = o->data;
    for (const unsigned char *p = o->block; p < data; p++)
        assert_int_equal(*p, PATTERN);
    for (const unsigned char *p = data + (size_t)o->count * o->size; p < end; p++)
        assert_int_equal(*p, PATTERN);
    free(o->block);
    *o = (operand){0};
}

double operand_at(const operand *o, int64_t i)
{
    if (o->size == sizeof(uint8_t))
        return ((const uint8_t *)o->data)[i];
    return o->size == sizeof(float) ? (double)((const float *)o->data)[i] :
                                      ((const double *)o->data)[i];
}

void operand_put(operand *o, int64_t i, double value)
{
    if (o->size == sizeof(uint8_t))
        ((uint8_t *)o->data)[i] = (uint8_t)value;
    else if (o->size == sizeof(float))
        ((float *)o->data)[i] = (float)value;
    else
        ((double *)o->data)[i] = value;
}

void operand_copy(operand *to, const operand *from)
{
    memcpy(to->data, from->data, (size_t)from->count * from->size);
}

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint64_t next(void)
{
    state ^= state << 13; // xorshift (Marsaglia 2003)
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int64_t pick(int64_t n)
{
    return (int64_t)(next() >> 11) % n;
}

double pick_uniform(double low, double high)
{
    return low + (high - low) * (double)(next() >> 11) * 0x1p-53;
}

void fill_uniform(operand *o, double low, double high)
{
    for (int64_t i = 0; i < o->count; i++)
        operand_put(o, i, pick_uniform(low, high));
}

void fill_worst(operand *o)
{
    const double most = o->size == sizeof(float) ? (double)FLT_MAX : DBL_MAX;
    const double least = o->size == sizeof(float) ? (double)FLT_MIN / 8 : DBL_MIN / 8;
    const double worst[] = {0.0,
                            -0.0,
                            (double)NAN,
                            (double)INFINITY,
                            (double)-INFINITY,
                            most,
                            -most,
                            least,
                            -least,
                            1,
                            -1,
                            3,
                            -3,
                            6};
    const int64_t kinds = sizeof worst / sizeof *worst;
    fill_uniform(o, -8, 8);
    for (int64_t i = 0; i < o->count; i++)
        if (pick(2))
            operand_put(o, i, worst[pick(kinds)]);
}

void assert_close(const operand *actual, const operand *expected, double relative, double absolute,
                  const char *what, const tables *t)
{
    assert_int_equal(actual->count, expected->count);
    for (int64_t i = 0; i < actual->count; i++) {
        const double a = operand_at(actual, i), e = operand_at(expected, i);
        if (a == e || (isnan(a) && isnan(e)))
            continue;
        if (!(isfinite(a) && isfinite(e) && fabs(a - e) <= relative * fabs(e) + absolute))
            fail_msg("%s, %s, %zu bytes: element %lld of %lld is %.9g, expected %.9g", what,
                     t->fast->isa, t->real_size, (long long)i, (long long)actual->count, a, e);
    }
}

void assert_same_bits(const operand *a, const operand *b, const char *what, const tables *t)
{
    if (memcmp(a->data, b->data, (size_t)a->count * a->size) != 0)
        fail_msg("%s, %s, %zu bytes: bits differ", what, t->fast->isa, t->real_size);
}

void run_job(const cj__job *job, job_run *run, const void *context, sharing how)
{
    void *workspace = NULL;
    if (job->workspace > 0) {
        workspace = aligned_alloc(64, (job->workspace + 63) / 64 * 64);
        assert_non_null(workspace);
        memset(workspace, PATTERN, job->workspace);
    }
    for (int phase = 0; phase < job->phases; phase++) {
        const int64_t tasks = job->tasks[phase];
        for (int64_t done = 0; done < tasks;) {
            const int64_t part = how == SHARE_ALL      ? tasks :
                                 how == SHARE_REVERSED ? 1 :
                                                         1 + pick(tasks - done);
            const int64_t begin = how == SHARE_REVERSED ? tasks - done - 1 : done;
            const int64_t count = part < tasks - done ? part : tasks - done;
            run(context, workspace, phase, begin, begin + count);
            done += count;
        }
    }
    free(workspace);
}

typedef struct convolution {
    const cj__kernels *k;
    cj__conv2d_kind kind;
    const cj__conv2d_args *args;
    void *scratch;
} convolution;

static void run_convolution(const void *context, void *workspace, int phase, int64_t begin,
                            int64_t end)
{
    const convolution *c = context;
    c->k->conv2d_run[c->kind](c->args, workspace, c->scratch, phase, begin, end);
}

void convolve(const cj__kernels *k, cj__conv2d_kind kind, const cj__conv2d_args *args, sharing how)
{
    cj__job job;
    k->conv2d_job[kind](args, &job);
    convolution c = {k, kind, args, cj__new_aligned(job.scratch, 0)};
    assert_non_null(c.scratch);
    run_job(&job, run_convolution, &c, how);
    cj__free_aligned(c.scratch, job.scratch);
}
