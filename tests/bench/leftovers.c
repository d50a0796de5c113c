// What the pass fuse_elements leaves of the zoo's networks: element-wise calls that read what another
// one of the same shape makes, and are not one with it. Each has a reason, or fails the test. Prints
// how many there are of each reason.
#include "worker/zoo.h"

#include "support.h"

#include "graph/loop.h"
#include "graph/passes/elements.h"
#include "layers/layer.h"
#include "ops/build.h"
#include "train/losses.h"
#include "train/step.h"

#include <stdio.h>
#include <string.h>

typedef enum reason {
    // With few elements the joined call's preparations take as long as the calls that it saves.
    FEW_ELEMENTS,
    // Something that is not element-wise reads the first result before the second call can be made.
    READ_BETWEEN,
    // The two together have more operands or steps than one call may have.
    TOO_LONG,
    // Reductions of one call go over one division of the axes.
    OTHER_AXES,
    NONE,
    REASONS
} reason;

static const char *const reasons[REASONS] = {"few elements", "read between", "too long",
                                             "other axes", "none"};

typedef struct looking {
    const char *net;
    int counts[REASONS];
    bool in_loop;
} looking;

static const cj__element_program *program_of(const cj__instruction *one)
{
    const bool joined = one->op == &cj__op_elements || one->op == &cj__op_element_sums;
    return joined ? ((const cj__elements_attrs *)(const void *)one->attrs)->program : NULL;
}

static const cj_shape *domain_of(const cj__program *program, const cj__instruction *one)
{
    const cj__element_program *joined = program_of(one);
    return joined                       ? &joined->domain :
           one->op->flags & CJ__OP_VIEW ? NULL :
                                          cj__element_domain(program, one);
}

static int steps_of(const cj__instruction *one)
{
    const cj__element_program *joined = program_of(one);
    return joined ? joined->step_count : 1;
}

static bool reduces(const cj__instruction *one)
{
    const cj__element_program *joined = program_of(one);
    return joined ? joined->reduction_count > 0 : one->op->reducing != NULL;
}

// Whether something that is not element-wise over this shape reads a result of `first` before
// `second`, or a result of it that is on the way to `second`.
static bool read_between(const cj__program *program, int first, int second)
{
    const cj__instruction *maker = &program->instructions[first];
    for (int i = first + 1; i < second; i++) {
        const cj__instruction *between = &program->instructions[i];
        for (int j = 0; j < between->input_count; j++)
            for (int k = 0; k < maker->output_count; k++)
                if (between->inputs[j] == maker->outputs[k])
                    return true;
    }
    return false;
}

// Whether all that `second` reads is there where `first` stands.
static bool can_move_up(const cj__program *program, int first, int second)
{
    const cj__instruction *moved = &program->instructions[second];
    for (int j = 0; j < moved->input_count; j++)
        if (program->values[moved->inputs[j]].producer > first)
            return false;
    return true;
}

static reason reason_for(const cj__program *program, int first, int second)
{
    const cj__instruction *a = &program->instructions[first], *b = &program->instructions[second];
    if (cj_shape_count(domain_of(program, a)) < CJ__CHAIN_BLOCK)
        return FEW_ELEMENTS;
    if (read_between(program, first, second) && !can_move_up(program, first, second))
        return READ_BETWEEN;
    if (a->input_count + a->output_count + b->input_count + b->output_count - 2 >
            CJ__ELEMENTS_OPERANDS ||
        steps_of(a) + steps_of(b) > CJ__ELEMENTS_STEPS)
        return TOO_LONG;
    return reduces(a) || reduces(b) ? OTHER_AXES : NONE;
}

static void look(void *context, const cj__plan *plan)
{
    looking *l = context;
    const cj__program *program = &plan->program;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *second = &program->instructions[i];
        const cj_shape *domain = domain_of(program, second);
        for (int j = 0; domain && j < second->input_count; j++) {
            const cj__value_info *value = &program->values[second->inputs[j]];
            if (cj__shape_only(second->op, j) || value->producer < 0)
                continue;
            const cj_shape *made = domain_of(program, &program->instructions[value->producer]);
            if (!made || !cj_shape_equal(made, domain) ||
                !cj_shape_equal(&value->type.shape, domain))
                continue;
            const reason why = reason_for(program, value->producer, i);
            l->counts[why]++;
            if (why == NONE)
                printf("%s%s: %s and %s\n", l->net, l->in_loop ? ", in a loop" : "",
                       program->instructions[value->producer].op->name, second->op->name);
        }
    }
    for (int i = 0; plan->loops && i < program->instruction_count; i++) {
        looking within = *l;
        within.in_loop = true;
        if (!plan->loops[i])
            continue;
        look(&within, plan->loops[i]->parts[0].plan);
        memcpy(l->counts, within.counts, sizeof within.counts);
    }
}

static void look_at(const network *net, cj__mode mode, int64_t batch, looking *l)
{
    cj_model *model = make_net(net, &(settings){0});
    cj_dataset *data = NULL;
    cj__train_state *state = NULL;
    const cj__step_functions *functions = NULL;
    if (!model || random_data(net, 2, &data) != CJ_OK ||
        cj_compile(model, .optimizer = net->optimizer ? net->optimizer() : cj_adam(),
                   .loss = net->loss ? net->loss : "sparse_categorical_crossentropy") != CJ_OK ||
        cj__state_compiled(model, "test", &state) != CJ_OK ||
        cj__functions_find(model, state, mode, data, false, &functions) != CJ_OK ||
        cj__function_look(functions->function, batch, look, l) != CJ_OK)
        fail_msg("%s: %s", net->name, cj_error());
    cj_release(data);
    cj_release(model);
}

static void no_pass_over_memory_is_left_that_a_neighbour_could_do(void **state)
{
    (void)state;
    int left = 0;
    for (int i = 0; i < zoo_count; i++) {
        if (strncmp(zoo[i].name, "lstm_1", 6) == 0) // one of four
            continue;
        const int modes = zoo[i].train ? 1 : 2; // some have steps of their own
        for (int training = 0; training < modes; training++) {
            looking l = {.net = zoo[i].name};
            look_at(&zoo[i], training ? CJ__MODE_TRAIN : CJ__MODE_PREDICT, zoo[i].batch, &l);
            printf("%-12s %s:", zoo[i].name, training ? "train" : "predict");
            for (int why = 0; why < REASONS; why++)
                printf(" %s %d%s", reasons[why], l.counts[why], why + 1 < REASONS ? "," : "\n");
            left += l.counts[NONE];
        }
    }
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pass_over_memory_is_left_that_a_neighbour_could_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
