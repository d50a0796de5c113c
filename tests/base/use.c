// Uses of an object by several threads at once.
#include "base/use.h"
#include "base/sync.h"
#include "support.h"

typedef struct attempt {
    cj__use *use;
    cj_status read, write;
} attempt;

static void try_both(void *context)
{
    attempt *a = context;
    a->read = cj__use_to_read(a->use, "model");
    if (a->read == CJ_OK)
        cj__use_read(a->use);
    a->write = cj__use_to_write(a->use, "model");
    if (a->write == CJ_OK)
        cj__use_written(a->use);
}

static attempt in_another_thread(cj__use *use)
{
    attempt a = {.use = use};
    cj__thread thread;
    assert_true(cj__thread_start(&thread, try_both, &a));
    cj__thread_join(&thread);
    return a;
}

static void a_writer_is_alone(void **state)
{
    (void)state;
    cj__use use = {0};
    assert_int_equal(cj__use_to_write(&use, "model"), CJ_OK);
    attempt other = in_another_thread(&use);
    assert_int_equal(other.read, CJ_INVALID_ARGUMENT);
    assert_int_equal(other.write, CJ_INVALID_ARGUMENT);
    cj__use_written(&use);
    other = in_another_thread(&use);
    assert_int_equal(other.read, CJ_OK);
    assert_int_equal(other.write, CJ_OK);
}

static void readers_are_many(void **state)
{
    (void)state;
    cj__use use = {0};
    assert_int_equal(cj__use_to_read(&use, "model"), CJ_OK);
    assert_int_equal(cj__use_to_read(&use, "model"), CJ_OK);
    attempt other = in_another_thread(&use);
    assert_int_equal(other.read, CJ_OK);
    assert_int_equal(other.write, CJ_INVALID_ARGUMENT);
    cj__use_read(&use);
    cj__use_read(&use);
    assert_int_equal(in_another_thread(&use).write, CJ_OK);
}

// A callback of a training run saves the model, evaluates it, and trains on a batch.
static void a_writer_may_read_and_write_within(void **state)
{
    (void)state;
    cj__use use = {0};
    assert_int_equal(cj__use_to_write(&use, "model"), CJ_OK);
    assert_int_equal(cj__use_to_read(&use, "model"), CJ_OK);
    assert_int_equal(cj__use_to_write(&use, "model"), CJ_OK);
    cj__use_written(&use);
    cj__use_read(&use);
    assert_int_equal(in_another_thread(&use).read, CJ_INVALID_ARGUMENT);
    cj__use_written(&use);
    assert_int_equal(in_another_thread(&use).write, CJ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_is_alone),
        cmocka_unit_test(readers_are_many),
        cmocka_unit_test(a_writer_may_read_and_write_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
