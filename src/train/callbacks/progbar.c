// The progress bar. On a terminal it looks like Keras's and is redrawn at most twenty times a
// second; elsewhere it is a line an epoch. Between two drawings it costs a look at the clock.
#include "train/callbacks/progbar.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "train/callbacks.h"
#include "train/step.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 20, LINE = 4096 };
static const double interval = 0.05; // seconds between two drawings

typedef struct bar {
    FILE *stream;
    bool redrawn;
    bool coloured, utf8; // what the terminal takes
    int width;           // of the terminal; 0 for any
    double (*clock)(void *context);
    void *context;
    int epoch;           // that is under way, -1 before the first
    double begun, drawn; // when the epoch began, and the latest drawing
    int64_t first;       // batches that were done when it began
    int columns;         // that the latest drawing took
} bar;

static double now(void *context)
{
    (void)context;
    return 1e-9 * (double)cj__clock();
}

// A line as it is put together: its bytes, and the columns they take on a terminal.
typedef struct line {
    char text[LINE];
    size_t length;
    int columns;
    int limit; // of columns; 0 for none
} line;

// Text of so many columns, or -1 for one a byte, of which what fits is added.
static void add_text(line *l, const char *text, int columns)
{
    size_t length = strlen(text);
    const int left = l->limit > 0 ? l->limit - l->columns : LINE;
    if (columns < 0 && (int)length > left)
        length = left > 0 ? (size_t)left : 0;
    if (l->length + length >= sizeof l->text || columns > left)
        return;
    memcpy(l->text + l->length, text, length);
    l->length += length;
    l->text[l->length] = '\0';
    l->columns += columns < 0 ? (int)length : columns;
}

static void add_duration(line *l, double seconds)
{
    char text[48];
    const long long s = (long long)seconds;
    if (s >= 3600)
        snprintf(text, sizeof text, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else if (s >= 60)
        snprintf(text, sizeof text, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(text, sizeof text, "%llds", s);
    add_text(l, text, -1);
}

static void add_step_time(line *l, double seconds)
{
    char text[48];
    if (seconds >= 1 || !(seconds > 0))
        snprintf(text, sizeof text, "%.0fs/step", seconds);
    else if (seconds >= 1e-3)
        snprintf(text, sizeof text, "%.0fms/step", seconds * 1e3);
    else
        snprintf(text, sizeof text, "%.0fus/step", seconds * 1e6);
    add_text(l, text, -1);
}

static void add_values(line *l, const cj_logs *logs)
{
    int order[CJ__MAX_LOGS];
    cj__logs_order(logs, order);
    for (int i = 0; i < logs->count; i++) {
        const double value = logs->values[order[i]];
        char number[64];
        snprintf(number, sizeof number, fabs(value) > 1e-3 ? ": %.4f" : ": %.4e", value);
        add_text(l, " - ", -1);
        add_text(l, logs->names[order[i]], -1);
        add_text(l, number, -1);
    }
}

static void add_count(line *l, const cj_logs *logs, int64_t done)
{
    char text[48];
    snprintf(text, sizeof text, "%*lld/%lld", snprintf(NULL, 0, "%lld", (long long)logs->batches),
             (long long)done, (long long)logs->batches);
    add_text(l, text, -1);
}

static void add_colour(line *l, const bar *b, const char *sequence)
{
    add_text(l, b->coloured ? sequence : "", 0);
}

static void add_blocks(line *l, const bar *b, int64_t done, int64_t all)
{
    const int filled = all > 0 ? (int)(WIDTH * done / all) : 0;
    const char *heavy = b->utf8 ? "\xe2\x94\x81" : "="; // a heavy horizontal line
    const char *rest = b->coloured ? heavy : b->utf8 ? "\xe2\x94\x80" : ".";
    add_colour(l, b, filled > 0 ? "\033[32m" : "");
    for (int i = 0; i < WIDTH; i++) {
        if (i == filled)
            add_colour(l, b, filled > 0 ? "\033[0m\033[37m" : "\033[37m");
        add_text(l, i < filled ? heavy : rest, 1);
    }
    add_colour(l, b, "\033[0m");
}

static double step_time(const bar *b, double time, int64_t done)
{
    return done > b->first ? (time - b->begun) / (double)(done - b->first) : 0;
}

// What the steps of an epoch have waited for their data, where that was a share to speak of.
static void add_wait(line *l, double waited, double took)
{
    char text[64];
    if (!(waited >= 0.1) || !(waited >= 0.05 * took))
        return;
    snprintf(text, sizeof text, " - waited %.1fs for data", waited);
    add_text(l, text, -1);
}

// 938/938 ━━━━━━━━━━━━━━━━━━━━ 5s 5ms/step - accuracy: 0.9512 - loss: 0.1623; before the end, the
// time that is left.
static void draw(bar *b, const cj_logs *logs, int64_t done, double time, bool last)
{
    // A line that is redrawn must not wrap; the last one may.
    line l = {.limit = last || b->width == 0 ? 0 : b->width - 1};
    const double each = step_time(b, time, done);
    add_text(&l, "\r", 0);
    add_colour(&l, b, "\033[1m");
    add_count(&l, logs, done);
    add_colour(&l, b, "\033[0m");
    add_text(&l, " ", 1);
    add_blocks(&l, b, done, logs->batches);
    add_text(&l, " ", 1);
    add_duration(&l, last ? time - b->begun : each * (double)(logs->batches - done));
    add_text(&l, " ", 1);
    add_step_time(&l, each);
    add_values(&l, logs);
    if (last)
        add_wait(&l, logs->waited, time - b->begun);
    const int columns = l.columns;
    for (int i = columns; i < b->columns; i++)
        add_text(&l, " ", 1);
    add_text(&l, last ? "\n" : "", 0);
    fwrite(l.text, 1, l.length, b->stream);
    fflush(b->stream);
    b->columns = columns;
    b->drawn = time;
}

// Epoch 1/5 - 938/938 - 5s - 5ms/step - accuracy: 0.9512 - loss: 0.1623
static void print_line(const bar *b, const cj_logs *logs, double time)
{
    line l = {.length = 0};
    char text[64] = "";
    if (logs->epochs > 0)
        snprintf(text, sizeof text, "Epoch %d/%d - ", logs->epoch + 1, logs->epochs);
    add_text(&l, text, -1);
    add_count(&l, logs, logs->batches);
    add_text(&l, " - ", -1);
    add_duration(&l, time - b->begun);
    add_text(&l, " - ", -1);
    add_step_time(&l, step_time(b, time, logs->batches));
    add_values(&l, logs);
    add_wait(&l, logs->waited, time - b->begun);
    fprintf(b->stream, "%s\n", l.text);
    fflush(b->stream);
}

static void begin(bar *b, const cj_logs *logs, int64_t done)
{
    b->epoch = logs->epoch;
    b->begun = b->clock(b->context);
    b->drawn = b->begun - interval;
    b->first = done;
    b->columns = 0;
    if (b->redrawn && logs->epochs > 0)
        fprintf(b->stream, "Epoch %d/%d\n", logs->epoch + 1, logs->epochs);
}

static cj_status bar_train_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)model, (void)logs;
    ((bar *)self)->epoch = -1;
    return CJ_OK;
}

static cj_status bar_epoch_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)model;
    begin(self, logs, 0);
    return CJ_OK;
}

static cj_status bar_batch_end(void *self, cj_model *model, cj_logs *logs)
{
    bar *b = self;
    (void)model;
    if (b->epoch != logs->epoch)
        begin(b, logs, logs->batch); // resumed in the middle of an epoch
    if (!b->redrawn)
        return CJ_OK;
    const double time = b->clock(b->context);
    if (time - b->drawn >= interval)
        draw(b, logs, logs->batch + 1, time, false);
    return CJ_OK;
}

// An epoch none of which was trained in this run: the one that a resumed run was saved after.
static void print_resumed(const bar *b, const cj_logs *logs)
{
    line l = {.length = 0};
    char text[64];
    snprintf(text, sizeof text, logs->epochs > 0 ? "Resumed after epoch %d/%d" : "Resumed",
             logs->epoch + 1, logs->epochs);
    add_text(&l, text, -1);
    add_values(&l, logs);
    fprintf(b->stream, "%s\n", l.text);
    fflush(b->stream);
}

static cj_status bar_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    bar *b = self;
    (void)model;
    if (b->epoch != logs->epoch) {
        print_resumed(b, logs);
        return CJ_OK;
    }
    const double time = b->clock(b->context);
    if (b->redrawn)
        draw(b, logs, logs->batches, time, true);
    else
        print_line(b, logs, time);
    b->columns = 0;
    return CJ_OK;
}

// Ends the line of a run that was stopped in the middle of an epoch.
static cj_status bar_train_end(void *self, cj_model *model, cj_logs *logs)
{
    bar *b = self;
    (void)model, (void)logs;
    if (b->redrawn && b->columns > 0)
        fputc('\n', b->stream);
    fflush(b->stream);
    return CJ_OK;
}

static const cj_callback_methods bar_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "ProgbarLogger",
    .train_begin = bar_train_begin,
    .epoch_begin = bar_epoch_begin,
    .batch_end = bar_batch_end,
    .epoch_end = bar_epoch_end,
    .train_end = bar_train_end,
    .free = cj__free,
};

cj_callback *cj__progress_bar_new(FILE *stream, cj__bar_mode mode)
{
    bar *b = cj__new(1, sizeof *b);
    if (!b)
        return NULL;
    b->stream = stream ? stream : stdout;
    const cj__terminal terminal = cj__terminal_of(b->stream);
    b->redrawn = mode == CJ__BAR_AUTO ? terminal.redraws : mode == CJ__BAR_REDRAWN;
    b->coloured = mode == CJ__BAR_AUTO ? terminal.colours : true;
    b->utf8 = mode == CJ__BAR_AUTO ? terminal.utf8 : true;
    b->width = terminal.columns;
    b->clock = now;
    b->epoch = -1;
    return cj__callback_make(&bar_methods, b);
}

void cj__progress_bar_look(cj_callback *callback, bool coloured, bool utf8, int width)
{
    bar *b = callback->self;
    b->coloured = coloured;
    b->utf8 = utf8;
    b->width = width;
}

void cj__progress_bar_clock(cj_callback *callback, double (*clock)(void *context), void *context)
{
    bar *b = callback->self;
    b->clock = clock;
    b->context = context;
}

cj_callback *cj_progress_bar(FILE *stream)
{
    if (stream)
        return cj__progress_bar_new(stream, CJ__BAR_AUTO);
    cj__fail_null("cj_progress_bar: the stream");
    return cj__build_failed(CJ__MADE_CALLBACK);
}

cj_status cj__check_verbose(cj_verbose verbose, const char *who)
{
    if (verbose >= CJ_AUTO && verbose <= CJ_LINES)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: verbose is %d, needed is CJ_AUTO (-1), CJ_SILENT (0), CJ_BAR (1) or "
                    "CJ_LINES (2)",
                    who, (int)verbose);
}

cj_status cj__progress_open(cj__progress *progress, cj_verbose verbose, FILE *stream,
                            int64_t batches)
{
    progress->logs.batches = batches;
    if (verbose != CJ_BAR && verbose != CJ_LINES)
        return CJ_OK;
    progress->bar =
        cj__own(cj__progress_bar_new(stream, verbose == CJ_LINES ? CJ__BAR_LINES : CJ__BAR_AUTO));
    if (!progress->bar)
        return cj_error_status();
    bar_train_begin(progress->bar->self, NULL, &progress->logs);
    return bar_epoch_begin(progress->bar->self, NULL, &progress->logs);
}

void cj__progress_batch(cj__progress *progress)
{
    if (progress->bar)
        bar_batch_end(progress->bar->self, NULL, &progress->logs);
    progress->logs.batch++;
}

void cj__progress_close(cj__progress *progress, bool finished)
{
    if (progress->bar && finished)
        bar_epoch_end(progress->bar->self, NULL, &progress->logs);
    if (progress->bar)
        bar_train_end(progress->bar->self, NULL, &progress->logs);
    cj_release(progress->bar);
    *progress = (cj__progress){0};
}
