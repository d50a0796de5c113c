// A scale and shift by channel goes into the filters of the convolution or product before it, as
// normalization with moving averages needs it in prediction:
//
//   u = conv2d(x, w);  y = add(multiply(subtract(u, mean), factor), beta)
//
// becomes y = conv2d_bias_act(x, multiply(w, factor); beta - mean factor), where y has at least as
// many elements as w; of conv2d_transpose the channels of y are the last axis but one of w. Chains of any sums and products with vectors along the last axis are taken, as
// long as nothing reads what lies between. Filters that stay from run to run are scaled once
// (keep_steady.c), and what a convolution makes of them may be kept too (keep_prepared.c).
//
// The list of instructions is written anew.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"
#include "ops/device.h"

#include <string.h>

enum { STEADY_FILTERS = 4 << 20 }; // elements

typedef struct folding {
    cj__program *program;
    cj__instruction *old;
    int count;
    int *uses, *reader; // of each value; the reader where it is one
    int *product;  // of each old instruction that ends a chain: the product that begins it; or -1
    bool *dropped; // old instructions that the end of a chain stands for
} folding;

static const cj__type *type_of(const folding *f, int value)
{
    return &f->program->values[value].type;
}

// The vector along the last axis that an instruction of a chain adds to `value`, takes from it, or
// multiplies it by; -1 if it is no such instruction.
static int vector_of(const folding *f, const cj__instruction *instruction, int value)
{
    const bool takes = instruction->op == &cj__op_subtract;
    if ((!takes && instruction->op != &cj__op_add && instruction->op != &cj__op_multiply) ||
        instruction->rounds || (takes && instruction->inputs[0] != value))
        return -1;
    const int vector = instruction->inputs[instruction->inputs[0] == value ? 1 : 0];
    const cj_shape *shape = &type_of(f, value)->shape, *own = &type_of(f, vector)->shape;
    return own->rank == 1 && own->dims[0] == shape->dims[shape->rank - 1] ? vector : -1;
}

// The instruction of the chain that alone reads an instruction's result, or -1.
static int next_in_chain(const folding *f, const cj__instruction *instruction)
{
    const int value = instruction->outputs[0];
    const int reader = f->uses[value] == 1 ? f->reader[value] : -1;
    return reader >= 0 && vector_of(f, &f->old[reader], value) >= 0 ? reader : -1;
}

// Of two axes or three; NULL for a product.
static const cj__convolution *convolution_of(const cj__instruction *product)
{
    return product->op->planes ? product->op->planes : product->op->convolution;
}

static bool is_transposed(const cj__instruction *product)
{
    const cj__convolution *c = convolution_of(product);
    return c && c->kind == CJ__CONV2D_INPUT_GRAD;
}

// Which input of a product its filters are.
static int filters_of(const cj__instruction *product)
{
    return is_transposed(product) ? 0 : 1;
}

// Whether a product's filters have its channels along one axis.
static bool has_channel_axis(const cj__instruction *product)
{
    const cj__matmul_attrs *m = (const void *)product->attrs;
    const cj__conv2d_attrs *c = (const void *)product->attrs;
    const cj__conv3d_attrs *v = (const void *)product->attrs;
    if (!is_transposed(product))
        return convolution_of(product) || !m->trans_b;
    return (product->op->planes ? v->groups : c->groups) == 1;
}

// Whether a chain may begin with an instruction: a product without an activation, whose filters have
// its channels along one axis and are not bfloat16 numbers, which scaling would end.
static bool begins(const folding *f, const cj__instruction *instruction)
{
    const cj__op *op = instruction->op;
    if ((!op->fused && !op->epilogue) || instruction->rounds || instruction->output_count != 1)
        return false;
    unsigned char attrs[CJ__ATTRS_MAX];
    memcpy(attrs, instruction->attrs, sizeof attrs);
    if (op->epilogue && op->epilogue(attrs)->act != CJ__UNARY_NONE)
        return false;
    return has_channel_axis(instruction) && type_of(f, instruction->outputs[0])->shape.rank >= 2 &&
           !cj__is_bf16(f->program, instruction->inputs[filters_of(instruction)]);
}

// Filters whose changes are counted are scaled once (keep_steady.c), unless there are very many; others in each run.
static bool pays(const folding *f, const cj__instruction *product)
{
    const int filters = product->inputs[filters_of(product)];
    if (f->program->device->kind->kernels && cj__program_leaf_is_counted(f->program, filters) &&
        cj_shape_count(&type_of(f, filters)->shape) <= STEADY_FILTERS)
        return true;
    return cj_shape_count(&type_of(f, product->inputs[filters_of(product)])->shape) <=
           cj_shape_count(&type_of(f, product->outputs[0])->shape);
}

// Marks the chain that begins with instruction `product`, if it multiplies at least once.
static bool mark_chain(const folding *f, int product)
{
    int end = product;
    bool multiplies = false;
    for (int next = next_in_chain(f, &f->old[end]); next >= 0;
         next = next_in_chain(f, &f->old[end])) {
        multiplies = multiplies || f->old[next].op == &cj__op_multiply;
        end = next;
    }
    if (!multiplies || !pays(f, &f->old[product]))
        return false;
    for (int i = product; i != end; i = next_in_chain(f, &f->old[i]))
        f->dropped[i] = true;
    f->product[end] = product;
    return true;
}

// Appends an instruction with a result of its own, *made.
static cj_status append_made(const folding *f, cj__instruction *instruction, int a, int b,
                             const cj__type *type, int *made)
{
    *made = cj__program_add_value(f->program, type);
    if (*made < 0)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__program_operands(instruction, (int[]){a, b}, b < 0 ? 1 : 2, made, 1));
    const cj_status status = cj__program_append(f->program, instruction);
    if (status != CJ_OK)
        cj__free(instruction->inputs);
    return status;
}

// Appends op(a, b), with b of -1 for one operand; *made is the result, of the type of a.
static cj_status append(const folding *f, const cj__op *op, int a, int b, int *made)
{
    cj__instruction instruction = {.op = op};
    const cj__type type = *type_of(f, a);
    return append_made(f, &instruction, a, b, &type, made);
}

// A vector as a column, (c, 1), which lies along the last axis but one.
static cj_status append_column(const folding *f, int vector, int *made)
{
    cj__instruction instruction = {.op = &cj__op_reshape};
    cj__type type = *type_of(f, vector);
    type.shape = (cj_shape){.rank = 2, .dims = {type.shape.dims[0], 1}};
    const cj__reshape_attrs attrs = cj__reshape_attrs_of(&type.shape);
    memcpy(instruction.attrs, &attrs, sizeof(attrs));
    return append_made(f, &instruction, vector, -1, &type, made);
}

// y = u scale + shift, either of which may be -1: after one more instruction of the chain.
typedef struct line {
    int scale, shift;
} line;

static cj_status extend(const folding *f, const cj__instruction *instruction, int vector, line *l)
{
    if (instruction->op == &cj__op_multiply) {
        if (l->shift >= 0)
            CJ_TRY(append(f, &cj__op_multiply, l->shift, vector, &l->shift));
        if (l->scale >= 0)
            return append(f, &cj__op_multiply, l->scale, vector, &l->scale);
        l->scale = vector;
        return CJ_OK;
    }
    if (l->shift >= 0)
        return append(f, instruction->op, l->shift, vector, &l->shift);
    if (instruction->op == &cj__op_subtract)
        return append(f, &cj__op_negative, vector, -1, &l->shift);
    l->shift = vector;
    return CJ_OK;
}

// Appends what the chain comes to: vectors, filters, and the product with its bias.
static cj_status append_folded(const folding *f, int first, int end)
{
    const cj__instruction *product = &f->old[first];
    const int weights = filters_of(product);
    line l = {-1, product->input_count == 3 ? product->inputs[2] : -1};
    int inputs[3];
    for (int i = first; i != end;) {
        const int next = next_in_chain(f, &f->old[i]);
        CJ_TRY(extend(f, &f->old[next], vector_of(f, &f->old[next], f->old[i].outputs[0]), &l));
        i = next;
    }
    if (is_transposed(product))
        CJ_TRY(append_column(f, l.scale, &l.scale));
    inputs[1 - weights] = product->inputs[1 - weights];
    inputs[2] = l.shift;
    CJ_TRY(append(f, &cj__op_multiply, product->inputs[weights], l.scale, &inputs[weights]));
    cj__instruction made = *product;
    made.inputs = NULL;
    made.op = product->op->epilogue ? product->op : product->op->fused;
    *made.op->epilogue(made.attrs) = cj__no_epilogue;
    CJ_TRY(cj__program_operands(&made, inputs, l.shift < 0 ? 2 : 3, f->old[end].outputs, 1));
    const cj_status status = cj__program_append(f->program, &made);
    if (status != CJ_OK)
        cj__free(made.inputs);
    return status;
}

// Takes the list out of the program and fills it anew.
static cj_status rewrite(const folding *f)
{
    cj_status status = CJ_OK;
    f->program->instructions = NULL;
    f->program->instruction_count = 0;
    f->program->instruction_capacity = 0;
    bool *moved = cj__new((size_t)f->count, sizeof *moved);
    status = moved ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; i < f->count && status == CJ_OK; i++) {
        if (f->product[i] >= 0) {
            status = append_folded(f, f->product[i], i);
        } else if (!f->dropped[i]) {
            status = cj__program_append(f->program, &f->old[i]);
            moved[i] = status == CJ_OK;
        }
    }
    for (int i = 0; i < f->count; i++) {
        if (moved && moved[i])
            continue;
        cj__free(f->old[i].inputs);
        cj_release(f->old[i].attrs_object);
    }
    cj__free(moved);
    cj__free(f->old);
    cj__program_compact(f->program);
    return status;
}

static bool mark(folding *f)
{
    bool any = false;
    cj__program_uses(f->program, f->uses);
    for (int v = 0; v < f->program->value_count; v++)
        f->reader[v] = -1; // of an output or update no instruction is the reader
    for (int i = 0; i < f->count; i++) {
        f->product[i] = -1;
        for (int j = 0; j < f->old[i].input_count; j++)
            f->reader[f->old[i].inputs[j]] = i;
    }
    for (int i = 0; i < f->count; i++)
        any = (begins(f, &f->old[i]) && mark_chain(f, i)) || any;
    return any;
}

cj_status cj__fold_scale(cj__program *program)
{
    folding f = {
        .program = program, .old = program->instructions, .count = program->instruction_count};
    const size_t values = (size_t)program->value_count, count = (size_t)f.count;
    f.uses = cj__new(values, sizeof *f.uses);
    f.reader = cj__new(values, sizeof *f.reader);
    f.product = cj__new(count, sizeof *f.product);
    f.dropped = cj__new(count, sizeof *f.dropped);
    cj_status status = f.uses && f.reader && f.product && f.dropped ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && mark(&f)) {
        status = rewrite(&f);
        if (status == CJ_OK) // activations come after the shift now
            status = cj__fuse_bias_act(program);
    }
    cj__free(f.uses);
    cj__free(f.reader);
    cj__free(f.product);
    cj__free(f.dropped);
    return status;
}
