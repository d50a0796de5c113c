// Batches that are each as long as their longest sample. Samples lie in memory padded to the length of
// the longest of all; of a batch the steps beyond its own longest sample are taken out.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "data/stages.h"
#include <string.h>

CJ__DEFAULTS(dataset_padded_batch, DATASET_PADDED_BATCH)

typedef struct padded {
    cj__chain_stage stage;
    cj__step_cut cut;
} padded;

static const char who[] = "cj_dataset_padded_batch";

static cj_status read_padded(const cj__source *source, int64_t index, uint64_t pass,
                             void *const *places)
{
    return cj__dataset_sample(((const cj__chain_stage *)source)->from[0], index, pass, places);
}

// Whether all elements of a step are the padding.
static bool is_padding(const char *step, size_t elements, size_t size, const void *padding)
{
    for (size_t i = 0; i < elements; i++)
        if (memcmp(step + i * size, padding, size) != 0)
            return false;
    return true;
}

// The steps of the batch's longest sample in one input, if they are more than `most`.
static int64_t longest(const cj__step_cut *cut, const cj_dataset *data, const cj__batch *batch, int input,
                       int64_t most)
{
    const cj_tensor *like = data->x[input];
    const size_t size = cj_dtype_size(like->dtype);
    const size_t elements =
        (size_t)(cj_shape_count(&like->shape) / like->shape.dims[0] / cut->steps);
    for (int64_t i = 0; i < batch->count; i++) {
        const char *sample = (const char *)batch->x[input] +
                             (size_t)i * (size_t)cut->steps * elements * size;
        int64_t steps = cut->steps;
        while (steps > most && is_padding(sample + (size_t)(steps - 1) * elements * size, elements,
                                          size, cut->padding[input]))
            steps--;
        most = steps > most ? steps : most;
    }
    return most;
}

// Leaves the first steps of each sample.
static void close_up(const cj_tensor *like, const cj__step_cut *cut, const void *part, int64_t count,
                     int64_t steps)
{
    const size_t step = (size_t)(cj_shape_count(&like->shape) / like->shape.dims[0] / cut->steps) *
                        cj_dtype_size(like->dtype);
    char *bytes = (char *)(uintptr_t)part; // the reader's own memory
    for (int64_t i = 1; i < count; i++)
        memmove(bytes + (size_t)(i * steps) * step, bytes + (size_t)(i * cut->steps) * step,
                (size_t)steps * step);
}

void cj__cut_batch(const cj__step_cut *cut, const cj_dataset *data, cj__batch *batch)
{
    int64_t steps = 1;
    for (int i = 0; i < data->x_count; i++)
        if (cut->x[i])
            steps = longest(cut, data, batch, i, steps);
    steps = (steps - 1) / cut->multiple * cut->multiple + cut->multiple;
    if (steps >= cut->steps)
        return;
    batch->steps = steps;
    for (int i = 0; i < data->x_count; i++)
        if (cut->x[i])
            close_up(data->x[i], cut, batch->x[i], batch->count, steps);
    for (int i = 0; i < data->y_count; i++)
        if (cut->y[i])
            close_up(data->y[i], cut, batch->y[i], batch->count, steps);
}

bool cj__dataset_cuts_targets(const cj_dataset *data)
{
    const cj__source *source = cj__dataset_source(data);
    bool any = false;
    for (int i = 0; source && source->cut && i < data->y_count; i++)
        any |= source->cut->y[i];
    return any;
}

static cj_tensor *batch_tensor(const cj_tensor *like, const void *samples, const cj__batch *batch,
                               bool cut, cj_tensor *tensor)
{
    cj_tensor shorter = *like;
    if (cut && batch->steps > 0)
        shorter.shape.dims[1] = batch->steps;
    return cj__batch_tensor(&shorter, samples, batch->count, tensor);
}

const cj_dataset *cj__batch_dataset(const cj_dataset *data, const cj__batch *batch,
                                    cj__batch_data *room)
{
    const cj__source *source = cj__dataset_source(data);
    const cj__step_cut *cut = source ? source->cut : NULL;
    cj_dataset *d = &room->data;
    *d = (cj_dataset){.count = batch->count, .x_count = data->x_count, .y_count = data->y_count};
    for (int i = 0; i < data->x_count; i++)
        d->x[i] = batch_tensor(data->x[i], batch->x[i], batch, cut && cut->x[i], &room->x[i]);
    for (int i = 0; i < data->y_count; i++)
        d->y[i] = batch_tensor(data->y[i], batch->y[i], batch, cut && cut->y[i], &room->y[i]);
    if (batch->sample_weight)
        d->sample_weight = batch_tensor(data->sample_weight, batch->sample_weight, batch, false,
                                        &room->weight);
    return d;
}

// ---- The stage ----

static cj_status take_part(const cj__type *types, int count, bool given, int index, const char *what,
                           cj__step_cut *cut)
{
    if (!given)
        return CJ_OK;
    if (index >= count || types[index].shape.rank < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %d %s", who, what, index,
                        index >= count ? "does not exist" : "is one number, it has no steps");
    const int64_t steps = types[index].shape.dims[0];
    if (cut->steps > 0 && steps != cut->steps)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s %d has %lld steps, input 0 has %lld", who, what,
                        index, (long long)steps, (long long)cut->steps);
    cut->steps = steps;
    return CJ_OK;
}

static cj_status take_parts(const cj_dataset_padded_batch_args *a, const cj__parts *parts,
                            cj__step_cut *cut)
{
    for (int i = 0; i < CJ_IN_BRACES; i++)
        CJ_TRY(take_part(parts->x, parts->x_count, cut->x[i] = a->x[i], i, "input", cut));
    if (cut->steps == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: no input has steps", who);
    for (int i = 0; i < CJ_IN_BRACES; i++)
        CJ_TRY(take_part(parts->y, parts->y_count, cut->y[i] = a->y[i], i, "target", cut));
    return CJ_OK;
}

// The padding as an element of each input.
static cj_status make_padding(const cj__parts *parts, double value, cj__step_cut *cut)
{
    const cj_shape one = {.rank = 1, .dims = {1}};
    for (int i = 0; i < parts->x_count; i++) {
        cj_tensor *number, *element;
        if (!cut->x[i])
            continue;
        if (parts->x[i].dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: input %d has texts, which are not padded",
                            who, i);
        CJ_TRY(cj__tensor_over(CJ_F64, &one, &value, &number));
        const cj_status status = cj_tensor_convert(number, parts->x[i].dtype, &element);
        cj_release(number);
        CJ_TRY(status);
        memcpy(cut->padding[i], element->data, cj_dtype_size(element->dtype));
        cj_release(element);
    }
    return CJ_OK;
}

static cj_status check(const cj_dataset *data, const cj_dataset_padded_batch_args *a)
{
    CJ_TRY(cj__chain_check(data, who));
    if (a->batch_size < 1 || (a->drop_remainder && a->batch_size > data->count))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: batches of %lld of %lld samples, needed is 1 or more and, with "
                        "drop_remainder, one whole batch",
                        who, (long long)a->batch_size, (long long)data->count);
    if (a->pad_to_multiple < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: pad_to_multiple is %lld, it needs at least 1",
                        who, (long long)a->pad_to_multiple);
    return CJ_OK;
}

cj_dataset *cj_dataset_padded_batch_with(cj_dataset *data, const cj_dataset_padded_batch_args *args)
{
    cj_dataset_padded_batch_args a;
    cj__parts parts;
    if (cj__args_read(who, args, &dataset_padded_batch_defaults, sizeof a, &a) != CJ_OK ||
        check(data, &a) != CJ_OK)
        return cj__chain_refused(data);
    padded *p = cj__chain_new(sizeof *p, &data, 1);
    if (!p)
        return cj__build_failed(CJ__MADE_DATASET);
    cj__parts_of(data, &parts);
    p->cut.multiple = a.pad_to_multiple;
    if (take_parts(&a, &parts, &p->cut) != CJ_OK ||
        make_padding(&parts, a.padding_value, &p->cut) != CJ_OK) {
        cj__chain_free(&p->stage.source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    p->stage.source.read = read_padded;
    p->stage.source.batch_size = a.batch_size;
    p->stage.source.has_order = true;
    p->stage.source.cut = &p->cut;
    const int64_t whole = data->count / a.batch_size * a.batch_size;
    return cj__chain_finish(&p->stage, &parts, a.drop_remainder ? whole : data->count);
}
