// Files that are whole or not there: written beside their place under a temporary name, synced, and
// renamed.
#ifndef CJ_BASE_FILE_H
#define CJ_BASE_FILE_H

#include <cajal/base.h>
#include <stdio.h>

typedef struct cj__output {
    FILE *stream;    // to write to; NULL when closed
    char *path;      // where it will be
    char *temporary; // where it is until then
} cj__output;

// Opens a temporary file beside `path`.
cj_status cj__output_open(cj__output *output, const char *path);
// Flushes, syncs and renames; on any failure (a full disk) removes the temporary file and says why.
cj_status cj__output_commit(cj__output *output);
// Removes the temporary file; fine after a commit or on {0}.
void cj__output_abandon(cj__output *output);

// Reads a whole file into a new block (cj__free), with a 0 byte after it. `most` caps its size in
// bytes.
cj_status cj__file_read(const char *path, size_t most, char **bytes, size_t *size);

#endif
