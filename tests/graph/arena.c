// Arenas: functions that share memory give the bits that they give alone, in whatever order batches
// come and however the memory grows; a failed growth leaves what ran before running; runs at once
// never have the same memory.
#include "fixture.h"

#include "graph/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FEATURES = 7, UNITS = 9, SMALL = 3, LARGE = 61, OUTPUTS = 2 };

// What a step and a prediction have in common, as those of a model do.
typedef struct weights {
    cj_variable *kernel, *average;
} weights;

static weights weights_new(void)
{
    const weights w = {fixture_variable("kernel", CJ_SHAPE(FEATURES, UNITS), NULL),
                       fixture_variable("average", CJ_SHAPE(FEATURES, UNITS), NULL)};
    fixture_fill(cj_variable_value(w.kernel), 1);
    return w;
}

static void weights_free(const weights *w)
{
    cj_release(w->kernel);
    cj_release(w->average);
}

// One update is written in place, one is copied, and an output is a variable's old value, which is
// saved meanwhile.
static cj_function *step_new(const weights *w, cj__arenas *arenas)
{
    fixture f = {.arenas = arenas};
    const cj__update_attrs attrs = {0};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, FEATURES)), *gradient = NULL;
    cj_symbol *kernel = fixture_read(&f, w->kernel), *average = fixture_read(&f, w->average);
    cj_symbol *y =
        cj__apply_unary(&f.g, CJ__UNARY_tanh, cj__matmul(&f.g, x, kernel, false, false), 0, 0);
    if (cj__gradients(&f.g, cj__mean(&f.g, cj__mul(&f.g, y, y), 3, false), &kernel, 1, &gradient) ==
        CJ_OK) {
        cj_symbol *mixed = cj__add(&f.g, cj__scale(&f.g, average, 0.9), gradient);
        cj_symbol *taken[] = {kernel, mixed, cj__scalar(&f.g, CJ_F32, 0.5)};
        fixture_update(&f, w->average, mixed);
        fixture_update(&f, w->kernel, cj__append(&f.g, &cj__op_sgd, &attrs, taken, 3));
        fixture_output(&f, y);
        fixture_output(&f, average);
    }
    return fixture_function(&f, NULL);
}

static cj_function *prediction_new(const weights *w, cj__arenas *arenas)
{
    fixture f = {.arenas = arenas};
    cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, FEATURES));
    cj_symbol *y = cj__matmul(&f.g, x, fixture_read(&f, w->kernel), false, false);
    fixture_output(
        &f, cj__mul(&f.g, y, cj__apply_unary(&f.g, CJ__UNARY_sigmoid, cj__mul(&f.g, y, y), 0, 0)));
    return fixture_function(&f, NULL);
}

// What a call gives: the first output, and the second if there is one.
typedef struct results {
    float first[LARGE * UNITS], second[FEATURES * UNITS];
} results;

static cj_status run(cj_function *function, int64_t batch, results *r)
{
    static _Thread_local float x[LARGE * FEATURES];
    void *outputs[OUTPUTS] = {r->first, r->second};
    for (int i = 0; i < LARGE * FEATURES; i++)
        x[i] = (float)(i * 37 % 101 - 50) / 50;
    memset(r, 0, sizeof *r);
    if (!function)
        return cj_error_status();
    return cj__function_run(function, batch, (const void *[]){x}, outputs);
}

// The bits of a function that is alone with its memory.
static results alone(cj_function *(*make)(const weights *, cj__arenas *), const weights *w,
                     int64_t batch)
{
    results r;
    cj_function *function = make(w, NULL);
    if (run(function, batch, &r) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(function);
    return r;
}

static void assert_same(const results *a, const results *b)
{
    assert_memory_equal(a->first, b->first, sizeof a->first);
    assert_memory_equal(a->second, b->second, sizeof a->second);
}

// Whatever may be in an arena: NaN of any type.
static void spoil(cj__arenas *arenas)
{
    cj__arena *arena;
    assert_int_equal(cj__arena_borrow(arenas, 0, &arena), CJ_OK);
    memset(arena->data, 0xff, arena->size);
    cj__arena_return(arenas, arena);
}

static void shared_memory_gives_the_bits_of_memory_alone(void **state)
{
    static const int64_t batches[] = {SMALL, LARGE, SMALL, 1, 17,    LARGE, 18,
                                      SMALL, 2,     5,     6, LARGE, SMALL};
    (void)state;
    const weights w = weights_new(), v = weights_new();
    cj__arenas *arenas = cj__own(cj__arenas_new(NULL));
    cj_function *step = step_new(&w, arenas), *prediction = prediction_new(&w, arenas);
    // more sizes than plans are kept
    for (size_t i = 0; i < sizeof(batches) / sizeof batches[0]; i++) {
        const results s = alone(step_new, &v, batches[i]),
                      p = alone(prediction_new, &v, LARGE - batches[i]);
        results r;
        spoil(arenas);
        assert_int_equal(run(step, batches[i], &r), CJ_OK);
        assert_same(&r, &s);
        spoil(arenas);
        assert_int_equal(run(prediction, LARGE - batches[i], &r), CJ_OK);
        assert_same(&r, &p);
        assert_memory_equal(cj_variable_value(w.kernel)->data, cj_variable_value(v.kernel)->data,
                            FEATURES * UNITS * sizeof(float));
        assert_memory_equal(cj_variable_value(w.average)->data, cj_variable_value(v.average)->data,
                            FEATURES * UNITS * sizeof(float));
    }
    cj_release(step), cj_release(prediction);
    cj_release(arenas);
    weights_free(&w), weights_free(&v);
}

// The only arena's size.
static size_t size_of(const cj__arenas *arenas)
{
    assert_non_null(arenas->first);
    assert_null(arenas->first->next);
    return arenas->first->size;
}

static void functions_need_the_memory_of_the_greatest(void **state)
{
    (void)state;
    const weights w = weights_new();
    cj__arenas *together = cj__own(cj__arenas_new(NULL)), *apart = cj__own(cj__arenas_new(NULL));
    cj_function *step = step_new(&w, together), *prediction = prediction_new(&w, together);
    cj_function *other = step_new(&w, apart);
    static const int64_t batches[] = {SMALL, LARGE, 17, SMALL};
    results r;
    for (int i = 0; i < 4; i++) {
        const int64_t batch = batches[i];
        assert_int_equal(run(prediction, batch, &r), CJ_OK);
        assert_int_equal(run(step, batch, &r), CJ_OK);
    }
    assert_int_equal(run(other, LARGE, &r), CJ_OK);
    assert_int_equal(size_of(together), size_of(apart));
    cj_release(step), cj_release(prediction), cj_release(other);
    cj_release(together), cj_release(apart);
    weights_free(&w);
}

// Grows an arena with one request failing. A failing call is of no harm to those that ran before.
static cj_status small_then_large(void *context)
{
    const weights *w = context;
    results small, large, again;
    cj__arenas *arenas = cj__own(cj__arenas_new(NULL));
    if (!arenas)
        return cj_error_status();
    cj_function *prediction = prediction_new(w, arenas);
    cj_status status = run(prediction, SMALL, &small);
    if (status == CJ_OK) {
        status = run(prediction, LARGE, &large);
        assert_int_equal(run(prediction, SMALL, &again), CJ_OK);
        assert_same(&again, &small);
    }
    if (status != CJ_OK && prediction)
        assert_int_equal(run(prediction, LARGE, &large), CJ_OK);
    cj_release(prediction);
    cj_release(arenas);
    return status;
}

static void a_failed_allocation_is_survived(void **state)
{
    (void)state;
    weights w = weights_new();
    support_fail_each_allocation(small_then_large, &w);
    weights_free(&w);
}

// Refuses all requests.
static void *refuse(void *context, void *block, size_t size)
{
    (void)context;
    if (size == 0)
        free(block);
    return NULL;
}

static void without_any_memory_later_calls_ask_again(void **state)
{
    (void)state;
    const weights w = weights_new();
    const results small = alone(prediction_new, &w, SMALL),
                  large = alone(prediction_new, &w, LARGE);
    cj__arenas *arenas = cj__own(cj__arenas_new(NULL));
    cj_function *prediction = prediction_new(&w, arenas);
    results r;
    assert_int_equal(run(prediction, SMALL, &r), CJ_OK);
    cj__arena *arena;
    cj_set_memory_hook(&(cj_memory_hook){refuse, NULL});
    const cj_status growing = cj__arena_borrow(arenas, size_of(arenas) + 1, &arena),
                    lost = run(prediction, SMALL, &r);
    cj_set_memory_hook(NULL);
    assert_null(arena);
    assert_int_equal(growing, CJ_OUT_OF_MEMORY);
    assert_int_equal(lost, CJ_OUT_OF_MEMORY);
    assert_int_equal(run(prediction, SMALL, &r), CJ_OK);
    assert_same(&r, &small);
    assert_int_equal(run(prediction, LARGE, &r), CJ_OK);
    assert_same(&r, &large);
    cj_release(prediction);
    cj_release(arenas);
    weights_free(&w);
}

static void borrowers_at_once_have_different_arenas(void **state)
{
    (void)state;
    cj__arenas *arenas = cj__own(cj__arenas_new(NULL));
    cj__arena *a, *b, *c;
    assert_int_equal(cj__arena_borrow(arenas, 1000, &a), CJ_OK);
    assert_int_equal(cj__arena_borrow(arenas, 100, &b), CJ_OK);
    assert_ptr_not_equal(a, b);
    cj__arena_return(arenas, a);
    cj__arena_return(arenas, b);
    assert_int_equal(cj__arena_borrow(arenas, 90, &c), CJ_OK); // the smallest that is large enough
    assert_ptr_equal(c, b);
    cj__arena_return(arenas, c);
    assert_int_equal(cj__arena_borrow(arenas, 2000, &c), CJ_OK); // the largest grows
    assert_ptr_equal(c, a);
    assert_true(c->size == 2000 && b->size == 100);
    cj__arena_return(arenas, c);
    cj_release(arenas);
}

typedef struct caller {
    cj_function *function;
    const results *expected; // small, large
    bool right;
} caller;

static void *call_often(void *context)
{
    caller *c = context;
    c->right = true;
    for (int i = 0; i < 100 && c->right; i++) {
        results r;
        const int large = i % 3 == 0;
        c->right = run(c->function, large ? LARGE : SMALL, &r) == CJ_OK &&
                   memcmp(&r, &c->expected[large], sizeof(r)) == 0;
    }
    return NULL;
}

static void threads_may_run_functions_that_share(void **state)
{
    enum { THREADS = 4 };
    (void)state;
    const weights w[2] = {weights_new(), weights_new()};
    cj__arenas *arenas = cj__own(cj__arenas_new(NULL));
    cj_function *functions[2];
    results expected[2][2];
    caller callers[THREADS];
    pthread_t threads[THREADS];
    fixture_fill(cj_variable_value(w[1].kernel), 2);
    for (int i = 0; i < 2; i++) {
        functions[i] = prediction_new(&w[i], arenas);
        expected[i][0] = alone(prediction_new, &w[i], SMALL);
        expected[i][1] = alone(prediction_new, &w[i], LARGE);
    }
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){functions[i % 2], expected[i % 2], false};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(callers[i].right);
    }
    cj_release(functions[0]), cj_release(functions[1]);
    cj_release(arenas);
    weights_free(&w[0]), weights_free(&w[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_memory_gives_the_bits_of_memory_alone),
        cmocka_unit_test(functions_need_the_memory_of_the_greatest),
        cmocka_unit_test(a_failed_allocation_is_survived),
        cmocka_unit_test(without_any_memory_later_calls_ask_again),
        cmocka_unit_test(borrowers_at_once_have_different_arenas),
        cmocka_unit_test(threads_may_run_functions_that_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
