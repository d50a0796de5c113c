// Data sets whose samples are read when they are needed, and chains of them.
#include "base/random.h"
#include "data/source.h"
#include "support.h"
#include <cajal.h>
#include <stdatomic.h>
#include <string.h>

enum { SAMPLES = 57 };

static atomic_int freed, calls;

static void count_free(void *context)
{
    (void)context;
    atomic_fetch_add(&freed, 1);
}

// x is {index, pass}, y the index, the weight half of it.
static cj_status numbers(void *context, const cj_sample_read *s)
{
    (void)context;
    atomic_fetch_add(&calls, 1);
    ((float *)s->x[0])[0] = (float)s->index;
    ((float *)s->x[0])[1] = (float)s->pass;
    *(int32_t *)s->y[0] = (int32_t)s->index;
    if (s->sample_weight)
        *s->sample_weight = (float)s->index / 2;
    return CJ_OK;
}

static cj_dataset *numbered(int64_t count, bool weighted)
{
    cj_dataset *data = cj_dataset_from(.count = count, .read = numbers, .free = count_free,
                                       .x = {{CJ_F32, CJ_SHAPE(2)}}, .y = {{.dtype = CJ_I32}},
                                       .weighted = weighted);
    assert_non_null(data);
    return data;
}

// The first input of a sample, and its pass.
static float first_of(const cj_dataset *data, int64_t index, uint64_t pass, float *seen_pass)
{
    cj_dataset *one;
    assert_int_equal(cj_dataset_read(data, index, 1, pass, &one), CJ_OK);
    const float *x = cj_tensor_data(cj_dataset_x(one, 0));
    const float value = x[0];
    if (seen_pass)
        *seen_pass = x[1];
    cj_release(one);
    return value;
}

static void assert_order(const cj_dataset *data, uint64_t pass, const int *expected, int count)
{
    assert_int_equal(cj_dataset_count(data), count);
    for (int i = 0; i < count; i++)
        assert_int_equal(first_of(data, i, pass, NULL), expected[i]);
}

static void samples_come_from_a_function(void **state)
{
    (void)state;
    freed = 0;
    cj_dataset *data = numbered(SAMPLES, true), *memory;
    cj_part part;
    assert_int_equal(cj_dataset_count(data), SAMPLES);
    assert_true(cj_dataset_is_streamed(data));
    assert_null(cj_dataset_x(data, 0));
    assert_error_contains("cj_dataset_load");
    assert_null(cj_dataset_sample_weight(data));
    assert_int_equal(cj_dataset_input(data, 0, &part), CJ_OK);
    assert_true(part.dtype == CJ_F32 && cj_shape_equal(&part.shape, &CJ_SHAPE(2)));
    assert_int_equal(cj_dataset_target(data, 0, &part), CJ_OK);
    assert_true(part.dtype == CJ_I32 && part.shape.rank == 0);
    assert_int_equal(cj_dataset_target(data, 1, &part), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    assert_false(cj_dataset_is_streamed(memory));
    for (int64_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(cj_tensor_get(cj_dataset_x(memory, 0), (int64_t[]){i, 0}), i);
        assert_int_equal(cj_tensor_get(cj_dataset_y(memory, 0), &i), i);
        assert_true(cj_tensor_get(cj_dataset_sample_weight(memory), &i) * 2 == (double)i);
    }
    cj_release(memory);
    assert_int_equal(freed, 0);
    cj_release(data);
    assert_int_equal(freed, 1);
}

static void stages_choose_samples(void **state)
{
    (void)state;
    cj_dataset *data =
        cj_dataset_repeat(cj_dataset_skip(cj_dataset_take(numbered(9, false), 5), 2), 2);
    float pass;
    assert_order(data, 0, (int[]){2, 3, 4, 2, 3, 4}, 6);
    first_of(data, 4, 3, &pass);
    assert_true(pass == 7); // the second time of the fourth pass
    cj_release(data);
    data = cj_dataset_concatenate(cj_dataset_take(numbered(9, false), 2), numbered(3, false));
    assert_order(data, 0, (int[]){0, 1, 0, 1, 2}, 5);
    cj_release(data);
    data = cj_dataset_take(numbered(3, false), 100);
    assert_order(data, 0, (int[]){0, 1, 2}, 3);
    cj_release(data);
}

// Counts how often each sample comes.
static void assert_permutation(const cj_dataset *data, uint64_t pass, int count, int *order)
{
    bool seen[400] = {false};
    for (int i = 0; i < count; i++) {
        order[i] = (int)first_of(data, i, pass, NULL);
        assert_true(order[i] >= 0 && order[i] < count && !seen[order[i]]);
        seen[order[i]] = true;
    }
}

static void shuffling_is_a_permutation_of_its_own_in_each_pass(void **state)
{
    (void)state;
    int first[400], again[400];
    static const int counts[] = {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 257, 400};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        cj_dataset *data = cj_dataset_shuffle(numbered(counts[i], false), .seed = 3);
        assert_permutation(data, 0, counts[i], first);
        assert_permutation(data, 1, counts[i], again);
        if (counts[i] > 16)
            assert_memory_not_equal(first, again, (size_t)counts[i] * sizeof(int));
        cj_release(data);
    }
    cj_dataset *data =
        cj_dataset_shuffle(numbered(400, false), .seed = 3, .reshuffle_each_iteration = false);
    assert_permutation(data, 5, 400, again);
    assert_memory_equal(first, again, sizeof first);
    cj_release(data);
    data = cj_dataset_shuffle(numbered(400, false), .seed = 4);
    assert_permutation(data, 0, 400, again);
    assert_memory_not_equal(first, again, sizeof first);
    cj_release(data);
}

// Where sample 0 lands is near uniform: chi squared over many seeds.
static void shuffling_favours_no_place(void **state)
{
    (void)state;
    enum { PLACES = 10, SEEDS = 4000 };
    int64_t counts[PLACES][PLACES] = {{0}};
    for (uint64_t seed = 0; seed < SEEDS / 4; seed++) {
        cj_dataset *data = cj_dataset_shuffle(numbered(PLACES, false), .seed = seed);
        for (uint64_t pass = 0; pass < 4; pass++)
            for (int i = 0; i < PLACES; i++)
                counts[i][(int)first_of(data, i, pass, NULL)]++;
        cj_release(data);
    }
    for (int i = 0; i < PLACES; i++) {
        double chi = 0;
        for (int k = 0; k < PLACES; k++) {
            const double off = (double)counts[i][k] - SEEDS / PLACES;
            chi += off * off / (SEEDS / PLACES);
        }
        assert_true(chi < 33.7); // 9 degrees of freedom, one in 10,000
    }
}

static cj_status doubled(void *context, const cj_sample_map *s)
{
    (void)context;
    const float *x = s->x[0];
    ((double *)s->to_x[0])[0] = 2.0 * (double)x[0];
    ((double *)s->to_x[0])[1] = (double)s->index;
    ((double *)s->to_x[0])[2] = (double)s->pass;
    *(int32_t *)s->to_y[0] = -*(const int32_t *)s->y[0];
    *s->sample_weight += 1;
    return CJ_OK;
}

static void a_function_changes_samples(void **state)
{
    (void)state;
    freed = 0;
    cj_dataset *memory, *data = cj_dataset_map(cj_dataset_skip(numbered(5, true), 2),
                                               .call = doubled, .free = count_free, .x_count = 1,
                                               .x = {{CJ_F64, CJ_SHAPE(3)}}, .one_thread = true);
    assert_int_equal(cj_dataset_read(data, 1, 2, 7, &memory), CJ_OK);
    const double *x = cj_tensor_data(cj_dataset_x(memory, 0));
    static const double expected[] = {6, 1, 7, 8, 2, 7};
    assert_memory_equal(x, expected, sizeof expected);
    assert_true(cj_tensor_get(cj_dataset_y(memory, 0), (int64_t[]){1}) == -4);
    assert_true(cj_tensor_get(cj_dataset_sample_weight(memory), (int64_t[]){1}) == 3);
    cj_release(memory);
    cj_release(data);
    assert_int_equal(freed, 2);
}

static void data_sets_are_zipped(void **state)
{
    (void)state;
    cj_tensor *w;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(4), (float[]){5, 6, 7, 8}, 4, &w), CJ_OK);
    cj_dataset *weights = cj_dataset(.x = {w});
    cj_dataset *twice = numbered(9, true);
    cj_dataset *data = cj_dataset_zip(.x = {twice, cj_dataset_skip(twice, 3)},
                                      .y = {numbered(8, false)}, .sample_weight = weights);
    cj_dataset *memory;
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    assert_int_equal(cj_dataset_count(memory), 4);
    assert_int_equal(cj_tensor_get(cj_dataset_x(memory, 0), (int64_t[]){3, 0}), 3);
    assert_int_equal(cj_tensor_get(cj_dataset_x(memory, 1), (int64_t[]){3, 0}), 6);
    assert_int_equal(cj_tensor_get(cj_dataset_y(memory, 0), (int64_t[]){3, 0}), 3);
    assert_int_equal(cj_tensor_get(cj_dataset_sample_weight(memory), (int64_t[]){3}), 8);
    cj_release(memory);
    cj_release(data);
}

static void a_cache_reads_once(void **state)
{
    (void)state;
    float pass;
    cj_dataset *data = cj_dataset_cache(numbered(10, false), 4 * 128);
    calls = 0;
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 10; i++) {
            assert_int_equal(first_of(data, i, 5, &pass), i);
            assert_true(pass == 0);
        }
    assert_int_equal(calls, 4 + 3 * 6); // a sample takes two lines of 64 bytes: four fit
    cj_release(data);
}

// All batches of some passes as one sum of bytes in order.
static uint64_t digest(cj_dataset *data, int64_t size, const int64_t *order, int64_t first)
{
    cj__reader *reader;
    cj__batch b;
    uint64_t sum = 1469598103934665603u;
    assert_int_equal(cj__reader_new(data, size, order, &reader), CJ_OK);
    for (uint64_t pass = 0; pass < 3; pass++) {
        cj__reader_set_pass(reader, pass);
        cj__reader_start(reader, order, first);
        int64_t index = first;
        for (; cj__reader_next(reader, &b); index++) {
            assert_int_equal(b.index, index);
            const unsigned char *x = b.x[0];
            for (int64_t i = 0; i < b.count * 8; i++)
                sum = (sum ^ x[i]) * 1099511628211u;
        }
        assert_int_equal(cj__reader_status(reader), CJ_OK);
        assert_int_equal(index, cj__reader_batches(reader));
    }
    cj__reader_free(reader);
    return sum;
}

static void any_number_of_threads_reads_the_same(void **state)
{
    (void)state;
    int64_t order[SAMPLES];
    cj__random_order(1, 2, order, SAMPLES);
    for (int shuffled = 0; shuffled < 2; shuffled++)
        for (int64_t size = 1; size < 70; size += 6) {
            const int64_t *in = shuffled ? order : NULL;
            cj_dataset *data = cj_dataset_shuffle(numbered(SAMPLES, false));
            cj_dataset *one = cj__own(cj_dataset_prefetch(data, .threads = 1, .batches = 1));
            cj_dataset *many = cj__own(cj_dataset_prefetch(one, .threads = 7, .batches = 5));
            const uint64_t expected = digest(one, size, in, 0), late = digest(one, size, in, 0);
            assert_true(expected == late);
            for (int i = 0; i < 5; i++)
                assert_true(digest(many, size, in, 0) == expected);
            cj_release(many);
            cj_release(one);
        }
}

static void a_pass_may_be_abandoned(void **state)
{
    (void)state;
    cj_dataset *data = numbered(SAMPLES, false);
    cj__reader *reader;
    cj__batch b;
    int64_t order[SAMPLES];
    assert_int_equal(cj__reader_new(data, 4, true, &reader), CJ_OK);
    for (int i = 0; i < 200; i++) {
        cj__random_order(6, (uint64_t)i, order, SAMPLES);
        cj__reader_set_pass(reader, (uint64_t)i);
        cj__reader_start(reader, order, i % 3);
        for (int k = 0; k < i % 7; k++) {
            assert_true(cj__reader_next(reader, &b));
            for (int64_t n = 0; n < b.count; n++) {
                assert_true(((const float *)b.x[0])[2 * n] == (float)order[b.index * 4 + n]);
                assert_true(((const float *)b.x[0])[2 * n + 1] == (float)i);
            }
        }
        if (i < 199) // the last one is freed in the middle
            cj__reader_stop(reader);
    }
    cj__reader_free(reader);
    cj_release(data);
}

static cj_status broken(void *context, const cj_sample_read *s)
{
    CJ_TRY(numbers(context, s));
    if (s->index == 33 || s->index == 34)
        return cj_fail(CJ_IO, "the tape of sample %lld is torn", (long long)s->index);
    return s->index == 50 ? CJ_NOT_FOUND : CJ_OK;
}

static void the_first_failure_is_told(void **state)
{
    (void)state;
    cj_dataset *memory,
        *data = cj_dataset_from(.count = SAMPLES, .read = broken, .x = {{CJ_F32, CJ_SHAPE(2)}},
                                .y = {{.dtype = CJ_I32}});
    cj__reader *reader;
    cj__batch b;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(cj_dataset_load(data, &memory), CJ_IO);
        assert_error_contains("sample 33: the tape of sample 33");
        assert_null(memory);
        assert_int_equal(cj__reader_new(data, 20, false, &reader), CJ_OK);
        cj__reader_start(reader, NULL, 0);
        assert_true(cj__reader_next(reader, &b));
        assert_false(cj__reader_next(reader, &b));
        assert_int_equal(cj__reader_status(reader), CJ_IO);
        assert_error_contains("the tape of sample 33");
        cj__reader_free(reader);
    }
    assert_int_equal(cj_dataset_read(data, 40, 17, 0, &memory), CJ_NOT_FOUND);
    assert_error_contains("sample 50");
    cj_release(data);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    freed = 0;
    assert_null(cj_dataset_from(.count = 3, .free = count_free));
    assert_null(cj_dataset_from(.count = 0, .read = numbers, .free = count_free));
    assert_null(cj_dataset_from(.count = 3, .read = numbers, .x_count = 0, .free = count_free));
    assert_null(cj_dataset_from(.count = 3, .read = numbers, .x_count = 9, .free = count_free));
    assert_null(cj_dataset_from(.count = 3, .read = numbers, .free = count_free,
                                .x = {{CJ_F32, {3, {2, 0, 1}}}}));
    assert_error_contains("shape");
    assert_null(cj_dataset_from(.count = 3, .read = numbers, .free = count_free,
                                .x = {{.dtype = CJ_STRING}}));
    assert_null(cj_dataset_from(.count = INT64_MAX / 4, .read = numbers, .free = count_free,
                                .x = {{CJ_F64, CJ_SHAPE(1000)}}));
    assert_int_equal(freed, 7);
    assert_null(cj_dataset_take(numbered(3, false), 0));
    assert_null(cj_dataset_skip(numbered(3, false), 3));
    assert_null(cj_dataset_repeat(numbered(3, false), INT64_MAX));
    assert_null(cj_dataset_cache(numbered(3, false), 100));
    assert_null(cj_dataset_map(numbered(3, false)));
    assert_null(cj_dataset_batch(numbered(3, false), 0));
    assert_null(cj_dataset_batch(numbered(3, false), 4, .drop_remainder = true));
    assert_null(cj_dataset_shuffle(cj_dataset_batch(numbered(3, false), 2)));
    assert_error_contains("batched");
    assert_null(cj_dataset_prefetch(numbered(3, false), .threads = 65));
    assert_null(cj_dataset_concatenate(numbered(3, false), numbered(3, true)));
    cj_dataset *same = numbered(3, false);
    assert_null(cj_dataset_concatenate(same, cj_dataset_batch(same, 2)));
    assert_null(cj_dataset_zip(.y = {numbered(3, false)}));
    assert_null(cj_dataset_zip(.x = {numbered(3, false)}, .sample_weight = numbered(3, false)));
    assert_int_equal(freed, 7 + 15);
    assert_null(cj_dataset_take(&cj_no_dataset, 1));
    assert_null(cj_dataset_take(cj_dataset_from(.count = 0), 1));
    assert_error_contains("cj_dataset_from: read");
    assert_null(cj_dataset_map(cj_dataset(), .call = doubled));
}

// Each part can be counted, all of them cannot: their bytes are 2^64.
static void samples_beyond_counting_are_refused(void **state)
{
    (void)state;
    const cj_part part = {CJ_F64, CJ_SHAPE((int64_t)1 << 58)};
    for (int i = 0; i < 2; i++) {
        cj_dataset *data = cj_dataset_from(.count = 1, .read = numbers, .x_count = 8, .y_count = 0,
                                           .x = {part, part, part, part, part, part, part, part});
        assert_non_null(data);
        assert_null(i ? cj_dataset_cache(data, 1000) : cj_dataset_map(data, .call = doubled));
        assert_int_equal(cj_error_status(), CJ_OUT_OF_MEMORY);
    }
}

static void batches_are_the_chains(void **state)
{
    (void)state;
    cj_dataset *data =
        cj_dataset_cache(cj_dataset_batch(numbered(10, false), 4, .drop_remainder = true), 1 << 20);
    assert_int_equal(cj_dataset_count(data), 8);
    assert_int_equal(cj__dataset_batch_size(data), 4);
    assert_true(cj__dataset_has_order(data));
    cj_release(data);
}

static void slices_share_what_is_streamed(void **state)
{
    (void)state;
    freed = 0;
    cj_dataset *slice, *data = numbered(10, false);
    assert_int_equal(cj_dataset_slice(data, 4, 3, &slice), CJ_OK);
    cj_release(data);
    assert_order(slice, 0, (int[]){4, 5, 6}, 3);
    assert_int_equal(freed, 0);
    cj_release(slice);
    assert_int_equal(freed, 1);
}

static void texts_go_through_a_chain(void **state)
{
    (void)state;
    cj_tensor *texts;
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(3, 1), CJ_TEXTS("a", "b", "c"), &texts), CJ_OK);
    cj_dataset *memory, *data = cj_dataset_cache(cj_dataset_skip(cj_dataset(.x = {texts}), 1), 999);
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    cj_release(data);
    assert_string_equal(cj_tensor_text(cj_dataset_x(memory, 0), (int64_t[]){1, 0}).data, "c");
    cj_release(memory);
}

static cj_status make_and_read(void *context)
{
    cj_dataset *data = cj_dataset_from(.count = 9, .read = numbers, .x = {{CJ_F32, CJ_SHAPE(2)}},
                                       .y = {{.dtype = CJ_I32}}, .weighted = true);
    cj_dataset *memory = NULL;
    (void)context;
    data = cj_dataset_cache(cj_dataset_map(cj_dataset_shuffle(cj_dataset_take(data, 7)),
                                           .call = doubled, .x_count = 1,
                                           .x = {{CJ_F64, CJ_SHAPE(3)}}),
                            1000);
    if (!data)
        return cj_error_status();
    const cj_status status = cj_dataset_read(data, 2, 1, 0, &memory);
    cj_release(memory);
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
        cmocka_unit_test(samples_come_from_a_function),
        cmocka_unit_test(stages_choose_samples),
        cmocka_unit_test(shuffling_is_a_permutation_of_its_own_in_each_pass),
        cmocka_unit_test(shuffling_favours_no_place),
        cmocka_unit_test(a_function_changes_samples),
        cmocka_unit_test(data_sets_are_zipped),
        cmocka_unit_test(a_cache_reads_once),
        cmocka_unit_test(any_number_of_threads_reads_the_same),
        cmocka_unit_test(a_pass_may_be_abandoned),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(samples_beyond_counting_are_refused),
        cmocka_unit_test(batches_are_the_chains),
        cmocka_unit_test(slices_share_what_is_streamed),
        cmocka_unit_test(texts_go_through_a_chain),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
