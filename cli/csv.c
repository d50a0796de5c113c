// Rows of numbers from a CSV file as RFC 4180 has it: fields separated by commas (or, where the
// first line has none, by semicolons, tabs or spaces), perhaps in quotes; lines end in LF or CRLF; a
// byte-order mark is passed over. A first record without a number is a heading. Every
// record has as many fields as the model takes; what is wrong is refused with its line.
#include "csv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 256 };

typedef struct reader {
    FILE *file;
    const char *path;
    char separator; // ' ' for any run of spaces and tabs
    int64_t line;   // of the character that is read next, from 1
    int64_t record; // line on which the record began
    char field[FIELD_MAX];
    size_t length;
} reader;

typedef struct table {
    float *values;
    size_t count, capacity;
    int64_t width;
} table;

static cj_status refuse(const reader *r, const char *what)
{
    return cj_fail(CJ_BAD_FILE, "%s, line %" PRId64 ": %s", r->path, r->record, what);
}

static int next(reader *r)
{
    const int c = getc(r->file);
    if (c == '\n')
        r->line++;
    return c;
}

static cj_status keep(reader *r, int c)
{
    if (r->length + 1 == FIELD_MAX)
        return refuse(r, "a field is longer than a number can be");
    r->field[r->length++] = (char)c;
    return CJ_OK;
}

// The rest of a quoted field; two quotes stand for one.
static cj_status read_quoted(reader *r, int *after)
{
    for (;;) {
        int c = next(r);
        if (c == EOF)
            return refuse(r, "a quote is not closed");
        if (c == '"') {
            c = next(r);
            if (c != '"') {
                *after = c;
                return CJ_OK;
            }
        }
        CJ_TRY(keep(r, c));
    }
}

static bool ends_record(int c)
{
    return c == '\n' || c == EOF;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool separates(const reader *r, int c)
{
    return r->separator == ' ' ? is_blank(c) : c == r->separator;
}

// One field without the blanks around it; `end` is the character that ended it.
static cj_status read_field(reader *r, int c, int *end)
{
    r->length = 0;
    while (is_blank(c) && (r->separator == ' ' || c != r->separator))
        c = next(r);
    if (c == '"') {
        CJ_TRY(read_quoted(r, &c));
        while (is_blank(c) && !separates(r, c))
            c = next(r);
        if (!ends_record(c) && !separates(r, c))
            return refuse(r, "a field goes on after its quote");
    }
    for (; !ends_record(c) && !separates(r, c); c = next(r))
        CJ_TRY(keep(r, c));
    while (r->length > 0 && is_blank(r->field[r->length - 1]))
        r->length--;
    r->field[r->length] = '\0';
    while (r->separator == ' ' && is_blank(c))
        c = next(r);
    if (r->separator == ' ' && !ends_record(c)) {
        ungetc(c, r->file);
        c = ' ';
    }
    *end = c;
    return CJ_OK;
}

// A finite number, written in full. The program keeps the C locale, so the point is a point.
static bool number_of(const reader *r, float *value)
{
    char *end = NULL;
    *value = strtof(r->field, &end);
    return r->length > 0 && end == r->field + r->length && isfinite(*value) &&
           !strpbrk(r->field, "xX");
}

static cj_status add(table *t, float value, const reader *r)
{
    if (t->count == t->capacity) {
        const size_t capacity = t->capacity ? 2 * t->capacity : 1024;
        float *grown = realloc(t->values, capacity * sizeof *grown);
        if (!grown)
            return cj_fail(CJ_OUT_OF_MEMORY, "%s: out of memory at line %" PRId64, r->path,
                           r->line);
        t->values = grown;
        t->capacity = capacity;
    }
    t->values[t->count++] = value;
    return CJ_OK;
}

static cj_status wrong_width(const reader *r, int64_t fields, int64_t width)
{
    char what[160];
    snprintf(what, sizeof what, "%" PRId64 " fields where the model takes %" PRId64 "%s", fields,
             width, fields == width + 1 ? " (is the first or last one a label? take it out)" : "");
    return refuse(r, what);
}

// One record that begins with `c`. A first record with words is a heading, and adds nothing.
static cj_status read_record(reader *r, int c, bool first, table *t)
{
    const size_t before = t->count;
    int64_t fields = 0, words = 0;
    r->record = r->line;
    for (;;) {
        float value = 0;
        CJ_TRY(read_field(r, c, &c));
        fields++;
        const bool is_number = number_of(r, &value);
        words += !is_number && r->length > 0;
        if (!is_number && !(first && r->length > 0)) {
            char what[FIELD_MAX + 64];
            snprintf(what, sizeof what, "field %" PRId64 " is %s%s%s", fields,
                     r->length ? "no finite number: \"" : "empty", r->field, r->length ? "\"" : "");
            return refuse(r, what);
        }
        CJ_TRY(add(t, value, r));
        if (ends_record(c))
            break;
        c = next(r);
    }
    if (fields != t->width)
        return wrong_width(r, fields, t->width);
    if (words == fields)
        t->count = before;
    else if (words > 0)
        return refuse(r, "some fields are numbers and others are not; a heading has words only");
    return CJ_OK;
}

// The separator of the first line, which is read again afterwards: it has to fit the buffer.
static int find_separator(reader *r, char *line, size_t size)
{
    static const char separators[] = ",;\t";
    size_t length = 0;
    int c;
    while (length + 1 < size && (c = getc(r->file)) != EOF) {
        line[length++] = (char)c;
        if (c == '\n')
            break;
    }
    line[length] = '\0';
    for (const char *s = separators; *s; s++)
        if (strchr(line, *s))
            return *s;
    return ' ';
}

static cj_status read_records(reader *r, table *t)
{
    bool first = true;
    for (int c = next(r); c != EOF; c = next(r)) {
        while (is_blank(c) && c != r->separator)
            c = next(r);
        if (c == EOF)
            break;
        if (c == '\n')
            continue;
        CJ_TRY(read_record(r, c, first, t));
        first = false;
    }
    if (ferror(r->file))
        return cj_fail(CJ_IO, "%s: reading failed: %s", r->path, strerror(errno));
    if (t->count == 0)
        return cj_fail(CJ_BAD_FILE, "%s: there are no rows of numbers", r->path);
    return CJ_OK;
}

cj_status read_csv(FILE *file, const char *path, int64_t width, cj_tensor **rows)
{
    reader r = {.file = file, .path = path, .line = 1, .record = 1};
    table t = {.width = width};
    char bytes[1 << 16];
    FILE *whole = tmpfile();
    size_t got;
    if (!whole)
        return cj_fail(CJ_IO, "%s: cannot make a temporary file: %s", path, strerror(errno));
    // What comes through a pipe cannot be read twice, as the separator needs: hence a copy.
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0 && fwrite(bytes, 1, got, whole) == got)
        ;
    cj_status status = ferror(file) || ferror(whole) ?
                           cj_fail(CJ_IO, "%s: reading failed: %s", path, strerror(errno)) :
                           CJ_OK;
    r.file = whole;
    rewind(whole);
    r.separator = (char)find_separator(&r, bytes, sizeof bytes);
    const bool marked = strncmp(bytes, "\xef\xbb\xbf", 3) == 0;
    if (status == CJ_OK && fseek(whole, marked ? 3 : 0, SEEK_SET) == 0)
        status = read_records(&r, &t);
    fclose(whole);
    if (status == CJ_OK)
        status = cj_tensor_from(CJ_F32, CJ_SHAPE((int64_t)t.count / width, width), t.values,
                                t.count, rows);
    free(t.values);
    return status;
}
