// Fusion of a max pool into the convolution before it, and of ReLU's gradient into the pool's:
//
//   r = conv2d_bias_act(x, w, b; relu)              y, place = conv2d_pool(x, w, b; relu)
//   y, place = max_pool2d(r)                becomes
//   g = max_pool2d_grad(place, dy)                  dz = max_pool2d_grad(place, dy)
//   dz = relu_grad(r, g)
//
// The unpooled image is never written. A place past the window says that ReLU let nothing
// through, so the pool's gradient alone gives what both gave. Rows and columns that the pool drops
// are not computed, and dz has none either if its readers can do without.
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

enum { READERS_MAX = 8, PLACES_MAX = 255 };

typedef struct fusion {
    cj__program *program;
    cj__instruction *conv, *pool;
    cj__instruction *pool_grad, *relu_grad; // NULL where there is none
    int64_t rows, cols;                     // of the convolution's output that the pool reads
} fusion;

// conv2d has no epilogue.
static cj__unary act_of(const cj__instruction *conv)
{
    const cj__conv2d_attrs *a = (const void *)conv->attrs;
    return conv->op->epilogue ? a->chosen.epilogue.act : CJ__UNARY_NONE;
}

// Windows side by side from the first element on, all of them whole.
static bool pool_fits(fusion *f)
{
    const cj__pool2d_attrs *p = (const void *)f->pool->attrs;
    const int64_t *in = f->program->values[f->pool->inputs[0]].type.shape.dims;
    const int64_t *out = f->program->values[f->pool->outputs[0]].type.shape.dims;
    f->rows = out[1] * p->size[0];
    f->cols = out[2] * p->size[1];
    return p->strides[0] == p->size[0] && p->strides[1] == p->size[1] &&
           p->size[0] * p->size[1] <= PLACES_MAX && p->size[0] * p->size[1] > 1 &&
           f->rows <= in[1] && f->cols <= in[2];
}

// Finds the instructions around a convolution. False if another one needs the unpooled image.
static bool find_parts(fusion *f)
{
    int readers[READERS_MAX], image = f->conv->outputs[0];
    const int count = cj__program_readers(f->program, image, readers, READERS_MAX);
    const cj__unary act = act_of(f->conv);
    if (count < 1 || count > 2 || (act != CJ__UNARY_NONE && act != CJ__UNARY_relu))
        return false;
    for (int i = 0; i < count; i++) {
        cj__instruction *reader = &f->program->instructions[readers[i]];
        if (reader->op == &cj__op_max_pool2d && !f->pool)
            f->pool = reader;
        else if (reader->op == &cj__op_relu_grad && act == CJ__UNARY_relu &&
                 reader->inputs[1] != image)
            f->relu_grad = reader;
        else
            return false;
    }
    return f->pool && pool_fits(f);
}

// The pool's gradient, which reads the places. With ReLU, its result must go through ReLU's
// gradient and nowhere else.
static bool find_gradient(fusion *f)
{
    int readers[READERS_MAX];
    const int count = cj__program_readers(f->program, f->pool->outputs[1], readers, READERS_MAX);
    if (count > 1 || (count == 0 && f->relu_grad))
        return false;
    if (count == 0)
        return true;
    f->pool_grad = &f->program->instructions[readers[0]];
    if (f->pool_grad->op != &cj__op_max_pool2d_grad)
        return false;
    if (act_of(f->conv) == CJ__UNARY_NONE)
        return true;
    int user;
    return f->relu_grad && f->relu_grad->inputs[1] == f->pool_grad->outputs[0] &&
           cj__program_readers(f->program, f->pool_grad->outputs[0], &user, 1) == 1;
}

// Whether a gradient without the dropped rows and columns, which are zeros, serves all its readers.
static bool readers_can_crop(const cj__program *program, int value)
{
    int readers[READERS_MAX];
    const int count = cj__program_readers(program, value, readers, READERS_MAX);
    if (count > READERS_MAX)
        return false;
    for (int i = 0; i < count; i++) {
        const cj__instruction *reader = &program->instructions[readers[i]];
        const bool second =
            reader->input_count > 1 && reader->inputs[1] == value && reader->inputs[0] != value;
        const bool sums = reader->op == &cj__op_sum_like && reader->inputs[0] == value &&
                          !((const cj__stretch_attrs *)(const void *)reader->attrs)->mean &&
                          program->values[reader->outputs[0]].type.shape.rank <= 1;
        if (!sums &&
            !(second && (reader->op == &cj__op_conv2d_filter_grad ||
                         (reader->op == &cj__op_conv2d_input_grad && reader->inputs[2] != value))))
            return false;
    }
    return true;
}

bool cj__crop_pool_grad(cj__program *program, cj__instruction *pool_grad, int64_t rows,
                        int64_t cols)
{
    int readers[READERS_MAX];
    const int value = pool_grad->outputs[0];
    const int count = cj__program_readers(program, value, readers, READERS_MAX);
    cj__pool2d_attrs *p = (void *)pool_grad->attrs;
    if (!readers_can_crop(program, value))
        return false;
    p->input[0] = rows;
    p->input[1] = cols;
    for (int i = 0; i < count; i++) {
        cj__instruction *reader = &program->instructions[readers[i]];
        cj__conv2d_attrs *a = (void *)reader->attrs;
        if (reader->op == &cj__op_sum_like)
            continue;
        a->chosen.out[0] = (int32_t)rows;
        a->chosen.out[1] = (int32_t)cols;
    }
    program->values[value].type.shape.dims[1] = rows;
    program->values[value].type.shape.dims[2] = cols;
    return true;
}

// The pool's instruction becomes the fused one: what it needs exists at its place too.
static cj_status fuse(fusion *f)
{
    const cj__pool2d_attrs p = *(const cj__pool2d_attrs *)(const void *)f->pool->attrs;
    const int outputs[2] = {f->pool->outputs[0], f->pool->outputs[1]};
    const cj__unary act = act_of(f->conv);
    CJ_TRY(cj__program_operands(f->pool, f->conv->inputs, f->conv->input_count, outputs, 2));
    memcpy(f->pool->attrs, f->conv->attrs, sizeof f->pool->attrs);
    cj__conv2d_choice *chosen = &((cj__conv2d_attrs *)(void *)f->pool->attrs)->chosen;
    chosen->epilogue.act = act;
    chosen->pool[0] = (int32_t)p.size[0];
    chosen->pool[1] = (int32_t)p.size[1];
    f->pool->rounds = f->conv->rounds;
    f->pool->op = f->conv->op->convolution->with_pool;
    f->conv->op = NULL;
    if (f->relu_grad) { // the pool's gradient makes what ReLU's made
        f->pool_grad->outputs[0] = f->relu_grad->outputs[0];
        f->relu_grad->op = NULL;
    }
    if (f->pool_grad) // where it cannot be cropped it keeps the zeros
        (void)cj__crop_pool_grad(f->program, f->pool_grad, f->rows, f->cols);
    return CJ_OK;
}

// Whether each filter sees one channel: such convolutions have kernels of their own, without a pool.
static bool is_depthwise(const cj__program *program, const cj__instruction *conv)
{
    const int groups = ((const cj__conv2d_attrs *)(const void *)conv->attrs)->groups;
    return groups > 1 && groups == program->values[conv->inputs[0]].type.shape.dims[3];
}

cj_status cj__fuse_pool(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        fusion f = {.program = program, .conv = &program->instructions[i]};
        if (f.conv->op && f.conv->op->convolution && f.conv->op->convolution->with_pool &&
            !is_depthwise(program, f.conv) && find_parts(&f) && find_gradient(&f))
            status = fuse(&f);
    }
    cj__program_compact(program);
    return status;
}
