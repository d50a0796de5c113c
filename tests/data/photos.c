// Folders of JPEG photos of several kinds: against the numbers of Keras's loader on TensorFlow
// (photos.txt, by make_photos.py), which they are within rounding to whole ones.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A folder with that photo as its only one.
static const char *folder_of(const char *name)
{
    static char folder[512];
    char file[1024], from[1024];
    snprintf(folder, sizeof folder, "%s", support_path("one"));
    mkdir(folder, 0700);
    snprintf(file, sizeof file, "%s/a", folder);
    mkdir(file, 0700);
    snprintf(file, sizeof file, "%s/a/photo.jpg", folder);
    snprintf(from, sizeof from, CAJAL_TEST_SOURCES "/data/photos/%s", name);
    unlink(file);
    assert_int_equal(symlink(from, file), 0);
    return folder;
}

static void photos_are_those_of_the_loader_of_keras(void **state)
{
    (void)state;
    char name[32], mode[16], method[16], fit[16];
    int height, width, cases = 0;
    FILE *file = fopen(CAJAL_TEST_SOURCES "/data/photos.txt", "r");
    assert_non_null(file);
    while (fscanf(file, "%31s %15s %15s %15s %d %d", name, mode, method, fit, &height, &width) ==
           6) {
        cj_dataset *data;
        assert_int_equal(cj_load_image_folder(folder_of(name), &data, NULL,
                                              .image_size = {height, width},
                                              .interpolation = method, .color_mode = mode,
                                              .crop_to_aspect_ratio = strcmp(fit, "crop") == 0,
                                              .pad_to_aspect_ratio = strcmp(fit, "pad") == 0),
                         CJ_OK);
        const cj_tensor *x = cj_dataset_x(data, 0);
        const unsigned char *pixels = cj_tensor_data(x);
        const int count = height * width * (strcmp(mode, "rgb") == 0 ? 3 : 1);
        for (int i = 0; i < count; i++) {
            double expected;
            assert_int_equal(fscanf(file, "%lf", &expected), 1);
            expected = expected < 0 ? 0 : expected > 255 ? 255 : expected;
            assert_near(pixels[i], expected, 0.6, 0); // of "bicubic" see folders.c
        }
        cj_release(data);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 36);
}

static void reals_are_not_rounded(void **state)
{
    (void)state;
    char name[32], mode[16], method[16], fit[16];
    int height, width;
    FILE *file = fopen(CAJAL_TEST_SOURCES "/data/photos.txt", "r");
    assert_non_null(file);
    while (fscanf(file, "%31s %15s %15s %15s %d %d", name, mode, method, fit, &height, &width) ==
           6) {
        cj_dataset *data;
        assert_int_equal(cj_load_image_folder(folder_of(name), &data, NULL, .dtype = "float32",
                                              .image_size = {height, width},
                                              .interpolation = method, .color_mode = mode,
                                              .crop_to_aspect_ratio = strcmp(fit, "crop") == 0,
                                              .pad_to_aspect_ratio = strcmp(fit, "pad") == 0),
                         CJ_OK);
        const float *pixels = cj_tensor_data(cj_dataset_x(data, 0));
        const int count = height * width * (strcmp(mode, "rgb") == 0 ? 3 : 1);
        const double near = strcmp(method, "bicubic") == 0 ? 0.2 : 0.02;
        for (int i = 0; i < count; i++) {
            double expected;
            assert_int_equal(fscanf(file, "%lf", &expected), 1);
            assert_near((double)pixels[i], expected, near, 0);
        }
        cj_release(data);
    }
    fclose(file);
}

// Each photo alone, by the settings of its folder: the very bits of the folder's row.
static void a_picture_is_the_row_of_its_folder(void **state)
{
    (void)state;
    char name[32], mode[16], method[16], fit[16], path[600];
    int height, width, cases = 0;
    FILE *file = fopen(CAJAL_TEST_SOURCES "/data/photos.txt", "r");
    assert_non_null(file);
    while (fscanf(file, "%31s %15s %15s %15s %d %d", name, mode, method, fit, &height, &width) ==
           6) {
        for (int reals = 0; reals < 2; reals++) {
            cj_dataset *data;
            cj_tensor *image;
            const char *dtype = reals ? "float32" : "uint8";
            const bool crop = strcmp(fit, "crop") == 0, pad = strcmp(fit, "pad") == 0;
            assert_int_equal(cj_load_image_folder(folder_of(name), &data, NULL, .dtype = dtype,
                                                  .image_size = {height, width},
                                                  .interpolation = method, .color_mode = mode,
                                                  .crop_to_aspect_ratio = crop,
                                                  .pad_to_aspect_ratio = pad),
                             CJ_OK);
            snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/data/photos/%s", name);
            assert_int_equal(cj_load_picture(path, &image, .dtype = dtype,
                                             .image_size = {height, width}, .interpolation = method,
                                             .color_mode = mode, .crop_to_aspect_ratio = crop,
                                             .pad_to_aspect_ratio = pad),
                             CJ_OK);
            const cj_tensor *x = cj_dataset_x(data, 0);
            assert_int_equal(cj_tensor_dtype(image), cj_tensor_dtype(x));
            assert_int_equal(cj_tensor_count(image), cj_tensor_count(x));
            assert_memory_equal(cj_tensor_data(image), cj_tensor_data(x),
                                (size_t)cj_tensor_count(x) * (reals ? 4 : 1));
            cj_release(image);
            cj_release(data);
        }
        const int count = height * width * (strcmp(mode, "rgb") == 0 ? 3 : 1);
        for (int i = 0; i < count; i++)
            assert_int_equal(fscanf(file, "%*f"), 0);
        cases++;
    }
    fclose(file);
    assert_int_equal(cases, 36);
}

// Without a size a picture is as large as its file says; deep.png has 16 bits, as said below.
static void a_picture_of_its_own_size(void **state)
{
    (void)state;
    const char *path = CAJAL_TEST_SOURCES "/data/photos/deep.png";
    cj_tensor *image;
    assert_int_equal(cj_load_picture(path, &image, .dtype = "float32", .color_mode = "grayscale"),
                     CJ_OK);
    assert_int_equal(cj_tensor_shape(image)->dims[0], 4);
    assert_int_equal(cj_tensor_shape(image)->dims[1], 5);
    const float *pixels = cj_tensor_data(image);
    for (int i = 0; i < 20; i++)
        assert_near((double)pixels[i], (7777 * (i / 5) + 1000 * (i % 5) + 3) / 257.0, 1e-4, 0);
    cj_release(image);
    assert_int_equal(cj_load_picture(path, &image), CJ_OK);
    assert_int_equal(cj_tensor_shape(image)->dims[2], 3);
    const unsigned char *bytes = cj_tensor_data(image);
    for (int i = 0; i < 60; i++) // the upper byte
        assert_int_equal(bytes[i], (7777 * (i / 15) + 1000 * (i / 3 % 5) + 3) >> 8);
    cj_release(image);
    assert_int_equal(cj_load_picture(path, &image, .color_mode = "rgba"), CJ_OK);
    assert_int_equal(((const unsigned char *)cj_tensor_data(image))[3], 255);
    cj_release(image);
}

static void wrong_settings_of_a_picture_are_refused(void **state)
{
    (void)state;
    const char *path = CAJAL_TEST_SOURCES "/data/photos/deep.png";
    cj_tensor *image = NULL;
    assert_int_equal(cj_load_picture(path, &image, .image_size = {0, 5}), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_picture(path, &image, .image_size = {1, 20000}), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_picture(path, &image, .color_mode = "gray"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_picture(path, &image, .color_mode = NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_picture(path, &image, .interpolation = "cubic"), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "bicubic"));
    assert_int_equal(cj_load_picture(path, &image, .dtype = "uint16"), CJ_INVALID_ARGUMENT);
    assert_int_equal(
        cj_load_picture(path, &image, .crop_to_aspect_ratio = true, .pad_to_aspect_ratio = true),
        CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_picture("absent.png", &image), CJ_NOT_FOUND);
    assert_int_equal(cj_load_picture(CAJAL_TEST_SOURCES "/data/photos.txt", &image), CJ_BAD_FILE);
    assert_null(image);
}

// A PNG of make_photos.py, and a PGM: pixel (y, x) is 7777 y + 1000 x + 3, of 65535.
static void sixteen_bits_are_kept(void **state)
{
    (void)state;
    char path[600], from[600];
    unsigned char pgm[80] = "P5 5 4 65535\n";
    for (int i = 0; i < 20; i++) {
        const int value = 7777 * (i / 5) + 1000 * (i % 5) + 3;
        pgm[13 + 2 * i] = (unsigned char)(value >> 8);
        pgm[14 + 2 * i] = (unsigned char)value;
    }
    for (int k = 0; k < 2; k++) {
        cj_dataset *data;
        const char *folder = folder_of("dot.jpg");
        snprintf(path, sizeof path, "%s/a/photo.jpg", folder);
        unlink(path);
        snprintf(from, sizeof from, CAJAL_TEST_SOURCES "/data/photos/deep.png");
        if (k == 0)
            assert_int_equal(symlink(from, path), 0);
        else
            support_write(path, pgm, 53);
        assert_int_equal(cj_load_image_folder(folder, &data, NULL, .dtype = "float32",
                                              .color_mode = "grayscale", .image_size = {4, 5}),
                         CJ_OK);
        const float *pixels = cj_tensor_data(cj_dataset_x(data, 0));
        for (int i = 0; i < 20; i++)
            assert_near((double)pixels[i], (7777 * (i / 5) + 1000 * (i % 5) + 3) / 257.0, 1e-4, 0);
        cj_release(data);
        assert_int_equal(cj_load_image_folder(folder, &data, NULL, .dtype = "float16"),
                         CJ_INVALID_ARGUMENT);
    }
}

static void streamed_photos_are_those_in_memory(void **state)
{
    (void)state;
    cj_dataset *memory, *stream, *loaded;
    const char *folder = folder_of("progressive.jpg");
    assert_int_equal(cj_load_image_folder(folder, &memory, NULL, .image_size = {20, 30}), CJ_OK);
    assert_int_equal(
        cj_load_image_folder(folder, &stream, NULL, .image_size = {20, 30}, .stream = true), CJ_OK);
    assert_int_equal(cj_dataset_load(stream, &loaded), CJ_OK);
    assert_memory_equal(cj_tensor_data(cj_dataset_x(memory, 0)),
                        cj_tensor_data(cj_dataset_x(loaded, 0)), 20 * 30 * 3);
    cj_release(memory);
    cj_release(stream);
    cj_release(loaded);
}

// A file of every photo, with its first `size` bytes.
static cj_status load_cut(const char *name, const unsigned char *bytes, size_t size)
{
    cj_dataset *data = NULL;
    char file[600];
    const char *folder = folder_of(name);
    snprintf(file, sizeof file, "%s/a/photo.jpg", folder);
    unlink(file);
    support_write(file, bytes, size);
    const cj_status status =
        cj_load_image_folder(folder, &data, NULL, .image_size = {8, 8}, .color_mode = "grayscale");
    cj_release(data);
    return status;
}

static void a_photo_cut_short_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"half.jpg", "progressive.jpg", "inks.jpg", "grey.jpg"};
    for (int n = 0; n < 4; n++) {
        char path[512];
        unsigned char bytes[4096];
        snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/data/photos/%s", names[n]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        const size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        for (size_t cut = 0; cut < size; cut += 1 + size / 97)
            assert_int_equal(load_cut(names[n], bytes, cut), CJ_BAD_FILE);
        for (size_t at = 3; at < size; at += 1 + size / 61) {
            bytes[at] ^= 0x55; // an answer or a sentence, and no more
            const cj_status status = load_cut(names[n], bytes, size);
            assert_true(status == CJ_OK || status == CJ_BAD_FILE || status == CJ_UNSUPPORTED);
            bytes[at] ^= 0x55;
        }
        assert_int_equal(load_cut(names[n], bytes, size), CJ_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(photos_are_those_of_the_loader_of_keras),
        cmocka_unit_test(reals_are_not_rounded),
        cmocka_unit_test(a_picture_is_the_row_of_its_folder),
        cmocka_unit_test(a_picture_of_its_own_size),
        cmocka_unit_test(wrong_settings_of_a_picture_are_refused),
        cmocka_unit_test(sixteen_bits_are_kept),
        cmocka_unit_test(streamed_photos_are_those_in_memory),
        cmocka_unit_test(a_photo_cut_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
