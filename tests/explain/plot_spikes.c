// Pictures of spikes, membranes and curves: what they show, and what is refused.
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <cajal/spiking.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static cj_tensor *tensor_of(cj_shape shape, const float *values)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &tensor),
                     CJ_OK);
    return tensor;
}

static char *plotted(const cj_tensor *spikes, const cj_tensor *membranes)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(cj_spikes_plot(spikes, membranes, stream), CJ_OK);
    fclose(stream);
    return text;
}

static void each_spike_is_a_stroke_and_each_membrane_a_line(void **state)
{
    static const float spikes[] = {1, 0, 0, 1, 1, 0, 0, 0}, membranes[8] = {0.5f, 0.1f};
    (void)state;
    cj_tensor *s = tensor_of(CJ_SHAPE(1, 4, 2), spikes),
              *m = tensor_of(CJ_SHAPE(1, 4, 2), membranes);
    char *alone = plotted(s, NULL), *both = plotted(s, m);
    assert_int_equal(strncmp(alone, "<svg ", 5), 0);
    assert_non_null(strstr(alone, "</svg>\n"));
    assert_int_equal(count_of(alone, "v4"), 3);
    assert_int_equal(count_of(alone, "<path"), 1);
    assert_int_equal(count_of(both, "<path"), 3);
    assert_int_equal(count_of(both, ">neuron "), 2);
    free(alone), free(both);
    cj_release(s), cj_release(m);
}

static void numbers_have_points_whatever_the_locale(void **state)
{
    static const float spikes[] = {1, 0, 0, 1};
    (void)state;
    cj_tensor *s = tensor_of(CJ_SHAPE(2, 2), spikes);
    char *before = plotted(s, s);
    if (support_locale_with_comma()) {
        char *after = plotted(s, s);
        assert_string_equal(before, after);
        free(after);
    }
    free(before);
    cj_release(s);
}

static void a_curve_goes_through_its_points(void **state)
{
    const double x[] = {0, 1, 2}, y[] = {0, 5, 20}, bad[] = {0, NAN, 1};
    char *text = NULL;
    size_t size = 0;
    (void)state;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(cj_curve_plot(x, y, 3, "f & I < 9", stream), CJ_OK);
    assert_int_equal(cj_curve_plot(x, bad, 3, "f", stream), CJ_INVALID_ARGUMENT);
    assert_error_contains("point 1 is not finite");
    assert_int_equal(cj_curve_plot(x, y, 1, "f", stream), CJ_INVALID_ARGUMENT);
    fclose(stream);
    assert_non_null(strstr(text, "f &amp; I &lt; 9"));
    assert_int_equal(count_of(text, "L"), 2);
    free(text);
    // the ends of a small range well above 10 are told apart
    const double percent[] = {97.28, 97.9, 98.28};
    stream = open_memstream(&text, &size);
    assert_int_equal(cj_curve_plot(x, percent, 3, "accuracy", stream), CJ_OK);
    fclose(stream);
    assert_non_null(strstr(text, ">97.28</text>"));
    assert_non_null(strstr(text, ">98.28</text>"));
    free(text);
}

static void what_is_no_record_of_spikes_is_refused(void **state)
{
    static const float values[8] = {0};
    (void)state;
    cj_tensor *flat = tensor_of(CJ_SHAPE(8), values), *s = tensor_of(CJ_SHAPE(4, 2), values),
              *m = tensor_of(CJ_SHAPE(2, 4), values);
    assert_int_equal(cj_spikes_plot(flat, NULL, stderr), CJ_SHAPE_MISMATCH);
    assert_error_contains("(steps, neurons)");
    assert_int_equal(cj_spikes_plot(s, m, stderr), CJ_SHAPE_MISMATCH);
    assert_error_contains("2 steps of 4 membranes, and 4 of 2 spikes");
    cj_release(flat), cj_release(s), cj_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_spike_is_a_stroke_and_each_membrane_a_line),
        cmocka_unit_test(numbers_have_points_whatever_the_locale),
        cmocka_unit_test(a_curve_goes_through_its_points),
        cmocka_unit_test(what_is_no_record_of_spikes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
