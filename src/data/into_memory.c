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
    int64_t begin, count;
    uint64_t pass;
    cj_dataset made;             // on the stack: what the samples are read into
    atomic_int_least64_t failed; // the first sample that failed; `count` for none
} job;

static cj_status read_one(const job *j, int64_t i)
{
    const int count = cj__dataset_parts(j->data);
    void *few[CJ__PART_PLACES_FEW], **places = cj__part_places(few, count);
    if (!places)
        return CJ_OUT_OF_MEMORY;
    for (int p = 0; p < count; p++)
        places[p] = j->made.parts[p]->data + (size_t)i * cj__part_bytes(j->data, p);
    const cj_status status = cj__dataset_sample(j->data, j->begin + i, j->pass, places);
    cj__part_places_end(places, few);
    return status;
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
    job j = {.data = data, .begin = begin, .count = count, .pass = pass};
    if (batch)
        *batch = NULL;
    if (!data || !batch)
        return data ? cj__fail_null("cj_dataset_read: the place for the samples") :
                      cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_read: the data set");
    if (begin < 0 || count < 1 || begin > data->count - count)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: %lld samples from %lld do not lie in %lld",
                        (long long)count, (long long)begin, (long long)data->count);
    cj_status status = cj__dataset_room_like(&j.made, data);
    for (int i = 0; status == CJ_OK && i < cj__dataset_parts(data); i++) {
        cj_shape shape = data->parts[i]->shape;
        shape.dims[0] = count;
        status = cj_tensor_new(data->parts[i]->dtype, shape, &j.made.parts[i]);
    }
    if (status == CJ_OK)
        status = run(&j);
    for (int i = 0; status == CJ_OK && i < cj__dataset_parts(data); i++)
        status = cj__strings_own(j.made.parts[i]); // texts may be the data set's
    return cj__dataset_of(&j.made, status, data, batch);
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
    const char *what = input ? "input" : "target";
    if (!part || !data)
        return data ? cj__fail_null("data set: the place for the part") :
                      cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_input: the data set");
    const int count = input ? data->x_count : data->y_count;
    if (index < 0 || index >= count)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: there is no %s %d, it has %d", what, index,
                        count);
    const cj__type type = cj__part_type(data, input ? index : data->x_count + index);
    *part = (cj_part){type.dtype, type.shape};
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
