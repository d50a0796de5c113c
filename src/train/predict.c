// cj_predict(): the model's outputs, written batch by batch into their places in the result.
// Threads that predict with one model at once share the function and nothing else; the lock is held
// only while the function is looked up.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "tensor/strings.h"
#include "train/callbacks/progbar.h"
#include "train/check.h"
#include "train/step.h"
#include <cajal/streams.h>
#include <string.h>

// What is predicted, and the function for batches of the usual length.
typedef struct prediction {
    cj_model *model;
    cj__train_state *state;
    cj_dataset *data;
    const cj__step_functions *functions;
} prediction;

// An output of another number of rows than the batch has samples would not fit into the result.
static cj_status make_outputs(cj_model *model, const cj__step_functions *functions, int64_t count,
                              cj_tensor **outputs)
{
    const int64_t fixed = cj__fixed_batch(model);
    for (int i = 0; i < cj_model_output_count(model); i++) {
        cj__type type = *cj__function_output(functions->function, i);
        char text[CJ_MAX_RANK * 24];
        if (type.shape.rank == 0 || (type.shape.dims[0] != CJ_BATCH && type.shape.dims[0] != fixed))
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "cj_predict: output %d of model \"%s\" has shape %s, which is not one "
                            "row a sample",
                            i, cj_layer_name(cj_model_layer(model)),
                            cj_shape_text(&type.shape, text, sizeof text));
        type.shape.dims[0] = count;
        CJ_TRY(cj_tensor_new(type.dtype, type.shape, &outputs[i]));
    }
    return CJ_OK;
}

// The function of a batch that may have a length of its own; its outputs must not.
static cj_status function_of(const prediction *p, const cj__batch *batch, cj_function **function)
{
    const cj__step_functions *functions;
    CJ_TRY(cj__functions_of_batch(p->model, p->state, p->data, batch, p->functions, &functions));
    *function = functions->function;
    for (int i = 0; batch->steps > 0 && i < cj_model_output_count(p->model); i++) {
        const cj__type *usual = cj__function_output(p->functions->function, i);
        const cj__type *type = cj__function_output(*function, i);
        for (int axis = 1; axis < usual->shape.rank; axis++)
            if (type->shape.dims[axis] != usual->shape.dims[axis])
                return cj__fail(CJ_SHAPE_MISMATCH,
                                "cj_predict: output %d is as long as its batch, and batches have "
                                "lengths of their own: predict without cj_dataset_padded_batch()",
                                i);
    }
    return CJ_OK;
}

// `places` has room for as many pointers as there are outputs.
static cj_status run_batches(const prediction *p, cj__reader *reader, int output_count,
                             cj_tensor **outputs, void **places, cj__progress *progress)
{
    cj__batch batch;
    int64_t done = 0;
    cj__reader_start(reader, NULL, 0);
    while (cj__reader_next(reader, &batch)) {
        for (int i = 0; i < output_count; i++) {
            const cj_tensor *output = outputs[i];
            const size_t each = (size_t)(cj_tensor_count(output) / output->shape.dims[0]) *
                                cj_dtype_size(output->dtype);
            places[i] = output->data + (size_t)done * each;
        }
        cj_function *function;
        CJ_TRY(function_of(p, &batch, &function));
        CJ_TRY(cj__function_run(function, batch.count, batch.x, places));
        done += batch.count;
        cj__progress_batch(progress);
    }
    return cj__reader_status(reader);
}

static cj_status predict(cj_model *model, cj_dataset *data, const cj_predict_args *args,
                         cj_tensor **outputs)
{
    int64_t batch_size = 0;
    cj__progress progress = {0};
    prediction p = {.model = model, .data = data};
    cj__reader *reader = NULL;
    CJ_TRY(cj__check_built(model, data, "cj_predict"));
    const int output_count = cj_model_output_count(model);
    CJ_TRY(cj__check_inputs(model, data, "cj_predict"));
    CJ_TRY(cj__check_batches(model, data, args->batch_size, "cj_predict", &batch_size));
    CJ_TRY(cj__state_need(model, &p.state));
    CJ_TRY(cj__functions_find(model, p.state, CJ__MODE_PREDICT, data, false, &p.functions));
    CJ_TRY(make_outputs(model, p.functions, data->count, outputs));
    CJ_TRY(cj__reader_new(data, batch_size, false, &reader));
    cj_status status =
        cj__progress_open(&progress, args->verbose, args->stream, cj__reader_batches(reader));
    void **places = cj__new((size_t)output_count, sizeof *places);
    if (status == CJ_OK)
        status = places ? run_batches(&p, reader, output_count, outputs, places, &progress) :
                          CJ_OUT_OF_MEMORY;
    cj__free(places);
    for (int i = 0; i < output_count && status == CJ_OK; i++)
        status = cj__strings_own(outputs[i]); // texts may point into the model's vocabulary
    cj__progress_close(&progress, status == CJ_OK);
    cj__reader_free(reader);
    return status;
}

CJ__DEFAULTS(predict, PREDICT)

// Predicts as a call that reads the model; after a failure there are no outputs.
static cj_status predict_all(cj_model *model, cj_dataset *data, const cj_predict_args *args,
                             cj_tensor **outputs)
{
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_predict"));
    const uint64_t begin = cj__causes_begin();
    memset(outputs, 0, (size_t)cj_model_output_count(model) * sizeof *outputs);
    const cj_status status = predict(model, data, args, outputs);
    cj__use_read(cj__model_use(model));
    for (int i = 0; status != CJ_OK && i < cj_model_output_count(model); i++) {
        cj_release(outputs[i]);
        outputs[i] = NULL;
    }
    return cj__causes_end(begin, status);
}

cj_status cj_predict_many_with(cj_model *model, cj_tensor *const *inputs, cj_tensor **outputs,
                               const cj_predict_args *args)
{
    cj_predict_args given;
    if (!model || !inputs || !outputs)
        return model ? cj__fail_null(inputs ? "cj_predict: the place for the outputs" :
                                              "cj_predict: the array of inputs") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_predict: the model");
    CJ_TRY(cj__args_read("cj_predict", args, &predict_defaults, sizeof given, &given));
    CJ_TRY(cj__check_verbose(given.verbose, "cj_predict"));
    // A data set on the stack: it holds nothing, so that floating tensors stay the caller's.
    cj_dataset data = {.object = CJ__OBJECT_INIT(&cj__dataset_class)};
    const int built = cj_model_input_count(model);
    data.x_count = built > 0 ? built : 1;
    data.parts = data.x = (cj_tensor **)(uintptr_t)inputs;
    for (int i = 0; i < data.x_count; i++) {
        if (!inputs[i])
            return cj__fail_missing(CJ__MADE_TENSOR, "cj_predict: an input");
        if (inputs[i]->shape.rank == 0 || inputs[i]->shape.dims[0] != inputs[0]->shape.dims[0])
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "cj_predict: input %d has not the samples of input 0", i);
    }
    data.count = inputs[0]->shape.dims[0];
    return predict_all(model, &data, &given, outputs);
}

cj_status cj_predict_data_with(cj_model *model, cj_dataset *data, cj_tensor **outputs,
                               const cj_predict_args *args)
{
    cj_predict_args given;
    if (!model || !data)
        return cj__fail_missing_some(
            (model ? 0U : CJ__MADE_MODEL) | (data ? 0U : CJ__MADE_DATASET), !model + !data,
            model ? "cj_predict_data: the data" : "cj_predict_data: the model");
    if (!outputs)
        return cj__fail_null("cj_predict_data: the place for the outputs");
    CJ_TRY(cj__args_read("cj_predict_data", args, &predict_defaults, sizeof given, &given));
    CJ_TRY(cj__check_verbose(given.verbose, "cj_predict_data"));
    if (data->x_count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_predict_data: the data has no inputs");
    return predict_all(model, data, &given, outputs);
}

cj_status cj_predict_with(cj_model *model, cj_tensor *input, cj_tensor **output,
                          const cj_predict_args *args)
{
    if (!output)
        return cj__fail_null("cj_predict: the place for the output");
    *output = NULL;
    if (model && cj_model_input_count(model) > 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_predict: model \"%s\" has %d inputs: use cj_predict_many()",
                        cj_layer_name(cj_model_layer(model)), cj_model_input_count(model));
    const int count = model ? cj_model_output_count(model) : 0;
    cj_tensor **outputs = cj__new(count > 0 ? (size_t)count : 1, sizeof *outputs);
    if (!outputs)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = cj_predict_many_with(model, &input, outputs, args);
    if (status == CJ_OK)
        *output = outputs[0];
    for (int i = 1; i < count; i++)
        cj_release(outputs[i]);
    cj__free(outputs);
    return status;
}
