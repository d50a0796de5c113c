// Tables from CSV files. Each column begins as one of numbers; where a field is none, it becomes one
// of texts and the file is read from its beginning, since numbers do not remember how they were
// written. That happens within the first records, or seldom.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/object.h"
#include "base/text.h"
#include "base/warning.h"
#include "data/csv.h"
#include "data/words.h"
#include <cajal/tables.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct column {
    char *name;
    bool texts;
    cj_column_kind kind;
    double *numbers;  // of rows, where there are no texts
    int32_t *indices; // of rows, where there are
    cj__words words;
    int64_t missing;
} column;

struct cj_table {
    cj__object object;
    int64_t rows, room;
    int count;
    column *columns;
    int64_t max_categories;
};

static void destroy_table(void *object)
{
    cj_table *table = object;
    for (int i = 0; i < table->count; i++) {
        cj__free(table->columns[i].name);
        cj__free(table->columns[i].numbers);
        cj__free(table->columns[i].indices);
        cj__words_free(&table->columns[i].words);
    }
    cj__free(table->columns);
    cj__free(table);
}

static const cj__class table_class = {.name = "table", .destroy = destroy_table};

// What is read, and how.
typedef struct reading {
    const cj_load_csv_args *args;
    cj__csv csv;
    cj_table *table;
    bool heading;
    int64_t left_out; // records
} reading;

// ---- rows ----

static cj_status set_room(cj_table *t, int64_t room)
{
    for (int i = 0; i < t->count; i++) {
        column *c = &t->columns[i];
        void *block = c->texts ? (void *)c->indices : (void *)c->numbers;
        block = cj__resize(block, (size_t)room, c->texts ? sizeof(int32_t) : sizeof(double));
        if (!block)
            return CJ_OUT_OF_MEMORY;
        if (c->texts)
            c->indices = block;
        else
            c->numbers = block;
    }
    t->room = room;
    return CJ_OK;
}

// Room for one row more: as many as the file seems to have, with a little to spare.
static cj_status make_room(reading *r)
{
    cj_table *t = r->table;
    if (t->rows < t->room)
        return CJ_OK;
    int64_t room = t->rows + t->rows / 4 + 1024;
    const uint64_t size = r->csv.file.is_packed ? 0 : (uint64_t)r->csv.file.size;
    if (t->rows >= 1024 && size > r->csv.read) {
        const double consumed = (double)r->csv.read - (double)(r->csv.end - r->csv.at);
        const double whole = (double)t->rows * ((double)size / consumed) * 1.02;
        room = whole > (double)room && whole < 1e12 ? (int64_t)whole : room;
    }
    return set_room(t, room);
}

// Adds a field to a column; *texts tells that a column of numbers has one that is none.
static cj_status add_field(column *c, int64_t row, const cj__csv_field *field, char decimal,
                           bool *texts)
{
    if (!c->texts && cj__csv_number_with(field, decimal, &c->numbers[row]))
        return CJ_OK;
    const bool missing = cj__csv_missing(field);
    c->missing += missing;
    if (!c->texts) {
        c->numbers[row] = (double)NAN;
        *texts = !missing;
        return CJ_OK;
    }
    c->indices[row] = -1;
    return missing ? CJ_OK :
                     cj__words_index(&c->words, field->text, field->length, &c->indices[row]);
}

// A record that does not fit is refused, or left out.
static cj_status check_length(reading *r, bool *fits)
{
    *fits = r->csv.count == r->table->count;
    if (*fits)
        return CJ_OK;
    if (r->args->skip_broken) {
        r->left_out++;
        return CJ_OK;
    }
    return cj__fail(CJ_BAD_FILE, "%s, line %lld: %d fields, the first record has %d", r->csv.path,
                    (long long)r->csv.line, r->csv.count, r->table->count);
}

static cj_status read_rows(reading *r, bool *again)
{
    cj_table *t = r->table;
    bool more = true;
    while (!*again) {
        bool fits;
        CJ_TRY(cj__csv_next(&r->csv, &more));
        if (!more || (r->args->max_rows > 0 && t->rows == r->args->max_rows))
            return CJ_OK;
        CJ_TRY(check_length(r, &fits));
        if (!fits)
            continue;
        CJ_TRY(make_room(r));
        for (int i = 0; i < t->count; i++) {
            bool texts = false;
            CJ_TRY(add_field(&t->columns[i], t->rows, &r->csv.fields[i], r->args->decimal, &texts));
            if (texts) {
                t->columns[i].texts = true;
                cj__free(t->columns[i].numbers);
                t->columns[i].numbers = NULL;
                *again = true;
            }
        }
        t->rows++;
    }
    return CJ_OK;
}

static cj_status start_again(reading *r)
{
    cj_table *t = r->table;
    bool more;
    for (int i = 0; i < t->count; i++) {
        column *c = &t->columns[i];
        cj__words_free(&c->words);
        c->missing = 0;
        cj__free(c->numbers);
        cj__free(c->indices);
        c->numbers = NULL;
        c->indices = NULL;
    }
    t->rows = t->room = 0;
    r->left_out = 0;
    CJ_TRY(cj__csv_rewind(&r->csv));
    return r->heading ? cj__csv_next(&r->csv, &more) : CJ_OK;
}

// ---- columns ----

static bool has_number(const cj__csv *csv, char decimal)
{
    double number;
    for (int i = 0; i < csv->count; i++)
        if (cj__csv_number_with(&csv->fields[i], decimal, &number))
            return true;
    return false;
}

static cj_status check_names(const reading *r)
{
    cj__words names = {0};
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < r->table->count; i++) {
        const char *name = r->table->columns[i].name;
        int32_t first;
        status = cj__words_index(&names, name, strlen(name), &first);
        if (status == CJ_OK && first != i)
            status =
                cj__fail(CJ_BAD_FILE, "%s: two columns have the name \"%s\"", r->csv.path, name);
    }
    cj__words_free(&names);
    return status;
}

static cj_status name_columns(reading *r)
{
    cj_table *t = r->table;
    const cj__csv *csv = &r->csv;
    char name[32];
    t->columns = cj__new((size_t)csv->count, sizeof *t->columns);
    if (!t->columns)
        return CJ_OUT_OF_MEMORY;
    t->count = csv->count;
    for (int i = 0; i < t->count; i++) {
        snprintf(name, sizeof name, "column %d", i);
        const bool named = r->heading && csv->fields[i].length > 0;
        t->columns[i].name = cj__copy_text(named ? csv->fields[i].text : name);
        if (!t->columns[i].name)
            return CJ_OUT_OF_MEMORY;
    }
    return check_names(r);
}

static void choose_kinds(cj_table *t)
{
    for (int i = 0; i < t->count; i++) {
        column *c = &t->columns[i];
        const bool few = c->words.count <= t->max_categories;
        c->kind = !c->texts ? CJ_COLUMN_NUMBER : few ? CJ_COLUMN_CATEGORY : CJ_COLUMN_TEXT;
    }
}

// Tells of columns whose texts are all numbers with a decimal comma.
static void warn_of_commas(const reading *r)
{
    const cj_table *t = r->table;
    for (int i = 0; r->csv.separator == ';' && r->args->decimal == '.' && i < t->count; i++) {
        const cj__words *words = &t->columns[i].words;
        bool all = t->columns[i].texts && words->count > 0, any = false;
        for (int64_t w = 0; all && w < words->count; w++) {
            double number;
            const char *text = cj__words_text(words, w);
            const cj__csv_field field = {.text = (char *)(uintptr_t)text, .length = strlen(text)};
            all = cj__csv_number_with(&field, ',', &number);
            any |= strchr(text, ',') != NULL;
        }
        if (all && any)
            cj__warn("%s: column \"%s\" is read as texts, its numbers have a decimal comma: "
                     ".decimal = ','",
                     r->csv.path, t->columns[i].name);
    }
}

static cj_status read_table(reading *r)
{
    bool more, again = false;
    CJ_TRY(cj__csv_next(&r->csv, &more));
    if (!more)
        return cj__fail(CJ_BAD_FILE, "%s: it has no columns", r->csv.path);
    r->heading =
        r->args->header < 0 ? !has_number(&r->csv, r->args->decimal) : r->args->header == 1;
    CJ_TRY(name_columns(r));
    do {
        again = false;
        CJ_TRY(start_again(r));
        CJ_TRY(read_rows(r, &again));
    } while (again);
    CJ_TRY(set_room(r->table, r->table->rows));
    choose_kinds(r->table);
    warn_of_commas(r);
    if (r->left_out > 0)
        cj__warn("%s: %lld records with another number of fields are left out", r->csv.path,
                 (long long)r->left_out);
    return CJ_OK;
}

static cj_status check(const cj_load_csv_args *a)
{
    if (a->header < -1 || a->header > 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_load_csv: header %d, it needs 1, 0 or -1",
                        a->header);
    if (a->separator == '"' || a->separator == '\n' || a->separator == '\r')
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_csv: a quote or a line end cannot be the separator");
    if ((a->decimal != '.' && a->decimal != ',') || (a->decimal == ',' && a->separator == ','))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_csv: the decimal point needs to be '.', or ',' with another "
                        "separator");
    if (a->max_categories < 0 || a->max_rows < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_load_csv: %s %lld, it needs at least 0",
                        a->max_rows < 0 ? "max_rows" : "max_categories",
                        (long long)(a->max_rows < 0 ? a->max_rows : a->max_categories));
    return CJ_OK;
}

CJ__DEFAULTS(load_csv, LOAD_CSV)

cj_status cj_load_csv_with(const char *path, cj_table **table, const cj_load_csv_args *args)
{
    cj_load_csv_args given;
    if (!path || !table)
        return cj__fail_null(path ? "cj_load_csv: the place for the table" :
                                    "cj_load_csv: the file's name");
    *table = NULL;
    CJ_TRY(cj__args_read("cj_load_csv", args, &load_csv_defaults, sizeof given, &given));
    CJ_TRY(check(&given));
    reading r = {.args = &given};
    CJ_TRY(cj__csv_open(&r.csv, path, given.separator));
    r.table = cj__object_new(&table_class, sizeof *r.table);
    cj_status status = CJ_OUT_OF_MEMORY;
    if (r.table) {
        r.table->max_categories = given.max_categories;
        status = read_table(&r);
    }
    cj__csv_close(&r.csv);
    if (status == CJ_OK)
        *table = r.table;
    else
        cj_release(r.table);
    return status;
}

// ---- looking ----

static const column *column_of(const cj_table *table, int index)
{
    return table && index >= 0 && index < table->count ? &table->columns[index] : NULL;
}

int64_t cj_table_rows(const cj_table *table)
{
    return table ? table->rows : 0;
}

int cj_table_columns(const cj_table *table)
{
    return table ? table->count : 0;
}

const char *cj_table_name(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->name : NULL;
}

int cj_table_find(const cj_table *table, const char *name)
{
    for (int i = 0; name && i < cj_table_columns(table); i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return -1;
}

cj_column_kind cj_table_kind(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->kind : CJ_COLUMN_NUMBER;
}

int64_t cj_table_missing(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->missing : 0;
}

const double *cj_table_numbers(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->numbers : NULL;
}

const int32_t *cj_table_indices(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->indices : NULL;
}

int64_t cj_table_text_count(const cj_table *table, int index)
{
    const column *c = column_of(table, index);
    return c ? c->words.count : 0;
}

const char *cj_table_text(const cj_table *table, int index, int64_t text)
{
    return text >= 0 && text < cj_table_text_count(table, index) ?
               cj__words_text(&table->columns[index].words, text) :
               NULL;
}
