// Several threads may be the first to predict with a model that has no input shape yet: it is built
// once, and all get the same numbers. Freezing in another thread meanwhile is not disturbed.
#include "problems.h"
#include <pthread.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 50 };

typedef struct job {
    cj_model *model;
    cj_tensor *x;
    float y[6];
} job;

static void *predict(void *context)
{
    job *j = context;
    cj_tensor *y = NULL;
    assert_ok(cj_predict(j->model, j->x, &y));
    memcpy(j->y, cj_tensor_data(y), sizeof j->y);
    cj_release(y);
    return NULL;
}

static void threads_that_predict_first_build_once(void **state)
{
    (void)state;
    static const float values[8] = {1, 2, 3, 4, -1, -2, -3, -4};
    for (int round = 0; round < ROUNDS; round++) {
        job jobs[THREADS];
        pthread_t threads[THREADS];
        cj_model *model = cj_sequential(cj_dense(8, .activation = "tanh"), cj_dense(3));
        cj_tensor *x = problem_tensor(CJ_SHAPE(2, 4), values);
        for (int i = 0; i < THREADS; i++) {
            jobs[i] = (job){.model = model, .x = x};
            assert_int_equal(pthread_create(&threads[i], NULL, predict, &jobs[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 1; i < THREADS; i++)
            assert_memory_equal(jobs[0].y, jobs[i].y, sizeof jobs[0].y);
        assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 4);
        cj_release(x);
        cj_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_that_predict_first_build_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
