#if defined(__linux__)
#define _DEFAULT_SOURCE // MAP_NORESERVE
#endif
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "base/mapping.h"

#include "base/error.h"
#include "base/input.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

// Without this Linux refuses to map privately what is larger than its memory.
#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif

cj_status cj__mapping_open(const char *path, cj__mapping *mapping)
{
    cj__input input;
    *mapping = (cj__mapping){0};
    CJ_TRY(cj__input_open(&input, path));
    cj_status status = CJ_OK;
    if (input.size == 0)
        status = cj__fail(CJ_BAD_FILE, "%s: the file is empty", path);
    else if (input.size > SIZE_MAX / 2)
        status = cj__fail(CJ_UNSUPPORTED, "%s: the file is larger than this machine can map", path);
    if (status == CJ_OK) {
        void *bytes = mmap(NULL, (size_t)input.size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_NORESERVE, input.descriptor, 0);
        if (bytes == MAP_FAILED)
            status = cj__fail(errno == ENOMEM ? CJ_OUT_OF_MEMORY : CJ_IO, "cannot map \"%s\": %s",
                              path, strerror(errno));
        else
            *mapping = (cj__mapping){bytes, (size_t)input.size};
    }
    cj__input_close(&input);
    return status;
}

void cj__mapping_close(cj__mapping *mapping)
{
    if (mapping->bytes)
        munmap(mapping->bytes, mapping->size);
    *mapping = (cj__mapping){0};
}

void *cj__mapping_keep(cj__mapping *mapping)
{
    cj__mapping *kept = cj__new(1, sizeof *kept);
    if (!kept)
        return NULL;
    *kept = *mapping;
    *mapping = (cj__mapping){0};
    return kept;
}

void cj__mapping_release(void *kept)
{
    cj__mapping_close(kept);
    cj__free(kept);
}
