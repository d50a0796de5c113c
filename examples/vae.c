// A variational autoencoder (Kingma and Welling 2013): an encoder says of an image where in a plane
// its code lies, as a mean and a variance for each of two numbers, a decoder makes the image of a
// code drawn from there. What comes back should be what was given, and all codes together should lie
// as standard normal numbers do; then every point of the plane is an image.
//
//     vae [EPOCHS]
//
// It leaves vae.png: the plane from -2 to 2, a digit for each of 15 x 15 points. For real: `vae 10`;
// some minutes. The step is a loop of its own: a drawn code is mean + exp(log variance / 2) × noise,
// so that gradients pass through it to both.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>

enum { BATCH = 128, CODE = 2, PIXELS = 28 * 28, WEIGHTS = 32 };

// Random numbers: uniform between 0 and 1, and standard normal from two of these (Box and Muller).
static double uniform(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static void fill_with_noise(cj_tensor *noise)
{
    float *value = cj_tensor_data(noise);
    for (int64_t i = 0; i < cj_tensor_count(noise); i++)
        value[i] = (float)(sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()));
}

// The networks ------------------------------------------------------------------------------------

// An image becomes two means and the logarithms of two variances.
static cj_model *make_encoder(void)
{
    cj_symbol *image = cj_input_symbol(28, 28, 1);
    cj_symbol *h =
        cj_apply(cj_conv2d(16, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"), image);
    h = cj_apply(cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"), h);
    h = cj_apply(cj_dense(64, .activation = "relu"), cj_apply(cj_flatten(), h));
    return cj_functional(.inputs = {image},
                         .outputs = {cj_apply(cj_dense(CODE, .name = "mean"), h),
                                     cj_apply(cj_dense(CODE, .name = "log_variance"), h)},
                         .name = "encoder");
}

static cj_model *make_decoder(void)
{
    return cj_sequential(
        cj_input(CODE), cj_dense(64, .activation = "relu"),
        cj_dense(7 * 7 * 32, .activation = "relu"), cj_reshape({7, 7, 32}),
        cj_conv2d_transpose(16, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
        cj_conv2d_transpose(1, {3, 3}, {2, 2}, .padding = "same", .activation = "sigmoid"));
}

// The step ----------------------------------------------------------------------------------------

// Half the mean over the batch of the sum of mean² + variance - 1 - log variance: how far the codes
// are from standard normal ones (the Kullback-Leibler divergence).
static cj_symbol *divergence_of(cj_symbol *mean, cj_symbol *log_variance)
{
    cj_symbol *terms = cj_op_add(cj_op_square(mean), cj_op_exp(log_variance));
    terms = cj_op_subtract(terms, cj_op_add(cj_symbol_scalar(CJ_F32, 1), log_variance));
    return cj_op_multiply(cj_symbol_scalar(CJ_F32, 0.5 * CODE), cj_op_reduce_mean(terms, NULL, 0));
}

// Adds the variables of a model to a list.
static int add_weights(const cj_model *model, cj_variable **list, int count)
{
    const cj_layer *layer = cj_model_layer(model);
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        list[count++] = cj_layer_variable(layer, i);
    return count;
}

// What steps the weights of both models against a loss, which is the first of the outputs.
static cj_status make_function(cj_symbol **inputs, cj_symbol **outputs, cj_variable **variables,
                               int count, cj_function **step)
{
    cj_symbol *weights[WEIGHTS], *gradients[WEIGHTS];
    for (int i = 0; i < count; i++)
        weights[i] = cj_symbol_variable(variables[i]);
    CJ_TRY(cj_gradients(outputs[0], weights, count, gradients));
    cj_updates *updates = cj_optimizer_updates(cj_adam(), variables, gradients, count);
    *step =
        cj_function(.inputs = inputs, .input_count = 2, .outputs = outputs, .output_count = 3,
                    .updates = cj_updates_list(updates), .update_count = cj_updates_count(updates));
    for (int i = 0; i < count; i++)
        cj_release(weights[i]);
    cj_release(updates);
    return *step ? CJ_OK : cj_error_status();
}

// A function of (images, noise) that returns (loss, reconstruction, divergence) and steps all weights.
static cj_status make_step(cj_model *encoder, cj_model *decoder, cj_function **step)
{
    cj_symbol *inputs[2] = {cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, 28, 28, 1), "images"),
                            cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, CODE), "noise")};
    cj_symbol *code[2]; // mean and log variance
    CJ_TRY(cj_apply_many(cj_model_layer(encoder), inputs, 1, code, 2));
    cj_symbol *mean = cj_take(code[0]), *log_variance = cj_take(code[1]);
    cj_symbol *deviation = cj_op_exp(cj_op_multiply(cj_symbol_scalar(CJ_F32, 0.5), log_variance));
    cj_symbol *drawn = cj_op_add(mean, cj_op_multiply(deviation, inputs[1]));
    cj_symbol *back = cj_apply(cj_model_layer(decoder), drawn);

    // the sum over the pixels, of which the loss takes the mean
    cj_symbol *reconstruction = cj_take(cj_op_multiply(
        cj_symbol_scalar(CJ_F32, PIXELS), cj_op_loss("binary_crossentropy", inputs[0], back)));
    cj_symbol *divergence = cj_take(divergence_of(mean, log_variance));
    cj_symbol *total = cj_take(cj_op_add(reconstruction, divergence));

    cj_variable *variables[WEIGHTS];
    const int count = add_weights(decoder, variables, add_weights(encoder, variables, 0));
    cj_symbol *outputs[3] = {total, reconstruction, divergence};
    const cj_status status = make_function(inputs, outputs, variables, count, step);
    cj_release(total);
    cj_release(divergence);
    cj_release(reconstruction);
    cj_release(log_variance);
    cj_release(mean);
    return status;
}

// Training and looking ----------------------------------------------------------------------------

static cj_status train(cj_function *step, const cj_dataset *digits, int64_t samples, int epoch)
{
    cj_tensor *images, *noise, *results[3];
    double sums[3] = {0};
    const uint8_t *bytes = cj_tensor_data(cj_dataset_x(digits, 0));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, 28, 28, 1), &images));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, CODE), &noise));
    for (int i = 0; i < 3; i++)
        CJ_TRY(cj_tensor_new(CJ_F32, (cj_shape){0}, &results[i]));
    const int64_t steps = samples / BATCH;
    for (int64_t k = 0; k < steps; k++) {
        float *pixel = cj_tensor_data(images);
        for (int i = 0; i < BATCH; i++) {
            const int64_t chosen = (int64_t)(uniform() * (double)samples);
            for (int j = 0; j < PIXELS; j++)
                pixel[i * PIXELS + j] = (float)bytes[chosen * PIXELS + j] / 255;
        }
        fill_with_noise(noise);
        CJ_TRY(cj_function_call(step, (cj_tensor *[]){images, noise}, results));
        for (int i = 0; i < 3; i++)
            sums[i] += (double)*(const float *)cj_tensor_data(results[i]) / (double)steps;
    }
    printf("Epoch %d: loss %.2f = reconstruction %.2f + divergence %.2f\n", epoch, sums[0], sums[1],
           sums[2]);
    fflush(stdout);
    for (int i = 0; i < 3; i++)
        cj_release(results[i]);
    cj_release(noise);
    cj_release(images);
    return CJ_OK;
}

static cj_status show_plane(cj_model *decoder)
{
    enum { SIDE = 15 };
    cj_tensor *codes, *images, *picture;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SIDE * SIDE, CODE), &codes));
    float *code = cj_tensor_data(codes);
    for (int i = 0; i < SIDE * SIDE; i++) {
        code[2 * i] = (float)(i % SIDE) * 4 / (SIDE - 1) - 2;
        code[2 * i + 1] = 2 - (float)(i / SIDE) * 4 / (SIDE - 1);
    }
    CJ_TRY(cj_predict(decoder, codes, &images));
    CJ_TRY(cj_image_grid(images, SIDE, &picture));
    CJ_TRY(cj_save_png(picture, "vae.png"));
    cj_release(picture);
    cj_release(images);
    cj_release(codes);
    return CJ_OK;
}

static cj_status run(int epochs)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look: so many samples
    cj_dataset *digits, *test;
    cj_function *step;
    CJ_TRY(cj_load_dataset("auto", &digits, &test));
    const int64_t samples = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(digits);
    cj_model *encoder = cj_take(make_encoder()), *decoder = cj_take(make_decoder());
    CJ_TRY(make_step(encoder, decoder, &step));
    for (int epoch = 1; epoch <= epochs; epoch++)
        CJ_TRY(train(step, digits, samples, epoch));
    CJ_TRY(show_plane(decoder));
    cj_release(step);
    cj_release(decoder);
    cj_release(encoder);
    cj_release(digits);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? atoi(argv[1]) : 3));
}
