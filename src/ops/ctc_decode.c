// ctc_decode: the most likely labels from the scores of classes at each step, in Keras's conventions
// (keras/src/backend/jax/nn.py, ctc_decode).
//
//   x (b, t, c), int32 lengths (b) -> int32 labels (paths, b, t), filled up with -1, and scores (b, paths)
//
// Without beams the greatest class of each step, repeats merged (if attrs.merges), blanks removed; its
// score is minus the sum of those greatest. With beams x holds log probabilities, and the score is the
// logarithm of the sum of the probabilities of all alignments found that give the labels, of which the
// likeliest `beams` prefixes are followed from step to step (Graves, "Sequence Transduction with
// Recurrent Neural Networks", 2012). A prefix has two scores: of alignments that end in its last label,
// and of those that end in a blank. Of equal scores the prefix that was found first goes first.
#include "ops/ctc_decode.h"
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <math.h>
#include <string.h>

static cj_status infer_decode(cj__inference *r)
{
    const cj__ctc_decode_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 3, 3));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 1, false));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 2, false));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_rank(r, 1, 1, 1));
    const int64_t *d = r->inputs[0].shape.dims;
    if (r->inputs[1].shape.dims[0] != d[0])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: there must be a length for each sample",
                        r->op->name);
    if (d[1] < 1 || d[2] < 1 || a->blank < 0 || a->blank >= d[2] || a->paths < 1 || a->beams < 0 ||
        a->beams > 4096 || a->paths > (a->beams ? a->beams : 1))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "%s: %d paths of %d beams, the blank being class %d of %lld: needed are no "
            "more paths than beams, of which at most 4096, and a blank among the classes",
            r->op->name, (int)a->paths, (int)a->beams, (int)a->blank, (long long)d[2]);
    r->output_count = 2;
    r->outputs[0] = (cj__type){CJ_I32, {3, {a->paths, d[0], d[1]}}};
    r->outputs[1] = (cj__type){r->inputs[0].dtype, {2, {d[0], a->paths}}};
    return CJ_OK;
}

// A sample as it is decoded.
typedef struct sample {
    const cj__call *call;
    const cj__ctc_decode_attrs *attrs;
    int64_t index, batch, steps, classes, length;
} sample;

static double score_of(const sample *s, int64_t step, int64_t class)
{
    return cj__element_get(s->call->inputs[0].type.dtype, s->call->inputs[0].data,
                           (s->index * s->steps + step) * s->classes + class);
}

static int32_t *labels_of(const sample *s, int64_t path)
{
    return (int32_t *)s->call->outputs[0].data + (path * s->batch + s->index) * s->steps;
}

static void set_score(const sample *s, int64_t path, double score)
{
    if (s->call->outputs[1].data)
        cj__element_set(s->call->outputs[1].type.dtype, s->call->outputs[1].data,
                        s->index * s->attrs->paths + path, score);
}

static void decode_greedily(const sample *s)
{
    int64_t count = 0, before = -1;
    double sum = 0;
    for (int64_t step = 0; step < s->length; step++) {
        int64_t best = 0;
        for (int64_t class = 1; class < s->classes; class ++)
            best = score_of(s, step, class) > score_of(s, step, best) ? class : best;
        sum += score_of(s, step, best);
        if (best != s->attrs->blank && !(s->attrs->merges && best == before))
            labels_of(s, 0)[count++] = (int32_t)best;
        before = best;
    }
    for (; count < s->steps; count++)
        labels_of(s, 0)[count] = -1;
    set_score(s, 0, -sum);
}

// ---- Beams ----

// A prefix, or one that a step may make: prefix `parent`, longer by `label` unless that is -1.
typedef struct prefix {
    double label_score, blank_score;
    int32_t parent, label;
    int32_t length;
    int32_t taken; // not 0: chosen already
} prefix;

// What is known between two steps: `count` prefixes and their labels, `steps` a row.
typedef struct beams {
    int count;
    prefix *prefixes;
    int32_t *labels;
} beams;

static double log_add(double a, double b)
{
    const double top = a > b ? a : b;
    return isinf(top) ? top : top + log1p(exp(-fabs(a - b)));
}

static double total_of(const prefix *p)
{
    return log_add(p->label_score, p->blank_score);
}

// Bytes of the lists of a sample: two of beams with labels, one of candidates.
static size_t list_bytes(int64_t beam_count, int64_t steps)
{
    return cj__align_up_64((size_t)beam_count * sizeof(prefix)) +
           cj__align_up_64((size_t)(beam_count * steps) * sizeof(int32_t));
}

static size_t sample_bytes(const cj__call *call)
{
    const int64_t *d = call->inputs[0].type.shape.dims;
    const int64_t beam_count = ((const cj__ctc_decode_attrs *)call->attrs)->beams;
    return 2 * list_bytes(beam_count, d[1]) +
           cj__align_up_64((size_t)(beam_count * d[2]) * sizeof(prefix));
}

static size_t workspace_decode(const cj__call *call)
{
    return sample_bytes(call) * (size_t)cj_pool_threads(call->pool);
}

static beams list_at(char *memory, int64_t beam_count)
{
    return (beams){
        0, (prefix *)(void *)memory,
        (int32_t *)(void *)(memory + cj__align_up_64((size_t)beam_count * sizeof(prefix)))};
}

// Which prefix is prefix `of` without its last label; -1 if none.
static int parent_among(const sample *s, const beams *b, int of)
{
    const int32_t *labels = b->labels + of * s->steps;
    const int32_t length = b->prefixes[of].length - 1;
    for (int i = 0; i < b->count && length >= 0; i++)
        if (b->prefixes[i].length == length &&
            memcmp(b->labels + i * s->steps, labels, (size_t)length * sizeof *labels) == 0)
            return i;
    return -1;
}

// What a step makes of each prefix: itself, by a blank or its last label again, and longer ones. One that
// grows into another prefix adds to that.
static int extend(const sample *s, const beams *b, int64_t step, prefix *candidates)
{
    const int blank = s->attrs->blank;
    int count = 0;
    for (int i = 0; i < b->count; i++) {
        const prefix *p = &b->prefixes[i];
        const int32_t last = p->length ? b->labels[i * s->steps + p->length - 1] : -1;
        const int parent = parent_among(s, b, i);
        prefix same = {
            -(double)INFINITY, total_of(p) + score_of(s, step, blank), i, -1, p->length, 0};
        if (last >= 0)
            same.label_score = p->label_score + score_of(s, step, last);
        if (parent >= 0) {
            const prefix *from = &b->prefixes[parent];
            const bool again =
                from->length && b->labels[parent * s->steps + from->length - 1] == last;
            const double grown =
                (again ? from->blank_score : total_of(from)) + score_of(s, step, last);
            same.label_score = log_add(same.label_score, grown);
        }
        candidates[count++] = same;
    }
    const int stay = count;
    for (int i = 0; i < stay; i++)
        for (int32_t class = 0; class < s->classes; class ++) {
            const prefix *p = &b->prefixes[i];
            const int32_t last = p->length ? b->labels[i * s->steps + p->length - 1] : -1;
            bool there = class == blank;
            for (int j = 0; j < b->count && !there; j++)
                there = b->prefixes[j].length == p->length + 1 &&
                        b->labels[j * s->steps + p->length] == class &&
                        memcmp(b->labels + j * s->steps, b->labels + i * s->steps,
                               (size_t)p->length * sizeof *b->labels) == 0;
            if (!there)
                candidates[count++] = (prefix){(class == last ? p->blank_score : total_of(p)) +
                                                   score_of(s, step, class),
                                               -(double)INFINITY,
                                               i,
                                               class,
                                               p->length + 1,
                                               0};
        }
    return count;
}

// The best `most` of the candidates become `to`.
static void keep_best(const sample *s, const beams *from, prefix *candidates, int count, int most,
                      beams *to)
{
    for (to->count = 0; to->count < most && to->count < count; to->count++) {
        prefix *best = NULL;
        for (int i = 0; i < count; i++)
            if (!candidates[i].taken && (!best || total_of(&candidates[i]) > total_of(best)))
                best = &candidates[i];
        int32_t *labels = to->labels + to->count * s->steps;
        best->taken = 1;
        memcpy(labels, from->labels + best->parent * s->steps, (size_t)s->steps * sizeof *labels);
        if (best->label >= 0)
            labels[best->length - 1] = best->label;
        to->prefixes[to->count] = *best;
        to->prefixes[to->count].taken = 0;
    }
}

static void decode_by_beams(const sample *s, char *memory)
{
    const int beam_count = s->attrs->beams;
    const size_t bytes = list_bytes(beam_count, s->steps);
    beams now = list_at(memory, beam_count), next = list_at(memory + bytes, beam_count);
    prefix *candidates = (prefix *)(void *)(memory + 2 * bytes);
    now.count = 1;
    now.prefixes[0] = (prefix){-(double)INFINITY, 0, 0, -1, 0, 0};
    memset(now.labels, 0xff, (size_t)s->steps * sizeof *now.labels); // -1
    for (int64_t step = 0; step < s->length; step++) {
        keep_best(s, &now, candidates, extend(s, &now, step, candidates), beam_count, &next);
        const beams made = next;
        next = now;
        now = made;
    }
    for (int path = 0; path < s->attrs->paths; path++) {
        const bool there = path < now.count;
        for (int64_t i = 0; i < s->steps; i++)
            labels_of(s, path)[i] = there ? now.labels[path * s->steps + i] : -1;
        set_score(s, path, there ? total_of(&now.prefixes[path]) : -(double)INFINITY);
    }
}

static void decode_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t *d = call->inputs[0].type.shape.dims;
    for (int64_t i = begin; i < end; i++) {
        sample s = {
            call, call->attrs, i, d[0], d[1], d[2], ((const int32_t *)call->inputs[1].data)[i]};
        s.length = s.length < 0 ? 0 : s.length > s.steps ? s.steps : s.length;
        if (s.attrs->beams == 0)
            decode_greedily(&s);
        else
            decode_by_beams(&s, (char *)call->workspace +
                                    sample_bytes(call) * (size_t)cj__thread_slot());
    }
}

static cj_status run_decode(const cj__call *call)
{
    const int64_t *d = call->inputs[0].type.shape.dims;
    const int64_t beam_count = ((const cj__ctc_decode_attrs *)call->attrs)->beams;
    cj__each_item(call, d[0], d[1] * d[2] * (1 + beam_count * beam_count), decode_task,
                  (void *)call);
    return CJ_OK;
}

const cj__op cj__op_ctc_decode = {
    .name = "ctc_decode",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__ctc_decode_attrs),
    .infer = infer_decode,
    .workspace = workspace_decode,
    .run = run_decode,
};
