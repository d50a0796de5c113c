// Records of a CSV file, block by block; see include/cajal/tables.h for the form.
#ifndef CJ_DATA_CSV_H
#define CJ_DATA_CSV_H

#include "data/packed.h"

// A field: its bytes end with a 0 byte, which is not counted, and may be changed.
typedef struct cj__csv_field {
    char *text;
    size_t length;
    bool quoted;
} cj__csv_field;

typedef struct cj__csv {
    const char *path;
    cj__packed file;
    bool is_open;
    uint64_t read;           // bytes of the text so far
    char separator;          // ' ': any number of blanks
    char *bytes;             // a block, and what a record that is not whole needs
    size_t room, end, at;    // of the block; bytes there; the next record
    bool last;               // the file is at its end
    int64_t line, next_line; // of the record that was read, and of the next, from 1
    cj__csv_field *fields;   // of the record
    size_t field_room;
    int count;
} cj__csv;

// Opens a file, plain or gzip; with a separator of 0 it is found in the first record. CJ_NOT_FOUND, CJ_IO,
// CJ_OUT_OF_MEMORY.
cj_status cj__csv_open(cj__csv *csv, const char *path, char separator);
// The next record that is not empty; *more is false after the last. Fields are valid until the next
// call. CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY.
cj_status cj__csv_next(cj__csv *csv, bool *more);
// Back to the first record. CJ_IO, CJ_BAD_FILE, CJ_OUT_OF_MEMORY.
cj_status cj__csv_rewind(cj__csv *csv);
void cj__csv_close(cj__csv *csv);

// The number in a field; false if it is none. Decimal or scientific, "inf" and "infinity" with a
// sign; the nearest double.
bool cj__csv_number(const cj__csv_field *field, double *number);
// The same of numbers with another decimal point.
bool cj__csv_number_with(const cj__csv_field *field, char decimal, double *number);
// Whether a field stands for a missing value.
bool cj__csv_missing(const cj__csv_field *field);

#endif
