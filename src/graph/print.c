// A plan as a table: what runs, where its result lies, and where the time goes.
#include "graph/loop.h"

#include "base/error.h"

enum { WORDS = 160, SHAPES = 4 * WORDS };

// "(64, 28, 28, 1) (3, 3, 1, 32) .. -> (64, 12, 12, 32)": at most two inputs are written out.
static void shapes_of(const cj__call *call, char *text, size_t size)
{
    char first[WORDS] = "", second[WORDS] = "", result[WORDS];
    if (call->input_count > 0)
        cj_shape_text(&call->inputs[0].type.shape, first, sizeof(first));
    if (call->input_count > 1)
        cj_shape_text(&call->inputs[1].type.shape, second, sizeof(second));
    snprintf(text, size, "%s %s%s-> %s", first, second,
             call->input_count > 2 ? " .. " :
             call->input_count > 1 ? " " :
                                     "",
             cj_shape_text(&call->outputs[0].type.shape, result, sizeof(result)));
}

static void memory_of(const cj__plan *plan, const cj__instruction *instruction, char *text,
                      size_t size)
{
    const cj__buffer *buffer = &plan->buffers[instruction->outputs[0]],
                     *root = &plan->buffers[buffer->root];
    if (instruction->op->flags & CJ__OP_VIEW)
        snprintf(text, size, "view");
    else if (root->home == CJ__HOME_FIXED)
        snprintf(text, size, "in the variable");
    else if (root->home == CJ__HOME_OUTPUT)
        snprintf(text, size, "in the result");
    else
        snprintf(text, size, "%zu%s", root->offset,
                 buffer->home == CJ__HOME_SHARED ? " (an input's)" : "");
}

static double bytes_of(const cj__plan *plan, const cj__instruction *instruction)
{
    double bytes = 0;
    // outputs follow inputs
    for (int i = 0; i < instruction->input_count + instruction->output_count; i++) {
        const cj__buffer *buffer = &plan->buffers[instruction->inputs[i]];
        bytes += buffer->home == CJ__HOME_NOWHERE || (instruction->op->flags & CJ__OP_VIEW) ?
                     0 :
                     (double)(cj_shape_count(&buffer->type.shape) *
                              (int64_t)cj_dtype_size(buffer->type.dtype));
    }
    return bytes;
}

typedef struct totals {
    double flops, bytes, seconds;
} totals;

// Of a call; of a loop, of all its steps.
static double flops_of(const cj__call *call)
{
    double flops = call->op->flops ? call->op->flops(call) : 0;
    for (int p = 0; call->loop && p < call->loop->part_count; p++) {
        const cj__plan *body = call->loop->parts[p].plan;
        for (int i = 0; i < body->program.instruction_count; i++)
            flops += (double)call->loop->length * flops_of(&body->calls[i]);
    }
    return flops;
}

// Where lines go, and what they are part of: so many loops deep, and so many steps a run. Seconds are
// multiplied by `scale`.
typedef struct listing {
    FILE *stream;
    const totals *all;
    int depth;
    double steps, scale;
} listing;

static void print_calls(const cj__plan *plan, const double *seconds, const listing *to);

// The calls of a body. Their seconds are means over the runs, that of the loop is a median: they are
// shown as shares of it. `time` is NULL without times. The first part stands for all.
static void print_loop(const cj__loop *loop, const double *time, const listing *to)
{
    double sum = 0;
    const cj__loop_part *part = &loop->parts[0];
    const double parts = loop->part_count > 1 ? (double)loop->batch / (double)part->rows : 1;
    for (int i = 0; time && i < part->plan->program.instruction_count; i++)
        sum += loop->seconds[i];
    print_calls(part->plan, time ? loop->seconds : NULL,
                &(listing){to->stream, to->all, to->depth + 1,
                           to->steps * (double)loop->length * parts, sum > 0 ? *time / sum : 1});
}

// "conv2d, winograd, by 8", further to the right within a loop.
static void name_of(const cj__instruction *instruction, const cj__call *call, int depth,
                    char name[2 * WORDS])
{
    const char *form = call->op->form && call->kernels ? call->op->form(call) : NULL;
    const int64_t part = instruction->op->flags & CJ__OP_VIEW ? 0 : instruction->cut.part;
    char by[48] = "";
    if (instruction->steady && !(instruction->op->flags & CJ__OP_VIEW))
        snprintf(by, sizeof by, ", once");
    if (part > 0)
        snprintf(by, sizeof by, ", by %lld", (long long)part);
    if (call->loop && call->loop->part_count > 1)
        snprintf(by, sizeof by, ", %lld steps%s, by %lld", (long long)call->loop->length,
                 call->loop->reverse ? " back" : "", (long long)call->loop->parts[0].rows);
    else if (call->loop)
        snprintf(by, sizeof by, ", %lld steps%s", (long long)call->loop->length,
                 call->loop->reverse ? " back" : "");
    snprintf(name, 2 * WORDS, "%*s%s%s%s%s%s", 2 * depth, "", call->op->name, form ? ", " : "",
             form ? form : "",
             call->kept && cj__kept_outlives(call->kept)            ? ", kept for all runs" :
             call->kept                                             ? ", kept" :
             call->rounds && (call->op->flags & CJ__OP_ELEMENTWISE) ? ", rounds" :
                                                                      "",
             by);
}

// One line; the calls of a loop follow it.
static void print_call(const cj__plan *plan, int position, const double *seconds, const listing *to)
{
    const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
    const cj__call *call = &plan->calls[position];
    const double flops = to->steps * flops_of(call);
    char name[2 * WORDS], shapes[SHAPES], memory[WORDS];
    name_of(instruction, call, to->depth, name);
    shapes_of(call, shapes, sizeof(shapes));
    memory_of(plan, instruction, memory, sizeof(memory));
    fprintf(to->stream, "%4d %-38s %-60s %-22s %10.1f %9.2f", position, name, shapes, memory,
            to->steps * bytes_of(plan, instruction) / 1024, flops * 1e-6);
    const double time = seconds ? to->scale * seconds[position] : 0;
    if (seconds) {
        fprintf(to->stream, " %9.1f %5.1f%%", time * 1e6, 100 * time / to->all->seconds);
        if (flops > 0)
            fprintf(to->stream, " %7.1f", flops / time * 1e-9);
    }
    fprintf(to->stream, "\n");
    if (call->loop)
        print_loop(call->loop, seconds ? &time : NULL, to);
}

static void print_calls(const cj__plan *plan, const double *seconds, const listing *to)
{
    for (int i = 0; i < plan->program.instruction_count; i++)
        print_call(plan, i, seconds, to);
}

cj_status cj__plan_print(const cj__plan *plan, const double *seconds, FILE *stream)
{
    const int count = plan->program.instruction_count;
    char workers[WORDS] = "";
    totals all = {0};
    plan->device->kind->describe(plan->device, workers, sizeof workers);
    for (int i = 0; i < count; i++) {
        const cj__call *call = &plan->calls[i];
        all.flops += flops_of(call);
        all.bytes += bytes_of(plan, &plan->program.instructions[plan->order[i]]);
        all.seconds += seconds ? seconds[i] : 0;
    }
    fprintf(stream, "%4s %-38s %-60s %-22s %10s %9s%s\n", "call", "kernel", "operands -> result",
            "arena offset", "KiB", "MFLOP", seconds ? "        us  share GFLOP/s" : "");
    print_calls(plan, seconds, &(listing){stream, &all, 0, 1, 1});
    fprintf(stream, "%4s %-38s %-60s %-22s %10.1f %9.2f", "", "all", "", "", all.bytes / 1024,
            all.flops * 1e-6);
    if (seconds)
        fprintf(stream, " %9.1f %5.1f%% %7.1f", all.seconds * 1e6, 100.0,
                all.flops / all.seconds * 1e-9);
    fprintf(stream,
            "\nbatch %lld: %d calls on %s, %d values, arena %zu bytes, of which workspace "
            "%zu; %zu kept\n",
            (long long)plan->batch, count, workers, plan->program.value_count, plan->arena_size,
            plan->workspace, plan->kept_size);
    return ferror(stream) ? cj__fail(CJ_IO, "plan: printing failed") : CJ_OK;
}
