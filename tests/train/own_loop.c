// A loop of one's own over the weights of a model: gradients by its variables, a loss and an
// optimizer as symbols, one function for the step. It must train, and as cj_fit() does.
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <string.h>

enum { ROWS = 8, IN = 3, OUT = 2, STEPS = 4, WEIGHTS = 4 };

static cj_model *network(void)
{
    // Taken: otherwise it would be the step's, and gone with it.
    cj_model *model =
        cj_take(cj_sequential(cj_input(IN), cj_dense(5, .activation = "tanh"), cj_dense(OUT)));
    assert_non_null(model);
    cj_model_set_seed(model, 7);
    return model;
}

static void data(cj_tensor **x, cj_tensor **y)
{
    float a[ROWS * IN], b[ROWS * OUT];
    for (int i = 0; i < ROWS * IN; i++)
        a[i] = (float)((i * 37) % 11) / 11 - 0.5f;
    for (int i = 0; i < ROWS * OUT; i++)
        b[i] = (float)((i * 23) % 7) / 7 - 0.5f;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(ROWS, IN), a, ROWS * IN, x), CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(ROWS, OUT), b, ROWS * OUT, y), CJ_OK);
}

// A step as a user writes it. What it makes is held by the function.
static cj_function *step_of(cj_model *model, cj_optimizer *optimizer, cj_updates **updates)
{
    cj_symbol *in[2] = {cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, IN), "x"),
                        cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, OUT), "y")};
    cj_symbol *output = cj_apply(cj_model_layer(model), in[0]);
    cj_symbol *loss = cj_take(cj_op_loss("mse", in[1], output));
    cj_variable *variables[WEIGHTS];
    cj_symbol *weights[WEIGHTS], *gradients[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) {
        variables[i] = cj_layer_variable(cj_model_layer(model), i);
        weights[i] = cj_symbol_variable(variables[i]);
    }
    if (!loss || cj_gradients(loss, weights, WEIGHTS, gradients) != CJ_OK)
        fail_msg("%s", cj_error());
    *updates = cj_optimizer_updates(optimizer, variables, gradients, WEIGHTS);
    if (!*updates)
        fail_msg("%s", cj_error());
    cj_function *function = cj_function(.inputs = in, .input_count = 2, .outputs = &loss,
                                        .output_count = 1, .updates = cj_updates_list(*updates),
                                        .update_count = cj_updates_count(*updates));
    if (!function)
        fail_msg("%s", cj_error());
    for (int i = 0; i < WEIGHTS; i++)
        cj_release(weights[i]);
    cj_release(loss);
    return function;
}

static double run(cj_function *function, cj_tensor *x, cj_tensor *y)
{
    cj_tensor *loss = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, (cj_shape){0}, &loss), CJ_OK);
    if (cj_function_call(function, (cj_tensor *[]){x, y}, &loss) != CJ_OK)
        fail_msg("%s", cj_error());
    const double value = (double)*(const float *)cj_tensor_data(loss);
    cj_release(loss);
    return value;
}

static const float *weight(cj_model *model, int index)
{
    return cj_tensor_data(cj_variable_value(cj_layer_variable(cj_model_layer(model), index)));
}

static cj_optimizer *optimizer_of(int kind)
{
    return kind == 0 ? cj_sgd(.learning_rate = 0.1, .momentum = 0.9) :
           kind == 1 ? cj_adam(.learning_rate = 0.05) :
                       cj_rmsprop(.clipvalue = 0.1, .weight_decay = 0.01);
}

static void trains_as_fit_does(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        cj_model *own = network(), *fitted = network();
        cj_tensor *x, *y;
        cj_updates *updates;
        cj_dataset *batch = NULL;
        data(&x, &y);
        cj_function *step = step_of(own, optimizer_of(kind), &updates);
        cj_release(updates); // the function holds what it needs
        double first = run(step, x, y), last = first;
        for (int i = 1; i < STEPS; i++)
            last = run(step, x, y);
        assert_true(last < first);
        batch = cj_dataset(.x = {x}, .y = {y});
        assert_non_null(batch);
        assert_int_equal(cj_compile(fitted, .optimizer = optimizer_of(kind), .loss = "mse"), CJ_OK);
        for (int i = 0; i < STEPS; i++)
            assert_int_equal(cj_train_on_batch(fitted, batch, NULL), CJ_OK);
        for (int w = 0; w < WEIGHTS; w++)
            for (int i = 0; i < (w % 2 ? 1 : 10); i++)
                if (!(fabsf(weight(own, w)[i] - weight(fitted, w)[i]) <= 1e-6f))
                    fail_msg("optimizer %d, weight %d: %.9g, fit has %.9g", kind, w,
                             (double)weight(own, w)[i], (double)weight(fitted, w)[i]);
        cj_release(step), cj_release(batch), cj_release(own), cj_release(fitted);
    }
}

static void the_learning_rate_can_be_changed(void **state)
{
    cj_model *model = network();
    cj_tensor *x, *y, *zero = NULL;
    cj_updates *updates;
    float before[OUT];
    (void)state;
    data(&x, &y);
    cj_function *step = step_of(model, cj_sgd(), &updates);
    assert_int_equal(cj_tensor_new(CJ_F32, (cj_shape){0}, &zero), CJ_OK);
    assert_int_equal(cj_variable_assign(cj_updates_learning_rate(updates), zero), CJ_OK);
    memcpy(before, weight(model, 3), sizeof before);
    run(step, x, y);
    assert_memory_equal(before, weight(model, 3), sizeof before);
    cj_release(updates), cj_release(step), cj_release(model);
    cj_release(x), cj_release(y), cj_release(zero);
}

static void what_does_not_fit_is_refused(void **state)
{
    cj_tensor *value = NULL;
    (void)state;
    cj_error_clear();
    assert_null(cj_op_loss("mzee", cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 2), "t"),
                           cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 2), "p")));
    assert_non_null(strstr(cj_error(), "mzee"));
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2), &value), CJ_OK);
    cj_variable *v = cj_variable_new("v", value);
    cj_symbol *wrong = cj_symbol_input(CJ_F32, CJ_SHAPE(3), "g");
    assert_null(cj_optimizer_updates(cj_sgd(), &v, &wrong, 1));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    cj_error_clear();
    assert_null(cj_optimizer_updates(NULL, &v, NULL, 1));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_updates_count(NULL), 0);
    assert_null(cj_updates_list(NULL));
    assert_null(cj_updates_learning_rate(NULL));
    cj_release(v);
}

// A life of a step with every object floating as far as it goes.
static cj_status whole_life(void *context)
{
    cj_tensor *value = NULL;
    cj_symbol *gradient = NULL;
    (void)context;
    cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(2), &value);
    if (status != CJ_OK)
        return status;
    cj_variable *v = cj_variable_new("v", value);
    cj_symbol *read = cj_take(cj_symbol_variable(v));
    cj_symbol *loss = cj_op_loss("mse", cj_symbol_input(CJ_F32, CJ_SHAPE(2), "t"), read);
    status = cj_gradients(loss, &read, 1, &gradient);
    cj_release(loss);
    cj_updates *updates = NULL;
    if (status == CJ_OK) {
        updates = cj_optimizer_updates(cj_adam(.clipnorm = 1), &v, &gradient, 1);
        status = updates ? CJ_OK : cj_error_status();
    }
    cj_release(updates);
    cj_release(read);
    cj_release(v);
    return status;
}

static void each_failing_allocation_leaks_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(whole_life, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_as_fit_does),
        cmocka_unit_test(the_learning_rate_can_be_changed),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(each_failing_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
