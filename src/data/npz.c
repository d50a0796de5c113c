// Arrays in .npz files: ZIP archives (PKWARE's APPNOTE 6.3.10, with ZIP64) of .npy files. The
// directory at the end of the archive says where each array is; what it claims is checked against
// the file before anything is allocated.
#include "base/error.h"
#include "base/input.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/npy.h"
#include "data/packed.h"
#include <cajal/texts.h>
#include <string.h>

enum {
    END_SIZE = 22,
    END_TAIL = END_SIZE + 65535, // with the longest comment
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    DIRECTORY_MAX = 1 << 26,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1,
    DEFLATE_RATIO = 1032
};

static uint32_t little(const unsigned char *p, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static uint64_t little64(const unsigned char *p)
{
    return little(p, 4) | (uint64_t)little(p + 4, 4) << 32;
}

typedef struct archive {
    const char *path;
    cj__input input;
    unsigned char *directory; // owned
    size_t size, at;          // of the directory, and the next entry
} archive;

typedef struct entry {
    const char *name; // not terminated; without ".npy"
    size_t length;
    unsigned method, flags;
    uint32_t sum;
    uint64_t packed, size, header; // bytes, and where its own header is
} entry;

static cj_status bad(const archive *a)
{
    return cj__fail(CJ_BAD_FILE, "%s: not a whole archive of arrays (.npz)", a->path);
}

// Where the directory is, by the record at the end of the file.
static cj_status find_directory(archive *a, uint64_t *begin, uint64_t *size)
{
    const size_t tail = a->input.size < END_TAIL ? (size_t)a->input.size : END_TAIL;
    unsigned char *bytes = cj__new(tail + 1, 1);
    if (!bytes)
        return CJ_OUT_OF_MEMORY;
    cj_status status = cj__input_read(&a->input, a->input.size - tail, bytes, tail);
    const unsigned char *found = NULL;
    for (size_t i = tail < END_SIZE ? 0 : tail - END_SIZE + 1; status == CJ_OK && i-- > 0;)
        if (memcmp(bytes + i, "PK\5\6", 4) == 0) {
            found = bytes + i;
            break;
        }
    unsigned char end64[END64_SIZE];
    if (status == CJ_OK && !found)
        status = bad(a);
    if (status == CJ_OK) {
        *size = little(found + 12, 4);
        *begin = little(found + 16, 4);
        const uint64_t place = a->input.size - tail + (uint64_t)(found - bytes);
        if (found - bytes >= LOCATOR_SIZE &&
            memcmp(found - LOCATOR_SIZE, "PK\6\7", 4) == 0) { // ZIP64: a larger record before it
            const uint64_t at = little64(found - LOCATOR_SIZE + 8);
            if (place < END64_SIZE || at > place - END64_SIZE)
                status = bad(a);
            else
                status = cj__input_read(&a->input, at, end64, END64_SIZE);
            if (status == CJ_OK && memcmp(end64, "PK\6\6", 4) != 0)
                status = bad(a);
            if (status == CJ_OK) {
                *size = little64(end64 + 40);
                *begin = little64(end64 + 48);
            }
        }
    }
    cj__free(bytes);
    if (status == CJ_OK && (*begin > a->input.size || *size > a->input.size - *begin))
        status = bad(a);
    return status;
}

static void close_archive(archive *a)
{
    cj__free(a->directory);
    cj__input_close(&a->input);
}

static cj_status open_archive(const char *path, archive *a)
{
    uint64_t begin = 0, size = 0;
    *a = (archive){.path = path};
    CJ_TRY(cj__input_open(&a->input, path));
    cj_status status = find_directory(a, &begin, &size);
    if (status == CJ_OK && size > DIRECTORY_MAX)
        status = cj__fail(CJ_UNSUPPORTED, "%s: an archive with a directory of %llu bytes", path,
                          (unsigned long long)size);
    if (status == CJ_OK && !(a->directory = cj__new((size_t)size + 1, 1)))
        status = CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        a->size = (size_t)size;
        status = cj__input_read(&a->input, begin, a->directory, a->size);
    }
    if (status != CJ_OK)
        close_archive(a);
    return status;
}

// Sizes and places that do not fit into 32 bits are in an extra field, those that do are not.
static bool read_extra(const unsigned char *extra, size_t size, entry *e)
{
    uint64_t *const values[] = {&e->size, &e->packed, &e->header};
    for (size_t at = 0; at + 4 <= size;) {
        const size_t length = little(extra + at + 2, 2);
        if (length > size - at - 4)
            return false;
        if (little(extra + at, 2) == 1) {
            size_t used = 0;
            for (int i = 0; i < 3; i++)
                if (*values[i] == UINT32_MAX) {
                    if (length - used < 8)
                        return false;
                    *values[i] = little64(extra + at + 4 + used);
                    used += 8;
                }
            return true;
        }
        at += 4 + length;
    }
    return true;
}

static cj_status next_entry(archive *a, entry *e, bool *more)
{
    *more = a->at < a->size;
    if (!*more)
        return CJ_OK;
    const unsigned char *p = a->directory + a->at;
    const size_t left = a->size - a->at;
    if (left < ENTRY_SIZE || memcmp(p, "PK\1\2", 4) != 0)
        return bad(a);
    const size_t name = little(p + 28, 2), extra = little(p + 30, 2), comment = little(p + 32, 2);
    if (name + extra + comment > left - ENTRY_SIZE)
        return bad(a);
    *e = (entry){.name = (const char *)p + ENTRY_SIZE,
                 .length = name,
                 .flags = little(p + 8, 2),
                 .method = little(p + 10, 2),
                 .sum = little(p + 16, 4),
                 .packed = little(p + 20, 4),
                 .size = little(p + 24, 4),
                 .header = little(p + 42, 4)};
    if (!read_extra(p + ENTRY_SIZE + name, extra, e))
        return bad(a);
    if (e->length >= 4 && memcmp(e->name + e->length - 4, ".npy", 4) == 0)
        e->length -= 4;
    a->at += ENTRY_SIZE + name + extra + comment;
    return CJ_OK;
}

// The bytes of an entry, unpacked, in a new block.
static cj_status unpack(const archive *a, const entry *e, unsigned char **bytes)
{
    unsigned char local[LOCAL_SIZE], *packed = NULL;
    *bytes = NULL;
    if (e->flags & ENCRYPTED || (e->method != STORED && e->method != DEFLATED))
        return cj__fail(CJ_UNSUPPORTED, "%s: the array \"%.*s\" is %s", a->path, (int)e->length,
                        e->name, e->flags & ENCRYPTED ? "encrypted" : "packed in an unknown way");
    if (e->header > a->input.size || a->input.size - e->header < LOCAL_SIZE)
        return bad(a);
    CJ_TRY(cj__input_read(&a->input, e->header, local, LOCAL_SIZE));
    const uint64_t skipped = LOCAL_SIZE + little(local + 26, 2) + little(local + 28, 2);
    if (memcmp(local, "PK\3\4", 4) != 0 || skipped > a->input.size - e->header ||
        e->packed > a->input.size - e->header - skipped || e->size / DEFLATE_RATIO > e->packed)
        return bad(a);
    packed = cj__new((size_t)e->packed + 1, 1);
    *bytes = cj__new((size_t)e->size + 1, 1);
    cj_status status = packed && *bytes ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__input_read(&a->input, e->header + skipped, packed, (size_t)e->packed);
    if (status == CJ_OK)
        status = cj__unpack(a->path, packed, (size_t)e->packed, e->method == DEFLATED, *bytes,
                            (size_t)e->size, e->sum);
    cj__free(packed);
    return status;
}

static cj_status read_entry(const archive *a, const entry *e, cj_tensor **tensor)
{
    unsigned char *bytes;
    cj__npy_header header;
    cj_status status = unpack(a, e, &bytes);
    const cj__input memory = cj__input_memory(bytes, (size_t)e->size);
    if (status == CJ_OK)
        status = cj__npy_header_read(&memory, a->path, &header);
    if (status == CJ_OK)
        status = cj__npy_read(&memory, a->path, &header, tensor);
    cj__free(bytes);
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "array \"%.*s\"", (int)e->length, e->name);
}

cj_status cj_load_npz(const char *path, const char *name, cj_tensor **tensor)
{
    archive a;
    entry e;
    bool more = true, found = false;
    cj__text known = {0};
    if (!path || !name || !tensor)
        return cj__fail_null(!path ? "cj_load_npz: the file's name" :
                             !name ? "cj_load_npz: the name of the array" :
                                     "cj_load_npz: the place for the tensor");
    *tensor = NULL;
    CJ_TRY(open_archive(path, &a));
    cj_status status = CJ_OK;
    while (status == CJ_OK && more && !found) {
        status = next_entry(&a, &e, &more);
        if (status != CJ_OK || !more)
            break;
        found = e.length == strlen(name) && memcmp(e.name, name, e.length) == 0;
        cj__text_add(&known, "%s\"%.*s\"", known.length ? ", " : "", (int)e.length, e.name);
    }
    if (status == CJ_OK && found)
        status = read_entry(&a, &e, tensor);
    else if (status == CJ_OK)
        status = cj__fail(CJ_NOT_FOUND, "%s: there is no array \"%s\" in it; it has %s", path, name,
                          known.data ? known.data : "none");
    cj__text_free(&known);
    close_archive(&a);
    return status;
}

cj_status cj_npz_names(const char *path, cj_tensor **names)
{
    archive a;
    entry e;
    bool more = true;
    const char **values = NULL;
    int64_t *lengths = NULL, count = 0;
    if (!path || !names)
        return cj__fail_null(path ? "cj_npz_names: the place for the names" :
                                    "cj_npz_names: the file's name");
    *names = NULL;
    CJ_TRY(open_archive(path, &a));
    const size_t most = a.size / ENTRY_SIZE + 1;
    values = cj__new(most, sizeof *values);
    lengths = cj__new(most, sizeof *lengths);
    cj_status status = values && lengths ? CJ_OK : CJ_OUT_OF_MEMORY;
    while (status == CJ_OK && more) {
        status = next_entry(&a, &e, &more);
        if (status == CJ_OK && more) {
            values[count] = e.name;
            lengths[count++] = (int64_t)e.length;
        }
    }
    if (status == CJ_OK)
        status = cj_tensor_from_texts(CJ_SHAPE(count), (cj_texts){values, lengths, count}, names);
    cj__free(values);
    cj__free(lengths);
    close_archive(&a);
    return status;
}
