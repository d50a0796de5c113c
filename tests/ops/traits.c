// What ops declare about themselves for the passes (ops/op.h) is there, and is true: an op without a
// declaration, or with a false one, is found by its cases.
#define _POSIX_C_SOURCE 200809L
#include "cases.h"

#include <cajal/graph.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// A case as a function of its inputs, and tensors for a call.
typedef struct trial {
    const op_case *c;
    case_graph graph;
    cj_function *function;
    cj_tensor *in[CASE_INPUTS], *out[CASE_OUTPUTS];
} trial;

static cj_tensor *output_of(const trial *t, int index)
{
    return case_tensor_like(t->graph.outputs[index]);
}

static void begin(const op_case *c, trial *t)
{
    *t = (trial){.c = c};
    case_build(c, CJ_F32, true, &t->graph);
    t->function = cj_function(.inputs = t->graph.inputs, .input_count = c->input_count,
                              .outputs = t->graph.outputs, .output_count = t->graph.output_count,
                              .pool = cj_pool_new(1));
    if (!t->function)
        fail_msg("%s: %s", c->op->name, cj_error());
    for (int i = 0; i < c->input_count; i++)
        t->in[i] = case_tensor(c, i, CJ_F32, 7);
    for (int i = 0; i < t->graph.output_count; i++)
        t->out[i] = output_of(t, i);
}

static void run(trial *t)
{
    if (cj_function_call(t->function, t->in, t->out) != CJ_OK)
        fail_msg("%s: %s", t->c->op->name, cj_error());
}

static void end(trial *t)
{
    for (int i = 0; i < t->c->input_count; i++)
        cj_release(t->in[i]);
    for (int i = 0; i < t->graph.output_count; i++)
        cj_release(t->out[i]);
    cj_release(t->function);
    cj__build_end(&t->graph.build);
}

static bool is_leaf(const cj__op *op)
{
    return op->flags & CJ__OP_LEAF;
}

// "sw>s": a letter for each input, '>', a letter for each output.
static bool is_well_formed(const cj__op *op)
{
    const char *arrow = strchr(op->samples, '>');
    if (op->samples[0] == '\0')
        return true;
    return arrow && arrow - op->samples == op->max_inputs && arrow[1] != '\0' &&
           strspn(op->samples, "sew>") >= (size_t)(arrow + 1 - op->samples) &&
           strspn(arrow + 1, "s+") == strlen(arrow + 1);
}

static void every_op_declares_its_traits(void **state)
{
    (void)state;
    for (int i = 0; cj__ops[i]; i++) {
        const cj__op *op = cj__ops[i];
        if (is_leaf(op))
            continue;
        if (!op->samples || !is_well_formed(op))
            fail_msg("op %s: .samples is not declared, or does not fit its operands", op->name);
        if (op->on_blocks == CJ__ON_BLOCKS_UNDECLARED)
            fail_msg("op %s: .on_blocks is not declared", op->name);
        if (op->identity == CJ__IDENTITY_UNDECLARED)
            fail_msg("op %s: .identity is not declared", op->name);
        if (op->bf16 == CJ__BF16_UNDECLARED)
            fail_msg("op %s: .bf16 is not declared", op->name);
    }
}

static void traits_that_go_together_do(void **state)
{
    (void)state;
    for (int i = 0; cj__ops[i]; i++) {
        const cj__op *op = cj__ops[i];
        if (op->fused && (!op->fused->epilogue || op->epilogue))
            fail_msg("op %s: the op that it is fused to has the epilogue", op->name);
        if (op->activation && (op->min_inputs != 1 || op->variant >= CJ__UNARY_COUNT))
            fail_msg("op %s: no activation", op->name);
        if ((op->flags & CJ__OP_EFFECT) &&
            (op->samples[0] != '\0' || op->identity != CJ__IDENTITY_NEVER))
            fail_msg("op %s: an effect is neither cut into parts nor left out", op->name);
        if ((op->flags & (CJ__OP_START | CJ__OP_AWAIT)) && !(op->flags & CJ__OP_EFFECT))
            fail_msg("op %s: a start or an await is an effect", op->name);
        if (op->step && !(op->flags & CJ__OP_UPDATE))
            fail_msg("op %s: a step is an update", op->name);
        if (op->convolution && op->convolution->with_pool &&
            op->convolution->with_pool->convolution->kind != op->convolution->kind)
            fail_msg("op %s: with a pool it is of another kind", op->name);
    }
}

static void fill(cj_tensor *tensor, double value)
{
    for (int64_t i = 0; case_is_real(cj_tensor_dtype(tensor)) && i < cj_tensor_count(tensor); i++)
        case_set(tensor, i, i % 2 ? value : -value);
}

// Idle lanes hold zeros first, and then what ops make of them: all of it must be finite.
static void ops_on_blocks_keep_finite_numbers_finite(void **state)
{
    static const double values[] = {0, 1e-30, 1, 100, 1e6};
    (void)state;
    for (size_t k = 0; k < op_case_count; k++) {
        trial t;
        if (op_cases[k].op->on_blocks != CJ__ON_BLOCKS_YES)
            continue;
        begin(&op_cases[k], &t);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            for (int i = 0; i < op_cases[k].input_count; i++)
                fill(t.in[i], values[v]);
            run(&t);
            for (int64_t i = 0; i < cj_tensor_count(t.out[0]); i++)
                if (!isfinite(case_get(t.out[0], i)))
                    fail_msg("op %s: %g gives %g", op_cases[k].op->name, values[v],
                             case_get(t.out[0], i));
        }
        end(&t);
    }
}

static float to_bf16(float value)
{
    float rounded;
    cj__kernels_for(sizeof(float))->round_bf16(1, &value, &rounded);
    return rounded;
}

static void round_all(cj_tensor *tensor)
{
    float *x = cj_tensor_data(tensor);
    for (int64_t i = 0; cj_tensor_dtype(tensor) == CJ_F32 && i < cj_tensor_count(tensor); i++)
        x[i] = to_bf16(x[i]);
}

static void ops_that_keep_bfloat16_numbers_do(void **state)
{
    (void)state;
    for (size_t k = 0; k < op_case_count; k++) {
        const cj__bf16 bf16 = op_cases[k].op->bf16;
        trial t;
        if (bf16 == CJ__BF16_NEVER ||
            (op_cases[k].op->keeps_bf16 && !op_cases[k].op->keeps_bf16(op_cases[k].attrs)))
            continue;
        begin(&op_cases[k], &t);
        const int from = bf16 == CJ__BF16_FROM_INPUT_1;
        if (bf16 != CJ__BF16_ALWAYS)
            round_all(t.in[from]);
        run(&t);
        const float *y = cj_tensor_data(t.out[0]);
        for (int64_t i = 0; cj_tensor_dtype(t.out[0]) == CJ_F32 && i < cj_tensor_count(t.out[0]);
             i++)
            if (to_bf16(y[i]) < y[i] || to_bf16(y[i]) > y[i])
                fail_msg("op %s: %.9g is no bfloat16 number", op_cases[k].op->name, (double)y[i]);
        end(&t);
    }
}

static void inputs_of_which_the_shape_is_read_may_hold_anything(void **state)
{
    (void)state;
    for (size_t k = 0; k < op_case_count; k++) {
        const unsigned mask = op_cases[k].op->shape_only;
        trial t;
        if (mask == 0)
            continue;
        begin(&op_cases[k], &t);
        run(&t);
        cj_tensor *before = t.out[0];
        t.out[0] = output_of(&t, 0);
        for (int i = 0; i < op_cases[k].input_count; i++)
            if (mask >> i & 1)
                fill(t.in[i], NAN);
        run(&t);
        for (int64_t i = 0; i < cj_tensor_count(before); i++)
            if (!(case_get(before, i) == case_get(t.out[0], i)))
                fail_msg("op %s reads more than a shape", op_cases[k].op->name);
        cj_release(before);
        end(&t);
    }
}

// ---- Identity ----

static cj_symbol *applied(cj__build *g, const cj__op *op, cj_symbol *x, cj_symbol *one)
{
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX] = {0};
    cj_symbol *inputs[2] = {x, op->identity == CJ__IDENTITY_BY_ONE ? one : x};
    if (op == &cj__op_cast)
        ((cj__cast_attrs *)(void *)attrs)->dtype = CJ_F32;
    if (op == &cj__op_reshape)
        *(cj__reshape_attrs *)(void *)attrs = cj__reshape_attrs_of(cj_symbol_shape(x));
    return cj__append(g, op, attrs, inputs, op->min_inputs);
}

// Without the pass, which would not run the op at all.
static void ops_that_are_identities_give_the_bits_of_the_input(void **state)
{
    const float numbers[4] = {-0.0f, 1e-20f, 3.14159f, -2.5e30f};
    (void)state;
    assert_int_equal(setenv("CAJAL_PLAN", "-identity", 1), 0);
    for (int i = 0; cj__ops[i]; i++) {
        const cj__op *op = cj__ops[i];
        if (is_leaf(op) || op->identity == CJ__IDENTITY_NEVER)
            continue;
        cj__build g = {0};
        cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH), "x"));
        cj_symbol *y = applied(&g, op, x, cj__scalar(&g, CJ_F32, 1));
        cj_tensor *in = NULL, *out = NULL;
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(4), numbers, 4, &in), CJ_OK);
        assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(4), &out), CJ_OK);
        cj_function *f =
            cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
        if (!f || cj_function_call(f, &in, &out) != CJ_OK)
            fail_msg("%s: %s", op->name, cj_error());
        assert_memory_equal(cj_tensor_data(out), numbers, sizeof numbers);
        cj_release(f), cj_release(in), cj_release(out);
        cj__build_end(&g);
    }
    assert_int_equal(unsetenv("CAJAL_PLAN"), 0);
}

// ---- Samples ----

static bool has_samples(const op_case *c, int input)
{
    const char role = c->op->samples[input];
    return (role == 's' || role == 'e') && c->inputs[input].shape.rank > 0 &&
           c->inputs[input].shape.dims[0] == CJ_BATCH;
}

static cj_tensor *sample_of(cj_tensor *tensor, int64_t index)
{
    cj_tensor *view = NULL;
    assert_int_equal(cj_tensor_slice(tensor, 0, index, 1, &view), CJ_OK);
    return view;
}

// The outputs of one sample alone.
static void run_sample(const trial *t, int64_t sample, cj_tensor **out)
{
    cj_tensor *in[CASE_INPUTS];
    for (int i = 0; i < t->c->input_count; i++)
        in[i] = has_samples(t->c, i) ? sample_of(t->in[i], sample) : cj_retain(t->in[i]);
    for (int k = 0; k < t->graph.output_count; k++) {
        cj_shape shape = *cj_tensor_shape(t->out[k]);
        if (strchr(t->c->op->samples, '>')[1 + k] == 's')
            shape.dims[0] = 1;
        assert_int_equal(cj_tensor_new(cj_tensor_dtype(t->out[k]), shape, &out[k]), CJ_OK);
    }
    if (cj_function_call(t->function, in, out) != CJ_OK)
        fail_msg("%s: %s", t->c->op->name, cj_error());
    for (int i = 0; i < t->c->input_count; i++)
        cj_release(in[i]);
}

// Sums are of other orders, and forms of kernels differ with the number of images.
static void expect_near(const op_case *c, double actual, double expected)
{
    if (!(fabs(actual - expected) <= 1e-4 * fmax(1, fabs(expected))))
        fail_msg("op %s: a sample alone gives %.9g, in the batch %.9g", c->op->name, actual,
                 expected);
}

static void check_samples(trial *t)
{
    cj_tensor *sums[CASE_OUTPUTS];
    for (int k = 0; k < t->graph.output_count; k++)
        sums[k] = output_of(t, k); // zeros
    for (int64_t sample = 0; sample < CASE_BATCH; sample++) {
        cj_tensor *out[CASE_OUTPUTS];
        run_sample(t, sample, out);
        for (int k = 0; k < t->graph.output_count; k++) {
            const int64_t count = cj_tensor_count(out[k]);
            const bool sums_up = strchr(t->c->op->samples, '>')[1 + k] == '+';
            for (int64_t i = 0; i < count; i++)
                if (sums_up)
                    case_set(sums[k], i, case_get(sums[k], i) + case_get(out[k], i));
                else
                    expect_near(t->c, case_get(out[k], i), case_get(t->out[k], sample * count + i));
            for (int64_t i = 0; sums_up && sample == CASE_BATCH - 1 && i < count; i++)
                expect_near(t->c, case_get(sums[k], i), case_get(t->out[k], i));
            cj_release(out[k]);
        }
    }
    for (int k = 0; k < t->graph.output_count; k++)
        cj_release(sums[k]);
}

static void samples_depend_on_their_own_operands_alone(void **state)
{
    (void)state;
    for (size_t k = 0; k < op_case_count; k++) {
        bool any = false;
        for (int i = 0; i < op_cases[k].input_count && op_cases[k].op->samples[0]; i++)
            any = any || has_samples(&op_cases[k], i);
        trial t;
        if (!any)
            continue;
        begin(&op_cases[k], &t);
        run(&t);
        check_samples(&t);
        end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_declares_its_traits),
        cmocka_unit_test(traits_that_go_together_do),
        cmocka_unit_test(ops_on_blocks_keep_finite_numbers_finite),
        cmocka_unit_test(ops_that_keep_bfloat16_numbers_do),
        cmocka_unit_test(inputs_of_which_the_shape_is_read_may_hold_anything),
        cmocka_unit_test(ops_that_are_identities_give_the_bits_of_the_input),
        cmocka_unit_test(samples_depend_on_their_own_operands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
