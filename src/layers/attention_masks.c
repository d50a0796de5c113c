// Masks of attention, and attention itself with what the op does not have: scores and dropout.
#include "base/error.h"
#include "layers/attention.h"

cj_symbol *cj__mask_and(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    if (!a || !b)
        return a ? a : b;
    cj_symbol *both = cj__mul(g, cj__cast(g, a, CJ_F32), cj__cast(g, b, CJ_F32));
    return cj__compare(g, CJ__COMPARISON_greater, both, cj__scalar(g, CJ_F32, 0));
}

cj_symbol *cj__mask_of_queries(cj__build *g, cj_symbol *mask)
{
    const cj_shape *m = cj_symbol_shape(mask);
    return cj__reshape(g, mask, &CJ_SHAPE(m->dims[0], 1, m->dims[1], 1));
}

cj_symbol *cj__mask_of_keys(cj__build *g, cj_symbol *mask)
{
    const cj_shape *m = cj_symbol_shape(mask);
    return cj__reshape(g, mask, &CJ_SHAPE(m->dims[0], 1, 1, m->dims[1]));
}

cj_symbol *cj__mask_of_band(cj__build *g, int64_t queries, int64_t keys, int64_t before,
                            int64_t after)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(CJ_BOOL, CJ_SHAPE(1, 1, queries, keys), &tensor);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    uint8_t *const seen = (uint8_t *)cj_tensor_data(tensor);
    for (int64_t i = 0; i < queries; i++)
        for (int64_t j = 0; j < keys; j++)
            seen[i * keys + j] = j - i < after && i - j < before;
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

cj_symbol *cj__mask_of_input(cj__build *g, cj_symbol *x)
{
    if (cj_symbol_dtype(x) == CJ_BOOL)
        return x;
    return cj__compare(g, CJ__COMPARISON_not_equal, cj__cast(g, x, CJ_F32),
                       cj__scalar(g, CJ_F32, 0));
}

// The scores (b, h, t, s) of scaled queries, hidden where the mask is false.
static cj_symbol *scores_of(cj__build *g, const cj__attending *how, cj_symbol *mask, cj_symbol *q,
                            cj_symbol *k)
{
    cj_symbol *scores = cj__einsum(g, "bthd,bshd->bhts", cj__scale(g, q, how->scale), k);
    if (mask)
        scores = cj__select(g, mask, scores, cj__scalar(g, CJ_F32, -1e9));
    scores = cj__softmax(g, scores);
    if (mask && how->zero_if_masked)
        scores = cj__select(g, mask, scores, cj__scalar(g, CJ_F32, 0));
    return scores;
}

// Each head of keys or values once for each head of queries.
static cj_symbol *repeated(cj__build *g, cj_symbol *x, int64_t heads)
{
    const cj_shape *s = cj_symbol_shape(x);
    if (s->dims[2] == heads)
        return x;
    const int64_t times = heads / s->dims[2];
    cj_symbol **copies = cj__build_memory(g, (size_t)times, sizeof *copies);
    if (!copies)
        return NULL;
    cj_symbol *column =
        cj__reshape(g, x, &CJ_SHAPE(s->dims[0], s->dims[1], s->dims[2], 1, s->dims[3]));
    for (int64_t i = 0; i < times; i++)
        copies[i] = column;
    return cj__reshape(g, cj__concat(g, copies, (int)times, 3),
                       &CJ_SHAPE(s->dims[0], s->dims[1], heads, s->dims[3]));
}

cj_symbol *cj__attend(cj__layer_context *c, const cj__attending *how, cj_symbol *q, cj_symbol *k,
                      cj_symbol *v, cj_symbol **scores)
{
    cj__build *g = c->build;
    const bool dropped = c->trace->training && how->dropout > 0;
    if (!q || !k || !v)
        return NULL;
    if (!how->scores && !dropped && !(how->zero_if_masked && how->mask))
        return cj__attention(g, q, k, v, how->mask, how->scale, how->causal);
    const int64_t queries = cj_symbol_shape(q)->dims[1], keys = cj_symbol_shape(k)->dims[1],
                  heads = cj_symbol_shape(q)->dims[2];
    cj_symbol *mask = how->mask;
    if (how->causal)
        mask = cj__mask_and(g, mask, cj__mask_of_band(g, queries, keys, INT64_MAX, 1));
    cj_symbol *p = scores_of(g, how, mask, q, repeated(g, k, heads));
    *scores = p;
    if (dropped)
        p = cj__dropout(g, p, c->trace->step, cj__trace_key(c->trace, how->seed, c->layer->name),
                        how->dropout);
    if (how->scores_dropped)
        *scores = p;
    return cj__einsum(g, "bhts,bshe->bthe", p, repeated(g, v, heads));
}
