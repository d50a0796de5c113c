// Files mapped into memory, read as they are used.
#ifndef CJ_BASE_MAPPING_H
#define CJ_BASE_MAPPING_H

#include <cajal/base.h>

typedef struct cj__mapping {
    char *bytes; // what is written to them stays in this process
    size_t size;
} cj__mapping;

// Maps a whole regular file. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE for an empty one, CJ_OUT_OF_MEMORY,
// CJ_UNSUPPORTED for one larger than the machine can address.
cj_status cj__mapping_open(const char *path, cj__mapping *mapping);
void cj__mapping_close(cj__mapping *mapping); // fine on {0}

// For what outlives the caller: moves the mapping into a block that cj__mapping_release() closes
// and frees. NULL without memory; then the mapping is as it was.
void *cj__mapping_keep(cj__mapping *mapping);
void cj__mapping_release(void *kept);

#endif
