// Plain and gzip files through zlib's inflate, with the library's own allocator. See packed.h.
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "data/packed.h"
#include <string.h>
#include <zlib.h>

enum { BUFFER = 1 << 16, GZIP = 16, PART_MAX = 1 << 30 };

typedef struct reading {
    FILE *file;
    bool ended; // gzip: the last member has ended
    z_stream z; // gzip: its input lies in `input`
    unsigned char input[BUFFER];
} reading;

static void *allocate(void *unused, unsigned count, unsigned size)
{
    (void)unused;
    return cj__new(count, size);
}

static void release(void *unused, void *block)
{
    (void)unused;
    cj__free(block);
}

static bool begins_as_gzip(FILE *file)
{
    unsigned char head[2];
    const bool is_gzip = fread(head, 1, 2, file) == 2 && head[0] == 0x1f && head[1] == 0x8b;
    rewind(file);
    return is_gzip;
}

cj_status cj__packed_open(const char *path, cj__packed *file)
{
    *file = (cj__packed){.path = path};
    reading *r = cj__new(1, sizeof *r);
    if (!r)
        return CJ_OUT_OF_MEMORY;
    uint64_t size;
    cj_status status = cj__file_open(path, &r->file, &size);
    if (status == CJ_OK) {
        file->stream = r;
        file->size = (int64_t)size;
        file->is_packed = begins_as_gzip(r->file);
        r->z.zalloc = allocate;
        r->z.zfree = release;
        if (!file->is_packed || inflateInit2(&r->z, GZIP + MAX_WBITS) == Z_OK)
            return CJ_OK;
        fclose(r->file);
        status = cj__fail_memory(sizeof(z_stream), "zlib");
    }
    cj__free(r);
    return status;
}

// Reads on in the file if zlib has used all of its input. False at the end of the file.
static bool fill_input(reading *r)
{
    if (r->z.avail_in == 0) {
        r->z.next_in = r->input;
        r->z.avail_in = (unsigned)fread(r->input, 1, BUFFER, r->file);
    }
    return r->z.avail_in > 0;
}

// A gzip file is a row of members. What follows the last one is passed over, as gzip does.
static void begin_next_member(reading *r)
{
    if (!fill_input(r) || r->z.next_in[0] != 0x1f || inflateReset(&r->z) != Z_OK)
        r->ended = true;
}

// Unpacks up to `size` bytes, fewer at the end of the data.
static cj_status unpack(cj__packed *file, reading *r, unsigned char *to, unsigned size, size_t *got)
{
    r->z.next_out = to;
    r->z.avail_out = size;
    while (r->z.avail_out > 0 && !r->ended && fill_input(r)) {
        const int code = inflate(&r->z, Z_NO_FLUSH);
        if (code == Z_STREAM_END)
            begin_next_member(r);
        else if (code == Z_MEM_ERROR)
            return cj__fail_memory(1 << MAX_WBITS, "zlib");
        else if (code != Z_OK)
            return cj__fail(CJ_BAD_FILE, "%s: damaged gzip data (%s)", file->path,
                            r->z.msg ? r->z.msg : "zlib gives no reason");
    }
    *got = size - r->z.avail_out;
    return CJ_OK;
}

// Reads up to `size` bytes, fewer at the end of the file.
static cj_status read_some(cj__packed *file, unsigned char *to, size_t size, size_t *got)
{
    reading *r = file->stream;
    if (file->is_packed)
        CJ_TRY(unpack(file, r, to, (unsigned)size, got));
    else
        *got = fread(to, 1, size, r->file);
    return ferror(r->file) ? cj__fail(CJ_IO, "%s: reading failed", file->path) : CJ_OK;
}

cj_status cj__packed_some(cj__packed *file, void *to, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        const size_t left = size - *got, part = left < PART_MAX ? left : PART_MAX;
        size_t some;
        CJ_TRY(read_some(file, (unsigned char *)to + *got, part, &some));
        *got += some;
        if (some == part)
            continue;
        if (file->is_packed && !((reading *)file->stream)->ended)
            return cj__fail(CJ_BAD_FILE, "%s: truncated gzip data", file->path);
        break;
    }
    return CJ_OK;
}

cj_status cj__packed_read(cj__packed *file, void *to, size_t size, const char *what)
{
    for (unsigned char *at = to; size > 0;) {
        const size_t part = size < PART_MAX ? size : PART_MAX;
        size_t got;
        CJ_TRY(read_some(file, at, part, &got));
        if (got != part)
            return cj__fail(CJ_BAD_FILE, "%s: the file ends inside %s", file->path, what);
        at += part;
        size -= part;
    }
    return CJ_OK;
}

// Reading past the last byte also makes zlib check the sum at the end.
cj_status cj__packed_end(cj__packed *file)
{
    unsigned char byte;
    size_t got;
    CJ_TRY(read_some(file, &byte, 1, &got));
    if (got > 0)
        return cj__fail(CJ_BAD_FILE, "%s: there are bytes after the last element", file->path);
    if (file->is_packed && !((reading *)file->stream)->ended)
        return cj__fail(CJ_BAD_FILE, "%s: truncated gzip data", file->path);
    return CJ_OK;
}

void cj__packed_close(cj__packed *file)
{
    reading *r = file->stream;
    if (file->is_packed)
        inflateEnd(&r->z);
    fclose(r->file);
    cj__free(r);
}

// All of a piece, at most a gigabyte at a time: Z_STREAM_END if it is as long as it should be.
static int inflate_all(z_stream *z, const unsigned char *from, size_t size, unsigned char *to,
                       size_t room)
{
    int code = Z_OK;
    z->next_in = (unsigned char *)(uintptr_t)from;
    z->next_out = to;
    while (code == Z_OK) {
        const size_t left_in = size - (size_t)(z->next_in - from),
                     left_out = room - (size_t)(z->next_out - to);
        z->avail_in = (unsigned)(left_in < PART_MAX ? left_in : PART_MAX);
        z->avail_out = (unsigned)(left_out < PART_MAX ? left_out : PART_MAX);
        code = inflate(z, Z_NO_FLUSH);
    }
    const bool whole = (size_t)(z->next_in - from) == size && (size_t)(z->next_out - to) == room;
    return code == Z_STREAM_END && !whole ? Z_DATA_ERROR : code;
}

static uint32_t sum_of(const unsigned char *bytes, size_t size)
{
    uLong sum = crc32(0, NULL, 0);
    for (size_t at = 0; at < size; at += PART_MAX)
        sum = crc32(sum, bytes + at, (unsigned)(size - at < PART_MAX ? size - at : PART_MAX));
    return (uint32_t)sum;
}

cj_status cj__unpack(const char *path, const void *bytes, size_t size, bool deflated, void *to,
                     size_t room, uint32_t sum)
{
    bool whole = deflated || size == room;
    if (!deflated && whole) {
        memcpy(to, bytes, size);
    } else if (deflated) {
        z_stream z = {.zalloc = allocate, .zfree = release};
        if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
            return cj__fail_memory(sizeof z, "zlib");
        const int code = inflate_all(&z, bytes, size, to, room);
        inflateEnd(&z);
        if (code == Z_MEM_ERROR)
            return cj__fail_memory(sizeof z, "zlib");
        whole = code == Z_STREAM_END;
    }
    if (!whole || sum_of(to, room) != sum)
        return cj__fail(CJ_BAD_FILE, "%s: its packed bytes are damaged", path);
    return CJ_OK;
}
