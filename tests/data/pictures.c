// GIF and WebP files, and alpha, against PIL (pictures/, by make_pictures.py); .png as well.
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, CAJAL_TEST_SOURCES "/data/pictures/%s", name);
    return path;
}

// Whether this build reads such files.
static bool is_read(const char *name)
{
    cj_tensor *image = NULL;
    const cj_status status = cj_load_image(file_of(name), 0, &image);
    cj_release(image);
    return status != CJ_UNSUPPORTED;
}

static int over_white(int colour, int alpha)
{
    return (colour * alpha + 255 * (255 - alpha) + 127) / 255;
}

static void check_picture(const char *name, const int *rgba, int64_t height, int64_t width)
{
    cj_tensor *with, *without, *grey;
    assert_int_equal(cj_load_image(file_of(name), 4, &with), CJ_OK);
    assert_int_equal(cj_load_image(file_of(name), 3, &without), CJ_OK);
    assert_int_equal(cj_load_image(file_of(name), 1, &grey), CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(with), &CJ_SHAPE(height, width, 4)));
    assert_true(cj_shape_equal(cj_tensor_shape(without), &CJ_SHAPE(height, width, 3)));
    assert_true(cj_shape_equal(cj_tensor_shape(grey), &CJ_SHAPE(height, width, 1)));
    const unsigned char *a = cj_tensor_data(with), *b = cj_tensor_data(without);
    for (int64_t i = 0; i < height * width; i++) {
        assert_int_equal(a[4 * i + 3], rgba[4 * i + 3]);
        for (int c = 0; c < 3; c++) {
            if (rgba[4 * i + 3] > 0)
                assert_int_equal(a[4 * i + c], rgba[4 * i + c]);
            assert_int_equal(b[3 * i + c], over_white(rgba[4 * i + c], rgba[4 * i + 3]));
        }
    }
    cj_release(with);
    cj_release(without);
    cj_release(grey);
}

static void pictures_are_those_of_pil(void **state)
{
    (void)state;
    FILE *file = fopen(file_of("pictures.txt"), "r");
    char name[64];
    int rgba[4 * 7 * 11], height, width, count = 0;
    assert_non_null(file);
    while (fscanf(file, "%63s %d %d", name, &height, &width) == 3) {
        assert_int_equal(height * width, 77);
        for (int i = 0; i < 4 * 77; i++)
            assert_int_equal(fscanf(file, "%d", &rgba[i]), 1);
        if (is_read(name))
            check_picture(name, rgba, height, width);
        else
            print_message("skipped: %s, whose library is not there\n", name);
        count++;
    }
    assert_int_equal(count, 9);
    fclose(file);
}

static void damage_is_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"interlaced.gif", "transparent.gif", "alpha.webp",
                                        "lossy.webp", "grey_alpha.png"};
    for (int n = 0; n < 5; n++) {
        size_t size;
        char *bytes = support_read(file_of(names[n]), &size);
        for (size_t i = 0; i < 3 * size; i++) {
            const size_t at = i / 3;
            const char kept = bytes[at];
            cj_tensor *image = NULL;
            if (i % 3)
                bytes[at] = (char)(i % 3 == 1 ? ~kept : kept ^ (1 << (at % 8)));
            support_write(support_path("damaged"), bytes, i % 3 ? size : at);
            bytes[at] = kept;
            cj_error_clear();
            const cj_status status = cj_load_image(support_path("damaged"), i % 2 ? 4 : 3, &image);
            assert_true(status == CJ_OK ? image != NULL : !image && *cj_error());
            cj_release(image);
        }
        free(bytes);
    }
}

static cj_status load_all(void *context)
{
    static const char *const names[] = {"transparent.gif", "alpha.webp", "alpha.png"};
    (void)context;
    for (int i = 0; i < 3; i++) {
        cj_tensor *image = NULL;
        const cj_status status = cj_load_image(file_of(names[i]), 1, &image);
        cj_release(image);
        if (status != CJ_OK && status != CJ_UNSUPPORTED)
            return status;
    }
    cj_error_clear();
    return CJ_OK;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    support_fail_each_allocation(load_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_those_of_pil),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
