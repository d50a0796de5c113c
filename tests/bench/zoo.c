// Every network of the zoo is built from its row, learns a batch by heart, predicts, is saved, and is
// the same when it is loaded.
#include "worker/zoo.h"

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define assert_ok(call)                            \
    do {                                           \
        if ((call) != CJ_OK)                       \
            fail_msg("%s: %s", #call, cj_error()); \
    } while (0)

enum { BATCH = 4, STEPS = 8, MOST_OUTPUTS = 4 };

// The loss of a network that cj_fit() trains: before and after, over the same samples.
static void learn_batch(const network *net, cj_model *model, double *first, double *last)
{
    cj_dataset *data = NULL;
    assert_ok(random_data(net, BATCH, &data));
    cj_optimizer *optimizer = net->optimizer ? net->optimizer() : cj_adam();
    assert_ok(cj_compile(model, .optimizer = optimizer,
                         .loss = net->loss ? net->loss : "sparse_categorical_crossentropy"));
    for (int i = 0; i < STEPS; i++) {
        cj_results *results = NULL;
        assert_ok(cj_train_on_batch(model, data, &results));
        *last = cj_results_value(results, "loss");
        *first = i == 0 ? *last : *first;
        cj_release(results);
    }
    cj_release(data);
}

static void predict(const network *net, cj_model *model, cj_tensor **outputs)
{
    cj_tensor *x[2] = {NULL};
    for (int i = 0; i < input_count(net); i++)
        assert_ok(random_input(net, i, BATCH, &x[i]));
    assert_ok(cj_predict_many(model, x, outputs, .batch_size = BATCH));
    cj_release(x[0]);
    cj_release(x[1]);
}

static void check_saved(const network *net, cj_model *model)
{
    char path[64];
    cj_model *loaded = NULL;
    cj_tensor *here[MOST_OUTPUTS] = {NULL}, *there[MOST_OUTPUTS] = {NULL};
    snprintf(path, sizeof path, "zoo_%s.safetensors", net->name);
    assert_ok(cj_save(model, path));
    loaded = cj_load(path);
    assert_non_null(loaded);
    predict(net, model, here);
    predict(net, loaded, there);
    for (int i = 0; i < cj_model_output_count(model); i++) {
        const float *values = cj_tensor_data(here[i]);
        assert_memory_equal(values, cj_tensor_data(there[i]),
                            (size_t)cj_tensor_count(here[i]) * sizeof *values);
        for (int64_t k = 0; k < cj_tensor_count(here[i]); k++)
            assert_true(isfinite(values[k]));
        cj_release(here[i]);
        cj_release(there[i]);
    }
    cj_release(loaded);
    remove(path);
}

static void check_network(void **state)
{
    const network *net = *state;
    cj_model *model = net->make();
    double first = 0, last = 0;
    assert_non_null(model);
    if (!net->train) {
        learn_batch(net, model, &first, &last);
        if (!(last < first))
            fail_msg("%s: the loss was %g and became %g", net->name, first, last);
    }
    check_saved(net, model);
    cj_release(model);
}

// A row with a step of its own runs it as the worker does.
static void own_steps_run(void **state)
{
    (void)state;
    for (int i = 0; i < zoo_count; i++) {
        if (!zoo[i].train)
            continue;
        char net[64];
        const char *why = NULL;
        snprintf(net, sizeof net, "net=%s", zoo[i].name);
        const settings s = {.count = 3, .words = {net, "batch=4", "threads=2"}};
        workload w;
        assert_ok(workload_make(&w, "train", &s, &why));
        assert_ok(w.run(&w, 1));
        const float first = w.output ? *(const float *)cj_tensor_data(w.output) : 1;
        assert_ok(w.run(&w, STEPS));
        const float last = w.output ? *(const float *)cj_tensor_data(w.output) : 0;
        if (!(last < first))
            fail_msg("%s: the loss was %g and became %g", zoo[i].name, (double)first, (double)last);
        workload_free(&w);
    }
}

// The discriminator finds out at once what is made and what is real, if both steps do their work.
static void both_sides_of_the_contest_learn(void **state)
{
    (void)state;
    const settings s = {.count = 2, .words = {"net=dcgan", "batch=4"}};
    const char *why = NULL;
    workload w;
    cj_results *before = NULL, *after = NULL;
    assert_ok(workload_make(&w, "train", &s, &why));
    assert_ok(w.run(&w, 1));
    assert_ok(cj_test_on_batch(w.gan.discriminator, w.gan.judged, &before));
    assert_ok(w.run(&w, 2 * STEPS));
    assert_ok(cj_test_on_batch(w.gan.discriminator, w.gan.judged, &after));
    assert_true(cj_results_value(after, "loss") < cj_results_value(before, "loss"));
    cj_release(before);
    cj_release(after);
    workload_free(&w);
}

int main(void)
{
    struct CMUnitTest tests[64] = {cmocka_unit_test(own_steps_run),
                                   cmocka_unit_test(both_sides_of_the_contest_learn)};
    int count = 2;
    for (int i = 0; i < zoo_count && count < 64; i++)
        tests[count++] = (struct CMUnitTest){
            .name = zoo[i].name, .test_func = check_network, .initial_state = (void *)&zoo[i]};
    return _cmocka_run_group_tests("bench/zoo", tests, (size_t)count, NULL, NULL);
}
