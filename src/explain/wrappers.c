// Bidirectional, TimeDistributed and SpectralNormalization: what they make of the outputs of the layers that they call,
// which are explained by themselves.
#include "explain/explain.h"
#include <math.h>
#include <string.h>

// The element at `offset` in output 0 of a record, for the sample that is explained.
static double sample_at(const cj__explanation *explanation, const cj__record *record,
                        int64_t offset)
{
    const cj_tensor *y = record->outputs[0];
    return cj__element_at(
        y, explanation->sample * (cj_tensor_count(y) / cj_tensor_shape(y)->dims[0]) + offset);
}

static cj_status not_computed(const cj__explanation *explanation)
{
    return cj__fail(CJ_UNSUPPORTED, "explain: %s: what it wraps was not computed",
                    cj_layer_name(explanation->record->layer));
}

// Bidirectional
// -----------------------------------------------------------------------------------------------

static cj_status merge(const cj__explanation *explanation, const char *mode, double forward,
                       double backward)
{
    char text[3][CJ__DIGITS_TEXT];
    cj__digits(forward, text[0]);
    cj__digits(backward, text[1]);
    if (strcmp(mode, "mul") == 0) {
        cj__print_line(explanation, "forward × backward = %s × %s = %s", text[0], text[1],
                       cj__digits(forward * backward, text[2]));
        return cj__conclude_near(explanation, forward * backward, fabs(forward * backward));
    }
    const double sum = forward + backward, by = strcmp(mode, "ave") == 0 ? 0.5 : 1;
    cj__print_line(explanation, "%s = %s + %s%s = %s",
                   by < 1 ? "the mean of both" : "forward + backward", text[0], text[1],
                   by < 1 ? ", halved" : "", cj__digits(by * sum, text[2]));
    return cj__conclude_near(explanation, by * sum, fabs(forward) + fabs(backward));
}

cj_status cj__explain_bidirectional(cj__explanation *explanation)
{
    cj_layer *const *children;
    const cj__record *records[2] = {NULL, NULL};
    const char *const *mode = cj__layer_setting(explanation->record->layer, "merge_mode");
    cj__layer_children(explanation->record->layer, &children);
    for (int i = 0; i < 2; i++)
        if (cj__records_of(explanation, children[i], &records[i], 1) < 1)
            return not_computed(explanation);
    const bool sequences = cj__setting_flag(children[0], "return_sequences");
    const cj_shape *y = cj_tensor_shape(records[0]->outputs[0]);
    const int64_t units = y->dims[y->rank - 1],
                  made = cj_tensor_shape(explanation->record->outputs[0])->dims[y->rank - 1];
    const int64_t unit = explanation->offset % made % units, row = explanation->offset / made;
    int64_t turned = row; // the backward layer's outputs come last step first
    if (sequences) {
        const int64_t rest =
            cj_tensor_count(records[0]->outputs[0]) / (y->dims[0] * y->dims[1]) / units;
        turned = (y->dims[1] - 1 - row / rest) * rest + row % rest;
    }
    const int64_t at[2] = {row * units + unit, turned * units + unit};
    double values[2];
    char text[CJ__DIGITS_TEXT];
    for (int i = 0; i < 2; i++)
        values[i] = sample_at(explanation, records[i], at[i]);
    if (*mode && strcmp(*mode, "concat") != 0)
        return merge(explanation, *mode, values[0], values[1]);
    const int which = explanation->offset % made >= units;
    cj__print_line(explanation, "%s: unit %lld of the layer that goes %s is %s",
                   *mode ? "side by side" : "both outputs as they are", (long long)unit,
                   which ? "backward" : "forward", cj__digits(values[which], text));
    return cj__conclude(explanation, values[which], values[which]);
}

// TimeDistributed
// -----------------------------------------------------------------------------------------------

cj_status cj__explain_time_distributed(cj__explanation *explanation)
{
    enum { MOST = 4096 };
    cj_layer *const *children;
    const int64_t step = explanation->index[1],
                  time = cj_tensor_shape(explanation->record->outputs[0])->dims[1];
    const int64_t size = cj_tensor_count(explanation->record->outputs[0]) / time;
    const cj__record **records = cj__new(MOST, sizeof *records);
    if (!records)
        return CJ_OUT_OF_MEMORY;
    cj__layer_children(explanation->record->layer, &children);
    const int count = cj__records_of(explanation, children[0], records, MOST);
    const cj__record *record = count > step ? records[step] : records[0];
    cj__free(records);
    if (count < 1)
        return not_computed(explanation);
    // all steps as one batch, or one application for each step
    const cj_tensor *y = record->outputs[0];
    const int64_t own = explanation->offset % size;
    const double value = count == 1 ?
                             cj__element_at(y, (explanation->sample * time + step) * size + own) :
                             sample_at(explanation, record, own);
    char text[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "step %lld by itself: %s gives %s", (long long)step,
                   cj_layer_name(children[0]), cj__digits(value, text));
    return cj__conclude(explanation, value, value);
}

// SpectralNormalization
// -----------------------------------------------------------------------------------------------

cj_status cj__explain_spectral_normalization(cj__explanation *explanation)
{
    cj_layer *const *children;
    const cj__record *record = NULL;
    cj__layer_children(explanation->record->layer, &children);
    if (cj__records_of(explanation, children[0], &record, 1) < 1)
        return not_computed(explanation);
    const double value = sample_at(explanation, record, explanation->offset);
    char text[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "its kernel was divided in training: %s gives %s",
                   cj_layer_name(children[0]), cj__digits(value, text));
    return cj__conclude(explanation, value, value);
}
