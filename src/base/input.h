// What is read: a regular file, or bytes in memory. Its size is known before anything of it is
// read, and any part of it can be read, so that a reader looks at sizes before it allocates and
// never reads a whole file for the sake of its first bytes.
#ifndef CJ_BASE_INPUT_H
#define CJ_BASE_INPUT_H

#include <cajal/base.h>

typedef struct cj__input {
    const char *bytes; // of memory, which must stay; NULL for a file
    const char *path;  // of a file, for sentences; must stay
    int descriptor;
    uint64_t size;
} cj__input;

// Opens a regular file: CJ_NOT_FOUND or CJ_IO, the latter also for what is no regular file (a FIFO
// is not waited for).
cj_status cj__input_open(cj__input *input, const char *path);
// Memory as an input; needs no closing.
cj__input cj__input_memory(const void *bytes, size_t size);
void cj__input_close(cj__input *input); // fine on what was never opened

// Reads bytes [offset, offset + size), which the caller has checked against input->size. CJ_IO if
// the file cannot be read or has become shorter.
cj_status cj__input_read(const cj__input *input, uint64_t offset, void *to, size_t size);

#endif
