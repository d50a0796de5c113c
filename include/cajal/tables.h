/**
 * @file tables.h
 * Tables: columns of numbers, categories and texts with names, from CSV files.
 */
#ifndef CAJAL_TABLES_H
#define CAJAL_TABLES_H

#include <cajal/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A table; a counted object (base.h), never changed once made. */
typedef struct cj_table cj_table;

/** What a column holds. */
typedef enum cj_column_kind {
    CJ_COLUMN_NUMBER,   ///< numbers
    CJ_COLUMN_CATEGORY, ///< texts of which few are different
    CJ_COLUMN_TEXT      ///< texts of which many are different
} cj_column_kind;

/** The arguments of cj_load_csv(). */
typedef struct cj_load_csv_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** 1: the first record has the columns' names; 0: it is data; default -1: names if it has no number */
    int header;
    /**
     * between fields; default 0: what the first record has most of, of comma, semicolon, tab, bar (tabs in a
     * file that is named .tsv). ' ': any number of blanks and tabs
     */
    char separator;
    int64_t
        max_categories; ///< default 100: a text column with more different texts is CJ_COLUMN_TEXT
    int64_t max_rows;   ///< default 0: all; else the first so many
    /** default false: a record with another number of fields fails. True: left out, with a warning */
    bool skip_broken;
    char decimal; ///< default '.': the decimal point of numbers; or ','
} cj_load_csv_args;
/** The defaults of cj_load_csv_args. */
#define CJ_LOAD_CSV_DEFAULTS \
    .size = sizeof(cj_load_csv_args), .header = -1, .max_categories = 100, .decimal = '.'
/** Sets `args` to CJ_LOAD_CSV_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_csv_defaults(cj_load_csv_args *args);
/**
 * Reads a CSV file, plain or packed by gzip, as RFC 4180 has it: fields in quotes may hold separators, line ends and doubled
 * quotes; lines end in LF, CRLF or CR; a byte-order mark and empty lines are passed over. The file
 * is read block by block: memory is that of the numbers (8 bytes each), of the indices of texts (4
 * bytes each) and of each different text once.
 *
 * A column is of numbers if each of its fields is one or is missing. Numbers have a decimal point
 * whatever the locale is; where semicolons separate fields and all texts of a column are numbers with
 * a comma, a warning tells of `decimal`. Missing are empty fields and those that pandas takes so ("NA", "N/A", "NaN",
 * "nan", "null", "NULL", "None", ...), and "?". Spaces around an unquoted number do not count.
 *
 * `*table` receives a new table, to be released. CJ_INVALID_ARGUMENT (a NULL, an argument out of
 * range), CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (a record with too few or too many fields, text after a
 * closing quote, a quote that is never closed, a byte 0, no columns: the sentence names the line; damaged
 * gzip data),
 * CJ_UNSUPPORTED (more than 2^31 - 1 different texts in a column, a record above 64 MiB, more than
 * 65,536 columns), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_csv_with(const char *path, cj_table **table, const cj_load_csv_args *args);
/** `cj_load_csv("houses.csv", &table, .separator = ';')`. */
#define cj_load_csv(path, ...)                       \
    cj_load_csv_with(path, CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_load_csv_args){CJ_LOAD_CSV_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The number of rows; 0 for NULL. */
CJ_API int64_t cj_table_rows(const cj_table *table);
/** The number of columns; 0 for NULL. */
CJ_API int cj_table_columns(const cj_table *table);
/** The name of a column, "column 0", ... without a heading; NULL if there is none. Owned by the table. */
CJ_API const char *cj_table_name(const cj_table *table, int column);
/** The column of that name; -1 if there is none. */
CJ_API int cj_table_find(const cj_table *table, const char *name);
/** What a column holds; CJ_COLUMN_NUMBER if there is none. */
CJ_API cj_column_kind cj_table_kind(const cj_table *table, int column);
/** How many fields of a column are missing; 0 if there is none. */
CJ_API int64_t cj_table_missing(const cj_table *table, int column);
/** The numbers of a column, NAN where missing, one a row; NULL for others. Owned by the table. */
CJ_API const double *cj_table_numbers(const cj_table *table, int column);
/**
 * The texts of a column as indices, in order of first appearance, -1 where missing, one a row; NULL
 * for a column of numbers. Owned by the table.
 */
CJ_API const int32_t *cj_table_indices(const cj_table *table, int column);
/** How many different texts a column has; 0 for numbers. */
CJ_API int64_t cj_table_text_count(const cj_table *table, int column);
/** The text of an index; NULL if there is none. Owned by the table. */
CJ_API const char *cj_table_text(const cj_table *table, int column, int64_t index);

#ifdef __cplusplus
}
#endif
#endif
