// CategoryEncoding and Discretization: numbers as classes, classes as vectors.
#include "explain/explain.h"
#include <cajal/preprocessing.h>
#include <string.h>

// The class that element `offset` of the input stands for.
typedef int64_t (*class_at)(const cj__explanation *explanation, int64_t offset);

static int64_t token_at(const cj__explanation *explanation, int64_t offset)
{
    return (int64_t)cj__element_at(explanation->record->inputs[0], offset);
}

// How many boundaries are not above x; all of them for a number that is none.
static int64_t bin_at(const cj__explanation *explanation, int64_t offset)
{
    const cj_discretization_args *a = explanation->record->layer->args;
    const double x = cj__element_at(explanation->record->inputs[0], offset);
    int64_t bin = 0;
    for (int64_t i = 0; i < a->bin_boundaries.count; i++)
        bin += !(x < (double)(float)a->bin_boundaries.values[i]);
    return bin;
}

// One entry for each class: of one element, or of all elements of the sample.
static cj_status explain_vector(const cj__explanation *explanation, const char *mode,
                                class_at class_of)
{
    const cj_tensor *x = explanation->record->inputs[0], *y = explanation->record->outputs[0];
    const cj_shape *shape = cj_tensor_shape(y);
    const int64_t depth = shape->dims[shape->rank - 1], own = explanation->offset % depth;
    double value = 0;
    if (strcmp(mode, "one_hot") == 0) {
        const int64_t is = class_of(explanation, explanation->offset / depth);
        value = is == own;
        cj__print_line(explanation, "class %lld; entry %lld of its vector is %g", (long long)is,
                       (long long)own, value);
        return cj__conclude(explanation, value, value);
    }
    const bool weighted = explanation->record->input_count > 1;
    double times = 0;
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        const bool is = class_of(explanation, i) == own;
        times += is;
        value += is && weighted ? cj__element_at(explanation->record->inputs[1], i) : is;
    }
    cj__print_line(explanation, "class %lld comes %g times in the sample", (long long)own, times);
    if (weighted)
        cj__print_line(explanation, "the sum of its weights is %g", value);
    if (strcmp(mode, "multi_hot") == 0)
        value = value > 0;
    return cj__conclude(explanation, value, value);
}

cj_status cj__explain_category_encoding(cj__explanation *explanation)
{
    const cj_category_encoding_args *a = explanation->record->layer->args;
    return explain_vector(explanation, a->output_mode, token_at);
}

cj_status cj__explain_discretization(cj__explanation *explanation)
{
    const cj_discretization_args *a = explanation->record->layer->args;
    char text[CJ__DIGITS_TEXT];
    if (strcmp(a->output_mode, "int") != 0)
        return explain_vector(explanation, a->output_mode, bin_at);
    const int64_t bin = bin_at(explanation, explanation->offset);
    cj__print_line(
        explanation, "%s is not below %lld of the %lld boundaries, so it is in bin %lld",
        cj__digits(cj__element_at(explanation->record->inputs[0], explanation->offset), text),
        (long long)bin, (long long)a->bin_boundaries.count, (long long)bin);
    return cj__conclude(explanation, (double)bin, (double)bin);
}
