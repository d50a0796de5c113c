// CSV files of the command line: tables by name or from standard input, and rows of numbers.
#define _XOPEN_SOURCE 700
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Standard input as a file of its own, since a table may be read twice; the caller removes it.
static cj_status keep_input(char *path, size_t size)
{
    char bytes[1 << 16];
    size_t got;
    const char *folder = getenv("TMPDIR");
    if (snprintf(path, size, "%s/cajal-XXXXXX", folder && *folder ? folder : "/tmp") >= (int)size)
        return cj_fail(CJ_INVALID_ARGUMENT, "TMPDIR is too long");
    const int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file)
        return cj_fail(CJ_IO, "%s: cannot be made: %s", path, strerror(errno));
    while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0 && fwrite(bytes, 1, got, file) == got)
        ;
    const bool failed = ferror(stdin) || ferror(file);
    if (fclose(file) == 0 && !failed)
        return CJ_OK;
    unlink(path);
    return cj_fail(CJ_IO, "standard input: reading failed: %s", strerror(errno));
}

cj_status load_rows(const char *path, const cj_load_csv_args *args, cj_table **table)
{
    char kept[4096];
    if (strcmp(path, "-") != 0)
        return cj_load_csv_with(path, table, args);
    CJ_TRY(keep_input(kept, sizeof kept));
    const cj_status status = cj_load_csv_with(kept, table, args);
    unlink(kept);
    return status;
}

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

// What stands in a column that is no number, by its row from 1.
static cj_status refuse_field(const cj_table *table, const char *path, int column, int64_t row)
{
    const int32_t *texts = cj_table_indices(table, column);
    const char *text = texts && texts[row] >= 0 ? cj_table_text(table, column, texts[row]) : NULL;
    if (text)
        return cj_fail(CJ_BAD_FILE, "%s, row %lld: column %d is no finite number: \"%s\"",
                       name_of(path), (long long)row + 1, column + 1, text);
    return cj_fail(CJ_BAD_FILE, "%s, row %lld: column %d is empty or no finite number",
                   name_of(path), (long long)row + 1, column + 1);
}

static cj_status copy_column(const cj_table *table, const char *path, int column, float *to)
{
    const int count = cj_table_columns(table);
    const double *numbers = cj_table_numbers(table, column);
    for (int64_t i = 0; i < cj_table_rows(table); i++) {
        double number = NAN;
        const int32_t *texts = cj_table_indices(table, column);
        if (numbers)
            number = numbers[i];
        else if (texts[i] >= 0) { // of a column with a text: which row it is in
            char *end = NULL;
            const char *text = cj_table_text(table, column, texts[i]);
            number = strtod(text, &end);
            number = *end == '\0' && end != text ? number : NAN;
        }
        const float value = (float)number;
        if (!isfinite(value))
            return refuse_field(table, path, column, i);
        to[i * count + column] = value;
    }
    return CJ_OK;
}

static cj_status numbers_of(const cj_table *table, const char *path, int64_t width,
                            cj_tensor **rows)
{
    const int64_t count = cj_table_rows(table);
    const int columns = cj_table_columns(table);
    if (columns != width)
        return cj_fail(CJ_BAD_FILE, "%s: %d columns where the model takes %lld%s", name_of(path),
                       columns, (long long)width,
                       columns == width + 1 ? " (is the first or last one a label? take it out)" :
                                              "");
    if (count == 0)
        return cj_fail(CJ_BAD_FILE, "%s: there are no rows of numbers", name_of(path));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(count, width), rows));
    for (int c = 0; c < columns; c++)
        CJ_TRY(copy_column(table, path, c, cj_tensor_data(*rows)));
    return CJ_OK;
}

// Numbers with blanks between them are one column of texts.
static bool has_blanks(const cj_table *table)
{
    return cj_table_columns(table) == 1 && cj_table_text_count(table, 0) > 0 &&
           strpbrk(cj_table_text(table, 0, 0), " \t");
}

cj_status load_row_tensor(const char *path, int64_t width, cj_tensor **rows)
{
    char kept[4096] = "";
    cj_table *table = NULL;
    const bool standard = strcmp(path, "-") == 0;
    if (standard)
        CJ_TRY(keep_input(kept, sizeof kept));
    const char *file = standard ? kept : path;
    cj_status status = cj_load_csv(file, &table);
    if (status == CJ_OK && width > 1 && has_blanks(table)) {
        cj_release(table);
        status = cj_load_csv(file, &table, .separator = ' ');
    }
    if (status == CJ_OK)
        status = numbers_of(table, path, width, rows);
    if (status != CJ_OK) {
        cj_release(*rows);
        *rows = NULL;
    }
    cj_release(table);
    if (standard)
        unlink(kept);
    return status;
}
