// cj_plan(): what a model's prediction or training step runs, kernel by kernel. Only the types of
// the data matter, so zeros stand for it.
#include "base/args.h"
#include "base/error.h"
#include "layers/layer.h"
#include "train/check.h"
#include "train/losses.h"
#include "train/step.h"
#include <string.h>

enum { LENGTH = 64 }; // stands for lengths that are free

// A batch of zeros of a type.
static cj_status zeros(const cj__type *type, int64_t batch, cj_tensor **tensor)
{
    cj_shape shape = type->shape;
    shape.dims[0] = batch;
    for (int i = 1; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i] == CJ_ANY ? LENGTH : shape.dims[i];
    return cj_tensor_new(type->dtype, shape, tensor);
}

// Targets as each output's loss takes them: labels, rows of one label, or the output's own shape.
static cj_status make_targets(const cj_model *model, const cj__train_state *state, int64_t batch,
                              cj_dataset *data)
{
    for (int i = 0; i < data->y_count; i++) {
        const char *loss = cj__settings_loss(&state->settings, i);
        cj__type type = {CJ_F32, *cj_model_output_shape(model, i)};
        cj__chosen chosen = {0};
        CJ_TRY(cj__spec_parse(&cj__losses, loss, "loss", &chosen));
        const cj__target wanted = chosen.choice ?
                                      ((const cj__loss *)(const void *)chosen.choice)->target :
                                      CJ__TARGET_SAME;
        if (wanted == CJ__TARGET_LABELS || wanted == CJ__TARGET_GROUPS) {
            type.dtype = CJ_I32;
            type.shape.rank--;
        } else if (wanted == CJ__TARGET_STEPS) {
            type = (cj__type){CJ_I32, {1, {type.shape.dims[0]}}};
        } else if (wanted == CJ__TARGET_ROWS) {
            type = (cj__type){CJ_I32, {2, {type.shape.dims[0], 1}}};
        }
        cj__chosen_free(&chosen);
        CJ_TRY(zeros(&type, batch, &data->y[i]));
    }
    return CJ_OK;
}

static cj_status make_data(const cj_model *model, const cj__train_state *state, int64_t batch,
                           bool training, cj_dataset *data)
{
    const cj__type *types = NULL;
    data->count = batch;
    if (cj__model_inputs(model, &types) == 0)
        return cj__fail(CJ_NOT_BUILT,
                        "cj_plan: the model does not know its inputs yet: give it an input layer");
    CJ_TRY(cj__dataset_room(data, cj_model_input_count(model),
                            training ? cj_model_output_count(model) : 0, 0));
    for (int i = 0; i < data->x_count; i++)
        CJ_TRY(zeros(&types[i], batch, &data->x[i]));
    return training ? make_targets(model, state, batch, data) : CJ_OK;
}

CJ__DEFAULTS(plan, PLAN)

cj_status cj_plan_with(cj_model *model, const cj_plan_args *args)
{
    cj_plan_args given;
    CJ_TRY(cj__args_read("cj_plan", args, &plan_defaults, sizeof given, &given));
    args = &given;
    cj__train_state *state;
    const cj__step_functions *functions = NULL;
    const cj__mode mode = args->training ? CJ__MODE_TRAIN : CJ__MODE_PREDICT;
    // on the stack: it holds nothing
    cj_dataset data = {.object = CJ__OBJECT_INIT(&cj__dataset_class)};
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_plan: the model");
    if (args->batch_size < 0 || args->rounds < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_plan: batch_size and rounds cannot be negative");
    const int64_t fixed = cj__fixed_batch(model);
    int64_t batch = args->batch_size ? args->batch_size : fixed ? fixed : 32;
    data.count = batch;
    CJ_TRY(cj__check_batches(model, &data, batch, "cj_plan", &batch));
    if (args->training)
        CJ_TRY(cj__state_compiled(model, "cj_plan", &state));
    else
        CJ_TRY(cj__state_need(model, &state));
    const uint64_t begin = cj__causes_begin();
    cj_status status = make_data(model, state, batch, args->training, &data);
    if (status == CJ_OK)
        status = cj__functions_find(model, state, mode, &data, false, &functions);
    if (status == CJ_OK)
        status = cj__function_print(functions->function, batch, args->rounds,
                                    args->stream ? args->stream : stdout);
    cj__dataset_clear(&data);
    return cj__causes_end(begin, status);
}
