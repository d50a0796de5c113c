// The networks that are measured.
#include "workload.h"

#include <string.h>

static cj_layer *pixels(void)
{
    return cj_input(28, 28, 1, .dtype = "uint8");
}

static cj_model *w1(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

// Weights beyond every cache: what the optimizer's step costs.
static cj_model *wide(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_flatten(),
                         cj_dense(2048, .activation = "relu"), cj_dense(2048, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static cj_model *w2(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255),
                         cj_conv2d(10, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(20, {5, 5}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(50, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

static cj_model *w3(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255),
                         cj_conv2d(32, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_conv2d(64, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                         cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(10, .activation = "softmax"));
}

// An image as a sequence of 28 rows of 28 pixels.
static cj_model *rnn(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_reshape({28, 28}),
                         cj_simple_rnn(128), cj_dense(10, .activation = "softmax"));
}

// As VGG: pairs of padded convolutions, each normalized before its ReLU, and a pool.
static cj_model *vgg(void)
{
    return cj_sequential(
        pixels(), cj_rescaling(1.0 / 255), cj_conv2d(16, {3, 3}, .padding = "same"),
        cj_batch_normalization(), cj_activation("relu"), cj_conv2d(16, {3, 3}, .padding = "same"),
        cj_batch_normalization(), cj_activation("relu"), cj_max_pooling2d({2, 2}),
        cj_conv2d(32, {3, 3}, .padding = "same"), cj_batch_normalization(), cj_activation("relu"),
        cj_max_pooling2d({2, 2}), cj_conv2d(64, {3, 3}, .padding = "same"),
        cj_batch_normalization(), cj_activation("relu"), cj_max_pooling2d({2, 2}), cj_flatten(),
        cj_dropout(0.5), cj_dense(10, .activation = "softmax"));
}

// As an adversarial network's discriminator.
static cj_model *leaky(void)
{
    return cj_sequential(pixels(), cj_rescaling(1.0 / 255), cj_flatten(), cj_dense(512),
                         cj_leaky_relu(0.2), cj_dense(256), cj_leaky_relu(0.2),
                         cj_dense(10, .activation = "softmax"));
}

#define DIGITS                           \
    {                                    \
        .rank = 3, .dims = { 28, 28, 1 } \
    }
static const network nets[] = {
    {.name = "w1", .make = w1, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "w2", .make = w2, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "w3", .make = w3, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "wide", .make = wide, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "rnn", .make = rnn, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "vgg", .make = vgg, .sample = DIGITS, .classes = 10, .batch = 32},
    {.name = "leaky", .make = leaky, .sample = DIGITS, .classes = 10, .batch = 32},
};

static const network *find_in(const network *rows, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(name, rows[i].name) == 0)
            return &rows[i];
    }
    return NULL;
}

const network *find_net(const settings *s, const char **why)
{
    const char *name = setting_text(s, "net", "w3");
    const network *found = find_in(nets, sizeof nets / sizeof *nets, name);
    if (!found)
        found = find_in(zoo, zoo_count, name);
    if (!found)
        *why = "no such network: see the rows of networks.c and zoo.c, or, to train, gan";
    return found;
}

cj_model *make_net(const network *net, const settings *s)
{
    cj_model *model = net->make();
    const char *policy = setting_text(s, "dtype", "float32");
    if (model && cj_set_dtype_policy(cj_model_layer(model), policy) == CJ_OK)
        return model;
    cj_release(model);
    return NULL;
}

// The adversarial network -------------------------------------------------------------------------

enum { NOISE = 100, PIXELS = 28 * 28 };

static cj_status make_adversaries(adversaries *a, cj_pool *pool)
{
    a->generator = cj_sequential(cj_input(NOISE), cj_dense(256, .activation = "relu"),
                                 cj_dense(PIXELS, .activation = "sigmoid"), cj_reshape({28, 28}));
    a->discriminator =
        cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                      cj_dense(1, .activation = "sigmoid"));
    CJ_TRY(cj_compile(a->discriminator, .optimizer = cj_adam(), .loss = "binary_crossentropy",
                      .pool = pool));
    CJ_TRY(cj_set_trainable(cj_model_layer(a->discriminator), false));
    cj_symbol *noise = cj_input_symbol(NOISE);
    cj_symbol *images = cj_apply(cj_model_layer(a->generator), noise);
    a->both = cj_functional(.inputs = {noise},
                            .outputs = {cj_apply(cj_model_layer(a->discriminator), images)});
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
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(batch, NOISE), &a->noise));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * batch, 28, 28), &a->images));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(2 * batch, 1), &real));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(batch, 1), &wanted));
    for (int64_t i = 0; i < batch * NOISE; i++)
        ((float *)cj_tensor_data(a->noise))[i] = (float)(i * 7919 % 2000) / 1000 - 1;
    for (int64_t i = 0; i < batch * PIXELS; i++)
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
    for (int64_t i = 0; i < steps; i++) {
        cj_tensor *made = NULL;
        CJ_TRY(cj_predict(a->generator, a->noise, &made, .batch_size = w->batch));
        const size_t half = (size_t)w->batch * PIXELS;
        memcpy((float *)cj_tensor_data(a->images) + half, cj_tensor_data(made),
               half * sizeof(float));
        cj_release(made);
        CJ_TRY(cj_train_on_batch(a->discriminator, a->judged, NULL));
        CJ_TRY(cj_train_on_batch(a->both, a->made, NULL));
    }
    return CJ_OK;
}

cj_status make_gan(workload *w, const settings *s, const char **why)
{
    (void)why;
    w->batch = setting(s, "batch", 64);
    w->run = contest;
    CJ_TRY(make_adversaries(&w->gan, w->pool));
    return make_batches(&w->gan, w->batch);
}

void gan_free(adversaries *gan)
{
    cj_release(gan->both);
    cj_release(gan->judged);
    cj_release(gan->made);
    *gan = (adversaries){0};
}
