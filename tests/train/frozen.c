// What a model trains is fixed when it is compiled: a GAN's two models share a discriminator, which
// the one trains and the other leaves alone, whatever is frozen or thawed afterwards.
#include "problems.h"
#include <string.h>

typedef struct gan {
    cj_model *generator, *discriminator, *combined;
} gan;

static gan make_gan(void)
{
    gan g;
    g.generator = cj_sequential(cj_input(3), cj_dense(4, .activation = "tanh"));
    g.discriminator = cj_sequential(cj_input(4), cj_dense(6, .activation = "relu"),
                                    cj_batch_normalization(), cj_dense(1, .activation = "sigmoid"));
    assert_ok(cj_compile(g.discriminator, .optimizer = cj_adam(.learning_rate = 0.01),
                         .loss = "binary_crossentropy"));
    assert_ok(cj_set_trainable(cj_model_layer(g.discriminator), false));
    cj_symbol *noise = cj_input_symbol(3);
    cj_symbol *verdict =
        cj_apply(cj_model_layer(g.discriminator), cj_apply(cj_model_layer(g.generator), noise));
    g.combined = cj_functional(.inputs = {noise}, .outputs = {verdict});
    assert_ok(cj_compile(g.combined, .optimizer = cj_adam(.learning_rate = 0.01),
                         .loss = "binary_crossentropy"));
    return g;
}

// The combined model took the others over.
static void free_gan(gan *g)
{
    cj_release(g->combined);
}

static cj_dataset *pairs(int64_t columns, float target)
{
    float x[32], y[8];
    for (int i = 0; i < 32; i++)
        x[i] = (float)(i % 7) / 7 - 0.4f;
    for (int i = 0; i < 8; i++)
        y[i] = target;
    return cj_dataset(.x = {problem_tensor(CJ_SHAPE(8, columns), x)},
                      .y = {problem_tensor(CJ_SHAPE(8, 1), y)});
}

// A copy of all variables of a model, to see what changed. Returns the number of values.
static int take(const cj_model *model, float *values)
{
    int count = 0;
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++) {
        const cj_tensor *value = cj_variable_value(cj_layer_variable(cj_model_layer(model), i));
        memcpy(values + count, cj_tensor_data(value),
               (size_t)cj_tensor_count(value) * sizeof(float));
        count += (int)cj_tensor_count(value);
    }
    return count;
}

static bool changed(const cj_model *model, const float *before)
{
    float now[256];
    const int count = take(model, now);
    return memcmp(now, before, (size_t)count * sizeof(float)) != 0;
}

static void each_model_trains_its_own_part(void **state)
{
    (void)state;
    gan g = make_gan();
    cj_dataset *real = pairs(4, 1), *noise = pairs(3, 1);
    for (int thawed = 0; thawed < 2; thawed++) {
        float d[256], n[256];
        assert_ok(cj_set_trainable(cj_model_layer(g.discriminator), thawed == 1));
        take(g.discriminator, d), take(g.generator, n);
        assert_ok(cj_train_on_batch(g.discriminator, real, NULL));
        assert_true(changed(g.discriminator, d));
        assert_false(changed(g.generator, n));
        take(g.discriminator, d), take(g.generator, n);
        assert_ok(cj_train_on_batch(g.combined, noise, NULL));
        assert_false(changed(g.discriminator, d)); // moving averages included
        assert_true(changed(g.generator, n));
    }
    cj_release(real), cj_release(noise);
    free_gan(&g);
}

static void flags_are_as_the_user_left_them(void **state)
{
    (void)state;
    gan g = make_gan();
    cj_dataset *real = pairs(4, 1);
    assert_false(cj_trainable(cj_model_layer(g.discriminator)));
    assert_ok(cj_train_on_batch(g.discriminator, real, NULL));
    assert_false(cj_trainable(cj_model_layer(g.discriminator)));
    cj_release(real);
    free_gan(&g);
}

static void compiling_again_counts(void **state)
{
    (void)state;
    gan g = make_gan();
    cj_dataset *real = pairs(4, 1);
    float d[256];
    assert_ok(cj_compile(g.discriminator, .loss = "binary_crossentropy")); // frozen now
    take(g.discriminator, d);
    assert_ok(cj_train_on_batch(g.discriminator, real, NULL));
    assert_false(changed(g.discriminator, d));
    cj_release(real);
    free_gan(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_model_trains_its_own_part),
        cmocka_unit_test(flags_are_as_the_user_left_them),
        cmocka_unit_test(compiling_again_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
