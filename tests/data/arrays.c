// Arrays that NumPy wrote (arrays/, by make_arrays.py), in archives too (zlib), and mapped
// files.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file_of(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], CAJAL_TEST_SOURCES "/data/arrays/%s", name);
    return path;
}

static void check_values(const cj_tensor *tensor, bool is_signed)
{
    assert_true(cj_shape_equal(cj_tensor_shape(tensor), &CJ_SHAPE(2, 3, 4)));
    for (int64_t i = 0; i < 24; i++) {
        const double value = cj_tensor_get(tensor, (int64_t[]){i / 12, i / 4 % 3, i % 4});
        assert_true(value == (double)((i * 7 + 3) % 251 - (is_signed ? 100 : 0)));
    }
}

static void every_dtype_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cj_dtype dtype;
    } rows[] = {{"i1", CJ_I32}, {"i2", CJ_I32}, {"i4", CJ_I32}, {"i8", CJ_I64},
                {"u1", CJ_U8},  {"u2", CJ_I32}, {"u4", CJ_I64}, {"u8", CJ_I64},
                {"f2", CJ_F32}, {"f4", CJ_F32}, {"f8", CJ_F64}};
    static const char *const orders[] = {"little", "big"}, *const layouts[] = {"", "_fortran"};
    int files = 0;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int k = 0; k < 8; k++) {
            char name[64];
            cj_tensor *tensor;
            snprintf(name, sizeof name, "%s_%s%s.npy", rows[r].name, orders[k & 1],
                     layouts[k >> 1 & 1]);
            if (rows[r].name[1] == '1' && (k & 1))
                continue;
            assert_int_equal(cj_load_npy(file_of(name), &tensor, .mmap = k >= 4), CJ_OK);
            assert_int_equal(cj_tensor_dtype(tensor), rows[r].dtype);
            check_values(tensor, rows[r].name[0] != 'u');
            cj_release(tensor);
            files++;
        }
    assert_int_equal(files, 80);
}

static void odd_arrays_are_read(void **state)
{
    (void)state;
    static const float halves[] = {0,          -0.0f,    1,         65504, 5.9604645e-08f,
                                   6.1035e-5f, INFINITY, -INFINITY, NAN,   0.33300781f};
    cj_tensor *tensor;
    assert_int_equal(cj_load_npy(file_of("b1.npy"), &tensor), CJ_OK);
    assert_int_equal(cj_tensor_dtype(tensor), CJ_BOOL);
    assert_true(cj_tensor_get(tensor, (int64_t[]){0, 0, 0}) == 1);
    assert_true(cj_tensor_get(tensor, (int64_t[]){0, 0, 1}) == 0);
    cj_release(tensor);
    assert_int_equal(cj_load_npy(file_of("scalar.npy"), &tensor, .mmap = true), CJ_OK);
    assert_int_equal(cj_tensor_shape(tensor)->rank, 0);
    assert_true(cj_tensor_get(tensor, NULL) == 2.5);
    cj_release(tensor);
    assert_int_equal(cj_load_npy(file_of("empty.npy"), &tensor, .mmap = true), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(tensor), &CJ_SHAPE(0, 3)));
    cj_release(tensor);
    assert_int_equal(cj_load_npy(file_of("halves.npy"), &tensor), CJ_OK);
    for (int64_t i = 0; i < 10; i++)
        assert_near(cj_tensor_get(tensor, &i), halves[i], 0, 1e-3);
    assert_true(signbit(cj_tensor_get(tensor, (int64_t[]){1})));
    cj_release(tensor);
    for (int v = 2; v < 4; v++) {
        assert_int_equal(cj_load_npy(file_of(v == 2 ? "version2.npy" : "version3.npy"), &tensor),
                         CJ_OK);
        check_values(tensor, true);
        cj_release(tensor);
    }
}

static void texts_are_read(void **state)
{
    (void)state;
    cj_tensor *tensor;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cj_load_npy(file_of(i ? "texts_big.npy" : "texts.npy"), &tensor), CJ_OK);
        assert_true(cj_shape_equal(cj_tensor_shape(tensor), &CJ_SHAPE(2, 2)));
        assert_string_equal(cj_tensor_text(tensor, (int64_t[]){0, 1}).data, "gr\xc3\xbcn");
        assert_int_equal(cj_tensor_text(tensor, (int64_t[]){1, 0}).length, 0);
        assert_string_equal(cj_tensor_text(tensor, (int64_t[]){1, 1}).data,
                            "\xe6\x95\xb0\xe6\x8d\xae \xf0\x9d\x84\x9e");
        cj_release(tensor);
    }
    assert_int_equal(cj_load_npy(file_of("bytes.npy"), &tensor), CJ_OK);
    assert_string_equal(cj_tensor_text(tensor, (int64_t[]){0}).data, "ab");
    assert_string_equal(cj_tensor_text(tensor, (int64_t[]){1}).data, "c");
    cj_release(tensor);
}

static void what_is_no_tensor_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cj_status status;
        const char *part;
    } rows[] = {{"complex.npy", CJ_UNSUPPORTED, "<c8"},     {"objects.npy", CJ_UNSUPPORTED, "|O"},
                {"records.npy", CJ_UNSUPPORTED, "records"}, {"times.npy", CJ_UNSUPPORTED, "<M8[s]"},
                {"large.npy", CJ_BAD_FILE, "2^63"},         {"none.npy", CJ_NOT_FOUND, "none.npy"},
                {"stored.npz", CJ_BAD_FILE, "not an array"}};
    cj_tensor *tensor;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(cj_load_npy(file_of(rows[i].name), &tensor), rows[i].status);
        assert_error_contains(rows[i].part);
        assert_null(tensor);
    }
}

// A header that claims many texts of no bytes: NumPy writes at least one. They would fill memory.
static void texts_of_no_bytes_are_refused(void **state)
{
    static const char file[] =
        "\x93NUMPY\1\0\x45\0{'descr': '|S0', 'fortran_order': False, 'shape': (100000000000,), }\n";
    (void)state;
    cj_tensor *tensor;
    assert_int_equal(sizeof file - 1, 10 + 0x45);
    support_write(support_path("none.npy"), file, sizeof file - 1);
    assert_int_equal(cj_load_npy(support_path("none.npy"), &tensor), CJ_UNSUPPORTED);
    assert_non_null(strstr(cj_error(), "|S0"));
}

static void archives_are_read(void **state)
{
    (void)state;
    cj_tensor *tensor;
    assert_int_equal(cj_load_npz(file_of("stored.npz"), "x", &tensor), CJ_OK);
    check_values(tensor, true);
    cj_release(tensor);
    assert_int_equal(cj_load_npz(file_of("packed.npz"), "a b", &tensor), CJ_OK);
    check_values(tensor, false);
    cj_release(tensor);
    assert_int_equal(cj_load_npz(file_of("packed.npz"), "long", &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), 50000);
    cj_release(tensor);
    assert_int_equal(cj_npz_names(file_of("packed.npz"), &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), 3);
    assert_string_equal(cj_tensor_text(tensor, (int64_t[]){1}).data, "long");
    cj_release(tensor);
    assert_int_equal(cj_load_npz(file_of("stored.npz"), "z", &tensor), CJ_NOT_FOUND);
    assert_error_contains("\"x\", \"y\"");
    assert_int_equal(cj_load_npz(file_of("b1.npy"), "z", &tensor), CJ_BAD_FILE);
}

// Every truncation and every turned byte of a file gives a sentence or an array.
static void damage(const char *name, bool archive)
{
    size_t size;
    char *bytes = support_read(file_of(name), &size);
    for (size_t i = 0; i < 2 * size; i++) {
        cj_tensor *tensor = NULL;
        const char *path = support_path("damaged");
        char kept = bytes[i / 2];
        if (i % 2)
            bytes[i / 2] = (char)(kept ^ (1 << (i / 2 % 8)));
        support_write(path, bytes, i % 2 ? size : i / 2);
        bytes[i / 2] = kept;
        cj_error_clear();
        const cj_status status = archive ? cj_load_npz(path, "x", &tensor) :
                                           cj_load_npy(path, &tensor, .mmap = i % 4 < 2);
        assert_true(status == CJ_OK ? tensor != NULL : !tensor && *cj_error());
        if (i % 2 == 0 && !archive)
            assert_int_not_equal(status, CJ_OK);
        cj_release(tensor);
    }
    free(bytes);
}

static void damage_is_survived(void **state)
{
    (void)state;
    damage("f4_little.npy", false);
    damage("texts.npy", false);
    damage("stored.npz", true);
    damage("packed.npz", true);
}

static void arrays_are_written(void **state)
{
    (void)state;
    cj_tensor *tensor, *turned, *back;
    assert_int_equal(cj_load_npy(file_of("f8_little.npy"), &tensor), CJ_OK);
    assert_int_equal(cj_tensor_transpose(tensor, (int[]){2, 0, 1}, &turned), CJ_OK);
    assert_int_equal(cj_save_npy(turned, support_path("turned.npy")), CJ_OK);
    assert_int_equal(cj_load_npy(support_path("turned.npy"), &back, .mmap = true), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(back), &CJ_SHAPE(4, 2, 3)));
    for (int64_t i = 0; i < 24; i++)
        assert_true(cj_tensor_get(back, (int64_t[]){i / 6, i / 3 % 2, i % 3}) ==
                    cj_tensor_get(turned, (int64_t[]){i / 6, i / 3 % 2, i % 3}));
    // what is written to a mapped tensor does not reach the file
    assert_int_equal(cj_tensor_set(back, (int64_t[]){0, 0, 0}, 1234), CJ_OK);
    cj_release(back);
    assert_int_equal(cj_load_npy(support_path("turned.npy"), &back), CJ_OK);
    assert_true(cj_tensor_get(back, (int64_t[]){0, 0, 0}) == -97);
    cj_release(back);
    cj_release(turned);
    cj_release(tensor);
    // byte for byte as NumPy writes it
    size_t a, b;
    assert_int_equal(cj_load_npy(file_of("scalar.npy"), &tensor), CJ_OK);
    assert_int_equal(cj_save_npy(tensor, support_path("same.npy")), CJ_OK);
    char *mine = support_read(support_path("same.npy"), &a);
    char *theirs = support_read(file_of("scalar.npy"), &b);
    assert_int_equal(a, b);
    assert_memory_equal(mine, theirs, a);
    free(mine);
    free(theirs);
    cj_release(tensor);
}

static void idx_files_are_mapped(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    static const unsigned char ints[] = {0, 0, 0x0c, 1, 0, 0, 0, 1, 0, 0, 1, 2};
    cj_tensor *tensor;
    support_write(support_path("a.idx"), bytes, sizeof bytes);
    assert_int_equal(cj_map_idx(support_path("a.idx"), &tensor), CJ_OK);
    assert_true(cj_tensor_get(tensor, (int64_t[]){1, 2}) == 6);
    cj_release(tensor);
    support_write(support_path("b.idx"), ints, sizeof ints);
    assert_int_equal(cj_map_idx(support_path("b.idx"), &tensor), CJ_OK);
    assert_true(cj_tensor_get(tensor, (int64_t[]){0}) == 258);
    cj_release(tensor);
    support_write(support_path("a.idx"), bytes, sizeof bytes - 1);
    assert_int_equal(cj_map_idx(support_path("a.idx"), &tensor), CJ_BAD_FILE);
    support_write(support_path("a.idx"), bytes, 0);
    assert_int_equal(cj_map_idx(support_path("a.idx"), &tensor), CJ_BAD_FILE);
}

static void write_records(const char *name, int records, unsigned seed)
{
    enum { RECORD = 1 + 3 * 32 * 32 };
    unsigned char *bytes = malloc((size_t)records * RECORD);
    assert_non_null(bytes);
    for (int i = 0; i < records * RECORD; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(i % RECORD == 0 ? (seed >> 24) % 10 : seed >> 24);
    }
    support_write(support_path(name), bytes, (size_t)records * RECORD);
    free(bytes);
}

static void mapped_pictures_are_those_that_are_read(void **state)
{
    (void)state;
    cj_dataset *read[2], *mapped[2], *all;
    for (int i = 1; i <= 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        write_records(name, 3 + i, (unsigned)i);
    }
    write_records("test_batch.bin", 4, 9);
    setenv("CAJAL_DATA", support_folder(), 1);
    assert_int_equal(cj_load_cifar10(&read[0], &read[1]), CJ_OK);
    assert_int_equal(cj_map_cifar10(&mapped[0], &mapped[1]), CJ_OK);
    for (int half = 0; half < 2; half++) {
        const int64_t count = half ? 4 : 30;
        assert_int_equal(cj_dataset_count(mapped[half]), count);
        assert_int_equal(cj_dataset_load(mapped[half], &all), CJ_OK);
        assert_memory_equal(cj_tensor_data(cj_dataset_x(all, 0)),
                            cj_tensor_data(cj_dataset_x(read[half], 0)),
                            (size_t)count * 32 * 32 * 3);
        assert_memory_equal(cj_tensor_data(cj_dataset_y(all, 0)),
                            cj_tensor_data(cj_dataset_y(read[half], 0)), (size_t)count);
        cj_release(all);
        cj_release(read[half]);
        cj_release(mapped[half]);
    }
    support_write(support_path("test_batch.bin"), "x", 1);
    assert_int_equal(cj_map_cifar10(&mapped[0], &mapped[1]), CJ_BAD_FILE);
}

static cj_status load_all(void *context)
{
    cj_tensor *tensor = NULL;
    (void)context;
    cj_status status = cj_load_npy(file_of("u2_big_fortran.npy"), &tensor);
    cj_release(tensor);
    if (status == CJ_OK)
        status = cj_load_npy(file_of("f4_little_fortran.npy"), &tensor, .mmap = true);
    if (status == CJ_OK)
        cj_release(tensor);
    if (status == CJ_OK)
        status = cj_load_npz(file_of("packed.npz"), "a b", &tensor);
    if (status == CJ_OK)
        cj_release(tensor);
    if (status == CJ_OK)
        status = cj_load_npy(file_of("texts.npy"), &tensor);
    if (status == CJ_OK)
        cj_release(tensor);
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
        cmocka_unit_test(every_dtype_is_read),
        cmocka_unit_test(odd_arrays_are_read),
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(what_is_no_tensor_is_refused),
        cmocka_unit_test(texts_of_no_bytes_are_refused),
        cmocka_unit_test(archives_are_read),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(arrays_are_written),
        cmocka_unit_test(idx_files_are_mapped),
        cmocka_unit_test(mapped_pictures_are_those_that_are_read),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
