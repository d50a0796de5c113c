// A step of a generative adversarial network, as examples/adversarial.c does it: the generator makes
// images, the discriminator learns to tell them from real ones, then the generator learns from the
// discriminator, which is frozen.
#include "workload.h"

#include <string.h>

static cj_status make_adversaries(adversaries *a, cj_pool *pool)
{
    cj_layer *judge = cj_model_layer(a->discriminator), *maker = cj_model_layer(a->generator);
    CJ_TRY(cj_compile(a->discriminator, .optimizer = cj_adam(), .loss = "binary_crossentropy",
                      .pool = pool));
    CJ_TRY(cj_set_trainable(judge, false));
    cj_symbol *noise = cj_input_symbol(cj_model_input_shape(a->generator, 0)->dims[1]);
    a->both =
        cj_functional(.inputs = {noise}, .outputs = {cj_apply(judge, cj_apply(maker, noise))});
    CJ_TRY(
        cj_compile(a->both, .optimizer = cj_adam(), .loss = "binary_crossentropy", .pool = pool));
    // for its pool alone
    return cj_compile(a->generator, .optimizer = cj_adam(), .loss = "mse", .pool = pool);
}

// Half of the images are real (they stay), half are made anew at each step. The noise is drawn
// once.
static cj_status make_batches(adversaries *a, int64_t batch)
{
    cj_tensor *real = NULL, *wanted = NULL;
    cj_shape noise = *cj_model_input_shape(a->generator, 0);
    cj_shape images = *cj_model_output_shape(a->generator, 0);
    noise.dims[0] = batch;
    images.dims[0] = 2 * batch;
    CJ_TRY(cj_tensor_new(CJ_F32, noise, &a->noise));
    CJ_TRY(cj_tensor_new(CJ_F32, images, &a->images));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * batch, 1), &real));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(batch, 1), &wanted));
    for (int64_t i = 0; i < cj_tensor_count(a->noise); i++)
        ((float *)cj_tensor_data(a->noise))[i] = (float)(i * 7919 % 2000) / 1000 - 1;
    for (int64_t i = 0; i < cj_tensor_count(a->images) / 2; i++)
        ((float *)cj_tensor_data(a->images))[i] = (float)(i * 7919 % 256) / 255;
    for (int64_t i = 0; i < batch; i++)
        ((float *)cj_tensor_data(real))[i] = 1;
    cj_tensor_fill(wanted, 1);
    a->judged = cj_dataset(.x = {a->images}, .y = {real});
    a->made = cj_dataset(.x = {a->noise}, .y = {wanted});
    return a->judged && a->made ? CJ_OK : cj_error_status();
}

static cj_status contest(workload *w, int64_t steps)
{
    const adversaries *a = &w->gan;
    const size_t half = (size_t)cj_tensor_count(a->images) / 2;
    for (int64_t i = 0; i < steps; i++) {
        cj_tensor *made = NULL;
        CJ_TRY(cj_predict(a->generator, a->noise, &made, .batch_size = w->batch));
        memcpy((float *)cj_tensor_data(a->images) + half, cj_tensor_data(made),
               half * sizeof(float));
        cj_release(made);
        CJ_TRY(cj_train_on_batch(a->discriminator, a->judged, NULL));
        CJ_TRY(cj_train_on_batch(a->both, a->made, NULL));
    }
    return CJ_OK;
}

cj_status make_contest(workload *w, cj_model *generator, cj_model *discriminator)
{
    w->gan = (adversaries){.generator = generator, .discriminator = discriminator};
    w->run = contest;
    if (!generator || !discriminator)
        return cj_error_status();
    CJ_TRY(make_adversaries(&w->gan, w->pool));
    return make_batches(&w->gan, w->batch);
}

void gan_free(adversaries *gan)
{
    if (gan->both) {
        cj_release(gan->both); // and with it the first two
    } else {
        cj_release(gan->generator);
        cj_release(gan->discriminator);
    }
    cj_release(gan->judged);
    cj_release(gan->made);
    *gan = (adversaries){0};
}
