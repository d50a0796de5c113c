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

// The updates of variables and of what the optimizer keeps for them, which is made here. `rows` has
// the variables' first.
static cj_status add_steps(cj_updates *updates, const cj_optimizer *optimizer, cj__build *g,
                           cj_variable *const *variables, cj_symbol **gradients, int count,
                           const cj__state_entry *kept, int kept_count)
{
    const int all = count + kept_count;
    cj_symbol **weights = cj__new((size_t)count, sizeof *weights);
    cj_variable **own = cj__new((size_t)kept_count, sizeof *own);
    cj_update *rows = cj__new((size_t)all, sizeof *rows);
    cj_status status = weights && own && rows ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < count; i++)
        weights[i] = read_of(g, variables[i]);
    for (int i = 0; status == CJ_OK && i < kept_count; i++)
        if (!(own[i] = cj__optimizer_keep(&kept[i], variables)))
            status = cj_error_status();
    if (status == CJ_OK)
        status =
            cj__optimizer_updates(&(cj__updating){.optimizer = optimizer,
                                                  .g = g,
                                                  .count = count,
                                                  .variables = variables,
                                                  .weights = weights,
                                                  .gradients = gradients,
                                                  .rate = read_of(g, updates->rate),
                                                  .iterations = read_of(g, updates->iterations),
                                                  .kept = kept,
                                                  .kept_variables = own,
                                                  .kept_count = kept_count},
                                  rows);
    for (int i = 0; status == CJ_OK && i < all; i++)
        add_row(updates, i < count ? cj_retain(variables[i]) : own[i - count], rows[i].value);
    for (int i = 0; status != CJ_OK && own && i < kept_count; i++)
        cj_release(own[i]);
    cj__free(weights);
    cj__free(own);
    cj__free(rows);
    return status;
}

static cj_status fill(cj_updates *updates, const cj_optimizer *optimizer, cj__build *g,
                      cj_variable *const *variables, cj_symbol **gradients, int count)
{
    cj__state_entry *kept = NULL;
    int kept_count = 0;
    CJ_TRY(cj__optimizer_kept(optimizer, variables, count, &kept, &kept_count));
    updates->rows = cj__new((size_t)(count + kept_count) + 1, sizeof *updates->rows);
    updates->rate = cj__state_variable_new("learning_rate", CJ_F32, cj__optimizer_rate(optimizer));
    updates->iterations = cj__state_variable_new("iterations", CJ_I64, 0);
    cj_status status =
        updates->rows && updates->rate && updates->iterations ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = add_steps(updates, optimizer, g, variables, gradients, count, kept, kept_count);
    cj__free(kept);
    cj_symbol *step = status == CJ_OK ? read_of(g, updates->iterations) : NULL;
    cj_symbol *next = step ? cj__append(g, &cj__op_increment, NULL, &step, 1) : NULL;
    if (next)
        add_row(updates, cj_retain(updates->iterations), next);
    return status ? status : g->status;
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
    if (optimizer->scaling.on)
        return cj__fail(CJ_UNSUPPORTED,
                        "loss_scale_optimizer: it has to scale the loss, which a loop of one's own "
                        "does not give it: use its inner optimizer");
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
