// The time line of a run: steps, what they wait for, and the threads that read.
#define _POSIX_C_SOURCE 200809L // nanosleep()
#include "problems.h"
#include <cajal/streams.h>
#include <cajal/timeline.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 64, BATCH = 8, EPOCHS = 2, STEPS = EPOCHS * SAMPLES / BATCH };

static void rest(long milliseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

// `context` is the milliseconds that a sample takes.
static cj_status read_sample(void *context, const cj_sample_read *s)
{
    const int wait = *(const int *)context;
    for (int i = 0; i < 4; i++)
        ((float *)s->x[0])[i] = (float)((s->index + i) % 7) / 7;
    *(int32_t *)s->y[0] = (int32_t)(s->index % 3);
    if (wait > 0)
        rest(wait);
    return CJ_OK;
}

// What stands for a step that takes its time: others read meanwhile.
static cj_status slow_step(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model, (void)logs;
    rest(20);
    return CJ_OK;
}

typedef struct counts {
    int steps, waits, late_waits, reads, gathers, validations;
    double waited; // seconds
} counts;

static void count(const char *path, counts *c)
{
    json_error_t error;
    json_t *all = json_load_file(path, 0, &error), *event;
    if (!all)
        fail_msg("%s: %s", path, error.text);
    size_t i;
    double previous = 0;
    *c = (counts){0};
    assert_int_equal(json_integer_value(json_object_get(all, "left_out")), 0);
    json_array_foreach (json_object_get(all, "traceEvents"), i, event) {
        const char *name = json_string_value(json_object_get(event, "name"));
        const int64_t lane = json_integer_value(json_object_get(event, "tid"));
        if (strcmp(name, "thread_name") == 0)
            continue;
        const double begin = json_number_value(json_object_get(event, "ts")),
                     took = json_number_value(json_object_get(event, "dur"));
        assert_true(begin >= 0 && took >= 0);
        if (strcmp(name, "step") == 0) {
            assert_int_equal(lane, 0);
            assert_true(begin >= previous); // one after the other
            previous = begin + took;
            c->steps++;
        }
        c->reads += strcmp(name, "read") == 0 && lane > 0;
        c->gathers += strcmp(name, "gather") == 0;
        c->validations += strcmp(name, "validate") == 0;
        if (strcmp(name, "wait") == 0) {
            c->waits++;
            c->late_waits += c->steps >= 2;
            c->waited += took / 1e6;
        }
    }
    json_decref(all);
}

static void run(cj_dataset *data, bool slow_steps, counts *c, double *waited)
{
    static const cj_callback_methods methods = {.size = sizeof(cj_callback_methods),
                                                .name = "Slow",
                                                .batch_end = slow_step,
                                                .epoch_end = slow_step};
    const char *path = support_path("line.json");
    cj_model *model = problem_model();
    cj_callback *callbacks[2] = {cj_timeline(path)};
    if (slow_steps)
        callbacks[1] = cj_callback_new(&methods, NULL);
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "sparse_categorical_crossentropy"));
    assert_ok(cj_fit(model, data, .epochs = EPOCHS, .batch_size = BATCH,
                     .callbacks_list = callbacks, .callbacks_count = slow_steps ? 2 : 1));
    count(path, c);
    *waited = cj_data_wait(model);
    cj_release(model), cj_release(data);
}

static cj_dataset *streamed(int *milliseconds)
{
    return cj_dataset_prefetch(
        cj_dataset_from(.count = SAMPLES, .read = read_sample, .context = milliseconds,
                        .x = {{CJ_F32, CJ_SHAPE(4)}}, .y = {{.dtype = CJ_I32}}),
        .batches = 3, .threads = 2);
}

static void steps_do_not_wait_where_reading_is_fast(void **state)
{
    (void)state;
    int milliseconds = 0;
    counts c;
    double waited = 0;
    run(streamed(&milliseconds), true, &c, &waited);
    assert_int_equal(c.steps, STEPS);
    assert_int_equal(c.late_waits, 0);
    assert_true(c.reads > 0);
}

static void what_a_slow_reader_costs_is_there(void **state)
{
    (void)state;
    int milliseconds = 4;
    counts c;
    double waited = 0;
    run(streamed(&milliseconds), false, &c, &waited);
    assert_int_equal(c.steps, STEPS);
    assert_true(c.late_waits > 0);
    assert_true(c.waited > 0.05);
    assert_near(c.waited, waited, 1e-3, 0.05); // as the run says it
}

static void samples_in_memory_are_gathered(void **state)
{
    (void)state;
    counts c;
    double waited = 1;
    run(problem_classes(SAMPLES), false, &c, &waited);
    assert_int_equal(c.steps, STEPS);
    assert_int_equal(c.gathers, STEPS);
    assert_int_equal(c.waits + c.reads, 0);
    assert_true(waited <= 0);
}

static cj_status fails(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model;
    return logs->batch == 2 ? cj_fail(CJ_CANCELLED, "enough") : CJ_OK;
}

static void a_run_that_fails_is_written_too(void **state)
{
    (void)state;
    static const cj_callback_methods methods = {
        .size = sizeof(cj_callback_methods), .name = "Fails", .batch_end = fails};
    const char *path = support_path("failed.json");
    cj_model *model = problem_model();
    cj_dataset *data = problem_classes(SAMPLES);
    counts c;
    assert_null(cj_timeline(NULL));
    cj_error_clear(); // else it is the cause of what follows
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .batch_size = BATCH,
                            .callbacks = {cj_timeline(path), cj_callback_new(&methods, NULL)}),
                     CJ_CANCELLED);
    count(path, &c);
    assert_int_equal(c.steps, 3);
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_timeline("/nowhere/line.json")}), CJ_IO);
    cj_release(data), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_do_not_wait_where_reading_is_fast),
        cmocka_unit_test(what_a_slow_reader_costs_is_there),
        cmocka_unit_test(samples_in_memory_are_gathered),
        cmocka_unit_test(a_run_that_fails_is_written_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
