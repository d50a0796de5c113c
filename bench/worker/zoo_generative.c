// The zoo's networks that make images, each with a training step of its own.
#include "zoo.h"

#include <stdlib.h>

// DCGAN -------------------------------------------------------------------------------------------

enum { NOISE = 100 };

static cj_symbol *leaky(cj_symbol *x)
{
    return cj_apply(cj_leaky_relu(0.2), x);
}

static cj_symbol *grown(cj_symbol *x, int filters, int stride)
{
    x = cj_apply(cj_conv2d_transpose(filters, {5, 5}, .strides = {stride, stride},
                                     .padding = "same", .use_bias = false),
                 x);
    return leaky(cj_apply(cj_batch_normalization(), x));
}

// Radford et al. 2016 for images of 28 x 28: a code of 100 numbers becomes 7 x 7 x 128, and grows.
cj_model *zoo_generator(void)
{
    cj_symbol *x = cj_input_symbol(NOISE);
    cj_symbol *y = cj_apply(cj_dense(7 * 7 * 128, .use_bias = false), x);
    y = leaky(cj_apply(cj_batch_normalization(), y));
    y = grown(cj_apply(cj_reshape({7, 7, 128}), y), 64, 1);
    y = cj_apply(cj_conv2d_transpose(1, {5, 5}, .strides = {2, 2}, .padding = "same",
                                     .use_bias = false, .activation = "tanh"),
                 grown(y, 32, 2));
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "generator");
}

static cj_model *discriminator(void)
{
    return cj_sequential(cj_input(28, 28, 1), cj_conv2d(32, {5, 5}, {2, 2}, .padding = "same"),
                         cj_leaky_relu(0.2), cj_dropout(0.3),
                         cj_conv2d(64, {5, 5}, {2, 2}, .padding = "same"), cj_leaky_relu(0.2),
                         cj_dropout(0.3), cj_flatten(), cj_dense(1, .activation = "sigmoid"));
}

cj_status zoo_train_dcgan(workload *w, const network *net)
{
    return make_contest(w, net->make(), discriminator());
}

// A variational autoencoder -----------------------------------------------------------------------

enum { CODE = 16, IMAGE = 28 * 28 };

static cj_model *encoder(void)
{
    cj_symbol *x = cj_input_symbol(28, 28, 1);
    cj_symbol *y =
        cj_apply(cj_conv2d(32, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"), x);
    y = cj_apply(cj_conv2d(64, {3, 3}, {2, 2}, .padding = "same", .activation = "relu"), y);
    y = cj_apply(cj_dense(64, .activation = "relu"), cj_apply(cj_flatten(), y));
    cj_symbol *mean = cj_apply(cj_dense(CODE), y), *log_variance = cj_apply(cj_dense(CODE), y);
    return cj_functional(.inputs = {x}, .outputs = {mean, log_variance}, .name = "encoder");
}

static cj_model *decoder(void)
{
    cj_symbol *x = cj_input_symbol(CODE);
    cj_symbol *y = cj_apply(cj_dense(7 * 7 * 64, .activation = "relu"), x);
    y = cj_apply(cj_reshape({7, 7, 64}), y);
    y = cj_apply(
        cj_conv2d_transpose(64, {3, 3}, .strides = {2, 2}, .padding = "same", .activation = "relu"),
        y);
    y = cj_apply(
        cj_conv2d_transpose(32, {3, 3}, .strides = {2, 2}, .padding = "same", .activation = "relu"),
        y);
    y = cj_apply(cj_conv2d_transpose(1, {3, 3}, .padding = "same", .activation = "sigmoid"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "decoder");
}

// Kingma and Welling 2014. To predict, an image goes through the mean of its code.
cj_model *zoo_vae(void)
{
    cj_symbol *x = cj_input_symbol(28, 28, 1, .dtype = "uint8"), *codes[2];
    cj_symbol *scaled = cj_apply(cj_rescaling(1.0 / 255), x);
    if (cj_apply_many(cj_model_layer(encoder()), &scaled, 1, codes, 2) != CJ_OK)
        return NULL;
    cj_symbol *y = cj_apply(cj_model_layer(decoder()), codes[0]);
    return cj_functional(.inputs = {x}, .outputs = {y, codes[1]}, .name = "vae");
}

static cj_symbol *scalar(double value)
{
    return cj_symbol_scalar(CJ_F32, value);
}

// The mean over the batch of what the image lost, sum of -(x log y + (1 - x) log(1 - y)), and of how
// far the codes are from normal ones, -1/2 sum of 1 + log_variance - mean^2 - variance. The code that
// is decoded is mean + sqrt(variance) * noise.
static cj_symbol *vae_loss(cj_model *model, cj_symbol *bytes, cj_symbol *noise, int64_t batch)
{
    cj_symbol *code[2];
    cj_symbol *x = cj_op_multiply(cj_op_cast(bytes, CJ_F32), scalar(1.0 / 255));
    if (cj_apply_many(cj_model_find_layer(model, "encoder"), &x, 1, code, 2) != CJ_OK)
        return NULL;
    cj_symbol *deviation = cj_op_exp(cj_op_multiply(code[1], scalar(0.5)));
    cj_symbol *z = cj_op_add(code[0], cj_op_multiply(deviation, noise));
    cj_symbol *y = cj_apply(cj_model_find_layer(model, "decoder"), z);
    cj_symbol *lost = cj_op_multiply(cj_op_loss("binary_crossentropy", x, y), scalar(IMAGE));
    cj_symbol *far = cj_op_subtract(cj_op_add(cj_op_square(code[0]), cj_op_exp(code[1])),
                                    cj_op_add(code[1], scalar(1)));
    return cj_op_add(lost,
                     cj_op_multiply(cj_op_reduce_sum(far, NULL, 0), scalar(0.5 / (double)batch)));
}

// A function of images and noise that gives the loss and steps all weights by Adam.
static cj_status make_step(workload *w, cj_symbol *const *inputs, cj_symbol *loss)
{
    enum { MOST = 32 };
    const cj_layer *layer = cj_model_layer(w->model);
    const int count = cj_layer_variable_count(layer);
    cj_variable *variables[MOST];
    cj_symbol *weights[MOST], *gradients[MOST];
    if (!loss || count > MOST)
        return loss ? CJ_UNSUPPORTED : cj_error_status();
    for (int i = 0; i < count; i++) {
        variables[i] = cj_layer_variable(layer, i);
        weights[i] = cj_symbol_variable(variables[i]);
    }
    CJ_TRY(cj_gradients(loss, weights, count, gradients));
    cj_updates *updates = cj_optimizer_updates(cj_adam(), variables, gradients, count);
    w->function = cj_function(.inputs = inputs, .input_count = 2, .outputs = &loss,
                              .output_count = 1, .updates = cj_updates_list(updates),
                              .update_count = cj_updates_count(updates), .pool = w->pool);
    for (int i = 0; i < count; i++)
        cj_release(weights[i]);
    cj_release(updates);
    return w->function ? CJ_OK : cj_error_status();
}

static cj_status call_step(workload *w, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++)
        CJ_TRY(cj_function_call(w->function, w->inputs, &w->output));
    return CJ_OK;
}

// The images and the noise of a batch are drawn once.
cj_status zoo_train_vae(workload *w, const network *net)
{
    cj_symbol *inputs[2] = {cj_symbol_input(CJ_U8, CJ_SHAPE(CJ_BATCH, 28, 28, 1), "images"),
                            cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, CODE), "noise")};
    if ((w->model = net->make()) == NULL)
        return cj_error_status();
    cj_symbol *loss = cj_take(vae_loss(w->model, inputs[0], inputs[1], w->batch));
    const cj_status status = make_step(w, inputs, loss);
    cj_release(loss);
    CJ_TRY(status);
    CJ_TRY(random_tensor(CJ_U8, CJ_SHAPE(w->batch, 28, 28, 1), 256, 1, &w->inputs[0]));
    CJ_TRY(random_tensor(CJ_F32, CJ_SHAPE(w->batch, CODE), 0, 2, &w->inputs[1]));
    w->run = call_step;
    return cj_tensor_new(CJ_F32, (cj_shape){0}, &w->output);
}
