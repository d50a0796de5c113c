// The header of a .npy file: a magic string, two bytes of version, the length of what follows, and a
// dictionary as Python writes it,
//
//     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
#include "data/npy.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum { MAGIC = 6, HEADER_MAX = 1 << 16, WORD_MAX = 64 };

// What is left of the dictionary.
typedef struct cursor {
    const char *path;
    const char *at, *end;
} cursor;

static cj_status bad(const cursor *c, const char *what)
{
    return cj__fail(CJ_BAD_FILE, "%s: not an array of NumPy: its header %s", c->path, what);
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

// A text in single or double quotes.
static bool take_text(cursor *c, char text[WORD_MAX])
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char quote = *c->at++;
    size_t length = 0;
    while (c->at < c->end && *c->at != quote && length + 1 < WORD_MAX)
        text[length++] = *c->at++;
    text[length] = '\0';
    return take(c, quote);
}

static bool take_word(cursor *c, const char *word)
{
    const size_t length = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

static bool take_length(cursor *c, int64_t *length)
{
    skip_blanks(c);
    const char *begin = c->at;
    *length = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(*length, 10, length) ||
            __builtin_add_overflow(*length, *c->at - '0', length))
            return false;
    const bool there = c->at > begin;
    if (c->at < c->end && *c->at == 'L') // as Python 2 wrote long integers
        c->at++;
    return there;
}

static cj_status read_shape(cursor *c, cj_shape *shape)
{
    if (!take(c, '('))
        return bad(c, "has no shape");
    *shape = (cj_shape){0};
    while (!take(c, ')')) {
        int64_t length;
        if (!take_length(c, &length))
            return bad(c, "has a shape that is none");
        if (shape->rank == CJ_MAX_RANK)
            return cj__fail(CJ_UNSUPPORTED, "%s: an array of more than %d axes", c->path,
                            CJ_MAX_RANK);
        shape->dims[shape->rank++] = length;
        if (!take(c, ',') && (c->at == c->end || *c->at != ')'))
            return bad(c, "has a shape that is none");
    }
    return CJ_OK;
}

static cj_status read_descr(cursor *c, cj__npy_dtype *dtype)
{
    char text[WORD_MAX];
    skip_blanks(c);
    if (c->at < c->end && *c->at == '[')
        return cj__fail(CJ_UNSUPPORTED, "%s: an array of records, it needs one of numbers or texts",
                        c->path);
    if (!take_text(c, text))
        return bad(c, "has no dtype");
    const char order = strchr("<>|=", text[0]) && text[0] ? text[0] : '=';
    cursor number = {c->path, text + (order == text[0]), text + strlen(text)};
    dtype->kind = number.at < number.end ? *number.at++ : '\0';
    int64_t size = 0;
    const bool sized = take_length(&number, &size) && number.at == number.end && size < 1 << 30;
    dtype->size = (size_t)size * (dtype->kind == 'U' ? 4 : 1);
    dtype->swapped = dtype->size > 1 && dtype->kind != 'S' && (order == '<' || order == '>') &&
                     order != CJ__NPY_ORDER;
    const bool read = (dtype->kind == 'b' && size == 1) ||
                      (dtype->kind && strchr("iu", dtype->kind) &&
                       (size == 1 || size == 2 || size == 4 || size == 8)) ||
                      (dtype->kind == 'f' && (size == 2 || size == 4 || size == 8)) ||
                      ((dtype->kind == 'U' || dtype->kind == 'S') && size > 0);
    if (sized && read)
        return CJ_OK;
    if (dtype->kind && strchr("?bBiufcmMOSUVa", dtype->kind))
        return cj__fail(
            CJ_UNSUPPORTED,
            "%s: an array of dtype \"%s\"; numbers of up to 64 bits, bool and texts are "
            "read",
            c->path, text);
    return bad(c, "has a dtype that is none");
}

static cj_status read_dictionary(cursor *c, cj__npy_header *header)
{
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    int seen = 0;
    if (!take(c, '{'))
        return bad(c, "is no dictionary");
    while (!take(c, '}')) {
        char key[WORD_MAX];
        if (!take_text(c, key) || !take(c, ':'))
            return bad(c, "is no dictionary");
        if (strcmp(key, "descr") == 0) {
            seen |= DESCR;
            CJ_TRY(read_descr(c, &header->dtype));
        } else if (strcmp(key, "fortran_order") == 0) {
            seen |= ORDER;
            header->fortran_order = take_word(c, "True");
            if (!header->fortran_order && !take_word(c, "False"))
                return bad(c, "has a fortran_order that is neither True nor False");
        } else if (strcmp(key, "shape") == 0) {
            seen |= SHAPE;
            CJ_TRY(read_shape(c, &header->shape));
        } else {
            return bad(c, "has a key that is none");
        }
        if (!take(c, ',') && (skip_blanks(c), c->at == c->end || *c->at != '}'))
            return bad(c, "is no dictionary");
    }
    return seen == (DESCR | ORDER | SHAPE) ? CJ_OK : bad(c, "lacks a key");
}

// Whether all elements are in the file.
static cj_status check_size(const cj__input *input, const char *path, const cj__npy_header *h)
{
    char text[CJ_MAX_RANK * 24];
    const int64_t count = cj_shape_count(&h->shape);
    uint64_t needed;
    if (count < 0 || count > INT64_MAX / 16 ||
        __builtin_mul_overflow((uint64_t)count, (uint64_t)h->dtype.size, &needed) ||
        needed > input->size - h->begin)
        return cj__fail(CJ_BAD_FILE,
                        "%s: its shape %s of %zu bytes an element is more than the %llu bytes that "
                        "it has",
                        path, cj_shape_text(&h->shape, text, sizeof text), h->dtype.size,
                        (unsigned long long)(input->size - h->begin));
    return CJ_OK;
}

cj_status cj__npy_header_read(const cj__input *input, const char *path, cj__npy_header *header)
{
    unsigned char head[12] = {0};
    const size_t there = input->size < sizeof head ? (size_t)input->size : sizeof head;
    CJ_TRY(cj__input_read(input, 0, head, there));
    if (there < sizeof head || memcmp(head, "\x93NUMPY", MAGIC) != 0)
        return cj__fail(CJ_BAD_FILE, "%s: not an array of NumPy (.npy)", path);
    if (head[6] < 1 || head[6] > 3)
        return cj__fail(CJ_UNSUPPORTED, "%s: an array file of version %d, 1 to 3 are read", path,
                        head[6]);
    const uint32_t length = head[8] | (uint32_t)head[9] << 8 |
                            (head[6] > 1 ? (uint32_t)head[10] << 16 | (uint32_t)head[11] << 24 : 0);
    const uint64_t begin = head[6] > 1 ? 12 : 10;
    if (length > HEADER_MAX || length > input->size - begin)
        return cj__fail(CJ_BAD_FILE, "%s: its header of %lu bytes is longer than a header can be",
                        path, (unsigned long)length);
    char *bytes = cj__new((size_t)length + 1, 1);
    if (!bytes)
        return CJ_OUT_OF_MEMORY;
    cj_status status = cj__input_read(input, begin, bytes, length);
    cursor c = {path, bytes, bytes + length};
    *header = (cj__npy_header){.begin = begin + length};
    if (status == CJ_OK)
        status = read_dictionary(&c, header);
    cj__free(bytes);
    return status == CJ_OK ? check_size(input, path, header) : status;
}
