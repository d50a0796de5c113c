// Files that are whole or not there: written beside their target under a temporary name, synced, and
// renamed. A symbolic link is followed: the file that it points to is replaced, not the link. The
// new file has the mode of the one that it replaces. What is no regular file, such as a device, a
// FIFO or /dev/stdout, is written directly. Temporary files of processes that were killed are
// removed when another file is written in their folder.
#ifndef CJ_BASE_FILE_H
#define CJ_BASE_FILE_H

#include <cajal/base.h>
#include <stdio.h>

typedef struct cj__output {
    FILE *stream;    // to write to; NULL when closed
    char *path;      // as it was given, for sentences
    char *target;    // the path after following links
    char *temporary; // the name until the commit; "" where the target is written directly
} cj__output;

// Opens a temporary file beside what `path` leads to. CJ_IO, CJ_OUT_OF_MEMORY, CJ_INVALID_ARGUMENT
// for NULL. On failure there is nothing to abandon.
cj_status cj__output_open(cj__output *output, const char *path);
// Flushes, syncs and renames. On failure, such as a full disk, removes the temporary file and says
// why; CJ_IO.
cj_status cj__output_commit(cj__output *output);
// Removes the temporary file; fine after a commit or on {0}.
void cj__output_abandon(cj__output *output);

// Reads a whole regular file into a new block (cj__free), with a 0 byte after it. CJ_NOT_FOUND,
// CJ_IO (also for what is no regular file), CJ_OUT_OF_MEMORY, or CJ_UNSUPPORTED for more than `most`
// bytes.
cj_status cj__file_read(const char *path, size_t most, char **bytes, size_t *size);

#endif
