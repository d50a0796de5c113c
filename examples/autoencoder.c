// An autoencoder: one network squeezes a digit into 32 numbers, another makes the digit of them
// again. Nobody says what the numbers mean; they have to be worth remembering. For real:
// `autoencoder`; it leaves autoencoder.png, with eight digits above and what came back below.
#include <cajal.h>
#include <stdlib.h>

enum { BATCH = 128, CODE = 32, SHOWN = 8 };

// The encoder halves height and width twice; the decoder doubles them twice by transposed
// convolutions. Both are models, and together they are one.
static cj_model *make_model(void)
{
    cj_model *encoder = cj_sequential(
        cj_input(28, 28, 1), cj_conv2d(16, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
        cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"), cj_flatten(),
        cj_dense(CODE));
    cj_model *decoder = cj_sequential(
        cj_input(CODE), cj_dense(7 * 7 * 32, .activation = "relu"), cj_reshape({7, 7, 32}),
        cj_conv2d_transpose(16, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"),
        cj_conv2d_transpose(1, {3, 3}, {2, 2}, .padding = "same", .activation = "sigmoid"));
    return cj_sequential(cj_input(28, 28, 1), cj_model_layer(encoder), cj_model_layer(decoder));
}

// Images as floats from 0 to 1: what goes in and what should come out.
static cj_status scaled(const cj_dataset *digits, int64_t count, cj_tensor **images)
{
    const uint8_t *bytes = cj_tensor_data(cj_dataset_x(digits, 0));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, 28, 28, 1), images));
    float *pixel = cj_tensor_data(*images);
    for (int64_t i = 0; i < count * 28 * 28; i++)
        pixel[i] = (float)bytes[i] / 255;
    return CJ_OK;
}

static cj_status show(cj_model *model, const cj_dataset *test)
{
    cj_tensor *given, *back, *both, *picture;
    CJ_TRY(scaled(test, SHOWN, &given));
    CJ_TRY(cj_predict(model, given, &back));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * SHOWN, 28, 28, 1), &both));
    float *pixel = cj_tensor_data(both);
    const float *first = cj_tensor_data(given), *second = cj_tensor_data(back);
    for (int i = 0; i < SHOWN * 28 * 28; i++) {
        pixel[i] = first[i];
        pixel[SHOWN * 28 * 28 + i] = second[i];
    }
    CJ_TRY(cj_image_grid(both, SHOWN, &picture));
    CJ_TRY(cj_save_png(picture, "autoencoder.png"));
    cj_release(picture);
    cj_release(both);
    cj_release(back);
    cj_release(given);
    return CJ_OK;
}

static cj_status run(void)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look: so many samples
    cj_dataset *train, *test;
    cj_tensor *images;
    CJ_TRY(cj_load_dataset("auto", &train, &test));
    CJ_TRY(scaled(train, limit ? strtoll(limit, NULL, 10) : cj_dataset_count(train), &images));
    cj_dataset *pairs = cj_dataset(.x = {images}, .y = {images});

    cj_model *model = make_model();
    CJ_TRY(cj_model_summary(model, stdout, .expand_nested = true));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "mean_squared_error"));
    CJ_TRY(cj_fit(model, pairs, .epochs = 5, .batch_size = BATCH, .verbose = CJ_BAR));
    CJ_TRY(show(model, test));
    cj_release(model);
    cj_release(pairs);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(void)
{
    return cj_report(run());
}
