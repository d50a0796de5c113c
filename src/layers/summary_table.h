// The table of a summary, drawn as Keras does through the library "rich": boxes, cells that wrap at
// words, columns by their share of the width.
#ifndef CJ_LAYERS_SUMMARY_TABLE_H
#define CJ_LAYERS_SUMMARY_TABLE_H

#include <cajal/base.h>
#include <stdio.h>

enum { CJ__TABLE_COLUMNS = 5, CJ__TABLE_CELL = 400 };

typedef struct cj__table_column {
    const char *header;
    enum { CJ__ALIGN_LEFT, CJ__ALIGN_CENTER, CJ__ALIGN_RIGHT } align;
    int width; // of the text, in characters; a space on both sides is added
} cj__table_column;

typedef struct cj__table {
    FILE *stream;
    cj__table_column columns[CJ__TABLE_COLUMNS];
    int count; // of columns
    int rows;  // printed so far
} cj__table;

// Shares a line of `width` characters among the columns, each of which ends at `ends[i]` of it (the
// last at 1). False if a column would be too narrow for any text.
bool cj__table_share(cj__table *table, int width, const double *ends);
void cj__table_begin(const cj__table *table); // the headers
void cj__table_row(cj__table *table, char cells[][CJ__TABLE_CELL]);
void cj__table_end(const cj__table *table);

#endif
