// The curve of a training run, or of a log of one: loss above, the first metric below, an SVG that any
// browser shows.
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 680, PANEL = 220, LEFT = 70, RIGHT = 20, TOP = 60, GAP = 64, BOTTOM = 50 };

// An axis: from `low` to `high` with a tick each `step`, all round numbers.
typedef struct axis {
    double low, high, step;
} axis;

// What is drawn: a history, or else the table of a log.
typedef struct source {
    const cj_history *history;
    const cj_table *table;
} source;

typedef struct panel {
    FILE *file;
    const source *from;
    const char *names[2]; // of training and validation
    int top;
    axis y;
} panel;

static const char *const colors[2] = {"#1f5fa8", "#c0392b"};

static int epochs_of(const source *from)
{
    return from->history ? cj_history_epochs(from->history) : (int)cj_table_rows(from->table);
}

static int names_of(const source *from)
{
    return from->history ? cj_history_names(from->history) : cj_table_columns(from->table);
}

static const char *name_in(const source *from, int index)
{
    return from->history ? cj_history_name(from->history, index) :
                           cj_table_name(from->table, index);
}

static double value_in(const source *from, const char *name, int epoch)
{
    if (from->history)
        return cj_history_value(from->history, name, epoch);
    const double *numbers = cj_table_numbers(from->table, cj_table_find(from->table, name));
    return numbers ? numbers[epoch] : NAN;
}

// The number of an epoch, from 1: a log's first need not be 1.
static int number_of(const source *from, int epoch)
{
    const double number = from->table ? value_in(from, "epoch", epoch) : epoch;
    return (fabs(number) < 1e9 ? (int)number : epoch) + 1;
}

// The 1, 2 or 5 times a power of ten that cuts `span` into about `parts`.
static double round_step(double span, int parts)
{
    const double raw = span / parts, power = pow(10, floor(log10(raw)));
    const double times = raw / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

// An axis that holds the finite values of both lines.
static axis axis_of(const panel *p)
{
    double low = INFINITY, high = -INFINITY;
    for (int n = 0; n < 2; n++)
        for (int e = 0; e < epochs_of(p->from); e++) {
            const double value = value_in(p->from, p->names[n], e);
            if (isfinite(value)) {
                low = fmin(low, value);
                high = fmax(high, value);
            }
        }
    if (!(low <= high))
        low = 0, high = 1;
    if (high - low < 1e-12 * fmax(1, fabs(high))) {
        const double around = high != 0 ? fabs(high) * 0.1 : 0.5;
        low -= around;
        high += around;
    }
    const double step = round_step(high - low, 5);
    return (axis){step * floor(low / step), step * ceil(high / step), step};
}

static double x_of(const panel *p, int epoch)
{
    const int epochs = epochs_of(p->from);
    const double width = WIDTH - LEFT - RIGHT;
    return epochs > 1 ? LEFT + width * (0.02 + 0.96 * epoch / (epochs - 1)) : LEFT + width / 2;
}

static double y_of(const panel *p, double value)
{
    return p->top + PANEL * (1 - (value - p->y.low) / (p->y.high - p->y.low));
}

static void draw_grid(const panel *p)
{
    const int epochs = epochs_of(p->from);
    const int ticks = (int)lround((p->y.high - p->y.low) / p->y.step);
    for (int i = 0; i <= ticks; i++) {
        const double value = p->y.low + i * p->y.step, y = y_of(p, value);
        fprintf(p->file, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n", LEFT, y, WIDTH - RIGHT);
        fprintf(p->file, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n", LEFT - 8,
                y + 4, fabs(value) < p->y.step / 2 ? 0 : value);
    }
    for (int e = 0; e < epochs; e += epochs / 12 + 1) {
        const double x = x_of(p, e);
        fprintf(p->file, "<path d=\"M%.1f %dV%d\" stroke=\"#eee\"/>\n", x, p->top, p->top + PANEL);
        fprintf(p->file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n", x,
                p->top + PANEL + 16, number_of(p->from, e));
    }
    fprintf(p->file,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"#888\"/>\n",
            LEFT, p->top, WIDTH - LEFT - RIGHT, PANEL);
}

// A value that is not finite breaks the line. Points are marked, so that one epoch is seen as well.
static void draw_line(const panel *p, int n)
{
    bool pen_down = false;
    fprintf(p->file, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colors[n]);
    for (int e = 0; e < epochs_of(p->from); e++) {
        const double value = value_in(p->from, p->names[n], e);
        if (isfinite(value))
            fprintf(p->file, "%c%.1f %.1f", pen_down ? 'L' : 'M', x_of(p, e), y_of(p, value));
        pen_down = isfinite(value);
    }
    fprintf(p->file, "\"/>\n");
    for (int e = 0; e < epochs_of(p->from) && epochs_of(p->from) <= 60; e++) {
        const double value = value_in(p->from, p->names[n], e);
        if (isfinite(value))
            fprintf(p->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x_of(p, e),
                    y_of(p, value), colors[n]);
    }
}

// Words of a log are anybody's: what SVG would take for a tag is written as what it is.
static void write_words(FILE *file, const char *words)
{
    for (const char *c = words; *c; c++)
        if (strchr("<>&\"'", *c))
            fprintf(file, "&#%d;", *c);
        else if ((unsigned char)*c >= ' ')
            putc(*c, file);
}

static void draw_panel(FILE *file, const source *from, const char *name, int top)
{
    char validation[64];
    snprintf(validation, sizeof validation, "val_%s", name);
    panel p = {file, from, {name, validation}, top, {0, 1, 1}};
    p.y = axis_of(&p);
    const int between = 40 + 8 * (int)strlen(name); // of the words above
    draw_grid(&p);
    for (int n = 0; n < 2; n++) {
        fprintf(file, "<text x=\"%d\" y=\"%d\" fill=\"%s\">\342\227\217 ", LEFT + between * n,
                top - 8, colors[n]);
        write_words(file, p.names[n]);
        fprintf(file, "</text>\n");
        draw_line(&p, n);
    }
    fprintf(file, "<text transform=\"translate(18,%d) rotate(-90)\" text-anchor=\"middle\">",
            top + PANEL / 2);
    write_words(file, name);
    fprintf(file, "</text>\n");
    fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n",
            (LEFT + WIDTH - RIGHT) / 2, top + PANEL + 34);
}

// The first metric of a run, NULL if it has none.
static const char *metric_in(const source *from)
{
    for (int i = 0; i < names_of(from); i++) {
        const char *name = name_in(from, i);
        if (strcmp(name, "loss") != 0 && strcmp(name, "learning_rate") != 0 &&
            strcmp(name, "epoch") != 0 && strncmp(name, "val_", strlen("val_")) != 0)
            return name;
    }
    return NULL;
}

static void write_source(const source *from, FILE *file)
{
    const char *metric = metric_in(from);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            WIDTH, metric ? TOP + 2 * PANEL + GAP + BOTTOM : TOP + PANEL + BOTTOM);
    fprintf(file,
            "<text x=\"%d\" y=\"26\" text-anchor=\"middle\" font-size=\"16\">"
            "Loss%s",
            WIDTH / 2, metric ? " and " : "");
    write_words(file, metric ? metric : "");
    fprintf(file, " over %d epoch%s</text>\n", epochs_of(from), epochs_of(from) == 1 ? "" : "s");
    draw_panel(file, from, "loss", TOP);
    if (metric)
        draw_panel(file, from, metric, TOP + PANEL + GAP);
    fprintf(file, "</svg>\n");
}

cj_status write_curve(const cj_history *history, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    write_source(&(source){.history = history}, file);
    const bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    return CJ_OK;
}

cj_status write_log_curve(const char *log, FILE *file)
{
    cj_table *table = NULL;
    CJ_TRY(cj_load_csv(log, &table, .header = 1));
    const int loss = cj_table_find(table, "loss");
    cj_status status = CJ_OK;
    if (!cj_table_numbers(table, loss) || cj_table_rows(table) < 1 ||
        cj_table_rows(table) > INT_MAX)
        status = cj_fail(CJ_BAD_FILE,
                         "%s: is not the log of a run: needs a column \"loss\" of numbers, a row "
                         "an epoch",
                         log);
    if (status == CJ_OK)
        write_source(&(source){.table = table}, file);
    cj_release(table);
    return status;
}
