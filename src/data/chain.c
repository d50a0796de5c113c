// The stages of a chain that choose samples by their numbers: shuffle, take, skip, repeat,
// concatenate; and those that say how to read: batch, prefetch.
#include "data/stages.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/permutation.h"
#include "base/random.h"

CJ__DEFAULTS(dataset_shuffle, DATASET_SHUFFLE)
CJ__DEFAULTS(dataset_batch, DATASET_BATCH)
CJ__DEFAULTS(dataset_prefetch, DATASET_PREFETCH)

void cj__chain_free(cj__source *source)
{
    cj__chain_stage *stage = (cj__chain_stage *)source;
    for (int i = 0; i < stage->from_count; i++)
        cj_release(stage->from[i]);
    cj__free(stage);
}

// Adds a data set that the stage holds. A single one says how to read.
static void add_set(cj__chain_stage *stage, cj_dataset *held)
{
    const cj__source *below = cj__dataset_source(held);
    cj__source *source = &stage->source;
    const bool cheap = cj__is_cheap(held), first = stage->from_count == 0;
    stage->from[stage->from_count++] = held;
    source->is_cheap = cheap && (first || source->is_cheap);
    source->has_order = first && below && below->has_order;
    source->batch_size = first && below ? below->batch_size : 0;
    source->ahead = first && below ? below->ahead : 0;
    source->threads = first && below ? below->threads : 0;
    source->cut = first && below ? below->cut : NULL;
}

void *cj__chain_new(size_t size, cj_dataset *const *from, int count)
{
    cj__chain_stage *stage = cj__new(1, size);
    if (!stage) {
        cj__chain_drop(from, count);
        return NULL;
    }
    stage->source.free = cj__chain_free;
    for (int i = 0; i < count; i++)
        add_set(stage, cj__own(from[i]));
    return stage;
}

cj_dataset *cj__chain_finish(cj__chain_stage *stage, const cj__parts *parts, int64_t count)
{
    cj_dataset *const below = stage->from[0];
    cj_dataset *data = parts ? cj__stream_new(&stage->source, parts, count) :
                               cj__stream_like(&stage->source, below, count);
    if (data && cj__dataset_copy_classes(data, below) == CJ_OK)
        return data;
    cj_release(data);
    return cj__build_failed(CJ__MADE_DATASET);
}

cj_status cj__chain_given(const cj_dataset *data, const char *who)
{
    if (!data)
        return cj__fail_missing_of(CJ__MADE_DATASET, who, "the data set");
    if (data == &cj_no_dataset)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: cj_no_dataset is no data set", who);
    return CJ_OK;
}

cj_status cj__chain_check(const cj_dataset *data, const char *who)
{
    CJ_TRY(cj__chain_given(data, who));
    const cj__source *source = cj__dataset_source(data);
    if (source && source->batch_size > 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the data set is batched; cj_dataset_batch() comes after it", who);
    return CJ_OK;
}

void cj__chain_drop(cj_dataset *const *sets, int count)
{
    for (int i = 0; i < count; i++)
        if (sets[i] != &cj_no_dataset)
            cj__own(sets[i]);
    for (int i = 0; i < count; i++)
        if (sets[i] != &cj_no_dataset)
            cj_release(sets[i]);
}

void *cj__chain_refused(cj_dataset *data)
{
    cj__chain_drop(&data, 1);
    return cj__build_failed(CJ__MADE_DATASET);
}

// ---- Ranges and repetition ----

typedef struct range {
    cj__chain_stage stage;
    int64_t begin;
} range;

static cj_status read_range(const cj__source *source, int64_t index, uint64_t pass,
                            void *const *places)
{
    const range *r = (const range *)source;
    return cj__dataset_sample(r->stage.from[0], r->begin + index, pass, places);
}

static cj_dataset *finish_range(range *r, int64_t begin, int64_t count)
{
    if (!r)
        return cj__build_failed(CJ__MADE_DATASET);
    r->begin = begin;
    r->stage.source.read = read_range;
    return cj__chain_finish(&r->stage, NULL, count);
}

static cj_dataset *take_range(cj_dataset *data, int64_t begin, int64_t count)
{
    return finish_range(cj__chain_new(sizeof(range), &data, 1), begin, count);
}

cj_dataset *cj__dataset_range(const cj_dataset *data, int64_t begin, int64_t count)
{
    range *r = cj__chain_new(sizeof *r, NULL, 0);
    if (r)
        add_set(&r->stage, cj_retain(data));
    return finish_range(r, begin, count);
}

cj_dataset *cj_dataset_take(cj_dataset *data, int64_t count)
{
    if (cj__chain_check(data, "cj_dataset_take") != CJ_OK)
        return cj__chain_refused(data);
    if (count < 1) {
        cj__fail(CJ_INVALID_ARGUMENT, "cj_dataset_take: %lld samples, it needs at least 1",
                 (long long)count);
        return cj__chain_refused(data);
    }
    return take_range(data, 0, count < data->count ? count : data->count);
}

cj_dataset *cj_dataset_skip(cj_dataset *data, int64_t count)
{
    if (cj__chain_check(data, "cj_dataset_skip") != CJ_OK)
        return cj__chain_refused(data);
    if (count < 0 || count >= data->count) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "cj_dataset_skip: %lld of %lld samples, it needs 0 or more and leaves some",
                 (long long)count, (long long)data->count);
        return cj__chain_refused(data);
    }
    return take_range(data, count, data->count - count);
}

typedef struct repeat {
    cj__chain_stage stage;
    int64_t count; // samples of one time
    uint64_t times;
} repeat;

static cj_status read_repeat(const cj__source *source, int64_t index, uint64_t pass,
                             void *const *places)
{
    const repeat *r = (const repeat *)source;
    return cj__dataset_sample(r->stage.from[0], index % r->count,
                              pass * r->times + (uint64_t)(index / r->count), places);
}

cj_dataset *cj_dataset_repeat(cj_dataset *data, int64_t times)
{
    int64_t count;
    if (cj__chain_check(data, "cj_dataset_repeat") != CJ_OK)
        return cj__chain_refused(data);
    if (times < 1 || __builtin_mul_overflow(data->count, times, &count)) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "cj_dataset_repeat: %lld times %lld samples, it needs at least one time and fewer "
                 "than 2^63 samples",
                 (long long)times, (long long)data->count);
        return cj__chain_refused(data);
    }
    repeat *r = cj__chain_new(sizeof *r, &data, 1);
    if (!r)
        return cj__build_failed(CJ__MADE_DATASET);
    r->count = data->count;
    r->times = (uint64_t)times;
    r->stage.source.read = read_repeat;
    return cj__chain_finish(&r->stage, NULL, count);
}

// ---- Shuffling ----

typedef struct shuffle {
    cj__chain_stage stage;
    cj__permutation order;
    bool again;
} shuffle;

static cj_status read_shuffled(const cj__source *source, int64_t index, uint64_t pass,
                               void *const *places)
{
    const shuffle *s = (const shuffle *)source;
    const int64_t at = cj__permuted(&s->order, s->again ? pass : 0, index);
    return cj__dataset_sample(s->stage.from[0], at, pass, places);
}

cj_dataset *cj_dataset_shuffle_with(cj_dataset *data, const cj_dataset_shuffle_args *args)
{
    cj_dataset_shuffle_args given;
    if (cj__args_read("cj_dataset_shuffle", args, &dataset_shuffle_defaults, sizeof given,
                      &given) != CJ_OK ||
        cj__chain_check(data, "cj_dataset_shuffle") != CJ_OK)
        return cj__chain_refused(data);
    shuffle *s = cj__chain_new(sizeof *s, &data, 1);
    if (!s)
        return cj__build_failed(CJ__MADE_DATASET);
    s->order = cj__permutation_of(cj__key(given.seed, "data set shuffle"), data->count);
    s->again = given.reshuffle_each_iteration;
    s->stage.source.read = read_shuffled;
    s->stage.source.has_order = true;
    return cj__chain_finish(&s->stage, NULL, s->order.count);
}

// ---- Two data sets ----

static cj_status read_one_of_two(const cj__source *source, int64_t index, uint64_t pass,
                                 void *const *places)
{
    const cj__chain_stage *s = (const cj__chain_stage *)source;
    const int64_t first = s->from[0]->count;
    return index < first ? cj__dataset_sample(s->from[0], index, pass, places) :
                           cj__dataset_sample(s->from[1], index - first, pass, places);
}

static bool same_parts(const cj_dataset *a, const cj_dataset *b)
{
    bool same =
        a->x_count == b->x_count && a->y_count == b->y_count && a->weight_count == b->weight_count;
    for (int i = 0; same && i < cj__dataset_parts(a); i++) {
        const cj__type of_a = cj__part_type(a, i), of_b = cj__part_type(b, i);
        same = cj__type_equal(&of_a, &of_b);
    }
    return same;
}

static cj_status check_two(const cj_dataset *first, const cj_dataset *second, int64_t *count)
{
    static const char who[] = "cj_dataset_concatenate";
    CJ_TRY(first && second ? CJ_OK :
                             cj__fail_missing_some(CJ__MADE_DATASET, !first + !second,
                                                   "cj_dataset_concatenate: a data set"));
    CJ_TRY(cj__chain_check(first, who));
    CJ_TRY(cj__chain_check(second, who));
    if (!same_parts(first, second))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the data sets have other inputs, targets or weights", who);
    if (__builtin_add_overflow(first->count, second->count, count))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: more samples than can be counted", who);
    return CJ_OK;
}

cj_dataset *cj_dataset_concatenate(cj_dataset *first, cj_dataset *second)
{
    int64_t count = 0;
    if (check_two(first, second, &count) != CJ_OK) {
        cj__chain_drop((cj_dataset *[]){first, second}, 2);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    cj__chain_stage *s = cj__chain_new(sizeof *s, (cj_dataset *[]){first, second}, 2);
    if (!s)
        return cj__build_failed(CJ__MADE_DATASET);
    s->source.read = read_one_of_two;
    return cj__chain_finish(s, NULL, count);
}

// ---- How to read ----

static cj_status read_through(const cj__source *source, int64_t index, uint64_t pass,
                              void *const *places)
{
    return cj__dataset_sample(((const cj__chain_stage *)source)->from[0], index, pass, places);
}

// A stage that changes no sample.
static cj__chain_stage *pass_through(cj_dataset *data)
{
    cj__chain_stage *s = cj__chain_new(sizeof *s, &data, 1);
    if (s)
        s->source.read = read_through;
    return s;
}

cj_dataset *cj_dataset_batch_with(cj_dataset *data, const cj_dataset_batch_args *args)
{
    cj_dataset_batch_args given;
    cj_status status =
        cj__args_read("cj_dataset_batch", args, &dataset_batch_defaults, sizeof given, &given);
    if (status == CJ_OK)
        status = cj__chain_check(data, "cj_dataset_batch");
    if (status == CJ_OK &&
        (given.batch_size < 1 || (given.drop_remainder && given.batch_size > data->count)))
        status = cj__fail(CJ_INVALID_ARGUMENT,
                          "cj_dataset_batch: batches of %lld of %lld samples, needed is 1 or more "
                          "and, with drop_remainder, one whole batch",
                          (long long)given.batch_size, (long long)data->count);
    if (status != CJ_OK)
        return cj__chain_refused(data);
    cj__chain_stage *s = pass_through(data);
    if (!s)
        return cj__build_failed(CJ__MADE_DATASET);
    s->source.batch_size = given.batch_size;
    s->source.has_order = true;
    return cj__chain_finish(
        s, NULL,
        given.drop_remainder ? data->count / given.batch_size * given.batch_size : data->count);
}

cj_dataset *cj_dataset_prefetch_with(cj_dataset *data, const cj_dataset_prefetch_args *args)
{
    enum { THREADS_MAX = 64, BATCHES_MAX = 1024 };
    cj_dataset_prefetch_args given;
    cj_status status = cj__args_read("cj_dataset_prefetch", args, &dataset_prefetch_defaults,
                                     sizeof given, &given);
    if (status == CJ_OK)
        status = cj__chain_given(data, "cj_dataset_prefetch");
    if (status == CJ_OK && (given.batches < 0 || given.batches > BATCHES_MAX || given.threads < 0 ||
                            given.threads > THREADS_MAX))
        status =
            cj__fail(CJ_INVALID_ARGUMENT,
                     "cj_dataset_prefetch: %lld batches and %d threads, needed are 0 to %d and "
                     "0 to %d",
                     (long long)given.batches, given.threads, BATCHES_MAX, THREADS_MAX);
    if (status != CJ_OK)
        return cj__chain_refused(data);
    cj__chain_stage *s = pass_through(data);
    if (!s)
        return cj__build_failed(CJ__MADE_DATASET);
    s->source.ahead = given.batches;
    s->source.threads = given.threads;
    return cj__chain_finish(s, NULL, data->count);
}
