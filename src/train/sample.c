// Drawing a token: see cajal/sampling.h.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/random.h"
#include "tensor/tensor.h"

#include <cajal/sampling.h>
#include <math.h>
#include <stdlib.h>

CJ__DEFAULTS(sample, SAMPLE)

// A token that may be drawn: its logit, later its share.
typedef struct candidate {
    double value;
    int64_t token;
} candidate;

static int by_value(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->value < y->value || x->value > y->value)
        return x->value < y->value ? 1 : -1;
    return x->token < y->token ? -1 : 1;
}

static cj_status check(const cj_tensor *scores, const cj_sample_args *a)
{
    if (scores->dtype != CJ_F32 && scores->dtype != CJ_F64)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_sample: scores are %s, needs float32 or float64",
                        cj_dtype_name(scores->dtype));
    if (scores->shape.rank < 1 || cj_tensor_count(scores) < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_sample: there are no scores");
    if (!(a->temperature >= 0) || isinf(a->temperature))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_sample: temperature %g, needs 0 or more",
                        a->temperature);
    if (a->top_k < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_sample: top_k %lld, needs 0 or more",
                        (long long)a->top_k);
    if (!(a->top_p > 0 && a->top_p <= 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_sample: top_p %g, needs more than 0, at most 1",
                        a->top_p);
    return CJ_OK;
}

// The last row as logits. A probability of 0 is a logit of -INFINITY.
static cj_status read_row(const cj_tensor *scores, const cj_sample_args *a, candidate *row,
                          int64_t count)
{
    int64_t offset = 0;
    bool any = false;
    const int last = scores->shape.rank - 1;
    for (int i = 0; i < last; i++)
        offset += (scores->shape.dims[i] - 1) * scores->strides[i];
    for (int64_t i = 0; i < count; i++) {
        const double score =
            cj__element_get(scores->dtype, scores->data, offset + i * scores->strides[last]);
        if (isnan(score) || (a->logits ? score > 0 && isinf(score) : score < 0 || isinf(score)))
            return cj__fail(CJ_NOT_FINITE, "cj_sample: the score of token %lld is %g%s",
                            (long long)i, score, a->logits ? "" : ", no probability");
        row[i] = (candidate){a->logits ? score : log(score), i};
        any = any || row[i].value > -INFINITY;
    }
    return any ? CJ_OK : cj__fail(CJ_NOT_FINITE, "cj_sample: no token has a probability above 0");
}

static int64_t greatest(const candidate *row, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (row[i].value > row[best].value)
            best = i;
    return row[best].token;
}

// Values become exp(value - the greatest); returns their sum.
static double weigh(candidate *row, int64_t count, double temperature)
{
    double most = row[0].value, sum = 0;
    for (int64_t i = 1; i < count; i++)
        most = row[i].value > most ? row[i].value : most;
    for (int64_t i = 0; i < count; i++) {
        row[i].value = exp((row[i].value - most) / temperature);
        sum += row[i].value;
    }
    return sum;
}

static int64_t draw(candidate *row, int64_t count, const cj_sample_args *a)
{
    if (a->top_k > 0 || a->top_p < 1)
        qsort(row, (size_t)count, sizeof *row, by_value);
    if (a->top_k > 0 && a->top_k < count)
        count = a->top_k;
    double sum = weigh(row, count, a->temperature);
    if (a->top_p < 1) {
        double kept = 0;
        int64_t keep = 0;
        while (keep < count && (keep == 0 || kept < a->top_p * sum))
            kept += row[keep++].value;
        count = keep;
        sum = kept;
    }
    double left = cj__random_uniform(cj__key(a->seed, "sample"), a->step, 0) * sum;
    int64_t at = 0, last = 0; // the last one that can be drawn at all
    for (; at < count; at++) {
        if (!(row[at].value > 0))
            continue;
        last = at;
        left -= row[at].value;
        if (left < 0)
            break;
    }
    return row[last].token;
}

cj_status cj_sample_with(const cj_tensor *scores, int64_t *token, const cj_sample_args *args)
{
    cj_sample_args given;
    if (!scores)
        return cj__fail_missing_of(CJ__MADE_TENSOR, "cj_sample", "the scores");
    if (!token)
        return cj__fail_null("cj_sample: the place for the token");
    CJ_TRY(cj__args_read("cj_sample", args, &sample_defaults, sizeof given, &given));
    CJ_TRY(check(scores, &given));
    const int64_t count = scores->shape.dims[scores->shape.rank - 1];
    candidate *row = cj__new((size_t)count, sizeof *row);
    if (!row)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = read_row(scores, &given, row, count);
    if (status == CJ_OK)
        *token = given.temperature > 0 ? draw(row, count, &given) : greatest(row, count);
    cj__free(row);
    return status;
}
