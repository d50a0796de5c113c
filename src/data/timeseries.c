// Windows over a series, and sequences of different lengths as one tensor.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "data/source.h"
#include "data/twister.h"
#include <cajal/sounds.h>
#include <string.h>

CJ__DEFAULTS(timeseries_dataset, TIMESERIES_DATASET)
CJ__DEFAULTS(pad_sequences, PAD_SEQUENCES)

// ---- Windows ----

typedef struct windows {
    cj__source source;
    cj_tensor *series, *targets;  // held; targets may be NULL
    int64_t length, stride, rate; // of a window, from window to window, within a window
    int64_t start;
    size_t step_bytes;
    int64_t *order; // of the windows; NULL: as they are
} windows;

static cj_status read_window(const cj__source *source, int64_t index, uint64_t pass,
                             void *const *places)
{
    const windows *w = (const windows *)source;
    const int64_t window = w->order ? w->order[index] : index,
                  begin = w->start + window * w->stride;
    (void)pass;
    for (int64_t i = 0; i < w->length; i++)
        cj__tensor_entry(w->series, begin + i * w->rate,
                         (char *)places[0] + (size_t)i * w->step_bytes);
    if (w->targets)
        cj__tensor_entry(w->targets, begin, places[1]);
    return CJ_OK;
}

static void free_windows(cj__source *source)
{
    windows *w = (windows *)source;
    cj_release(w->series);
    cj_release(w->targets);
    cj__free(w->order);
    cj__free(w);
}

static cj_status check_tensors(const cj_tensor *series, const cj_tensor *targets)
{
    static const char who[] = "cj_timeseries_dataset";
    if (series->dtype == CJ_STRING || (targets && targets->dtype == CJ_STRING))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: texts, it needs numbers", who);
    if (series->shape.rank < 1 || series->shape.rank >= CJ_MAX_RANK ||
        cj_tensor_count(series) < 1 || (targets && cj_tensor_count(targets) < 1) ||
        (targets && targets->shape.rank < 1))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the series and its targets need steps along their first axis", who);
    return CJ_OK;
}

// How many windows there are.
static cj_status count_windows(const cj_timeseries_dataset_args *a, const cj_tensor *series,
                               const cj_tensor *targets, int64_t *count)
{
    static const char who[] = "cj_timeseries_dataset";
    const int64_t steps = series->shape.dims[0], end = a->end_index < 0 ? steps : a->end_index;
    int64_t span;
    if (a->sequence_length < 1 || a->sequence_stride < 1 || a->sampling_rate < 1 ||
        a->end_index < -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: sequence_length %lld, sequence_stride %lld, sampling_rate %lld and "
                        "end_index %lld, needed are 1 or more, and -1 or more for the end",
                        who, (long long)a->sequence_length, (long long)a->sequence_stride,
                        (long long)a->sampling_rate, (long long)a->end_index);
    if (a->start_index < 0 || a->start_index >= end || end > steps)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: steps from %lld to %lld do not lie in a series of %lld", who,
                        (long long)a->start_index, (long long)end, (long long)steps);
    if (__builtin_mul_overflow(a->sequence_length - 1, a->sampling_rate, &span) ||
        span >= end - a->start_index)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: windows of %lld steps, each %lld after the last, do not fit into "
                        "%lld steps",
                        who, (long long)a->sequence_length, (long long)a->sampling_rate,
                        (long long)(end - a->start_index));
    int64_t positions = end - a->start_index - span;
    if (targets) { // as many as there are targets for
        const int64_t there = targets->shape.dims[0] - a->start_index;
        positions = there < positions ? there : positions;
    }
    if (positions < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: there are no targets from step %lld on", who,
                        (long long)a->start_index);
    *count = (positions - 1) / a->sequence_stride + 1;
    if (a->shuffle && *count > UINT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: more than 2^32 windows cannot be shuffled", who);
    return CJ_OK;
}

// What an input and a target are.
static void types_of(const windows *w, cj__type *x, cj__type *y)
{
    *x = (cj__type){w->series->dtype, w->series->shape};
    x->shape.dims[0] = w->length;
    *y = (cj__type){0};
    for (int i = 1; w->targets && i < w->targets->shape.rank; i++)
        y->shape.dims[i - 1] = w->targets->shape.dims[i];
    if (w->targets) {
        y->dtype = w->targets->dtype;
        y->shape.rank = w->targets->shape.rank - 1;
    }
}

static windows *make_windows(const cj_timeseries_dataset_args *a, int64_t count)
{
    windows *w = cj__new(1, sizeof *w);
    if (!w)
        return NULL;
    w->source.read = read_window;
    w->source.free = free_windows;
    w->source.is_cheap = true;
    w->length = a->sequence_length;
    w->stride = a->sequence_stride;
    w->rate = a->sampling_rate;
    w->start = a->start_index;
    if (a->shuffle) {
        if (!(w->order = cj__new((size_t)count, sizeof *w->order))) {
            cj__free(w);
            return NULL;
        }
        cj__twister twister;
        cj__twister_start(&twister, a->seed);
        for (int64_t i = 0; i < count; i++)
            w->order[i] = i;
        cj__twister_shuffle(&twister, w->order, count);
    }
    return w;
}

cj_dataset *cj_timeseries_dataset_with(cj_tensor *series, cj_tensor *targets,
                                       const cj_timeseries_dataset_args *args)
{
    cj_timeseries_dataset_args given;
    int64_t count = 0;
    cj_status status =
        series ? CJ_OK : cj__fail_missing(CJ__MADE_TENSOR, "cj_timeseries_dataset: the series");
    if (status == CJ_OK)
        status = cj__args_read("cj_timeseries_dataset", args, &timeseries_dataset_defaults,
                               sizeof given, &given);
    if (status == CJ_OK)
        status = check_tensors(series, targets);
    if (status == CJ_OK)
        status = count_windows(&given, series, targets, &count);
    windows *w = status == CJ_OK ? make_windows(&given, count) : NULL;
    if (!w) { // both are taken before they are let go: they may be one tensor
        cj_tensor *held[2] = {cj__own(series), cj__own(targets)};
        cj_release(held[0]);
        cj_release(held[1]);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    w->series = cj__own(series);
    w->targets = cj__own(targets);
    w->step_bytes =
        (size_t)(cj_tensor_count(series) / series->shape.dims[0]) * cj_dtype_size(series->dtype);
    cj__type x, y;
    types_of(w, &x, &y);
    const cj__parts parts = {.x_count = 1, .y_count = w->targets ? 1 : 0, .x = &x, .y = &y};
    return cj__stream_new(&w->source, &parts, count);
}

// ---- Padding ----

// The number of steps to have, and whether all have the same entries.
static cj_status measure(cj_tensor *const *sequences, int64_t count, int64_t *longest)
{
    *longest = 0;
    for (int64_t i = 0; i < count; i++) {
        const cj_tensor *s = sequences[i];
        bool same = s && s->shape.rank >= 1 && s->shape.rank < CJ_MAX_RANK &&
                    s->shape.rank == sequences[0]->shape.rank;
        if (!s)
            return cj__fail_missing(CJ__MADE_TENSOR, "cj_pad_sequences: a sequence");
        if (s->dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_pad_sequences: sequence %lld is of texts",
                            (long long)i);
        for (int k = 1; same && k < s->shape.rank; k++)
            same = s->shape.dims[k] == sequences[0]->shape.dims[k];
        if (!same)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "cj_pad_sequences: sequence %lld has other axes than the first",
                            (long long)i);
        *longest = s->shape.dims[0] > *longest ? s->shape.dims[0] : *longest;
    }
    return CJ_OK;
}

static cj_status pad_one(const cj_tensor *sequence, int64_t index, bool pre, bool cut_pre,
                         cj_tensor *padded)
{
    const int64_t length = sequence->shape.dims[0], room = padded->shape.dims[1],
                  kept = length < room ? length : room;
    cj_tensor *from = NULL, *row = NULL, *to = NULL, *flat = NULL;
    cj_shape entry = padded->shape;
    if (kept == 0)
        return CJ_OK;
    entry.rank--;
    memmove(entry.dims, entry.dims + 1, (size_t)entry.rank * sizeof *entry.dims);
    cj_status status = cj_tensor_slice(sequence, 0, cut_pre ? length - kept : 0, kept, &from);
    if (status == CJ_OK)
        status = cj_tensor_slice(padded, 0, index, 1, &row);
    if (status == CJ_OK)
        status = cj_tensor_reshape(row, entry, &flat);
    if (status == CJ_OK)
        status = cj_tensor_slice(flat, 0, pre ? room - kept : 0, kept, &to);
    if (status == CJ_OK)
        status = cj_tensor_copy(to, from);
    cj_release(to);
    cj_release(flat);
    cj_release(row);
    cj_release(from);
    return status;
}

// "pre" or "post".
static cj_status read_word(const char *word, const char *what, bool *pre)
{
    *pre = word && strcmp(word, "pre") == 0;
    if (!word)
        return cj__fail_null_of("cj_pad_sequences", what);
    if (!*pre && strcmp(word, "post") != 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_pad_sequences: %s \"%s\", it needs \"pre\" or \"post\"", what, word);
    return CJ_OK;
}

cj_status cj_pad_sequences_with(cj_tensor *const *sequences, int64_t count, cj_tensor **padded,
                                const cj_pad_sequences_args *args)
{
    cj_pad_sequences_args given;
    bool pre, cut_pre;
    int64_t longest;
    if (!sequences || !padded)
        return cj__fail_null(sequences ? "cj_pad_sequences: the place for the tensor" :
                                         "cj_pad_sequences: the sequences");
    *padded = NULL;
    CJ_TRY(cj__args_read("cj_pad_sequences", args, &pad_sequences_defaults, sizeof given, &given));
    CJ_TRY(read_word(given.padding, "padding", &pre));
    CJ_TRY(read_word(given.truncating, "truncating", &cut_pre));
    if (count < 1 || given.maxlen < 0 || given.dtype == CJ_STRING ||
        (unsigned)given.dtype >= CJ_DTYPE_COUNT)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_pad_sequences: %lld sequences, maxlen %lld and dtype %s, needed are 1 "
                        "or more, 0 or more, and one of numbers",
                        (long long)count, (long long)given.maxlen, cj_dtype_name(given.dtype));
    CJ_TRY(measure(sequences, count, &longest));
    cj_shape shape = {.rank = sequences[0]->shape.rank + 1,
                      .dims = {count, given.maxlen ? given.maxlen : longest}};
    for (int i = 1; i < sequences[0]->shape.rank; i++)
        shape.dims[i + 1] = sequences[0]->shape.dims[i];
    CJ_TRY(cj_tensor_new(given.dtype, shape, padded));
    cj_tensor_fill(*padded, given.value);
    cj_status status = CJ_OK;
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        status = pad_one(sequences[i], i, pre, cut_pre, *padded);
    if (status != CJ_OK) {
        cj_release(*padded);
        *padded = NULL;
    }
    return status;
}
