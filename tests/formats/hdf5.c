// HDF5 files: what h5py writes is read to the same numbers and texts, what is written is read back,
// and a file that is cut short or changed anywhere gets a sentence and does no harm. The files were
// made by files/hdf5/make.py.
#define _XOPEN_SOURCE 700
#include "formats/hdf5.h"

#include "base/memory.h"
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FILES CAJAL_TEST_SOURCES "/formats/files/hdf5/"

static cj_status open_at(const char *path, cj__hdf5 *file)
{
    cj__input input;
    *file = (cj__hdf5){0};
    assert_int_equal(cj__input_open(&input, path), CJ_OK);
    const cj_status status = cj__hdf5_open(file, &input);
    cj__input_close(&input);
    return status;
}

static const cj__hdf5_object *in(const cj__hdf5 *file, const char *group, const char *name)
{
    const cj__hdf5_object *found = cj__hdf5_find(cj__hdf5_find(&file->root, group), name);
    assert_non_null(found);
    return found;
}

static void assert_numbers(cj__hdf5 *file, const cj__hdf5_object *object, const double *expected,
                           int count)
{
    double *numbers = NULL;
    assert_int_equal(cj__hdf5_numbers(file, object, &numbers), CJ_OK);
    assert_int_equal(object->count, count);
    for (int i = 0; i < count; i++)
        assert_true(numbers[i] >= expected[i] && numbers[i] <= expected[i]);
    cj__free(numbers);
}
#define NUMBERS(...) \
    (const double[]){__VA_ARGS__}, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static void numbers_of_every_kind_are_read(void **state)
{
    cj__hdf5 file;
    double *numbers;
    (void)state;
    assert_int_equal(open_at(FILES "earliest.h5", &file), CJ_OK);
    assert_numbers(&file, in(&file, "numbers", "f2"),
                   NUMBERS(0.5, -2, 65504, ldexp(1, -24), INFINITY));
    assert_numbers(&file, in(&file, "numbers", "f4"),
                   NUMBERS(-1, (double)-0.6f, (double)-0.2f, (double)0.2f, (double)0.6f, 1));
    assert_int_equal(in(&file, "numbers", "f4")->rank, 2);
    assert_numbers(&file, in(&file, "numbers", "f8_big"), NUMBERS(1e300, -1e-300, 0.1));
    assert_numbers(&file, in(&file, "numbers", "i1"), NUMBERS(-128, -1, 127));
    assert_numbers(&file, in(&file, "numbers", "u2_big"), NUMBERS(1, 65535));
    assert_numbers(&file, in(&file, "numbers", "i8"),
                   NUMBERS(-9007199254740992., 9007199254740992.));
    assert_numbers(&file, in(&file, "numbers", "scalar"), NUMBERS(7));
    assert_int_equal(in(&file, "numbers", "scalar")->rank, 0);
    assert_numbers(&file, in(&file, "numbers", "bools"), NUMBERS(1, 0));
    assert_numbers(&file, in(&file, "numbers", "none"), NULL, 0);
    assert_int_equal(cj__hdf5_numbers(&file, in(&file, "numbers", "complex"), &numbers),
                     CJ_BAD_FILE);
    assert_error_contains("\"complex\" is no dataset of numbers");
    assert_null(cj__hdf5_find(&file.root, "nothing"));
    cj__hdf5_close(&file);
}

static void chunks_and_filters_are_undone(void **state)
{
    static const char *const names[] = {"plain", "gzip", "all"};
    double expected[35], *numbers;
    cj__hdf5 file;
    (void)state;
    for (int i = 0; i < 35; i++)
        expected[i] = i;
    assert_int_equal(open_at(FILES "earliest.h5", &file), CJ_OK);
    for (int i = 0; i < 3; i++) {
        assert_numbers(&file, in(&file, "chunks", names[i]), expected, 35);
        assert_numbers(&file, in(&file, "chunks", names[i]), expected, 35); // and again
    }
    assert_int_equal(cj__hdf5_numbers(&file, in(&file, "chunks", "lzf"), &numbers), CJ_UNSUPPORTED);
    assert_error_contains("filter 32000");
    cj__hdf5_close(&file);
}

static void texts_of_both_kinds_are_read(void **state)
{
    cj__hdf5 file;
    char **texts;
    (void)state;
    assert_int_equal(open_at(FILES "earliest.h5", &file), CJ_OK);
    assert_int_equal(cj__hdf5_texts(&file, in(&file, "texts", "pairs"), &texts), CJ_OK);
    assert_string_equal(texts[0], "a");
    assert_string_equal(texts[1], "bc");
    assert_string_equal(texts[2], "");
    assert_string_equal(texts[3], "Größe");
    cj__free(texts[0]), cj__free(texts);
    assert_int_equal(cj__hdf5_texts(&file, in(&file, "texts", "fixed"), &texts), CJ_OK);
    assert_string_equal(texts[0], "ab");
    assert_string_equal(texts[1], "abc");
    cj__free(texts[0]), cj__free(texts);
    cj__hdf5_close(&file);
}

static void later_formats_are_read_or_called_by_name(void **state)
{
    cj__hdf5 file;
    char **texts;
    (void)state;
    assert_int_equal(open_at(FILES "v108.h5", &file), CJ_OK);
    assert_numbers(&file, cj__hdf5_find(&file.root, "x"), NUMBERS(0, 1, 2, 3, 4, 5));
    assert_int_equal(cj__hdf5_texts(&file, in(&file, "group", "name"), &texts), CJ_OK);
    assert_string_equal(texts[0], "LIF");
    cj__free(texts[0]), cj__free(texts);
    cj__hdf5_close(&file);
    assert_int_equal(open_at(FILES "heap.h5", &file), CJ_UNSUPPORTED);
    assert_error_contains("links are in a heap");
    cj__hdf5_close(&file);
    assert_int_equal(open_at(FILES "links.h5", &file), CJ_UNSUPPORTED);
    assert_error_contains("symbolic link");
    cj__hdf5_close(&file);
    assert_int_equal(open_at(FILES "twice.h5", &file), CJ_BAD_FILE);
    assert_error_contains("referred to twice");
    cj__hdf5_close(&file);
}

// ---- Writing ----

static cj_status write_sample(cj__sink *sink)
{
    static const int64_t whole[] = {-5, INT64_MAX};
    static const float floats[] = {0.5f, -1e30f, 3, 4, 5, 6};
    static const char *const texts[] = {"a", "long text", "", "é"}, *const one[] = {"LIF"};
    const cj__hdf5_item inner[] = {
        {.name = "whole", .kind = CJ__HDF5_INTEGER, .rank = 1, .dims = {2}, .integers = whole},
        {.name = "floats", .kind = CJ__HDF5_FLOAT, .rank = 2, .dims = {2, 3}, .floats = floats},
        {.name = "texts", .kind = CJ__HDF5_TEXT, .rank = 2, .dims = {2, 2}, .texts = texts},
        {.name = "none", .kind = CJ__HDF5_FLOAT, .rank = 1, .dims = {0}},
        {.name = "empty"},
    };
    const cj__hdf5_item members[] = {
        {.name = "type", .kind = CJ__HDF5_TEXT, .texts = one},
        {.name = "inner", .kind = CJ__HDF5_GROUP, .members = inner, .member_count = 5},
    };
    const cj__hdf5_item root = {.members = members, .member_count = 2};
    return cj__sink_end(sink, cj__hdf5_write(&root, sink));
}

static void what_is_written_is_read_back(void **state)
{
    cj__hdf5 file;
    char **texts;
    cj__sink sink = {0};
    (void)state;
    assert_int_equal(write_sample(&sink), CJ_OK);
    const cj__input input = cj__input_memory(sink.bytes, sink.used);
    assert_int_equal(cj__hdf5_open(&file, &input), CJ_OK);
    assert_numbers(&file, in(&file, "inner", "whole"), NUMBERS(-5, 9223372036854775807.));
    assert_numbers(&file, in(&file, "inner", "floats"), NUMBERS(0.5, (double)-1e30f, 3, 4, 5, 6));
    assert_int_equal(in(&file, "inner", "floats")->dims[1], 3);
    assert_int_equal(in(&file, "inner", "none")->count, 0);
    assert_int_equal(in(&file, "inner", "empty")->kind, CJ__HDF5_GROUP);
    assert_int_equal(cj__hdf5_texts(&file, in(&file, "inner", "texts"), &texts), CJ_OK);
    assert_string_equal(texts[1], "long text");
    assert_string_equal(texts[2], "");
    assert_string_equal(texts[3], "é");
    cj__free(texts[0]), cj__free(texts);
    cj__hdf5_close(&file);
    cj__free(sink.bytes);
}

// What follows the first 0 of a text is none of it, and does not move the texts after it.
static void a_text_ends_at_its_first_0(void **state)
{
    cj__hdf5 file;
    char **texts;
    cj__sink sink = {0};
    (void)state;
    assert_int_equal(write_sample(&sink), CJ_OK);
    for (size_t i = 0; i + 9 <= sink.used; i++)
        if (memcmp((const char *)sink.bytes + i, "long text", 9) == 0)
            ((char *)sink.bytes)[i + 4] = 0;
    const cj__input input = cj__input_memory(sink.bytes, sink.used);
    assert_int_equal(cj__hdf5_open(&file, &input), CJ_OK);
    assert_int_equal(cj__hdf5_texts(&file, in(&file, "inner", "texts"), &texts), CJ_OK);
    assert_string_equal(texts[1], "long");
    assert_string_equal(texts[3], "é");
    cj__free(texts[0]), cj__free(texts);
    cj__hdf5_close(&file);
    cj__free(sink.bytes);
}

// For the eyes of libhdf5: CAJAL_HDF5_SAMPLE names a file to write, which h5py then opens.
static void a_sample_is_written_where_it_is_asked_for(void **state)
{
    cj__sink sink = {.path = getenv("CAJAL_HDF5_SAMPLE")};
    (void)state;
    if (sink.path)
        assert_int_equal(write_sample(&sink), CJ_OK);
}

// ---- Harm ----

// Reads all there is.
static void read_all(cj__hdf5 *file, const cj__hdf5_object *object)
{
    double *numbers = NULL;
    char **texts = NULL;
    for (int i = 0; i < object->member_count; i++)
        read_all(file, &object->members[i]);
    if (object->kind == CJ__HDF5_TEXT && cj__hdf5_texts(file, object, &texts) == CJ_OK)
        cj__free(texts[0]);
    else if (object->kind != CJ__HDF5_GROUP)
        cj__hdf5_numbers(file, object, &numbers);
    cj__free(texts);
    cj__free(numbers);
}

static cj_status try_bytes(const char *bytes, size_t size)
{
    cj__hdf5 file;
    // A block of its own, so that the sanitizer sees what is read beyond the end.
    char *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    if (size != 0)
        memcpy(copy, bytes, size);
    const cj__input input = cj__input_memory(copy, size);
    cj_error_clear();
    const cj_status status = cj__hdf5_open(&file, &input);
    if (status == CJ_OK)
        read_all(&file, &file.root);
    else
        assert_true(cj_error()[0] != 0);
    cj__hdf5_close(&file);
    free(copy);
    return status;
}

static char *read_bytes(const char *path, size_t *size)
{
    cj__input input;
    assert_int_equal(cj__input_open(&input, path), CJ_OK);
    char *bytes = malloc(input.size);
    assert_non_null(bytes);
    *size = input.size;
    assert_int_equal(cj__input_read(&input, 0, bytes, *size), CJ_OK);
    cj__input_close(&input);
    return bytes;
}

static void a_file_that_is_cut_short_anywhere_is_refused(void **state)
{
    static const char *const paths[] = {FILES "earliest.h5", FILES "v108.h5"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *bytes = read_bytes(paths[i], &size);
        for (size_t length = 0; length < size; length += 1 + length / 2000)
            assert_int_equal(try_bytes(bytes, length), CJ_BAD_FILE);
        assert_int_equal(try_bytes(bytes, size), CJ_OK);
        free(bytes);
    }
}

static void a_file_that_is_changed_anywhere_does_no_harm(void **state)
{
    static const char *const paths[] = {FILES "earliest.h5", FILES "v108.h5"};
    static const unsigned char changes[] = {0x00, 0xff, 0x80, 0x01};
    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *bytes = read_bytes(paths[i], &size);
        for (size_t at = 0; at < size; at++) {
            const char before = bytes[at];
            if (before == 0 && at % 7 != 0)
                continue; // most of it is filled up with zeros
            for (size_t k = 0; k < sizeof changes; k++) {
                bytes[at] = (char)(k < 2 ? changes[k] : (unsigned char)before ^ changes[k]);
                try_bytes(bytes, size);
            }
            bytes[at] = before;
        }
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_kind_are_read),
        cmocka_unit_test(chunks_and_filters_are_undone),
        cmocka_unit_test(texts_of_both_kinds_are_read),
        cmocka_unit_test(later_formats_are_read_or_called_by_name),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_text_ends_at_its_first_0),
        cmocka_unit_test(a_sample_is_written_where_it_is_asked_for),
        cmocka_unit_test(a_file_that_is_cut_short_anywhere_is_refused),
        cmocka_unit_test(a_file_that_is_changed_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
