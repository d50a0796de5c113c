// Whether each sample of a loop's body goes its own way: no op of it mixes samples, and all that it
// makes has them along the first axis. Then a loop may take some samples through all its steps, and
// then others, or both at once on two threads, which need not wait for each other in each step
// (graph/loop.h).
#include "graph/program.h"

// The number of axes whose length depends on the batch; *first: whether the first one is the batch.
static int free_axes(const cj__program *program, int value, bool *first)
{
    int count = 0;
    const cj_shape *shape = &program->values[value].type.shape;
    for (int i = 0; i < shape->rank; i++)
        count += shape->dims[i] < 0;
    *first = shape->rank > 0 && shape->dims[0] == CJ_BATCH;
    return count;
}

static bool has_samples(const cj__program *program, int value)
{
    bool first;
    return free_axes(program, value, &first) == 1 && first;
}

static bool is_whole(const cj__program *program, int value)
{
    bool first;
    return free_axes(program, value, &first) == 0;
}

// As long as the batch is free, nothing else has its length by chance.
static bool keeps_apart(const cj__program *program, const cj__instruction *instruction)
{
    for (int i = 0; i < instruction->input_count + instruction->output_count; i++) {
        const int value = instruction->inputs[i]; // outputs follow inputs
        const char role = cj__sample_role(program, instruction, i, CJ_BATCH);
        const bool is_input = i < instruction->input_count;
        if (role == 's' ? !has_samples(program, value) :
                          !is_input || !(role == 'w' || role == 'v') || !is_whole(program, value))
            return false;
    }
    return true;
}

cj_status cj__split_loop(cj__program *program)
{
    bool apart = program->steps > 0;
    for (int i = 0; i < program->value_count && apart; i++)
        apart = program->values[i].kind != CJ__VALUE_INPUT || has_samples(program, i) ||
                is_whole(program, i);
    for (int i = 0; i < program->output_count && apart; i++)
        apart = has_samples(program, program->outputs[i]);
    for (int i = 0; i < program->instruction_count && apart; i++)
        apart = keeps_apart(program, &program->instructions[i]);
    program->samples_apart = apart;
    return CJ_OK;
}
