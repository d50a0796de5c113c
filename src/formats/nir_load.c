// Loading files of NIR: from the ordered graph to a model.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/nir.h"
#include "layers/history.h"
#include <cajal/merging.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cj__nir_convention conventions[] = {
    {.preset = "nir", .dt = 1e-4},
    {.preset = "snntorch", .dt = 1e-4},
    {.preset = "norse", .dt = 1e-6, .gathers_whole = true, .jumps_whole = true},
};

enum { CONVENTIONS = sizeof conventions / sizeof conventions[0] };

static const cj_nir_args nir_defaults = {CJ_NIR_DEFAULTS};

void cj_nir_defaults(cj_nir_args *args)
{
    if (args)
        *args = nir_defaults;
}

static cj_status check_args(cj__nir_builder *b)
{
    const char *preset = b->args.preset ? b->args.preset : "nir";
    char number[CJ__NUMBER_TEXT];
    for (int i = 0; i < CONVENTIONS; i++)
        if (strcmp(conventions[i].preset, preset) == 0)
            b->as = conventions[i];
    if (!b->as.preset)
        return cj__fail_unknown(CJ_INVALID_ARGUMENT, "preset", preset, &conventions[0].preset,
                                sizeof conventions[0], CONVENTIONS);
    if (!(b->args.dt >= 0 && b->args.dt < 1e30))
        return cj__fail(CJ_INVALID_ARGUMENT, "dt is %s, needed is a number of seconds above 0",
                        cj__number_text(b->args.dt, number));
    if (b->args.batch_size < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "batch_size is %lld, needed is 0 or more",
                        (long long)b->args.batch_size);
    if (b->args.stateful && b->args.batch_size == 0)
        b->args.batch_size = 1;
    return CJ_OK;
}

// ---- Nodes ----

// What comes from input `k` of a node.
static cj_symbol *value_of(const cj__nir_builder *b, const cj__nir_node *node, int k)
{
    return node->late && node->late[k] ? cj__nir_before(b, node->inputs[k]) :
                                         b->values[node->inputs[k]];
}

// What comes to a node: a symbol, or the sum of several.
static cj_symbol *gather(cj__nir_builder *b, const cj__nir_node *node)
{
    if (node->input_count == 0)
        return NULL;
    if (node->input_count == 1)
        return value_of(b, node, 0);
    for (int i = 1; i < node->input_count; i++)
        if (!cj_shape_equal(cj_symbol_shape(value_of(b, node, i)),
                            cj_symbol_shape(value_of(b, node, 0))))
            return cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                                  "what comes from \"%s\" and from \"%s\" has different shapes",
                                  b->graph->nodes[node->inputs[0]].name,
                                  b->graph->nodes[node->inputs[i]].name);
    char name[200];
    snprintf(name, sizeof name, "%.150s_sum", node->name);
    cj_symbol **inputs = cj__new((size_t)node->input_count, sizeof *inputs);
    for (int i = 0; inputs && i < node->input_count; i++)
        inputs[i] = value_of(b, node, i);
    cj_symbol *sum = inputs ? cj_apply_list(cj_add(.name = name), inputs, node->input_count) : NULL;
    cj__free(inputs);
    return sum;
}

cj_status cj__nir_make_node(cj__nir_builder *b, int index)
{
    const cj__nir_node *node = &b->graph->nodes[index];
    cj_symbol *x = gather(b, node);
    if (!x && node->input_count > 0)
        return cj_error_status();
    cj_symbol *y = node->kind->make(b, node, x);
    if (!y)
        return cj_error_status();
    b->values[index] = cj__own(y);
    return CJ_OK;
}

// Node names become names of layers, in which "/" separates.
static void tame_names(cj__nir_graph *g)
{
    for (int i = 0; i < g->count; i++)
        for (char *c = g->nodes[i].name; *c; c++)
            if (*c == '/')
                *c = '_';
}

static cj_status connect(cj__nir_builder *b, cj_model **model)
{
    const size_t count = (size_t)b->graph->count;
    int input_count = 0, output_count = 0;
    cj_symbol **inputs = cj__new(2 * count, sizeof *inputs), **outputs = inputs + count;
    if (!inputs)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < b->graph->count; i++) {
        if (!b->graph->nodes[i].outermost)
            continue;
        if (b->graph->nodes[i].input_count == 0)
            inputs[input_count++] = b->values[i];
        else
            outputs[output_count++] = b->values[i];
    }
    *model = cj_functional(.inputs_list = inputs, .inputs_count = input_count,
                           .outputs_list = outputs, .outputs_count = output_count, .name = "nir");
    cj__free(inputs);
    return *model ? CJ_OK : cj__fail_missing(CJ__MADE_MODEL, "the model");
}

// ---- Notes ----

static cj_status note(cj_model *model, const char *group, const char *name, const char *text)
{
    cj__text full = {0};
    cj__text_add(&full, "%s%s", group, name);
    cj_status status = cj__text_status(&full);
    if (status == CJ_OK)
        status = cj_model_set_note(model, full.data, text);
    cj__text_free(&full);
    return status;
}

// A text, or a number as a text.
static cj_status note_dataset(cj__hdf5 *file, cj_model *model, const cj__hdf5_object *group,
                              const cj__hdf5_object *object)
{
    char number[CJ__NUMBER_TEXT], *text = NULL;
    double *numbers = NULL;
    if (object->kind == CJ__HDF5_TEXT && object->count == 1) {
        CJ_TRY(cj__nir_text(file, group, object->name, &text));
        const cj_status status = note(model, "nir/metadata/", object->name, text);
        cj__free(text);
        return status;
    }
    if ((object->kind != CJ__HDF5_INTEGER && object->kind != CJ__HDF5_FLOAT) || object->count != 1)
        return CJ_OK; // arrays have no place in notes
    CJ_TRY(cj__hdf5_numbers(file, object, &numbers));
    const cj_status status =
        note(model, "nir/metadata/", object->name, cj__number_text(numbers[0], number));
    cj__free(numbers);
    return status;
}

static cj_status add_notes(const cj__nir_builder *b, cj_model *model)
{
    cj__hdf5 *file = b->graph->file;
    const cj__hdf5_object *metadata = cj__hdf5_find(cj__hdf5_find(&file->root, "node"), "metadata");
    char number[CJ__NUMBER_TEXT], *version = NULL;
    CJ_TRY(note(model, "nir/", "dt", cj__number_text(b->dt, number)));
    CJ_TRY(note(model, "nir/", "preset", b->as.preset));
    if (cj__hdf5_find(&file->root, "version")) {
        CJ_TRY(cj__nir_text(file, &file->root, "version", &version));
        const cj_status status = note(model, "nir/", "version", version);
        cj__free(version);
        CJ_TRY(status);
    }
    for (int i = 0; metadata && i < metadata->member_count; i++)
        if (metadata->members[i].kind != CJ__HDF5_GROUP)
            CJ_TRY(note_dataset(file, model, metadata, &metadata->members[i]));
    return CJ_OK;
}

// The step: what was asked for, else what the file says, else the preset's.
static cj_status settle_dt(cj__nir_builder *b)
{
    const cj__hdf5_object *root = cj__hdf5_find(&b->graph->file->root, "node"),
                          *dt = cj__hdf5_find(cj__hdf5_find(root, "metadata"), "dt");
    double *numbers = NULL;
    b->dt = b->args.dt > 0 ? b->args.dt : b->as.dt;
    if (b->args.dt > 0 || !dt || dt->kind != CJ__HDF5_FLOAT || dt->count != 1)
        return CJ_OK;
    CJ_TRY(cj__hdf5_numbers(b->graph->file, dt, &numbers));
    if (numbers[0] > 0 && numbers[0] < 1e30)
        b->dt = numbers[0];
    cj__free(numbers);
    return CJ_OK;
}

// ---- All ----

static cj_status build(cj__nir_builder *b, cj_model **model)
{
    cj__nir_graph *g = b->graph;
    CJ_TRY(settle_dt(b));
    g->dt = b->dt;
    CJ_TRY(cj__nir_read_graph(g->file, g));
    tame_names(g);
    b->values = cj__new((size_t)g->count, sizeof *b->values);
    if (!b->values)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0, end; i < g->order_count; i = end) {
        const cj__nir_node *first = &g->nodes[g->order[i]];
        end = i + 1;
        while (first->cyclic && end < g->order_count &&
               g->nodes[g->order[end]].component == first->component)
            end++;
        CJ_TRY(first->cyclic ? cj__nir_make_loop(b, i, end) : cj__nir_make_node(b, g->order[i]));
    }
    CJ_TRY(connect(b, model));
    for (int i = 0; i < b->weight_count; i++)
        CJ_TRY(cj_variable_assign(b->weights[i].variable, b->weights[i].value));
    return add_notes(b, *model);
}

static cj_status load_with(const cj__input *input, const cj_nir_args *args, cj_model **model)
{
    cj__hdf5 file = {0};
    cj__nir_graph graph = {.file = &file};
    cj__nir_builder b = {.graph = &graph, .args = *args};
    *model = NULL;
    cj_status status = check_args(&b);
    const bool good = status == CJ_OK;
    if (good)
        status = cj__hdf5_open(&file, input);
    if (status == CJ_OK && (status = build(&b, model)) != CJ_OK) {
        cj__applied_release(); // nothing names what a failed application was given
        cj_release(*model);
        *model = NULL;
    }
    for (int i = 0; b.values && i < graph.count; i++)
        cj_release(b.values[i]);
    for (int i = 0; i < b.weight_count; i++)
        cj_release(b.weights[i].variable), cj_release(b.weights[i].value);
    cj__free(b.values);
    cj__free(b.weights);
    cj__nir_free_graph(&graph);
    cj__hdf5_close(&file);
    return status;
}

cj_model *cj_load_nir_with(const char *path, const cj_nir_args *args)
{
    cj_nir_args read = {CJ_NIR_DEFAULTS};
    cj__input input;
    cj_model *model = NULL;
    cj_status status = path ?
                           cj__args_read("cj_load_nir", args, &nir_defaults, sizeof read, &read) :
                           cj__fail_null("cj_load_nir: the path");
    if (status == CJ_OK)
        status = cj__input_open(&input, path);
    if (status == CJ_OK) {
        const uint64_t begin = cj__causes_begin();
        status = load_with(&input, &read, &model);
        status = cj__causes_end(begin, status);
        if (status != CJ_OK)
            cj__fail_in(status, "\"%s\"", path);
        cj__input_close(&input);
    }
    return status == CJ_OK ? model : cj__build_failed(CJ__MADE_MODEL);
}

static bool recognise(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    (void)file_size;
    return size >= 8 && memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0;
}

static cj_status load(const cj__input *input, cj_model **model)
{
    return load_with(input, &nir_defaults, model);
}

const cj__format cj__format_nir = {
    .name = "a NIR file",
    .extensions = {".nir"},
    .recognise = recognise,
    .save = cj__nir_save,
    .load = load,
};
