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

// The types of what a function reads or makes.
typedef struct own_types {
    cj__type x[CJ_IN_BRACES], y[CJ_IN_BRACES];
} own_types;

static cj_status check_from(const cj_dataset_from_args *a, own_types *types, cj__parts *parts)
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
    CJ_TRY(read_parts(who, "x", a->x, a->x_count, types->x));
    CJ_TRY(read_parts(who, "y", a->y, a->y_count, types->y));
    parts->x = types->x;
    parts->y = types->y;
    parts->x_count = a->x_count;
    parts->y_count = a->y_count;
    parts->weight_count = a->weighted;
    return CJ_OK;
}

cj_dataset *cj_dataset_from_new(const cj_dataset_from_args *args)
{
    cj_dataset_from_args given;
    own_types types = {0};
    cj__parts parts = {.x_count = 0};
    if (cj__args_read("cj_dataset_from", args, &dataset_from_defaults, sizeof given, &given) !=
        CJ_OK)
        return cj__build_failed(CJ__MADE_DATASET);
    reading *r = check_from(&given, &types, &parts) == CJ_OK ? cj__new(1, sizeof *r) : NULL;
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
    cj__mutex lock;         // with one_thread
    size_t *offsets, bytes; // of a sample before
} mapping;

static cj_status call_map(mapping *m, int64_t index, uint64_t pass, void *const *before,
                          void *const *places, void *const *weights)
{
    const cj_dataset_map_args *a = &m->args;
    const cj_dataset *from = m->stage.from[0];
    const int inputs = a->x_count < 0 ? from->x_count : a->x_count;
    const cj_sample_map sample = {.index = index,
                                  .pass = pass,
                                  .x = (const void *const *)before,
                                  .y = (const void *const *)before + from->x_count,
                                  .to_x = places,
                                  .to_y = places + inputs,
                                  .sample_weight = from->weight_count ? weights[0] : NULL,
                                  .sample_weights = weights};
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
    const cj_dataset *from = m->stage.from[0];
    const int after = (m->args.x_count < 0 ? from->x_count : m->args.x_count) +
                      (m->args.y_count < 0 ? from->y_count : m->args.y_count);
    const int parts = cj__dataset_parts(from), weights = from->x_count + from->y_count;
    void *few[CJ__PART_PLACES_FEW], **before = cj__part_places(few, parts);
    char *bytes = before ? cj__new(1, m->bytes) : NULL;
    if (!bytes) {
        cj__part_places_end(before, few);
        return CJ_OUT_OF_MEMORY;
    }
    for (int p = 0; p < parts; p++) // weights are changed in their places
        before[p] = p < weights ? bytes + m->offsets[p] : places[after + p - weights];
    cj_status status = cj__dataset_sample(from, index, pass, before);
    if (status == CJ_OK)
        status = call_map(m, index, pass, before, places, before + weights);
    cj__free(bytes);
    cj__part_places_end(before, few);
    return status;
}

static void free_map(cj__source *source)
{
    mapping *m = (mapping *)source;
    if (m->args.free)
        m->args.free(m->args.context);
    cj__mutex_destroy(&m->lock);
    cj__free(m->offsets);
    cj__chain_free(source);
}

// Inputs, or targets, as they were: parts `first` and on of the data set before.
static cj_status check_kept(const char *what, const cj_dataset *before, int first, int count)
{
    for (int i = 0; i < count; i++)
        if (before->parts[first + i]->dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_dataset_map: %s[%d] is of texts, which a function cannot write: "
                            "give the new %s",
                            what, i, what);
    return CJ_OK;
}

static cj_status check_map(const cj_dataset *data, const cj_dataset_map_args *a, own_types *types)
{
    static const char who[] = "cj_dataset_map";
    CJ_TRY(cj__chain_check(data, who));
    if (!a->call)
        return cj__fail_null("cj_dataset_map: call");
    if (a->x_count == 0 || a->x_count < -1 || a->y_count < -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: x_count %d and y_count %d, needed are -1 for what is there, or up to "
                        "%d, and one input at least",
                        who, a->x_count, a->y_count, CJ_IN_BRACES);
    CJ_TRY(a->x_count < 0 ? check_kept("x", data, 0, data->x_count) :
                            read_parts(who, "x", a->x, a->x_count, types->x));
    return a->y_count < 0 ? check_kept("y", data, data->x_count, data->y_count) :
                            read_parts(who, "y", a->y, a->y_count, types->y);
}

// The data set over a map whose arguments are checked.
static cj_dataset *finish_map(mapping *m, const own_types *types)
{
    const cj_dataset *before = m->stage.from[0];
    const cj_dataset_map_args *a = &m->args;
    cj__type *kept = NULL;
    const cj_status status = cj__parts_layout(before, 1, &m->offsets, &m->bytes);
    if (status == CJ_OK)
        kept = cj__new((size_t)cj__dataset_parts(before), sizeof *kept);
    if (!kept) {
        free_map(&m->stage.source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    for (int i = 0; i < cj__dataset_parts(before); i++)
        kept[i] = cj__part_type(before, i);
    const cj__parts parts = {.x_count = a->x_count < 0 ? before->x_count : a->x_count,
                             .y_count = a->y_count < 0 ? before->y_count : a->y_count,
                             .weight_count = before->weight_count,
                             .x = a->x_count < 0 ? kept : types->x,
                             .y = a->y_count < 0 ? kept + before->x_count : types->y,
                             .weights = kept + before->x_count + before->y_count};
    cj_dataset *data = cj__chain_finish(&m->stage, &parts, before->count);
    cj__free(kept);
    return data;
}

cj_dataset *cj_dataset_map_with(cj_dataset *data, const cj_dataset_map_args *args)
{
    cj_dataset_map_args given = {.free = NULL};
    own_types types = {0};
    mapping *m = NULL;
    if (cj__args_read("cj_dataset_map", args, &dataset_map_defaults, sizeof given, &given) != CJ_OK)
        return cj__chain_refused(data);
    if (check_map(data, &given, &types) != CJ_OK)
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
    return finish_map(m, &types);
}
