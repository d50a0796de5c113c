// Spikes and membranes over time, and curves such as f-I, as SVG.
#include "explain/plot_spikes.h"

#include "base/error.h"
#include "base/text.h"
#include "tensor/tensor.h"

#include <cajal/spiking.h>
#include <math.h>
#include <string.h>

// A number with a point, whatever the locale is.
#define TENTHS(value) cj__number_fixed(value, 1, (char[40]){0}, 40)

enum { LEFT = 56, TOP = 24, WIDE = 640, ROW = 6, TRACE = 56, TRACES = 8, MOST_ROWS = 200 };

typedef cj__spike_record record;

cj_status cj__spike_record_of(const cj_tensor *tensor, const char *what, record *r)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    char text[CJ_MAX_RANK * 24];
    const int time = shape->rank > 2 ? 1 : 0;
    if (shape->rank < 2 || cj_shape_count(shape) < 1 || cj_tensor_dtype(tensor) != CJ_F32)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_spikes_plot: %s of shape %s, needed are float32 numbers (steps, "
                        "neurons) or (batch, steps, ...)",
                        what, cj_shape_text(shape, text, sizeof text));
    *r = (record){tensor, shape->dims[time], 1};
    for (int i = time + 1; i < shape->rank; i++)
        r->neurons *= shape->dims[i];
    return CJ_OK;
}

static double value_at(const record *r, int64_t step, int64_t neuron)
{
    return cj__element_get(CJ_F32, r->tensor->data, step * r->neurons + neuron);
}

static double x_of(const record *r, double step)
{
    return LEFT + WIDE * (step + 0.5) / (double)r->steps;
}

void cj__svg_begin(FILE *stream, double high)
{
    fprintf(stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%s\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            LEFT + WIDE + 24, TENTHS(high));
}

void cj__svg_text(const char *text, FILE *stream)
{
    const bool utf8 = cj__is_utf8(text, strlen(text));
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '&')
            fputs("&amp;", stream);
        else if (*c == '<')
            fputs("&lt;", stream);
        else if (*c == '>')
            fputs("&gt;", stream);
        else
            fputc(*c < 0x20 || *c == 0x7f || (*c >= 0x80 && !utf8) ? '?' : *c, stream);
    }
}

// A title above what begins at `top`.
static void headline(FILE *stream, double top, const char *title)
{
    fprintf(stream, "<text x=\"%d\" y=\"%s\">", LEFT, TENTHS(top - 8));
    cj__svg_text(title, stream);
    fprintf(stream, "</text>\n");
}

static void frame(FILE *stream, double top, double high)
{
    fprintf(stream,
            "<rect x=\"%d\" y=\"%s\" width=\"%d\" height=\"%s\" fill=\"none\" "
            "stroke=\"#999\"/>\n",
            LEFT, TENTHS(top), WIDE, TENTHS(high));
}

static void label(FILE *stream, double x, double y, const char *anchor, double value)
{
    const bool whole = value >= floor(value) && value <= floor(value);
    const int decimals = whole || fabs(value) >= 1000 ? 0 : fabs(value) < 10 ? 3 : 2;
    fprintf(stream, "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" fill=\"#555\">%s</text>\n",
            TENTHS(x), TENTHS(y), anchor, cj__number_fixed(value, decimals, (char[40]){0}, 40));
}

// A short stroke for each spike, a row for each neuron.
static void raster(FILE *stream, const record *r, int64_t rows, double top)
{
    frame(stream, top, (double)(rows * ROW));
    fprintf(stream, "<path stroke=\"#1a3f8f\" stroke-width=\"1.5\" d=\"");
    for (int64_t i = 0; i < rows; i++)
        for (int64_t t = 0; t < r->steps; t++)
            if (value_at(r, t, i) > 0.5)
                fprintf(stream, "M%s %sv%d", TENTHS(x_of(r, (double)t)),
                        TENTHS(top + (double)(i * ROW) + 1), ROW - 2);
    fprintf(stream, "\"/>\n");
    label(stream, LEFT - 6, top + 10, "end", 0);
    label(stream, LEFT - 6, top + (double)(rows * ROW), "end", (double)(rows - 1));
}

static void line_begin(FILE *stream, const char *colour)
{
    fprintf(stream, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\" d=\"", colour);
}

// The membrane of one neuron between its least and greatest values.
static void trace(FILE *stream, const record *r, int64_t neuron, double top)
{
    double low = value_at(r, 0, neuron), high = low;
    for (int64_t t = 1; t < r->steps; t++) {
        low = fmin(low, value_at(r, t, neuron));
        high = fmax(high, value_at(r, t, neuron));
    }
    const double range = high > low ? high - low : 1;
    frame(stream, top, TRACE);
    line_begin(stream, "#b3541e");
    for (int64_t t = 0; t < r->steps; t++)
        fprintf(stream, "%s%s %s", t ? "L" : "M", TENTHS(x_of(r, (double)t)),
                TENTHS(top + TRACE - 4 - (TRACE - 8) * (value_at(r, t, neuron) - low) / range));
    fprintf(stream, "\"/>\n");
    label(stream, LEFT - 6, top + 12, "end", high);
    label(stream, LEFT - 6, top + TRACE - 2, "end", low);
    fprintf(stream,
            "<text x=\"%d\" y=\"%s\" text-anchor=\"end\" fill=\"#555\">neuron %lld</text>\n",
            LEFT + WIDE - 4, TENTHS(top + 14), (long long)neuron);
}

cj_status cj__svg_end(FILE *stream)
{
    fprintf(stream, "</svg>\n");
    return ferror(stream) ? cj__fail(CJ_IO, "the picture cannot be written") : CJ_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

double cj__spikes_height(const record *spikes, const record *membranes, int64_t rows,
                         int64_t traces)
{
    const int64_t shown = spikes ? least(spikes->neurons, rows) : 0;
    const int64_t lines = membranes ? least(membranes->neurons, traces) : 0;
    return TOP + (double)(shown * ROW) + 26 + (double)(lines * (TRACE + 8)) + 10;
}

void cj__spikes_draw(FILE *stream, double top, const char *title, const record *spikes,
                     const record *membranes, int64_t rows, int64_t traces)
{
    const int64_t steps = spikes ? spikes->steps : membranes->steps;
    const int64_t shown = spikes ? least(spikes->neurons, rows) : 0;
    const int64_t lines = membranes ? least(membranes->neurons, traces) : 0;
    const double bottom = top + TOP + (double)(shown * ROW) + 26;
    headline(stream, top + TOP, title);
    if (spikes)
        raster(stream, spikes, shown, top + TOP);
    label(stream, LEFT, bottom - 10, "start", 0);
    label(stream, LEFT + WIDE, bottom - 10, "end", (double)(steps - 1));
    for (int64_t i = 0; i < lines; i++)
        trace(stream, membranes, i, bottom + (double)(i * (TRACE + 8)));
}

cj_status cj_spikes_plot(const cj_tensor *spikes, const cj_tensor *membranes, FILE *stream)
{
    record s, m = {0};
    if (!spikes)
        return cj__fail_missing(CJ__MADE_TENSOR, "cj_spikes_plot: the spikes");
    if (!stream)
        return cj__fail_null("cj_spikes_plot: the stream");
    CJ_TRY(cj__spike_record_of(spikes, "spikes", &s));
    if (membranes)
        CJ_TRY(cj__spike_record_of(membranes, "membranes", &m));
    if (membranes && (m.steps != s.steps || m.neurons != s.neurons))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_spikes_plot: %lld steps of %lld membranes, and %lld of %lld spikes",
                        (long long)m.steps, (long long)m.neurons, (long long)s.steps,
                        (long long)s.neurons);
    cj__svg_begin(stream, cj__spikes_height(&s, membranes ? &m : NULL, MOST_ROWS, TRACES));
    cj__spikes_draw(stream, 0, "spikes, a row for each neuron, over steps", &s,
                    membranes ? &m : NULL, MOST_ROWS, TRACES);
    return cj__svg_end(stream);
}

cj_status cj_curve_plot(const double *x, const double *y, int64_t count, const char *title,
                        FILE *stream)
{
    const double tall = 320;
    if (!x || !y || !title || !stream)
        return cj__fail_null(!x || !y ? "cj_curve_plot: the points" :
                             !title   ? "cj_curve_plot: the title" :
                                        "cj_curve_plot: the stream");
    if (count < 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_curve_plot: %lld points, needed are two",
                        (long long)count);
    double low[2] = {x[0], y[0]}, high[2] = {x[0], y[0]};
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_curve_plot: point %lld is not finite",
                            (long long)i);
        low[0] = fmin(low[0], x[i]), high[0] = fmax(high[0], x[i]);
        low[1] = fmin(low[1], y[i]), high[1] = fmax(high[1], y[i]);
    }
    const double wide = high[0] > low[0] ? high[0] - low[0] : 1,
                 range = high[1] > low[1] ? high[1] - low[1] : 1;
    cj__svg_begin(stream, TOP + tall + 30);
    headline(stream, TOP, title);
    frame(stream, TOP, tall);
    line_begin(stream, "#1a3f8f");
    for (int64_t i = 0; i < count; i++)
        fprintf(stream, "%s%s %s", i ? "L" : "M", TENTHS(LEFT + WIDE * (x[i] - low[0]) / wide),
                TENTHS(TOP + tall - 4 - (tall - 8) * (y[i] - low[1]) / range));
    fprintf(stream, "\"/>\n");
    label(stream, LEFT, TOP + tall + 16, "start", low[0]);
    label(stream, LEFT + WIDE, TOP + tall + 16, "end", high[0]);
    label(stream, LEFT - 6, TOP + 12, "end", high[1]);
    label(stream, LEFT - 6, TOP + tall, "end", low[1]);
    return cj__svg_end(stream);
}
