// Rewrites of a program. Each is a row of `passes`: to add one, write a function and a row.
// CAJAL_PLAN=-name switches a pass off by name, and the tests compare results with each switched
// off.
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "graph/program.h"
#include "ops/build.h"
#include "ops/device.h"

#include <string.h>

// Instructions whose result is one of their inputs (cj__op.identity): a reshape or cast to the type
// that is there, stop_gradient, a factor of one.
static bool is_one(const cj__value_info *value)
{
    return value->kind == CJ__VALUE_CONSTANT && value->type.shape.rank == 0 &&
           cj__element_get(value->type.dtype, value->constant->data, 0) == 1;
}

static int same_as(const cj__program *program, const cj__instruction *instruction)
{
    const cj__type *type = &program->values[instruction->outputs[0]].type;
    int same = -1;
    switch (instruction->op->identity) {
    case CJ__IDENTITY_OF_EQUAL_TYPE:
        same = instruction->inputs[0];
        break;
    case CJ__IDENTITY_BY_ONE:
        if (is_one(&program->values[instruction->inputs[0]]))
            same = instruction->inputs[1];
        else if (is_one(&program->values[instruction->inputs[1]]))
            same = instruction->inputs[0];
        break;
    case CJ__IDENTITY_UNDECLARED:
    case CJ__IDENTITY_NEVER:
        break;
    }
    return same >= 0 && cj__type_equal(type, &program->values[same].type) ? same : -1;
}

static cj_status remove_identities(cj__program *program)
{
    int *forward = cj__program_as_is(program);
    if (!forward)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        int same = instruction->input_count != 0 ? same_as(program, instruction) : -1;
        if (same >= 0) {
            forward[instruction->outputs[0]] = same;
            instruction->op = NULL;
        }
    }
    cj__program_forward(program, forward);
    cj__free(forward);
    cj__program_compact(program);
    return CJ_OK;
}

// Common subexpressions. Instructions with equal op, attributes and inputs give equal values: the
// first is kept. Of an input that is there for its shape, the type is what counts. Leaves are merged
// first (a variable is one value however often its symbol was made).
static uint64_t hash_of(const cj__instruction *instruction)
{
    uint64_t hash = (uint64_t)(uintptr_t)instruction->op;
    for (int i = 0; i < instruction->input_count; i++)
        if (!cj__shape_only(instruction->op, i))
            hash = (hash ^ (uint64_t)instruction->inputs[i]) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static bool equal(const cj__program *program, const cj__instruction *a, const cj__instruction *b)
{
    if (a->op != b->op || a->input_count != b->input_count || a->output_count != b->output_count ||
        memcmp(a->attrs, b->attrs, sizeof a->attrs) != 0)
        return false;
    for (int i = 0; i < a->input_count; i++) {
        const bool shape_only = cj__shape_only(a->op, i);
        if (a->inputs[i] != b->inputs[i] &&
            !(shape_only && cj__type_equal(&program->values[a->inputs[i]].type,
                                           &program->values[b->inputs[i]].type)))
            return false;
    }
    return true;
}

static bool same_leaf(const cj__value_info *a, const cj__value_info *b)
{
    if (a->kind != b->kind || !cj__type_equal(&a->type, &b->type))
        return false;
    if (a->kind == CJ__VALUE_VARIABLE)
        return a->variable == b->variable;
    return a->kind == CJ__VALUE_CONSTANT && a->type.shape.rank == 0 &&
           memcmp(a->constant->data, b->constant->data, cj_dtype_size(a->type.dtype)) == 0;
}

static void merge_leaves(const cj__program *program, int *forward)
{
    int leaves = 0;
    // enough for the scalars that repeat; what is not remembered is merely not merged
    int first[64];
    for (int i = 0; i < program->value_count; i++) {
        const cj__value_info *value = &program->values[i];
        bool merged = value->kind == CJ__VALUE_TEMPORARY || value->kind == CJ__VALUE_INPUT;
        for (int j = 0; j < leaves && !merged; j++) {
            if (same_leaf(&program->values[first[j]], value)) {
                forward[i] = first[j];
                merged = true;
            }
        }
        if (!merged && leaves < (int)(sizeof(first) / sizeof first[0]))
            first[leaves++] = i;
    }
}

static cj_status merge_common(cj__program *program)
{
    size_t slots = 64;
    while (slots < (size_t)program->instruction_count * 2)
        slots *= 2;
    int *forward = cj__program_as_is(program);
    int *table = cj__new(slots, sizeof *table); // instruction + 1
    if (!forward || !table) {
        cj__free(forward);
        cj__free(table);
        return CJ_OUT_OF_MEMORY;
    }
    merge_leaves(program, forward);
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        for (int j = 0; j < instruction->input_count; j++)
            instruction->inputs[j] = forward[instruction->inputs[j]];
        if (instruction->op->flags & (CJ__OP_UPDATE | CJ__OP_EFFECT))
            continue;
        size_t place = (size_t)hash_of(instruction) & (slots - 1);
        while (table[place] != 0 &&
               !equal(program, &program->instructions[table[place] - 1], instruction))
            place = (place + 1) & (slots - 1);
        if (table[place] == 0) {
            table[place] = i + 1;
            continue;
        }
        for (int j = 0; j < instruction->output_count; j++)
            forward[instruction->outputs[j]] = program->instructions[table[place] - 1].outputs[j];
    }
    // what was merged has no reader now: the pass "dead" removes it
    cj__program_forward(program, forward);
    cj__free(forward);
    cj__free(table);
    return CJ_OK;
}

// Removes instructions whose results nothing reads, from last to first, so that whole chains go at
// once.
cj_status cj__remove_dead(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses);
    if (!uses)
        return CJ_OUT_OF_MEMORY;
    cj__program_uses(program, uses);
    for (int i = program->instruction_count - 1; i >= 0; i--) {
        cj__instruction *instruction = &program->instructions[i];
        bool used = instruction->op && (instruction->op->flags & CJ__OP_EFFECT);
        for (int j = 0; j < instruction->output_count; j++)
            used = used || uses[instruction->outputs[j]] != 0;
        for (int j = 0; j < instruction->input_count && !used; j++)
            uses[instruction->inputs[j]]--;
        if (!used)
            instruction->op = NULL;
    }
    cj__free(uses);
    cj__program_compact(program);
    return CJ_OK;
}

static const struct {
    const char *name;
    cj__stage stage;
    cj_status (*apply)(cj__program *program);
    const char *what;
    // It asks the device's kernels (kernels/kernels.h) what they do best, or makes forms that only
    // those have: for devices that have such kernels.
    bool asks_kernels;
} passes[] = {
    {"factor_sums", CJ__STAGE_GRAPH, cj__factor_sums,
     "factors that do not change along a sum's axes, out of it", false},
    {"identity", CJ__STAGE_GRAPH, remove_identities, "instructions that change nothing", false},
    {"cse", CJ__STAGE_GRAPH, merge_common, "the same instruction twice", false},
    {"dead", CJ__STAGE_GRAPH, cj__remove_dead, "results that nobody reads", false},
    {"fuse_bias_act", CJ__STAGE_GRAPH, cj__fuse_bias_act,
     "bias and activation into a product or convolution", false},
    {"fuse_cross_entropy", CJ__STAGE_GRAPH, cj__fuse_cross_entropy,
     "softmax with cross-entropy, forward and backward, in one pass", false},
    {"fuse_round", CJ__STAGE_GRAPH, cj__fuse_round,
     "roundings to bfloat16 into convolutions, or away where nothing changes", false},
    {"split_loop", CJ__STAGE_GRAPH, cj__split_loop,
     "loops in parts of the batch, each on one thread through all steps", true},
    {"fold_scale", CJ__STAGE_PLAN, cj__fold_scale,
     "scale and shift by channel into the filters before", false},
    {"fuse_accuracy", CJ__STAGE_PLAN, cj__fuse_accuracy,
     "argmax, comparison and count of right answers in one", false},
    {"fuse_pool", CJ__STAGE_PLAN, cj__fuse_pool,
     "max pool into the convolution before it, ReLU's gradient into the pool's", false},
    {"fuse_dropout", CJ__STAGE_PLAN, cj__fuse_dropout,
     "dropout's gradient behind a ReLU without its random numbers", false},
    {"fuse_bias_grad", CJ__STAGE_PLAN, cj__fuse_bias_grad, "the bias's gradient into the filters'",
     false},
    {"dead_pixels", CJ__STAGE_PLAN, cj__drop_dead_pixels,
     "rows and columns of images that nobody reads", false},
    {"blocks", CJ__STAGE_PLAN, cj__choose_blocks,
     "convolutions over blocks of images, where lanes would be idle", true},
    {"bf16_products", CJ__STAGE_PLAN, cj__choose_bf16_products,
     "products of bfloat16 numbers in pairs, where it is faster", true},
    {"winograd", CJ__STAGE_PLAN, cj__choose_winograd,
     "Winograd's form of convolutions, where it is faster", true},
    {"winograd4", CJ__STAGE_PLAN, cj__choose_winograd4,
     "Winograd's tiles of 4 x 4 instead of 2 x 2, where it is faster", true},
    {"fuse_pool_grad", CJ__STAGE_PLAN, cj__fuse_pool_grad,
     "a pool's gradient into the filters' that alone reads it", false},
    {"fuse_step", CJ__STAGE_PLAN, cj__fuse_step,
     "the optimizer's step into the product that makes its gradient", false},
    {"fuse_rows", CJ__STAGE_PLAN, cj__fuse_rows,
     "the optimizer's step of a table on the rows that were read", false},
    {"one_sweep", CJ__STAGE_PLAN, cj__one_sweep, "the optimizer's steps of all tensors in one",
     false},
    {"sparse_spikes", CJ__STAGE_PLAN, cj__choose_sparse,
     "products and convolutions of spikes without those that are 0", true},
    {"round_elements", CJ__STAGE_PLAN, cj__round_elements,
     "roundings to bfloat16 into the element-wise step before", false},
    {"recompute", CJ__STAGE_PLAN, cj__recompute,
     "differences that are quickly made again, made where they are read", true},
    {"fuse_elements", CJ__STAGE_PLAN, cj__fuse_elements,
     "element-wise instructions and reductions of their results in one", true},
    {"keep_steady", CJ__STAGE_PLAN, cj__keep_steady,
     "what is computed from weights alone, once and not in every run", true},
    {"split_batch", CJ__STAGE_PLAN, cj__split_batch,
     "neighbours that work image by image on parts of a batch in turn", true},
    {"keep_prepared", CJ__STAGE_PLAN, cj__keep_prepared,
     "filters transformed or turned once, not in every run", true},
};

static bool switched_off(const char *off, const char *name)
{
    size_t length = strlen(name);
    for (const char *c = off; c && (c = strstr(c, name)) != NULL; c += length) {
        if (c != off && c[-1] == '-' && (c[length] == '\0' || c[length] == ','))
            return true;
    }
    return false;
}

enum { PASS_COUNT = sizeof(passes) / sizeof passes[0] };

// A list that names what is no pass would quietly do nothing.
cj_status cj__check_switches(const char *off)
{
    char name[64];
    for (const char *c = off; c && *c != '\0';) {
        const size_t length = strcspn(c, ",");
        if (length < 2 || length > sizeof(name) || c[0] != '-')
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "CAJAL_PLAN: \"%.200s\" is not a list such as -fuse_pool,-winograd",
                            off);
        memcpy(name, c + 1, length - 1);
        name[length - 1] = '\0';
        bool known = false;
        for (int i = 0; i < PASS_COUNT; i++)
            known = known || strcmp(passes[i].name, name) == 0;
        if (!known)
            return cj__fail_unknown(CJ_INVALID_ARGUMENT, "rewrite in CAJAL_PLAN", name, passes,
                                    sizeof passes[0], PASS_COUNT);
        c += length + (c[length] == ',');
    }
    return CJ_OK;
}

cj_status cj__check_device_passes(const cj__device_kind *kind)
{
    for (int i = 0; kind->passes && kind->passes[i]; i++) {
        bool known = false;
        for (int j = 0; j < PASS_COUNT; j++)
            known = known || strcmp(passes[j].name, kind->passes[i]) == 0;
        if (!known)
            return cj__fail_unknown(CJ_INVALID_ARGUMENT, "pass of the device", kind->passes[i],
                                    passes, sizeof passes[0], PASS_COUNT);
    }
    return CJ_OK;
}

// Whether a pass is for the programs of a device.
static bool is_for(const cj__device_kind *kind, int pass)
{
    if (passes[pass].asks_kernels && !kind->kernels)
        return false;
    bool named = !kind->passes;
    for (int i = 0; !named && kind->passes[i]; i++)
        named = strcmp(kind->passes[i], passes[pass].name) == 0;
    return named;
}

cj_status cj__program_optimize(cj__program *program, cj__stage stage, const char *off)
{
    const cj__device_kind *kind = program->device->kind;
    for (int i = 0; i < PASS_COUNT; i++) {
        if (passes[i].stage == stage && is_for(kind, i) && !switched_off(off, passes[i].name))
            CJ_TRY(passes[i].apply(program));
    }
    return kind->rewrite ? kind->rewrite(program->device, program, (int)stage) : CJ_OK;
}
