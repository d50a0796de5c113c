// One model and two threads: a call that would race with training is refused, others are not.
#include "base/sync.h"
#include "support.h"
#include <cajal.h>
#include <stdio.h>

typedef struct calls {
    cj_model *model;
    cj_tensor *input;
    char path[512];
    cj_status save, predict, compile, evaluate, train;
    cj_dataset *data;
} calls;

static void call_all(void *context)
{
    calls *c = context;
    cj_tensor *output = NULL;
    cj_results *results = NULL;
    c->save = cj_save(c->model, c->path);
    c->predict = cj_predict(c->model, c->input, &output);
    c->evaluate = cj_evaluate(c->model, c->data, &results);
    c->train = cj_train_on_batch(c->model, c->data, NULL);
    c->compile = cj_compile(c->model, .loss = "mse");
    cj_release(output);
    cj_release(results);
}

static void in_another_thread(calls *c)
{
    cj__thread thread;
    assert_true(cj__thread_start(&thread, call_all, c));
    cj__thread_join(&thread);
}

static cj_status at_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    (void)logs;
    calls *c = self;
    in_another_thread(c);
    const cj_status others[] = {c->save, c->predict, c->evaluate, c->train, c->compile};
    for (int i = 0; i < 5; i++)
        assert_int_equal(others[i], CJ_INVALID_ARGUMENT);
    cj_tensor *output = NULL; // the thread that trains may do this
    assert_int_equal(cj_save(model, c->path), CJ_OK);
    assert_int_equal(cj_predict(model, c->input, &output), CJ_OK);
    cj_release(output);
    return CJ_OK;
}

static void make(calls *c)
{
    cj_tensor *targets;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(6, 3), &c->input), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(6, 1), &targets), CJ_OK);
    cj_retain(c->input);
    c->data = cj_dataset(.x = {c->input}, .y = {targets});
    c->model = cj_sequential(cj_input(3), cj_dense(1));
    assert_int_equal(cj_compile(c->model, .loss = "mse"), CJ_OK);
    snprintf(c->path, sizeof c->path, "%s", support_path("model.cajal"));
}

static void release(calls *c)
{
    cj_release(c->model);
    cj_release(c->data);
    cj_release(c->input);
}

static void a_model_in_training_is_refused_to_other_threads(void **state)
{
    (void)state;
    calls c;
    make(&c);
    cj_callback *callback = cj_callback_new(
        &(cj_callback_methods){.size = sizeof(cj_callback_methods), .epoch_end = at_epoch_end}, &c);
    assert_int_equal(
        cj_fit(c.model, c.data, .epochs = 2, .verbose = CJ_SILENT, .callbacks = {callback}), CJ_OK);
    in_another_thread(&c); // training is over
    const cj_status others[] = {c.save, c.predict, c.evaluate, c.train, c.compile};
    for (int i = 0; i < 5; i++)
        assert_int_equal(others[i], CJ_OK);
    release(&c);
}

static void a_call_that_failed_leaves_nothing_behind(void **state)
{
    (void)state;
    calls c;
    make(&c);
    cj_tensor *wrong, *output;
    cj_results *results;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(6, 2), &wrong), CJ_OK);
    assert_int_equal(cj_predict(c.model, wrong, &output), CJ_SHAPE_MISMATCH);
    cj_dataset *bad = cj_dataset(.x = {wrong});
    assert_int_not_equal(cj_fit(c.model, bad, .verbose = CJ_SILENT), CJ_OK);
    assert_int_not_equal(cj_fit(c.model, NULL, .verbose = CJ_SILENT), CJ_OK);
    assert_int_not_equal(cj_evaluate(c.model, bad, &results), CJ_OK);
    assert_int_not_equal(cj_train_on_batch(c.model, bad, NULL), CJ_OK);
    assert_int_not_equal(cj_compile(c.model, .loss = "no loss"), CJ_OK);
    assert_int_not_equal(cj_save(c.model, support_path("no folder/model.cajal")), CJ_OK);
    assert_int_not_equal(cj_load_weights(c.model, support_path("absent")), CJ_OK);
    cj_release(bad);
    in_another_thread(&c);
    const cj_status others[] = {c.save, c.predict, c.evaluate, c.train, c.compile};
    for (int i = 0; i < 5; i++)
        assert_int_equal(others[i], CJ_OK);
    release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_in_training_is_refused_to_other_threads),
        cmocka_unit_test(a_call_that_failed_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
