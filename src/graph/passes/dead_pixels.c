// Rows and columns of an image that nothing reads are not computed. A pool that drops a row (11 ->
// 5) leaves a row of the convolution before it dead; fuse_pool leaves that one out. But then the
// convolution's own input has dead rows too, and so has, through the pool before it, the
// convolution before that. This pass walks from the last convolution to the first and shortens what
// each reads, forward and backward; every value that remains keeps its bits.
#include "graph/program.h"
#include "ops/build.h"

enum { READERS_MAX = 8 };

typedef struct chain {
    cj__program *program;
    cj__instruction *conv, *maker; // a convolution; the conv2d_pool that makes its input
    // the input's gradient, and the pool's gradient after it; or NULL
    cj__instruction *by_input, *undo;
    int64_t rows, cols; // of the input that are read
} chain;

static bool is_convolution(const cj__op *op, cj__conv2d_kind kind)
{
    return op->convolution && op->convolution->kind == kind;
}

static int64_t reach(int64_t outputs, int64_t stride, int64_t taps, int64_t dilation)
{
    return (outputs - 1) * stride + (taps - 1) * dilation + 1;
}

// Whether there are no zeros beside the image.
static bool is_bare(const cj__conv2d_attrs *a)
{
    return !a->same && a->before[0] == 0 && a->before[1] == 0 && a->after[0] <= 0 &&
           a->after[1] <= 0;
}

// How much of its input a convolution reads. False if all of it, or if there is
// padding.
static bool find_reach(chain *c)
{
    const cj__conv2d_attrs *a = (const void *)c->conv->attrs;
    const cj_shape *x = &c->program->values[c->conv->inputs[0]].type.shape;
    const cj_shape *y = &c->program->values[c->conv->outputs[0]].type.shape;
    const cj_shape *w = &c->program->values[c->conv->inputs[1]].type.shape;
    const int64_t high = y->dims[1] * (a->chosen.pool[0] > 1 ? a->chosen.pool[0] : 1),
                  wide = y->dims[2] * (a->chosen.pool[1] > 1 ? a->chosen.pool[1] : 1);
    c->rows = reach(high, a->strides[0], w->dims[0], a->dilation[0]);
    c->cols = reach(wide, a->strides[1], w->dims[1], a->dilation[1]);
    return is_bare(a) && (c->rows < x->dims[1] || c->cols < x->dims[2]) && c->rows <= x->dims[1] &&
           c->cols <= x->dims[2];
}

// Whether a gradient instruction of the same convolution has the shortened dy.
static bool has_short_dy(const chain *c, const cj__instruction *gradient)
{
    const cj_shape *dy = &c->program->values[gradient->inputs[1]].type.shape;
    const cj__conv2d_attrs *a = (const void *)gradient->attrs;
    return is_bare(a) &&
           reach(dy->dims[1], a->strides[0], a->kernel[0], a->dilation[0]) <= c->rows &&
           reach(dy->dims[2], a->strides[1], a->kernel[1], a->dilation[1]) <= c->cols;
}

// The input's readers: the convolution, its filters' gradient, and its input's gradient, which asks
// for the shape only.
static bool find_readers(chain *c)
{
    int readers[READERS_MAX];
    const int x = c->conv->inputs[0],
              count = cj__program_readers(c->program, x, readers, READERS_MAX);
    if (count > READERS_MAX)
        return false;
    for (int i = 0; i < count; i++) {
        cj__instruction *reader = &c->program->instructions[readers[i]];
        if (reader == c->conv)
            continue;
        const bool by_filters =
            is_convolution(reader->op, CJ__CONV2D_FILTER_GRAD) && reader->inputs[1] != x;
        const bool by_input = is_convolution(reader->op, CJ__CONV2D_INPUT_GRAD) &&
                              reader->inputs[0] != x && reader->inputs[1] != x && !c->by_input;
        if (!(by_filters || by_input) || !has_short_dy(c, reader))
            return false;
        if (by_input)
            c->by_input = reader;
    }
    return true;
}

// What made the input, and the way back through its pool.
static bool find_maker(chain *c)
{
    int readers[1];
    const int producer = c->program->values[c->conv->inputs[0]].producer;
    c->maker = producer >= 0 ? &c->program->instructions[producer] : NULL;
    if (!c->maker || c->maker->op != &cj__op_conv2d_pool ||
        c->maker->outputs[0] != c->conv->inputs[0])
        return false;
    const int places = cj__program_readers(c->program, c->maker->outputs[1], readers, 1);
    if (places > 1 || (places == 0) != (!c->by_input))
        return false;
    if (places == 0)
        return true;
    c->undo = &c->program->instructions[readers[0]];
    return c->undo->op == &cj__op_max_pool2d_grad &&
           c->undo->inputs[1] == c->by_input->outputs[0] &&
           cj__program_readers(c->program, c->by_input->outputs[0], readers, 1) == 1;
}

static void shorten(const chain *c)
{
    cj__conv2d_choice *a = &((cj__conv2d_attrs *)(void *)c->maker->attrs)->chosen;
    if (c->undo &&
        !cj__crop_pool_grad(c->program, c->undo, c->rows * a->pool[0], c->cols * a->pool[1]))
        return;
    a->out[0] = (int32_t)c->rows;
    a->out[1] = (int32_t)c->cols;
    for (int i = 0; i < 2; i++) {
        c->program->values[c->maker->outputs[i]].type.shape.dims[1] = c->rows;
        c->program->values[c->maker->outputs[i]].type.shape.dims[2] = c->cols;
    }
    if (!c->by_input)
        return;
    c->program->values[c->by_input->outputs[0]].type.shape.dims[1] = c->rows;
    c->program->values[c->by_input->outputs[0]].type.shape.dims[2] = c->cols;
}

cj_status cj__drop_dead_pixels(cj__program *program)
{
    for (int i = program->instruction_count - 1; i >= 0; i--) {
        chain c = {.program = program, .conv = &program->instructions[i]};
        if (is_convolution(c.conv->op, CJ__CONV2D_FORWARD) && find_reach(&c) && find_readers(&c) &&
            find_maker(&c))
            shorten(&c);
    }
    return cj__program_infer(program, 0); // no free axis is left: this checks that all still fits
}
