// Losses and metrics of spiking networks, of predictions (batch, steps, classes) that are the spikes
// or the membranes of all steps, and one label for each sample. Formulas and names follow snnTorch's
// functional module (Eshraghian and others 2023, "Training Spiking Neural Networks Using Lessons From
// Deep Learning").
#include "train/metrics.h"

#include <math.h>

enum { TIME = 1u << 1 }; // the axis of the steps, as a mask

static int64_t steps_of(const cj_symbol *p)
{
    return cj__symbol_type(p)->shape.dims[1];
}

static int64_t classes_of(const cj_symbol *p)
{
    const cj_shape *shape = &cj__symbol_type(p)->shape;
    return shape->dims[shape->rank - 1];
}

// The labels (batch) as (batch, classes) of `on` for the label and `off` for the others.
static cj_symbol *levels(cj__build *g, cj_symbol *t, cj_symbol *p, double on, double off)
{
    cj_symbol *one_hot = cj__one_hot(g, t, classes_of(p), cj__symbol_type(p)->dtype);
    return cj__shift(g, cj__scale(g, one_hot, on - off), off);
}

// (batch, classes) as (batch, 1, classes)
static cj_symbol *for_steps(cj__build *g, cj_symbol *x)
{
    cj_shape shape;
    if (!x)
        return NULL;
    shape = cj__symbol_type(x)->shape;
    shape = CJ_SHAPE(shape.dims[0], 1, shape.dims[1]);
    return cj__reshape(g, x, &shape);
}

// The cross-entropy of each step, as logits, and their mean over the steps, or their sum.
cj_symbol *cj__values_step_crossentropy(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__steps_args *a = args;
    if (!p)
        return NULL;
    cj_symbol *spread = cj__mul(g, for_steps(g, levels(g, t, p, 1, 0)), cj__log_softmax(g, p));
    cj_symbol *each = cj__sum(g, cj__sum(g, spread, 1u << 2, false), TIME, false);
    return cj__scale(g, each, a->sum ? -1 : -1.0 / (double)steps_of(p));
}

// The cross-entropy of the counts of spikes, as logits.
cj_symbol *cj__values_spike_count_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                               cj_symbol *p)
{
    (void)args;
    return cj__softmax_cross_entropy(g, cj__sum(g, p, TIME, false), t);
}

// The cross-entropy of the greatest membranes, as logits.
cj_symbol *cj__values_max_membrane_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                                cj_symbol *p)
{
    (void)args;
    return cj__softmax_cross_entropy(g, cj__max(g, p, TIME, false), t);
}

static cj_symbol *mean_square(cj__build *g, cj_symbol *difference, uint32_t axes)
{
    return cj__mean(g, cj__apply_unary(g, CJ__UNARY_square, difference, 0, 0), axes, false);
}

// The mean over the classes of (count - whole(rate T))^2, divided by T.
cj_symbol *cj__values_spike_count_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__steps_args *a = args;
    if (!p)
        return NULL;
    const double steps = (double)steps_of(p);
    cj_symbol *wanted = levels(g, t, p, trunc(steps * a->correct), trunc(steps * a->incorrect));
    cj_symbol *error = mean_square(g, cj__sub(g, cj__sum(g, p, TIME, false), wanted), 1u << 1);
    return cj__scale(g, error, 1 / steps);
}

// The mean over steps and classes of (membrane - level)^2.
cj_symbol *cj__values_membrane_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__steps_args *a = args;
    cj_symbol *wanted = for_steps(g, levels(g, t, p, a->correct, a->incorrect));
    return mean_square(g, cj__sub(g, p, wanted), TIME | 1u << 2);
}

// ---- Times of first spikes ----

// (steps, steps): 1 where the column's step is before the row's.
static cj_symbol *before(cj__build *g, cj_dtype dtype, int64_t steps)
{
    cj_tensor *ones = NULL;
    if (cj_tensor_new(dtype, CJ_SHAPE(steps, steps), &ones) != CJ_OK) {
        cj__build_refuse(g, cj_error_status());
        return NULL;
    }
    for (int64_t i = 0; i < steps; i++)
        for (int64_t j = 0; j < steps; j++)
            cj__element_set(dtype, ones->data, i * steps + j, j < i);
    return cj__build_keep(g, cj_symbol_constant(ones));
}

// Numbers of the steps as (steps, 1): 0, 1, ..., or with `last` 1 for the last and 0 for the others.
static cj_symbol *numbers(cj__build *g, cj_dtype dtype, int64_t steps, bool last)
{
    cj_tensor *all = NULL;
    if (cj_tensor_new(dtype, CJ_SHAPE(steps, 1), &all) != CJ_OK) {
        cj__build_refuse(g, cj_error_status());
        return NULL;
    }
    for (int64_t i = 0; i < steps; i++)
        cj__element_set(dtype, all->data, i, last ? i == steps - 1 : (double)i);
    return cj__build_keep(g, cj_symbol_constant(all));
}

// The step of each neuron's first spike, from 0 on, or the last step where there is none: (batch,
// classes). As in snnTorch that step has the gradient -1: a greater membrane fires earlier.
static cj_symbol *first_spikes(cj__build *g, cj_symbol *p)
{
    if (!p)
        return NULL;
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    const int64_t steps = steps_of(p);
    cj_symbol *still = cj__stop_gradient(g, p), *one = cj__scalar(g, dtype, 1);
    cj_symbol *earlier = cj__einsum(g, "ij,bjc->bic", before(g, dtype, steps), still);
    cj_symbol *first =
        cj__mul(g, still, cj__sub(g, one, cj__apply_binary(g, CJ__BINARY_minimum, earlier, one)));
    cj_symbol *none = cj__sub(g, one, cj__sum(g, first, TIME, true));
    first = cj__add(g, first, cj__mul(g, none, numbers(g, dtype, steps, true)));
    cj_symbol *time = cj__sum(g, cj__mul(g, first, numbers(g, dtype, steps, false)), TIME, false);
    cj_symbol *own = cj__sum(g, cj__mul(g, first, p), TIME, false);
    return cj__sub(g, time, cj__sub(g, own, cj__stop_gradient(g, own)));
}

// The cross-entropy of -t, t being the steps of the first spikes: the earliest is the answer.
cj_symbol *cj__values_first_spike_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                               cj_symbol *p)
{
    (void)args;
    return cj__softmax_cross_entropy(g, cj__minus(g, first_spikes(g, p)), t);
}

// The mean over the classes of the squared distance to the wanted step, as a share of the last: 0
// for the label and 1 for the others, unless `correct` and `incorrect` say otherwise.
cj_symbol *cj__values_first_spike_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const cj__steps_args *a = args;
    if (!p)
        return NULL;
    const double last = steps_of(p) > 1 ? (double)(steps_of(p) - 1) : 1;
    cj_symbol *share = cj__scale(g, first_spikes(g, p), 1 / last);
    return mean_square(g, cj__sub(g, share, levels(g, t, p, a->correct, a->incorrect)), 1u << 1);
}

// ---- Metrics ----

static cj_symbol *hits(cj__build *g, cj_symbol *t, cj_symbol *scores)
{
    if (!scores)
        return NULL;
    const cj_dtype dtype = cj__symbol_type(scores)->dtype;
    cj_symbol *chosen = cj__cast(g, cj__argmax(g, scores, 1), dtype);
    return cj__cast(g, cj__compare(g, CJ__COMPARISON_equal, cj__cast(g, t, dtype), chosen), dtype);
}

// The spikes of predictions: where they are above the threshold.
static cj_symbol *spikes_of(cj__build *g, const void *args, cj_symbol *p)
{
    const cj__steps_args *a = args;
    if (!p)
        return NULL;
    return cj__cast(g,
                    cj__compare(g, CJ__COMPARISON_greater, p, cj__scalar_like(g, p, a->threshold)),
                    cj__symbol_type(p)->dtype);
}

// Whether the neuron of the label has the most spikes; of equals the first counts.
cj_symbol *cj__values_spike_count_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                           cj_symbol *p)
{
    return hits(g, t, cj__sum(g, spikes_of(g, args, p), TIME, false));
}

// Whether the neuron of the label is the first to fire; of equals the first counts.
cj_symbol *cj__values_first_spike_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                           cj_symbol *p)
{
    return hits(g, t, cj__minus(g, first_spikes(g, spikes_of(g, args, p))));
}

// The number of spikes of each sample.
cj_symbol *cj__values_spikes_per_sample(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)t;
    p = spikes_of(g, args, p);
    return p ? cj__sum(g, p, cj__all_axes(p) & ~1u, false) : NULL;
}

// The share of neurons and steps with a spike.
cj_symbol *cj__values_spike_rate(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)t;
    p = spikes_of(g, args, p);
    return p ? cj__mean(g, p, cj__all_axes(p) & ~1u, false) : NULL;
}
