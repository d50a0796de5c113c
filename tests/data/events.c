// Lists of events: files of text and of five bytes an event, steps by time and by count, and what is
// refused.
#include "support.h"

#include <cajal/events.h>
#include <math.h>
#include <string.h>

enum { HEIGHT = 2, WIDTH = 3, COUNT = 6 };
static const double numbers[COUNT * 4] = {0.0, 1, 0, 1, 0.9, 1, 0, 1, 1.0, 0, 1, -1,
                                          2.5, 2, 1, 0, 4.0, 2, 1, 1, 3.9, 2, 1, 1};

static cj_tensor *list_of(const double *values, int64_t count)
{
    cj_tensor *events = NULL;
    assert_int_equal(cj_tensor_from(CJ_F64, CJ_SHAPE(count, 4), values, (size_t)count * 4, &events),
                     CJ_OK);
    return events;
}

static double at(const cj_tensor *frames, int64_t step, int64_t y, int64_t x, int64_t polarity)
{
    return (double)((const float *)cj_tensor_data(
        frames))[((step * HEIGHT + y) * WIDTH + x) * 2 + polarity];
}

static double sum_of(const cj_tensor *frames)
{
    double sum = 0;
    for (int64_t i = 0; i < cj_tensor_count(frames); i++)
        sum += (double)((const float *)cj_tensor_data(frames))[i];
    return sum;
}

// ---- Frames ----

static void by_time_each_event_is_in_its_step_and_pixel(void **state)
{
    cj_tensor *y = NULL, *events = list_of(numbers, COUNT);
    (void)state;
    assert_int_equal(cj_event_frames(events, &y, .steps = 4, .height = HEIGHT, .width = WIDTH),
                     CJ_OK);
    assert_true(cj_shape_equal(cj_tensor_shape(y), &CJ_SHAPE(4, HEIGHT, WIDTH, 2)));
    assert_near(at(y, 0, 0, 1, 1), 2, 0, 0);
    assert_near(at(y, 1, 1, 0, 0), 1, 0, 0);
    assert_near(at(y, 2, 1, 2, 0), 1, 0, 0);
    assert_near(at(y, 3, 1, 2, 1), 2, 0, 0); // that at the end too
    assert_near(sum_of(y), COUNT, 0, 0);
    cj_release(y), cj_release(events);
}

// Two events a step, in the order of their times.
static void by_count_each_step_has_as_many_events(void **state)
{
    cj_tensor *y = NULL, *events = list_of(numbers, COUNT);
    (void)state;
    assert_int_equal(
        cj_event_frames(events, &y, .steps = 3, .height = HEIGHT, .width = WIDTH, .by = "count"),
        CJ_OK);
    assert_near(at(y, 0, 0, 1, 1), 2, 0, 0);
    assert_near(at(y, 1, 1, 0, 0), 1, 0, 0);
    assert_near(at(y, 1, 1, 2, 0), 1, 0, 0);
    assert_near(at(y, 2, 1, 2, 1), 2, 0, 0);
    cj_release(y);
    assert_int_equal(
        cj_event_frames(events, &y, .steps = 4, .height = HEIGHT, .width = WIDTH, .by = "count"),
        CJ_OK);
    assert_near(sum_of(y), COUNT, 0, 0); // 1, 2, 1, 2
    assert_near(at(y, 0, 0, 1, 1), 1, 0, 0);
    cj_release(y), cj_release(events);
}

static void a_span_the_time_of_a_step_and_marks(void **state)
{
    cj_tensor *y = NULL, *events = list_of(numbers, COUNT);
    (void)state;
    assert_int_equal(cj_event_frames(events, &y, .steps = 2, .height = HEIGHT, .width = WIDTH,
                                     .begin = 0, .end = 2, .binary = true),
                     CJ_OK);
    assert_near(at(y, 0, 0, 1, 1), 1, 0, 0);
    assert_near(at(y, 1, 1, 0, 0), 1, 0, 0);
    assert_near(sum_of(y), 2, 0, 0);
    cj_release(y);
    // Steps of 0.95: that at 1.0 is in the second, and nothing is in the third.
    assert_int_equal(cj_event_frames(events, &y, .steps = 3, .height = HEIGHT, .width = WIDTH,
                                     .step_time = 0.95),
                     CJ_OK);
    assert_near(at(y, 0, 0, 1, 1), 2, 0, 0);
    assert_near(at(y, 1, 1, 0, 0), 1, 0, 0);
    assert_near(at(y, 2, 1, 2, 0), 1, 0, 0);
    assert_near(sum_of(y), 4, 0, 0);
    cj_release(y);
    // An event at the end of the last step of a given time is in none.
    assert_int_equal(
        cj_event_frames(events, &y, .steps = 2, .height = HEIGHT, .width = WIDTH, .step_time = 2),
        CJ_OK);
    assert_near(sum_of(y), COUNT - 1, 0, 0);
    cj_release(y), cj_release(events);
}

static void no_event_and_one_moment_are_fine(void **state)
{
    const double same[] = {7, 0, 0, 1, 7, 1, 1, 0};
    const int32_t whole[] = {3, 2, 1, 1};
    cj_tensor *y = NULL, *none = list_of(numbers, 0), *both = list_of(same, 2), *integers = NULL;
    (void)state;
    assert_int_equal(cj_event_frames(none, &y, .steps = 2, .height = HEIGHT, .width = WIDTH),
                     CJ_OK);
    assert_near(sum_of(y), 0, 0, 0);
    cj_release(y);
    assert_int_equal(cj_event_frames(both, &y, .steps = 2, .height = HEIGHT, .width = WIDTH),
                     CJ_OK);
    assert_near(at(y, 0, 0, 0, 1) + at(y, 0, 1, 1, 0), 2, 0, 0);
    cj_release(y);
    assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(1, 4), whole, 4, &integers), CJ_OK);
    assert_int_equal(cj_event_frames(integers, &y, .steps = 1, .height = HEIGHT, .width = WIDTH),
                     CJ_OK);
    assert_near(at(y, 0, 1, 2, 1), 1, 0, 0);
    cj_release(y), cj_release(none), cj_release(both), cj_release(integers);
}

static void frames_refuse(const double *values, int64_t count, const cj_event_frames_args *args,
                          const char *why)
{
    cj_tensor *y = NULL, *events = list_of(values, count);
    assert_int_equal(cj_event_frames_with(events, &y, args), CJ_INVALID_ARGUMENT);
    assert_error_contains(why);
    assert_null(y);
    cj_release(events);
}
#define ARGS(...)                                     \
    &(cj_event_frames_args)                           \
    {                                                 \
        CJ_EVENT_FRAMES_DEFAULTS, ._ = 0, __VA_ARGS__ \
    }

static void what_is_no_list_of_events_is_refused(void **state)
{
    const double beside[] = {0, 3, 0, 1}, above[] = {0, 0, -1, 1}, never[] = {NAN, 0, 0, 1},
                 lost[] = {0, NAN, 0, 1};
    cj_tensor *y = NULL, *flat = NULL;
    (void)state;
    frames_refuse(beside, 1, ARGS(.steps = 2, .height = 2, .width = 3),
                  "event 0 is at column 3, row 0");
    frames_refuse(above, 1, ARGS(.steps = 2, .height = 2, .width = 3), "row -1");
    frames_refuse(lost, 1, ARGS(.steps = 2, .height = 2, .width = 3), "column nan");
    frames_refuse(never, 1, ARGS(.steps = 2, .height = 2, .width = 3), "event 0 is not finite");
    frames_refuse(numbers, 6, ARGS(.height = 2, .width = 3), "0 steps of 2 x 3 pixels");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 1 << 24), "needed are 1 to");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 3, .begin = 5, .end = 1),
                  "the steps end at 1 and begin at 5");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 3, .begin = 9),
                  "the steps end at 4 and begin at 9");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 3, .by = "polarity"),
                  "cut by \"polarity\", needed is \"time\" or \"count\"");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 3, .step_time = 1, .end = 3),
                  "step_time is given with an end");
    frames_refuse(numbers, 6, ARGS(.steps = 2, .height = 2, .width = 3, .step_time = NAN),
                  "of nan each");
    assert_int_equal(cj_tensor_from(CJ_F64, CJ_SHAPE(8, 3), numbers, 24, &flat), CJ_OK);
    assert_int_equal(cj_event_frames(flat, &y, .steps = 2, .height = 2, .width = 3),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("time, x, y, polarity");
    cj_release(flat);
}

// ---- Files ----

static cj_tensor *loaded(const char *name, const void *bytes, size_t size)
{
    cj_tensor *events = NULL;
    support_write(support_path(name), bytes, size);
    if (cj_load_events(support_path(name), &events) != CJ_OK)
        fail_msg("%s", cj_error());
    return events;
}

static void text_in_its_forms_is_one_list(void **state)
{
    static const char *const forms[] = {"0,1,0,1\n0.5,2,1,0\n", "0\t1\t0\t1\n0.5\t2\t1\t0\n",
                                        "0 1 0 1\n0.5  2 1 0\n", "x;y;t;p\n1;0;0;1\n2;1;0.5;0\n",
                                        "Timestamp,x,y,Polarity,size\n0,1,0,1,3\n5e-1,2,1,0,4"};
    const double wanted[] = {0, 1, 0, 1, 0.5, 2, 1, 0};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        cj_tensor *events = loaded("events.txt", forms[i], strlen(forms[i]));
        assert_true(cj_shape_equal(cj_tensor_shape(events), &CJ_SHAPE(2, 4)));
        for (int k = 0; k < 8; k++)
            assert_near(((const double *)cj_tensor_data(events))[k], wanted[k], 0, 0);
        cj_release(events);
    }
}

// The bits of N-MNIST's files: x, y, polarity and 23 bits of time; y = 240 adds 8192 us.
static void five_bytes_are_an_event(void **state)
{
    const unsigned char bytes[] = {10, 7,   0x80, 0x01, 0x02, 33, 12, 0x7f, 0xff, 0xff,
                                   0,  240, 0,    0,    0,    3,  4,  0x00, 0x00, 0x05};
    const double wanted[] = {258, 10, 7, 1, 8388607, 33, 12, 0, 8197, 3, 4, 0};
    (void)state;
    cj_tensor *events = loaded("00001.bin", bytes, sizeof bytes);
    assert_true(cj_shape_equal(cj_tensor_shape(events), &CJ_SHAPE(3, 4)));
    for (int k = 0; k < 12; k++)
        assert_near(((const double *)cj_tensor_data(events))[k], wanted[k], 0, 0);
    cj_release(events);
}

static void not_loaded(const char *name, const void *bytes, size_t size, const char *why)
{
    cj_tensor *events = NULL;
    support_write(support_path(name), bytes, size);
    assert_int_equal(cj_load_events(support_path(name), &events), CJ_BAD_FILE);
    assert_error_contains(why);
    assert_null(events);
}
#define NOT_LOADED(text, why) not_loaded("events.csv", text, strlen(text), why)

static void what_is_no_file_of_events_is_refused(void **state)
{
    cj_tensor *events = NULL;
    (void)state;
    NOT_LOADED("", "no events");
    NOT_LOADED("t,x,y,p\n", "no events");
    NOT_LOADED("1,2,3\n", "line 1 has too few numbers");
    NOT_LOADED("1,2,3,1\n2,2,3\n", "line 2 has too few numbers");
    NOT_LOADED("1,2,3,1\n2,b,3,1\n", "line 2 has a field that is no number");
    NOT_LOADED("1,2,inf,1\n", "line 1 has a field that is no number");
    NOT_LOADED("t,x,p\n1,2,3\n", "none for the y");
    NOT_LOADED("t,time,x,y,p\n1,1,2,3,1\n", "line 1 names a column twice");
    not_loaded("a.bin", "1234567", 7, "7 bytes are no whole number of events");
    not_loaded("a.bin", "", 0, "no events");
    assert_int_equal(cj_load_events(support_path("none.csv"), &events), CJ_NOT_FOUND);
    assert_int_equal(cj_load_events(NULL, &events), CJ_INVALID_ARGUMENT);
}

// Quotients such as 49 * (1 / 49) round to the other side of a boundary.
static void an_event_on_a_boundary_begins_a_step(void **state)
{
    enum { MOST = 400 };
    double values[MOST * 4] = {0};
    (void)state;
    for (int64_t k = 0; k < MOST; k++)
        values[4 * k] = 1000.0 * (double)k;
    for (int64_t steps = 1; steps <= MOST; steps++) {
        cj_tensor *events = list_of(values, steps), *given = NULL, *ended = NULL;
        assert_int_equal(cj_event_frames(events, &given, .steps = steps, .height = 1, .width = 1,
                                         .begin = 0, .step_time = 1000),
                         CJ_OK);
        assert_int_equal(cj_event_frames(events, &ended, .steps = steps, .height = 1, .width = 1,
                                         .begin = 0, .end = 1000.0 * (double)steps),
                         CJ_OK);
        for (int64_t k = 0; k < steps; k++) {
            assert_near((double)((const float *)cj_tensor_data(given))[2 * k], 1, 0, 0);
            assert_near((double)((const float *)cj_tensor_data(ended))[2 * k], 1, 0, 0);
        }
        cj_release(events), cj_release(given), cj_release(ended);
    }
}

static void not_cut(const double *values, int64_t count, double begin, double end, double step_time)
{
    cj_tensor *y = NULL, *events = list_of(values, count);
    assert_int_equal(cj_event_frames(events, &y, .steps = 3, .height = HEIGHT, .width = WIDTH,
                                     .begin = begin, .end = end, .step_time = step_time),
                     CJ_INVALID_ARGUMENT);
    assert_null(y);
    cj_release(events);
}

static void a_span_without_end_and_no_polarity_are_refused(void **state)
{
    const double far[8] = {-1.7e308, 0, 0, 1, 1.7e308, 0, 0, 1}, none[4] = {0, 0, 0, (double)NAN};
    (void)state;
    not_cut(far, 2, -INFINITY, INFINITY, 0);
    not_cut(far, 2, -INFINITY, INFINITY, 1e308);
    not_cut(numbers, COUNT, INFINITY, INFINITY, 0);
    not_cut(numbers, COUNT, -INFINITY, -INFINITY, 0);
    not_cut(none, 1, -INFINITY, INFINITY, 0);
}

// Columns that are padded with blanks, as printf() and NumPy write them.
static void blanks_around_fields_do_not_count(void **state)
{
    const char *const texts[] = {"   1   2   3   1\n  20   0   1   0 \n\n   \n",
                                 " x y  p time\n2 3 1 1\n0 1 0 20",
                                 "t, x, y, p\n1, 2, 3, 1\n20, 0, 1, 0\n"};
    const double wanted[8] = {1, 2, 3, 1, 20, 0, 1, 0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        cj_tensor *events = NULL;
        support_write(support_path("blanks.txt"), texts[i], strlen(texts[i]));
        assert_int_equal(cj_load_events(support_path("blanks.txt"), &events), CJ_OK);
        assert_true(cj_shape_equal(cj_tensor_shape(events), &CJ_SHAPE(2, 4)));
        for (int k = 0; k < 8; k++)
            assert_near(((const double *)cj_tensor_data(events))[k], wanted[k], 0, 0);
        cj_release(events);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_on_a_boundary_begins_a_step),
        cmocka_unit_test(a_span_without_end_and_no_polarity_are_refused),
        cmocka_unit_test(blanks_around_fields_do_not_count),
        cmocka_unit_test(by_time_each_event_is_in_its_step_and_pixel),
        cmocka_unit_test(by_count_each_step_has_as_many_events),
        cmocka_unit_test(a_span_the_time_of_a_step_and_marks),
        cmocka_unit_test(no_event_and_one_moment_are_fine),
        cmocka_unit_test(what_is_no_list_of_events_is_refused),
        cmocka_unit_test(text_in_its_forms_is_one_list),
        cmocka_unit_test(five_bytes_are_an_event),
        cmocka_unit_test(what_is_no_file_of_events_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
