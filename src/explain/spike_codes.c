// Codes of numbers as spikes: how one element comes about.
#include "explain/explain.h"

#include <cajal/spiking.h>
#include <math.h>
#include <string.h>

// The place of the chosen element among those of a step.
static int64_t feature_of(const cj__explanation *explanation)
{
    return explanation->offset % cj_tensor_count(explanation->record->inputs[0]);
}

cj_status cj__explain_rate_code(cj__explanation *explanation)
{
    const cj_rate_code_args *a = explanation->record->layer->args;
    const double x = cj__element_at(explanation->record->inputs[0], feature_of(explanation));
    const double rate = a->gain * x + a->offset;
    const double p = fmin(fmax(a->distribution[0] == 'p' ? 1 - exp(-rate) : rate, 0), 1);
    char text[3][CJ__DIGITS_TEXT];
    cj__print_line(explanation, "step %lld: gain x + offset = %s, so a spike has probability %s",
                   (long long)explanation->index[1], cj__digits(rate, text[0]),
                   cj__digits(p, text[1]));
    cj__print_line(explanation, "whether there is one is drawn");
    return cj__conclude(explanation, p > 1 - 1e-6 ? 1 : 0, p < 1e-6 ? 0 : 1);
}

static double latency_of(const cj_latency_code_args *a, double x)
{
    if (a->linear)
        return a->tau * (1 - x);
    const double above = fmax(x, a->threshold + 1e-7);
    return a->tau * log(above / fmax(above - a->threshold, 1e-7));
}

cj_status cj__explain_latency_code(cj__explanation *explanation)
{
    const cj_latency_code_args *a = explanation->record->layer->args;
    const cj_tensor *input = explanation->record->inputs[0];
    const double x = cj__element_at(input, feature_of(explanation));
    const double last = (double)(a->steps - 1);
    double time = latency_of(a, x), latest = 1e-30;
    char text[3][CJ__DIGITS_TEXT];
    cj__print_line(explanation, "%s = %s comes after %s steps",
                   a->linear ? "tau (1 - x), x" : "tau ln(x / (x - threshold)), x",
                   cj__digits(x, text[0]), cj__digits(time, text[1]));
    for (int64_t i = 0; i < cj_tensor_count(input); i++)
        latest = fmax(latest, latency_of(a, cj__element_at(input, i)));
    if (a->normalize) {
        time *= last / latest;
        cj__print_line(explanation,
                       "the latest of the sample comes in the last step: this one at %s",
                       cj__digits(time, text[0]));
    }
    time = fmin(fmax(time, 0), last);
    const double bound = 1e-3 * (1 + fabs(time));
    if (a->output[0] == 't')
        return cj__conclude(explanation, time - bound, time + bound);
    const double off = fabs(time - (double)explanation->index[1]) - 0.5;
    const bool hidden = a->clip && x < a->threshold;
    cj__print_line(explanation, "step %lld is %s the nearest%s", (long long)explanation->index[1],
                   off <= 0 ? "" : "not",
                   hidden ? ", but below the threshold there is no spike" : "");
    return cj__conclude(explanation, !hidden && off < -bound ? 1 : 0,
                        !hidden && off < bound ? 1 : 0);
}

cj_status cj__explain_delta_code(cj__explanation *explanation)
{
    const cj_delta_code_args *a = explanation->record->layer->args;
    const cj_tensor *input = explanation->record->inputs[0];
    const int64_t entry = cj_tensor_count(input) / cj_tensor_shape(input)->dims[1];
    const double x = cj__element_at(input, explanation->offset);
    const double before = explanation->index[1] > 0 ?
                              cj__element_at(input, explanation->offset - entry) :
                          a->padding ? x :
                                       0;
    const double change = x - before, near = 1e-5 * (fabs(x) + fabs(before));
    char text[3][CJ__DIGITS_TEXT];
    cj__print_line(explanation, "%s after %s: a change of %s", cj__digits(x, text[0]),
                   cj__digits(before, text[1]), cj__digits(change, text[2]));
    cj__print_line(explanation, "a spike where it is %s or more%s",
                   cj__digits(a->threshold, text[0]),
                   a->off_spike ? ", -1 where it is that much less" : "");
    double low = 0, high = 0;
    if (change >= a->threshold - near)
        high = 1, low = change >= a->threshold + near;
    if (a->off_spike && change <= -a->threshold + near)
        low -= 1, high -= change <= -a->threshold - near;
    return cj__conclude(explanation, low, high);
}

cj_status cj__explain_population_code(cj__explanation *explanation)
{
    const cj_population_code_args *a = explanation->record->layer->args;
    const int64_t neuron = explanation->offset % a->neurons;
    const double x =
        cj__element_at(explanation->record->inputs[0], explanation->offset / a->neurons);
    const double apart = a->neurons > 1 ? (a->high - a->low) / (double)(a->neurons - 1) : 0;
    const double center = a->neurons > 1 ? a->low + (double)neuron * apart : (a->low + a->high) / 2;
    const double width = !isinf(a->width) ? a->width : apart > 0 ? apart : a->high - a->low;
    const double off = (x - center) / width;
    char text[3][CJ__DIGITS_TEXT];
    cj__print_line(explanation, "neuron %lld of %lld has its center at %s, x = %s is %s widths off",
                   (long long)neuron, (long long)a->neurons, cj__digits(center, text[0]),
                   cj__digits(x, text[1]), cj__digits(off, text[2]));
    const double value = exp(-off * off / 2);
    return cj__conclude_near(explanation, value, 4 * (1 + off * off));
}
