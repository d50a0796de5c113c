// The ops on texts, with vocabularies that are empty: every token is unknown. With vocabularies they
// are compared with Keras (tests/parity/text.c).
#include "reference.h"

#include "tensor/strings.h"

#include <string.h>

static int64_t word_count(const cj_tensor *texts, int64_t index)
{
    const cj_text text = cj__string_at(cj_tensor_data(texts), index);
    int64_t words = 0;
    for (int64_t i = 0; i < text.length; i++)
        words += text.data[i] != ' ' && (i == 0 || text.data[i - 1] == ' ');
    return words;
}

static void ref_token_indices(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__text_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i,
                 i % a->size < word_count(in[0], i / a->size) ? (double)a->lookup.oov : 0);
}

static void ref_token_counts(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__text_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i,
                 i % a->size == a->lookup.oov ? (double)word_count(in[0], i / a->size) : 0);
}

static int64_t remainder_of(const cj_tensor *x, int64_t index, int64_t by)
{
    const int64_t number = (int64_t)case_get(x, index);
    return ((number % by) + by) % by;
}

static void ref_lookup(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__lookup_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i,
                 (double)(a->oov + (a->oov_count > 1 ? remainder_of(in[0], i, a->oov_count) : 0)));
}

static void ref_bins(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__bins_attrs *a = c->attrs;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, (double)remainder_of(in[0], i, a->size));
}

// There is one bin.
static void ref_crossed_bins(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c, (void)in;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++)
        case_set(out[0], i, 0);
}

static void ref_index_counts(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__index_attrs *a = c->attrs;
    const cj_shape *x = cj_tensor_shape(in[0]);
    const int64_t each = x->dims[x->rank - 1];
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        double count = 0;
        for (int64_t j = 0; j < each; j++)
            count += (int64_t)case_get(in[0], i / a->size * each + j) == i % a->size;
        case_set(out[0], i, a->once && count > 0 ? 1 : count);
    }
}

static void ref_entry(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    (void)c;
    const int64_t last = cj_tensor_count(in[0]) - 1;
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const int64_t index = (int64_t)case_get(in[1], i);
        case_set(out[0], i, case_get(in[0], index >= 0 && index < last ? index : last));
    }
}

static const struct {
    const cj__op *op;
    reference function;
} rows[] = {
    {&cj__op_token_indices, ref_token_indices},
    {&cj__op_token_counts, ref_token_counts},
    {&cj__op_lookup, ref_lookup},
    {&cj__op_bins, ref_bins},
    {&cj__op_crossed_bins, ref_crossed_bins},
    {&cj__op_index_counts, ref_index_counts},
    {&cj__op_entry, ref_entry},
};

reference reference_of_texts(const cj__op *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op)
            return rows[i].function;
    return NULL;
}
