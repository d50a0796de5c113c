// Functions: a program, the device it runs on, the plans made so far, and the checks of a public
// call.
//
// A plan is used by one thread at a time: a call takes a free plan of its batch size, or makes one.
// At most PLANS_MAX are kept; then the least recently used one is dropped. Memory to run in is
// borrowed for the call (arena.h).
#include "base/args.h"
#include "base/fields.h"
#include "graph/graph.h"

#include "base/environment.h"
#include "base/error.h"
#include "base/memory.h"
#include "graph/arena.h"
#include "graph/cpu.h"
#include "graph/plan.h"
#include "ops/infer.h"
#include "ops/variable.h"
#include "tensor/strings.h"

#include <stdlib.h>
#include <string.h>

enum { PLANS_MAX = 8 };

struct cj_function {
    cj__object object;
    cj__program program;
    // inputs, then outputs, then updates' values: held, so that the caller's pointers stay valid
    cj_symbol **symbols;
    int symbol_count, input_count, output_count;
    cj__device *device;
    cj__arenas *arenas; // of the device's memory; may be shared with other functions
    char *off;          // passes that are switched off, or NULL
    cj__mutex lock;     // guards what follows
    cj__plan **plans;
    size_t plan_count, plan_capacity;
    uint64_t clock;
};

static void destroy(void *object)
{
    cj_function *function = object;
    for (size_t i = 0; i < function->plan_count; i++)
        cj__plan_free(function->plans[i]);
    cj__free(function->plans);
    cj__program_free(&function->program);
    for (int i = 0; i < function->symbol_count; i++)
        cj_release(function->symbols[i]);
    cj__free(function->symbols);
    cj_release(function->arenas);
    cj_release(function->device);
    cj__free(function->off);
    cj__mutex_destroy(&function->lock);
    cj__free(function);
}

static const cj__class function_class = {"function", destroy};

static void keep(cj_function *function, cj_symbol *symbol)
{
    function->symbols[function->symbol_count++] = cj__own(symbol);
}

// The objects in the arguments as one list: inputs, outputs, values and variables of the updates, and
// the pool.
static const void *argument(const cj_function_args *args, int index)
{
    if (index < args->input_count)
        return args->inputs[index];
    index -= args->input_count;
    if (index < args->output_count)
        return args->outputs[index];
    index -= args->output_count;
    if (index < args->update_count)
        return args->updates[index].value;
    index -= args->update_count;
    return index < args->update_count ? (const void *)args->updates[index].variable : args->pool;
}

// Releases those that are still floating. One may be what keeps another alive, so all are held
// meanwhile.
static void drop_arguments(const cj_function_args *args)
{
    const int count = args->input_count + args->output_count + 2 * args->update_count + 1;
    for (int i = 0; i < count; i++)
        cj_retain(argument(args, i));
    for (int i = 0; i < count; i++)
        cj__drop_floating(argument(args, i));
    for (int i = 0; i < count; i++)
        cj_release(argument(args, i));
}

static cj_status take_switches(cj_function *function)
{
    const char *off = getenv("CAJAL_PLAN");
    function->off = cj__copy_text(off);
    if (off && !function->off)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__environment_check());
    return cj__check_switches(off);
}

CJ__DEFAULTS(function, FUNCTION)

static cj_status check_lists(const cj_function_args *args)
{
    if (args->input_count < 0 || args->output_count < 0 || args->update_count < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "function: a count of inputs, outputs or updates is "
                                             "negative");
    if ((args->input_count && !args->inputs) || (args->output_count && !args->outputs) ||
        (args->update_count && !args->updates))
        return cj__fail_null("function: a list of inputs, outputs or updates");
    return CJ_OK;
}

// Whether the pool and the updates are there; else what floats is dropped. cj_updates_list() gives
// NULL and no entries where cj_optimizer_updates() failed.
static bool need_objects(cj_function_args *args)
{
    cj_status status = cj__pool_given(&args->pool, "function");
    if (status == CJ_OK && !args->updates && cj__builder_failed(CJ__MADE_UPDATES))
        status = cj__fail_missing(CJ__MADE_UPDATES, "function: the updates");
    if (status != CJ_OK)
        drop_arguments(args);
    return status == CJ_OK;
}

// The device of the program's variables where they are on one, else a CPU with the caller's pool.
static cj_status choose_device(cj_function *function, cj_pool *pool, cj__arenas *arenas)
{
    const cj__program *program = &function->program;
    cj__device *device = arenas && !arenas->device->kind->host_memory ? arenas->device : NULL;
    for (int i = 0; i < program->value_count && !device; i++)
        if (program->values[i].variable)
            device = cj__variable_device(program->values[i].variable);
    for (int i = 0; i < program->update_count && !device; i++)
        device = cj__variable_device(program->updated[i]);
    function->device = cj__own(device ? device : cj__cpu_new(pool));
    if (!function->device)
        return CJ_OUT_OF_MEMORY;
    function->program.device = function->device;
    const bool fits = arenas && (arenas->device == device || (cj__device_is_host(arenas->device) &&
                                                              cj__device_is_host(device)));
    function->arenas = cj__own(fits ? arenas : cj__arenas_new(function->device));
    return function->arenas ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// A function reads and writes its variables where they are, so all must be on its device.
static cj_status check_device(const cj_function *function)
{
    const cj__program *program = &function->program;
    const cj__device *device = function->device->kind->host_memory ? NULL : function->device;
    CJ_TRY(cj__check_device_passes(function->device->kind));
    for (int i = 0; i < program->value_count + program->update_count; i++) {
        const cj_variable *variable = i < program->value_count ?
                                          program->values[i].variable :
                                          program->updated[i - program->value_count];
        if (variable && cj__variable_device(variable) != device)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "function: variable \"%s\" is not on the device \"%s\" of the others",
                            variable->name, function->device->kind->name);
    }
    return CJ_OK;
}

cj_function *cj_function_new(const cj_function_args *args)
{
    cj_function_args given;
    cj_function *function = NULL;
    if (cj__args_read("function", args, &function_defaults, sizeof given, &given) == CJ_OK &&
        check_lists(&given) == CJ_OK)
        function = need_objects(&given) ? cj__function_new(&given, NULL) : NULL;
    return function ? function : cj__build_failed(CJ__MADE_FUNCTION);
}

cj_function *cj__function_new(const cj_function_args *args, struct cj__arenas *arenas)
{
    cj_function *function = cj__object_new(&function_class, sizeof *function);
    if (!function) {
        drop_arguments(args);
        return NULL;
    }
    cj__mutex_init(&function->lock);
    function->input_count = args->input_count;
    function->output_count = args->output_count;
    function->symbols = cj__new(
        (size_t)(args->input_count + args->output_count + args->update_count), sizeof(cj_symbol *));
    cj_status status = function->symbols ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        for (int i = 0; i < args->input_count; i++)
            keep(function, args->inputs[i]);
        for (int i = 0; i < args->output_count; i++)
            keep(function, args->outputs[i]);
        for (int i = 0; i < args->update_count; i++)
            keep(function, args->updates[i].value);
        status = cj__program_new(args, &function->program);
    }
    if (status == CJ_OK)
        status = choose_device(function, args->pool, arenas);
    if (status == CJ_OK)
        status = check_device(function);
    if (status == CJ_OK)
        status = take_switches(function);
    if (status == CJ_OK)
        status = cj__program_optimize(&function->program, CJ__STAGE_GRAPH, function->off);
    if (status != CJ_OK) {
        drop_arguments(args);
        cj_release(function);
        return NULL;
    }
    cj__drop_floating(args->pool); // of a device that needs none
    return function;
}

const cj__type *cj__function_input(const cj_function *function, int index)
{
    return cj__symbol_type(function->symbols[index]);
}

const cj__type *cj__function_output(const cj_function *function, int index)
{
    return cj__symbol_type(function->symbols[function->input_count + index]);
}

// ---- Plans ----

static cj__plan *find_free(cj_function *function, int64_t batch)
{
    for (size_t i = 0; i < function->plan_count; i++) {
        if (!function->plans[i]->busy && function->plans[i]->batch == batch)
            return function->plans[i];
    }
    return NULL;
}

static void drop_oldest(cj_function *function)
{
    size_t oldest = function->plan_count;
    for (size_t i = 0; i < function->plan_count; i++) {
        if (!function->plans[i]->busy && (oldest == function->plan_count ||
                                          function->plans[i]->used < function->plans[oldest]->used))
            oldest = i;
    }
    if (oldest == function->plan_count)
        return;
    cj__plan_free(function->plans[oldest]);
    function->plans[oldest] = function->plans[--function->plan_count];
}

// Plans whose variables are no longer what they were made for (keep_steady.c).
static void drop_outdated(cj_function *function)
{
    for (size_t i = function->plan_count; i-- > 0;) {
        if (function->plans[i]->busy || !function->plans[i]->outdated)
            continue;
        cj__plan_free(function->plans[i]);
        function->plans[i] = function->plans[--function->plan_count];
    }
}

static cj_status find_plan(cj_function *function, int64_t batch, cj__plan **plan)
{
    cj_status status = CJ_OK;
    cj__mutex_lock(&function->lock);
    drop_outdated(function);
    *plan = find_free(function, batch);
    if (!*plan) {
        if (function->plan_count >= PLANS_MAX)
            drop_oldest(function);
        status = cj__plan_new(&function->program, batch, function->off, plan);
        if (status == CJ_OK && !cj__reserve((void **)&function->plans, &function->plan_capacity,
                                            function->plan_count + 1, sizeof(cj__plan *))) {
            cj__plan_free(*plan);
            *plan = NULL;
            status = CJ_OUT_OF_MEMORY;
        }
        if (status == CJ_OK)
            function->plans[function->plan_count++] = *plan;
    }
    if (status == CJ_OK) {
        (*plan)->busy = true;
        (*plan)->used = ++function->clock;
    }
    cj__mutex_unlock(&function->lock);
    return status;
}

static void give_plan_back(cj_function *function, cj__plan *plan)
{
    cj__arena_return(function->arenas, plan->arena);
    cj__mutex_lock(&function->lock);
    plan->busy = false;
    cj__mutex_unlock(&function->lock);
}

// Takes a plan and an arena for it. Both belong to this thread until they are given back.
static cj_status take_plan(cj_function *function, int64_t batch, cj__plan **plan)
{
    CJ_TRY(find_plan(function, batch, plan));
    const cj_status status =
        cj__arena_borrow(function->arenas, (*plan)->arena_size, &(*plan)->arena);
    if (status == CJ_OK)
        cj__plan_point(*plan, (*plan)->arena->data);
    else
        give_plan_back(function, *plan);
    return status;
}

cj_status cj__function_run(cj_function *function, int64_t batch, const void *const *inputs,
                           void *const *outputs)
{
    cj__plan *plan = NULL;
    CJ_TRY(take_plan(function, batch, &plan));
    cj_status status = cj__plan_run(plan, inputs, outputs);
    give_plan_back(function, plan);
    return status;
}

// What timing a plan needs: inputs of zeros, and copies of the variables that the runs overwrite.
typedef struct rehearsal {
    void **inputs, **saved;
    double *seconds;
} rehearsal;

static cj_status prepare(const cj_function *function, const cj__plan *plan, rehearsal *r)
{
    r->inputs = cj__new((size_t)function->input_count, sizeof *r->inputs);
    r->saved = cj__new((size_t)plan->program.update_count, sizeof *r->saved);
    r->seconds = cj__new((size_t)plan->program.instruction_count, sizeof *r->seconds);
    if (!r->inputs || !r->saved || !r->seconds)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < function->input_count; i++) {
        cj_shape shape = cj__function_input(function, i)->shape;
        for (int axis = 0; axis < shape.rank; axis++)
            shape.dims[axis] = shape.dims[axis] == CJ_BATCH ? plan->batch : shape.dims[axis];
        r->inputs[i] = cj__new((size_t)cj_shape_count(&shape),
                               cj_dtype_size(cj__function_input(function, i)->dtype));
        if (!r->inputs[i])
            return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < plan->program.update_count; i++) {
        const cj_variable *variable = plan->program.updated[i];
        const cj_tensor *value = cj__variable_read(variable);
        if (!value)
            return cj_error_status();
        r->saved[i] = cj__copy_bytes(value->data, cj__variable_bytes(variable));
        if (!r->saved[i])
            return CJ_OUT_OF_MEMORY;
    }
    return CJ_OK;
}

static cj_status undo(const cj_function *function, const cj__plan *plan, rehearsal *r)
{
    cj_status status = CJ_OK;
    for (int i = 0; r->inputs && i < function->input_count; i++)
        cj__free(r->inputs[i]);
    for (int i = 0; r->saved && i < plan->program.update_count; i++) {
        if (r->saved[i] && status == CJ_OK)
            status = cj__variable_write(plan->program.updated[i], r->saved[i]);
        cj__free(r->saved[i]);
    }
    cj__free(r->inputs);
    cj__free(r->saved);
    cj__free(r->seconds);
    return status;
}

cj_status cj__function_print(cj_function *function, int64_t batch, int rounds, FILE *stream)
{
    cj__plan *plan = NULL;
    rehearsal r = {0};
    CJ_TRY(take_plan(function, batch, &plan));
    cj_status status = rounds > 0 ? prepare(function, plan, &r) : CJ_OK;
    if (status == CJ_OK && rounds > 0)
        status = cj__plan_time(plan, (const void *const *)r.inputs, rounds, r.seconds);
    if (status == CJ_OK)
        status = cj__plan_print(plan, rounds > 0 ? r.seconds : NULL, stream);
    const cj_status undone = undo(function, plan, &r);
    give_plan_back(function, plan);
    return status != CJ_OK ? status : undone;
}

cj_status cj__function_look(cj_function *function, int64_t batch,
                            void (*look)(void *context, const struct cj__plan *plan), void *context)
{
    cj__plan *plan = NULL;
    CJ_TRY(find_plan(function, batch, &plan));
    look(context, plan);
    cj__mutex_lock(&function->lock);
    plan->busy = false;
    cj__mutex_unlock(&function->lock);
    return CJ_OK;
}

// ---- Public calls: checks ----

// Checks a tensor against a type. Its free axis must have length *batch, which is set here if it is
// still -1.
static cj_status check_tensor(const char *what, int index, const cj__type *type,
                              const cj_tensor *tensor, int64_t *batch)
{
    if (!tensor) {
        char missing[48];
        snprintf(missing, sizeof missing, "function: %s %d", what, index);
        return cj__fail_missing(CJ__MADE_TENSOR, missing);
    }
    bool fits = tensor->dtype == type->dtype && tensor->shape.rank == type->shape.rank;
    for (int i = 0; fits && i < type->shape.rank; i++) {
        const int64_t length = tensor->shape.dims[i], needed = type->shape.dims[i];
        if (needed < 0 && *batch < 0)
            *batch = length / -needed;
        fits = length == cj__length_for(needed, *batch);
    }
    if (fits)
        return CJ_OK;
    char needed[160], given[160];
    return cj__fail(CJ_SHAPE_MISMATCH, "function: %s %d: expected %s %s, got %s %s%s", what, index,
                    cj_shape_text(&type->shape, needed, sizeof(needed)), cj_dtype_name(type->dtype),
                    cj_shape_text(&tensor->shape, given, sizeof(given)),
                    cj_dtype_name(tensor->dtype),
                    *batch >= 0 ? " (all free axes must have one length)" : "");
}

static cj_status call_contiguous(cj_function *function, cj_tensor *const *inputs,
                                 cj_tensor *const *outputs, cj_tensor **copies,
                                 const void **pointers)
{
    int64_t batch = -1;
    for (int i = 0; i < function->input_count; i++) {
        CJ_TRY(check_tensor("input", i, cj__function_input(function, i), inputs[i], &batch));
        if (!cj_tensor_contiguous(inputs[i]))
            CJ_TRY(cj_tensor_convert(inputs[i], inputs[i]->dtype, &copies[i]));
        pointers[i] = copies[i] ? copies[i]->data : inputs[i]->data;
    }
    batch = batch < 0 ? 1 : batch; // without a free axis the batch size has no effect
    void **results = (void **)(pointers + function->input_count);
    for (int i = 0; i < function->output_count; i++) {
        cj_tensor *output = outputs ? outputs[i] : NULL;
        if (output)
            CJ_TRY(check_tensor("output", i, cj__function_output(function, i), output, &batch));
        if (output && !cj_tensor_contiguous(output))
            return cj__fail(CJ_INVALID_ARGUMENT, "function: output %d is a view with gaps", i);
        if (output && output->dtype == CJ_STRING && output->base)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "function: output %d is a view, and texts need a tensor of their own",
                            i);
        results[i] = output ? output->data : NULL;
    }
    CJ_TRY(cj__function_run(function, batch, pointers, results));
    for (int i = 0; i < function->output_count; i++) // what texts point to may go with the function
        if (outputs && outputs[i])
            CJ_TRY(cj__strings_own(outputs[i]));
    return CJ_OK;
}

enum { SMALL = 32 }; // up to so many inputs and outputs, a call allocates nothing

cj_status cj_function_call(cj_function *function, cj_tensor *const *inputs,
                           cj_tensor *const *outputs)
{
    if (!function || (!inputs && function->input_count > 0))
        return function ? cj__fail_null("cj_function_call: the array of inputs") :
                          cj__fail_missing(CJ__MADE_FUNCTION, "cj_function_call: the function");
    size_t count = (size_t)(function->input_count + function->output_count);
    cj_tensor *few_copies[SMALL] = {0}, **copies = few_copies;
    const void *few_pointers[SMALL], **pointers = few_pointers;
    if (count > SMALL) {
        copies = cj__new(count, sizeof *copies);
        pointers = cj__new(count, sizeof *pointers);
    }
    cj_status status = copies && pointers ?
                           call_contiguous(function, inputs, outputs, copies, pointers) :
                           CJ_OUT_OF_MEMORY;
    for (int i = 0; copies && i < function->input_count; i++)
        cj_release(copies[i]);
    if (count > SMALL) {
        cj__free(copies);
        cj__free(pointers);
    }
    return status;
}
