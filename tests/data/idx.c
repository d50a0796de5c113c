// IDX files: what is read, and what every kind of damage is answered with.
#include "support.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const unsigned char small[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};

// Packs bytes as gzip into a file and reads them back as they lie there.
static unsigned char *pack(const void *bytes, unsigned size, size_t *packed)
{
    const char *path = support_path("packed.gz");
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return support_read(path, packed);
}

static cj_status load(const void *bytes, size_t size, cj_tensor **tensor)
{
    const char *path = support_path("file.idx");
    support_write(path, bytes, size);
    return cj_load_idx(path, tensor);
}

static void bytes_keep_their_shape_and_values(void **state)
{
    (void)state;
    cj_tensor *t;
    assert_int_equal(load(small, sizeof small, &t), CJ_OK);
    assert_int_equal(cj_tensor_dtype(t), CJ_U8);
    assert_true(cj_shape_equal(cj_tensor_shape(t), &CJ_SHAPE(2, 3)));
    assert_memory_equal(cj_tensor_data(t), small + 12, 6);
    cj_release(t);
}

static void gzip_is_recognised_by_content(void **state)
{
    (void)state;
    size_t size;
    unsigned char *packed = pack(small, sizeof small, &size);
    cj_tensor *t;
    assert_int_equal(load(packed, size, &t), CJ_OK);
    assert_memory_equal(cj_tensor_data(t), small + 12, 6);
    cj_release(t);
    free(packed);
}

static void numbers_are_big_endian(void **state)
{
    (void)state;
    static const struct {
        unsigned char bytes[24];
        size_t size;
        cj_dtype dtype;
        double first, second;
    } rows[] = {
        {{0, 0, 0x09, 1, 0, 0, 0, 2, 0x80, 0x7f}, 10, CJ_I32, -128, 127},
        {{0, 0, 0x0B, 1, 0, 0, 0, 2, 0xff, 0xfe, 0x01, 0x02}, 12, CJ_I32, -2, 258},
        {{0, 0, 0x0C, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0}, 16, CJ_I32, -1, 65536},
        {{0, 0, 0x0D, 1, 0, 0, 0, 2, 0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, 16, CJ_F32, 1.5, -2},
        {{0, 0, 0x0E, 1, 0, 0, 0, 2, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0},
         24,
         CJ_F64,
         1.5,
         -2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cj_tensor *t;
        assert_int_equal(load(rows[i].bytes, rows[i].size, &t), CJ_OK);
        assert_int_equal(cj_tensor_dtype(t), rows[i].dtype);
        assert_true(cj_tensor_get(t, (int64_t[]){0}) == rows[i].first);
        assert_true(cj_tensor_get(t, (int64_t[]){1}) == rows[i].second);
        cj_release(t);
    }
}

static void refused(const void *bytes, size_t size)
{
    cj_tensor *t;
    cj_error_clear();
    assert_int_equal(load(bytes, size, &t), CJ_BAD_FILE);
    assert_null(t);
    assert_true(strlen(cj_error()) > 10);
}

static void every_truncation_gives_a_sentence(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof small; size++)
        refused(small, size);
}

static void every_truncation_of_gzip_gives_a_sentence(void **state)
{
    (void)state;
    size_t packed_size;
    unsigned char *packed = pack(small, sizeof small, &packed_size);
    for (size_t size = 0; size < packed_size; size++)
        refused(packed, size);
    free(packed);
}

static void a_flipped_byte_in_gzip_data_gives_a_sentence(void **state)
{
    (void)state;
    size_t size;
    unsigned char *packed = pack(small, sizeof small, &size);
    packed[size - 6] ^= 0x40; // the sum of the contents
    refused(packed, size);
    free(packed);
}

static void bytes_after_the_end_are_refused(void **state)
{
    (void)state;
    unsigned char longer[sizeof small + 1] = {0};
    memcpy(longer, small, sizeof small);
    refused(longer, sizeof longer);
    size_t size;
    unsigned char *packed = pack(longer, sizeof longer, &size);
    refused(packed, size);
    free(packed);
}

static void a_header_that_promises_too_much_takes_no_memory(void **state)
{
    (void)state;
    static const unsigned char huge[] = {0,   0,   8,   3, 0x7f, 255, 255, 255, 0x7f,
                                         255, 255, 255, 0, 0,    0,   2,   1,   2};
    static const unsigned char large[] = {0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0, 1, 2}; // 4 GiB
    refused(huge, sizeof huge);
    size_t size;
    unsigned char *packed = pack(large, sizeof large, &size);
    refused(packed, size);
    assert_error_contains("cannot hold");
    free(packed);
}

static void lengths_of_zero_beside_huge_ones_are_refused(void **state)
{
    (void)state;
    static const unsigned char zero_first[] = {0,   0,   8,   3,   0,   0,   0,   0,
                                               255, 255, 255, 255, 255, 255, 255, 255};
    static const unsigned char zero_last[] = {0,   0,   8,   4,   255, 255, 255, 255, 255, 255,
                                              255, 255, 255, 255, 255, 255, 0,   0,   0,   0};
    refused(zero_first, sizeof zero_first);
    refused(zero_last, sizeof zero_last);
}

static void a_strange_header_is_refused(void **state)
{
    (void)state;
    refused("PK\x03\x04zipzip", 10);
    refused((unsigned char[]){0, 0, 7, 1, 0, 0, 0, 1, 1}, 9);
    refused((unsigned char[]){0, 0, 8, 0, 1}, 5);
    refused((unsigned char[]){0, 0, 8, 9, 0, 0, 0, 1, 1}, 9);
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    cj_tensor *t;
    assert_int_equal(cj_load_idx(support_path("nothing"), &t), CJ_NOT_FOUND);
    assert_int_equal(cj_load_idx(support_folder(), &t), CJ_IO);
    assert_int_equal(cj_load_idx("/dev/zero", &t), CJ_IO);
}

static cj_status load_and_release(void *path)
{
    cj_tensor *t;
    cj_status status = cj_load_idx(path, &t);
    cj_release(t);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    const char *path = support_path("memory.idx");
    support_write(path, small, sizeof small);
    support_fail_each_allocation(load_and_release, (void *)(uintptr_t)path);
    size_t size;
    unsigned char *packed = pack(small, sizeof small, &size); // zlib takes memory too
    support_write(path, packed, size);
    free(packed);
    support_fail_each_allocation(load_and_release, (void *)(uintptr_t)path);
}

static void members_of_gzip_follow_each_other(void **state)
{
    (void)state;
    size_t first_size, second_size;
    unsigned char *first = pack(small, 13, &first_size);
    unsigned char *second = pack(small + 13, sizeof small - 13, &second_size);
    unsigned char both[256];
    memcpy(both, first, first_size);
    memcpy(both + first_size, second, second_size);
    cj_tensor *t;
    assert_int_equal(load(both, first_size + second_size, &t), CJ_OK);
    assert_memory_equal(cj_tensor_data(t), small + 12, 6);
    cj_release(t);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_keep_their_shape_and_values),
        cmocka_unit_test(gzip_is_recognised_by_content),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(every_truncation_gives_a_sentence),
        cmocka_unit_test(every_truncation_of_gzip_gives_a_sentence),
        cmocka_unit_test(a_flipped_byte_in_gzip_data_gives_a_sentence),
        cmocka_unit_test(bytes_after_the_end_are_refused),
        cmocka_unit_test(a_header_that_promises_too_much_takes_no_memory),
        cmocka_unit_test(lengths_of_zero_beside_huge_ones_are_refused),
        cmocka_unit_test(a_strange_header_is_refused),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(members_of_gzip_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
