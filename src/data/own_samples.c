// Samples that functions of a program's own read or change.
#include "data/stages.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/sync.h"

CJ__DEFAULTS(dataset_from, DATASET_FROM)
CJ__DEFAULTS(dataset_map, DATASET_MAP)

// The types of given parts. `who` and `what` begin sentences: "cj_dataset_from: x".
static cj_status read_parts(const char *who, const char *what, const cj_part *given, int count,
                            cj__type *types)
{
    if (count < 0 || count > CJ_IN_BRACES)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s_count is %d, it needs 0 to %d", who, what,
                        count, CJ_IN_BRACES);
    for (int i = 0; i < count; i++) {
        if (given[i].dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s[%d] is of texts, it needs numbers", who,
                            what, i);
        types[i] = (cj__type){given[i].dtype, given[i].shape};
    }
    return CJ_OK;
}

// A function of the program's has failed: its status, and the sample in the sentence.
static cj_status failed(cj_status status, const char *who, int64_t index)
{
    status = cj__returned(status, who);
    if (!*cj_error())
        return cj__fail(status, "%s: sample %lld: the function failed and said no more", who,
                        (long long)index);
    return cj__fail_in(status, "sample %lld", (long long)index);
}

// ---- From a function ----

typedef struct reading {
    cj__source source;
    cj_dataset_from_args args;
    cj__mutex lock; // with one_thread
} reading;

static cj_status read_own(const cj__source *source, int64_t index, uint64_t pass,
                          void *const *places)
{
    reading *r = (reading *)(uintptr_t)source;
    const cj_dataset_from_args *a = &r->args;
    const cj_sample_read sample = {.index = index,
                                   .pass = pass,
                                   .x = places,
                                   .y = places + a->x_count,
                                   .sample_weight =
                                       a->weighted ? places[a->x_count + a->y_count] : NULL};
    if (a->one_thread)
        cj__mutex_lock(&r->lock);
    cj__error_forget();
    const cj_status status = a->read(a->context, &sample);
    if (a->one_thread)
        cj__mutex_unlock(&r->lock);
    return status == CJ_OK ? CJ_OK : failed(status, "cj_dataset_from: read", index);
}

static void free_own(cj__source *source)
{
    reading *r = (reading *)source;
    if (r->args.free)
        r->args.free(r->args.context);
    cj__mutex_destroy(&r->lock);
    cj__free(r);
}

static cj_status check_from(const cj_dataset_from_args *a, cj__parts *parts)
{
    static const char who[] = "cj_dataset_from";
    if (!a->read)
        return cj__fail_null("cj_dataset_from: read");
    if (a->x_count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: x_count is %d, it needs 1 to %d", who, a->x_count,
                        CJ_IN_BRACES);
    if (a->count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: count is %lld, it needs at least 1", who,
                        (long long)a->count);
    CJ_TRY(read_parts(who, "x", a->x, a->x_count, parts->x));
    CJ_TRY(read_parts(who, "y", a->y, a->y_count, parts->y));
    parts->x_count = a->x_count;
    parts->y_count = a->y_count;
    parts->weighted = a->weighted;
    return CJ_OK;
}

cj_dataset *cj_dataset_from_new(const cj_dataset_from_args *args)
{
    cj_dataset_from_args given;
    cj__parts parts = {.x_count = 0};
    if (cj__args_read("cj_dataset_from", args, &dataset_from_defaults, sizeof given, &given) !=
        CJ_OK)
        return cj__build_failed(CJ__MADE_DATASET);
    reading *r = check_from(&given, &parts) == CJ_OK ? cj__new(1, sizeof *r) : NULL;
    if (!r) {
        if (given.free)
            given.free(given.context);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    r->source.read = read_own;
    r->source.free = free_own;
    r->args = given;
    cj__mutex_init(&r->lock);
    return cj__stream_new(&r->source, &parts, given.count);
}

// ---- Map ----

typedef struct mapping {
    cj__chain_stage stage;
    cj_dataset_map_args args;
    cj__mutex lock; // with one_thread
    cj__parts before;
    size_t offsets[CJ__PARTS_MAX], bytes; // of a sample before
} mapping;

static cj_status call_map(mapping *m, int64_t index, uint64_t pass, void *const *before,
                          void *const *places, float *weight)
{
    const cj_dataset_map_args *a = &m->args;
    const int inputs = a->x_count < 0 ? m->before.x_count : a->x_count;
    const cj_sample_map sample = {.index = index,
                                  .pass = pass,
                                  .x = (const void *const *)before,
                                  .y = (const void *const *)before + m->before.x_count,
                                  .to_x = places,
                                  .to_y = places + inputs,
                                  .sample_weight = weight};
    if (a->one_thread)
        cj__mutex_lock(&m->lock);
    cj__error_forget();
    const cj_status status = a->call(a->context, &sample);
    if (a->one_thread)
        cj__mutex_unlock(&m->lock);
    return status == CJ_OK ? CJ_OK : failed(status, "cj_dataset_map: call", index);
}

static cj_status read_mapped(const cj__source *source, int64_t index, uint64_t pass,
                             void *const *places)
{
    mapping *m = (mapping *)(uintptr_t)source;
    const int after = (m->args.x_count < 0 ? m->before.x_count : m->args.x_count) +
                      (m->args.y_count < 0 ? m->before.y_count : m->args.y_count);
    const int parts = cj__parts_count(&m->before);
    void *before[CJ__PARTS_MAX];
    float *weight = m->before.weighted ? places[after] : NULL;
    char *bytes = cj__new(1, m->bytes);
    if (!bytes)
        return CJ_OUT_OF_MEMORY;
    for (int p = 0; p < parts; p++)
        before[p] = bytes + m->offsets[p];
    if (weight)
        before[parts - 1] = weight; // it is changed in its place
    cj_status status = cj__dataset_sample(m->stage.from[0], index, pass, before);
    if (status == CJ_OK)
        status = call_map(m, index, pass, before, places, weight);
    cj__free(bytes);
    return status;
}

static void free_map(cj__source *source)
{
    mapping *m = (mapping *)source;
    if (m->args.free)
        m->args.free(m->args.context);
    cj__mutex_destroy(&m->lock);
    cj__chain_free(source);
}

static cj_status keep_types(const char *what, const cj__type *before, int count, cj__type *types)
{
    for (int i = 0; i < count; i++) {
        if (before[i].dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_dataset_map: %s[%d] is of texts, which a function cannot write: "
                            "give the new %s",
                            what, i, what);
        types[i] = before[i];
    }
    return CJ_OK;
}

static cj_status check_map(const cj_dataset *data, const cj_dataset_map_args *a, cj__parts *parts)
{
    static const char who[] = "cj_dataset_map";
    cj__parts before;
    CJ_TRY(cj__chain_check(data, who));
    if (!a->call)
        return cj__fail_null("cj_dataset_map: call");
    if (a->x_count == 0 || a->x_count < -1 || a->y_count < -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: x_count %d and y_count %d, needed are -1 for what is there, or up to "
                        "%d, and one input at least",
                        who, a->x_count, a->y_count, CJ_IN_BRACES);
    cj__parts_of(data, &before);
    *parts = (cj__parts){.x_count = a->x_count < 0 ? before.x_count : a->x_count,
                         .y_count = a->y_count < 0 ? before.y_count : a->y_count,
                         .weighted = before.weighted};
    CJ_TRY(a->x_count < 0 ? keep_types("x", before.x, before.x_count, parts->x) :
                            read_parts(who, "x", a->x, a->x_count, parts->x));
    return a->y_count < 0 ? keep_types("y", before.y, before.y_count, parts->y) :
                            read_parts(who, "y", a->y, a->y_count, parts->y);
}

cj_dataset *cj_dataset_map_with(cj_dataset *data, const cj_dataset_map_args *args)
{
    cj_dataset_map_args given = {.free = NULL};
    cj__parts parts;
    mapping *m = NULL;
    if (cj__args_read("cj_dataset_map", args, &dataset_map_defaults, sizeof given, &given) != CJ_OK)
        return cj__chain_refused(data);
    if (check_map(data, &given, &parts) != CJ_OK)
        cj__chain_drop(&data, 1);
    else
        m = cj__chain_new(sizeof *m, &data, 1);
    if (!m) {
        if (given.free)
            given.free(given.context);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    m->args = given;
    m->stage.source.read = read_mapped;
    m->stage.source.free = free_map;
    m->stage.source.is_cheap = false;
    cj__mutex_init(&m->lock);
    cj__parts_of(data, &m->before);
    if (cj__parts_layout(&m->before, 1, m->offsets, &m->bytes) != CJ_OK) {
        free_map(&m->stage.source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    return cj__chain_finish(&m->stage, &parts, data->count);
}
