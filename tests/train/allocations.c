// Steps of cj_fit() allocate nothing once each size of batch has been met: what an epoch allocates
// does not depend on the number of its batches, by the library's own allocator, on any number of
// threads.
#include "support.h"

#include <cajal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BATCH = 16, REST = 5, FEW = 4, MANY = 24, PIXELS = 12 };

static void *counted(void *context, void *block, size_t size)
{
    atomic_llong *blocks = context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    atomic_fetch_add(blocks, 1);
    return realloc(block, size);
}

static cj_dataset *data_of(int64_t batches)
{
    const int64_t samples = batches * BATCH + REST;
    cj_tensor *x, *y;
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(samples, PIXELS, PIXELS, 1), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(samples), &y), CJ_OK);
    for (int64_t i = 0; i < samples * PIXELS * PIXELS; i++)
        ((uint8_t *)cj_tensor_data(x))[i] = (uint8_t)(i * 37 % 251);
    for (int64_t i = 0; i < samples; i++)
        ((uint8_t *)cj_tensor_data(y))[i] = (uint8_t)(i % 10);
    return cj_dataset(.x = {x}, .y = {y});
}

static cj_model *model_of(cj_pool *pool)
{
    cj_model *model =
        cj_sequential(cj_input(PIXELS, PIXELS, 1, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                      cj_conv2d(8, {3, 3}, .activation = "relu"), cj_max_pooling2d({2, 2}),
                      cj_flatten(), cj_dropout(0.25), cj_dense(32, .activation = "relu"),
                      cj_dense(10, .activation = "softmax"));
    assert_non_null(model);
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(),
                                .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"},
                                .pool = pool),
                     CJ_OK);
    return model;
}

// What an epoch allocates after one over the same kind of data: the plans are there.
static long long blocks_of_an_epoch(atomic_llong *blocks, int64_t batches, int threads)
{
    cj_pool *pool = cj_pool_new(threads);
    cj_model *model = model_of(pool);
    cj_dataset *data = data_of(batches);
    assert_int_equal(cj_fit(model, data, .batch_size = BATCH, .verbose = CJ_SILENT), CJ_OK);
    const long long before = atomic_load(blocks);
    assert_int_equal(cj_fit(model, data, .batch_size = BATCH, .verbose = CJ_SILENT), CJ_OK);
    const long long after = atomic_load(blocks);
    cj_release(data);
    cj_release(model); // and the pool, which compile took over
    return after - before;
}

static void steps_allocate_nothing(void **state)
{
    (void)state;
    static atomic_llong blocks;
    cj_set_memory_hook(&(cj_memory_hook){counted, &blocks});
    for (int threads = 1; threads <= 2; threads++) {
        const long long few = blocks_of_an_epoch(&blocks, FEW, threads),
                        many = blocks_of_an_epoch(&blocks, MANY, threads);
        if (few != many)
            fail_msg("%d threads: an epoch of %d batches allocates %lld blocks, one of %d "
                     "allocates %lld",
                     threads, FEW + 1, few, MANY + 1, many);
    }
    assert_true(atomic_load(&blocks) > 0);
    cj_set_memory_hook(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
