// Values of metrics that are no losses: accuracies and correlations, as Keras defines them
// (keras/src/metrics/accuracy_metrics.py, correlation_metrics.py).
#include "train/metrics.h"

static int last_of(const cj_symbol *x)
{
    return x ? cj__symbol_type(x)->shape.rank - 1 : 0;
}

// A comparison's result as a value of 0 or 1.
static cj_symbol *counted(cj__build *g, cj_symbol *truth, cj_symbol *like)
{
    return like ? cj__cast(g, truth, cj__symbol_type(like)->dtype) : NULL;
}

// Whether two tensors of class numbers are equal; compared as reals, which hold them exactly.
static cj_symbol *same_class(cj__build *g, cj_symbol *a, cj_symbol *b, cj_symbol *p)
{
    return counted(g, cj__compare(g, CJ__COMPARISON_equal, counted(g, a, p), counted(g, b, p)), p);
}

cj_symbol *cj__values_sparse_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                                  cj_symbol *p)
{
    (void)args;
    return same_class(g, t, cj__argmax(g, p, last_of(p)), p);
}

cj_symbol *cj__values_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                           cj_symbol *p)
{
    (void)args;
    return same_class(g, cj__argmax(g, t, last_of(t)), cj__argmax(g, p, last_of(p)), p);
}

// mean of t == (p > threshold)
cj_symbol *cj__values_binary_accuracy(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__accuracy_args *a = args;
    cj_symbol *yes =
        p ? cj__compare(g, CJ__COMPARISON_greater, p, cj__scalar_like(g, p, a->threshold)) : NULL;
    cj_symbol *right = cj__compare(g, CJ__COMPARISON_equal, t, counted(g, yes, p));
    return cj__last_mean(g, counted(g, right, p));
}

cj_symbol *cj__values_sparse_top_k_categorical_accuracy(cj__build *g, const void *args,
                                                        cj_symbol *t, cj_symbol *p)
{
    return counted(g, cj__in_top_k(g, p, t, ((const cj__accuracy_args *)args)->k), p);
}

cj_symbol *cj__values_top_k_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                                 cj_symbol *p)
{
    return cj__values_sparse_top_k_categorical_accuracy(g, args, cj__argmax(g, t, last_of(t)), p);
}

// x less its mean along an axis
static cj_symbol *centered(cj__build *g, cj_symbol *x, uint32_t axes, cj_symbol **mean)
{
    *mean = cj__mean(g, x, axes, true);
    return cj__sub(g, x, *mean);
}

static cj_symbol *mean_square(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__mean(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), axes, true);
}

// (t - mean t) / std t, as Keras: without an epsilon, so that constant targets give NaN
static cj_symbol *standardized(cj__build *g, cj_symbol *x, uint32_t axes)
{
    cj_symbol *mean, *difference = centered(g, x, axes, &mean);
    cj_symbol *unused, *again = centered(g, difference, axes, &unused);
    return cj__div(g, difference,
                   cj__apply_unary(g, CJ__UNARY_sqrt, mean_square(g, again, axes), 0, 0));
}

// mean of the products of standardized targets and predictions
cj_symbol *cj__values_pearson_correlation(cj__build *g, const void *args, cj_symbol *t,
                                          cj_symbol *p)
{
    int axis = 0;
    if (cj__settle_axis(g, p, ((const cj__cosine_args *)args)->axis, &axis) != CJ_OK)
        return NULL;
    const uint32_t axes = 1u << axis;
    return cj__mean(g, cj__mul(g, standardized(g, t, axes), standardized(g, p, axes)), axes, false);
}

// mean of 2 (t - mean p) (p - mean p) / (var t + var p + (mean t - mean p)^2 + epsilon)
cj_symbol *cj__values_concordance_correlation(cj__build *g, const void *args, cj_symbol *t,
                                              cj_symbol *p)
{
    int axis = 0;
    if (cj__settle_axis(g, p, ((const cj__cosine_args *)args)->axis, &axis) != CJ_OK)
        return NULL;
    const uint32_t axes = 1u << axis;
    cj_symbol *t_mean, *p_mean;
    cj_symbol *t_rest = centered(g, t, axes, &t_mean), *p_rest = centered(g, p, axes, &p_mean);
    cj_symbol *product = cj__scale(g, cj__mul(g, cj__sub(g, t, p_mean), p_rest), 2);
    cj_symbol *gap = cj__apply_unary(g, CJ__UNARY_square, cj__sub(g, t_mean, p_mean), 0, 0);
    cj_symbol *norm =
        cj__add(g, cj__add(g, mean_square(g, t_rest, axes), mean_square(g, p_rest, axes)), gap);
    return cj__mean(g, cj__div(g, product, cj__shift(g, norm, CJ__EPSILON)), axes, false);
}

// Keras's metric is the loss with the other sign.
cj_symbol *cj__values_cosine_metric(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    return cj__minus(g, cj__values_cosine_similarity(g, args, t, p));
}
