// Matching targets to predictions, for losses and metrics.
#include "base/error.h"
#include "train/metrics.h"
#include <string.h>

// What to say to targets that another loss or metric takes: one-hot targets where labels are
// needed, or the other way round. `text` holds the advice; it is empty if none fits.
static const char *advise(const cj__loss *loss, const cj_shape *given, const cj_shape *predictions,
                          char *text, size_t size)
{
    static const char sparse[] = "sparse_";
    const char *name = loss->choice.name;
    const bool is_sparse = strncmp(name, sparse, strlen(sparse)) == 0;
    const bool is_one_hot = cj_shape_equal(given, predictions);
    const int rank = given->rank - (given->rank > 1 && given->dims[given->rank - 1] == 1);
    text[0] = '\0';
    if (is_sparse && is_one_hot)
        snprintf(text, size, "; one-hot targets need %s", name + strlen(sparse));
    else if (strncmp(name, "categorical_", strlen("categorical_")) == 0 &&
             rank + 1 == predictions->rank)
        snprintf(text, size, "; class numbers need %s%s", sparse, name);
    return text;
}

// The targets in the shape that is needed, up to axes of length 1 at the end; NULL with a failed
// builder otherwise.
static cj_symbol *reshaped_targets(const cj__loss *loss, const char *who, cj__build *g,
                                   cj_symbol *targets, cj_symbol *predictions)
{
    const bool labels = loss->target == CJ__TARGET_LABELS || loss->target == CJ__TARGET_GROUPS;
    const cj_shape *given = &cj__symbol_type(targets)->shape,
                   *p = &cj__symbol_type(predictions)->shape;
    cj_shape wanted = *p, bare = *given;
    char t_text[CJ_MAX_RANK * 24], p_text[CJ_MAX_RANK * 24], w_text[CJ_MAX_RANK * 24], advice[96];
    if (labels && wanted.rank > 1)
        wanted.rank--;
    if (loss->target == CJ__TARGET_STEPS)
        wanted.rank = 1;
    if (bare.rank == wanted.rank + 1 && bare.dims[wanted.rank] == 1)
        bare.rank--;
    else if (bare.rank + 1 == wanted.rank && wanted.dims[bare.rank] == 1)
        bare.dims[bare.rank++] = 1;
    if (!cj_shape_equal(&bare, &wanted)) {
        if (g->status == CJ_OK)
            g->status = cj__fail(
                CJ_SHAPE_MISMATCH,
                "%s: targets of shape %s do not fit predictions of shape %s, needed are %s%s", who,
                cj_shape_text(given, t_text, sizeof t_text),
                cj_shape_text(p, p_text, sizeof p_text),
                cj_shape_text(&wanted, w_text, sizeof w_text),
                advise(loss, given, p, advice, sizeof advice));
        return NULL;
    }
    return cj_shape_equal(given, &wanted) ? targets : cj__reshape(g, targets, &wanted);
}

cj_symbol *cj__fit_targets(const cj__loss *loss, const char *who, cj__build *g, cj_symbol *targets,
                           cj_symbol *predictions)
{
    if (!targets || !predictions)
        return NULL;
    if (loss->target == CJ__TARGET_STEPS && cj__symbol_type(predictions)->shape.rank != 3) {
        char text[CJ_MAX_RANK * 24];
        cj__build_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: predictions of shape %s, needed are (batch, steps, classes)", who,
                        cj_shape_text(&cj__symbol_type(predictions)->shape, text, sizeof text)));
        return NULL;
    }
    if (loss->target == CJ__TARGET_GIVEN)
        return cj__cast(g, targets, cj__symbol_type(predictions)->dtype);
    if (loss->target != CJ__TARGET_ROWS)
        targets = reshaped_targets(loss, who, g, targets, predictions);
    return targets ?
               cj__cast(g, targets,
                        loss->target == CJ__TARGET_SAME ? cj__symbol_type(predictions)->dtype :
                                                          CJ_I32) :
               NULL;
}

cj_symbol *cj__loss_values(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                           cj_symbol *targets, cj_symbol *predictions, cj_symbol **counts)
{
    if (counts)
        *counts = NULL;
    if (!targets || !predictions)
        return NULL;
    loss = cj__metric_resolve(loss, &cj__symbol_type(targets)->shape,
                              &cj__symbol_type(predictions)->shape);
    targets = cj__fit_targets(loss, who, g, targets, predictions);
    if (!targets)
        return NULL;
    cj_symbol *values = loss->values(g, args, targets, predictions);
    if (counts && loss->counts)
        *counts = loss->counts(g, args, targets, values);
    return g->status == CJ_OK ? values : NULL;
}

cj_symbol *cj__metric_states(const cj__metric_row *metric, const void *args, const char *who,
                             cj__build *g, cj__metric_inputs inputs)
{
    inputs.targets = cj__fit_targets(&metric->of, who, g, inputs.targets, inputs.predictions);
    if (!inputs.targets)
        return NULL;
    cj_symbol *states = metric->states(g, args, &inputs);
    return g->status == CJ_OK ? states : NULL;
}

cj_symbol *cj__full_weights(cj__build *g, const cj__metric_inputs *in, const cj_symbol *like)
{
    if (!like)
        return NULL;
    // held by the builder, which only reads it
    cj_symbol *shape = (cj_symbol *)(uintptr_t)like;
    cj_symbol *weights =
        in->weights ? cj__spread_weights(g, in->weights, like) : cj__scalar_like(g, like, 1);
    return cj__broadcast_like(g, weights, shape);
}

cj_symbol *cj__sums_by_index(cj__build *g, cj_symbol *index, cj_symbol *values, int64_t size)
{
    return cj__append(g, &cj__op_gather_grad, &(cj__index_attrs){.size = size},
                      (cj_symbol *[]){index, values}, 2);
}

cj_symbol *cj__in_a_row(cj__build *g, cj_symbol *const *parts, int count)
{
    for (int i = 0; i < count; i++)
        if (!parts[i])
            return NULL;
    return cj__concat(g, parts, count, 0);
}

double cj__share(double a, double b)
{
    return b > 0 || b < 0 ? a / b : 0;
}
