// RecurrentModel as a cycle of nodes: the applications of its model become nodes as others do, and
// what comes back becomes edges, once it is known where they begin.
#include "base/error.h"
#include "base/memory.h"
#include "formats/nir_save.h"
#include "layers/model.h"

#include <string.h>

// ---- Edges that lead back ----

// The state `state` of a loop as what comes from a node: its number among all of the file.
static cj_status add_late(cj__nir_saver *s, cj__nir_value *value)
{
    int *source = cj__nir_block(s, 1, sizeof *source);
    if (!source || !cj__reserve((void **)&s->late, &s->late_capacity, (size_t)s->late_count + 1,
                                sizeof(const cj__nir_value *)))
        return CJ_OUT_OF_MEMORY;
    s->late[s->late_count] = NULL;
    *source = -1 - s->late_count++;
    value->sources = source, value->count = 1;
    return CJ_OK;
}

cj_status cj__nir_edge_back(cj__nir_saver *s, int source, const char *to)
{
    if (!cj__reserve((void **)&s->back, &s->back_capacity, (size_t)s->back_count + 1,
                     sizeof *s->back))
        return CJ_OUT_OF_MEMORY;
    s->back[s->back_count++] = (cj__nir_back){-1 - source, to};
    return CJ_OK;
}

// ---- A loop ----

// A step's model, and what its states are.
typedef struct step {
    const cj_layer *layer; // the loop
    cj_model *model;
    int states, inputs, outputs;
    int first_late;
} step;

static int uses_of(const cj__nir_saver *s, int application)
{
    int uses = 0;
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < s->applications[i].input_count; k++)
            uses += s->applications[i].input_app[k] == application;
    return uses;
}

// A state of a neuron or delay is read and written by it alone; any other is what a node gave in the
// step before.
static cj_status begin_state(cj__nir_saver *s, const step *p, int k)
{
    int before, after, output;
    cj__model_input_at(p->model, p->inputs + k, &before);
    cj__model_output_at(p->model, p->outputs + k, &after, &output);
    cj__nir_value *value = &s->values[before];
    const cj__application *a = &s->applications[after];
    value->given = true;
    if (output > 0 && output < a->input_count && a->input_app[output] == before &&
        uses_of(s, before) == 1)
        return CJ_OK;
    if (output > 0 || a->input_count == 0 || !a->layer)
        return cj__nir_cannot(p->layer, "state %d is not what a node gave in the step before", k);
    if (a->layer->kind == &cj__layer_delay) {
        s->values[after].late = true;
        if (uses_of(s, after) > 0)
            return cj__nir_cannot(a->layer, "what it gives is read in this step and the next");
    }
    CJ_TRY(cj__nir_sample_of(p->layer, &s->applications[before].output_types[0].shape, true,
                             &value->sample));
    value->timed = true;
    return add_late(s, value);
}

static cj_status begin_inputs(cj__nir_saver *s, const step *p, const cj__nir_value *const *given)
{
    for (int i = 0; i < p->inputs; i++) {
        int application;
        cj__model_input_at(p->model, i, &application);
        s->values[application] = *given[i];
        s->values[application].given = true;
    }
    for (int k = 0; k < p->states; k++)
        CJ_TRY(begin_state(s, p, k));
    return CJ_OK;
}

static bool is_plain(const cj__nir_value *v)
{
    return !v->padded && !v->turned && !v->flat && v->delay == 0;
}

// What the loop's outputs are, and where what comes back begins.
static cj_status end_outputs(cj__nir_saver *s, const step *p, cj__nir_value *made)
{
    int next = p->first_late;
    for (int i = 0; i < p->outputs + p->states; i++) {
        int application, output;
        cj__model_output_at(p->model, i, &application, &output);
        const cj__nir_value *value = &s->values[application];
        if (i < p->outputs && (output > 0 || (value->late && s->applications[application].layer)))
            return cj__nir_cannot(p->layer, "output %d is not what a node gives in this step", i);
        if (i < p->outputs) {
            made[i] = *value;
            continue;
        }
        if (output > 0)
            continue;
        if (!is_plain(value))
            return cj__nir_cannot(p->layer, "what comes back is in another order than in NIR");
        for (int k = 0; k < value->count; k++)
            if (value->sources[k] < 0)
                return cj__nir_cannot(p->layer, "what comes back comes from two steps before");
        s->late[next++] = value;
    }
    return CJ_OK;
}

static cj_status save_step(cj__nir_saver *s, step *p, const cj__nir_value *const *given,
                           cj__nir_value *made)
{
    s->model = p->model;
    s->count = cj__model_applications(p->model, &s->applications);
    s->values = cj__nir_block(s, (size_t)s->count, sizeof *s->values);
    if (!s->values)
        return CJ_OUT_OF_MEMORY;
    p->first_late = s->late_count;
    CJ_TRY(begin_inputs(s, p, given));
    for (int i = 0; i < s->count; i++)
        CJ_TRY(cj__nir_save_application(s, i, true));
    return end_outputs(s, p, made);
}

cj_status cj__nir_save_loop(cj__nir_saver *s, const cj__application *a, cj__nir_value *y)
{
    const cj_recurrent_model_args *args = a->layer->args;
    cj_model *model = (cj_model *)a->layer->sublayers[0];
    step p = {.layer = a->layer,
              .model = model,
              .states = (int)args->states,
              .inputs = model->input_count - (int)args->states,
              .outputs = model->output_count - (int)args->states};
    if (args->initial_values.count > 0)
        return cj__nir_cannot(a->layer, "its states do not begin at 0");
    if (s->looping)
        return cj__nir_cannot(a->layer, "it is part of another loop");
    if (!cj_model_note(s->model, "nir/dt"))
        return cj__nir_cannot(a->layer, "cycles are written only of a network that came from a "
                                        "file of NIR: it does not say which edges are read late");
    const cj__nir_value **given = cj__nir_block(s, (size_t)p.inputs, sizeof *given);
    cj__nir_value *made = cj__nir_block(s, (size_t)p.outputs, sizeof *made);
    if (!given || !made)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < p.inputs; i++) {
        given[i] = cj__nir_value_of(s, a, i);
        if (!is_plain(given[i]))
            return cj__nir_cannot(a->layer, "what comes to it is in another order than in NIR");
    }
    cj__nir_saver outer = *s;
    s->looping = true;
    const cj_status status = save_step(s, &p, given, made);
    s->looping = false;
    s->model = outer.model, s->applications = outer.applications;
    s->count = outer.count, s->values = outer.values;
    CJ_TRY(status);
    *y = made[0];
    y->others = made + 1;
    y->given = y->late = false;
    return CJ_OK;
}

cj_status cj__nir_end_loops(cj__nir_saver *s)
{
    for (int i = 0; i < s->back_count; i++) {
        const cj__nir_value *from = s->late[s->back[i].late];
        for (int k = 0; from && k < from->count; k++)
            CJ_TRY(cj__nir_add_edge(s, s->nodes[from->sources[k]].name, s->back[i].to));
    }
    return CJ_OK;
}
