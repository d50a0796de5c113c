// The functions of a model take turns in one memory: what is asked between steps, in batches of any
// size, changes no bit of what is learnt or told, and needs no memory beside that of the greatest.
#include "problems.h"

#include "graph/arena.h"
#include "train/state.h"

#include <string.h>

enum { STEPS = 6, CLASSES = 4 };

static cj_model *compiled(void)
{
    cj_model *model = cj_sequential(
        cj_input(8, 8, 1), cj_rescaling(1.0 / 255),
        cj_conv2d(16, {3, 3}, .activation = "relu", .padding = "same"), cj_max_pooling2d({2, 2}),
        cj_batch_normalization(), cj_flatten(), cj_dropout(0.25),
        cj_dense(40, .activation = "relu"), cj_dense(CLASSES, .activation = "softmax"));
    assert_ok(cj_model_set_seed(model, 5));
    assert_ok(cj_compile(model, .optimizer = cj_adam(.clipnorm = 1),
                         .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                         .pool = cj_pool_new(1)));
    return model;
}

// The only arena of a model.
static cj__arena *arena_of(const cj_model *model)
{
    cj__arena *arena = cj__state_of(model)->arenas->first;
    assert_non_null(arena);
    assert_null(arena->next);
    return arena;
}

// NaN of any type, all over the memory that the next run borrows.
static void spoil(const cj_model *model)
{
    memset(arena_of(model)->data, 0xff, arena_of(model)->size);
}

// Of the same bits; both are released.
static void assert_same_results(cj_results *a, cj_results *b)
{
    assert_int_equal(cj_results_count(a), cj_results_count(b));
    for (int i = 0; i < cj_results_count(a); i++) {
        const double x = cj_results_value_at(a, i), y = cj_results_value_at(b, i);
        assert_memory_equal(&x, &y, sizeof x);
    }
    cj_release(a), cj_release(b);
}

static void questions_between_steps_change_no_bit(void **state)
{
    (void)state;
    cj_model *asked = compiled(), *left_alone = compiled();
    cj_dataset *data = problem_images(48), *few = problem_images(5), *many = problem_images(130);
    cj_results *one = NULL, *two = NULL;
    cj_tensor *predicted = NULL, *expected = NULL;
    for (int step = 0; step < STEPS; step++) {
        assert_ok(cj_train_on_batch(asked, step % 3 == 1 ? few : data, &one));
        assert_ok(cj_train_on_batch(left_alone, step % 3 == 1 ? few : data, &two));
        assert_same_results(one, two);
        spoil(asked);
        assert_ok(cj_evaluate(asked, step % 2 == 0 ? few : many, &one, .batch_size = 64));
        cj_release(one);
        spoil(asked);
        assert_ok(cj_predict(asked, cj_dataset_x(step % 2 == 0 ? many : few, 0), &predicted,
                             .batch_size = 100));
        spoil(asked);
        cj_release(predicted);
    }
    assert_true(problem_same_weights(asked, left_alone));
    assert_ok(cj_evaluate(asked, many, &one, .batch_size = 64));
    assert_ok(cj_evaluate(left_alone, many, &two, .batch_size = 64));
    assert_same_results(one, two);
    assert_ok(cj_predict(asked, cj_dataset_x(many, 0), &predicted, .batch_size = 100));
    assert_ok(cj_predict(left_alone, cj_dataset_x(many, 0), &expected, .batch_size = 100));
    assert_memory_equal(cj_tensor_data(predicted), cj_tensor_data(expected),
                        130 * CLASSES * sizeof(float));
    cj_release(predicted), cj_release(expected);
    cj_release(data), cj_release(few), cj_release(many);
    cj_release(asked), cj_release(left_alone);
}

static void all_functions_need_the_memory_of_the_greatest(void **state)
{
    (void)state;
    cj_model *model = compiled(), *other = compiled();
    cj_dataset *few = problem_images(9), *many = problem_images(200);
    cj_tensor *predicted = NULL;
    cj_results *results = NULL;
    assert_ok(cj_fit(model, many, .batch_size = 64, .validation_data = few));
    const size_t size = arena_of(model)->size;
    assert_ok(cj_evaluate(model, many, &results, .batch_size = 64));
    cj_release(results);
    assert_ok(cj_predict(model, cj_dataset_x(many, 0), &predicted, .batch_size = 64));
    assert_int_equal(arena_of(model)->size, size);
    assert_ok(cj_train_on_batch(model, many, NULL)); // grows for a larger batch ...
    assert_true(arena_of(model)->size > size);
    assert_ok(cj_train_on_batch(other, many, NULL));
    assert_int_equal(arena_of(model)->size, arena_of(other)->size); // ... to what that alone needs
    cj_release(predicted);
    cj_release(few), cj_release(many);
    cj_release(model), cj_release(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_between_steps_change_no_bit),
        cmocka_unit_test(all_functions_need_the_memory_of_the_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
