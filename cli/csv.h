// Rows of numbers from CSV; see csv.c.
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <cajal.h>
#include <stdio.h>

// Reads rows of `width` numbers as a new float32 tensor (rows, width), to be released. `path` names
// the stream in sentences. CJ_BAD_FILE with the line, CJ_IO, CJ_OUT_OF_MEMORY.
cj_status read_csv(FILE *file, const char *path, int64_t width, cj_tensor **rows);

#endif
