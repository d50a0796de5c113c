// Keras's summary table (keras/src/utils/summary_utils.py), at the 76 columns that it has where no
// terminal is wider.
#include "base/memory.h"
#include "base/text.h"
#include "layers/model.h"
#include "ops/variable.h"
#include <inttypes.h>
#include <string.h>

enum { COLUMNS_MAX = 4, CELL_MAX = 400 };

typedef struct table {
    FILE *stream;
    const char *headers[COLUMNS_MAX];
    int widths[COLUMNS_MAX]; // of the text; a space on both sides is added
    bool right[COLUMNS_MAX];
    int columns;
} table;

static const table plain = {.headers = {"Layer (type)", "Output Shape", "Param #"},
                            .widths = {31, 22, 13},
                            .right = {false, false, true},
                            .columns = 3};
static const table connected = {
    .headers = {"Layer (type)", "Output Shape", "Param #", "Connected to"},
    .widths = {19, 17, 10, 17},
    .right = {false, false, true, false},
    .columns = 4};

static void rule(const table *t, const char *left, const char *line, const char *cross,
                 const char *right)
{
    fputs(left, t->stream);
    for (int c = 0; c < t->columns; c++) {
        for (int i = 0; i < t->widths[c] + 2; i++)
            fputs(line, t->stream);
        fputs(c + 1 < t->columns ? cross : right, t->stream);
    }
    fputc('\n', t->stream);
}

// The length of the next line of a cell: whole words while they fit. A word that is longer than a
// line is cut: one character less than the line has, and an ellipsis.
static size_t line_length(const char *text, size_t width, bool *cut)
{
    size_t fits = 0;
    *cut = false;
    for (size_t i = 0; i <= width; i++) {
        if (text[i] == '\0')
            return i;
        if (text[i] == ' ')
            fits = i;
    }
    *cut = fits == 0;
    return fits ? fits : width - 1;
}

static void row(const table *t, const char *border, char cells[][CELL_MAX])
{
    const char *rest[COLUMNS_MAX];
    bool more = true;
    for (int c = 0; c < t->columns; c++)
        rest[c] = cells[c];
    for (bool first = true; more || first; first = false) {
        more = false;
        for (int c = 0; c < t->columns; c++) {
            bool cut;
            const int length = (int)line_length(rest[c], (size_t)t->widths[c], &cut);
            const int gap = t->widths[c] - length - cut;
            fprintf(t->stream, "%s %*s%.*s%s%*s ", border, t->right[c] ? gap : 0, "", length,
                    rest[c], cut ? "…" : "", t->right[c] ? 0 : gap, "");
            rest[c] += cut ? strcspn(rest[c], " ") : (size_t)length;
            rest[c] += strspn(rest[c], " ");
            more = more || *rest[c];
        }
        fprintf(t->stream, "%s\n", border);
    }
}

static const char *grouped(int64_t number, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, number);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

typedef struct amount {
    int64_t params, bytes;
} amount;

static cj_status amount_of(const cj_layer *layer, bool trainable_only, amount *sum)
{
    const int count = cj__layer_variables(layer, trainable_only, NULL, 0);
    cj_variable **variables = cj__new((size_t)count, sizeof *variables);
    *sum = (amount){0};
    if (!variables)
        return CJ_OUT_OF_MEMORY;
    cj__layer_variables(layer, trainable_only, variables, count);
    for (int i = 0; i < count; i++) {
        const int64_t params = cj__variable_count(variables[i]);
        sum->params += params;
        sum->bytes += (int64_t)cj__variable_bytes(variables[i]);
    }
    cj__free(variables);
    return CJ_OK;
}

static void total(FILE *stream, const char *what, amount sum)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    double size = (double)sum.bytes;
    char number[32];
    size_t unit = 0;
    for (; size >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        size /= 1024;
    fprintf(stream, " %s: %s (%.2f %s)\n", what, grouped(sum.params, number), size, units[unit]);
}

static void add_shapes(const cj__application *a, cj__text *text)
{
    char shape[CJ__SHAPE_WORDS];
    if (a->output_count > 1)
        cj__text_add(text, "[");
    for (int i = 0; i < a->output_count; i++)
        cj__text_add(text, "%s%s", i ? ", " : "",
                     cj_shape_text(&a->output_types[i].shape, shape, sizeof shape));
    if (a->output_count > 1)
        cj__text_add(text, "]");
}

// What feeds all applications of the layer of application `at`: "dense[0][0], dense_1[0][0]".
static void add_connections(const cj_model *model, int at, cj__text *text)
{
    const cj__application *all = model->applications;
    for (int i = at; i >= 0; i = all[i].next) {
        for (int j = 0; j < all[i].input_count; j++) {
            const cj__application *from = &all[all[i].input_app[j]];
            cj__text_add(text, "%s%s[%d][%d]", text->length ? ", " : "",
                         from->layer ? from->layer->name : from->node->op->name, from->which,
                         all[i].input_index[j]);
        }
    }
    if (!text->length)
        cj__text_add(text, "-");
}

static cj_status print_application(const table *t, const cj_model *model, int at)
{
    const cj__application *a = &model->applications[at];
    char cells[COLUMNS_MAX][CELL_MAX] = {0}, number[32];
    cj__text shapes = {0}, connections = {0};
    amount sum = {0};
    cj_status status = a->layer ? amount_of(a->layer, false, &sum) : CJ_OK;
    add_shapes(a, &shapes);
    add_connections(model, at, &connections);
    if (status == CJ_OK)
        status = cj__text_status(&shapes);
    if (status == CJ_OK)
        status = cj__text_status(&connections);
    if (status == CJ_OK) {
        snprintf(cells[0], CELL_MAX, "%s (%s)", a->layer ? a->layer->name : a->node->op->name,
                 a->layer ? a->layer->kind->choice.class_name : "op");
        snprintf(cells[1], CELL_MAX, "%s", shapes.data ? shapes.data : "?");
        snprintf(cells[2], CELL_MAX, "%s", grouped(sum.params, number));
        snprintf(cells[3], CELL_MAX, "%s", connections.data);
        row(t, "│", cells);
    }
    cj__text_free(&shapes);
    cj__text_free(&connections);
    return status;
}

// Whether each application feeds just the next, and no layer is applied twice: then connections
// need no column.
static bool is_chain(const cj_model *model)
{
    for (int i = 0; i < model->application_count; i++) {
        const cj__application *a = &model->applications[i];
        if (a->which > 0 || a->input_count != (i > 0) || (i > 0 && a->input_app[0] != i - 1))
            return false;
    }
    return true;
}

static cj_status print_rows(const table *t, const cj_model *model)
{
    bool first = true;
    // A sequential model's input layer is not among its rows.
    for (int i = cj__model_is_sequential(model); i < model->application_count; i++) {
        if (model->applications[i].which > 0)
            continue;
        if (!first)
            rule(t, "├", "─", "┼", "┤");
        first = false;
        CJ_TRY(print_application(t, model, i));
    }
    return CJ_OK;
}

static void print_unbuilt(const table *t, const cj_model *model)
{
    for (int i = 0; i < model->layer_count; i++) {
        char cells[COLUMNS_MAX][CELL_MAX] = {"", "?", "0 (unbuilt)", ""};
        snprintf(cells[0], CELL_MAX, "%s (%s)", model->layers[i]->name,
                 model->layers[i]->kind->choice.class_name);
        if (i > 0)
            rule(t, "├", "─", "┼", "┤");
        row(t, "│", cells);
    }
}

cj_status cj_model_summary(cj_model *model, FILE *stream)
{
    amount all, trainable;
    char headers[COLUMNS_MAX][CELL_MAX] = {0};
    if (!model || !stream)
        return cj__fail_null(model ? "cj_model_summary: the stream" :
                                     "cj_model_summary: the model");
    table t = !model->layer.built || is_chain(model) ? plain : connected;
    t.stream = stream;
    CJ_TRY(amount_of(&model->layer, false, &all));
    CJ_TRY(amount_of(&model->layer, true, &trainable));
    for (int i = 0; i < t.columns; i++)
        snprintf(headers[i], CELL_MAX, "%s", t.headers[i]);
    fprintf(stream, "Model: \"%s\"\n", model->layer.name);
    rule(&t, "┏", "━", "┳", "┓");
    row(&t, "┃", headers);
    rule(&t, "┡", "━", "╇", "┩");
    if (model->layer.built)
        CJ_TRY(print_rows(&t, model));
    else
        print_unbuilt(&t, model);
    rule(&t, "└", "─", "┴", "┘");
    const amount frozen = {all.params - trainable.params, all.bytes - trainable.bytes};
    const amount optimizer = {model->optimizer_params, model->optimizer_bytes};
    total(stream, "Total params",
          (amount){all.params + optimizer.params, all.bytes + optimizer.bytes});
    total(stream, "Trainable params", trainable);
    total(stream, "Non-trainable params", frozen);
    if (optimizer.params > 0)
        total(stream, "Optimizer params", optimizer);
    return ferror(stream) ?
               cj__fail(CJ_IO, "%s: the summary could not be written", model->layer.name) :
               CJ_OK;
}
