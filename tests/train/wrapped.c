// Regularizers and constraints of layers inside other layers count as those of plain layers: within
// TimeDistributed, Bidirectional, RNN over a cell, and a nested model.
#include "problems.h"
#include <math.h>
#include <string.h>

static cj_dataset *sequences(void)
{
    float x[72], y[12];
    for (int i = 0; i < 72; i++)
        x[i] = (float)(i * 7 % 11) / 11 - 0.5f;
    for (int i = 0; i < 12; i++)
        y[i] = (float)(i * 5 % 7) / 7;
    return cj_dataset(.x = {problem_tensor(CJ_SHAPE(6, 4, 3), x)},
                      .y = {problem_tensor(CJ_SHAPE(6, 2), y)});
}

static const cj_tensor *value_of(const cj_model *model, const char *name, int nth)
{
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(model)); i++) {
        const cj_variable *variable = cj_layer_variable(cj_model_layer(model), i);
        const char *slash = strrchr(cj_variable_name(variable), '/');
        if (slash && strcmp(slash + 1, name) == 0 && nth-- == 0)
            return cj_variable_value(variable);
    }
    fail_msg("no weight %s", name);
    return NULL;
}

static double square_sum(const cj_tensor *w)
{
    double sum = 0;
    const float *values = cj_tensor_data((cj_tensor *)(uintptr_t)w);
    for (int64_t i = 0; i < cj_tensor_count(w); i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}

static double loss_of(cj_model *model, cj_dataset *data)
{
    cj_results *results = NULL;
    assert_ok(cj_evaluate(model, data, &results));
    const double loss = cj_results_value(results, "loss");
    cj_release(results);
    return loss;
}

// The loss with a regularizer, less that of the same model without it: 0.1 times the squares.
static void assert_penalized(cj_model *plain, cj_model *penalized, const char *name, int count)
{
    cj_dataset *data = sequences();
    double expected = 0;
    assert_ok(cj_compile(plain, .loss = "mse"));
    assert_ok(cj_compile(penalized, .loss = "mse"));
    assert_true(problem_same_weights(plain, penalized));
    for (int i = 0; i < count; i++)
        expected += 0.1 * square_sum(value_of(plain, name, i));
    assert_near(loss_of(penalized, data) - loss_of(plain, data), expected, 1e-6, 1e-5);
    cj_release(data), cj_release(plain), cj_release(penalized);
}

static cj_model *distributed(const char *regularizer, const char *constraint)
{
    return cj_sequential(cj_input(4, 3),
                         cj_time_distributed(cj_dense(5, .kernel_regularizer = regularizer,
                                                      .kernel_constraint = constraint)),
                         cj_flatten(), cj_dense(2, .name = "last"));
}

static cj_model *both_ways(const char *regularizer, const char *constraint)
{
    return cj_sequential(cj_input(4, 3),
                         cj_bidirectional(cj_lstm(4, .recurrent_regularizer = regularizer,
                                                  .recurrent_constraint = constraint)),
                         cj_dense(2, .name = "last"));
}

static cj_model *of_cell(const char *regularizer, const char *constraint)
{
    return cj_sequential(cj_input(4, 3),
                         cj_rnn(cj_gru_cell(4, .recurrent_regularizer = regularizer,
                                            .recurrent_constraint = constraint)),
                         cj_dense(2, .name = "last"));
}

static cj_model *nested(const char *regularizer, const char *constraint)
{
    cj_model *inner = cj_sequential(
        cj_dense(5, .kernel_regularizer = regularizer, .kernel_constraint = constraint));
    return cj_sequential(cj_input(4, 3), cj_flatten(), cj_model_layer(inner),
                         cj_dense(2, .name = "last"));
}

static const struct {
    cj_model *(*make)(const char *regularizer, const char *constraint);
    const char *weight;
    int count;
} kinds[] = {{distributed, "kernel", 1},
             {both_ways, "recurrent_kernel", 2},
             {of_cell, "recurrent_kernel", 1},
             {nested, "kernel", 1}};

static void regularizers_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_penalized(kinds[i].make(NULL, NULL), kinds[i].make("l2(0.1)", NULL), kinds[i].weight,
                         kinds[i].count);
}

static void constraints_hold_after_each_step(void **state)
{
    (void)state;
    cj_dataset *data = sequences();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        cj_model *model = kinds[i].make(NULL, "max_norm(0.25)");
        assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 1), .loss = "mse"));
        assert_ok(cj_fit(model, data, .epochs = 2));
        for (int n = 0; n < kinds[i].count; n++) {
            const cj_tensor *w = value_of(model, kinds[i].weight, n);
            const float *values = cj_tensor_data((cj_tensor *)(uintptr_t)w);
            const int64_t rows = cj_tensor_shape(w)->dims[0], columns = cj_tensor_shape(w)->dims[1];
            double largest = 0;
            for (int64_t c = 0; c < columns; c++) {
                double sum = 0;
                for (int64_t r = 0; r < rows; r++)
                    sum += pow((double)values[r * columns + c], 2);
                largest = fmax(largest, sqrt(sum));
            }
            assert_true(largest < 0.25 + 1e-5 && largest > 0.2);
        }
        cj_release(model);
    }
    cj_release(data);
}

// What a file brings back trains in the same way.
static void they_come_back_from_a_file(void **state)
{
    (void)state;
    cj_dataset *data = sequences();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        void *bytes = NULL;
        size_t size = 0;
        cj_model *model = kinds[i].make("l2(0.1)", "max_norm(0.25)");
        assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse"));
        assert_ok(cj_save_memory(model, &bytes, &size));
        cj_model *loaded = cj_load_memory(bytes, size);
        assert_non_null(loaded);
        assert_ok(cj_fit(model, data, .epochs = 2));
        assert_ok(cj_fit(loaded, data, .epochs = 2));
        assert_true(problem_same_weights(model, loaded));
        cj_free(bytes), cj_release(model), cj_release(loaded);
    }
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regularizers_count),
        cmocka_unit_test(constraints_hold_after_each_step),
        cmocka_unit_test(they_come_back_from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
