// A build without zlib: plain files are read, gzip is recognised and refused. See packed.h.
#include "base/error.h"
#include "base/system.h"
#include "data/packed.h"

cj_status cj__packed_open(const char *path, cj__packed *file)
{
    *file = (cj__packed){.path = path};
    FILE *stream;
    uint64_t size;
    unsigned char head[2];
    CJ_TRY(cj__file_open(path, &stream, &size));
    if (fread(head, 1, 2, stream) == 2 && head[0] == 0x1f && head[1] == 0x8b) {
        fclose(stream);
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: this build of the library has no gzip (CAJAL_IMAGES was off)", path);
    }
    rewind(stream);
    file->size = (int64_t)size;
    file->stream = stream;
    return CJ_OK;
}

cj_status cj__packed_some(cj__packed *file, void *to, size_t size, size_t *got)
{
    *got = fread(to, 1, size, file->stream);
    return ferror((FILE *)file->stream) ? cj__fail(CJ_IO, "%s: reading failed", file->path) : CJ_OK;
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

cj_status cj__unpack(const char *path, const void *bytes, size_t size, bool deflated, void *to,
                     size_t room, uint32_t sum)
{
    (void)bytes, (void)size, (void)deflated, (void)to, (void)room, (void)sum;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: this build of the library reads no archives (CAJAL_IMAGES "
                    "was off)",
                    path);
}
