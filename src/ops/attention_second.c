// The gradient of attention_grad, as an expression that stores the scores: second derivatives are
// rare. With p = softmax(scale q k'), dp = dy v' and ds = p (dp - sum(p dp)),
//
//   dq = scale ds k    dk = scale ds' q    dv = p' dy
//
// and eq, ek, ev arriving, the gradients are, through ds, p and dp in turn,
//
//   by ds: scale (eq k' + q ek')         by dp: softmax_grad(p, that)
//   by p:  dy ev' + what softmax_grad passes to p
//   by the scores: softmax_grad(p, by p)
#include "ops/attention.h"
#include "ops/families.h"

#include <string.h>

// Heads as (key heads, queries a key head), so that one letter sees both.
typedef struct second {
    cj__build *g;
    double scale;
    int64_t key_heads, group;
    cj_symbol *q, *k, *v, *dy, *visible; // visible: a mask (b, k, g, t, s) or NULL
} second;

static const char *const to_scores = "btkgd,bskd->bkgts";
static const char *const to_queries = "bkgts,bskd->btkgd", *const to_keys = "bkgts,btkgd->bskd";

static cj_symbol *grouped(const second *s, cj_symbol *x)
{
    cj_shape shape;
    if (!x)
        return NULL;
    shape = *cj_symbol_shape(x);
    shape.dims[4] = shape.dims[3];
    shape.dims[2] = s->key_heads;
    shape.dims[3] = s->group;
    shape.rank = 5;
    return cj__reshape(s->g, x, &shape);
}

static cj_symbol *product(const second *s, const char *equation, cj_symbol *a, cj_symbol *b)
{
    return a && b ? cj__einsum(s->g, equation, a, b) : NULL;
}

// The sum of what there is.
static cj_symbol *sum_of(const second *s, cj_symbol *a, cj_symbol *b)
{
    return a && b ? cj__add(s->g, a, b) : a ? a : b;
}

static cj_symbol *scaled(const second *s, cj_symbol *x)
{
    return x ? cj__scale(s->g, x, s->scale) : NULL;
}

static cj_symbol *hidden(const second *s, cj_symbol *x, double value)
{
    return x && s->visible ? cj__select(s->g, s->visible, x, cj__scalar_like(s->g, x, value)) : x;
}

static cj_symbol *softmax_grad(const second *s, cj_symbol *p, cj_symbol *dp)
{
    return dp ? cj__append(s->g, &cj__op_softmax_grad, NULL, (cj_symbol *[]){p, dp}, 2) : NULL;
}

static cj_symbol *sum_rows(const second *s, cj_symbol *x)
{
    return cj__sum(s->g, x, 1u << 4, true);
}

// Which keys query i sees: those up to i, of (1, 1, 1, t, s).
static cj_symbol *causal_mask(cj__build *g, int64_t queries, int64_t keys)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(CJ_BOOL, CJ_SHAPE(1, 1, 1, queries, keys), &tensor);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    uint8_t *seen = cj_tensor_data(tensor);
    for (int64_t i = 0; i < queries; i++)
        memset(seen + i * keys, 1, (size_t)(i + 1 < keys ? i + 1 : keys));
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

// Both masks as one that broadcasts to (b, k, g, t, s); NULL for none.
static cj_symbol *visible_of(const second *s, cj_symbol *mask, bool causal)
{
    cj_symbol *earlier =
        causal ? causal_mask(s->g, cj_symbol_shape(s->q)->dims[1], cj_symbol_shape(s->k)->dims[1]) :
                 NULL;
    if (!mask)
        return earlier;
    cj_shape shape = *cj_symbol_shape(mask);
    const bool each = shape.dims[1] != 1;
    memmove(&shape.dims[3], &shape.dims[2], 2 * sizeof shape.dims[0]);
    shape.dims[1] = each ? s->key_heads : 1;
    shape.dims[2] = each ? s->group : 1;
    shape.rank = 5;
    mask = cj__reshape(s->g, mask, &shape);
    if (!earlier)
        return mask;
    cj_symbol *one = cj__scalar(s->g, CJ_F32, 1), *zero = cj__scalar(s->g, CJ_F32, 0);
    cj_symbol *both =
        cj__mul(s->g, cj__select(s->g, mask, one, zero), cj__select(s->g, earlier, one, zero));
    return cj__compare(s->g, CJ__COMPARISON_greater, both, zero);
}

void cj__gradient_attention_grad(cj__build *g, const cj__node *node, cj_symbol *const *e,
                                 cj_symbol **dx)
{
    const cj__attention_attrs *a = (const void *)node->attrs;
    const cj_shape *queries = cj_symbol_shape(node->inputs[0]);
    second s = {.g = g, .scale = a->scale, .key_heads = cj_symbol_shape(node->inputs[1])->dims[2]};
    s.group = queries->dims[2] / s.key_heads;
    s.q = grouped(&s, node->inputs[0]);
    s.k = node->inputs[1];
    s.v = node->inputs[2];
    s.dy = grouped(&s, node->inputs[3]);
    cj_symbol *const eq = grouped(&s, e[0]), *const ek = e[1], *const ev = e[2];
    if (!s.q || !s.dy)
        return;
    s.visible = visible_of(&s, node->input_count == 5 ? node->inputs[4] : NULL, a->causal != 0);
    cj_symbol *scores = hidden(&s, scaled(&s, product(&s, to_scores, s.q, s.k)), -1e9);
    cj_symbol *p = cj__softmax(g, scores), *dp = product(&s, to_scores, s.dy, s.v);
    cj_symbol *ds = hidden(&s, softmax_grad(&s, p, dp), 0);
    cj_symbol *by_ds = hidden(
        &s,
        scaled(&s, sum_of(&s, product(&s, to_scores, eq, s.k), product(&s, to_scores, s.q, ek))),
        0);
    cj_symbol *by_dp = softmax_grad(&s, p, by_ds), *by_p = product(&s, to_scores, s.dy, ev);
    if (by_ds) {
        cj_symbol *left = cj__mul(g, by_ds, cj__sub(g, dp, sum_rows(&s, cj__mul(g, p, dp))));
        by_p =
            sum_of(&s, by_p, cj__sub(g, left, cj__mul(g, dp, sum_rows(&s, cj__mul(g, p, by_ds)))));
    }
    cj_symbol *by_scores = scaled(&s, hidden(&s, softmax_grad(&s, p, by_p), 0));
    cj_symbol *by_q = sum_of(&s, product(&s, to_queries, by_scores, s.k),
                             scaled(&s, product(&s, to_queries, ds, ek)));
    cj_symbol *by_dy =
        sum_of(&s, product(&s, to_queries, by_dp, s.v), product(&s, to_queries, p, ev));
    dx[0] = by_q ? cj__reshape_to(g, by_q, cj__operand_type(node, 0)) : NULL;
    dx[1] =
        sum_of(&s, product(&s, to_keys, by_scores, s.q), scaled(&s, product(&s, to_keys, ds, eq)));
    dx[2] = product(&s, to_keys, by_dp, s.dy);
    dx[3] = by_dy ? cj__reshape_to(g, by_dy, cj__operand_type(node, 3)) : NULL;
}
