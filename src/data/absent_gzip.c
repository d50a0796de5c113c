// A build without zlib: plain files are read, gzip is recognised and refused. See packed.h.
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "data/packed.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static cj_status check(cj__packed *file, int fd)
{
    struct stat info;
    unsigned char head[2] = {0};
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return cj__fail(CJ_IO, "%s: not a regular file", file->path);
    file->size = info.st_size;
    if (pread(fd, head, 2, 0) == 2 && head[0] == 0x1f && head[1] == 0x8b)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: this build of the library has no gzip (CAJAL_IMAGES was off)",
                        file->path);
    file->stream = fdopen(fd, "rb");
    return file->stream ? CJ_OK : cj__fail_memory(BUFSIZ, file->path);
}

cj_status cj__packed_open(const char *path, cj__packed *file)
{
    *file = (cj__packed){.path = path};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cj__fail(errno == ENOENT || errno == ENOTDIR ? CJ_NOT_FOUND : CJ_IO, "%s: %s", path,
                        strerror(errno));
    const cj_status status = check(file, fd);
    if (status != CJ_OK)
        close(fd);
    return status;
}

cj_status cj__packed_read(cj__packed *file, void *to, size_t size, const char *what)
{
    if (fread(to, 1, size, file->stream) == size)
        return CJ_OK;
    if (ferror((FILE *)file->stream))
        return cj__fail(CJ_IO, "%s: reading failed", file->path);
    return cj__fail(CJ_BAD_FILE, "%s: the file ends inside %s", file->path, what);
}

cj_status cj__packed_end(cj__packed *file)
{
    if (fgetc(file->stream) == EOF)
        return CJ_OK;
    return cj__fail(CJ_BAD_FILE, "%s: there are bytes after the last element", file->path);
}

void cj__packed_close(cj__packed *file)
{
    fclose(file->stream);
}
