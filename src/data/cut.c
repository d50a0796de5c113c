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

// Whether a part has the steps that are cut; sample weights have those of their targets.
static bool has_steps(const cj__step_cut *cut, const cj_dataset *data, int part)
{
    const int target = part - data->x_count, weight = target - data->y_count;
    if (target < 0)
        return part < CJ_IN_BRACES && cut->x[part];
    if (weight < 0)
        return target < CJ_IN_BRACES && cut->y[target];
    const cj_shape *shape = &data->weights[weight]->shape;
    return cj__dataset_cuts_targets(data) && shape->rank > 1 && shape->dims[1] == cut->steps;
}

static size_t step_bytes(const cj__step_cut *cut, const cj_dataset *data, int part)
{
    return cj__part_bytes(data, part) / (size_t)cut->steps;
}

// The steps of the batch's longest sample in one input, if they are more than `most`.
static int64_t longest(const cj__step_cut *cut, const cj_dataset *data, const cj__batch *batch,
                       int input, int64_t most)
{
    const size_t size = cj_dtype_size(data->x[input]->dtype), step = step_bytes(cut, data, input);
    for (int64_t i = 0; i < batch->count; i++) {
        const char *sample = (const char *)batch->x[input] + (size_t)(i * cut->steps) * step;
        int64_t steps = cut->steps;
        while (steps > most && is_padding(sample + (size_t)(steps - 1) * step, step / size, size,
                                          cut->padding[input]))
            steps--;
        most = steps > most ? steps : most;
    }
    return most;
}

void cj__cut_batch(const cj__step_cut *cut, const cj_dataset *data, cj__batch *batch)
{
    int64_t steps = 1;
    for (int i = 0; i < data->x_count; i++)
        if (has_steps(cut, data, i))
            steps = longest(cut, data, batch, i, steps);
    steps = (steps - 1) / cut->multiple * cut->multiple + cut->multiple;
    if (steps >= cut->steps)
        return;
    batch->steps = steps;
    for (int p = 0; p < cj__dataset_parts(data); p++) {
        char *bytes = (char *)(uintptr_t)batch->parts[p]; // the reader's own memory
        const size_t step = step_bytes(cut, data, p);
        for (int64_t i = 1; has_steps(cut, data, p) && i < batch->count; i++)
            memmove(bytes + (size_t)(i * steps) * step, bytes + (size_t)(i * cut->steps) * step,
                    (size_t)steps * step);
    }
}

bool cj__dataset_cuts_targets(const cj_dataset *data)
{
    const cj__source *source = cj__dataset_source(data);
    bool any = false;
    for (int i = 0; source && source->cut && i < CJ_IN_BRACES; i++)
        any |= source->cut->y[i];
    return any;
}

cj_tensor *cj__batch_part(const cj_dataset *data, const cj__batch *batch, int part,
                          cj_tensor *tensor)
{
    cj_tensor like = *data->parts[part];
    if (batch->steps > 0 && has_steps(cj__dataset_source(data)->cut, data, part))
        like.shape.dims[1] = batch->steps;
    return cj__batch_tensor(&like, batch->parts[part], batch->count, tensor);
}

// ---- The stage ----

static cj_status take_part(const cj_dataset *data, bool input, int index, cj__step_cut *cut)
{
    const char *what = input ? "input" : "target";
    if (index >= (input ? data->x_count : data->y_count))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %d does not exist", who, what, index);
    const cj_shape *shape = &(input ? data->x : data->y)[index]->shape;
    if (shape->rank < 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %d is one number, it has no steps", who, what,
                        index);
    if (cut->steps > 0 && shape->dims[1] != cut->steps)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s %d has %lld steps, another part has %lld", who,
                        what, index, (long long)shape->dims[1], (long long)cut->steps);
    cut->steps = shape->dims[1];
    return CJ_OK;
}

static cj_status take_parts(const cj_dataset_padded_batch_args *a, const cj_dataset *data,
                            cj__step_cut *cut)
{
    for (int i = 0; i < CJ_IN_BRACES; i++)
        if ((cut->x[i] = a->x[i]))
            CJ_TRY(take_part(data, true, i, cut));
    if (cut->steps == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: no input has steps", who);
    for (int i = 0; i < CJ_IN_BRACES; i++)
        if ((cut->y[i] = a->y[i]))
            CJ_TRY(take_part(data, false, i, cut));
    return CJ_OK;
}

// The padding as an element of each input.
static cj_status make_padding(const cj_dataset *data, double value, cj__step_cut *cut)
{
    const cj_shape one = {.rank = 1, .dims = {1}};
    for (int i = 0; i < CJ_IN_BRACES; i++) {
        cj_tensor *number, *element;
        if (!cut->x[i])
            continue;
        const cj_dtype dtype = data->x[i]->dtype;
        if (dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: input %d has texts, which are not padded",
                            who, i);
        CJ_TRY(cj__tensor_over(CJ_F64, &one, &value, &number));
        const cj_status status = cj_tensor_convert(number, dtype, &element);
        cj_release(number);
        CJ_TRY(status);
        memcpy(cut->padding[i], element->data, cj_dtype_size(dtype));
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
    if (cj__args_read(who, args, &dataset_padded_batch_defaults, sizeof a, &a) != CJ_OK ||
        check(data, &a) != CJ_OK)
        return cj__chain_refused(data);
    padded *p = cj__chain_new(sizeof *p, &data, 1);
    if (!p)
        return cj__build_failed(CJ__MADE_DATASET);
    p->cut.multiple = a.pad_to_multiple;
    if (take_parts(&a, data, &p->cut) != CJ_OK ||
        make_padding(data, a.padding_value, &p->cut) != CJ_OK) {
        cj__chain_free(&p->stage.source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    p->stage.source.read = read_padded;
    p->stage.source.batch_size = a.batch_size;
    p->stage.source.has_order = true;
    p->stage.source.cut = &p->cut;
    const int64_t whole = data->count / a.batch_size * a.batch_size;
    return cj__chain_finish(&p->stage, NULL, a.drop_remainder ? whole : data->count);
}
