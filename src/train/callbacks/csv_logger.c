// CSVLogger: a heading, then a row an epoch. The columns are fixed by the heading: by Keras's rule
// the names of the first epoch in order and, if none of them is of the validation, a column "val_"
// of each; or those of the file that is appended to. A value that an epoch lacks is NA. Numbers
// have a point in every locale.
//
// A resumed run appends to what it wrote. A last line that was cut off is removed first.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/warning.h"
#include "train/callbacks.h"
#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct logger {
    char *filename, *separator;
    bool append;
    FILE *stream; // open from the first epoch's end to the run's
    char **columns;
    size_t column_count, capacity;
    bool warned; // that a value has no column
} logger;

static cj_status fail_io(const logger *l)
{
    return cj__fail(CJ_IO, "CSVLogger: %s: %s", l->filename, strerror(errno));
}

static void close_file(logger *l)
{
    if (l->stream)
        fclose(l->stream);
    l->stream = NULL;
    for (size_t i = 0; i < l->column_count; i++)
        cj__free(l->columns[i]);
    l->column_count = 0;
}

static cj_status add_column(logger *l, const char *prefix, const char *name)
{
    cj__text text = {0};
    cj__text_add(&text, "%s%s", prefix, name);
    CJ_TRY(cj__text_status(&text));
    if (!cj__reserve((void **)&l->columns, &l->capacity, l->column_count + 1, sizeof(char *))) {
        cj__text_free(&text);
        return CJ_OUT_OF_MEMORY;
    }
    l->columns[l->column_count++] = text.data;
    return CJ_OK;
}

static cj_status choose_columns(logger *l, const cj_logs *logs)
{
    int *order = cj__new((size_t)logs->count, sizeof *order);
    bool validated = false;
    if (!order)
        return CJ_OUT_OF_MEMORY;
    cj__logs_order(logs, order);
    cj_status status = CJ_OK;
    for (int i = 0; i < logs->count && status == CJ_OK; i++) {
        status = add_column(l, "", logs->names[order[i]]);
        validated = validated || strncmp(logs->names[i], "val_", strlen("val_")) == 0;
    }
    for (int i = 0; i < logs->count && status == CJ_OK && !validated; i++)
        status = add_column(l, "val_", logs->names[order[i]]);
    cj__free(order);
    return status;
}

// Writes a field, in quotation marks where it would be misread without.
static void write_field(const logger *l, const char *field)
{
    if (!strstr(field, l->separator) && !strpbrk(field, "\"\r\n")) {
        fputs(field, l->stream);
        return;
    }
    fputc('"', l->stream);
    for (; *field; field++)
        fputs(*field == '"' ? "\"\"" : (char[]){*field, '\0'}, l->stream);
    fputc('"', l->stream);
}

// The next field of a line, which *line then points behind; NULL after the last.
static char *next_field(const logger *l, const char **line, cj__text *field)
{
    const char *at = *line;
    if (!at)
        return NULL;
    field->length = 0;
    cj__text_add(field, "%s", "");
    if (*at == '"') {
        for (at++; *at && !(at[0] == '"' && at[1] != '"'); at++) {
            at += at[0] == '"';
            cj__text_add_bytes(field, at, 1);
        }
        at += *at == '"';
    }
    const char *end = strstr(at, l->separator);
    cj__text_add_bytes(field, at, end ? (size_t)(end - at) : strlen(at));
    *line = end ? end + strlen(l->separator) : NULL;
    return field->failed ? NULL : field->data;
}

static size_t count_fields(const logger *l, const char *line)
{
    cj__text field = {0};
    size_t count = 0;
    while (next_field(l, &line, &field))
        count++;
    cj__text_free(&field);
    return count;
}

// Takes the columns of a heading over. One that does not begin with "epoch" is a row of values.
static cj_status read_heading(logger *l, const char *line)
{
    cj__text field = {0};
    const char *name = next_field(l, &line, &field);
    cj_status status = CJ_OK;
    if (!name || strcmp(name, "epoch") != 0)
        status = cj__fail(CJ_BAD_FILE,
                          "CSVLogger: %s: it does not begin with a column \"epoch\": it cannot be "
                          "appended to",
                          l->filename);
    while (status == CJ_OK && (name = next_field(l, &line, &field)))
        status = add_column(l, "", name);
    if (status == CJ_OK)
        status = cj__text_status(&field);
    cj__text_free(&field);
    return status;
}

// Writes the first `size` bytes of the file again, and a line's end.
static cj_status rewrite(const logger *l, const char *bytes, size_t size, bool end_line)
{
    cj__output output;
    CJ_TRY(cj__output_open(&output, l->filename));
    fwrite(bytes, 1, size, output.stream);
    if (end_line)
        fputc('\n', output.stream);
    const cj_status status = cj__output_commit(&output);
    cj__output_abandon(&output);
    return status;
}

// Ends the last line if it has all its fields, and removes it if it has not.
static cj_status mend_end(const logger *l, const char *bytes, size_t size)
{
    if (size == 0 || bytes[size - 1] == '\n')
        return CJ_OK;
    size_t begin = size;
    while (begin > 0 && bytes[begin - 1] != '\n')
        begin--;
    if (count_fields(l, bytes + begin) == l->column_count + 1)
        return rewrite(l, bytes, size, true);
    cj__warn("CSVLogger: %s: the last line was cut off and is removed", l->filename);
    return rewrite(l, bytes, begin, false);
}

// Reads what is there before rows are appended: the columns, and whether the end is whole.
static cj_status read_file(logger *l)
{
    const size_t most = (size_t)1 << 30;
    char *bytes = NULL;
    size_t size = 0;
    CJ_TRY(cj__file_read(l->filename, most, &bytes, &size));
    const size_t heading = strcspn(bytes, "\r\n");
    cj_status status = CJ_OK;
    if (heading > 0) {
        char *line = cj__copy_bytes(bytes, heading + 1);
        if (line)
            line[heading] = '\0';
        status = line ? read_heading(l, line) : CJ_OUT_OF_MEMORY;
        cj__free(line);
    }
    if (status == CJ_OK && heading > 0)
        status = mend_end(l, bytes, size);
    cj__free(bytes);
    return status;
}

static cj_status open_file(logger *l, const cj_logs *logs)
{
    if (l->append)
        CJ_TRY(read_file(l));
    l->stream = fopen(l->filename, l->append ? "a" : "w");
    if (!l->stream)
        return fail_io(l);
    if (l->column_count > 0)
        return CJ_OK;
    CJ_TRY(choose_columns(l, logs));
    fputs("epoch", l->stream);
    for (size_t i = 0; i < l->column_count; i++) {
        fputs(l->separator, l->stream);
        write_field(l, l->columns[i]);
    }
    fputc('\n', l->stream);
    return CJ_OK;
}

// Says before the first step that the file cannot be written. What it has stays: whether the run
// appends to it, as a resumed one does, is not known yet.
static cj_status logger_begin(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    (void)model, (void)logs;
    close_file(l);
    l->warned = false;
    FILE *stream = fopen(l->filename, "a");
    return stream && fclose(stream) == 0 ? CJ_OK : fail_io(l);
}

static void warn_without_column(logger *l, const cj_logs *logs)
{
    for (int i = 0; i < logs->count && !l->warned; i++) {
        size_t column = 0;
        while (column < l->column_count && strcmp(l->columns[column], logs->names[i]) != 0)
            column++;
        if (column < l->column_count)
            continue;
        cj__warn("CSVLogger: %s has no column \"%s\": its values are not written", l->filename,
                 logs->names[i]);
        l->warned = true;
    }
}

static cj_status logger_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    (void)model;
    if (!l->stream)
        CJ_TRY(open_file(l, logs));
    warn_without_column(l, logs);
    fprintf(l->stream, "%d", logs->epoch);
    for (size_t i = 0; i < l->column_count; i++) {
        char text[CJ__NUMBER_TEXT];
        int at = 0;
        while (at < logs->count && strcmp(logs->names[at], l->columns[i]) != 0)
            at++;
        fprintf(l->stream, "%s%s", l->separator,
                at == logs->count       ? "NA" :
                isnan(logs->values[at]) ? "nan" :
                                          cj__number_text(logs->values[at], text));
    }
    fputc('\n', l->stream);
    return fflush(l->stream) == 0 ? CJ_OK : fail_io(l);
}

static cj_status logger_end(void *self, cj_model *model, cj_logs *logs)
{
    logger *l = self;
    const int failed = l->stream ? fclose(l->stream) : 0;
    (void)model, (void)logs;
    l->stream = NULL;
    close_file(l);
    return failed ? fail_io(l) : CJ_OK;
}

// All that has to be remembered is that there was a run before.
static int logger_state(void *self, double *values, int capacity)
{
    (void)self;
    if (capacity > 0)
        values[0] = 1;
    return 1;
}

static void logger_set_state(void *self, const double *values, int count)
{
    (void)values, (void)count;
    ((logger *)self)->append = true;
}

static void logger_free(void *self)
{
    logger *l = self;
    close_file(l);
    cj__free(l->columns);
    cj__free(l->filename);
    cj__free(l->separator);
    cj__free(l);
}
static const cj_callback_methods logger_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "CSVLogger",
    .train_begin = logger_begin,
    .epoch_end = logger_epoch_end,
    .train_end = logger_end,
    .state = logger_state,
    .set_state = logger_set_state,
    .free = logger_free,
};

CJ__DEFAULTS(csv_logger, CSV_LOGGER)

cj_callback *cj_csv_logger_new(const cj_csv_logger_args *args)
{
    cj_csv_logger_args given;
    if (cj__args_read("CSVLogger", args, &csv_logger_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_CALLBACK);
    if (!given.filename || !given.separator) {
        cj__fail_null(given.filename ? "CSVLogger: the separator" : "CSVLogger: the filename");
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    if (!*given.separator) {
        cj__fail(CJ_INVALID_ARGUMENT, "CSVLogger: the separator is empty");
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    logger *l = cj__new(1, sizeof *l);
    if (!l)
        return cj__build_failed(CJ__MADE_CALLBACK);
    l->filename = cj__copy_text(given.filename);
    l->separator = cj__copy_text(given.separator);
    l->append = given.append;
    if (!l->filename || !l->separator) {
        logger_free(l);
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    return cj__callback_make(&logger_methods, l);
}
