// Image files, whole and damaged; resizing; contact sheets.
#include "support.h"
#include <cajal/data.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

static cj_tensor *gradient(int64_t height, int64_t width, int64_t channels)
{
    cj_tensor *image;
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(height, width, channels), &image), CJ_OK);
    unsigned char *pixels = cj_tensor_data(image);
    for (int64_t i = 0; i < height * width * channels; i++)
        pixels[i] = (unsigned char)(i * 3);
    return image;
}

// With an Exif block of that orientation, of either byte order, unless it is 0.
static const char *write_turned_jpeg(const cj_tensor *image, int orientation, bool big)
{
    const char *path = support_path("image.jpg");
    const cj_shape *shape = cj_tensor_shape(image);
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_height = (JDIMENSION)shape->dims[0];
    jpeg.image_width = (JDIMENSION)shape->dims[1];
    jpeg.input_components = (int)shape->dims[2];
    jpeg.in_color_space = shape->dims[2] == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    unsigned char little_block[] =
        "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0?\0\0\0\0\0\0",
                  big_block[] =
                      "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0?\0\0\0\0\0";
    little_block[24] = big_block[25] = (unsigned char)orientation;
    if (orientation > 0)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, big ? big_block : little_block,
                          (unsigned)(big ? sizeof big_block : sizeof little_block));
    for (int64_t y = 0; y < shape->dims[0]; y++) {
        JSAMPROW row = (unsigned char *)cj_tensor_data(image) + y * shape->dims[1] * shape->dims[2];
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
    return path;
}

// Every proper beginning of a file is refused with a sentence; every flipped byte is survived.
static void damage(const char *path)
{
    size_t size;
    unsigned char *bytes = support_read(path, &size);
    const char *damaged = support_path("damaged");
    cj_tensor *image;
    for (size_t length = 0; length < size; length++) {
        support_write(damaged, bytes, length);
        cj_error_clear();
        assert_int_equal(cj_load_image(damaged, 0, &image), CJ_BAD_FILE);
        assert_null(image);
        assert_true(strlen(cj_error()) > 10);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x55;
        support_write(damaged, bytes, size);
        if (cj_load_image(damaged, 0, &image) == CJ_OK)
            cj_release(image);
        bytes[i] ^= 0x55;
    }
    free(bytes);
}

static void png_gives_back_what_was_saved(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        cj_tensor *image = gradient(9, 13, channels), *back;
        const char *path = support_path("image.png");
        assert_int_equal(cj_save_png(image, path), CJ_OK);
        assert_int_equal(cj_load_image(path, 0, &back), CJ_OK);
        assert_true(cj_shape_equal(cj_tensor_shape(back), cj_tensor_shape(image)));
        assert_memory_equal(cj_tensor_data(back), cj_tensor_data(image),
                            (size_t)cj_tensor_count(image));
        damage(path);
        cj_release(image);
        cj_release(back);
    }
}

static const char *write_jpeg(const cj_tensor *image)
{
    return write_turned_jpeg(image, 0, false);
}

// The corners of a photo of 16 x 32 pixels, light at the upper left and half so at the upper right,
// after it was held in each of the eight ways.
static void photos_stand_upright(void **state)
{
    (void)state;
    static const unsigned char upright[8][4] = {
        {255, 128, 0, 0}, {128, 255, 0, 0}, {0, 0, 128, 255}, {0, 0, 255, 128},
        {255, 0, 128, 0}, {0, 255, 0, 128}, {0, 128, 0, 255}, {128, 0, 255, 0}};
    cj_tensor *photo, *read;
    assert_int_equal(cj_tensor_new(CJ_U8, CJ_SHAPE(16, 32, 1), &photo), CJ_OK);
    unsigned char *pixels = cj_tensor_data(photo);
    for (int i = 0; i < 16 * 32; i++)
        pixels[i] = (unsigned char)(i / 32 >= 8 ? 0 : i % 32 < 16 ? 255 : 128);
    for (int o = 1; o <= 8; o++)
        for (int big = 0; big < 2; big++) {
            assert_int_equal(cj_load_image(write_turned_jpeg(photo, o, big), 0, &read), CJ_OK);
            const int64_t height = cj_tensor_shape(read)->dims[0],
                          width = cj_tensor_shape(read)->dims[1];
            assert_int_equal(height, o < 5 ? 16 : 32);
            const unsigned char *at = cj_tensor_data(read);
            assert_near(at[0], upright[o - 1][0], 4, 0);
            assert_near(at[width - 1], upright[o - 1][1], 4, 0);
            assert_near(at[(height - 1) * width], upright[o - 1][2], 4, 0);
            assert_near(at[height * width - 1], upright[o - 1][3], 4, 0);
            cj_release(read);
        }
    cj_release(photo);
}

static void jpeg_is_near_what_was_saved(void **state)
{
    (void)state;
    cj_tensor *flat = gradient(8, 8, 3), *back;
    memset(cj_tensor_data(flat), 100, 192);
    const char *path = write_jpeg(flat);
    assert_int_equal(cj_load_image(path, 1, &back), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(back), &CJ_SHAPE(8, 8, 1)));
    assert_in_range(((unsigned char *)cj_tensor_data(back))[5], 98, 102);
    damage(path);
    cj_release(flat);
    cj_release(back);
}

static void check_pnm(const char *text, size_t size, int channels, const unsigned char *expected,
                      size_t count)
{
    const char *path = support_path("image.pgm");
    cj_tensor *image;
    support_write(path, text, size);
    assert_int_equal(cj_load_image(path, channels, &image), CJ_OK);
    assert_int_equal(cj_tensor_count(image), count);
    assert_memory_equal(cj_tensor_data(image), expected, count);
    cj_release(image);
}

static void pgm_and_ppm_are_read_as_text_and_bytes(void **state)
{
    (void)state;
    check_pnm("P2 # grey\n2 1\n15\n0 15", 21, 0, (unsigned char[]){0, 255}, 2);
    check_pnm("P5\n2 1\n255\n\x07\xff", 13, 0, (unsigned char[]){7, 255}, 2);
    check_pnm("P5\n1 1\n65535\n\x80\x00", 15, 0, (unsigned char[]){128}, 1);
    check_pnm("P3\n1 1\n255\n1 2 3", 16, 0, (unsigned char[]){1, 2, 3}, 3);
    check_pnm("P6\n1 1\n255\n\xff\x00\x00", 14, 1, (unsigned char[]){76}, 1);
    check_pnm("P5\n1 1\n255\n\x09", 12, 3, (unsigned char[]){9, 9, 9}, 3);
    support_write(support_path("bytes.pgm"), "P5\n2 2\n255\n\1\2\3\4", 15);
    damage(support_path("bytes.pgm"));
}

static void an_image_too_large_is_refused(void **state)
{
    (void)state;
    cj_tensor *image;
    support_write(support_path("large.pgm"), "P5\n99999 99999\n255\n", 19);
    assert_int_equal(cj_load_image(support_path("large.pgm"), 0, &image), CJ_BAD_FILE);
    assert_int_equal(cj_load_image(support_path("absent.png"), 0, &image), CJ_NOT_FOUND);
    assert_int_equal(cj_load_image(support_path("absent.png"), 2, &image), CJ_INVALID_ARGUMENT);
}

static void only_pictures_are_saved(void **state)
{
    (void)state;
    cj_tensor *vector;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3), &vector), CJ_OK);
    assert_int_equal(cj_save_png(vector, support_path("vector.png")), CJ_SHAPE_MISMATCH);
    cj_release(vector);
    cj_tensor *image = gradient(2, 2, 1);
    assert_int_equal(cj_save_png(image, support_path("no/such/folder.png")), CJ_IO);
    cj_release(image);
}

static void shrinking_averages_and_growing_interpolates(void **state)
{
    (void)state;
    cj_tensor *image, *half, *back;
    float values[] = {0, 2, 4, 6, 10, 12, 14, 16};
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2, 4, 1), values, 8, &image), CJ_OK);
    assert_int_equal(cj_resize_image(image, 1, 2, &half), CJ_OK);
    assert_all_near((float *)cj_tensor_data(half), ((float[]){6, 10}), 2, 1e-5, 0);
    assert_int_equal(cj_resize_image(half, 1, 4, &back), CJ_OK);
    assert_all_near((float *)cj_tensor_data(back), ((float[]){6, 7, 9, 10}), 4, 1e-5, 0);
    cj_release(image);
    assert_int_equal(cj_resize_image(half, 0, 4, &image), CJ_INVALID_ARGUMENT);
    assert_null(image);
    cj_release(half);
    cj_release(back);
}

static void a_grid_lays_images_in_rows(void **state)
{
    (void)state;
    cj_tensor *images, *picture;
    float values[] = {0, 1, 0.5f};
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(3, 1, 1, 1), values, 3, &images), CJ_OK);
    assert_int_equal(cj_image_grid(images, 2, &picture), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(picture), &CJ_SHAPE(2, 2, 1)));
    assert_memory_equal(cj_tensor_data(picture), ((unsigned char[]){0, 255, 128, 0}), 4);
    cj_release(picture);
    assert_int_equal(cj_image_grid(images, 0, &picture), CJ_INVALID_ARGUMENT);
    cj_release(images);
}

// The files and the values are Pillow's: tests/data/png/make.py.
static void png_of_every_kind_has_the_values_of_pil(void **state)
{
    (void)state;
    static const char *const names[] = {"grey16",     "rgb16",     "rgba16",
                                        "grey_alpha", "rgba",      "rgba_interlaced",
                                        "grey_gamma", "rgb_gamma", "palette"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        size_t size;
        cj_tensor *image;
        snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/data/png/%s.raw", names[i]);
        unsigned char *expected = support_read(path, &size);
        snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/data/png/%s.png", names[i]);
        assert_int_equal(cj_load_image(path, 0, &image), CJ_OK);
        assert_int_equal(cj_tensor_count(image), size);
        if (memcmp(cj_tensor_data(image), expected, size) != 0)
            fail_msg("%s: other values than PIL's", names[i]);
        cj_release(image);
        free(expected);
        damage(path);
    }
}

// A JPEG whose coefficients come one by one, in `scans` scans.
static const char *write_many_scans(int scans, int side)
{
    static jpeg_scan_info script[64 * 3];
    int count = 0;
    for (int component = 0; component < 3; component++)
        script[count++] = (jpeg_scan_info){1, {component}, 0, 0, 0, 0};
    for (int component = 0; component < 3; component++)
        for (int k = 1; k < 64 && count < scans; k++)
            script[count++] = (jpeg_scan_info){1, {component}, k, k, 0, 0};
    const char *path = support_path("scans.jpg");
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_height = jpeg.image_width = (JDIMENSION)side;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg.scan_info = script;
    jpeg.num_scans = count;
    jpeg_start_compress(&jpeg, TRUE);
    unsigned char *pixels = calloc((size_t)side, 3);
    for (int y = 0; y < side; y++)
        jpeg_write_scanlines(&jpeg, &pixels, 1);
    free(pixels);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
    return path;
}

static void a_jpeg_of_too_many_scans_is_refused(void **state)
{
    (void)state;
    cj_tensor *image;
    assert_int_equal(cj_load_image(write_many_scans(60, 16), 0, &image), CJ_OK);
    cj_release(image);
    assert_int_equal(cj_load_image(write_many_scans(140, 16), 0, &image), CJ_BAD_FILE);
    assert_error_contains("more than 100 scans");
    assert_null(image);
    assert_int_equal(cj_load_image(write_many_scans(40, 4096), 0, &image), CJ_BAD_FILE);
    assert_error_contains("more than 32 scans for 4096 x 4096 pixels");
}

static void null_is_refused_with_a_sentence(void **state)
{
    (void)state;
    cj_tensor *image = gradient(2, 2, 1), *out;
    const cj_status answers[] = {
        cj_load_image(NULL, 0, &out),
        cj_load_image("x", 0, NULL),
        cj_save_png(NULL, "x"),
        cj_save_png(image, NULL),
        cj_resize_image(NULL, 1, 1, &out),
        cj_resize_image(image, 1, 1, NULL),
        cj_image_grid(NULL, 1, &out),
        cj_image_grid(image, 1, NULL),
        cj_load_idx(NULL, &out),
        cj_load_idx("x", NULL),
        cj_load_dataset(NULL, NULL, NULL),
        cj_load_dataset("digits", NULL, NULL),
        cj_load_mnist(NULL, NULL),
        cj_load_cifar10(NULL, NULL),
        cj_dataset_slice(NULL, 0, 1, NULL),
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i] != CJ_INVALID_ARGUMENT)
            fail_msg("call %zu gave %s", i, cj_status_name(answers[i]));
    assert_int_equal(cj_dataset_count(NULL), 0);
    assert_null(cj_dataset_x(NULL, 0));
    assert_null(cj_dataset_y(NULL, 0));
    assert_null(cj_dataset_sample_weight(NULL));
    cj_release(image);
}

static cj_status use_everything(void *context)
{
    const char *path = context;
    cj_tensor *image = NULL, *small = NULL, *shaped = NULL, *grid = NULL;
    cj_status status = cj_load_image(path, 1, &image);
    if (status == CJ_OK)
        status = cj_resize_image(image, 3, 4, &small);
    if (status == CJ_OK)
        status = cj_tensor_reshape(small, CJ_SHAPE(2, 3, 2, 1), &shaped);
    if (status == CJ_OK)
        status = cj_image_grid(shaped, 2, &grid);
    if (status == CJ_OK)
        status = cj_save_png(grid, support_path("out.png"));
    cj_release(grid);
    cj_release(shaped);
    cj_release(small);
    cj_release(image);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    cj_tensor *image = gradient(6, 6, 3);
    char path[512];
    snprintf(path, sizeof path, "%s", write_jpeg(image));
    support_fail_each_allocation(use_everything, path);
    char png[512];
    snprintf(png, sizeof png, CAJAL_TEST_SOURCES "/data/png/rgba_interlaced.png");
    support_fail_each_allocation(use_everything, png);
    cj_release(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_gives_back_what_was_saved),
        cmocka_unit_test(photos_stand_upright),
        cmocka_unit_test(jpeg_is_near_what_was_saved),
        cmocka_unit_test(pgm_and_ppm_are_read_as_text_and_bytes),
        cmocka_unit_test(an_image_too_large_is_refused),
        cmocka_unit_test(only_pictures_are_saved),
        cmocka_unit_test(shrinking_averages_and_growing_interpolates),
        cmocka_unit_test(a_grid_lays_images_in_rows),
        cmocka_unit_test(png_of_every_kind_has_the_values_of_pil),
        cmocka_unit_test(a_jpeg_of_too_many_scans_is_refused),
        cmocka_unit_test(null_is_refused_with_a_sentence),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
