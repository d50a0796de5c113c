// How cases become graphs and tensors: see cases.h.
#include "cases.h"

#include <cajal/graph.h>
#include <string.h>

static cj_shape concrete(cj_shape shape)
{
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i] == CJ_BATCH ? CASE_BATCH : shape.dims[i];
    return shape;
}

static cj_dtype dtype_of(case_fill fill, cj_dtype real)
{
    static const cj_dtype dtypes[] = {[FILL_INDEX] = CJ_I32,
                                      [FILL_PLACE] = CJ_U8,
                                      [FILL_BOOL] = CJ_BOOL,
                                      [FILL_STEP] = CJ_I64,
                                      [FILL_TEXT] = CJ_STRING};
    return fill < FILL_INDEX ? real : dtypes[fill];
}

void case_build(const op_case *c, cj_dtype real, bool free_axis, case_graph *graph)
{
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX] = {0};
    *graph = (case_graph){.build = {0}};
    if (c->attrs)
        memcpy(attrs, c->attrs, c->op->attrs_size);
    if (c->op == &cj__op_reshape && !free_axis && c->inputs[0].shape.dims[0] == CJ_BATCH)
        ((cj__reshape_attrs *)(void *)attrs)->shape.dims[0] = CASE_BATCH;
    for (int i = 0; i < c->input_count; i++) {
        const cj_shape shape = free_axis ? c->inputs[i].shape : concrete(c->inputs[i].shape);
        graph->inputs[i] = cj__build_keep(
            &graph->build, cj_symbol_input(dtype_of(c->inputs[i].fill, real), shape, "x"));
    }
    if (cj__append_many(&graph->build, c->op, attrs, graph->inputs, c->input_count,
                        graph->outputs) != CJ_OK)
        fail_msg("%s: %s", c->op->name, cj_error());
    graph->output_count = graph->outputs[0]->node->output_count;
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// Functions that are defined for positive numbers only, or whose derivatives are wild elsewhere.
static bool needs_positive(const cj__op *op)
{
    static const cj__op *const ops[] = {&cj__op_sqrt,       &cj__op_rsqrt,    &cj__op_reciprocal,
                                        &cj__op_log,        &cj__op_log1p,    &cj__op_log_grad,
                                        &cj__op_log1p_grad, &cj__op_sqrt_grad};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (ops[i] == op)
            return true;
    return false;
}

// Multiples of 0.1 are where derivatives jump (0, 3, 6, limits of clip); each input has a distance
// to them of its own.
static double any_number(unsigned *state, int input)
{
    const int step = (int)(next_random(state) % 126) - 63;
    return 0.1 * (step >= -3 && step < 3 ? step + 10 : step) + 0.013 + 0.017 * input;
}

static double number(const op_case *c, int input, int64_t index, int64_t count, unsigned *state)
{
    const case_input *of = &c->inputs[input];
    switch (of->fill) {
    case FILL_ANY:
        if (!needs_positive(c->op))
            return any_number(state, input);
        return 0.3 + 0.1 * (next_random(state) % 27) + 0.013;
    case FILL_POSITIVE:
        return 0.3 + 0.1 * (next_random(state) % 27) + 0.013;
    case FILL_UNIT:
        return any_number(state, input) / 7.2;
    case FILL_ABOVE_1:
        return 1.3 + 0.1 * (next_random(state) % 27) + 0.0463; // no multiple near FILL_POSITIVE's
    // 7919 is a prime that divides no count used here, so this is a permutation
    case FILL_DISTINCT: {
        const int64_t place = (index * 7919 + 11) % count;
        return 0.05 * (double)place - 0.025 * (double)count + 0.013;
    }
    case FILL_INDEX:
    case FILL_PLACE:
        return next_random(state) % (unsigned)of->limit;
    case FILL_BOOL:
        return next_random(state) % 2;
    case FILL_STEP:
    case FILL_TEXT:
        break;
    }
    return of->limit;
}

static cj_tensor *texts(cj_shape shape, unsigned *state)
{
    static const char *const some[] = {"a b", "", "one Two three, four five six", " x  ", "y"};
    const char *values[64];
    cj_tensor *tensor = NULL;
    const int64_t count = cj_shape_count(&shape);
    assert_true(count <= 64);
    for (int64_t i = 0; i < count; i++)
        values[i] = some[next_random(state) % 5];
    assert_int_equal(cj_tensor_from(CJ_STRING, shape, values, (size_t)count, &tensor), CJ_OK);
    return tensor;
}

cj_tensor *case_tensor(const op_case *c, int index, cj_dtype real, unsigned seed)
{
    cj_tensor *tensor = NULL;
    unsigned state = seed * 977u + (unsigned)index * 31u + 5;
    if (c->inputs[index].fill == FILL_TEXT)
        return texts(concrete(c->inputs[index].shape), &state);
    assert_int_equal(cj_tensor_new(dtype_of(c->inputs[index].fill, real),
                                   concrete(c->inputs[index].shape), &tensor),
                     CJ_OK);
    const int64_t count = cj_tensor_count(tensor);
    for (int64_t i = 0; i < count; i++)
        case_set(tensor, i, number(c, index, i, count, &state));
    return tensor;
}

cj_tensor *case_tensor_like(const cj_symbol *symbol)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(
        cj_tensor_new(cj_symbol_dtype(symbol), concrete(*cj_symbol_shape(symbol)), &tensor), CJ_OK);
    return tensor;
}

void case_fill_weights(cj_tensor *tensor, unsigned seed)
{
    unsigned state = seed;
    for (int64_t i = 0; i < cj_tensor_count(tensor); i++)
        case_set(tensor, i, (next_random(&state) % 2001) / 1000.0 - 1);
}

double case_get(const cj_tensor *tensor, int64_t index)
{
    return cj__element_get(cj_tensor_dtype(tensor), cj_tensor_data(tensor), index);
}

void case_set(cj_tensor *tensor, int64_t index, double value)
{
    cj__element_set(cj_tensor_dtype(tensor), cj_tensor_data(tensor), index, value);
}

bool case_is_real(cj_dtype dtype)
{
    return dtype == CJ_F32 || dtype == CJ_F64;
}

void case_assert_complete(unsigned exempt)
{
    for (int i = 0; cj__ops[i]; i++) {
        size_t j = 0;
        while (j < op_case_count && op_cases[j].op != cj__ops[i])
            j++;
        if (cj__ops[i] != &cj__op_sweep &&                     // tests/graph/passes/one_sweep.c
            cj__ops[i] != &cj__op_matmul_step &&               // tests/graph/passes/fuse_step.c
            cj__ops[i] != &cj__op_rows_step &&                 // tests/graph/fuse_rows.c
            cj__ops[i] != &cj__op_elements &&                  // tests/graph/fuse_elements.c
            cj__ops[i] != &cj__op_element_sums &&              // likewise
            !(cj__ops[i]->flags & (exempt | CJ__OP_LAYOUT)) && // tests/graph/convolutions.c
            j == op_case_count)
            fail_msg("op %s has no case", cj__ops[i]->name);
    }
}
