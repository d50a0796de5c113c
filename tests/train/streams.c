// Training, testing and predicting on data sets whose samples are read when they are needed.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include "train/state.h"
#include <cajal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 96, WIDTH = 6, CLASSES = 3 };

static float feature(int64_t index, int64_t column, uint64_t pass)
{
    const int64_t n = (index * 37 + column * 11 + (int64_t)pass * 5) % 29;
    return (float)n / 29 + (index % CLASSES == column % CLASSES ? 1 : 0);
}

// With a context the samples change from pass to pass.
static cj_status read_row(void *context, const cj_sample_read *s)
{
    for (int64_t k = 0; k < WIDTH; k++)
        ((float *)s->x[0])[k] = feature(s->index, k, context ? s->pass : 0);
    *(int32_t *)s->y[0] = (int32_t)(s->index % CLASSES);
    return CJ_OK;
}

static cj_dataset *streamed(bool changing)
{
    static int yes;
    cj_dataset *data =
        cj_dataset_from(.count = SAMPLES, .read = read_row, .context = changing ? &yes : NULL,
                        .x = {{CJ_F32, CJ_SHAPE(WIDTH)}}, .y = {{.dtype = CJ_I32}});
    assert_non_null(data);
    return data;
}

static cj_model *made(void)
{
    cj_model *model = cj_sequential(cj_input(WIDTH), cj_dense(8, .activation = "relu"),
                                    cj_dropout(0.2), cj_dense(CLASSES, .activation = "softmax"));
    assert_int_equal(
        cj_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}),
        CJ_OK);
    return model;
}

static void assert_same_weights(cj_model *a, cj_model *b)
{
    for (int l = 0; l < cj_model_layer_count(a); l++)
        for (int i = 0; i < cj_layer_variable_count(cj_model_layer_at(a, l)); i++) {
            const cj_tensor *x = cj_variable_value(cj_layer_variable(cj_model_layer_at(a, l), i));
            const cj_tensor *y = cj_variable_value(cj_layer_variable(cj_model_layer_at(b, l), i));
            assert_memory_equal(cj_tensor_data(x), cj_tensor_data(y),
                                (size_t)cj_tensor_count(x) * cj_dtype_size(cj_tensor_dtype(x)));
        }
}

static void a_stream_trains_as_memory_does(void **state)
{
    (void)state;
    cj_dataset *stream = streamed(false), *memory;
    assert_int_equal(cj_dataset_load(stream, &memory), CJ_OK);
    cj_model *a = made(), *b = made();
    cj_results *x, *y;
    assert_int_equal(cj_fit(a, stream, .epochs = 3, .batch_size = 7, .validation_split = 0.25),
                     CJ_OK);
    assert_int_equal(cj_fit(b, memory, .epochs = 3, .batch_size = 7, .validation_split = 0.25),
                     CJ_OK);
    assert_same_weights(a, b);
    assert_int_equal(cj_evaluate(a, stream, &x, .batch_size = 10), CJ_OK);
    assert_int_equal(cj_evaluate(b, memory, &y, .batch_size = 10), CJ_OK);
    assert_true(cj_results_value(x, "loss") == cj_results_value(y, "loss"));
    cj_tensor *p[1], *q;
    assert_int_equal(cj_predict_data(a, stream, p, .batch_size = 11), CJ_OK);
    assert_int_equal(cj_predict(b, cj_dataset_x(memory, 0), &q, .batch_size = 11), CJ_OK);
    assert_memory_equal(cj_tensor_data(p[0]), cj_tensor_data(q),
                        (size_t)cj_tensor_count(q) * sizeof(float));
    cj_release(p[0]);
    cj_release(q);
    cj_release(x);
    cj_release(y);
    cj_release(a);
    cj_release(b);
    cj_release(stream);
    cj_release(memory);
}

static cj_status stop_at(void *self, cj_model *model, cj_logs *logs)
{
    int *left = self;
    (void)model;
    logs->stop = --*left == 0;
    return CJ_OK;
}

static cj_dataset *chain(int threads)
{
    return cj_dataset_prefetch(
        cj_dataset_batch(cj_dataset_shuffle(cj_dataset_repeat(streamed(true), 2), .seed = 5), 7),
        .threads = threads, .batches = 3);
}

static void a_stopped_run_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    cj_dataset *data = chain(3), *one = chain(1);
    cj_model *whole = made();
    assert_int_equal(cj_fit(whole, data, .epochs = 4), CJ_OK);
    for (int batches = 1; batches < 90; batches += 13) {
        int left = batches;
        const cj_callback_methods methods = {.size = sizeof methods, .batch_end = stop_at};
        cj_model *model = made();
        assert_int_equal(
            cj_fit(model, one, .epochs = 4, .callbacks = {cj_callback_new(&methods, &left)}),
            CJ_OK);
        assert_int_equal(cj_save(model, support_path("stopped.safetensors")), CJ_OK);
        cj_release(model);
        assert_non_null(model = cj_load(support_path("stopped.safetensors")));
        assert_int_equal(cj_fit(model, data, .epochs = 4, .resume = true), CJ_OK);
        assert_same_weights(whole, model);
        cj_release(model);
    }
    cj_release(whole);
    cj_release(data);
    cj_release(one);
}

static void samples_change_from_epoch_to_epoch(void **state)
{
    (void)state;
    cj_dataset *still = streamed(false), *moving = streamed(true);
    cj_model *a = made(), *b = made();
    assert_int_equal(cj_fit(a, still, .epochs = 2), CJ_OK);
    assert_int_equal(cj_fit(b, moving, .epochs = 2), CJ_OK);
    const cj_tensor *x = cj_variable_value(cj_layer_variable(cj_model_layer_at(a, 0), 0));
    const cj_tensor *y = cj_variable_value(cj_layer_variable(cj_model_layer_at(b, 0), 0));
    assert_memory_not_equal(cj_tensor_data(x), cj_tensor_data(y), sizeof(float) * WIDTH);
    cj_release(a);
    cj_release(b);
    cj_release(still);
    cj_release(moving);
}

static cj_status read_bad_label(void *context, const cj_sample_read *s)
{
    CJ_TRY(read_row(NULL, s));
    if (s->index == 40)
        *(int32_t *)s->y[0] = 3;
    if (s->index == 60 && context)
        ((float *)s->x[0])[2] = 0.0f / 0.0f;
    if (s->index == 80)
        return cj_fail(CJ_IO, "no more");
    return CJ_OK;
}

static void bad_samples_are_refused(void **state)
{
    (void)state;
    cj_results *results = NULL;
    int yes;
    cj_dataset *data = cj_dataset_from(.count = SAMPLES, .read = read_bad_label, .context = &yes,
                                       .x = {{CJ_F32, CJ_SHAPE(WIDTH)}}, .y = {{.dtype = CJ_I32}});
    cj_dataset *early, *late, *last;
    cj_model *model = made();
    assert_int_equal(cj_fit(model, data, .batch_size = 8, .shuffle = false), CJ_INVALID_ARGUMENT);
    assert_error_contains("epoch 1, batch 6: cj_fit: label 3 of sample 40 is outside");
    assert_int_equal(cj_dataset_slice(data, 0, 60, &early), CJ_OK);
    assert_int_equal(cj_fit(model, early, .batch_size = 8), CJ_INVALID_ARGUMENT);
    assert_error_contains("label 3 of sample 40 is outside"); // wherever it came in the order
    cj_release(early);
    assert_int_equal(cj_dataset_slice(data, 41, 55, &late), CJ_OK);
    assert_int_equal(cj_evaluate(model, late, &results), CJ_INVALID_ARGUMENT);
    assert_error_contains("input 0 of sample 19 is NaN");
    assert_null(results);
    assert_int_equal(cj_dataset_slice(data, 61, 35, &last), CJ_OK);
    assert_int_equal(cj_fit(model, last, .batch_size = 8, .shuffle = false), CJ_IO);
    assert_error_contains("sample 80: no more");
    assert_int_equal(cj_train_on_batch(model, last, NULL), CJ_IO);
    cj_tensor *outputs[1];
    assert_int_equal(cj_predict_data(model, last, outputs), CJ_IO);
    assert_null(outputs[0]);
    cj_release(last);
    cj_release(late);
    cj_release(data);
    cj_release(model);
}

static void class_weights_are_for_classes(void **state)
{
    (void)state;
    cj_dataset *data = streamed(false), *memory;
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    static const double weights[] = {1, 3, 0.5};
    cj_model *a = made(), *b = made();
    assert_int_equal(cj_fit(a, data, .class_weight = weights, .class_count = 3), CJ_OK);
    assert_int_equal(cj_fit(b, memory, .class_weight = weights, .class_count = 3), CJ_OK);
    assert_same_weights(a, b);
    cj_release(a);
    cj_release(b);
    cj_release(data);
    cj_release(memory);
}

static cj_status read_slowly(void *context, const cj_sample_read *s)
{
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    return read_row(context, s);
}

static double seen;
static cj_status look_at_wait(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model;
    seen = logs->waited;
    return CJ_OK;
}

static void waiting_is_told(void **state)
{
    (void)state;
    cj_dataset *slow = cj_dataset_from(.count = SAMPLES, .read = read_slowly, .one_thread = true,
                                       .x = {{CJ_F32, CJ_SHAPE(WIDTH)}}, .y = {{.dtype = CJ_I32}});
    cj_model *model = made();
    const cj_callback_methods methods = {.size = sizeof methods, .epoch_end = look_at_wait};
    FILE *stream = tmpfile();
    assert_true(cj_data_wait(model) == 0);
    assert_int_equal(cj_fit(model, slow, .epochs = 1, .verbose = CJ_LINES, .stream = stream,
                            .callbacks = {cj_callback_new(&methods, NULL)}),
                     CJ_OK);
    assert_true(cj_data_wait(model) > 0.2 && seen > 0.2);
    char line[1024] = "";
    rewind(stream);
    assert_non_null(fgets(line, sizeof line, stream));
    assert_non_null(strstr(line, "s for data"));
    fclose(stream);
    cj_dataset *cached = cj_dataset_cache(slow, 1 << 20);
    cj_dataset *memory = streamed(false);
    assert_int_equal(cj_fit(model, memory), CJ_OK);
    assert_int_equal(
        cj_fit(model, cached, .epochs = 3, .callbacks = {cj_callback_new(&methods, NULL)}), CJ_OK);
    assert_true(seen < 0.1); // after the first epoch nothing is read
    cj_release(cached);
    cj_release(memory);
    cj_release(model);
}

static cj_status read_image(void *context, const cj_sample_read *s)
{
    (void)context;
    for (int i = 0; i < 12; i++)
        ((unsigned char *)s->x[0])[i] = (unsigned char)(s->index + 10 * (i % 4));
    *(int32_t *)s->y[0] = (int32_t)s->index;
    return CJ_OK;
}

// Layers on the data's side: the same for any reader, another draw for each sample and pass.
static void layers_change_samples(void **state)
{
    (void)state;
    cj_dataset *images =
        cj_dataset_from(.count = 40, .read = read_image, .x = {{CJ_U8, CJ_SHAPE(3, 4, 1)}},
                        .y = {{.dtype = CJ_I32}});
    cj_dataset *data = cj_take(cj_dataset_augment(
        images, cj_sequential(cj_random_flip("horizontal", .seed = 3), cj_rescaling(2))));
    assert_non_null(data);
    cj_part part;
    assert_int_equal(cj_dataset_input(data, 0, &part), CJ_OK);
    assert_true(part.dtype == CJ_F32 && cj_shape_equal(&part.shape, &CJ_SHAPE(3, 4, 1)));
    bool flips[2][40];
    for (uint64_t pass = 0; pass < 2; pass++) {
        cj_dataset *all, *one;
        assert_int_equal(cj_dataset_read(data, 0, 40, pass, &all), CJ_OK);
        const float *x = cj_tensor_data(cj_dataset_x(all, 0));
        for (int i = 0; i < 40; i++) {
            flips[pass][i] = x[12 * i] > x[12 * i + 3];
            for (int k = 0; k < 12; k++)
                assert_true(x[12 * i + k] ==
                            2.0f * (float)(i + 10 * (flips[pass][i] ? 3 - k % 4 : k % 4)));
        }
        assert_int_equal(((int32_t *)cj_tensor_data(cj_dataset_y(all, 0)))[39], 39);
        for (int64_t i = 39; i >= 0; i -= 7) {
            assert_int_equal(cj_dataset_read(data, i, 1, pass, &one), CJ_OK);
            assert_memory_equal(cj_tensor_data(cj_dataset_x(one, 0)), x + 12 * i,
                                12 * sizeof(float));
            cj_release(one);
        }
        cj_release(all);
    }
    int flipped = 0, changed = 0;
    for (int i = 0; i < 40; i++) {
        flipped += flips[0][i];
        changed += flips[0][i] != flips[1][i];
    }
    assert_true(flipped > 8 && flipped < 32 && changed > 8);
    cj_model *model =
        cj_sequential(cj_input(3, 4, 1), cj_flatten(), cj_dense(40, .activation = "softmax"));
    assert_int_equal(cj_compile(model, .loss = "sparse_categorical_crossentropy"), CJ_OK);
    assert_int_equal(cj_fit(model, data, .epochs = 2), CJ_OK);
    cj_release(model);
    assert_null(cj_dataset_augment(data, NULL));
    assert_null(cj_dataset_augment(data, cj_sequential(cj_conv2d(2, {9, 9}))));
    assert_error_contains("kernel 9x9");
    assert_null(cj_dataset_augment(data, cj_sequential(cj_input(4, 4, 1), cj_flatten())));
    assert_error_contains("needs (None, 4, 4, 1)");
    cj_symbol *x = cj_input_symbol(3, 4, 1);
    cj_symbol *sum = cj_op_reduce_sum(x, (const int[]){0}, 1);
    assert_null(cj_dataset_augment(data, cj_functional(.inputs = {x}, .outputs = {sum})));
    assert_error_contains("not one row a sample");
    cj_release(data);
}

// What a pass over more samples than an order is kept for has read.
enum { MANY = (1 << 20) + 77 };
typedef struct seen_samples {
    unsigned char *times; // of each sample
    int64_t first[64];    // the first that were read
    int count;
} seen_samples;

static cj_status read_number(void *context, const cj_sample_read *s)
{
    seen_samples *all = context;
    all->times[s->index]++;
    if (all->count < 64)
        all->first[all->count++] = s->index;
    *(float *)s->x[0] = *(float *)s->y[0] = (float)(s->index % 7);
    return CJ_OK;
}

static void very_many_samples_are_shuffled(void **state)
{
    (void)state;
    seen_samples all = {.times = calloc(MANY, 1)};
    cj_dataset *data =
        cj_dataset_from(.count = MANY, .read = read_number, .context = &all,
                        .x = {{CJ_F32, CJ_SHAPE(1)}}, .y = {{.dtype = CJ_F32}}, .one_thread = true);
    data = cj_take(cj_dataset_prefetch(data, .threads = 1));
    cj_model *model = cj_sequential(cj_input(1), cj_dense(1));
    assert_int_equal(cj_compile(model, .loss = "mse"), CJ_OK);
    assert_int_equal(cj_fit(model, data, .batch_size = 8192, .verbose = CJ_SILENT), CJ_OK);
    for (int64_t i = 0; i < MANY; i++)
        assert_int_equal(all.times[i], 1);
    int64_t order[64], far = 0;
    memcpy(order, all.first, sizeof order);
    for (int i = 0; i < 63; i++)
        far += order[i] + 1 != order[i + 1];
    assert_true(far > 60);
    all.count = 0;
    assert_int_equal(cj_fit(model, data, .batch_size = 8192, .verbose = CJ_SILENT, .epochs = 2,
                            .initial_epoch = 1, .steps_per_epoch = 1),
                     CJ_OK);
    assert_memory_not_equal(order, all.first, sizeof order);
    cj_release(model);
    cj_release(data);
    free(all.times);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(very_many_samples_are_shuffled),
        cmocka_unit_test(a_stream_trains_as_memory_does),
        cmocka_unit_test(a_stopped_run_goes_on_to_the_same_bits),
        cmocka_unit_test(samples_change_from_epoch_to_epoch),
        cmocka_unit_test(bad_samples_are_refused),
        cmocka_unit_test(class_weights_are_for_classes),
        cmocka_unit_test(waiting_is_told),
        cmocka_unit_test(layers_change_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
