// A functional model: two inputs, two outputs, and layers in between that are shared.
//
// The network is shown two handwritten digits and asked two questions: what is their sum, and is
// the first one greater? Nobody tells it what the single digits are.
#include <cajal.h>
#include <stdlib.h>

// Pairs image i with image i + pairs, and works out both answers from the labels.
static cj_status make_pairs(cj_dataset *digits, int64_t pairs, cj_dataset **data)
{
    cj_tensor *left, *right, *sum, *greater;
    const uint8_t *label = cj_tensor_data(cj_dataset_y(digits, 0));
    // views: no image is copied
    CJ_TRY(cj_tensor_slice(cj_dataset_x(digits, 0), 0, 0, pairs, &left));
    CJ_TRY(cj_tensor_slice(cj_dataset_x(digits, 0), 0, pairs, pairs, &right));
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(pairs), &sum));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(pairs, 1), &greater));
    for (int64_t i = 0; i < pairs; i++) {
        ((int32_t *)cj_tensor_data(sum))[i] = label[i] + label[i + pairs];
        ((float *)cj_tensor_data(greater))[i] = label[i] > label[i + pairs] ? 1.0f : 0.0f;
    }
    *data = cj_dataset(.x = {left, right}, .y = {sum, greater});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status load_pairs(cj_dataset **train, cj_dataset **test)
{
    cj_dataset *train_digits, *test_digits;
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    CJ_TRY(cj_load_dataset("auto", &train_digits, &test_digits));
    int64_t pairs = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(train_digits) / 2;
    CJ_TRY(make_pairs(train_digits, pairs, train));
    CJ_TRY(make_pairs(test_digits, cj_dataset_count(test_digits) / 2, test));
    cj_release(train_digits);
    cj_release(test_digits);
    return CJ_OK;
}

static cj_model *make_model(void)
{
    // A small network that looks at one digit. It is a model, and a model is a layer: it can be
    // applied.
    cj_model *eye = cj_sequential(
        cj_input(28, 28, 1), cj_rescaling(1.0 / 255), cj_conv2d(16, {3, 3}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_conv2d(32, {3, 3}, .activation = "relu"),
        cj_max_pooling2d({2, 2}), cj_flatten(), cj_dense(64, .activation = "relu"));

    // Applied twice, it has its weights once: what it learns from the left digit it knows of the
    // right one.
    cj_symbol *left = cj_input_symbol(28, 28, 1);
    cj_symbol *right = cj_input_symbol(28, 28, 1);
    cj_symbol *seen_left = cj_apply(cj_model_layer(eye), left);
    cj_symbol *seen_right = cj_apply(cj_model_layer(eye), right);

    // Both views side by side, and a head for each question.
    cj_symbol *both = cj_merge(cj_concatenate(), seen_left, seen_right);
    cj_symbol *thought = cj_apply(cj_dense(128, .activation = "relu"), both);
    cj_symbol *sum = cj_apply(cj_dense(19, .activation = "softmax", .name = "sum"), thought);
    cj_symbol *greater = cj_apply(cj_dense(1, .activation = "sigmoid", .name = "greater"), thought);

    return cj_functional(.inputs = {left, right}, .outputs = {sum, greater}, .name = "two_digits");
}

static cj_status run(void)
{
    cj_dataset *train, *test;
    CJ_TRY(load_pairs(&train, &test));
    cj_model *model = make_model();
    CJ_TRY(cj_model_summary(model, stdout));

    // A loss for each output; what is minimised is their weighted sum.
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(),
                      .losses = {"sparse_categorical_crossentropy", "binary_crossentropy"},
                      .loss_weights = {1.0, 0.5}, .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, train, .epochs = 5, .batch_size = 64, .verbose = CJ_BAR));

    cj_results *results = NULL;
    CJ_TRY(cj_evaluate(model, test, &results));
    printf("Test accuracy: sum %.4f, greater %.4f\n", cj_results_value(results, "sum_accuracy"),
           cj_results_value(results, "greater_accuracy"));

    cj_release(results);
    cj_release(model);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(void)
{
    return cj_report(run());
}
