// Plain and gzip files through zlib. See packed.h.
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "data/packed.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER = 1 << 16, READ_MAX = 1 << 30 };

cj_status cj__packed_open(const char *path, cj__packed *file)
{
    *file = (cj__packed){.path = path};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cj__fail(errno == ENOENT || errno == ENOTDIR ? CJ_NOT_FOUND : CJ_IO, "%s: %s", path,
                        strerror(errno));
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return cj__fail(CJ_IO, "%s: not a regular file", path);
    }
    file->size = info.st_size;
    gzFile stream = gzdopen(fd, "rb");
    if (!stream) {
        close(fd);
        return cj__fail_memory(sizeof(z_stream), "zlib");
    }
    gzbuffer(stream, BUFFER);
    file->is_packed = !gzdirect(stream);
    file->stream = stream;
    return CJ_OK;
}

// What zlib says went wrong, with `ended` for a file that is too short.
static cj_status fail(const cj__packed *file, const char *ended)
{
    int code = Z_OK;
    const char *reason = gzerror(file->stream, &code);
    if (code == Z_ERRNO)
        return cj__fail(CJ_IO, "%s: reading failed", file->path);
    if (code == Z_MEM_ERROR)
        return cj__fail_memory(BUFFER, "zlib");
    if (code == Z_DATA_ERROR)
        return cj__fail(CJ_BAD_FILE, "%s: damaged gzip data (%s)", file->path, reason);
    return cj__fail(CJ_BAD_FILE, "%s: the file ends inside %s", file->path, ended);
}

cj_status cj__packed_read(cj__packed *file, void *to, size_t size, const char *what)
{
    for (char *at = to; size > 0;) {
        const unsigned part = size < READ_MAX ? (unsigned)size : READ_MAX;
        if (gzread(file->stream, at, part) != (int)part)
            return fail(file, what);
        at += part;
        size -= part;
    }
    return CJ_OK;
}

// Reading past the last byte also makes zlib check the sum at the end.
cj_status cj__packed_end(cj__packed *file)
{
    char byte;
    int code = Z_OK;
    if (gzread(file->stream, &byte, 1) > 0)
        return cj__fail(CJ_BAD_FILE, "%s: there are bytes after the last element", file->path);
    gzerror(file->stream, &code);
    if (code == Z_BUF_ERROR)
        return cj__fail(CJ_BAD_FILE, "%s: truncated gzip data", file->path);
    return code == Z_OK || code == Z_STREAM_END ? CJ_OK : fail(file, "its check sum");
}

void cj__packed_close(cj__packed *file)
{
    gzclose(file->stream);
}
