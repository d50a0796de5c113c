// Files with lists of events: text, and the five bytes an event of N-MNIST. See include/cajal/events.h.
#include "base/error.h"
#include "base/input.h"
#include "base/memory.h"
#include "data/csv.h"
#include "tensor/tensor.h"

#include <cajal/events.h>
#include <math.h>
#include <string.h>

enum { COLUMNS = 4, EVENT_BYTES = 5, OVERFLOW_ROW = 240, OVERFLOW_TIME = 1 << 13 };

static const char *const column_names[COLUMNS] = {"time", "x", "y", "polarity"};

// Events as they are read, COLUMNS numbers each.
typedef struct list {
    double *numbers;
    size_t count, capacity;
} list;

static cj_status add(list *l, const double *event)
{
    if (!cj__reserve((void **)&l->numbers, &l->capacity, (l->count + 1) * COLUMNS, sizeof(double)))
        return CJ_OUT_OF_MEMORY;
    memcpy(l->numbers + l->count * COLUMNS, event, COLUMNS * sizeof *event);
    l->count++;
    return CJ_OK;
}

// Blanks around the first word do not count. ASCII only, whatever the locale is.
static bool same_word(const char *a, const char *b)
{
    a += strspn(a, " \t");
    for (; *a && *b; a++, b++)
        if ((*a >= 'A' && *a <= 'Z' ? *a + 'a' - 'A' : *a) != *b)
            return false;
    return !*b && !a[strspn(a, " \t")];
}

// ---- Text ----

typedef struct table {
    cj__csv csv;
    const char *path;
    int columns[COLUMNS]; // where each number stands
} table;

static cj_status bad_line(const table *t, const char *why)
{
    return cj__fail(CJ_BAD_FILE, "%s: line %lld %s", t->path, (long long)t->csv.line, why);
}

// Which number a name is; COLUMNS for none.
static int column_of(const char *name)
{
    static const struct {
        const char *name;
        int column;
    } names[] = {{"t", 0}, {"time", 0}, {"timestamp", 0}, {"x", 1},
                 {"y", 2}, {"p", 3},    {"pol", 3},       {"polarity", 3}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_word(name, names[i].name))
            return names[i].column;
    return COLUMNS;
}

// A first line of names says where the numbers stand.
static cj_status read_names(table *t)
{
    for (int i = 0; i < COLUMNS; i++)
        t->columns[i] = -1;
    for (int i = 0; i < t->csv.count; i++) {
        const int column = column_of(t->csv.fields[i].text);
        if (column < COLUMNS && t->columns[column] >= 0)
            return bad_line(t, "names a column twice");
        if (column < COLUMNS)
            t->columns[column] = i;
    }
    for (int i = 0; i < COLUMNS; i++)
        if (t->columns[i] < 0)
            return cj__fail(
                CJ_BAD_FILE,
                "%s: the first line has names, but none for the %s: needed are time, x, y "
                "and polarity",
                t->path, column_names[i]);
    return CJ_OK;
}

static cj_status read_line(table *t, list *l)
{
    double event[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        if (t->columns[i] >= t->csv.count)
            return bad_line(t, "has too few numbers: needed are time, x, y and polarity");
        if (!cj__csv_number(&t->csv.fields[t->columns[i]], &event[i]) || !isfinite(event[i]))
            return bad_line(t, "has a field that is no number");
    }
    return add(l, event);
}

// Whether the record is one of names: its first field is no number.
static bool is_names(const cj__csv *csv)
{
    double number;
    return csv->count > 0 && !cj__csv_number(&csv->fields[0], &number);
}

static cj_status read_lines(table *t, list *l)
{
    bool more = false;
    CJ_TRY(cj__csv_next(&t->csv, &more));
    if (more && t->csv.count == 1 && strchr(t->csv.fields[0].text, ' ')) {
        CJ_TRY(cj__csv_rewind(&t->csv));
        t->csv.separator = ' ';
        CJ_TRY(cj__csv_next(&t->csv, &more));
    }
    if (more && is_names(&t->csv)) {
        CJ_TRY(read_names(t));
        CJ_TRY(cj__csv_next(&t->csv, &more));
    }
    while (more) {
        CJ_TRY(read_line(t, l));
        CJ_TRY(cj__csv_next(&t->csv, &more));
    }
    return CJ_OK;
}

static cj_status read_text(const char *path, list *l)
{
    table t = {.path = path, .columns = {0, 1, 2, 3}};
    CJ_TRY(cj__csv_open(&t.csv, path, 0));
    const cj_status status = read_lines(&t, l);
    cj__csv_close(&t.csv);
    return status;
}

// ---- Five bytes ----

static cj_status read_five(const unsigned char *bytes, size_t count, list *l)
{
    double late = 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *b = bytes + i * EVENT_BYTES;
        const uint32_t time = (uint32_t)(b[2] & 0x7f) << 16 | (uint32_t)b[3] << 8 | b[4];
        if (b[1] == OVERFLOW_ROW)
            late += OVERFLOW_TIME;
        else
            CJ_TRY(add(l, (double[]){late + time, b[0], b[1], b[2] >> 7}));
    }
    return CJ_OK;
}

static cj_status read_binary(const char *path, list *l)
{
    cj__input input = {0};
    CJ_TRY(cj__input_open(&input, path));
    unsigned char *bytes = NULL;
    cj_status status = CJ_OK;
    if (input.size % EVENT_BYTES != 0)
        status = cj__fail(CJ_BAD_FILE, "%s: %llu bytes are no whole number of events of five bytes",
                          path, (unsigned long long)input.size);
    else if (!(bytes = cj__new(input.size < SIZE_MAX ? (size_t)input.size + 1 : SIZE_MAX, 1)))
        status = CJ_OUT_OF_MEMORY;
    else
        status = cj__input_read(&input, 0, bytes, (size_t)input.size);
    if (status == CJ_OK)
        status = read_five(bytes, (size_t)input.size / EVENT_BYTES, l);
    cj__free(bytes);
    cj__input_close(&input);
    return status;
}

cj_status cj_load_events(const char *path, cj_tensor **events)
{
    list l = {0};
    if (!path || !events)
        return cj__fail_null(path ? "cj_load_events: the place for the events" :
                                    "cj_load_events: the path");
    *events = NULL;
    const size_t length = strlen(path);
    const bool binary = length > 4 && same_word(path + length - 4, ".bin");
    cj_status status = binary ? read_binary(path, &l) : read_text(path, &l);
    if (status == CJ_OK && l.count == 0)
        status = cj__fail(CJ_BAD_FILE, "%s: the file has no events", path);
    if (status == CJ_OK)
        status = cj_tensor_from(CJ_F64, CJ_SHAPE((int64_t)l.count, COLUMNS), l.numbers,
                                l.count * COLUMNS, events);
    cj__free(l.numbers);
    return status;
}
