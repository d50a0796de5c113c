// Writing files of NIR: blocks and items, the walk over a model, and the file.
#include "formats/nir_save.h"

#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/nir.h"
#include "ops/variable.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nir_version[] = "1.0.8"; // whose files these are like

// ---- Blocks and items ----

void *cj__nir_block(cj__nir_saver *s, size_t count, size_t size)
{
    void *block = cj__new(count, size);
    if (!block || !cj__reserve((void **)&s->blocks, &s->block_capacity, (size_t)s->block_count + 1,
                               sizeof *s->blocks)) {
        cj__free(block);
        return NULL;
    }
    s->blocks[s->block_count++] = block;
    return block;
}

const char *cj__nir_copy(cj__nir_saver *s, const char *text)
{
    char *copy = cj__nir_block(s, strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text));
    return copy;
}

cj_status cj__nir_cannot(const cj_layer *layer, const char *format, ...)
{
    char sentence[300];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return cj__fail(CJ_UNSUPPORTED, "%s (%s) has no place in a NIR file: %s", cj_layer_name(layer),
                    cj_layer_class(layer), sentence);
}

static cj__hdf5_item *member(cj__nir_item *item, const char *name, cj__hdf5_kind kind)
{
    cj__hdf5_item *m = &item->members[item->count++];
    *m = (cj__hdf5_item){.name = name, .kind = kind};
    return m;
}

void cj__nir_put_text(cj__nir_saver *s, cj__nir_item *item, const char *name, const char *text)
{
    const char **one = cj__nir_block(s, 1, sizeof *one);
    item->failed = item->failed || !one || !text;
    if (one)
        *one = text;
    member(item, name, CJ__HDF5_TEXT)->texts = one;
}

void cj__nir_put_whole(cj__nir_saver *s, cj__nir_item *item, const char *name,
                       const int64_t *values, int count)
{
    const int elements = count > 0 ? count : 1;
    int64_t *copy = cj__nir_block(s, (size_t)elements, sizeof *copy);
    item->failed = item->failed || !copy;
    for (int i = 0; copy && i < elements; i++)
        copy[i] = values[i];
    cj__hdf5_item *m = member(item, name, CJ__HDF5_INTEGER);
    m->integers = copy;
    m->rank = count > 0;
    m->dims[0] = (uint64_t)count;
}

void cj__nir_put_floats(cj__nir_saver *s, cj__nir_item *item, const char *name, float *values,
                        const cj_shape *shape)
{
    (void)s;
    item->failed = item->failed || !values;
    cj__hdf5_item *m = member(item, name, CJ__HDF5_FLOAT);
    m->floats = values;
    m->rank = shape->rank;
    for (int i = 0; i < shape->rank; i++)
        m->dims[i] = (uint64_t)shape->dims[i];
}

cj_status cj__nir_close(cj__nir_saver *s, cj__nir_item *item, cj__hdf5_item *group)
{
    cj__hdf5_item *members = cj__nir_block(s, (size_t)item->count, sizeof *members);
    if (item->failed || !members)
        return CJ_OUT_OF_MEMORY;
    memcpy(members, item->members, (size_t)item->count * sizeof *members);
    *group = (cj__hdf5_item){.members = members, .member_count = item->count};
    return CJ_OK;
}

cj_status cj__nir_add_edge(cj__nir_saver *s, const char *from, const char *to)
{
    for (int i = 0; i < s->edge_count; i += 2)
        if (strcmp(s->edges[i], from) == 0 && strcmp(s->edges[i + 1], to) == 0)
            return cj__fail(CJ_UNSUPPORTED, "\"%s\" is added to itself, for which NIR has no edges",
                            from);
    if (!cj__reserve((void **)&s->edges, &s->edge_capacity, (size_t)s->edge_count + 2,
                     sizeof *s->edges))
        return CJ_OUT_OF_MEMORY;
    s->edges[s->edge_count++] = from;
    s->edges[s->edge_count++] = to;
    return CJ_OK;
}

// A name that no node has yet: a layer that is applied twice gives two nodes.
static const char *free_name(cj__nir_saver *s, const char *name)
{
    char numbered[200];
    snprintf(numbered, sizeof numbered, "%.180s", name);
    for (int number = 1;; number++) {
        int i = 0;
        while (i < s->node_count && strcmp(s->nodes[i].name, numbered) != 0)
            i++;
        if (i == s->node_count)
            return cj__nir_copy(s, numbered);
        snprintf(numbered, sizeof numbered, "%.180s_%d", name, number);
    }
}

cj_status cj__nir_add(cj__nir_saver *s, const char *name, cj__nir_item *item,
                      const cj__nir_value *from, cj__nir_value *value)
{
    const char *own = free_name(s, name);
    int *source = cj__nir_block(s, 1, sizeof *source);
    if (!own || !source ||
        !cj__reserve((void **)&s->nodes, &s->node_capacity, (size_t)s->node_count + 1,
                     sizeof *s->nodes))
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__nir_close(s, item, &s->nodes[s->node_count]));
    s->nodes[s->node_count].name = own;
    *source = s->node_count++;
    for (int i = 0; from && i < from->count; i++)
        CJ_TRY(from->sources[i] < 0 ? cj__nir_edge_back(s, from->sources[i], own) :
                                      cj__nir_add_edge(s, s->nodes[from->sources[i]].name, own));
    value->sources = source, value->count = 1;
    return CJ_OK;
}

const float *cj__nir_elements(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *own = cj_variable_name(layer->variables[i]), *slash = strrchr(own, '/');
        if (strcmp(slash ? slash + 1 : own, name) != 0)
            continue;
        const cj_tensor *value = cj__variable_read(layer->variables[i]);
        return value && cj_tensor_dtype(value) == CJ_F32 ? cj_tensor_data(value) : NULL;
    }
    return NULL;
}

float *cj__nir_turned(cj__nir_saver *s, const float *values, const cj_shape *sample)
{
    const int64_t count = cj_shape_count(sample), channels = sample->dims[0],
                  others = count / channels;
    float *turned = cj__nir_block(s, (size_t)count, sizeof *turned);
    for (int64_t i = 0; turned && i < count; i++)
        turned[i % channels * others + i / channels] = values[i];
    return turned;
}

// ---- The walk ----

// The sample of an output here, channels first.
cj_status cj__nir_sample_of(const cj_layer *layer, const cj_shape *shape, bool timed,
                            cj_shape *sample)
{
    const int skip = timed ? 2 : 1;
    *sample = (cj_shape){.rank = shape->rank - skip};
    if (sample->rank < 1)
        return cj__nir_cannot(layer, "it is no sequence of samples");
    for (int i = 0; i < sample->rank; i++) {
        sample->dims[(i + 1) % sample->rank] = shape->dims[i + skip];
        if (shape->dims[i + skip] < 1)
            return cj__nir_cannot(layer, "the lengths of a sample are not known");
    }
    return CJ_OK;
}

static int64_t steps_of(const cj_layer *layer)
{
    const int64_t *steps = cj__nir_is_neuron(layer) ? cj__layer_setting(layer, "steps") : NULL;
    return steps ? *steps : 0;
}

const cj__nir_value *cj__nir_value_of(const cj__nir_saver *s, const cj__application *a, int input)
{
    const cj__nir_value *value = &s->values[a->input_app[input]];
    const int index = a->input_index[input];
    return index > 0 && value->others ? &value->others[index - 1] : value;
}

static cj_status save_input(cj__nir_saver *s, cj__nir_value *y)
{
    cj__nir_item item = {.count = 0};
    cj__nir_put_text(s, &item, "type", "Input");
    cj__nir_put_whole(s, &item, "shape", y->sample.dims, y->sample.rank);
    return cj__nir_add(s, s->name, &item, NULL, y);
}

static cj_status save_add(cj__nir_saver *s, const cj__application *a, cj__nir_value *y)
{
    int count = 0;
    for (int i = 0; i < a->input_count; i++) {
        const cj__nir_value *x = cj__nir_value_of(s, a, i);
        if (x->padded || x->turned || x->flat || x->delay != 0)
            return cj__nir_cannot(a->layer, "what comes to it is in another order than in NIR");
        if (!cj_shape_equal(&x->sample, &y->sample))
            return cj__nir_cannot(a->layer, "what comes to it has different shapes");
        count += x->count;
    }
    y->sources = cj__nir_block(s, (size_t)count, sizeof *y->sources);
    if (!y->sources)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < a->input_count; i++)
        for (int k = 0; k < cj__nir_value_of(s, a, i)->count; k++)
            y->sources[y->count++] = cj__nir_value_of(s, a, i)->sources[k];
    return CJ_OK;
}

cj_status cj__nir_save_application(cj__nir_saver *s, int index, bool timed_input)
{
    const cj__application *a = &s->applications[index];
    cj__nir_value *y = &s->values[index];
    cj_layer *layer = a->layer;
    if (y->given)
        return CJ_OK;
    if (!layer)
        return cj__fail(CJ_UNSUPPORTED, "an op between layers has no place in a NIR file");
    s->name = cj_layer_name(layer);
    const cj__nir_value *x = a->input_count > 0 ? cj__nir_value_of(s, a, 0) : NULL;
    y->timed = x ? x->timed || steps_of(layer) > 0 : timed_input;
    CJ_TRY(cj__nir_sample_of(layer, &a->output_types[0].shape, y->timed, &y->sample));
    if (!x)
        return save_input(s, y);
    if (x->timed && steps_of(layer) > 0)
        return cj__nir_cannot(layer, "it takes a sequence as a constant");
    if (layer->kind == &cj__layer_add)
        return save_add(s, a, y);
    if (layer->kind == &cj__layer_recurrent_model)
        return cj__nir_save_loop(s, a, y);
    const bool has_state =
        s->looping && (cj__nir_is_neuron(layer) || layer->kind == &cj__layer_delay);
    if (a->input_count > 1 && !has_state)
        return cj__nir_cannot(layer, "it has several inputs");
    const bool each = layer->kind == &cj__layer_time_distributed;
    if (each && !x->timed)
        return cj__nir_cannot(layer, "there is no time before it");
    cj_layer *inner = each ? layer->sublayers[0] : layer;
    if (!each && x->timed && inner->kind == &cj__layer_depthwise_conv1d)
        return cj__nir_save_delays(s, layer, x, y);
    if (x->delay != 0)
        return cj__nir_cannot(layer, "the zeros before its first step belong to no delay");
    if (!each && x->timed && inner->kind == &cj__layer_zero_padding1d)
        return cj__nir_save_zeros_before(layer, x, y);
    const bool mixes =
        !each && x->timed &&
        (inner->kind == &cj__layer_flatten || inner->kind == &cj__layer_conv1d ||
         inner->kind == &cj__layer_zero_padding1d || inner->kind == &cj__layer_conv2d ||
         inner->kind == &cj__layer_depthwise_conv2d || inner->kind == &cj__layer_zero_padding2d ||
         inner->kind == &cj__layer_average_pooling2d);
    if (mixes)
        return cj__nir_cannot(layer, "it works along time: put it into TimeDistributed");
    return cj__nir_save_layer(s, inner, x, y);
}

static cj_status save_outputs(cj__nir_saver *s)
{
    for (int i = 0; i < cj_model_output_count(s->model); i++) {
        int application, output;
        cj__nir_item item = {.count = 0};
        cj__nir_value unused = {0};
        cj__model_output_at(s->model, i, &application, &output);
        const cj__nir_value *x = &s->values[application];
        if (output > 0 && x->others)
            x = &x->others[output - 1], output = 0;
        if (output > 0 || x->padded || x->turned || x->flat || x->delay != 0)
            return cj__nir_cannot(s->applications[application].layer,
                                  "an output of the model is not in NIR's order");
        cj__nir_put_text(s, &item, "type", "Output");
        cj__nir_put_whole(s, &item, "shape", x->sample.dims, x->sample.rank);
        CJ_TRY(cj__nir_add(s, "output", &item, x, &unused));
    }
    return CJ_OK;
}

static cj_status save_nodes(cj__nir_saver *s)
{
    bool timed = true;
    s->count = cj__model_applications(s->model, &s->applications);
    s->values = cj__nir_block(s, (size_t)s->count, sizeof *s->values);
    if (!s->values)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < s->count; i++)
        timed = timed && !(s->applications[i].layer && steps_of(s->applications[i].layer) > 0);
    for (int i = 0; i < s->count; i++)
        CJ_TRY(cj__nir_save_application(s, i, timed));
    CJ_TRY(save_outputs(s));
    return cj__nir_end_loops(s);
}

// ---- The file ----

// What was loaded as metadata, and dt.
static cj_status put_metadata(cj__nir_saver *s, cj__hdf5_item *group)
{
    static const char prefix[] = "nir/metadata/";
    const char *name, *text;
    size_t count = 1;
    for (int i = 0; cj__model_note_at(s->model, i, &name, &text); i++)
        count++;
    cj__hdf5_item *members = cj__nir_block(s, count, sizeof *members);
    float *dt = cj__nir_block(s, 1, sizeof *dt);
    if (!members || !dt)
        return CJ_OUT_OF_MEMORY;
    *dt = (float)s->dt;
    members[0] = (cj__hdf5_item){.name = "dt", .kind = CJ__HDF5_FLOAT, .floats = dt};
    count = 1;
    for (int i = 0; cj__model_note_at(s->model, i, &name, &text); i++) {
        if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strcmp(name, "nir/metadata/dt") == 0)
            continue;
        const char **one = cj__nir_block(s, 1, sizeof *one);
        if (!one)
            return CJ_OUT_OF_MEMORY;
        *one = text;
        members[count++] =
            (cj__hdf5_item){.name = name + sizeof prefix - 1, .kind = CJ__HDF5_TEXT, .texts = one};
    }
    *group = (cj__hdf5_item){.name = "metadata", .members = members, .member_count = (int)count};
    return CJ_OK;
}

static cj_status write_file(cj__nir_saver *s, cj__sink *sink)
{
    static const char *const type[] = {"NIRGraph"}, *const version[] = {nir_version};
    cj__hdf5_item metadata = {0};
    CJ_TRY(put_metadata(s, &metadata));
    const cj__hdf5_item graph[] = {
        {.name = "edges",
         .kind = CJ__HDF5_TEXT,
         .rank = 2,
         .dims = {(uint64_t)s->edge_count / 2, 2},
         .texts = s->edges},
        metadata,
        {.name = "nodes", .members = s->nodes, .member_count = s->node_count},
        {.name = "type", .kind = CJ__HDF5_TEXT, .texts = type},
    };
    const cj__hdf5_item members[] = {
        {.name = "node", .members = graph, .member_count = 4},
        {.name = "version", .kind = CJ__HDF5_TEXT, .texts = version},
    };
    return cj__hdf5_write(&(cj__hdf5_item){.members = members, .member_count = 2}, sink);
}

static const cj_nir_save_args save_defaults = {CJ_NIR_SAVE_DEFAULTS};

void cj_nir_save_defaults(cj_nir_save_args *args)
{
    if (args)
        *args = save_defaults;
}

static cj_status settle(cj__nir_saver *s)
{
    static const char *const presets[] = {"nir", "norse"};
    const char *preset = s->args.preset ? s->args.preset : "nir",
               *noted = cj_model_note(s->model, "nir/dt");
    char number[CJ__NUMBER_TEXT];
    const cj__type *types;
    double dt = 1e-4;
    s->gathers_whole = strcmp(preset, "norse") == 0;
    if (!s->gathers_whole && strcmp(preset, "nir") != 0)
        return cj__fail_unknown(CJ_INVALID_ARGUMENT, "preset", preset, presets, sizeof presets[0],
                                2);
    if (!(s->args.dt >= 0 && s->args.dt < 1e30))
        return cj__fail(CJ_INVALID_ARGUMENT, "dt is %s, needed is a number of seconds above 0",
                        cj__number_text(s->args.dt, number));
    if (noted && (!cj__number_parse(noted, &dt) || !(dt > 0 && dt < 1e30)))
        dt = 1e-4;
    s->dt = s->args.dt > 0 ? s->args.dt : dt;
    return cj__model_inputs(s->model, &types) > 0 ?
               CJ_OK :
               cj__fail(CJ_NOT_BUILT, "model \"%s\" is not built: its input is not known",
                        cj_layer_name(cj_model_layer(s->model)));
}

static cj_status save_to(cj_model *model, const cj_nir_save_args *args, cj__sink *sink)
{
    cj__nir_saver s = {.args = *args, .model = model};
    cj_status status = settle(&s);
    if (status == CJ_OK)
        status = save_nodes(&s);
    if (status == CJ_OK)
        status = write_file(&s, sink);
    for (int i = 0; i < s.block_count; i++)
        cj__free(s.blocks[i]);
    cj__free(s.blocks);
    cj__free(s.nodes);
    cj__free(s.edges);
    cj__free(s.late);
    cj__free(s.back);
    return status;
}

cj_status cj__nir_save(cj_model *model, cj__sink *sink)
{
    return save_to(model, &save_defaults, sink);
}

cj_status cj_save_nir_with(cj_model *model, const char *path, const cj_nir_save_args *args)
{
    cj_nir_save_args read;
    if (!model || !path)
        return model ? cj__fail_null("cj_save_nir: the path") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_save_nir: the model");
    CJ_TRY(cj__args_read("cj_save_nir", args, &save_defaults, sizeof read, &read));
    cj__sink sink = {.path = path};
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_save_nir"));
    const cj_status status = cj__sink_end(&sink, save_to(model, &read, &sink));
    cj__use_read(cj__model_use(model));
    return status;
}
