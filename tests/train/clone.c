// cj_clone() and cj_copy_weights(): what is shared stays shared, what is compiled is compiled alike, and
// the two models have nothing in common.
#include "problems.h"
#include <cajal/clone.h>
#include <string.h>

// A class of the program's own: x times a weight.
static cj_status build_gain(cj_layer *layer, const void *settings, const cj_shape *inputs,
                            int count)
{
    (void)settings, (void)count;
    return cj_add_weight(layer, "gain", CJ_SHAPE(inputs[0].dims[1]), "glorot_uniform", NULL, true);
}

static cj_symbol *call_gain(const cj_layer_call *call)
{
    return cj_op_multiply(call->inputs[0], call->weights[0]);
}

static const cj_custom_layer_class gain =
    CJ_CUSTOM_LAYER("CloneGain", .build = build_gain, .call = call_gain);

// Two towers through one shared layer and one shared inner model, operators, a constant, a layer of the
// program's own, two outputs.
static cj_model *towers(void)
{
    cj_symbol *a = cj_input_symbol(4, .name = "a"), *b = cj_input_symbol(4, .name = "b");
    cj_layer *shared = cj_dense(5, .activation = "tanh", .name = "shared");
    cj_model *inner = cj_sequential(cj_dense(3, .activation = "relu"), cj_batch_normalization(),
                                    cj_dropout(0.25));
    cj_symbol *x = cj_apply(shared, a), *y = cj_apply(shared, b);
    cj_symbol *p = cj_apply(cj_model_layer(inner), x), *q = cj_apply(cj_model_layer(inner), y);
    cj_tensor *half = problem_tensor(CJ_SHAPE(1), (float[]){0.5f});
    cj_symbol *sum = cj_op_multiply(cj_op_add(p, q), cj_symbol_constant(half));
    cj_symbol *left =
        cj_apply(cj_dense(2, .name = "left"), cj_apply(cj_custom_layer(&gain, NULL, NULL), sum));
    cj_symbol *right = cj_apply(cj_dense(1, .name = "right"), q);
    cj_model *model = cj_functional(.inputs = {a, b}, .outputs = {left, right});
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static cj_dataset *tower_data(void)
{
    float a[32], b[32], y[16], z[8];
    for (int i = 0; i < 32; i++) {
        a[i] = (float)(i * 7 % 11) / 11 - 0.5f;
        b[i] = (float)(i * 5 % 13) / 13 - 0.5f;
    }
    for (int i = 0; i < 16; i++)
        y[i] = a[i] + b[i];
    for (int i = 0; i < 8; i++)
        z[i] = a[i] - b[i];
    return cj_dataset(.x = {problem_tensor(CJ_SHAPE(8, 4), a), problem_tensor(CJ_SHAPE(8, 4), b)},
                      .y = {problem_tensor(CJ_SHAPE(8, 2), y), problem_tensor(CJ_SHAPE(8, 1), z)});
}

static void train(cj_model *model, cj_dataset *data)
{
    assert_ok(cj_fit(model, data, .epochs = 3, .batch_size = 4));
}

static void shared_layers_stay_shared(void **state)
{
    (void)state;
    cj_model *model = towers(), *made = cj_clone(model);
    assert_non_null(made);
    assert_int_equal(cj_model_layer_count(made), cj_model_layer_count(model));
    for (int i = 0; i < cj_model_layer_count(model); i++) {
        const cj_layer *old = cj_model_layer_at(model, i), *new = cj_model_layer_at(made, i);
        assert_ptr_not_equal(old, new);
        assert_string_equal(cj_layer_name(old), cj_layer_name(new));
        assert_string_equal(cj_layer_class(old), cj_layer_class(new));
    }
    // shared 2, inner 2 + 4, gain 1, left 2, right 2
    assert_int_equal(cj_layer_variable_count(cj_model_layer(made)), 13);
    assert_true(problem_same_weights(model, made));
    cj_release(model);
    cj_release(made);
}

static void a_clone_outlives_the_model_and_trains_to_the_same_bits(void **state)
{
    (void)state;
    cj_dataset *data = tower_data();
    cj_model *model = towers();
    assert_ok(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.01), .loss = "mse",
                         .loss_weights = {1, 0.5}, .metrics = {"mae"}));
    cj_model *made = cj_clone(model, .compile = true);
    assert_non_null(made);
    train(model, data);
    assert_false(problem_same_weights(model, made));
    cj_model *late = cj_clone(model, .compile = true); // the weights and the optimizer begin anew
    cj_model *same = cj_clone(model, .weights = true);
    assert_true(problem_same_weights(model, same));
    train(made, data);
    assert_true(problem_same_weights(model, made));
    cj_release(model);
    assert_non_null(late);
    train(late, data);
    assert_true(problem_same_weights(late, made));
    cj_release(made), cj_release(late), cj_release(same), cj_release(data);
}

static void a_clone_is_not_compiled_unless_asked(void **state)
{
    (void)state;
    cj_dataset *data = tower_data();
    cj_model *model = towers(), *made;
    assert_null(cj_clone(model, .compile = true));
    assert_int_equal(cj_error_status(), CJ_NOT_BUILT);
    assert_ok(cj_compile(model, .loss = "mse"));
    assert_non_null(made = cj_clone(model));
    assert_int_equal(cj_fit(made, data), CJ_NOT_BUILT);
    cj_release(model), cj_release(made), cj_release(data);
}

static void a_seed_gives_other_weights_and_the_same_ones_again(void **state)
{
    (void)state;
    cj_model *model = towers();
    cj_model *one = cj_clone(model, .seed = 1), *again = cj_clone(model, .seed = 1),
             *two = cj_clone(one, .seed = 2), *of_one = cj_clone(one);
    assert_false(problem_same_weights(model, one));
    assert_true(problem_same_weights(one, again));
    assert_false(problem_same_weights(one, two));
    assert_true(problem_same_weights(one, of_one));
    assert_ok(cj_model_set_seed(model, 1));
    assert_true(problem_same_weights(one, model));
    assert_null(cj_clone(model, .seed = -2));
    assert_error_contains("seed is -2");
    cj_release(model), cj_release(one), cj_release(again), cj_release(two), cj_release(of_one);
}

static void names_are_kept_or_given(void **state)
{
    (void)state;
    cj_model *model = problem_model(), *made = cj_clone(model, .name = "fold_1"),
             *plain = cj_clone(model);
    assert_string_equal(cj_layer_name(cj_model_layer(made)), "fold_1");
    assert_string_equal(cj_layer_name(cj_model_layer(plain)), cj_layer_name(cj_model_layer(model)));
    assert_null(cj_clone(model, .name = "a/b"));
    assert_int_equal(cj_error_status(), CJ_INVALID_ARGUMENT);
    // As members of one model both are numbered, as if each had been made by hand.
    cj_symbol *x = cj_input_symbol(4);
    cj_model *both = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_model_layer(model), x),
                                                              cj_apply(cj_model_layer(plain), x)});
    assert_non_null(both);
    cj_release(both), cj_release(made);
}

static void flags_policies_and_notes_come_along(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    assert_ok(cj_set_trainable(cj_model_layer_at(model, 0), false));
    assert_ok(cj_set_dtype_policy(cj_model_layer_at(model, 1), "mixed_bfloat16"));
    assert_ok(cj_model_set_note(model, "classes", "cat\ndog\nowl"));
    cj_model *made = cj_clone(model);
    assert_string_equal(cj_dtype_policy(cj_model_layer_at(made, 1)), "mixed_bfloat16");
    assert_string_equal(cj_dtype_policy(cj_model_layer_at(made, 0)), "float32");
    assert_string_equal(cj_model_note(made, "classes"), "cat\ndog\nowl");
    cj_dataset *data = problem_classes(32);
    assert_ok(cj_compile(made, .loss = "sparse_categorical_crossentropy"));
    train(made, data);
    const cj_tensor *frozen = cj_variable_value(cj_layer_variable(cj_model_layer(made), 0)),
                    *before = cj_variable_value(cj_layer_variable(cj_model_layer(model), 0));
    assert_memory_equal(cj_tensor_data((cj_tensor *)(uintptr_t)frozen),
                        cj_tensor_data((cj_tensor *)(uintptr_t)before), 32 * sizeof(float));
    assert_false(problem_same_weights(model, made));
    cj_release(model), cj_release(made), cj_release(data);
}

// A layer that was frozen after the compile goes on training in the compiled clone, as in the model.
static void what_was_trainable_at_the_compile_trains(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_ok(cj_set_trainable(cj_model_layer(model), false));
    cj_model *made = cj_clone(model, .compile = true);
    train(model, data);
    train(made, data);
    assert_true(problem_same_weights(model, made));
    cj_model *fresh = cj_clone(model);
    assert_false(problem_same_weights(model, fresh));
    cj_release(model), cj_release(made), cj_release(fresh), cj_release(data);
}

static void a_model_without_its_input_is_cloned_as_it_is(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_model *model = cj_sequential(cj_dense(8, .activation = "relu"), cj_dense(3));
    cj_model *unbuilt = cj_clone(model);
    assert_int_equal(cj_model_input_count(unbuilt), 0);
    assert_ok(cj_model_set_input(model, CJ_F32, CJ_SHAPE(4)));
    cj_model *built = cj_clone(model);
    assert_int_equal(cj_model_input_count(built), 1);
    assert_ok(cj_model_set_input(unbuilt, CJ_F32, CJ_SHAPE(4)));
    assert_true(problem_same_weights(model, unbuilt));
    assert_true(problem_same_weights(model, built));
    // one that is built within another has its weights by itself too
    cj_model *inner = cj_sequential(cj_dense(3));
    cj_model *outer = cj_sequential(cj_input(4), cj_model_layer(inner), cj_dense(2));
    cj_model *part = cj_clone(inner, .weights = true);
    assert_non_null(part);
    assert_int_equal(cj_layer_variable_count(cj_model_layer(part)), 2);
    assert_true(problem_same_weights(inner, part));
    cj_release(model), cj_release(unbuilt), cj_release(built), cj_release(outer), cj_release(part);
    cj_release(data);
}

static void what_was_learnt_by_adapt_comes_along(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_layer *norm = cj_normalization();
    cj_model *model = cj_sequential(cj_input(4), norm, cj_dense(3));
    cj_model *bare = cj_clone(model);
    cj_tensor *y = NULL, *z = NULL;
    assert_int_equal(cj_predict(bare, cj_dataset_x(data, 0), &y), CJ_NOT_BUILT);
    assert_ok(cj_adapt(norm, cj_dataset_x(data, 0)));
    cj_model *made = cj_clone(model);
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &y));
    assert_ok(cj_predict(made, cj_dataset_x(data, 0), &z));
    assert_memory_equal(cj_tensor_data(y), cj_tensor_data(z), 32 * 3 * sizeof(float));
    cj_release(y), cj_release(z), cj_release(model), cj_release(made), cj_release(bare);
    cj_release(data);
}

static void a_vocabulary_comes_along_and_can_be_learnt_anew(void **state)
{
    (void)state;
    static const char *const some[3] = {"red green blue", "green blue", "blue"}, *const other[2] = {
                                                                                     "owl cat cat",
                                                                                     "cat"};
    cj_tensor *texts = NULL, *more = NULL;
    assert_ok(cj_tensor_from(CJ_STRING, CJ_SHAPE(3, 1), some, 3, &texts));
    assert_ok(cj_tensor_from(CJ_STRING, CJ_SHAPE(2, 1), other, 2, &more));
    cj_layer *words = cj_text_vectorization(.output_sequence_length = 4);
    cj_model *model = cj_sequential(cj_input(1, .dtype = "string"), words, cj_embedding(8, 3),
                                    cj_flatten(), cj_dense(1));
    if (!model)
        fail_msg("%s", cj_error());
    assert_ok(cj_adapt(words, texts));
    cj_model *made = cj_clone(model), *anew = cj_clone(model);
    cj_tensor *y = NULL, *z = NULL;
    assert_ok(cj_predict(model, texts, &y));
    assert_ok(cj_predict(made, texts, &z));
    assert_memory_equal(cj_tensor_data(y), cj_tensor_data(z), 3 * sizeof(float));
    assert_ok(cj_adapt(cj_model_layer_at(anew, 0), more));
    assert_string_equal(cj_vocabulary_token(cj_model_layer_at(anew, 0), 2), "cat");
    assert_string_equal(cj_vocabulary_token(cj_model_layer_at(made, 0), 2), "blue");
    cj_release(y), cj_release(z), cj_release(texts), cj_release(more);
    cj_release(model), cj_release(made), cj_release(anew);
}

static void weights_are_copied_by_order(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_model *model = problem_model(), *made = cj_clone(model, .seed = 9);
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    train(model, data);
    assert_ok(cj_copy_weights(made, model));
    assert_true(problem_same_weights(model, made));
    cj_model *other = cj_sequential(cj_input(4), cj_dense(8), cj_dense(2));
    assert_int_equal(cj_copy_weights(made, other), CJ_SHAPE_MISMATCH);
    assert_error_contains("dense_1/kernel");
    assert_true(problem_same_weights(model, made));
    cj_model *fewer = cj_sequential(cj_input(4), cj_dense(8)), *none = cj_sequential(cj_dense(3));
    assert_int_equal(cj_copy_weights(fewer, model), CJ_SHAPE_MISMATCH);
    assert_error_contains("has 2 weights");
    assert_int_equal(cj_copy_weights(none, model), CJ_NOT_BUILT);
    assert_int_equal(cj_copy_weights(model, none), CJ_NOT_BUILT);
    assert_int_equal(cj_copy_weights(NULL, model), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_copy_weights(model, NULL), CJ_INVALID_ARGUMENT);
    assert_null(cj_clone(NULL));
    assert_ok(cj_copy_weights(model, model));
    cj_release(model), cj_release(made), cj_release(other), cj_release(fewer), cj_release(none);
    cj_release(data);
}

// Every setting of a compile, seen in what training logs.
static void all_settings_of_a_compile_come_along(void **state)
{
    (void)state;
    cj_dataset *data = tower_data();
    cj_model *model = towers();
    const cj_output_metrics metrics[2] = {{.metrics = {"mae"}}, {.metrics = {"mse", "mape"}}};
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.momentum = 0.5), .losses = {"mse", "mae"},
                         .loss_weights = {0.25, 2}, .output_metrics = metrics,
                         .output_metrics_count = 2, .weighted_metrics = {"cosine_similarity"}));
    cj_model *made = cj_clone(model, .compile = true, .weights = true);
    cj_results *a = NULL, *b = NULL;
    assert_ok(cj_evaluate(model, data, &a));
    assert_ok(cj_evaluate(made, data, &b));
    assert_int_equal(cj_results_count(a), cj_results_count(b));
    assert_int_equal(cj_results_count(a), 8);
    for (int i = 0; i < cj_results_count(a); i++) {
        assert_string_equal(cj_results_name(a, i), cj_results_name(b, i));
        assert_true(cj_results_value_at(a, i) == cj_results_value_at(b, i));
    }
    cj_release(a), cj_release(b), cj_release(model), cj_release(made), cj_release(data);
}

static cj_status clone_once(void *context)
{
    cj_model *made = cj_clone(context, .compile = true);
    if (!made)
        return cj_error_status();
    const cj_status status = cj_copy_weights(made, context);
    cj_release(made);
    return status;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    cj_model *model = towers();
    assert_ok(cj_compile(model, .loss = "mse", .metrics = {"mae"}));
    support_fail_each_allocation(clone_once, model);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_layers_stay_shared),
        cmocka_unit_test(a_clone_outlives_the_model_and_trains_to_the_same_bits),
        cmocka_unit_test(a_clone_is_not_compiled_unless_asked),
        cmocka_unit_test(a_seed_gives_other_weights_and_the_same_ones_again),
        cmocka_unit_test(names_are_kept_or_given),
        cmocka_unit_test(flags_policies_and_notes_come_along),
        cmocka_unit_test(what_was_trainable_at_the_compile_trains),
        cmocka_unit_test(a_model_without_its_input_is_cloned_as_it_is),
        cmocka_unit_test(what_was_learnt_by_adapt_comes_along),
        cmocka_unit_test(a_vocabulary_comes_along_and_can_be_learnt_anew),
        cmocka_unit_test(weights_are_copied_by_order),
        cmocka_unit_test(all_settings_of_a_compile_come_along),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
