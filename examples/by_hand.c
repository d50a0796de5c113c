// The tutorial's chapter 4.6: a convolutional network small enough to follow with pencil and paper.
//
//     5x5 image  ->  3x3 convolution, relu  ->  2x2 max pooling  ->  flatten  ->  dense, 3 units
//
// It is a real model. Only its weights are not learned: they are written into it. At the end the
// library explains its own arithmetic, number by number.
#include <cajal.h>

// The input: a digit "1", five rows of five pixels, one channel.
static float image[] = {
    0, 1, 1, 0, 0, //
    0, 1, 1, 0, 0, //
    0, 1, 1, 0, 0, //
    0, 0, 0, 0, 0, //
    0, 0, 0, 0, 0, //
};

// The convolution kernel.
static float kernel[] = {
    1, 0, 1, //
    0, 1, 0, //
    1, 0, 1, //
};

// The weights of the dense layer. The chapter writes a row for each neuron; a layer keeps a column
// for each, so that the input multiplies from the left. Hence this is the chapter's matrix,
// transposed.
static float weights[] = {
    0.1f, 0.5f, 0.9f, //
    0.2f, 0.6f, 1.0f, //
    0.3f, 0.7f, 1.1f, //
    0.4f, 0.8f, 1.2f, //
};

// Writes `values` into the first variable of a layer, its kernel.
static cj_status set_kernel(cj_model *model, const char *layer, cj_shape shape, const float *values,
                            size_t count)
{
    cj_tensor *tensor;
    CJ_TRY(cj_tensor_from(CJ_F32, shape, values, count, &tensor));
    cj_status status =
        cj_variable_assign(cj_layer_variable(cj_model_find_layer(model, layer), 0), tensor);
    cj_release(tensor);
    return status;
}

static cj_status run(void)
{
    // The chapter's pooling window hangs over the right and lower edge of the 3x3 map, and its 2x2
    // result keeps these partial windows. Keras calls that padding "same"; "valid", the default,
    // would drop them.
    cj_model *model = cj_sequential(
        cj_input(5, 5, 1), cj_conv2d(1, {3, 3}, .activation = "relu", .use_bias = false),
        cj_max_pooling2d({2, 2}, .padding = "same"), cj_flatten(), cj_dense(3, .use_bias = false));
    CJ_TRY(model ? CJ_OK : cj_error_status());
    CJ_TRY(set_kernel(model, "conv2d", CJ_SHAPE(3, 3, 1, 1), kernel, 9));
    CJ_TRY(set_kernel(model, "dense", CJ_SHAPE(4, 3), weights, 12));

    cj_tensor *input, *output;
    CJ_TRY(cj_tensor_borrow(CJ_F32, CJ_SHAPE(1, 5, 5, 1), image, NULL, NULL, &input));
    CJ_TRY(cj_predict(model, input, &output));
    const float *answer = cj_tensor_data(output);
    printf("The network answers [%.1f %.1f %.1f], and this is how it came to that.\n\n",
           (double)answer[0], (double)answer[1], (double)answer[2]);

    // For every layer: its input, its output, and how the largest element of the output came about;
    // of the last layer, element 0. Axes longer than max_rows would be shortened.
    CJ_TRY(cj_explain(model, (cj_tensor *[]){input}, stdout, .max_rows = 12, .has_index = true,
                      .index = {0}));

    // Any other element can be asked for: here the top right corner of the feature map.
    printf("And the top right corner of the feature map:\n\n");
    CJ_TRY(cj_explain(model, (cj_tensor *[]){input}, stdout, .layer = "conv2d", .has_index = true,
                      .index = {0, 2, 0}));

    cj_release(output);
    cj_release(input);
    cj_release(model);
    return CJ_OK;
}

int main(void)
{
    return cj_report(run());
}
