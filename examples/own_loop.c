// A training loop of one's own, for a step that cj_fit() does not have: a gradient penalty.
//
// Besides the loss itself, the step makes the gradient of the loss by the *pixels* small, so that
// the answer does not hang on tiny changes of the image (double backpropagation, Drucker and LeCun
// 1992). That is a gradient of a gradient, and the whole step is one graph: model, loss, penalty,
// gradients by the weights, and what the optimizer assigns.
#include <cajal.h>
#include <stdlib.h>

enum { BATCH = 64, EPOCHS = 2, WEIGHTS = 4 }; // kernel and bias of both dense layers

static cj_model *make_model(void)
{
    // Taken, because the step below would own it otherwise.
    return cj_take(cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_flatten(),
                                 cj_dense(128, .activation = "relu"),
                                 cj_dense(10, .activation = "softmax")));
}

// strength × the mean over the batch of |∂loss/∂pixels|². The loss is a mean over the batch, so the
// gradient of one sample's own loss is BATCH times what is found here.
static cj_symbol *penalty_of(cj_symbol *loss, cj_symbol *pixels, double strength)
{
    cj_symbol *gradient;
    if (cj_gradients(loss, &pixels, 1, &gradient) != CJ_OK)
        return NULL;
    const double per_pixel =
        255.0 * 255.0; // pixels are from 0 to 255, strength is meant for 0 to 1
    return cj_op_multiply(cj_symbol_scalar(CJ_F32, strength * BATCH * per_pixel),
                          cj_op_reduce_sum(cj_op_square(gradient), NULL, 0));
}

// A function of (images, labels) that returns (loss, penalty) and steps the weights.
static cj_status make_step(cj_model *model, cj_optimizer *optimizer, cj_function **step,
                           cj_updates **updates)
{
    cj_symbol *inputs[2] = {cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 28, 28, 1), "images"),
                            cj_symbol_input(CJ_U8, CJ_SHAPE(CJ_BATCH), "labels")};
    cj_symbol *answer = cj_apply(cj_model_layer(model), inputs[0]);
    cj_symbol *loss = cj_take(cj_op_loss("sparse_categorical_crossentropy", inputs[1], answer));
    cj_symbol *penalty = cj_take(penalty_of(loss, inputs[0], 0.01));
    cj_symbol *total = cj_take(cj_op_add(loss, penalty));

    // The gradients by all weights, and what the optimizer makes of them.
    const cj_layer *layer = cj_model_layer(model);
    cj_variable *variables[WEIGHTS];
    cj_symbol *weights[WEIGHTS], *gradients[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) {
        variables[i] = cj_layer_variable(layer, i);
        weights[i] = cj_symbol_variable(variables[i]);
    }
    CJ_TRY(cj_gradients(total, weights, WEIGHTS, gradients));
    *updates = cj_optimizer_updates(optimizer, variables, gradients, WEIGHTS);
    cj_symbol *outputs[2] = {loss, penalty};
    *step = cj_function(.inputs = inputs, .input_count = 2, .outputs = outputs, .output_count = 2,
                        .updates = cj_updates_list(*updates),
                        .update_count = cj_updates_count(*updates));
    if (!*step)
        return cj_error_status();
    for (int i = 0; i < WEIGHTS; i++)
        cj_release(weights[i]);
    cj_release(total);
    cj_release(penalty);
    cj_release(loss);
    return CJ_OK;
}

// One batch: samples [begin, begin + BATCH) as floats, and their labels as they are.
static cj_status run_step(cj_function *step, const cj_dataset *data, int64_t begin,
                          cj_tensor *const results[2])
{
    cj_tensor *bytes, *images, *labels;
    CJ_TRY(cj_tensor_slice(cj_dataset_x(data, 0), 0, begin, BATCH, &bytes));
    CJ_TRY(cj_tensor_slice(cj_dataset_y(data, 0), 0, begin, BATCH, &labels));
    CJ_TRY(cj_tensor_convert(bytes, CJ_F32, &images));
    CJ_TRY(cj_function_call(step, (cj_tensor *[]){images, labels}, results));
    cj_release(images);
    cj_release(labels);
    cj_release(bytes);
    return CJ_OK;
}

static cj_status set_learning_rate(cj_updates *updates, double rate)
{
    cj_tensor *value;
    CJ_TRY(cj_tensor_new(CJ_F32, (cj_shape){0}, &value));
    cj_tensor_fill(value, rate);
    CJ_TRY(cj_variable_assign(cj_updates_learning_rate(updates), value));
    cj_release(value);
    return CJ_OK;
}

// The samples come in the order of the data set, which is mixed already; a loop that needs another
// order slices by a permutation of its own.
static cj_status train(cj_function *step, cj_updates *updates, const cj_dataset *data,
                       int64_t samples)
{
    cj_tensor *results[2];
    for (int i = 0; i < 2; i++)
        CJ_TRY(cj_tensor_new(CJ_F32, (cj_shape){0}, &results[i]));
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        double sums[2] = {0};
        int64_t steps = 0;
        CJ_TRY(set_learning_rate(updates, epoch == 0 ? 0.001 : 0.0005));
        for (int64_t begin = 0; begin + BATCH <= samples; begin += BATCH, steps++) {
            CJ_TRY(run_step(step, data, begin, results));
            for (int i = 0; i < 2; i++)
                sums[i] += *(const float *)cj_tensor_data(results[i]);
        }
        printf("Epoch %d: loss %.4f, penalty %.4f\n", epoch + 1, sums[0] / (double)steps,
               sums[1] / (double)steps);
    }
    cj_release(results[0]);
    cj_release(results[1]);
    return CJ_OK;
}

static cj_status run(void)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    cj_dataset *data, *test;
    CJ_TRY(cj_load_dataset("auto", &data, &test));
    const int64_t samples = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(data);

    cj_model *model = make_model();
    cj_function *step;
    cj_updates *updates;
    CJ_TRY(make_step(model, cj_adam(), &step, &updates));
    CJ_TRY(train(step, updates, data, samples));
    cj_release(step);
    cj_release(updates);

    // The weights are the model's: all that takes a model takes it from here on.
    cj_results *results;
    CJ_TRY(cj_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    CJ_TRY(cj_evaluate(model, test, &results));
    printf("Test accuracy: %.4f\n", cj_results_value(results, "accuracy"));

    cj_release(results);
    cj_release(model);
    cj_release(data);
    cj_release(test);
    return CJ_OK;
}

int main(void)
{
    return cj_report(run());
}
