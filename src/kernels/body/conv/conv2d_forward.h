// The entries of the forward convolution: the frame of zeros where windows reach outside, then
// pixels, or pools' windows.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_FORWARD_H
#define CJ_KERNELS_BODY_CONV_CONV2D_FORWARD_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_parts.h"
#include "kernels/body/conv/conv2d_pool.h"
#include "kernels/body/conv/conv2d_sparse.h"
#include "kernels/body/conv/depthwise.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_forward.h"

static void depthwise_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    const depthwise d = depthwise_forward_of(a);
    depthwise_job(&d, job);
}

static void conv2d_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    if (winograd_serves(a, CJ__CONV2D_FORWARD))
        winograd_forward_job(a, job);
    else if (is_sparse_forward(a))
        sparse_forward_job(a, job);
    else if (is_by_parts(&a->s))
        parts_job(a, job);
    else if (has_pool(a))
        conv2d_pool_job(a, job);
    else if (is_depthwise(&a->s))
        depthwise_forward_job(a, job);
    else
        conv2d_plain_job(&a->s, job);
}

static void conv2d_plain_pixels(const cj__conv2d_args *a, const void *frame, int64_t begin,
                                int64_t end)
{
    const cj__conv2d *s = &a->s;
    const framed f = framed_of(s, a->x, frame);
    const epilogue e = epilogue_of(a);
    const int64_t chunk = conv_chunk(s), pixels = s->n * s->oh * s->ow;
    for (int64_t task = begin; task < end; task++)
        for (int64_t group = 0; group < s->groups; group++)
            conv2d_group(&f, group, a->w, &e, a->y, task * chunk, min((task + 1) * chunk, pixels));
}

static void conv2d_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase,
                               int64_t begin, int64_t end)
{
    if (winograd_serves(a, CJ__CONV2D_FORWARD)) {
        winograd_forward_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_sparse_forward(a)) {
        sparse_forward_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_by_parts(&a->s)) {
        convolve_by_parts(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_depthwise(&a->s) && !has_pool(a)) {
        const depthwise d = depthwise_forward_of(a);
        depthwise_run_tasks(&d, scratch, begin, end);
        return;
    }
    if (needs_frame(&a->s) && phase == 0) {
        for (int64_t image = begin; image < end; image++)
            frame_image(&a->s, a->x, workspace, image);
        return;
    }
    if (has_pool(a))
        conv2d_pool_windows(a, workspace, scratch, begin, end);
    else
        conv2d_plain_pixels(a, workspace, begin, end);
}

#endif
