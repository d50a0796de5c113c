// The graph of a model as SVG. Coordinates are whole numbers, so the locale's point does not matter.
#include "explain/plot_layout.h"
#include "explain/plot_spikes.h"

#include "base/args.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/model.h"
#include "ops/variable.h"

#include <cajal/plot.h>

#include <inttypes.h>
#include <string.h>

CJ__DEFAULTS(plot, PLOT)

enum {
    MARGIN = 20,
    TITLE = 34,
    LETTER = 7, // pixels of a column of text, and twice those of one in bold
    TWO_BOLD = 15,
    ROW = 70,
    BOX = 42,
    NARROWEST = 120,
    LABEL_MOST = 88
};

// What a box says, and the colour by what it is.
typedef struct label {
    char *name, *what;
    const char *fill, *edge;
} label;

typedef struct plot {
    FILE *stream;
    const cj_plot_args *args;
    cj__layout layout;
    label *labels; // one a box
    size_t label_capacity;
} plot;

// ---- What stands in the boxes ----

static int64_t params_of(const cj_layer *layer)
{
    int64_t sum = 0;
    const int count = cj__layer_variables(layer, false, NULL, 0);
    cj_variable **variables = cj__new((size_t)count, sizeof *variables);
    if (!variables)
        return -1;
    cj__layer_variables(layer, false, variables, count);
    for (int i = 0; i < count; i++)
        sum += cj__variable_count(variables[i]);
    cj__free(variables);
    return sum;
}

// 1234567 as "1,234,567".
static void add_grouped(cj__text *text, int64_t number)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, number);
    for (int i = 0; i < length; i++)
        cj__text_add(text, "%s%c", i > 0 && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

static void add_params(cj__text *text, int64_t params)
{
    add_grouped(text, params);
    cj__text_add(text, " parameter%s", params == 1 ? "" : "s");
}

static void add_shapes(cj__text *text, const cj__application *a)
{
    char shape[CJ__SHAPE_WORDS];
    for (int i = 0; i < a->output_count; i++)
        cj__text_add(text, "%s%s", i ? ", " : "",
                     cj_shape_text(&a->output_types[i].shape, shape, sizeof shape));
}

// Columns that a text takes: two for the wide characters of East Asia, from U+1100 on.
static int columns_of(const char *text)
{
    int columns = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if ((*c & 0xc0) != 0x80)
            columns += *c >= 0xe1 ? 2 : 1;
    return columns;
}

// Cuts a text after LABEL_MOST columns, between characters.
static void shorten(char *text)
{
    int columns = 0;
    for (char *c = text; *c; c++) {
        const unsigned char byte = (unsigned char)*c;
        if ((byte & 0xc0) == 0x80)
            continue;
        columns += byte >= 0xe1 ? 2 : 1;
        if (columns > LABEL_MOST - 3 && strlen(c) > 3) {
            memcpy(c, "...", 4);
            return;
        }
    }
}

static cj_status add_box(plot *p, const char *path, const cj__application *a)
{
    const int64_t params = a->layer ? params_of(a->layer) : 0;
    const bool input = a->input_count == 0;
    cj__text name = {0}, what = {0};
    if (params < 0 || !cj__reserve((void **)&p->labels, &p->label_capacity,
                                   (size_t)p->layout.box_count + 1, sizeof *p->labels))
        return CJ_OUT_OF_MEMORY;
    label *l = &p->labels[p->layout.box_count];
    *l = (label){NULL, NULL, "#f2f2f2", "#8a8a8a"};
    if (input)
        l->fill = "#e3f3e1", l->edge = "#4b8b3b";
    else if (params > 0)
        l->fill = "#dfeafb", l->edge = "#3a6db5";
    else if (a->input_count > 1)
        l->fill = "#fdebd3", l->edge = "#c07a1e";
    cj__text_add(&name, "%s%s (%s)", path, a->layer ? a->layer->name : a->node->op->name,
                 a->layer ? cj_layer_class(a->layer) : "op");
    if (p->args->show_shapes)
        add_shapes(&what, a);
    if (params > 0) {
        cj__text_add(&what, "%s", what.length ? " · " : "");
        add_params(&what, params);
    }
    cj__text_add(&what, "%s", "");
    l->name = name.data;
    l->what = what.data;
    const bool failed = name.failed || what.failed;
    if (!failed) {
        shorten(l->name);
        shorten(l->what);
    }
    const int first = failed ? 0 : columns_of(l->name), second = failed ? 0 : columns_of(l->what);
    const int bold = TWO_BOLD * first / 2, plain = LETTER * second;
    const int width = (bold > plain ? bold : plain) + 20;
    const cj_status status =
        failed ? CJ_OUT_OF_MEMORY :
                 cj__layout_add_box(&p->layout, width > NARROWEST ? width : NARROWEST);
    if (status != CJ_OK) {
        cj__free(l->name);
        cj__free(l->what);
    }
    return status;
}

// ---- The graph ----

// The boxes that make the outputs of each application: box_of[application], or, of a nested model
// that is drawn whole, nested[application][output].
typedef struct made {
    int *box;
    int **nested;
} made;

static int source(const made *m, int application, int output)
{
    return m->nested[application] ? m->nested[application][output] : m->box[application];
}

static cj_status add_model(plot *p, const cj_model *model, const char *path, const int *feeds,
                           int *outputs);

// The layers of a nested model in its place.
static cj_status add_nested(plot *p, const cj__application *a, const char *path, made *m, int at)
{
    const cj_model *inner = (const cj_model *)(const void *)a->layer;
    int *feeds = cj__new((size_t)a->input_count, sizeof *feeds);
    cj__text longer = {0};
    for (int j = 0; feeds && j < a->input_count; j++)
        feeds[j] = source(m, a->input_app[j], a->input_index[j]);
    m->nested[at] = cj__new((size_t)inner->output_count, sizeof **m->nested);
    cj__text_add(&longer, "%s%s/", path, a->layer->name);
    cj_status status = feeds && m->nested[at] ? cj__text_status(&longer) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = add_model(p, inner, longer.data, feeds, m->nested[at]);
    cj__free(feeds);
    cj__text_free(&longer);
    return status;
}

static cj_status add_application(plot *p, const cj_model *model, const char *path, made *m, int at)
{
    const cj__application *a = &model->applications[at];
    if (p->args->expand_nested && a->layer && cj__layer_is_model(a->layer))
        return add_nested(p, a, path, m, at);
    m->box[at] = p->layout.box_count;
    CJ_TRY(add_box(p, path, a));
    for (int j = 0; j < a->input_count; j++)
        CJ_TRY(cj__layout_add_line(&p->layout, source(m, a->input_app[j], a->input_index[j]),
                                   m->box[at]));
    return CJ_OK;
}

// The boxes of a model. `feeds` are the boxes that stand for its inputs; NULL for the whole model,
// whose inputs are boxes. `outputs` gets the boxes of its outputs.
static cj_status add_model(plot *p, const cj_model *model, const char *path, const int *feeds,
                           int *outputs)
{
    const size_t count = (size_t)model->application_count;
    made m = {cj__new(count, sizeof *m.box), cj__new(count, sizeof *m.nested)};
    cj_status status = m.box && m.nested ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < model->application_count; i++) {
        int input = feeds ? model->input_count - 1 : -1;
        while (input >= 0 && model->input_at[input] != i)
            input--;
        if (input >= 0)
            m.box[i] = feeds[input];
        else
            status = add_application(p, model, path, &m, i);
    }
    for (int i = 0; status == CJ_OK && i < model->output_count; i++)
        outputs[i] = source(&m, model->output_at[i], model->output_index[i]);
    for (size_t i = 0; m.nested && i < count; i++)
        cj__free(m.nested[i]);
    cj__free(m.nested);
    cj__free(m.box);
    return status;
}

// ---- Drawing ----

static int top_of(int row)
{
    return MARGIN + TITLE + row * ROW;
}

static void draw_line(const plot *p, const cj__line *line)
{
    const cj__vertex *v = p->layout.vertices, *from = &v[line->from], *to = &v[line->to];
    int x = MARGIN + from->x, y = top_of(from->row) + BOX;
    fprintf(p->stream, "<path d=\"M%d %d", x, y);
    for (int b = 0; b <= line->bend_count; b++) {
        const cj__vertex *next = b < line->bend_count ? &v[line->first_bend + b] : to;
        const int to_x = MARGIN + next->x, to_y = top_of(next->row) - (next == to ? 5 : 0);
        if (to_x == x)
            fprintf(p->stream, "V%d", to_y);
        else
            fprintf(p->stream, "C%d %d %d %d %d %d", x, (y + to_y) / 2, to_x, (y + to_y) / 2, to_x,
                    to_y);
        x = to_x;
        y = to_y;
        if (next != to) {
            y += BOX;
            fprintf(p->stream, "V%d", y);
        }
    }
    fputs("\" marker-end=\"url(#end)\"/>\n", p->stream);
}

static void draw_box(const plot *p, int index)
{
    const cj__vertex *v = &p->layout.vertices[index];
    const label *l = &p->labels[index];
    const int x = MARGIN + v->x, y = top_of(v->row);
    fprintf(p->stream,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\" fill=\"%s\" "
            "stroke=\"%s\"/>\n<text x=\"%d\" y=\"%d\" font-weight=\"bold\">",
            x - v->width / 2, y, v->width, BOX, l->fill, l->edge, x, y + (l->what[0] ? 18 : 26));
    cj__svg_text(l->name, p->stream);
    fprintf(p->stream, "</text>\n<text x=\"%d\" y=\"%d\">", x, y + 34);
    cj__svg_text(l->what, p->stream);
    fputs("</text>\n", p->stream);
}

static void draw(const plot *p, const cj_model *model, int64_t params)
{
    const cj__layout *l = &p->layout;
    cj__text title = {0};
    cj__text_add(&title, "%s: ", model->layer.name);
    add_params(&title, params);
    const char *words = title.failed || !title.data ? "" : title.data;
    const int needed = LETTER * columns_of(words) + 30;
    const int width = 2 * MARGIN + (l->width > needed ? l->width : needed);
    const int height = top_of(l->row_count - 1) + BOX + MARGIN;
    fprintf(p->stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" "
            "text-anchor=\"middle\">\n<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"4\" "
            "refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
            "<path d=\"M0 0L8 4L0 8z\" fill=\"#666\"/></marker></defs>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%d\" y=\"%d\" font-size=\"15\" text-anchor=\"start\">",
            width, height, width, height, MARGIN, MARGIN + 12);
    cj__svg_text(words, p->stream);
    fputs("</text>\n<g fill=\"none\" stroke=\"#666\" stroke-width=\"1.2\">\n", p->stream);
    for (int i = 0; i < l->line_count; i++)
        draw_line(p, &l->lines[i]);
    fputs("</g>\n", p->stream);
    for (int i = 0; i < l->box_count; i++)
        draw_box(p, i);
    fputs("</svg>\n", p->stream);
    cj__text_free(&title);
}

cj_status cj_model_plot_with(cj_model *model, FILE *stream, const cj_plot_args *args)
{
    cj_plot_args given;
    if (!model || !stream)
        return model ? cj__fail_null("cj_model_plot: the stream") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_model_plot: the model");
    CJ_TRY(cj__args_read("cj_model_plot", args, &plot_defaults, sizeof given, &given));
    if (!model->layer.built)
        return cj__fail(CJ_NOT_BUILT, "%s: the model has no shapes before it is built",
                        model->layer.name);
    plot p = {.stream = stream, .args = &given};
    int *outputs = cj__new((size_t)model->output_count, sizeof *outputs);
    cj_status status = outputs ? add_model(&p, model, "", NULL, outputs) : CJ_OUT_OF_MEMORY;
    cj__free(outputs);
    const int boxes = p.layout.box_count;
    if (status == CJ_OK)
        status = cj__layout_place(&p.layout);
    const int64_t params = params_of(&model->layer);
    if (status == CJ_OK && params < 0)
        status = CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        draw(&p, model, params);
    for (int i = 0; i < boxes; i++) {
        cj__free(p.labels[i].name);
        cj__free(p.labels[i].what);
    }
    cj__free(p.labels);
    cj__layout_free(&p.layout);
    if (status == CJ_OK && ferror(stream))
        return cj__fail(CJ_IO, "%s: the plot could not be written", model->layer.name);
    return status;
}
