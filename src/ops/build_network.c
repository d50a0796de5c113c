// The functions of build.h that networks are made of: products, convolutions, pools, softmax and
// losses, picking, dropout.
#include "ops/build.h"

cj_symbol *cj__matmul(cj__build *g, cj_symbol *a, cj_symbol *b, bool trans_a, bool trans_b)
{
    const cj__matmul_attrs attrs = {.trans_a = trans_a, .trans_b = trans_b};
    return cj__append(g, &cj__op_matmul, &attrs, (cj_symbol *[]){a, b}, 2);
}

cj_symbol *cj__attention(cj__build *g, cj_symbol *q, cj_symbol *k, cj_symbol *v, cj_symbol *mask,
                         double scale, bool causal)
{
    const cj__attention_attrs attrs = {scale, causal};
    return cj__append(g, &cj__op_attention, &attrs, (cj_symbol *[]){q, k, v, mask}, mask ? 4 : 3);
}

cj_symbol *cj__conv2d_symbol(cj__build *g, cj_symbol *x, cj_symbol *w,
                             const cj__conv2d_attrs *attrs)
{
    return cj__append(g, &cj__op_conv2d, attrs, (cj_symbol *[]){x, w}, 2);
}

cj_symbol *cj__conv2d_transpose(cj__build *g, cj_symbol *x, cj_symbol *w,
                                const cj__conv2d_attrs *attrs)
{
    return cj__append(g, &cj__op_conv2d_transpose, attrs, (cj_symbol *[]){w, x}, 2);
}

cj_symbol *cj__conv3d(cj__build *g, cj_symbol *x, cj_symbol *w, const cj__conv3d_attrs *attrs)
{
    return cj__append(g, &cj__op_conv3d, attrs, (cj_symbol *[]){x, w}, 2);
}

cj_symbol *cj__conv3d_transpose(cj__build *g, cj_symbol *x, cj_symbol *w,
                                const cj__conv3d_attrs *attrs)
{
    return cj__append(g, &cj__op_conv3d_transpose, attrs, (cj_symbol *[]){w, x}, 2);
}

cj_symbol *cj__max_pool2d(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs)
{
    return cj__append(g, &cj__op_max_pool2d, attrs, &x, 1);
}

cj_symbol *cj__average_pool2d(cj__build *g, cj_symbol *x, const cj__pool2d_attrs *attrs)
{
    return cj__append(g, &cj__op_average_pool2d, attrs, &x, 1);
}

cj_symbol *cj__softmax(cj__build *g, cj_symbol *x)
{
    return cj__append(g, &cj__op_softmax, NULL, &x, 1);
}

cj_symbol *cj__log_softmax(cj__build *g, cj_symbol *x)
{
    return cj__append(g, &cj__op_log_softmax, NULL, &x, 1);
}

cj_symbol *cj__softmax_cross_entropy(cj__build *g, cj_symbol *logits, cj_symbol *labels)
{
    return cj__append(g, &cj__op_softmax_cross_entropy, NULL,
                      (cj_symbol *[]){logits, cj__cast(g, labels, CJ_I32)}, 2);
}

cj_symbol *cj__sigmoid_cross_entropy(cj__build *g, cj_symbol *logits, cj_symbol *targets)
{
    return cj__append(g, &cj__op_sigmoid_cross_entropy, NULL, (cj_symbol *[]){logits, targets}, 2);
}

cj_symbol *cj__ctc(cj__build *g, cj_symbol *log_probabilities, cj_symbol *labels)
{
    return cj__append(g, &cj__op_ctc, NULL,
                      (cj_symbol *[]){log_probabilities, cj__cast(g, labels, CJ_I32)}, 2);
}

cj_symbol *cj__circle(cj__build *g, cj_symbol *embeddings, cj_symbol *labels,
                      const cj__circle_attrs *attrs)
{
    return cj__append(g, &cj__op_circle, attrs,
                      (cj_symbol *[]){embeddings, cj__cast(g, labels, CJ_I32)}, 2);
}

cj_symbol *cj__gather(cj__build *g, cj_symbol *table, cj_symbol *indices)
{
    return cj__append(g, &cj__op_gather, &(cj__index_attrs){0},
                      (cj_symbol *[]){table, cj__cast(g, indices, CJ_I32)}, 2);
}

cj_symbol *cj__one_hot(cj__build *g, cj_symbol *labels, int64_t classes, cj_dtype dtype)
{
    cj_symbol *indices = cj__cast(g, labels, CJ_I32);
    return cj__append(g, &cj__op_one_hot, &(cj__index_attrs){.size = classes, .dtype = dtype},
                      &indices, 1);
}

cj_symbol *cj__in_top_k(cj__build *g, cj_symbol *scores, cj_symbol *labels, int64_t k)
{
    return cj__append(g, &cj__op_in_top_k, &(cj__index_attrs){.size = k},
                      (cj_symbol *[]){scores, cj__cast(g, labels, CJ_I32)}, 2);
}

cj_symbol *cj__dropout(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key, double rate)
{
    return cj__append(g, &cj__op_dropout, &(cj__dropout_attrs){key, rate}, (cj_symbol *[]){x, step},
                      2);
}
