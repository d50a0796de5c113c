// The input's gradient of a convolution of one tap without strides and padding: a product of matrices,
// dx = dy w', whose rows are pixels. (Forward the direct form is as fast as the product, and by the
// filters faster, since its pieces of the batch read dy once.)
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_PRODUCT_H
#define CJ_KERNELS_BODY_CONV_CONV2D_PRODUCT_H

#include "kernels/body/product/gemm.h"

// With fewer channels, filters or pixels dx is as fast by the other forms.
enum { PRODUCT_LEAST = 128, PRODUCT_PIXELS = 256 };

static bool is_of_pixels(const cj__conv2d *s)
{
    return s->kh == 1 && s->kw == 1 && s->sh == 1 && s->sw == 1 && s->top == 0 && s->left == 0 &&
           s->oh == s->h && s->ow == s->w && s->groups == 1;
}

static bool is_input_product(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return is_of_pixels(s) && !a->to_bf16 && s->c >= PRODUCT_LEAST && s->f >= PRODUCT_LEAST &&
           s->n * s->h * s->w >= PRODUCT_PIXELS;
}

static cj__gemm input_product_of(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return (cj__gemm){.m = s->n * s->h * s->w,
                      .n = s->c,
                      .k = s->f,
                      .a = a->dy,
                      .b = a->w,
                      .c = a->dx,
                      .lda = s->f,
                      .ldb = s->f,
                      .ldc = s->c,
                      .trans_b = true,
                      .bias = a->bias,
                      .act = a->act,
                      .act_a = a->act_a,
                      .act_b = a->act_b};
}

#endif
