// Images in blocks (ops/blocks.h) for the convolutions that are faster so, because their channels
// would leave lanes of vectors idle. What lies between two such convolutions, pools and
// element-wise functions, works on blocks too, so that a chain is converted once at each end; bytes
// are scaled while they are put into blocks.
//
// The list of instructions is written anew. `twin` is the value that holds an image value in
// blocks; a value that was made in blocks is converted back where an instruction that needs images
// reads it.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/blocks.h"
#include "ops/build.h"
#include "ops/device.h"

#include <string.h>

enum { OPERANDS_MAX = 8, READERS_MAX = 4, ALL = 0xff };

typedef struct blocking {
    cj__program *program;
    int values;      // of the program before; only these have twins
    int *twin;       // or -1
    bool *in_blocks; // made in blocks, and not put back so far
    int moved;       // instructions of the old list that are in the new one
} blocking;

static const cj__type *type_of(const blocking *b, int value)
{
    return &b->program->values[value].type;
}

static bool is_real(cj_dtype dtype)
{
    return dtype == CJ_F32 || dtype == CJ_F64;
}

// Whether the places that a pool remembers are read by ops alone that can have them in blocks.
static bool places_stay_inside(const blocking *b, const cj__instruction *instruction)
{
    int readers[READERS_MAX];
    if (instruction->output_count < 2 || is_real(type_of(b, instruction->outputs[1])->dtype))
        return true;
    const int count =
        cj__program_readers(b->program, instruction->outputs[1], readers, READERS_MAX);
    for (int i = 0; i < count; i++)
        if (count > READERS_MAX ||
            b->program->instructions[readers[i]].op->on_blocks != CJ__ON_BLOCKS_YES)
            return false;
    return true;
}

// The real dtype among an instruction's operands.
static cj_dtype real_of(const blocking *b, const cj__instruction *instruction)
{
    for (int i = 0; i < instruction->input_count + instruction->output_count; i++) {
        const cj_dtype dtype = type_of(b, instruction->inputs[i])->dtype; // outputs follow inputs
        if (is_real(dtype))
            return dtype;
    }
    return CJ_F32;
}

// What an instruction could do with blocks, and which of its operands are images: bits of inputs,
// then of outputs.
typedef struct candidate {
    bool convolves, lanes; // a convolution that is faster in blocks; an op that works lane by lane
    unsigned inputs, outputs;
} candidate;

static candidate candidate_of(const blocking *b, const cj__instruction *instruction)
{
    static const candidate by_kind[CJ__CONV2D_KINDS] = {
        [CJ__CONV2D_FORWARD] = {true, false, 1, ALL},
        [CJ__CONV2D_INPUT_GRAD] = {true, false, 2, ALL},
        [CJ__CONV2D_FILTER_GRAD] = {true, false, 3, 0},
    };
    const candidate none = {0};
    cj__operand operands[OPERANDS_MAX];
    if (instruction->input_count + instruction->output_count > OPERANDS_MAX ||
        !places_stay_inside(b, instruction))
        return none;
    const cj__call call = cj__program_call(b->program, instruction, operands);
    if (call.op->convolution) {
        const cj__conv2d_args args = call.op->convolution->args(&call);
        const bool pays =
            call.kernels->lanes > 1 && args.s.groups == 1 && call.kernels->blocks_pay(&args);
        candidate c = pays ? by_kind[call.op->convolution->kind] : none;
        c.inputs |= pays ? call.op->shape_only : 0;
        return c;
    }
    if (call.op->on_blocks != CJ__ON_BLOCKS_YES)
        return none;
    for (int i = 0; i < instruction->input_count; i++) {
        const cj__type *type = &operands[i].type;
        if (type->shape.rank != 4 ||
            ((instruction->op->flags & CJ__OP_ELEMENTWISE) &&
             !cj__type_equal(type, &operands[instruction->input_count].type)))
            return none;
    }
    return (candidate){.lanes = true, .inputs = ALL, .outputs = ALL};
}

// Lane by lane pays where something is in blocks already; places can only be read where they were
// made.
static bool takes_blocks(const blocking *b, const cj__instruction *instruction, const candidate *c)
{
    bool any = false;
    for (int i = 0; i < instruction->input_count && c->lanes; i++) {
        const int value = instruction->inputs[i];
        any = any || b->in_blocks[value];
        if (!b->in_blocks[value] && !is_real(type_of(b, value)->dtype))
            return false;
    }
    return c->convolves || any;
}

static cj_status convert(blocking *b, const cj__op *op, const cj__blocks_attrs *attrs, int from,
                         int to)
{
    cj__instruction made = {.op = op};
    memcpy(made.attrs, attrs, sizeof *attrs);
    CJ_TRY(cj__program_operands(&made, &from, 1, &to, 1));
    cj_status status = cj__program_append(b->program, &made);
    if (status != CJ_OK)
        cj__free(made.inputs);
    return status;
}

// The images of a block: as many as the device's kernels for the dtype want.
static int64_t lanes_of(const blocking *b, cj_dtype real)
{
    return cj__device_kernels(b->program->device, real)->lanes;
}

// A new value for images in blocks.
static cj_status new_twin(blocking *b, int value, cj_dtype real)
{
    cj__type type = *type_of(b, value);
    type.shape = cj__blocks_shape(&type.shape, lanes_of(b, real));
    b->twin[value] = cj__program_add_value(b->program, &type);
    return b->twin[value] >= 0 ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The instruction that scales bytes to `value`, if that is how it was made; they are still in the
// old list.
static const cj__instruction *scaled_bytes(const blocking *b, const cj__instruction *old, int value)
{
    const int producer = b->program->values[value].producer;
    const cj__instruction *made = producer >= 0 ? &old[producer] : NULL;
    return made && made->op == &cj__op_rescale && type_of(b, made->inputs[0])->dtype == CJ_U8 ?
               made :
               NULL;
}

static cj_status put_into_blocks(blocking *b, const cj__instruction *old, int *operand,
                                 cj_dtype real)
{
    const int value = *operand;
    if (b->twin[value] < 0) {
        const cj__instruction *scale = scaled_bytes(b, old, value);
        cj__blocks_attrs attrs = {
            .images = type_of(b, value)->shape.dims[0], .lanes = lanes_of(b, real), .dtype = real};
        if (scale) {
            const cj__rescale_attrs *s = (const void *)scale->attrs;
            attrs.scale = s->scale;
            attrs.offset = s->offset;
        }
        CJ_TRY(new_twin(b, value, real));
        CJ_TRY(convert(b, &cj__op_to_blocks, &attrs, scale ? scale->inputs[0] : value,
                       b->twin[value]));
    }
    *operand = b->twin[value];
    return CJ_OK;
}

static cj_status put_back(blocking *b, int value)
{
    if (value >= b->values || !b->in_blocks[value])
        return CJ_OK;
    const cj__type *type = type_of(b, b->twin[value]);
    const cj__blocks_attrs attrs = {.images = type_of(b, value)->shape.dims[0],
                                    .lanes = lanes_of(b, type->dtype),
                                    .dtype = type->dtype};
    b->in_blocks[value] = false;
    return convert(b, &cj__op_from_blocks, &attrs, b->twin[value], value);
}

// Rewrites an instruction for blocks.
static cj_status work_on_blocks(blocking *b, const cj__instruction *old,
                                cj__instruction *instruction, const candidate *c)
{
    const cj_dtype real = real_of(b, instruction);
    const int64_t count = type_of(b, instruction->inputs[c->inputs & 1 ? 0 : 1])->shape.dims[0];
    for (int i = 0; i < instruction->input_count; i++)
        if (c->inputs >> i & 1)
            CJ_TRY(put_into_blocks(b, old, &instruction->inputs[i], real));
    for (int i = 0; i < instruction->output_count; i++) {
        const int value = instruction->outputs[i];
        if (!(c->outputs >> i & 1))
            continue;
        CJ_TRY(new_twin(b, value, real));
        b->in_blocks[value] = true;
        instruction->outputs[i] = b->twin[value];
    }
    if (c->convolves) {
        cj__conv2d_attrs *a = (void *)instruction->attrs;
        a->chosen.images = (int32_t)count;
        a->chosen.lanes = (int32_t)lanes_of(b, real);
    }
    return CJ_OK;
}

static cj_status rewrite(blocking *b, cj__instruction *old, const candidate *candidates, int count)
{
    for (int i = 0; i < count; i++) {
        if (takes_blocks(b, &old[i], &candidates[i])) {
            CJ_TRY(work_on_blocks(b, old, &old[i], &candidates[i]));
        } else {
            for (int j = 0; j < old[i].input_count; j++)
                CJ_TRY(put_back(b, old[i].inputs[j]));
        }
        CJ_TRY(cj__program_append(b->program, &old[i]));
        b->moved++;
    }
    for (int i = 0; i < b->program->output_count; i++)
        CJ_TRY(put_back(b, b->program->outputs[i]));
    for (int i = 0; i < b->program->update_count; i++)
        CJ_TRY(put_back(b, b->program->updates[i]));
    return CJ_OK;
}

// Takes the list out of the program and fills it anew.
static cj_status rewrite_program(blocking *b, const candidate *candidates)
{
    cj__program *program = b->program;
    cj__instruction *old = program->instructions;
    const int count = program->instruction_count;
    program->instructions = NULL;
    program->instruction_count = 0;
    program->instruction_capacity = 0;
    cj_status status = rewrite(b, old, candidates, count);
    for (int i = b->moved; i < count; i++) // the others' operands are the new list's
        cj__free(old[i].inputs);
    cj__free(old);
    return status == CJ_OK ? cj__remove_dead(program) : status;
}

cj_status cj__choose_blocks(cj__program *program)
{
    blocking b = {.program = program, .values = program->value_count};
    candidate *candidates = cj__new((size_t)program->instruction_count, sizeof *candidates);
    b.twin = cj__new((size_t)b.values, sizeof *b.twin);
    b.in_blocks = cj__new((size_t)b.values, sizeof *b.in_blocks);
    cj_status status = candidates && b.twin && b.in_blocks ? CJ_OK : CJ_OUT_OF_MEMORY;
    bool any = false;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        candidates[i] = candidate_of(&b, &program->instructions[i]);
        any = any || candidates[i].convolves;
    }
    for (int i = 0; i < b.values && status == CJ_OK; i++)
        b.twin[i] = -1;
    if (any)
        status = rewrite_program(&b, candidates);
    cj__free(candidates);
    cj__free(b.twin);
    cj__free(b.in_blocks);
    return status;
}
