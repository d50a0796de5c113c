// Traces: a builder with the updates, losses and random keys of the layers that are traced.
#include "base/memory.h"
#include "base/random.h"
#include "layers/kind.h"
#include <stdio.h>

cj_status cj__trace_end(cj__trace *trace)
{
    const cj_status status = cj__build_end(&trace->build);
    cj__free(trace->updates);
    cj__free(trace->losses);
    cj__free(trace->reads);
    cj__index_free(&trace->read_index);
    *trace = (cj__trace){0};
    return status;
}

static cj_status out_of_memory(cj__trace *trace)
{
    if (trace->build.status == CJ_OK)
        trace->build.status = CJ_OUT_OF_MEMORY;
    return trace->build.status;
}

cj_status cj__trace_update(cj__trace *trace, cj_variable *variable, cj_symbol *value)
{
    if (!value)
        return trace->build.status;
    for (int i = 0; i < trace->update_count; i++) {
        if (trace->updates[i].variable == variable) {
            trace->updates[i].value = value;
            return CJ_OK;
        }
    }
    if (!cj__reserve((void **)&trace->updates, &trace->update_capacity,
                     (size_t)trace->update_count + 1, sizeof *trace->updates))
        return out_of_memory(trace);
    trace->updates[trace->update_count++] = (cj_update){variable, value};
    return CJ_OK;
}

cj_status cj__trace_loss(cj__trace *trace, cj_symbol *scalar)
{
    if (!scalar)
        return trace->build.status;
    if (!cj__reserve((void **)&trace->losses, &trace->loss_capacity, (size_t)trace->loss_count + 1,
                     sizeof *trace->losses))
        return out_of_memory(trace);
    trace->losses[trace->loss_count++] = scalar;
    return CJ_OK;
}

static cj_symbol *read_variable(cj__trace *trace, cj_variable *variable)
{
    const int *at = cj__index_find(&trace->read_index, variable);
    if (at)
        return trace->reads[*at];
    if (trace->build.status != CJ_OK)
        return NULL;
    cj_symbol *symbol = cj__build_keep(&trace->build, cj_symbol_variable(variable));
    if (!symbol)
        return NULL;
    if (!cj__reserve((void **)&trace->reads, &trace->read_capacity, (size_t)trace->read_count + 1,
                     sizeof *trace->reads) ||
        !cj__index_add(&trace->read_index, variable, trace->read_count)) {
        out_of_memory(trace);
        return NULL;
    }
    return trace->reads[trace->read_count++] = symbol;
}

cj_symbol *cj__trace_round(cj__trace *trace, cj_symbol *x)
{
    return trace->mixed ? cj__round_bf16(&trace->build, x) : x;
}

cj_symbol *cj__trace_variable(cj__trace *trace, cj_variable *variable)
{
    return cj__trace_round(trace, read_variable(trace, variable));
}

cj_status cj__trace_replace(cj__trace *trace, cj_variable *variable, cj_symbol *value)
{
    if (read_variable(trace, variable) && value)
        trace->reads[*cj__index_find(&trace->read_index, variable)] = value;
    return trace->build.status;
}

bool cj__trace_replaced(const cj__trace *trace, const cj_variable *variable)
{
    const int *at = cj__index_find(&trace->read_index, variable);
    return at && trace->reads[*at]->node->variable != variable;
}

cj_symbol *cj__trace_latest(cj__trace *trace, cj_variable *variable)
{
    for (int i = 0; i < trace->update_count; i++)
        if (trace->updates[i].variable == variable)
            return trace->updates[i].value;
    return cj__trace_variable(trace, variable);
}

uint64_t cj__trace_key(cj__trace *trace, int64_t seed, const char *name)
{
    char consumer[160];
    snprintf(consumer, sizeof consumer, "%d:%.120s", trace->drawn++, seed >= 0 ? "seed" : name);
    return cj__key(seed >= 0 ? (uint64_t)seed : trace->seed, consumer);
}
