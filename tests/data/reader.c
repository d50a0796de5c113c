// Data sets and the batches that a reader makes of them.
#include "data/dataset.h"
#include "base/random.h"
#include "support.h"
#include "tensor/tensor.h"
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 103, WIDTH = 7 };

// Sample i is {i, i + 1, ...} in bytes, its target i in int32, its weight i / 2.
static cj_dataset *numbered(void)
{
    cj_tensor *x, *y, *weight;
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(SAMPLES, WIDTH), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(SAMPLES), &y), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(SAMPLES, 1), &weight), CJ_OK);
    for (int i = 0; i < SAMPLES; i++) {
        for (int k = 0; k < WIDTH; k++)
            ((unsigned char *)cj_tensor_data(x))[i * WIDTH + k] = (unsigned char)(i + k);
        ((int32_t *)cj_tensor_data(y))[i] = i;
        ((double *)cj_tensor_data(weight))[i] = i / 2.0;
    }
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y}, .sample_weight = weight);
    assert_non_null(data);
    return data;
}

static void check_batch(const cj__batch *b, const int64_t *order, int64_t size)
{
    for (int64_t k = 0; k < b->count; k++) {
        int64_t sample = order ? order[b->index * size + k] : b->index * size + k;
        for (int w = 0; w < WIDTH; w++)
            assert_int_equal(((const unsigned char *)b->x[0])[k * WIDTH + w], sample + w);
        assert_int_equal(((const int32_t *)b->y[0])[k], sample);
        assert_true(((const float *)b->weights[0])[k] == (float)sample / 2);
    }
}

// Reads a pass from `first` on and checks every sample and the number of batches.
static void check_pass(cj__reader *reader, const int64_t *order, int64_t size, int64_t first)
{
    cj__batch b;
    int64_t index = first, batches = (SAMPLES + size - 1) / size;
    cj__reader_start(reader, order, first);
    for (; cj__reader_next(reader, &b); index++) {
        assert_int_equal(b.index, index);
        assert_int_equal(b.count, index + 1 < batches ? size : SAMPLES - size * (batches - 1));
        check_batch(&b, order, size);
    }
    assert_int_equal(index, batches);
    assert_false(cj__reader_next(reader, &b));
}

static void check_reader(int64_t size)
{
    cj_dataset *data = numbered();
    cj__reader *reader;
    int64_t order[SAMPLES];
    assert_int_equal(cj__reader_new(data, size, true, &reader), CJ_OK);
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        cj__random_order(5, epoch, order, SAMPLES);
        check_pass(reader, order, size, 0);
        check_pass(reader, order, size, (int64_t)epoch % cj__reader_batches(reader));
        check_pass(reader, NULL, size, 0);
    }
    cj__reader_free(reader);
    cj_release(data);
}

static void gathers_at_once(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= SAMPLES; size += 17)
        check_reader(size);
}

static void an_abandoned_pass_leaves_no_trace(void **state)
{
    (void)state;
    cj_dataset *data = numbered();
    cj__reader *reader;
    cj__batch b;
    int64_t order[SAMPLES];
    assert_int_equal(cj__reader_new(data, 2, true, &reader), CJ_OK);
    for (int i = 0; i < 50; i++) {
        cj__random_order(6, (uint64_t)i, order, SAMPLES);
        cj__reader_start(reader, order, 0);
        for (int k = 0; k < i % 7; k++)
            assert_true(cj__reader_next(reader, &b));
        cj__reader_stop(reader);
        assert_false(cj__reader_next(reader, &b));
    }
    cj__reader_start(reader, order, 0);
    check_pass(reader, order, 2, 3);
    cj__reader_start(reader, order, 0);
    cj__reader_free(reader);
    cj_release(data);
}

static void large_batches_are_gathered_whole(void **state)
{
    (void)state;
    enum { COUNT = 64, BYTES = 200000 };
    cj_tensor *x;
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(COUNT, BYTES), &x), CJ_OK);
    for (int i = 0; i < COUNT; i++)
        memset((char *)cj_tensor_data(x) + (size_t)i * BYTES, i, BYTES);
    cj_dataset *data = cj_dataset(.x = {x});
    cj__reader *reader;
    int64_t order[COUNT];
    assert_int_equal(cj__reader_new(data, 3, true, &reader), CJ_OK);
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        cj__random_order(7, epoch, order, COUNT);
        cj__reader_start(reader, order, 0);
        for (cj__batch b; cj__reader_next(reader, &b);)
            for (int64_t k = 0; k < b.count; k++) {
                const unsigned char *sample = (const unsigned char *)b.x[0] + k * BYTES;
                assert_int_equal(sample[0], b.samples[k]);
                assert_int_equal(sample[BYTES - 1], b.samples[k]);
            }
    }
    cj__reader_free(reader);
    cj_release(data);
}

static void data_in_its_own_order_is_not_copied(void **state)
{
    (void)state;
    cj_dataset *data = numbered();
    cj__reader *reader;
    cj__batch b;
    assert_int_equal(cj__reader_new(data, 10, false, &reader), CJ_OK);
    cj__reader_start(reader, NULL, 4);
    assert_true(cj__reader_next(reader, &b));
    assert_ptr_equal(b.x[0], (char *)cj_tensor_data(cj_dataset_x(data, 0)) + 40 * WIDTH);
    assert_null(b.samples);
    cj__reader_free(reader);
    cj_release(data);
}

static void views_with_gaps_are_gathered(void **state)
{
    (void)state;
    float values[4 * 3];
    for (int i = 0; i < 12; i++)
        values[i] = (float)i;
    cj_tensor *plain, *turned;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(4, 3), values, 12, &plain), CJ_OK);
    assert_int_equal(cj_tensor_transpose(plain, (int[]){1, 0}, &turned), CJ_OK);
    cj_release(plain);
    cj_dataset *data = cj_dataset(.x = {turned});
    cj__reader *reader;
    cj__batch b;
    assert_int_equal(cj__reader_new(data, 2, false, &reader), CJ_OK);
    cj__reader_start(reader, NULL, 0);
    assert_true(cj__reader_next(reader, &b));
    assert_memory_equal(b.x[0], ((float[]){0, 3, 6, 9, 1, 4, 7, 10}), 8 * sizeof(float));
    cj__reader_free(reader);
    cj_release(data);
}

static void a_slice_shares_memory(void **state)
{
    (void)state;
    cj_dataset *data = numbered(), *slice;
    assert_int_equal(cj_dataset_slice(data, 100, 3, &slice), CJ_OK);
    assert_int_equal(cj_dataset_count(slice), 3);
    assert_ptr_equal(cj_tensor_data(cj_dataset_x(slice, 0)),
                     (char *)cj_tensor_data(cj_dataset_x(data, 0)) + 100 * WIDTH);
    assert_true(((float *)cj_tensor_data(cj_dataset_sample_weight(slice)))[0] == 50);
    cj_release(data);
    assert_int_equal(((int32_t *)cj_tensor_data(cj_dataset_y(slice, 0)))[2], 102);
    assert_null(cj_dataset_y(slice, 1));
    cj_dataset *beyond;
    assert_int_equal(cj_dataset_slice(slice, 2, 2, &beyond), CJ_INVALID_ARGUMENT);
    cj_release(slice);
}

static void tensors_must_agree_in_samples(void **state)
{
    (void)state;
    cj_tensor *x, *y;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(4, 2), &x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(5), &y), CJ_OK);
    assert_null(cj_dataset(.x = {x}, .y = {y}));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    assert_error_contains("y[0] has 5 samples, x[0] has 4");
    assert_null(cj_dataset(.x = {NULL}));
}

// One floating tensor as input and target, then two readers' worth of everything.
static cj_status make_and_read(void *context)
{
    (void)context;
    cj_tensor *x;
    CJ_TRY(cj_tensor_new(CJ_U8, CJ_SHAPE(9, 2), &x));
    cj_tensor *weight;
    cj_status status = cj_tensor_new(CJ_F64, CJ_SHAPE(9), &weight);
    if (status != CJ_OK) {
        cj_release(x);
        return status;
    }
    cj_dataset *data = cj_dataset(.x = {x}, .y = {x}, .sample_weight = weight), *slice = NULL;
    if (!data)
        return cj_error_status();
    cj__reader *reader = NULL;
    status = cj_dataset_slice(data, 1, 7, &slice);
    if (status == CJ_OK)
        status = cj__reader_new(slice, 2, true, &reader);
    cj__reader_free(reader);
    cj_release(slice);
    cj_release(data);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    support_fail_each_allocation(make_and_read, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gathers_at_once),
        cmocka_unit_test(an_abandoned_pass_leaves_no_trace),
        cmocka_unit_test(large_batches_are_gathered_whole),
        cmocka_unit_test(data_in_its_own_order_is_not_copied),
        cmocka_unit_test(views_with_gaps_are_gathered),
        cmocka_unit_test(a_slice_shares_memory),
        cmocka_unit_test(tensors_must_agree_in_samples),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
