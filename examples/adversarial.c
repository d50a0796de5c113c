// The tutorial's fourth network (chapter 3): a generative adversarial network. One network, the
// generator, makes images from noise; another, the discriminator, tells real digits from made ones;
// each learns against the other.
//
//     adversarial [EPOCHS [CLASSIFIER]]
//
// After each epoch there is a picture, adversarial-01.png and so on, of 64 digits that nobody ever
// wrote. With the file of a classifier (convolution_deep saves one) it says at the end which digits
// ten thousand of them look like.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>

enum { BATCH = 64, NOISE = 100, PIXELS = 28 * 28 };

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

// The three networks ------------------------------------------------------------------------------

typedef struct networks {
    cj_model *generator, *discriminator, *gan;
} networks;

static cj_status make_networks(networks *n)
{
    // The generator: 100 random numbers become an image.
    n->generator = cj_sequential(cj_input(NOISE), cj_dense(256, .activation = "relu"),
                                 cj_dense(784, .activation = "sigmoid"), cj_reshape({28, 28}));

    // The discriminator: an image becomes the probability that it is real.
    n->discriminator =
        cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                      cj_dense(1, .activation = "sigmoid"));
    CJ_TRY(cj_compile(n->discriminator, .optimizer = cj_adam(), .loss = "binary_crossentropy"));

    // Both in a row: training this one changes the generator only, because the discriminator is
    // frozen in it. On its own the discriminator goes on learning: what counts is what was
    // trainable when a model was compiled. (So there is no need to thaw and freeze it at every
    // step, as the Keras script does.)
    CJ_TRY(cj_set_trainable(cj_model_layer(n->discriminator), false));
    cj_symbol *gan_input = cj_input_symbol(NOISE);
    cj_symbol *x = cj_apply(cj_model_layer(n->generator), gan_input);
    cj_symbol *gan_output = cj_apply(cj_model_layer(n->discriminator), x);
    n->gan = cj_functional(.inputs = {gan_input}, .outputs = {gan_output});
    return cj_compile(n->gan, .optimizer = cj_adam(), .loss = "binary_crossentropy");
}

// Training ----------------------------------------------------------------------------------------

// The batches, made once and filled anew at each step.
typedef struct batches {
    // (64, 100), and (128, 28, 28): 64 real images, then 64 made ones
    cj_tensor *noise, *x;
    // x with 1 for real and 0 for made; noise with 1: "take these for real!"
    cj_dataset *discriminator, *gan;
} batches;

static cj_status make_batches(batches *b)
{
    cj_tensor *y_dis, *y_gen;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, NOISE), &b->noise));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * BATCH, 28, 28), &b->x));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * BATCH, 1), &y_dis));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(BATCH, 1), &y_gen));
    for (int i = 0; i < BATCH; i++)
        ((float *)cj_tensor_data(y_dis))[i] = 1;
    cj_tensor_fill(y_gen, 1);
    b->discriminator = cj_dataset(.x = {b->x}, .y = {y_dis});
    b->gan = cj_dataset(.x = {b->noise}, .y = {y_gen});
    return b->discriminator && b->gan ? CJ_OK : cj_error_status();
}

static cj_status train_step(const networks *n, const batches *b, cj_dataset *digits,
                            double losses[2])
{
    cj_results *results = NULL;
    float *x = cj_tensor_data(b->x);
    const uint8_t *images = cj_tensor_data(cj_dataset_x(digits, 0));

    // Train the discriminator on 64 real images, scaled to 0..1, ...
    for (int i = 0; i < BATCH; i++) {
        int64_t chosen = (int64_t)(uniform() * (double)cj_dataset_count(digits));
        for (int j = 0; j < PIXELS; j++)
            x[i * PIXELS + j] = (float)images[chosen * PIXELS + j] / 255;
    }
    // ... and 64 made ones.
    cj_tensor *made;
    fill_with_noise(b->noise);
    CJ_TRY(cj_predict(n->generator, b->noise, &made, .batch_size = BATCH));
    for (int j = 0; j < BATCH * PIXELS; j++)
        x[BATCH * PIXELS + j] = ((const float *)cj_tensor_data(made))[j];
    cj_release(made);
    CJ_TRY(cj_train_on_batch(n->discriminator, b->discriminator, &results));
    losses[0] += cj_results_value(results, "loss");
    cj_release(results);

    // Train the generator to be taken for real.
    fill_with_noise(b->noise);
    CJ_TRY(cj_train_on_batch(n->gan, b->gan, &results));
    losses[1] += cj_results_value(results, "loss");
    cj_release(results);
    return CJ_OK;
}

// Looking -----------------------------------------------------------------------------------------

// The same noise each time, so that one can watch each digit grow.
static cj_status save_picture(const networks *n, cj_tensor *noise, int epoch)
{
    char path[64];
    cj_tensor *made, *images, *picture;
    snprintf(path, sizeof(path), "adversarial-%02d.png", epoch);
    CJ_TRY(cj_predict(n->generator, noise, &made));
    CJ_TRY(cj_tensor_reshape(made, CJ_SHAPE(64, 28, 28, 1), &images));
    CJ_TRY(cj_image_grid(images, 8, &picture));
    CJ_TRY(cj_save_png(picture, path));
    cj_release(picture);
    cj_release(images);
    cj_release(made);
    return CJ_OK;
}

// A good generator makes all ten digits. Ten thousand of its images, as a classifier of pixels from
// 0 to 255 reads them.
static cj_status judge(const networks *n, const char *path)
{
    enum { COUNT = 10000, DIGITS = 10 };
    int found[DIGITS] = {0};
    cj_tensor *noise, *made, *images, *answers;
    cj_model *classifier = cj_load(path);
    CJ_TRY(classifier ? CJ_OK : cj_error_status());
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(COUNT, NOISE), &noise));
    fill_with_noise(noise);
    CJ_TRY(cj_predict(n->generator, noise, &made, .batch_size = 256));
    for (int64_t i = 0; i < COUNT * PIXELS; i++)
        ((float *)cj_tensor_data(made))[i] *= 255;
    CJ_TRY(cj_tensor_reshape(made, CJ_SHAPE(COUNT, 28, 28, 1), &images));
    CJ_TRY(cj_predict(classifier, images, &answers, .batch_size = 256));
    for (int64_t i = 0; i < COUNT; i++) {
        const float *p = (const float *)cj_tensor_data(answers) + i * DIGITS;
        int best = 0;
        for (int digit = 1; digit < DIGITS; digit++)
            best = p[digit] > p[best] ? digit : best;
        found[best]++;
    }
    printf("Of %d made images, so many look like each digit:\n", COUNT);
    for (int digit = 0; digit < DIGITS; digit++)
        printf("  %d %6.2f %%\n", digit, 100.0 * found[digit] / COUNT);
    cj_release(answers);
    cj_release(images);
    cj_release(made);
    cj_release(noise);
    cj_release(classifier);
    return CJ_OK;
}

static cj_status run(int epochs, const char *classifier)
{
    // (x_train, _), (_, _) = mnist.load_data()
    cj_dataset *train, *test;
    CJ_TRY(cj_load_dataset("auto", &train, &test));
    // for a quick look: so many samples an epoch
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES");
    int64_t samples = limit ? strtoll(limit, NULL, 10) : cj_dataset_count(train);

    networks n;
    batches b;
    cj_tensor *noise;
    CJ_TRY(make_networks(&n));
    CJ_TRY(make_batches(&b));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(64, NOISE), &noise));
    fill_with_noise(noise);

    for (int epoch = 1; epoch <= epochs; epoch++) {
        double losses[2] = {0, 0};
        for (int64_t step = 0; step < samples / BATCH; step++)
            CJ_TRY(train_step(&n, &b, train, losses));
        CJ_TRY(save_picture(&n, noise, epoch));
        printf("Epoch %d completed - discriminator loss: %.4f - generator loss: %.4f\n", epoch,
               losses[0] / (double)(samples / BATCH), losses[1] / (double)(samples / BATCH));
        fflush(stdout);
    }
    if (classifier)
        CJ_TRY(judge(&n, classifier));

    cj_release(n.gan); // it holds the generator and the discriminator
    cj_release(noise);
    cj_release(b.discriminator);
    cj_release(b.gan);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? atoi(argv[1]) : 5, argc > 2 ? argv[2] : NULL));
}
