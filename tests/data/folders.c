// Folders of images: against numbers of jax.image.resize and NumPy's shuffle (folders.txt, by
// make_folders.py), labels, splits, and what is broken.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void make(const char *name)
{
    mkdir(support_path(name), 0700);
}

// A grey image of height x width.
static void write_grey(const char *name, int height, int width, const unsigned char *pixels)
{
    unsigned char bytes[512];
    const int header = snprintf((char *)bytes, sizeof bytes, "P5\n%d %d\n255\n", width, height);
    memcpy(bytes + header, pixels, (size_t)(height * width));
    support_write(support_path(name), bytes, (size_t)(header + height * width));
}

static void write_dot(const char *name, int value)
{
    const unsigned char pixel = (unsigned char)value;
    write_grey(name, 1, 1, &pixel);
}

static const unsigned char *pixels_of(const cj_dataset *data)
{
    return cj_tensor_data(cj_dataset_x(data, 0));
}

static FILE *open_numbers(void)
{
    FILE *file = fopen(CAJAL_TEST_SOURCES "/data/folders.txt", "r");
    assert_non_null(file);
    return file;
}

static void images_are_resized_as_by_keras(void **state)
{
    (void)state;
    FILE *file = open_numbers();
    unsigned char image[77];
    char kind[16], method[16], fit[16];
    int height, width, cases = 0;
    assert_int_equal(fscanf(file, "%15s 7 11 1", kind), 1);
    for (int i = 0; i < 77; i++)
        assert_int_equal(fscanf(file, "%hhu", &image[i]), 1);
    make("resized");
    make("resized/a");
    write_grey("resized/a/image.pgm", 7, 11, image);
    while (fscanf(file, "%15s", kind) == 1 && strcmp(kind, "resize") == 0) {
        cj_dataset *data;
        assert_int_equal(fscanf(file, "%15s %15s %d %d", method, fit, &height, &width), 4);
        assert_int_equal(cj_load_image_folder(support_path("resized"), &data, NULL,
                                              .image_size = {height, width},
                                              .interpolation = method, .color_mode = "grayscale",
                                              .crop_to_aspect_ratio = strcmp(fit, "crop") == 0,
                                              .pad_to_aspect_ratio = strcmp(fit, "pad") == 0),
                         CJ_OK);
        for (int i = 0; i < height * width; i++) {
            double expected;
            assert_int_equal(fscanf(file, "%lf", &expected), 1);
            // TensorFlow takes the weights of "bicubic" from a table of 1024 steps
            assert_near(pixels_of(data)[i], expected, 0.6, 0);
        }
        cj_release(data);
        cases++;
    }
    assert_int_equal(cases, 66);
    fclose(file);
}

static void the_order_of_a_seed_is_that_of_numpy(void **state)
{
    (void)state;
    FILE *file = open_numbers();
    char line[64], name[64];
    unsigned seed;
    int count, cases = 0;
    make("order");
    make("order/a");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "order/a/%03d.pgm", i);
        write_dot(name, i);
    }
    while (fscanf(file, "%63s", line) == 1) {
        if (strcmp(line, "shuffle") != 0)
            continue;
        cj_dataset *data;
        assert_int_equal(fscanf(file, "%u %d", &seed, &count), 2);
        if (count == 100) {
            assert_int_equal(cj_load_image_folder(support_path("order"), &data, NULL,
                                                  .image_size = {1, 1}, .seed = seed,
                                                  .color_mode = "grayscale"),
                             CJ_OK);
            for (int i = 0, expected; i < count; i++) {
                assert_int_equal(fscanf(file, "%d", &expected), 1);
                assert_int_equal(pixels_of(data)[i], expected);
            }
            cj_release(data);
            cases++;
        }
    }
    assert_int_equal(cases, 3);
    fclose(file);
}

// Two classes; what is no image, and what is hidden, is passed over; folders within a class count.
static void write_zoo(void)
{
    make("zoo");
    make("zoo/bees");
    make("zoo/ants");
    make("zoo/ants/small");
    make("zoo/.hidden");
    write_dot("zoo/bees/1.PGM", 10);
    write_dot("zoo/bees/2.pgm", 11);
    write_dot("zoo/ants/small/0.pgm", 1);
    write_dot("zoo/ants/b.pgm", 0);
    write_dot("zoo/.hidden/b.pgm", 99);
    write_dot("zoo/ants/.b.pgm", 99);
    support_write(support_path("zoo/ants/notes.txt"), "x", 1);
}

static void classes_are_folders(void **state)
{
    (void)state;
    static const unsigned char expected[] = {0, 1, 10, 11};
    cj_dataset *data;
    write_zoo();
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .color_mode = "grayscale", .shuffle = false),
                     CJ_OK);
    assert_int_equal(cj_dataset_count(data), 4);
    assert_memory_equal(pixels_of(data), expected, 4);
    assert_int_equal(cj_dataset_class_count(data), 2);
    assert_string_equal(cj_dataset_class_name(data, 0), "ants");
    assert_string_equal(cj_dataset_class_name(data, 1), "bees");
    assert_null(cj_dataset_class_name(data, 2));
    assert_int_equal(cj_dataset_class_count(&cj_no_dataset), 0);
    const int32_t *labels = cj_tensor_data(cj_dataset_y(data, 0));
    assert_int_equal(labels[0], 0);
    assert_int_equal(labels[3], 1);
    cj_release(data);
}

static void labels_have_three_forms(void **state)
{
    (void)state;
    cj_dataset *data;
    write_zoo();
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .label_mode = "categorical", .shuffle = false,
                                          .class_names = {"bees", "ants"}),
                     CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(data, 0)), &CJ_SHAPE(4, 1, 1, 3)));
    const float *hot = cj_tensor_data(cj_dataset_y(data, 0));
    assert_true(hot[0] == 1 && hot[1] == 0 && hot[6] == 0 && hot[7] == 1);
    cj_release(data);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .label_mode = "binary", .shuffle = false),
                     CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_y(data, 0)), &CJ_SHAPE(4, 1)));
    assert_true(((float *)cj_tensor_data(cj_dataset_y(data, 0)))[2] == 1);
    cj_release(data);
}

static void the_last_samples_are_held_out(void **state)
{
    (void)state;
    cj_dataset *data, *held;
    write_zoo();
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, &held, .image_size = {1, 1},
                                          .color_mode = "grayscale", .shuffle = false,
                                          .validation_split = 0.3),
                     CJ_OK);
    assert_int_equal(cj_dataset_count(data), 3);
    assert_int_equal(cj_dataset_count(held), 1);
    assert_int_equal(pixels_of(held)[0], 11);
    assert_string_equal(cj_dataset_class_name(held, 1), "bees");
    cj_release(data);
    cj_release(held);
}

static void a_list_gives_labels(void **state)
{
    (void)state;
    static const char list[] = "\xef\xbb\xbf"
                               "file,label\r\n\"ants/b.pgm\",\"a \"\"b\"\"\"\r\n\r\nbees/2.pgm,z";
    cj_dataset *data;
    write_zoo();
    support_write(support_path("list.csv"), list, sizeof list - 1);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .color_mode = "grayscale", .shuffle = false,
                                          .labels = support_path("list.csv")),
                     CJ_OK);
    assert_int_equal(cj_dataset_count(data), 2);
    assert_int_equal(pixels_of(data)[1], 11);
    assert_string_equal(cj_dataset_class_name(data, 0), "a \"b\"");
    cj_release(data);
    support_write(support_path("list.csv"), "ants/b.pgm,x\nants/none.pgm,y\n", 30);
    assert_int_equal(
        cj_load_image_folder(support_path("zoo"), &data, NULL, .labels = support_path("list.csv")),
        CJ_NOT_FOUND);
    assert_error_contains("line 2");
    support_write(support_path("list.csv"), "ants/b.pgm\n", 11);
    assert_int_equal(
        cj_load_image_folder(support_path("zoo"), &data, NULL, .labels = support_path("list.csv")),
        CJ_BAD_FILE);
}

static int warned;
static void count_warning(const char *sentence, void *context)
{
    (void)context;
    assert_non_null(strstr(sentence, "broken.png"));
    warned++;
}

static void broken_files_are_named(void **state)
{
    (void)state;
    cj_dataset *data;
    write_zoo();
    support_write(support_path("zoo/ants/broken.png"), "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1}),
                     CJ_BAD_FILE);
    assert_error_contains("broken.png");
    assert_null(data);
    cj_set_warning_handler(count_warning, NULL);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .skip_broken = true),
                     CJ_OK);
    cj_set_warning_handler(NULL, NULL);
    assert_int_equal(warned, 1);
    assert_int_equal(cj_dataset_count(data), 4);
    cj_release(data);
    remove(support_path("zoo/ants/broken.png"));
}

#define assert_refused(status, part, ...)                                                         \
    do {                                                                                          \
        cj_dataset *refused_;                                                                     \
        assert_int_equal(cj_load_image_folder(support_path("zoo"), &refused_, NULL, __VA_ARGS__), \
                         status);                                                                 \
        assert_error_contains(part);                                                              \
        assert_null(refused_);                                                                    \
    } while (0)

// What is decoded when it is needed is what is decoded at once.
static void streamed_images_are_the_same(void **state)
{
    (void)state;
    cj_dataset *whole, *held, *data, *rest, *memory;
    write_zoo();
    remove(support_path("zoo/ants/broken.png"));
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &whole, &held, .image_size = {2, 3},
                                          .validation_split = 0.3, .seed = 4),
                     CJ_OK);
    for (int cached = 0; cached < 2; cached++) {
        assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, &rest,
                                              .image_size = {2, 3}, .validation_split = 0.3,
                                              .seed = 4, .stream = true,
                                              .cache_bytes = cached ? 200 : 0),
                         CJ_OK);
        assert_true(cj_dataset_is_streamed(data));
        assert_int_equal(cj_dataset_count(rest), 1);
        assert_string_equal(cj_dataset_class_name(data, 1), "bees");
        for (int again = 0; again < 2; again++) {
            assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
            assert_memory_equal(pixels_of(memory), pixels_of(whole), 3 * 2 * 3 * 3);
            assert_memory_equal(cj_tensor_data(cj_dataset_y(memory, 0)),
                                cj_tensor_data(cj_dataset_y(whole, 0)), 3 * sizeof(int32_t));
            cj_release(memory);
        }
        cj_release(data);
        cj_release(rest);
    }
    cj_release(whole);
    cj_release(held);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .color_mode = "rgba", .label_mode = "categorical",
                                          .shuffle = false),
                     CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(cj_dataset_x(data, 0)), &CJ_SHAPE(4, 1, 1, 4)));
    assert_int_equal(pixels_of(data)[8], 10);
    assert_int_equal(pixels_of(data)[11], 255);
    cj_release(data);
    support_write(support_path("zoo/ants/broken.png"), "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .color_mode = "grayscale", .shuffle = false,
                                          .stream = true),
                     CJ_OK);
    assert_int_equal(cj_dataset_load(data, &memory), CJ_BAD_FILE);
    assert_error_contains("broken.png");
    cj_release(data);
    warned = 0;
    cj_set_warning_handler(count_warning, NULL);
    assert_int_equal(cj_load_image_folder(support_path("zoo"), &data, NULL, .image_size = {1, 1},
                                          .color_mode = "grayscale", .shuffle = false,
                                          .stream = true, .skip_broken = true),
                     CJ_OK);
    cj_set_warning_handler(NULL, NULL);
    assert_int_equal(warned, 1);
    assert_int_equal(cj_dataset_load(data, &memory), CJ_OK);
    static const unsigned char expected[] = {0, 1, 10, 11};
    assert_memory_equal(pixels_of(memory), expected, 4);
    cj_release(memory);
    cj_release(data);
    remove(support_path("zoo/ants/broken.png"));
}

static void texts_of_a_folder_are_samples(void **state)
{
    (void)state;
    cj_dataset *data, *held;
    make("reviews");
    make("reviews/bad");
    make("reviews/good");
    support_write(support_path("reviews/bad/1.txt"), "dull\nfilm", 9);
    support_write(support_path("reviews/bad/2.TXT"), "", 0);
    support_write(support_path("reviews/good/1.txt"), "fine", 4);
    support_write(support_path("reviews/good/notes.md"), "x", 1);
    support_write(support_path("reviews/good/2.txt"), "a\0b", 3);
    assert_int_equal(cj_load_text_folder(support_path("reviews"), &data, &held, .shuffle = false,
                                         .validation_split = 0.25),
                     CJ_OK);
    assert_int_equal(cj_dataset_count(data), 3);
    assert_string_equal(cj_dataset_class_name(held, 1), "good");
    const cj_tensor *x = cj_dataset_x(data, 0);
    assert_string_equal(cj_tensor_text(x, (int64_t[]){0, 0}).data, "dull\nfilm");
    assert_int_equal(cj_tensor_text(x, (int64_t[]){1, 0}).length, 0);
    assert_int_equal(cj_tensor_text(cj_dataset_x(held, 0), (int64_t[]){0, 0}).length, 3);
    assert_int_equal(((int32_t *)cj_tensor_data(cj_dataset_y(data, 0)))[2], 1);
    cj_release(data);
    cj_release(held);
    assert_int_equal(cj_load_text_folder(support_path("reviews/bad"), &data, NULL), CJ_NOT_FOUND);
    assert_int_equal(cj_load_text_folder(support_path("reviews"), &data, NULL, .label_mode = "x"),
                     CJ_INVALID_ARGUMENT);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    cj_dataset *data;
    write_zoo();
    assert_refused(CJ_INVALID_ARGUMENT, "image_size", .image_size = {0, 3});
    assert_refused(CJ_INVALID_ARGUMENT, "rgb", .color_mode = "cmyk");
    assert_refused(CJ_INVALID_ARGUMENT, "cache_bytes", .cache_bytes = 100);
    assert_refused(CJ_INVALID_ARGUMENT, "bilinear", .interpolation = "bilinaer");
    assert_refused(CJ_INVALID_ARGUMENT, "label_mode", .label_mode = "ints");
    assert_refused(CJ_INVALID_ARGUMENT, "validation", .validation_split = 0.5);
    assert_refused(CJ_INVALID_ARGUMENT, "validation_split", .validation_split = 1);
    assert_refused(CJ_NOT_FOUND, "wasps", .class_names = {"ants", "wasps"});
    assert_refused(CJ_INVALID_ARGUMENT, "two classes", .label_mode = "binary",
                   .class_names = {"ants"});
    assert_refused(CJ_INVALID_ARGUMENT, "only one of", .crop_to_aspect_ratio = true,
                   .pad_to_aspect_ratio = true);
    assert_int_equal(cj_load_image_folder(support_path("none"), &data, NULL), CJ_NOT_FOUND);
    assert_int_equal(cj_load_image_folder(support_path("zoo/bees"), &data, NULL), CJ_NOT_FOUND);
    assert_error_contains("no folders");
    assert_int_equal(cj_load_image_folder(NULL, &data, NULL), CJ_INVALID_ARGUMENT);
}

static cj_status load_zoo(void *context)
{
    cj_dataset *data, *held;
    const cj_status status =
        cj_load_image_folder(support_path("zoo"), &data, &held, .image_size = {3, 2},
                             .validation_split = 0.5, .pool = context);
    cj_release(data);
    cj_release(held);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    write_zoo();
    cj_pool *pool = cj_pool_new(1);
    support_fail_each_allocation(load_zoo, pool);
    cj_release(pool);
}

static void put(unsigned char *at, unsigned value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

// A BMP of 2 x 2 pixels, from below, of `bits` a pixel.
static size_t write_bmp(unsigned char *bytes, int bits)
{
    memset(bytes, 0, 256);
    memcpy(bytes, "BM", 2);
    const unsigned colours = bits <= 8 ? 1u << bits : 0, begin = 54 + 4 * colours;
    put(bytes + 10, begin, 4);
    put(bytes + 14, 40, 4);
    put(bytes + 18, 2, 4);
    put(bytes + 22, 2, 4);
    put(bytes + 26, 1, 2);
    put(bytes + 28, (unsigned)bits, 2);
    for (unsigned i = 0; i < colours; i++)
        put(bytes + 54 + 4 * i, i * 0x0a0b0c, 3);
    const size_t row = (size_t)(2 * bits + 31) / 32 * 4;
    for (size_t i = 0; i < 2 * row; i++)
        bytes[begin + i] = (unsigned char)(17 * i + 1);
    support_write(support_path("image.bmp"), bytes, begin + 2 * row);
    return begin + 2 * row;
}

static void bmp_files_are_read(void **state)
{
    (void)state;
    unsigned char bytes[256];
    cj_tensor *image;
    write_bmp(bytes, 24);
    assert_int_equal(cj_load_image(support_path("image.bmp"), 0, &image), CJ_OK);
    const unsigned char *rgb = cj_tensor_data(image);
    // the upper row is the file's second: bytes 8, 9, 10 are blue, green, red
    assert_int_equal(rgb[0], 17 * 10 + 1);
    assert_int_equal(rgb[2], 17 * 8 + 1);
    assert_int_equal(rgb[6], 17 * 2 + 1);
    cj_release(image);
    write_bmp(bytes, 4);
    assert_int_equal(cj_load_image(support_path("image.bmp"), 0, &image), CJ_OK);
    rgb = cj_tensor_data(image);
    // byte 4 is 0x45: colours 4 and 5
    assert_int_equal(rgb[0], 4 * 0x0a);
    assert_int_equal(rgb[5], 5 * 0x0c);
    cj_release(image);
    write_bmp(bytes, 16);
    assert_int_equal(cj_load_image(support_path("image.bmp"), 0, &image), CJ_OK);
    rgb = cj_tensor_data(image);
    // bytes 4, 5 are 0x5645: red 21, green 18, blue 5 of 31
    assert_int_equal(rgb[0], (21 * 255 + 15) / 31);
    assert_int_equal(rgb[1], (18 * 255 + 15) / 31);
    assert_int_equal(rgb[2], (5 * 255 + 15) / 31);
    cj_release(image);
}

// Each truncation, and each byte set to other values, gives an image or a sentence.
static void damaged_bmp_files_are_survived(void **state)
{
    (void)state;
    static const int depths[] = {1, 4, 16, 24, 32};
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    unsigned char bytes[256];
    cj_tensor *image;
    for (int d = 0; d < 5; d++) {
        const size_t size = write_bmp(bytes, depths[d]);
        for (size_t i = 0; i < size; i++) {
            support_write(support_path("image.bmp"), bytes, i);
            assert_int_not_equal(cj_load_image(support_path("image.bmp"), 0, &image), CJ_OK);
        }
        for (size_t i = 0; i < size; i++)
            for (int v = 0; v < 5; v++) {
                const unsigned char old = bytes[i];
                bytes[i] = values[v];
                support_write(support_path("image.bmp"), bytes, size);
                if (cj_load_image(support_path("image.bmp"), 3, &image) == CJ_OK)
                    cj_release(image);
                bytes[i] = old;
            }
    }
}

// A palette's colour i is (30 i, 20 i, 10 i). What Pillow makes of the runs of 8 bits.
static size_t write_runs(unsigned char *bytes, int bits)
{
    static const unsigned char of_8[] = {4, 7, 0, 0, 0, 3, 1, 2, 3, 0, 1, 9,
                                         0, 0, 2, 5, 0, 2, 1, 0, 1, 8, 0, 1};
    static const unsigned char of_4[] = {4, 0x71, 0, 0,    0, 4,    0x12, 0x39,
                                         0, 0,    3, 0x55, 1, 0x80, 0,    1};
    const size_t size = bits == 8 ? sizeof of_8 : sizeof of_4;
    memset(bytes, 0, 118 + size);
    memcpy(bytes, "BM", 2);
    bytes[10] = 118;
    bytes[14] = 40;
    bytes[18] = 4;
    bytes[22] = 3;
    bytes[26] = 1;
    bytes[28] = (unsigned char)bits;
    bytes[30] = bits == 8 ? 1 : 2;
    bytes[46] = 16;
    for (int i = 0; i < 16; i++)
        for (int c = 0; c < 3; c++)
            bytes[54 + 4 * i + c] = (unsigned char)(10 * (c + 1) * i);
    memcpy(bytes + 118, bits == 8 ? of_8 : of_4, size);
    support_write(support_path("runs.bmp"), bytes, 118 + size);
    return 118 + size;
}

static void bmp_runs_are_unpacked(void **state)
{
    (void)state;
    static const unsigned char expected[2][12] = {{5, 5, 5, 8, 1, 2, 3, 9, 7, 1, 7, 1},
                                                  {5, 5, 0, 8, 1, 2, 3, 9, 7, 7, 7, 7}};
    unsigned char bytes[256];
    for (int k = 0; k < 2; k++) {
        cj_tensor *image;
        const size_t size = write_runs(bytes, k == 1 ? 8 : 4);
        assert_int_equal(cj_load_image(support_path("runs.bmp"), 0, &image), CJ_OK);
        for (int i = 0; i < 12; i++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(((unsigned char *)cj_tensor_data(image))[3 * i + c],
                                 (unsigned char)(10 * (3 - c) * expected[k][i]));
        cj_release(image);
        for (size_t i = 0; i < size - 2; i++) { // the mark of the end may be missing
            support_write(support_path("runs.bmp"), bytes, i);
            assert_int_not_equal(cj_load_image(support_path("runs.bmp"), 0, &image), CJ_OK);
        }
        for (size_t i = 0; i < 8 * size; i++) {
            bytes[i / 8] ^= (unsigned char)(1 << i % 8);
            support_write(support_path("runs.bmp"), bytes, size);
            if (cj_load_image(support_path("runs.bmp"), 3, &image) == CJ_OK)
                cj_release(image);
            bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_resized_as_by_keras),
        cmocka_unit_test(the_order_of_a_seed_is_that_of_numpy),
        cmocka_unit_test(classes_are_folders),
        cmocka_unit_test(labels_have_three_forms),
        cmocka_unit_test(the_last_samples_are_held_out),
        cmocka_unit_test(a_list_gives_labels),
        cmocka_unit_test(broken_files_are_named),
        cmocka_unit_test(streamed_images_are_the_same),
        cmocka_unit_test(texts_of_a_folder_are_samples),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(bmp_files_are_read),
        cmocka_unit_test(damaged_bmp_files_are_survived),
        cmocka_unit_test(bmp_runs_are_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
