// A regular file that is read from its beginning to its end, plain or gzip, told apart by content.
// gzip.c reads both through zlib; absent_gzip.c, for builds without zlib, reads plain files and
// refuses the others.
#ifndef CJ_DATA_PACKED_H
#define CJ_DATA_PACKED_H

#include <cajal/base.h>

typedef struct cj__packed {
    const char *path; // for sentences
    int64_t size;     // on disk
    bool is_packed;
    void *stream;
} cj__packed;

// Opens a file. CJ_NOT_FOUND, CJ_IO (also for what is no regular file), CJ_OUT_OF_MEMORY, and
// CJ_UNSUPPORTED for gzip without zlib. On failure there is nothing to close.
cj_status cj__packed_open(const char *path, cj__packed *file);

// Reads exactly `size` bytes. CJ_IO, CJ_OUT_OF_MEMORY, or CJ_BAD_FILE: damaged, or it ends inside
// `what`.
cj_status cj__packed_read(cj__packed *file, void *to, size_t size, const char *what);

// Reads up to `size` bytes; fewer at the end of the data, where the sum of gzip data is checked. CJ_IO,
// CJ_OUT_OF_MEMORY, CJ_BAD_FILE.
cj_status cj__packed_some(cj__packed *file, void *to, size_t size, size_t *got);

// Checks that nothing follows, and the sum at the end of gzip data. CJ_BAD_FILE, CJ_IO.
cj_status cj__packed_end(cj__packed *file);

void cj__packed_close(cj__packed *file);

// Unpacks a piece of an archive: `size` bytes that are stored as they are or, with `deflated`, by
// deflate, into exactly `room` bytes whose CRC-32 is `sum`. `path` begins sentences. CJ_BAD_FILE,
// CJ_OUT_OF_MEMORY, CJ_UNSUPPORTED without zlib.
cj_status cj__unpack(const char *path, const void *bytes, size_t size, bool deflated, void *to,
                     size_t room, uint32_t sum);

#endif
