// Layers on the side of the data: each sample of a data set goes through a model as if in training,
// in the threads that read. The number of the step, on which random layers depend, is that of the
// sample, counted over all passes: so a sample is changed in the same way whoever reads it.
#include "base/error.h"
#include "base/memory.h"
#include "data/stages.h"
#include "graph/graph.h"
#include "layers/layer.h"
#include "ops/build.h"
#include <cajal/graph.h>

typedef struct augmenting {
    cj__chain_stage stage;
    cj_model *model; // held
    cj_function *function;
    size_t bytes;  // of the first input before
    int64_t count; // samples of a pass
} augmenting;

static cj_status read_augmented(const cj__source *source, int64_t index, uint64_t pass,
                                void *const *places)
{
    const augmenting *a = (const augmenting *)source;
    const int64_t step = (int64_t)(pass * (uint64_t)a->count + (uint64_t)index);
    const cj_dataset *from = a->stage.from[0];
    const int parts = cj__dataset_parts(from);
    void *few[CJ__PART_PLACES_FEW], **before = cj__part_places(few, parts),
                                    *first = cj__new(a->bytes, 1);
    if (!first || !before) {
        cj__part_places_end(before, few);
        cj__free(first);
        return CJ_OUT_OF_MEMORY;
    }
    before[0] = first;
    for (int p = 1; p < parts; p++)
        before[p] = places[p];
    cj_status status = cj__dataset_sample(from, index, pass, before);
    if (status == CJ_OK)
        status = cj__function_run(a->function, 1, (const void *const[]){before[0], &step},
                                  (void *const[]){places[0]});
    cj__free(first);
    cj__part_places_end(before, few);
    return status;
}

static void free_augmenting(cj__source *source)
{
    augmenting *a = (augmenting *)source;
    cj_release(a->function);
    cj_release(a->model);
    cj__chain_free(source);
}

// An output of another number of rows than there are samples would not fit into its place.
static cj_status check_rows(const cj_model *model, const cj_shape *shape)
{
    char text[CJ_MAX_RANK * 24];
    return shape->rank > 0 && shape->dims[0] == CJ_BATCH ?
               CJ_OK :
               cj__fail(CJ_SHAPE_MISMATCH,
                        "the output of model \"%s\" has shape %s, which is not one row a sample",
                        cj_layer_name(cj_model_layer(model)),
                        cj_shape_text(shape, text, sizeof text));
}

// The function of a sample and its number; `type` becomes that of the result.
static cj_status make_function(cj_model *model, cj__type *type, cj_function **function)
{
    cj__trace trace = {.training = true, .running = true, .seed = cj__model_seed(model)};
    cj__value *outputs = NULL;
    cj_symbol *inputs[2];
    cj_shape shape = {.rank = type->shape.rank + 1, .dims = {CJ_BATCH}};
    for (int i = 0; i < type->shape.rank; i++)
        shape.dims[i + 1] = type->shape.dims[i];
    inputs[0] = cj__build_keep(&trace.build, cj_symbol_input(type->dtype, shape, "sample"));
    inputs[1] = cj__build_keep(&trace.build, cj_symbol_input(CJ_I64, (cj_shape){0}, "step"));
    trace.step = inputs[1];
    const cj__type *needed = NULL;
    cj__model_inputs(model, &needed);
    cj_symbol *x = inputs[0] ? cj__cast(&trace.build, inputs[0], needed[0].dtype) : NULL;
    cj_status status =
        x && inputs[1] ? cj__model_trace(model, &trace, &x, &outputs) : trace.build.status;
    if (status == CJ_OK)
        status = check_rows(model, &cj__symbol_type(outputs[0].symbol)->shape);
    if (status == CJ_OK) {
        const cj__type *made = cj__symbol_type(outputs[0].symbol);
        type->dtype = made->dtype;
        type->shape.rank = made->shape.rank - 1;
        for (int i = 0; i < type->shape.rank; i++)
            type->shape.dims[i] = made->shape.dims[i + 1];
        cj_pool *one = cj_pool_new(1);
        *function = one ?
                        cj_function(.inputs = inputs, .input_count = 2,
                                    .outputs = &outputs[0].symbol, .output_count = 1, .pool = one) :
                        NULL;
        status = *function ? CJ_OK : cj_error_status();
    }
    const cj_status ended = cj__trace_end(&trace);
    return status == CJ_OK ? ended : status;
}

// Whether the model takes samples of a shape.
static cj_status check_shape(cj_model *model, const cj_shape *shape)
{
    char given[CJ_MAX_RANK * 24], needed[CJ_MAX_RANK * 24];
    const cj__type *types = NULL;
    cj__model_inputs(model, &types);
    const cj_shape *wanted = &types[0].shape;
    bool same = wanted->rank == shape->rank + 1;
    for (int i = 0; same && i < shape->rank; i++)
        same = wanted->dims[i + 1] == shape->dims[i] || wanted->dims[i + 1] == CJ_ANY;
    return same ? CJ_OK :
                  cj__fail(CJ_SHAPE_MISMATCH, "samples of shape %s, model \"%s\" needs %s",
                           cj_shape_text(shape, given, sizeof given),
                           cj_layer_name(cj_model_layer(model)),
                           cj_shape_text(wanted, needed, sizeof needed));
}

// What the model must be: one input as the data has it, one output of fixed lengths.
static cj_status prepare(cj_model *model, const cj_dataset *data, cj__type *sample,
                         cj_function **function)
{
    static const char who[] = "cj_dataset_augment";
    if (!model)
        return cj__fail_missing_of(CJ__MADE_MODEL, who, "the model");
    CJ_TRY(cj__chain_check(data, who));
    *sample = cj__part_type(data, 0);
    if (sample->dtype == CJ_STRING)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the first input is of texts, it needs numbers",
                        who);
    if (cj_model_input_count(model) == 0)
        CJ_TRY(cj__model_need_input(model, CJ_F32, sample->shape));
    if (cj_model_input_count(model) != 1 || cj_model_output_count(model) != 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a model of %d inputs and %d outputs, it needs one "
                        "of each",
                        who, cj_model_input_count(model), cj_model_output_count(model));
    CJ_TRY(check_shape(model, &sample->shape));
    const cj_status status = make_function(model, sample, function);
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "%s", who);
}

// The data set over a stage, whose first input is another.
static cj_dataset *finish(augmenting *a, const cj__type *first)
{
    const cj_dataset *from = a->stage.from[0];
    cj__type *types = cj__new((size_t)cj__dataset_parts(from), sizeof *types);
    if (!types) {
        free_augmenting(&a->stage.source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    for (int i = 0; i < cj__dataset_parts(from); i++)
        types[i] = i == 0 ? *first : cj__part_type(from, i);
    const cj__parts parts = {.x_count = from->x_count,
                             .y_count = from->y_count,
                             .weight_count = from->weight_count,
                             .x = types,
                             .y = types + from->x_count,
                             .weights = types + from->x_count + from->y_count};
    cj_dataset *data = cj__chain_finish(&a->stage, &parts, from->count);
    cj__free(types);
    return data;
}

cj_dataset *cj_dataset_augment(cj_dataset *data, cj_model *model)
{
    cj__type sample;
    cj_function *function = NULL;
    augmenting *a = NULL;
    const cj_status status = prepare(model, data, &sample, &function);
    if (status != CJ_OK)
        cj__chain_drop(&data, 1);
    else
        a = cj__chain_new(sizeof *a, &data, 1);
    if (!a) {
        cj_release(function);
        cj__own(model);
        cj_release(model);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    a->bytes = cj__part_bytes(data, 0);
    a->count = data->count;
    a->function = function;
    a->model = cj__own(model);
    a->stage.source.read = read_augmented;
    a->stage.source.free = free_augmenting;
    a->stage.source.is_cheap = false;
    return finish(a, &sample);
}
