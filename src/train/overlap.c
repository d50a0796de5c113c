// Losses that compare areas, embeddings and sequences, as Keras defines them
// (keras/src/losses/losses.py). t are the targets and p the predictions.
#include "base/error.h"
#include "train/losses.h"

// The axes of an overlap, as a mask. Without any the whole batch is one area, and the loss is a
// scalar.
static cj_status area(cj__build *g, const cj__overlap_args *args, const cj_symbol *x,
                      uint32_t *axes)
{
    *axes = 0;
    for (int i = 0; i < 8 && args->axis[i]; i++) {
        int axis = 0;
        CJ_TRY(cj__settle_axis(g, x, args->axis[i], &axis));
        *axes |= 1u << axis;
    }
    if (!*axes)
        *axes = cj__all_axes(x);
    return CJ_OK;
}

// 1 - 2 sum t p / (sum t + sum p + epsilon)
cj_symbol *cj__values_dice(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    uint32_t axes = 0;
    if (area(g, args, p, &axes) != CJ_OK)
        return NULL;
    cj_symbol *both = cj__sum(g, cj__mul(g, t, p), axes, false);
    cj_symbol *all = cj__add(g, cj__sum(g, t, axes, false), cj__sum(g, p, axes, false));
    return cj__complement(g, cj__div(g, cj__scale(g, both, 2), cj__shift(g, all, CJ__EPSILON)));
}

// 1 - b / (b + alpha sum t (1 - p) + beta sum p (1 - t) + epsilon) with b = sum t p
cj_symbol *cj__values_tversky(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__overlap_args *a = args;
    uint32_t axes = 0;
    if (area(g, a, p, &axes) != CJ_OK)
        return NULL;
    cj_symbol *both = cj__sum(g, cj__mul(g, t, p), axes, false);
    cj_symbol *only_t = cj__sum(g, cj__mul(g, cj__complement(g, p), t), axes, false);
    cj_symbol *only_p = cj__sum(g, cj__mul(g, p, cj__complement(g, t)), axes, false);
    cj_symbol *missed = cj__add(g, cj__scale(g, only_t, a->alpha), cj__scale(g, only_p, a->beta));
    cj_symbol *all = cj__shift(g, cj__add(g, both, missed), CJ__EPSILON);
    return cj__complement(g, cj__div(g, both, all));
}

// See ops/circle.c.
cj_symbol *cj__values_circle(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__circle_args *a = args;
    const cj__circle_attrs attrs = {a->gamma, a->margin, a->remove_diagonal};
    return cj__circle(g, p, t, &attrs);
}

// Whether values are greater than 0: samples without a positive or a negative do not count.
cj_symbol *cj__counts_positive(cj__build *g, const void *args, cj_symbol *t, cj_symbol *values)
{
    (void)args, (void)t;
    return values ? cj__compare(g, CJ__COMPARISON_greater, values, cj__scalar_like(g, values, 0)) :
                    NULL;
}

// -ln of the probability of labels t (batch, n), filled up with 0, given logits p (batch, t, c) of
// which class 0 is the blank: see ops/ctc.c.
cj_symbol *cj__values_ctc(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__ctc(g, cj__log_softmax(g, p), t);
}
