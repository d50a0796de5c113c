// A Wasserstein GAN with a gradient penalty (Gulrajani and others 2017). The discriminator is a
// critic: it gives a number, large for real digits and small for made ones, as far apart as it can
// with a slope of 1. The slope is the length of the gradient of the critic by its *input*, between
// real and made images, and a penalty holds it at 1. So the critic's weights are stepped along the
// gradient of a gradient, through convolutions and LeakyReLU.
//
//     wgan_gp [STEPS]
//
// It leaves wgan_gp.png, with 64 made digits. For real: `wgan_gp 2000`; some minutes.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>

enum { BATCH = 64, NOISE = 64, PIXELS = 28 * 28, WEIGHTS = 16, CRITIC_STEPS = 5 };

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

static cj_model *make_generator(void)
{
    return cj_take(cj_sequential(
        cj_input(NOISE), cj_dense(7 * 7 * 32), cj_leaky_relu(0.2), cj_reshape({7, 7, 32}),
        cj_conv2d_transpose(16, {4, 4}, {2, 2}, .padding = "same"), cj_leaky_relu(0.2),
        cj_conv2d_transpose(1, {4, 4}, {2, 2}, .padding = "same", .activation = "sigmoid")));
}

static cj_model *make_critic(void)
{
    return cj_take(
        cj_sequential(cj_input(28, 28, 1), cj_conv2d(16, {4, 4}, {2, 2}, .padding = "same"),
                      cj_leaky_relu(0.2), cj_conv2d(32, {4, 4}, {2, 2}, .padding = "same"),
                      cj_leaky_relu(0.2), cj_flatten(), cj_dense(1)));
}

// The steps ---------------------------------------------------------------------------------------

static cj_symbol *mean_of(cj_symbol *x)
{
    return cj_op_reduce_mean(x, NULL, 0);
}

static cj_symbol *scalar(double value)
{
    return cj_symbol_scalar(CJ_F32, value);
}

// 10 × the mean over the batch of (slope - 1)², where the slope is the length of the gradient by
// one image of what the critic says of it. A critic looks at each image by itself, so the gradient
// of the sum of all answers has them all.
static cj_symbol *penalty_of(cj_symbol *answers, cj_symbol *images)
{
    const int axes[] = {1, 2, 3};
    cj_symbol *gradient, *sum = cj_take(cj_op_reduce_sum(answers, NULL, 0));
    const cj_status status = cj_gradients(sum, &images, 1, &gradient);
    cj_release(sum);
    if (status != CJ_OK)
        return NULL;
    cj_symbol *squares = cj_op_reduce_sum(cj_op_square(gradient), axes, 3);
    cj_symbol *slope = cj_op_sqrt(cj_op_add(squares, scalar(1e-12))); // sqrt has no slope at 0
    return cj_op_multiply(scalar(10), mean_of(cj_op_square(cj_op_subtract(slope, scalar(1)))));
}

// A function that steps the weights of a model against the first of its outputs.
static cj_function *make_step(const cj_model *model, cj_symbol *const *inputs, int input_count,
                              cj_symbol *const *outputs, int output_count)
{
    const cj_layer *layer = cj_model_layer(model);
    const int count = cj_layer_variable_count(layer);
    cj_variable *variables[WEIGHTS];
    cj_symbol *weights[WEIGHTS], *gradients[WEIGHTS];
    for (int i = 0; i < count; i++) {
        variables[i] = cj_layer_variable(layer, i);
        weights[i] = cj_symbol_variable(variables[i]);
    }
    if (cj_gradients(outputs[0], weights, count, gradients) != CJ_OK)
        return NULL;
    cj_updates *updates = cj_optimizer_updates(
        cj_adam(.learning_rate = 3e-4, .beta_1 = 0.5, .beta_2 = 0.9), variables, gradients, count);
    cj_function *step =
        cj_function(.inputs = inputs, .input_count = input_count, .outputs = outputs,
                    .output_count = output_count, .updates = cj_updates_list(updates),
                    .update_count = cj_updates_count(updates));
    for (int i = 0; i < count; i++)
        cj_release(weights[i]);
    cj_release(updates);
    return step;
}

// (real images, noise, a share for each pair of images): (loss, distance, penalty)
static cj_function *make_critic_step(cj_model *critic, cj_model *generator)
{
    cj_layer *judge = cj_model_layer(critic);
    cj_symbol *inputs[3] = {cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, 28, 28, 1), "real"),
                            cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, NOISE), "noise"),
                            cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, 1, 1, 1), "share")};
    cj_symbol *made = cj_take(cj_op_stop_gradient(cj_apply(cj_model_layer(generator), inputs[1])));
    // somewhere between a real image and a made one
    cj_symbol *between =
        cj_take(cj_op_add(made, cj_op_multiply(inputs[2], cj_op_subtract(inputs[0], made))));
    cj_symbol *distance = cj_take(
        cj_op_subtract(mean_of(cj_apply(judge, inputs[0])), mean_of(cj_apply(judge, made))));
    cj_symbol *penalty = cj_take(penalty_of(cj_apply(judge, between), between));
    cj_symbol *loss = cj_take(cj_op_subtract(penalty, distance));
    cj_symbol *outputs[3] = {loss, distance, penalty};
    cj_function *step = make_step(critic, inputs, 3, outputs, 3);
    cj_release(loss);
    cj_release(penalty);
    cj_release(distance);
    cj_release(between);
    cj_release(made);
    return step;
}

// (noise): what the critic says of made images is to grow.
static cj_function *make_generator_step(cj_model *critic, cj_model *generator)
{
    cj_symbol *noise = cj_symbol_input(CJ_F32, CJ_SHAPE(BATCH, NOISE), "noise");
    cj_symbol *made = cj_apply(cj_model_layer(generator), noise);
    cj_symbol *loss = cj_take(cj_op_negative(mean_of(cj_apply(cj_model_layer(critic), made))));
    cj_function *step = make_step(generator, &noise, 1, &loss, 1);
    cj_release(loss);
    return step;
}

// Training and looking ----------------------------------------------------------------------------

typedef struct training {
    cj_function *critic, *generator;
    cj_tensor *real, *noise, *share, *results[3];
    const uint8_t *digits;
    int64_t samples;
} training;

static cj_status step(training *t, double results[3])
{
    for (int k = 0; k < CRITIC_STEPS; k++) {
        float *pixel = cj_tensor_data(t->real), *share = cj_tensor_data(t->share);
        for (int i = 0; i < BATCH; i++) {
            const int64_t chosen = (int64_t)(uniform() * (double)t->samples);
            for (int j = 0; j < PIXELS; j++)
                pixel[i * PIXELS + j] = (float)t->digits[chosen * PIXELS + j] / 255;
            share[i] = (float)uniform();
        }
        fill_with_noise(t->noise);
        CJ_TRY(
            cj_function_call(t->critic, (cj_tensor *[]){t->real, t->noise, t->share}, t->results));
    }
    for (int i = 0; i < 3; i++)
        results[i] = (double)*(const float *)cj_tensor_data(t->results[i]);
    fill_with_noise(t->noise);
    return cj_function_call(t->generator, &t->noise, t->results);
}

static cj_status save_picture(cj_model *generator)
{
    cj_tensor *noise, *images, *picture;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(64, NOISE), &noise));
    fill_with_noise(noise);
    CJ_TRY(cj_predict(generator, noise, &images));
    CJ_TRY(cj_image_grid(images, 8, &picture));
    CJ_TRY(cj_save_png(picture, "wgan_gp.png"));
    cj_release(picture);
    cj_release(images);
    cj_release(noise);
    return CJ_OK;
}

static cj_status run(int steps)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    cj_dataset *digits, *test;
    CJ_TRY(cj_load_dataset("auto", &digits, &test));
    cj_model *critic = make_critic(), *generator = make_generator();
    training t = {.critic = make_critic_step(critic, generator),
                  .generator = make_generator_step(critic, generator),
                  .digits = cj_tensor_data(cj_dataset_x(digits, 0)),
                  .samples = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(digits)};
    CJ_TRY(t.critic && t.generator ? CJ_OK : cj_error_status());
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, 28, 28, 1), &t.real));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, NOISE), &t.noise));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, 1, 1, 1), &t.share));
    for (int i = 0; i < 3; i++)
        CJ_TRY(cj_tensor_new(CJ_F32, (cj_shape){0}, &t.results[i]));

    for (int k = 1; k <= steps; k++) {
        double results[3];
        CJ_TRY(step(&t, results));
        if (k % 50 == 0 || k == steps) {
            printf("Step %d: distance %.4f, penalty %.4f\n", k, results[1], results[2]);
            fflush(stdout);
            CJ_TRY(save_picture(generator));
        }
    }
    for (int i = 0; i < 3; i++)
        cj_release(t.results[i]);
    cj_release(t.share);
    cj_release(t.noise);
    cj_release(t.real);
    cj_release(t.generator);
    cj_release(t.critic);
    cj_release(generator);
    cj_release(critic);
    cj_release(digits);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? atoi(argv[1]) : 100));
}
