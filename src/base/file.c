// Whole files: see file.h.
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

cj_status cj__output_open(cj__output *output, const char *path)
{
    *output = (cj__output){0};
    static const char suffix[] = ".XXXXXX";
    size_t length = strlen(path);
    output->path = cj__copy_text(path);
    output->temporary = cj__new(length + sizeof(suffix), 1);
    if (!output->path || !output->temporary) {
        cj__output_abandon(output);
        return CJ_OUT_OF_MEMORY;
    }
    memcpy(output->temporary, path, length);
    memcpy(output->temporary + length, suffix, sizeof(suffix));
    int descriptor = mkstemp(output->temporary);
    if (descriptor < 0) {
        cj_status status = cj__fail(CJ_IO, "cannot write \"%s\": %s", path, strerror(errno));
        output->temporary[0] = '\0';
        cj__output_abandon(output);
        return status;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask); // mkstemp's 0600 would surprise whoever shares the folder
    output->stream = fdopen(descriptor, "wb");
    if (!output->stream) {
        close(descriptor);
        cj__output_abandon(output);
        return cj__fail(CJ_IO, "cannot write \"%s\": %s", path, strerror(errno));
    }
    return CJ_OK;
}

// Makes the new name in the folder durable; a file system that cannot is no reason to fail.
static void sync_folder(char *path)
{
    int folder = open(dirname(path), O_RDONLY | O_DIRECTORY);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

cj_status cj__output_commit(cj__output *output)
{
    errno = 0;
    bool written = !ferror(output->stream) && fflush(output->stream) == 0 &&
                   fsync(fileno(output->stream)) == 0;
    int cause = errno;
    written = fclose(output->stream) == 0 && written;
    output->stream = NULL;
    if (written && rename(output->temporary, output->path) == 0) {
        output->temporary[0] = '\0';
        sync_folder(output->path);
        cj__output_abandon(output);
        return CJ_OK;
    }
    cause = cause != 0 ? cause : errno;
    cj_status status = cj__fail(CJ_IO, "cannot write \"%s\": %s", output->path,
                                cause != 0 ? strerror(cause) : "writing stopped short");
    cj__output_abandon(output);
    return status;
}

void cj__output_abandon(cj__output *output)
{
    if (output->stream)
        fclose(output->stream);
    if (output->temporary && output->temporary[0] != '\0')
        unlink(output->temporary);
    cj__free(output->temporary);
    cj__free(output->path);
    *output = (cj__output){0};
}

cj_status cj__file_read(const char *path, size_t most, char **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    FILE *file;
    uint64_t file_size;
    CJ_TRY(cj__file_open(path, &file, &file_size));
    cj_status status = CJ_OK;
    if (file_size > most)
        status = cj__fail(CJ_UNSUPPORTED, "\"%s\": %ju bytes are more than the %zu that are read",
                          path, (uintmax_t)file_size, most);
    if (status == CJ_OK) {
        *size = (size_t)file_size;
        *bytes = cj__resize(NULL, *size + 1, 1);
        if (!*bytes)
            status = CJ_OUT_OF_MEMORY;
        else if (fread(*bytes, 1, *size, file) != *size)
            status =
                cj__fail(CJ_IO, "cannot read \"%s\": it became shorter while it was read", path);
    }
    fclose(file);
    if (status == CJ_OK) {
        (*bytes)[*size] = '\0';
        return CJ_OK;
    }
    cj__free(*bytes);
    *bytes = NULL;
    return status;
}
