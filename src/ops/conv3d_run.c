// How 3-D convolutions run: as 2-D ones.
//
// The planes that the taps of an output plane read lie side by side as channels of one image,
// (n od, h, w, kd c): a 2-D convolution of these images by the filters (kh, kw, kd c / groups, f) is
// the 3-D one. With a kernel of depth 1 and no strides along it x is these images already.
//
// All of it is one job. Its phases: the filters are turned; what the 2-D kernel prepares of them;
// the images are gathered; the kernel's other phases; and, of the gradients, the images are added
// up to planes, or the filters are turned back.
#include "ops/conv3d.h"
#include "ops/run.h"
#include "ops/window.h"

#include "base/memory.h"
#include <string.h>

static const cj__operand *operand_of(const cj__call *call, char which)
{
    static const char names[CJ__CONV2D_KINDS][4] = {"xwy", "wyx", "xyw"}; // inputs, then the output
    const char *own = names[call->op->planes->kind];
    const int index = (int)(strchr(own, which) - own);
    return index == 2 ? &call->outputs[0] : &call->inputs[index];
}

static int64_t before_along(const cj__conv3d_attrs *a, int axis, int64_t n)
{
    return a->before[axis] +
           cj__window_before(n, a->kernel[axis], a->strides[axis], a->dilation[axis], a->same);
}

static bool is_images(const cj__conv3d_attrs *a, const int64_t *in, const int64_t *out)
{
    return a->kernel[0] == 1 && a->strides[0] == 1 && in[1] == out[1];
}

static const cj__epilogue *epilogue_in(const cj__call *call)
{
    const cj__conv3d_attrs *a = call->attrs;
    return call->op->epilogue ? &a->epilogue : &cj__no_epilogue;
}

// Planes that are sums of images have their epilogue after the sum.
static bool sums_images(const cj__call *call)
{
    return call->op->planes->kind == CJ__CONV2D_INPUT_GRAD &&
           !is_images(call->attrs, operand_of(call, 'x')->type.shape.dims,
                      operand_of(call, 'y')->type.shape.dims);
}

cj__conv2d_args cj__conv3d_args(const cj__call *call)
{
    const cj__conv3d_attrs *a = call->attrs;
    const int64_t *in = operand_of(call, 'x')->type.shape.dims,
                  *out = operand_of(call, 'y')->type.shape.dims;
    const cj__epilogue *e = sums_images(call) ? &cj__no_epilogue : epilogue_in(call);
    return (cj__conv2d_args){.s = {.n = in[0] * out[1],
                                   .h = in[2],
                                   .w = in[3],
                                   .c = in[4] * a->kernel[0],
                                   .kh = a->kernel[1],
                                   .kw = a->kernel[2],
                                   .f = out[4],
                                   .oh = out[2],
                                   .ow = out[3],
                                   .sh = a->strides[1],
                                   .sw = a->strides[2],
                                   .dh = a->dilation[1],
                                   .dw = a->dilation[2],
                                   .top = before_along(a, 1, in[2]),
                                   .left = before_along(a, 2, in[3]),
                                   .groups = a->groups},
                             .winograd = a->winograd,
                             .act = e->act,
                             .act_a = e->a,
                             .act_b = e->b};
}

// The phases of the whole job from those of the kernel's.
static void make_job(const cj__call *call, cj__conv3d_setup *v)
{
    const cj__conv2d *s = &v->args.s;
    const cj__conv2d_kind kind = call->op->planes->kind;
    const int64_t taps = ((const cj__conv3d_attrs *)call->attrs)->kernel[0] * s->kh * s->kw;
    int phase = 0;
    v->job =
        (cj__job){.workspace = v->filter_bytes + v->images.workspace, .scratch = v->images.scratch};
    if (v->turns)
        v->job.tasks[phase++] = taps;
    for (int i = 0; i < v->images.prepares; i++)
        v->job.tasks[phase++] = v->images.tasks[i];
    v->job.prepares = v->images.prepares > 0 ? phase : 0;
    if (v->gathers)
        v->job.tasks[phase++] = s->n;
    for (int i = v->images.prepares; i < v->images.phases; i++)
        v->job.tasks[phase++] = v->images.tasks[i];
    if (!v->is_images && kind == CJ__CONV2D_FILTER_GRAD)
        v->job.tasks[phase++] = taps;
    if (sums_images(call))
        v->job.tasks[phase++] = v->out_depth > 0 ? s->n / v->out_depth * v->depth : 0;
    v->job.phases = phase;
}

void cj__conv3d_set_up(const cj__call *call, void *setup)
{
    const cj__conv2d_kind kind = call->op->planes->kind;
    const cj__conv3d_attrs *a = call->attrs;
    const int64_t *in = operand_of(call, 'x')->type.shape.dims,
                  *out = operand_of(call, 'y')->type.shape.dims;
    cj__conv3d_setup *v = setup;
    *v = (cj__conv3d_setup){.args = cj__conv3d_args(call), .real = call->kernels->real_size};
    const cj__conv2d *s = &v->args.s;
    v->is_images = is_images(a, in, out);
    v->turns = !v->is_images && kind != CJ__CONV2D_FILTER_GRAD;
    v->gathers = !v->is_images && kind != CJ__CONV2D_INPUT_GRAD;
    v->depth = in[1];
    v->out_depth = out[1];
    v->front = before_along(a, 0, in[1]);
    v->channels = in[4];
    v->plane = in[2] * in[3];
    v->flops =
        2.0 * (double)(s->n * s->oh * s->ow * s->f) * (double)(s->kh * s->kw * (s->c / s->groups));
    if (!v->is_images) {
        v->image_bytes = cj__align_up_64((size_t)(s->n * s->h * s->w * s->c) * v->real);
        v->filter_bytes =
            cj__align_up_64((size_t)(s->kh * s->kw * (s->c / s->groups) * s->f) * v->real);
    }
    call->kernels->conv2d_job[kind](&v->args, &v->images);
    make_job(call, v);
}

// The plan's, or for a call that a pass is considering one that is made here.
static const cj__conv3d_setup *setup_of(const cj__call *call, cj__conv3d_setup *room)
{
    if (call->setup)
        return call->setup;
    cj__conv3d_set_up(call, room);
    return room;
}

// The images lie behind all that a job has, for they are not kept.
size_t cj__conv3d_workspace(const cj__call *call)
{
    cj__conv3d_setup room;
    const cj__conv3d_setup *v = setup_of(call, &room);
    return cj__job_space(call, &v->job) + v->image_bytes;
}

cj__prepared cj__conv3d_prepared(const cj__call *call)
{
    cj__conv3d_setup room;
    const cj__conv3d_setup *v = setup_of(call, &room);
    const cj__conv2d *s = &v->args.s;
    const int filters = call->op->planes->kind == CJ__CONV2D_INPUT_GRAD ? 0 : 1;
    return cj__job_prepares(&v->job, filters, s->n * s->oh * s->ow);
}

double cj__conv3d_flops(const cj__call *call)
{
    cj__conv3d_setup room;
    return setup_of(call, &room)->flops;
}

const char *cj__conv3d_form(const cj__call *call)
{
    const cj__conv3d_attrs *a = call->attrs;
    return a->winograd == 4 ? "winograd 4x4" : a->winograd ? "winograd" : "direct";
}

// ---- the phases ----

typedef struct volumes {
    const cj__call *call;
    const cj__conv3d_attrs *attrs;
    const cj__conv3d_setup *v;
    char *volume, *filters, *images; // x or dx, w or dw; the images of all taps
} volumes;

// `count` parts of so many bytes, which lie side by side, to places `step` bytes apart. Of few channels
// a part is shorter than a call of memcpy() takes.
static void spread_parts(const char *from, char *to, size_t part, size_t step, int64_t count)
{
#define PARTS_OF(bytes)                                                  \
    if (part == (bytes)) {                                               \
        for (int64_t k = 0; k < count; k++, from += (bytes), to += step) \
            memcpy(to, from, bytes);                                     \
        return;                                                          \
    }
    PARTS_OF(4)
    PARTS_OF(8)
    PARTS_OF(12)
    PARTS_OF(16)
    PARTS_OF(32)
    PARTS_OF(64)
    PARTS_OF(128)
    PARTS_OF(256)
#undef PARTS_OF
    for (int64_t k = 0; k < count; k++, from += part, to += step)
        memcpy(to, from, part);
}

// One image from the planes that its taps read; zeros for those outside.
static void gather_image(const volumes *c, int64_t image)
{
    const cj__conv3d_setup *v = c->v;
    const int64_t taps = c->attrs->kernel[0], groups = c->attrs->groups;
    const size_t part = (size_t)(v->channels / groups) * v->real, pixel = part * (size_t)groups,
                 plane = pixel * (size_t)v->plane;
    const int64_t n = image / v->out_depth,
                  first = image % v->out_depth * c->attrs->strides[0] - v->front;
    for (int64_t t = 0; t < taps; t++) {
        const int64_t at = first + t * c->attrs->dilation[0];
        char *to = c->images + (size_t)image * plane * (size_t)taps + (size_t)t * part;
        if (at >= 0 && at < v->depth)
            spread_parts(c->volume + (size_t)(n * v->depth + at) * plane, to, part,
                         part * (size_t)taps, v->plane * groups);
        for (int64_t k = 0; (at < 0 || at >= v->depth) && k < v->plane * groups; k++)
            memset(to + (size_t)k * part * (size_t)taps, 0, part);
    }
}

// Bias and activation of a plane of dx.
static void finish_plane(const volumes *c, char *plane)
{
    const cj__kernels *k = c->call->kernels;
    const cj__epilogue *e = epilogue_in(c->call);
    if (c->call->op->epilogue && c->call->input_count == 3)
        k->binary[CJ__BINARY_add](c->v->plane, c->v->channels, plane, c->v->channels, 1,
                                  c->call->inputs[2].data, 0, 1, plane);
    if (e->act != CJ__UNARY_NONE)
        k->unary[e->act](c->v->plane * c->v->channels, plane, plane, e->a, e->b);
}

// One plane of dx: the sum of the images' parts that read it, tap after tap.
static void sum_plane(const volumes *c, int64_t k)
{
    const cj__conv3d_setup *v = c->v;
    const int64_t taps = c->attrs->kernel[0], groups = c->attrs->groups,
                  depth = v->channels / groups, stride = c->attrs->strides[0];
    const size_t part = (size_t)depth * v->real, plane = part * (size_t)(groups * v->plane);
    char *to = c->volume + (size_t)k * plane;
    const int64_t n = k / v->depth;
    memset(to, 0, plane);
    for (int64_t t = 0; t < taps; t++) {
        const int64_t place = k % v->depth + v->front - t * c->attrs->dilation[0];
        if (place < 0 || place % stride != 0 || place / stride >= v->out_depth)
            continue;
        const char *from = c->images +
                           (size_t)(n * v->out_depth + place / stride) * plane * (size_t)taps +
                           (size_t)t * part;
        c->call->kernels->binary[CJ__BINARY_add](v->plane * groups, depth, to, depth, 1, from,
                                                 depth * taps, 1, to);
    }
    finish_plane(c, to);
}

// One tap's block of filters (kd, kh, kw, ...) as (kh, kw, kd, ...), or back.
static void turn_tap(const volumes *c, char *turned, int64_t task, bool back)
{
    const int64_t *k = c->attrs->kernel, area = k[1] * k[2];
    const size_t block = (size_t)(c->v->channels / c->attrs->groups * c->v->args.s.f) * c->v->real;
    char *own = c->filters + (size_t)task * block;
    turned += (size_t)(task % area * k[0] + task / area) * block;
    memcpy(back ? own : turned, back ? turned : own, block);
}

// Tasks of a phase of the kernel's own job.
static void conv_phase(const volumes *c, char *workspace, int phase, int64_t begin, int64_t end)
{
    const cj__conv2d_kind kind = c->call->op->planes->kind;
    cj__conv2d_args args = c->v->args;
    char *filters = c->v->is_images ? c->filters : workspace,
         *made = operand_of(c->call, 'y')->data;
    args.dx = c->v->is_images ? c->volume : c->images;
    args.dw = filters;
    args.x = args.dx;
    args.w = filters;
    args.y = made;
    args.dy = made;
    if (c->call->op->epilogue && c->call->input_count == 3 && !sums_images(c->call))
        args.bias = c->call->inputs[2].data;
    c->call->kernels->conv2d_run[kind](&args, workspace + c->v->filter_bytes,
                                       cj__job_scratch(c->call, &c->v->job), phase, begin, end);
}

static void run_phase(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const volumes *c = context;
    const cj__conv3d_setup *v = c->v;
    const int prepared = v->turns + v->images.prepares, convolved = v->images.phases + v->turns;
    if (phase >= v->turns && phase < prepared) {
        conv_phase(c, workspace, phase - v->turns, begin, end);
        return;
    }
    if (phase >= prepared + v->gathers && phase < convolved + v->gathers) {
        conv_phase(c, workspace, phase - v->turns - v->gathers, begin, end);
        return;
    }
    for (int64_t task = begin; task < end; task++) {
        if (phase < v->turns)
            turn_tap(c, workspace, task, false);
        else if (phase == prepared && v->gathers)
            gather_image(c, task);
        else if (sums_images(c->call))
            sum_plane(c, task);
        else
            turn_tap(c, workspace, task, true);
    }
}

cj_status cj__conv3d_run(const cj__call *call)
{
    cj__conv3d_setup room;
    const cj__conv3d_setup *v = setup_of(call, &room);
    const volumes c = {
        .call = call,
        .attrs = call->attrs,
        .v = v,
        .volume = operand_of(call, 'x')->data,
        .filters = operand_of(call, 'w')->data,
        .images = v->is_images ? NULL : (char *)call->workspace + cj__job_space(call, &v->job)};
    cj__run_job(call, &v->job, v->flops, run_phase, &c);
    return CJ_OK;
}
