// What the examples of chapter 2 draw with: panels with points, lines and bars, as SVG.
#ifndef EXAMPLES_DRAWING_H
#define EXAMPLES_DRAWING_H

#include <cajal.h>
#include <errno.h>
#include <string.h>

// A rectangle of the picture, and the range of numbers that it shows.
typedef struct panel {
    FILE *file;
    double left, top, width, height;
    double x_low, x_high, y_low, y_high;
} panel;

static inline cj_status drawing_open(const char *folder, const char *name, double width,
                                     double height, FILE **file)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *file = fopen(path, "w");
    if (!*file)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    fprintf(*file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "font-family=\"sans-serif\" font-size=\"12\">"
            "<style>.b{shape-rendering:crispEdges}</style>"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
            width, height);
    return CJ_OK;
}

static inline cj_status drawing_close(FILE *file, const char *name)
{
    fprintf(file, "</svg>\n");
    const bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return cj_fail(CJ_IO, "%s: cannot be written", name);
    return CJ_OK;
}

static inline double panel_x(const panel *p, double x)
{
    return p->left + p->width * (x - p->x_low) / (p->x_high - p->x_low);
}

static inline double panel_y(const panel *p, double y)
{
    return p->top + p->height * (1 - (y - p->y_low) / (p->y_high - p->y_low));
}

// The frame, its title above, and the ends of both axes.
static inline void panel_frame(const panel *p, const char *title)
{
    fprintf(p->file,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
            "stroke=\"#888\"/>\n",
            p->left, p->top, p->width, p->height);
    fprintf(p->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
            p->left + p->width / 2, p->top - 8, title);
    fprintf(p->file,
            "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\">%.3g</text>"
            "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\" text-anchor=\"end\">%.3g</text>\n",
            p->left, p->top + p->height + 13, p->x_low, p->left + p->width, p->top + p->height + 13,
            p->x_high);
    fprintf(p->file,
            "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\" text-anchor=\"end\">%.3g</text>"
            "<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\" text-anchor=\"end\">%.3g</text>\n",
            p->left - 4, p->top + p->height, p->y_low, p->left - 4, p->top + 10, p->y_high);
}

static inline void panel_point(const panel *p, double x, double y, double radius, const char *color,
                               const char *edge)
{
    if (x >= p->x_low && x <= p->x_high && y >= p->y_low && y <= p->y_high)
        fprintf(p->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" stroke=\"%s\"/>\n",
                panel_x(p, x), panel_y(p, y), radius, color, edge);
}

// A box in the panel's numbers, cut at the panel's top.
static inline void panel_box(const panel *p, double x0, double x1, double y0, double y1,
                             const char *color)
{
    y1 = y1 < p->y_high ? y1 : p->y_high;
    fprintf(
        p->file,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"b\" fill=\"%s\"/>\n",
        panel_x(p, x0), panel_y(p, y1), panel_x(p, x1) - panel_x(p, x0),
        panel_y(p, y0) - panel_y(p, y1), color);
}

// A line over 1, 2, ... count; what is above or below the panel stays at its edge.
static inline void panel_line(const panel *p, const double *y, int count, const char *color,
                              const char *dashes)
{
    fprintf(p->file,
            "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" stroke-dasharray=\"%s\" d=\"",
            color, dashes);
    for (int i = 0; i < count; i++) {
        const double cut = y[i] < p->y_low ? p->y_low : y[i] > p->y_high ? p->y_high : y[i];
        fprintf(p->file, "%c%.1f %.1f", i ? 'L' : 'M', panel_x(p, i + 1), panel_y(p, cut));
    }
    fprintf(p->file, "\"/>\n");
}

#endif
