// Where a model file is written to: a file, opened once it is known what to write, or a block of
// memory of the right size.
#ifndef CJ_FORMATS_SINK_H
#define CJ_FORMATS_SINK_H

#include "base/file.h"

typedef struct cj__sink {
    const char *path; // of a file; NULL for memory
    cj__output output;
    char *bytes;       // of memory, once begun; cj__free()
    size_t used, size; // of memory
} cj__sink;            // starts as {0} or {.path = path}

// Says how many bytes will be written in all, before the first. Opens the file.
cj_status cj__sink_begin(cj__sink *sink, size_t size);
// Writes bytes. A file keeps its failures for cj__sink_end().
void cj__sink_write(cj__sink *sink, const void *bytes, size_t size);
// Ends writing, given what it came to: the file takes its place, or nothing is left of it.
cj_status cj__sink_end(cj__sink *sink, cj_status status);

#endif
