// Keras's summary (keras/src/utils/summary_utils.py).
#include "base/args.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/model.h"
#include "layers/summary_table.h"
#include "ops/variable.h"
#include <inttypes.h>
#include <string.h>

CJ__DEFAULTS(summary, SUMMARY)

typedef struct summary {
    cj__table table;
    const cj_summary_args *args;
    bool connections; // a column of them
} summary;

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

// The cells of the row of application `at` of a model that is `level` models deep in the whole.
static cj_status print_application(summary *s, const cj_model *model, int at, int level)
{
    const cj__application *a = &model->applications[at];
    char cells[CJ__TABLE_COLUMNS][CJ__TABLE_CELL] = {0}, number[32];
    cj__text shapes = {0}, connections = {0};
    amount sum = {0};
    int c = 0;
    cj_status status = a->layer ? amount_of(a->layer, false, &sum) : CJ_OK;
    add_shapes(a, &shapes);
    if (level == 0)
        add_connections(model, at, &connections);
    if (status == CJ_OK)
        status = cj__text_status(&shapes);
    if (status == CJ_OK)
        status = cj__text_status(&connections);
    if (status == CJ_OK) {
        snprintf(cells[c++], CJ__TABLE_CELL, "%*s%s%s (%s)", 3 * level, "", level ? "└ " : "",
                 a->layer ? a->layer->name : a->node->op->name,
                 a->layer ? cj_layer_class(a->layer) : "op");
        snprintf(cells[c++], CJ__TABLE_CELL, "%s", shapes.data ? shapes.data : "?");
        snprintf(cells[c++], CJ__TABLE_CELL, "%s", grouped(sum.params, number));
        if (s->connections)
            snprintf(cells[c++], CJ__TABLE_CELL, "%s", connections.data ? connections.data : "-");
        snprintf(cells[c], CJ__TABLE_CELL, "%s",
                 sum.params == 0     ? "-" :
                 a->layer->trainable ? "Y" :
                                       "N");
        cj__table_row(&s->table, cells);
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

static cj_status print_rows(summary *s, const cj_model *model, int level)
{
    // A sequential model's input layer is not among its rows.
    for (int i = cj__model_is_sequential(model); i < model->application_count; i++) {
        const cj__application *a = &model->applications[i];
        if (a->which > 0 || (level > 0 && !a->layer))
            continue;
        CJ_TRY(print_application(s, model, i, level));
        if (s->args->expand_nested && a->layer && cj__layer_is_model(a->layer))
            CJ_TRY(print_rows(s, (const cj_model *)(const void *)a->layer, level + 1));
    }
    return CJ_OK;
}

static void print_unbuilt(summary *s, const cj_model *model)
{
    for (int i = 0; i < model->layer_count; i++) {
        char cells[CJ__TABLE_COLUMNS][CJ__TABLE_CELL] = {"", "?", "0 (unbuilt)", "-"};
        snprintf(cells[0], CJ__TABLE_CELL, "%s (%s)", model->layers[i]->name,
                 cj_layer_class(model->layers[i]));
        cj__table_row(&s->table, cells);
    }
}

// The columns and their shares of the line, as Keras sets them.
static cj_status lay_out(summary *s, const cj_model *model)
{
    static const double ends_of_3[] = {0.45, 0.80, 1}, ends_of_4[] = {0.3, 0.56, 0.74, 1};
    static const cj__table_column columns[] = {{"Layer (type)", CJ__ALIGN_LEFT, 0},
                                               {"Output Shape", CJ__ALIGN_LEFT, 0},
                                               {"Param #", CJ__ALIGN_RIGHT, 0},
                                               {"Connected to", CJ__ALIGN_LEFT, 0}};
    double ends[CJ__TABLE_COLUMNS] = {0};
    cj__table *t = &s->table;
    int widest = s->connections ? 108 : 88;
    t->count = s->connections ? 4 : 3;
    memcpy(t->columns, columns, (size_t)t->count * sizeof columns[0]);
    for (int c = 0; c < t->count; c++)
        ends[c] = (s->connections ? ends_of_4 : ends_of_3)[c] * (s->args->show_trainable ? 0.9 : 1);
    if (s->args->show_trainable) {
        widest += 12;
        ends[t->count] = 1;
        t->columns[t->count++] = (cj__table_column){"Trainable", CJ__ALIGN_CENTER, 0};
    }
    const int64_t width = s->args->width < widest ? s->args->width : widest;
    if (width > 0 && cj__table_share(t, (int)width, ends))
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: a width of %lld is too small for a summary",
                    model->layer.name, (long long)s->args->width);
}

static cj_status print_totals(const cj_model *model, FILE *stream)
{
    amount all, trainable;
    CJ_TRY(amount_of(&model->layer, false, &all));
    CJ_TRY(amount_of(&model->layer, true, &trainable));
    const amount frozen = {all.params - trainable.params, all.bytes - trainable.bytes};
    const amount optimizer = {model->optimizer_params, model->optimizer_bytes};
    total(stream, "Total params",
          (amount){all.params + optimizer.params, all.bytes + optimizer.bytes});
    total(stream, "Trainable params", trainable);
    total(stream, "Non-trainable params", frozen);
    if (optimizer.params > 0)
        total(stream, "Optimizer params", optimizer);
    return CJ_OK;
}

cj_status cj_model_summary_with(cj_model *model, FILE *stream, const cj_summary_args *args)
{
    cj_summary_args given;
    summary s = {.table = {.stream = stream}, .args = &given};
    if (!model || !stream)
        return model ? cj__fail_null("cj_model_summary: the stream") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_model_summary: the model");
    CJ_TRY(cj__args_read("cj_model_summary", args, &summary_defaults, sizeof given, &given));
    s.connections = model->layer.built && !is_chain(model);
    CJ_TRY(lay_out(&s, model));
    fprintf(stream, "Model: \"%s\"\n", model->layer.name);
    cj__table_begin(&s.table);
    if (model->layer.built)
        CJ_TRY(print_rows(&s, model, 0));
    else
        print_unbuilt(&s, model);
    cj__table_end(&s.table);
    CJ_TRY(print_totals(model, stream));
    return ferror(stream) ?
               cj__fail(CJ_IO, "%s: the summary could not be written", model->layer.name) :
               CJ_OK;
}
