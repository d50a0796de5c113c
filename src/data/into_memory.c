// Samples of any data set read into memory, and what a sample is.
#include "data/stages.h"

#include "base/error.h"
#include "base/threads.h"
#include "tensor/strings.h"
#include <stdatomic.h>
#include <string.h>

enum { BLOCK = 16 };

typedef struct job {
    const cj_dataset *data;
    cj__parts parts;
    int64_t begin, count;
    uint64_t pass;
    char *to[CJ__PARTS_MAX];
    atomic_int_least64_t failed; // the first sample that failed; `count` for none
} job;

static cj_status read_one(const job *j, int64_t i)
{
    void *places[CJ__PARTS_MAX];
    for (int p = 0; p < cj__parts_count(&j->parts); p++)
        places[p] = j->to[p] + (size_t)i * cj__parts_bytes(&j->parts, p);
    return cj__dataset_sample(j->data, j->begin + i, j->pass, places);
}

static void read_blocks(void *context, int64_t begin, int64_t end)
{
    job *j = context;
    end = end * BLOCK < j->count ? end * BLOCK : j->count;
    for (int64_t i = begin * BLOCK; i < end; i++) {
        if (read_one(j, i) == CJ_OK)
            continue;
        cj__error_forget(); // it is told by who asked
        int64_t first = atomic_load(&j->failed);
        while (i < first && !atomic_compare_exchange_weak(&j->failed, &first, i))
            ;
        return;
    }
}

static cj_status make_tensor(const cj__type *type, int64_t count, char **to, cj_tensor **tensor)
{
    cj_shape shape = {.rank = type->shape.rank + 1, .dims = {count}};
    memcpy(shape.dims + 1, type->shape.dims, (size_t)type->shape.rank * sizeof *shape.dims);
    CJ_TRY(cj_tensor_new(type->dtype, shape, tensor));
    *to = (*tensor)->data;
    return CJ_OK;
}

static cj_status run(job *j)
{
    cj_pool *pool = j->count > 1 && !cj__is_cheap(j->data) ? cj_pool_new(0) : NULL;
    if (!pool)
        cj__error_forget(); // without threads it is read all the same
    atomic_init(&j->failed, j->count);
    cj__parallel(pool, (j->count - 1) / BLOCK + 1, 1, read_blocks, j);
    cj_release(pool);
    const int64_t failed = atomic_load(&j->failed);
    // Read again for its sentence. One that has come right in between is kept, and so are later ones.
    for (int64_t i = failed; i < j->count; i++)
        CJ_TRY(read_one(j, i));
    return CJ_OK;
}

cj_status cj_dataset_read(const cj_dataset *data, int64_t begin, int64_t count, uint64_t pass,
                          cj_dataset **batch)
{
    cj_tensor *x[CJ__DATASET_IO_MAX] = {NULL}, *y[CJ__DATASET_IO_MAX] = {NULL}, *weight = NULL;
    job j = {.data = data, .begin = begin, .count = count, .pass = pass};
    static const cj__type weight_type = {CJ_F32, {0}};
    if (batch)
        *batch = NULL;
    if (!data || !batch)
        return data ? cj__fail_null("cj_dataset_read: the place for the samples") :
                      cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_read: the data set");
    if (begin < 0 || count < 1 || begin > data->count - count)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: %lld samples from %lld do not lie in %lld",
                        (long long)count, (long long)begin, (long long)data->count);
    cj__parts_of(data, &j.parts);
    cj_status status = CJ_OK;
    int part = 0;
    for (int i = 0; status == CJ_OK && i < data->x_count; i++)
        status = make_tensor(&j.parts.x[i], count, &j.to[part++], &x[i]);
    for (int i = 0; status == CJ_OK && i < data->y_count; i++)
        status = make_tensor(&j.parts.y[i], count, &j.to[part++], &y[i]);
    if (status == CJ_OK && j.parts.weighted)
        status = make_tensor(&weight_type, count, &j.to[part], &weight);
    if (status == CJ_OK)
        status = run(&j);
    for (int i = 0; status == CJ_OK && i < data->x_count; i++)
        status = cj__strings_own(x[i]); // texts may be the data set's
    for (int i = 0; status == CJ_OK && i < data->y_count; i++)
        status = cj__strings_own(y[i]);
    if (status == CJ_OK) {
        *batch = cj_dataset(.x_list = x, .x_count = data->x_count, .y_list = y,
                            .y_count = data->y_count, .sample_weight = weight);
        if (!*batch)
            return cj_error_status();
        status = cj__dataset_copy_classes(*batch, data);
        if (status == CJ_OK)
            return CJ_OK;
        cj_release(*batch);
        *batch = NULL;
        return status;
    }
    for (int i = 0; i < CJ__DATASET_IO_MAX; i++) {
        cj_release(x[i]);
        cj_release(y[i]);
    }
    cj_release(weight);
    return status;
}

cj_status cj_dataset_load(const cj_dataset *data, cj_dataset **memory)
{
    if (!memory)
        return cj__fail_null("cj_dataset_load: the place for the data set");
    return cj_dataset_read(data, 0, cj_dataset_count(data), 0, memory);
}

// ---- Looking ----

bool cj_dataset_is_streamed(const cj_dataset *data)
{
    return data && cj__dataset_source(data);
}

static cj_status tell_part(const cj_dataset *data, bool input, int index, cj_part *part)
{
    cj__parts parts;
    const char *what = input ? "input" : "target";
    if (!part || !data)
        return data ? cj__fail_null("data set: the place for the part") :
                      cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_input: the data set");
    const int count = input ? data->x_count : data->y_count;
    if (index < 0 || index >= count)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: there is no %s %d, it has %d", what, index,
                        count);
    cj__parts_of(data, &parts);
    const cj__type *type = input ? &parts.x[index] : &parts.y[index];
    *part = (cj_part){type->dtype, type->shape};
    return CJ_OK;
}

cj_status cj_dataset_input(const cj_dataset *data, int index, cj_part *part)
{
    return tell_part(data, true, index, part);
}

cj_status cj_dataset_target(const cj_dataset *data, int index, cj_part *part)
{
    return tell_part(data, false, index, part);
}
