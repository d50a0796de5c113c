// A run that is stopped after any batch and resumed ends in the same bits as one that never
// stopped.
#include "problems.h"
#include "base/memory.h"
#include "train/state.h"
#include <math.h>
#include <string.h>

enum { EPOCHS = 2, BATCHES = 4, SAMPLES = 58, SIZE = 16 };

// Stops after a number of batches; negative: never.
static cj_status count_down(void *self, cj_model *model, cj_logs *logs)
{
    int *left = self;
    (void)model;
    if (*left >= 0 && --*left == 0)
        logs->stop = true;
    return CJ_OK;
}
static const cj_callback_methods stopper = {
    .size = sizeof(cj_callback_methods), .name = "Stopper", .batch_end = count_down};

// Dropout and moving averages depend on the step as well.
static cj_model *fresh(void)
{
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(8, .activation = "relu"), cj_batch_normalization(),
                      cj_dropout(0.3), cj_dense(3, .activation = "softmax"));
    assert_ok(cj_model_set_seed(model, 7));
    assert_ok(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.05),
                         .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    return model;
}

// What a model file would hold, into another model.
static void move_state(cj_model *from, cj_model *to)
{
    cj__train_state *a = cj__state_of(from), *b = cj__state_of(to);
    for (int i = 0; i < cj_layer_variable_count(cj_model_layer(from)); i++)
        assert_ok(
            cj_variable_assign(cj_layer_variable(cj_model_layer(to), i),
                               cj_variable_value(cj_layer_variable(cj_model_layer(from), i))));
    assert_int_equal(cj__state_variable_count(a), cj__state_variable_count(b));
    for (int i = 0; i < cj__state_variable_count(a); i++)
        assert_ok(cj_variable_assign(cj__state_variable(b, i),
                                     cj_variable_value(cj__state_variable(a, i))));
    b->place = a->place;
    for (int i = 0; i < a->memory_count; i++)
        assert_ok(cj__state_remember(b, a->memories[i].name, a->memories[i].values,
                                     a->memories[i].count, a->memories[i].tensors,
                                     a->memories[i].tensor_count));
}

static cj_status fit(cj_model *model, cj_dataset *data, int stop_after, bool resume,
                     cj_history **history)
{
    int left = stop_after;
    return cj_fit(
        model, data, .epochs = EPOCHS, .batch_size = SIZE, .resume = resume, .history = history,
        .callbacks = {cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1, .min_delta = 10),
                      cj_callback_new(&stopper, &left)});
}

static void same_bits_from_every_batch(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    cj_model *whole = fresh();
    cj_history *all = NULL;
    assert_ok(fit(whole, data, -1, false, &all));
    assert_near(cj_learning_rate(whole), 0.005, 1e-8, 0); // the plateau was met in epoch 2
    for (int stop = 1; stop <= EPOCHS * BATCHES; stop++) {
        cj_model *first = fresh(), *second = fresh();
        cj_history *rest = NULL;
        assert_ok(fit(first, data, stop, false, NULL));
        assert_int_equal(problem_same_weights(first, whole), stop == EPOCHS * BATCHES);
        move_state(first, second);
        cj_release(first);
        assert_ok(fit(second, data, -1, true, &rest));
        assert_true(problem_same_weights(second, whole));
        assert_near(cj_learning_rate(second), cj_learning_rate(whole), 0, 0);
        if (cj_history_epochs(rest) > 0)
            assert_near(cj_history_value(rest, "loss", cj_history_epochs(rest) - 1),
                        cj_history_value(all, "loss", 1), 0, 0);
        cj_release(rest);
        cj_release(second);
    }
    cj_release(all);
    cj_release(whole);
    cj_release(data);
}

// A checkpoint is taken inside a callback: those after it in the list must be told of the event
// after resuming.
typedef struct checkpoint {
    cj_model *to;
    int at;
} checkpoint;

static cj_status copy_at_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    checkpoint *c = self;
    if (!c->to || logs->epoch != c->at)
        return CJ_OK;
    assert_ok(cj__state_memories(cj__state_of(model)));
    move_state(model, c->to);
    return CJ_OK;
}
static const cj_callback_methods saver = {
    .size = sizeof(cj_callback_methods), .name = "Saver", .epoch_end = copy_at_epoch_end};

static void resumes_from_inside_an_epochs_end(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    for (int at = 0; at < EPOCHS; at++) {
        cj_model *whole = fresh(), *second = fresh();
        checkpoint first = {second, at}, none = {NULL, 0};
        assert_ok(cj_fit(whole, data, .epochs = EPOCHS, .batch_size = SIZE,
                         .callbacks = {cj_callback_new(&saver, &first),
                                       cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1,
                                                               .min_delta = 10)}));
        assert_ok(cj_fit(second, data, .epochs = EPOCHS, .batch_size = SIZE, .resume = true,
                         .callbacks = {cj_callback_new(&saver, &none),
                                       cj_reduce_lr_on_plateau(.monitor = "loss", .patience = 1,
                                                               .min_delta = 10)}));
        assert_true(problem_same_weights(second, whole));
        assert_near(cj_learning_rate(second), cj_learning_rate(whole), 0, 0);
        cj_release(whole);
        cj_release(second);
    }
    cj_release(data);
}

static void other_batches_are_refused(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(SAMPLES);
    cj_model *model = fresh();
    assert_ok(fit(model, data, 1, false, NULL));
    assert_int_equal(cj_fit(model, data, .epochs = EPOCHS, .batch_size = SIZE + 1, .resume = true),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("batches of 16");
    cj_release(model);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_from_every_batch),
        cmocka_unit_test(resumes_from_inside_an_epochs_end),
        cmocka_unit_test(other_batches_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
