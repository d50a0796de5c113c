// Recordings and series, against TensorFlow, SciPy and Keras (sounds.txt and sounds/, by
// make_sounds.py).
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static FILE *open_numbers(void)
{
    FILE *file = fopen(CAJAL_TEST_SOURCES "/data/sounds.txt", "r");
    assert_non_null(file);
    return file;
}

static const char *file_of(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], CAJAL_TEST_SOURCES "/data/sounds/%s", name);
    return path;
}

// The next line of that kind: what follows the word; false at the end.
static bool next_case(FILE *file, const char *word, char rest[256])
{
    char line[256];
    while (fgets(line, sizeof line, file)) {
        const size_t length = strlen(word);
        if (strncmp(line, word, length) == 0 && line[length] == ' ') {
            snprintf(rest, 256, "%s", line + length + 1);
            return true;
        }
    }
    return false;
}

static double next_number(FILE *file)
{
    double number;
    assert_int_equal(fscanf(file, "%lf", &number), 1);
    return number;
}

static void every_form_is_read(void **state)
{
    (void)state;
    static const char *const forms[] = {"plain", "extensible"};
    FILE *file = open_numbers();
    char rest[256], kind[32], name[64];
    int files = 0;
    while (next_case(file, "wav", rest)) {
        float expected[22];
        assert_int_equal(sscanf(rest, "%31s", kind), 1);
        for (int i = 0; i < 22; i++)
            expected[i] = (float)next_number(file);
        for (int f = 0; f < 2; f++) {
            cj_tensor *sound;
            int64_t rate;
            snprintf(name, sizeof name, "%s_%s.wav", kind, forms[f]);
            assert_int_equal(cj_load_wav(file_of(name), &sound, &rate), CJ_OK);
            assert_int_equal(rate, 8000);
            assert_true(cj_shape_equal(cj_tensor_shape(sound), &CJ_SHAPE(11, 2)));
            assert_all_near(cj_tensor_data(sound), expected, 22, 1e-7, 1e-7);
            cj_release(sound);
            files++;
        }
    }
    assert_int_equal(files, 12);
    fclose(file);
}

static void sound_is_cut_filled_and_mixed(void **state)
{
    (void)state;
    cj_tensor *whole, *sound;
    assert_int_equal(cj_load_wav(file_of("int16_plain.wav"), &whole, NULL), CJ_OK);
    const float *w = cj_tensor_data(whole);
    assert_int_equal(cj_load_wav(file_of("int16_plain.wav"), &sound, NULL, .length = 5), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(sound), &CJ_SHAPE(5, 2)));
    assert_memory_equal(cj_tensor_data(sound), w, 10 * sizeof(float));
    cj_release(sound);
    assert_int_equal(
        cj_load_wav(file_of("int16_plain.wav"), &sound, NULL, .length = 13, .mono = true), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(sound), &CJ_SHAPE(13, 1)));
    const float *s = cj_tensor_data(sound);
    for (int i = 0; i < 11; i++)
        assert_near(s[i], (w[2 * i] + w[2 * i + 1]) / 2, 1e-7, 0);
    assert_true(s[11] == 0 && s[12] == 0);
    cj_release(sound);
    int64_t rate;
    cj_tensor *direct;
    assert_int_equal(cj_load_wav(file_of("int16_plain.wav"), &sound, &rate, .sample_rate = 12000),
                     CJ_OK);
    assert_int_equal(rate, 12000);
    assert_int_equal(cj_resample(whole, 8000, 12000, &direct), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(sound), &CJ_SHAPE(17, 2)));
    assert_memory_equal(cj_tensor_data(sound), cj_tensor_data(direct), 34 * sizeof(float));
    cj_release(direct);
    cj_release(sound);
    cj_release(whole);
}

static void resampling_is_scipys(void **state)
{
    (void)state;
    FILE *file = open_numbers();
    char rest[256];
    int cases = 0;
    while (next_case(file, "resample", rest)) {
        long long rate, new_rate;
        int frames;
        float from[256];
        cj_tensor *sound, *resampled;
        assert_int_equal(sscanf(rest, "%lld %lld %d", &rate, &new_rate, &frames), 3);
        for (int i = 0; i < frames; i++)
            from[i] = (float)next_number(file);
        assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(frames), from, (size_t)frames, &sound),
                         CJ_OK);
        assert_int_equal(cj_resample(sound, rate, new_rate, &resampled), CJ_OK);
        assert_int_equal(fscanf(file, " to"), 0);
        assert_int_equal(cj_tensor_count(resampled), (frames * new_rate + rate - 1) / rate);
        const float *r = cj_tensor_data(resampled);
        for (int64_t i = 0; i < cj_tensor_count(resampled); i++)
            assert_near(r[i], next_number(file), 2e-7, 1e-6); // rounded to float once
        cj_release(resampled);
        cj_release(sound);
        cases++;
    }
    assert_int_equal(cases, 8);
    fclose(file);
}

static void windows_are_kerass(void **state)
{
    (void)state;
    FILE *file = open_numbers();
    char rest[256];
    int cases = 0;
    cj_tensor *series, *targets;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(40, 2), &series), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(40), &targets), CJ_OK);
    cj_take(series);
    cj_take(targets);
    for (int64_t i = 0; i < 80; i++)
        ((float *)cj_tensor_data(series))[i] = (float)i;
    for (int64_t i = 0; i < 40; i++)
        ((int32_t *)cj_tensor_data(targets))[i] = (int32_t)i * 10;
    while (next_case(file, "windows", rest)) {
        long long length, stride, rate, start, end;
        int shuffle, count;
        unsigned seed;
        cj_dataset *memory;
        assert_int_equal(sscanf(rest, "%lld %lld %lld %lld %lld %d %u %d", &length, &stride, &rate,
                                &start, &end, &shuffle, &seed, &count),
                         8);
        cj_dataset *data = cj_timeseries_dataset(
            series, targets, length, .sequence_stride = stride, .sampling_rate = rate,
            .start_index = start, .end_index = end, .shuffle = shuffle, .seed = seed);
        assert_non_null(data);
        assert_int_equal(cj_dataset_count(data), count);
        assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
        const float *x = cj_tensor_data(cj_dataset_x(memory, 0));
        const int32_t *y = cj_tensor_data(cj_dataset_y(memory, 0));
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < 2 * length; k++)
                assert_true((double)x[i * 2 * length + k] == next_number(file));
            assert_true((double)y[i] == next_number(file));
        }
        cj_release(memory);
        cj_release(data);
        cases++;
    }
    assert_int_equal(cases, 6);
    cj_dataset *bare = cj_timeseries_dataset(series, NULL, 5);
    cj_part part;
    assert_int_equal(cj_dataset_input(bare, 0, &part), CJ_OK);
    assert_true(cj_shape_equal(&part.shape, &CJ_SHAPE(5, 2)));
    assert_int_equal(cj_dataset_target(bare, 0, &part), CJ_INVALID_ARGUMENT);
    cj_release(bare);
    assert_null(cj_timeseries_dataset(series, targets, 41));
    assert_error_contains("41 steps");
    assert_null(cj_timeseries_dataset(series, targets, 0));
    assert_null(cj_timeseries_dataset(series, targets, 2, .end_index = 41));
    assert_null(cj_timeseries_dataset(series, targets, 2, .start_index = 40));
    assert_null(cj_timeseries_dataset(series, targets, 2, .sampling_rate = INT64_MAX));
    assert_null(cj_timeseries_dataset(NULL, targets, 2));
    cj_release(series);
    cj_release(targets);
    fclose(file);
}

static void sequences_are_padded_as_by_keras(void **state)
{
    (void)state;
    static const int32_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const int lengths[] = {1, 2, 5, 3};
    FILE *file = open_numbers();
    char rest[256], padding[8], truncating[8];
    cj_tensor *lists[4], *padded;
    int cases = 0;
    for (int i = 0, at = 0; i < 4; at += lengths[i++])
        assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(lengths[i]), numbers + at,
                                        (size_t)lengths[i], &lists[i]),
                         CJ_OK);
    while (next_case(file, "pad", rest)) {
        long long most;
        int width;
        assert_int_equal(sscanf(rest, "%lld %7s %7s %d", &most, padding, truncating, &width), 4);
        assert_int_equal(cj_pad_sequences(lists, 4, &padded, .maxlen = most, .padding = padding,
                                          .truncating = truncating, .value = -1),
                         CJ_OK);
        assert_true(cj_shape_equal(cj_tensor_shape(padded), &CJ_SHAPE(4, width)));
        for (int i = 0; i < 4 * width; i++)
            assert_true((double)((int32_t *)cj_tensor_data(padded))[i] == next_number(file));
        cj_release(padded);
        cases++;
    }
    assert_int_equal(cases, 12);
    assert_int_equal(cj_pad_sequences(lists, 4, &padded, .padding = "middle"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_pad_sequences(lists, 0, &padded), CJ_INVALID_ARGUMENT);
    for (int i = 0; i < 4; i++)
        cj_release(lists[i]);
    fclose(file);
}

static void copy(const char *from, const char *to)
{
    size_t size;
    void *bytes = support_read(file_of(from), &size);
    support_write(support_path(to), bytes, size);
    free(bytes);
}

static void folders_are_classes(void **state)
{
    (void)state;
    cj_dataset *data, *held, *memory;
    mkdir(support_path("words"), 0700);
    mkdir(support_path("words/no"), 0700);
    mkdir(support_path("words/yes"), 0700);
    copy("int16_plain.wav", "words/no/a.wav");
    copy("int24_plain.wav", "words/no/b.WAV");
    copy("float32_plain.wav", "words/yes/a.wav");
    copy("int32_extensible.wav", "words/yes/b.wav");
    assert_int_equal(cj_load_sound_folder(support_path("words"), &data, &held, .shuffle = false,
                                          .validation_split = 0.25),
                     CJ_OK);
    assert_int_equal(cj_dataset_count(data), 3);
    assert_int_equal(cj_dataset_count(held), 1);
    assert_string_equal(cj_dataset_class_name(data, 1), "yes");
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(memory, 0)), &CJ_SHAPE(3, 11, 2)));
    cj_tensor *one;
    assert_int_equal(cj_load_wav(file_of("int24_plain.wav"), &one, NULL), CJ_OK);
    assert_memory_equal((float *)cj_tensor_data(cj_dataset_x(memory, 0)) + 22, cj_tensor_data(one),
                        22 * sizeof(float));
    assert_int_equal(((int32_t *)cj_tensor_data(cj_dataset_y(memory, 0)))[2], 1);
    cj_release(one);
    cj_release(memory);
    cj_release(data);
    cj_release(held);
    assert_int_equal(cj_load_sound_folder(support_path("words"), &data, NULL, .mono = true,
                                          .sample_rate = 4000, .output_sequence_length = 9,
                                          .label_mode = "binary"),
                     CJ_OK);
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(memory, 0)), &CJ_SHAPE(4, 9, 1)));
    cj_release(memory);
    cj_release(data);
    // another length, and other channels, are named
    support_write(
        support_path("words/yes/c.wav"),
        "RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\4\0"
        "\0\0\1\0\2\0",
        48);
    assert_int_equal(cj_load_sound_folder(support_path("words"), &data, NULL), CJ_SHAPE_MISMATCH);
    assert_error_contains("yes/c.wav: 2 samples");
    assert_int_equal(
        cj_load_sound_folder(support_path("words"), &data, NULL, .output_sequence_length = 5),
        CJ_SHAPE_MISMATCH);
    assert_error_contains("yes/c.wav: 1 channels");
    assert_null(data);
    remove(support_path("words/yes/c.wav"));
}

static void damage_is_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"int24_extensible.wav", "float64_plain.wav",
                                        "int8_plain.wav"};
    for (int n = 0; n < 3; n++) {
        size_t size;
        char *bytes = support_read(file_of(names[n]), &size);
        for (size_t i = 0; i < 9 * size; i++) {
            cj_tensor *sound = NULL;
            const size_t at = i / 9;
            if (i % 9)
                bytes[at] = (char)(bytes[at] ^ (1 << (i % 9 - 1)));
            support_write(support_path("damaged.wav"), bytes, i % 9 ? size : at);
            if (i % 9)
                bytes[at] = (char)(bytes[at] ^ (1 << (i % 9 - 1)));
            cj_error_clear();
            const cj_status status = cj_load_wav(support_path("damaged.wav"), &sound, NULL);
            assert_true(status == CJ_OK ? sound != NULL : !sound && *cj_error());
            if (i % 9 == 0)
                assert_int_not_equal(status, CJ_OK);
            cj_release(sound);
        }
        free(bytes);
    }
    cj_tensor *sound;
    support_write(support_path("x.wav"), "RIFF", 4);
    assert_int_equal(cj_load_wav(support_path("x.wav"), &sound, NULL), CJ_BAD_FILE);
    assert_int_equal(cj_load_wav(file_of("int16_plain.wav"), &sound, NULL, .sample_rate = -1),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_wav(file_of("int16_plain.wav"), &sound, NULL, .sample_rate = 9999991),
                     CJ_UNSUPPORTED);
}

static cj_status load_all(void *context)
{
    cj_tensor *sound = NULL, *series = NULL;
    cj_dataset *data = NULL, *memory = NULL;
    (void)context;
    cj_status status =
        cj_load_wav(file_of("int16_plain.wav"), &sound, NULL, .sample_rate = 6000, .mono = true);
    if (status == CJ_OK)
        status = cj_pad_sequences(&sound, 1, &series, .maxlen = 30, .dtype = CJ_F32);
    cj_release(sound);
    cj_release(series);
    if (status != CJ_OK)
        return status;
    status = cj_load_sound_folder(support_path("words"), &data, NULL);
    if (status == CJ_OK)
        status = cj_dataset_read(data, 1, 1, 0, &memory);
    cj_release(memory);
    cj_release(data);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(9, 2), &series);
    if (status != CJ_OK)
        return status;
    data = cj_timeseries_dataset(series, NULL, 3, .shuffle = true);
    status = data ? CJ_OK : cj_error_status();
    cj_release(data);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    support_fail_each_allocation(load_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(sound_is_cut_filled_and_mixed),
        cmocka_unit_test(resampling_is_scipys),
        cmocka_unit_test(windows_are_kerass),
        cmocka_unit_test(sequences_are_padded_as_by_keras),
        cmocka_unit_test(folders_are_classes),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
