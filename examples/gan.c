// A convolutional generative adversarial network (Radford, Metz and Chintala 2015): the generator
// makes 28 × 28 images of noise by transposed convolutions with normalized layers, the discriminator
// tells them from real digits by convolutions with LeakyReLU and dropout. adversarial.c has the same
// game with dense layers, and says more about it.
//
//     gan [STEPS]
//
// It leaves gan.png, with 64 made digits, each time it reports. For real: `gan 4000`; some minutes.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>

enum { BATCH = 64, NOISE = 64, PIXELS = 28 * 28, REPORT = 50 };

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
    return cj_sequential(
        cj_input(NOISE), cj_dense(7 * 7 * 32, .use_bias = false),
        cj_batch_normalization(.momentum = 0.8), cj_relu(), cj_reshape({7, 7, 32}),
        cj_conv2d_transpose(16, {4, 4}, {2, 2}, .padding = "same", .use_bias = false),
        cj_batch_normalization(.momentum = 0.8), cj_relu(),
        cj_conv2d_transpose(1, {4, 4}, {2, 2}, .padding = "same", .activation = "sigmoid"));
}

static cj_model *make_discriminator(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_conv2d(16, {4, 4}, {2, 2}, .padding = "same"),
                         cj_leaky_relu(0.2), cj_dropout(0.3),
                         cj_conv2d(32, {4, 4}, {2, 2}, .padding = "same"), cj_leaky_relu(0.2),
                         cj_dropout(0.3), cj_flatten(), cj_dense(1, .activation = "sigmoid"));
}

typedef struct networks {
    cj_model *generator, *discriminator, *gan;
} networks;

// In the model of both the discriminator is frozen: it judges, and the generator learns.
static cj_status make_networks(networks *n)
{
    n->generator = make_generator();
    n->discriminator = make_discriminator();
    CJ_TRY(cj_compile(n->discriminator, .optimizer = cj_adam(2e-4, .beta_1 = 0.5),
                      .loss = "binary_crossentropy"));
    CJ_TRY(cj_set_trainable(cj_model_layer(n->discriminator), false));
    n->gan = cj_sequential(cj_input(NOISE), cj_model_layer(n->generator),
                           cj_model_layer(n->discriminator));
    return cj_compile(n->gan, .optimizer = cj_adam(2e-4, .beta_1 = 0.5),
                      .loss = "binary_crossentropy");
}

// Training ----------------------------------------------------------------------------------------

typedef struct batches {
    cj_tensor *noise, *x;            // (64, noise); 64 real images, then 64 made ones
    cj_dataset *discriminator, *gan; // x with 0.9 for real and 0 for made; noise with 1
    const uint8_t *digits;
    int64_t samples;
} batches;

static cj_status make_batches(batches *b)
{
    cj_tensor *real_or_made, *real;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, NOISE), &b->noise));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * BATCH, 28, 28, 1), &b->x));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * BATCH, 1), &real_or_made));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, 1), &real));
    for (int i = 0; i < BATCH; i++)
        ((float *)cj_tensor_data(real_or_made))[i] = 0.9f; // not 1: it shall not be too sure
    cj_tensor_fill(real, 1);
    b->discriminator = cj_dataset(.x = {b->x}, .y = {real_or_made});
    b->gan = cj_dataset(.x = {b->noise}, .y = {real});
    return b->discriminator && b->gan ? CJ_OK : cj_error_status();
}

static cj_status train(cj_model *model, cj_dataset *batch, double *loss)
{
    cj_results *results;
    CJ_TRY(cj_train_on_batch(model, batch, &results));
    *loss += cj_results_value(results, "loss");
    cj_release(results);
    return CJ_OK;
}

static cj_status train_step(const networks *n, const batches *b, double losses[2])
{
    float *x = cj_tensor_data(b->x);
    for (int i = 0; i < BATCH; i++) {
        const int64_t chosen = (int64_t)(uniform() * (double)b->samples);
        for (int j = 0; j < PIXELS; j++)
            x[i * PIXELS + j] = (float)b->digits[chosen * PIXELS + j] / 255;
    }
    cj_tensor *made;
    fill_with_noise(b->noise);
    CJ_TRY(cj_predict(n->generator, b->noise, &made, .batch_size = BATCH));
    for (int j = 0; j < BATCH * PIXELS; j++)
        x[BATCH * PIXELS + j] = ((const float *)cj_tensor_data(made))[j];
    cj_release(made);
    CJ_TRY(train(n->discriminator, b->discriminator, &losses[0]));
    fill_with_noise(b->noise);
    return train(n->gan, b->gan, &losses[1]);
}

// The same noise each time, so that one can watch each digit grow.
static cj_status save_picture(const networks *n, cj_tensor *noise)
{
    cj_tensor *made, *picture;
    CJ_TRY(cj_predict(n->generator, noise, &made));
    CJ_TRY(cj_image_grid(made, 8, &picture));
    CJ_TRY(cj_save_png(picture, "gan.png"));
    cj_release(picture);
    cj_release(made);
    return CJ_OK;
}

static cj_status run(int steps)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    cj_dataset *digits, *test;
    networks n;
    batches b;
    cj_tensor *noise;
    double losses[2] = {0};
    CJ_TRY(cj_load_dataset("auto", &digits, &test));
    CJ_TRY(make_networks(&n));
    CJ_TRY(make_batches(&b));
    b.digits = cj_tensor_data(cj_dataset_x(digits, 0));
    b.samples = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(digits);
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(64, NOISE), &noise));
    fill_with_noise(noise);
    for (int step = 1; step <= steps; step++) {
        CJ_TRY(train_step(&n, &b, losses));
        if (step % REPORT != 0 && step != steps)
            continue;
        const int count = step % REPORT == 0 ? REPORT : step % REPORT;
        printf("Step %d: discriminator loss %.4f, generator loss %.4f\n", step, losses[0] / count,
               losses[1] / count);
        fflush(stdout);
        losses[0] = losses[1] = 0;
        CJ_TRY(save_picture(&n, noise));
    }
    cj_release(n.gan); // it holds the generator and the discriminator
    cj_release(noise);
    cj_release(b.discriminator);
    cj_release(b.gan);
    cj_release(digits);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? atoi(argv[1]) : 100));
}
