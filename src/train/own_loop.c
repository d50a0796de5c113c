// Losses and optimizers for loops that users write themselves over symbols, gradients and functions.
#include "base/error.h"
#include "base/memory.h"
#include "ops/variable.h"
#include <cajal/loop.h>

#include "train/losses.h"
#include "train/optimizer.h"
#include "train/state.h"

cj_symbol *cj_op_loss(const char *spec, cj_symbol *targets, cj_symbol *predictions)
{
    cj__build g = {0};
    cj__chosen chosen = {0};
    cj_symbol *total = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){targets, predictions}, 2) != CJ_OK)
        return cj__build_result(&g, NULL);
    if (!spec || !*spec) {
        if (spec)
            cj__fail(CJ_INVALID_ARGUMENT,
                     "cj_op_loss: the name is empty, needed is one such as \"mse\"");
        else
            cj__fail_null("cj_op_loss: the name of the loss");
        return cj__build_result(&g, NULL);
    }
    if (cj__spec_parse(&cj__losses, spec, "loss", &chosen) == CJ_OK) {
        const cj__loss *loss = (const cj__loss *)(const void *)chosen.choice;
        if (cj__loss_check(loss, chosen.args) == CJ_OK)
            total = cj__loss_of(loss, chosen.args, "loss", &g,
                                (cj__loss_inputs){.targets = targets, .predictions = predictions});
        cj__chosen_free(&chosen);
    }
    return cj__build_result(&g, total);
}

struct cj_updates {
    cj__object object;
    cj_update *rows; // both members held
    int count;
    cj_variable *rate, *iterations; // held, as are the slots, which only rows name
};

static void destroy(void *object)
{
    cj_updates *updates = object;
    for (int i = 0; i < updates->count; i++) {
        cj_release(updates->rows[i].value);
        cj_release(updates->rows[i].variable);
    }
    cj_release(updates->rate);
    cj_release(updates->iterations);
    cj__free(updates->rows);
    cj__free(updates);
}

static const cj__class updates_class = {"updates", destroy};

static cj_symbol *read_of(cj__build *g, cj_variable *variable)
{
    return cj__build_keep(g, cj_symbol_variable(variable));
}

// Takes a variable over and retains its value.
static void add_row(cj_updates *updates, cj_variable *variable, cj_symbol *value)
{
    updates->rows[updates->count++] = (cj_update){variable, cj_retain(value)};
}

// The step of one variable and of its slots, which are made here.
static cj_status add_step(cj_updates *updates, const cj_optimizer *optimizer, cj__build *g,
                          cj_variable *variable, cj_symbol *gradient, cj_symbol *step)
{
    cj__slot kept[CJ__MAX_SLOTS];
    cj_variable *slots[CJ__MAX_SLOTS] = {NULL};
    cj_symbol *reads[CJ__MAX_SLOTS], *results[1 + CJ__MAX_SLOTS];
    const int each = cj__optimizer_slots(optimizer, kept);
    const cj_dtype dtype = cj__variable_type(variable).dtype;
    bool whole = true;
    for (int s = 0; s < each && whole; s++) {
        slots[s] = cj__state_variable_new(variable, kept[s].name, dtype, kept[s].initial);
        whole = slots[s];
        reads[s] = whole ? read_of(g, slots[s]) : NULL;
    }
    cj_status status = whole ? g->status : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status =
            cj__optimizer_step(optimizer, g, read_of(g, variable), gradient,
                               cj__cast(g, read_of(g, updates->rate), dtype), step, reads, results);
    if (status == CJ_OK)
        add_row(updates, cj_retain(variable), results[0]);
    for (int s = 0; s < each; s++) {
        if (status == CJ_OK)
            add_row(updates, slots[s], results[1 + s]);
        else
            cj_release(slots[s]);
    }
    return status;
}

static cj_status fill(cj_updates *updates, const cj_optimizer *optimizer, cj__build *g,
                      cj_variable *const *variables, cj_symbol **gradients, int count)
{
    updates->rows = cj__new((size_t)count * (1 + CJ__MAX_SLOTS) + 1, sizeof *updates->rows);
    updates->rate =
        cj__state_variable_new(NULL, "learning_rate", CJ_F32, cj__optimizer_rate(optimizer));
    updates->iterations = cj__state_variable_new(NULL, "iterations", CJ_I64, 0);
    if (!updates->rows || !updates->rate || !updates->iterations)
        return CJ_OUT_OF_MEMORY;
    cj_symbol *step = read_of(g, updates->iterations);
    cj__optimizer_clip(optimizer, g, gradients, count);
    for (int i = 0; i < count; i++)
        CJ_TRY(add_step(updates, optimizer, g, variables[i], gradients[i], step));
    cj_symbol *next = cj__append(g, &cj__op_increment, NULL, &step, 1);
    if (next)
        add_row(updates, cj_retain(updates->iterations), next);
    return g->status;
}

static cj_status check(const cj_optimizer *optimizer, cj_variable *const *variables,
                       cj_symbol *const *gradients, int count)
{
    if (!optimizer || !variables || !gradients)
        return optimizer ?
                   cj__fail_null(variables ? "the list of gradients" : "the list of variables") :
                   cj__fail_missing(CJ__MADE_OPTIMIZER, "the optimizer");
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "optimizer: %d variables, needs at least 1", count);
    for (int i = 0; i < count; i++) {
        if (!variables[i] || !gradients[i])
            return variables[i] ? cj__fail_missing(CJ__MADE_SYMBOL, "a gradient") :
                                  cj__fail_missing(CJ__MADE_VARIABLE, "a variable");
        const cj__type have = cj__variable_type(variables[i]);
        if (!cj__type_equal(cj__symbol_type(gradients[i]), &have))
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "optimizer: the gradient of \"%s\" has not its shape and dtype",
                            cj_variable_name(variables[i]));
    }
    return CJ_OK;
}

cj_updates *cj_optimizer_updates(cj_optimizer *optimizer, cj_variable *const *variables,
                                 cj_symbol *const *gradients, int count)
{
    cj__build g = {0};
    cj_updates *updates = NULL;
    cj_symbol **clipped = NULL;
    cj_status status = check(optimizer, variables, gradients, count);
    if (gradients && count > 0) { // taken over in any case
        const cj_status taken = cj__build_take(&g, gradients, count);
        status = status ? status : taken;
    }
    if (status == CJ_OK) {
        updates = cj__object_new(&updates_class, sizeof *updates);
        clipped = cj__copy_bytes(gradients, (size_t)count * sizeof *gradients);
        status = updates && clipped ? CJ_OK : CJ_OUT_OF_MEMORY;
    }
    if (status == CJ_OK)
        status = fill(updates, optimizer, &g, variables, clipped, count);
    cj__free(clipped);
    cj__drop_floating(optimizer);
    cj__build_end(&g);
    if (status == CJ_OK)
        return updates;
    cj_release(updates);
    return cj__build_failed(CJ__MADE_UPDATES);
}

const cj_update *cj_updates_list(const cj_updates *updates)
{
    return updates ? updates->rows : NULL;
}

int cj_updates_count(const cj_updates *updates)
{
    return updates ? updates->count : 0;
}

cj_variable *cj_updates_learning_rate(const cj_updates *updates)
{
    return updates ? updates->rate : NULL;
}
