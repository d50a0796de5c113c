// ReversibleEmbedding: a row of its table, or in reverse the product with a row of it.
#include "explain/explain.h"

#include "base/memory.h"
#include <cajal/embeddings.h>
#include <math.h>
#include <string.h>

// Element `unit` of the logits: the sum over i of x[i] E[unit, i], or of x[i] R[i, unit].
static cj_status explain_products(cj__explanation *explanation, double *x, double *w)
{
    const cj__record *record = explanation->record;
    const cj_reversible_embedding_args *a = record->layer->args;
    const int64_t width = a->output_dim, unit = explanation->offset % a->input_dim,
                  row = explanation->offset / a->input_dim;
    const cj_tensor *table =
        cj__weight(record, a->tie_weights ? "embeddings" : "reverse_embeddings");
    double sum = 0, magnitude = 0;
    char text[CJ__DIGITS_TEXT], capped[CJ__DIGITS_TEXT], limit[CJ__DIGITS_TEXT];
    for (int64_t i = 0; i < width; i++) {
        x[i] = cj__element_at(record->inputs[0], row * width + i);
        w[i] = cj__element_at(table, a->tie_weights ? unit * width + i : i * a->input_dim + unit);
    }
    cj__print_line(explanation, "logit %lld: the input times %s %lld of the table", (long long)unit,
                   a->tie_weights ? "row" : "column", (long long)unit);
    const cj__products products = {"input", a->tie_weights ? "row" : "column", x, w, width};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    // bfloat16 has 8 bits: each factor and the sum are off by 2^-8 of themselves at most
    if (a->reverse_dtype && strcmp(a->reverse_dtype, "bfloat16") == 0)
        magnitude *= ldexp(1, 18);
    if (!isfinite(a->logit_soft_cap))
        return cj__conclude_near(explanation, sum, magnitude);
    const double value = a->logit_soft_cap * tanh(sum / a->logit_soft_cap);
    cj__print_line(explanation, "%s tanh(%s / %s) = %s", cj__digits(a->logit_soft_cap, limit),
                   cj__digits(sum, text), limit, cj__digits(value, capped));
    return cj__conclude_near(explanation, value, magnitude + fabs(value));
}

cj_status cj__explain_reversible_embedding(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const int64_t width = ((const cj_reversible_embedding_args *)record->layer->args)->output_dim;
    if (!cj__call_setting_in(record->layer->kind, record->called, "reverse"))
        return cj__explain_embedding(explanation);
    double *buffer = cj__new((size_t)width * 2, sizeof *buffer);
    if (!buffer)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = explain_products(explanation, buffer, buffer + width);
    cj__free(buffer);
    return status;
}
