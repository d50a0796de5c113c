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

// The tutorial's adversarial network: see examples/adversarial.c.
static cj_model *generator(void)
{
    return cj_sequential(cj_input(100), cj_dense(256, .activation = "relu"),
                         cj_dense(28 * 28, .activation = "sigmoid"), cj_reshape({28, 28}));
}

static cj_model *discriminator(void)
{
    return cj_sequential(cj_input(28, 28), cj_flatten(), cj_dense(128, .activation = "relu"),
                         cj_dense(1, .activation = "sigmoid"));
}

static cj_status train_gan(workload *w, const network *net)
{
    return make_contest(w, net->make(), discriminator());
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
    {.name = "gan",
     .make = generator,
     .sample = {.rank = 1, .dims = {100}},
     .content = REALS,
     .batch = 64,
     .train = train_gan},
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
        *why = "no such network: see the rows of networks.c and zoo.c";
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
