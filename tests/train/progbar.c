// What the progress bar prints, byte for byte, with a clock that is ours.
#define _POSIX_C_SOURCE 200809L
#include "problems.h"
#include "train/callbacks.h"
#include "train/callbacks/progbar.h"
#include <stdlib.h>
#include <string.h>

static double time_of(void *context)
{
    return *(double *)context;
}

// What drawings of a bar leave in `columns` columns of a terminal without colours.
static char *drawn_in(int columns, bool utf8)
{
    const char *names[] = {"loss", "accuracy"};
    const double values[] = {0.5, 0.75};
    char *text = NULL;
    size_t size = 0;
    double time = 100;
    FILE *stream = open_memstream(&text, &size);
    cj_callback *bar = cj__progress_bar_new(stream, CJ__BAR_REDRAWN);
    cj_logs logs = {.count = 2, .names = names, .values = values, .epochs = 2, .batches = 10};
    cj__progress_bar_clock(bar, time_of, &time);
    cj__progress_bar_look(bar, false, utf8, columns);
    bar->methods.train_begin(bar->self, NULL, &logs);
    bar->methods.epoch_begin(bar->self, NULL, &logs);
    for (logs.batch = 0; logs.batch < 5; logs.batch++) {
        time += 0.5;
        bar->methods.batch_end(bar->self, NULL, &logs);
    }
    cj_release(bar);
    fclose(stream);
    return text;
}

static void a_narrow_terminal_without_colours_or_utf8(void **state)
{
    (void)state;
    char *text = drawn_in(40, false);
    assert_null(strchr(text, '\033'));
    char *line = strchr(text, '\r');
    assert_non_null(line);
    for (; line; line = strchr(line + 1, '\r')) {
        assert_true(strcspn(line + 1, "\r") <= 39);
        for (const char *c = line; *c; c++)
            assert_true((unsigned char)*c < 0x80);
    }
    assert_non_null(strstr(text, "==.................. "));
    free(text);
    text = drawn_in(0, true);
    assert_non_null(strstr(text, "\xe2\x94\x81\xe2\x94\x80"));
    assert_non_null(strstr(text, "accuracy: 0.7500 - loss: 0.5000"));
    free(text);
}

// Three batches, half a second apart, of epoch 1 of 2; then the epoch's end with validation.
static char *printed(cj__bar_mode mode, double between)
{
    const char *names[] = {"loss", "accuracy", "val_loss"};
    const double values[] = {0.5, 0.75, 0.0001};
    char *text = NULL;
    size_t size = 0;
    double time = 100;
    FILE *stream = open_memstream(&text, &size);
    cj_callback *bar = cj__progress_bar_new(stream, mode);
    cj_logs logs = {.count = 2, .names = names, .values = values, .epochs = 2, .batches = 10};
    cj__progress_bar_clock(bar, time_of, &time);
    bar->methods.train_begin(bar->self, NULL, &logs);
    bar->methods.epoch_begin(bar->self, NULL, &logs);
    for (logs.batch = 0; logs.batch < 10; logs.batch++) {
        time += between;
        bar->methods.batch_end(bar->self, NULL, &logs);
    }
    logs.count = 3;
    bar->methods.epoch_end(bar->self, NULL, &logs);
    bar->methods.train_end(bar->self, NULL, &logs);
    cj_release(bar);
    fclose(stream);
    return text;
}

static void a_line_an_epoch_in_a_file(void **state)
{
    (void)state;
    char *text = printed(CJ__BAR_LINES, 0.5);
    assert_string_equal(text,
                        "Epoch 1/2 - 10/10 - 5s - 500ms/step - accuracy: 0.7500 - loss: 0.5000 - "
                        "val_loss: 1.0000e-04\n");
    free(text);
    text = printed(CJ__BAR_AUTO, 0.5); // memory is no terminal
    assert_memory_equal(text, "Epoch 1/2 - 10/10", 17);
    free(text);
}

// A run that was saved at the end of epoch 1 tells of that epoch what it knows; no time is of this run.
static void an_epoch_of_an_earlier_run_has_no_time(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *names[] = {"loss", "accuracy"};
        const double values[] = {0.5, 0.75};
        char *text = NULL;
        size_t size = 0;
        double time = 100;
        FILE *stream = open_memstream(&text, &size);
        cj_callback *bar = cj__progress_bar_new(stream, i ? CJ__BAR_REDRAWN : CJ__BAR_LINES);
        cj_logs logs = {.count = 2, .names = names, .values = values, .epochs = 2, .batches = 10};
        cj__progress_bar_clock(bar, time_of, &time);
        bar->methods.train_begin(bar->self, NULL, &logs);
        bar->methods.epoch_end(bar->self, NULL, &logs);
        bar->methods.train_end(bar->self, NULL, &logs);
        cj_release(bar);
        fclose(stream);
        assert_string_equal(text, "Resumed after epoch 1/2 - accuracy: 0.7500 - loss: 0.5000\n");
        free(text);
    }
}

#define GREEN "\033[32m"
#define GREY  "\033[0m\033[37m"
#define TWO   "\xe2\x94\x81\xe2\x94\x81"
#define TEN   TWO TWO TWO TWO TWO

static void a_bar_like_keras_on_a_terminal(void **state)
{
    (void)state;
    char *text = printed(CJ__BAR_REDRAWN, 0.5);
    const char *half =
        "\r\033[1m 5/10\033[0m " GREEN TEN GREY TEN "\033[0m 2s 500ms/step - accuracy: 0.7500 - "
        "loss: 0.5000";
    const char *end =
        "\r\033[1m10/10\033[0m " GREEN TEN TEN "\033[0m 5s 500ms/step - accuracy: 0.7500 - "
        "loss: 0.5000 - val_loss: 1.0000e-04\n";
    assert_memory_equal(text, "Epoch 1/2\n\r", 11);
    assert_non_null(strstr(text, half));
    assert_string_equal(text + strlen(text) - strlen(end), end);
    free(text);
}

static void is_not_drawn_more_than_twenty_times_a_second(void **state)
{
    (void)state;
    char *text = printed(CJ__BAR_REDRAWN, 0.01); // a tenth of a second
    int drawn = 0;
    for (const char *c = text; *c; c++)
        drawn += *c == '\r';
    assert_in_range(drawn, 2, 4); // two or three on the way, one at the end
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_narrow_terminal_without_colours_or_utf8),
        cmocka_unit_test(a_line_an_epoch_in_a_file),
        cmocka_unit_test(an_epoch_of_an_earlier_run_has_no_time),
        cmocka_unit_test(a_bar_like_keras_on_a_terminal),
        cmocka_unit_test(is_not_drawn_more_than_twenty_times_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
