// Files of lines as tensors of texts.
#include "base/error.h"
#include "base/input.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <cajal/text.h>
#include <string.h>

// The length of the line at `at`, without its end; *next is where the next one begins.
static int64_t line_length(const char *at, const char *end, const char **next)
{
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *next = stop ? stop + 1 : end;
    stop = stop ? stop : end;
    return stop - at - (stop > at && *next > stop && stop[-1] == '\r');
}

static cj_status split(const char *bytes, size_t size, const char *path, cj_tensor **lines)
{
    const char *const end = bytes + size;
    int64_t count = 0;
    for (const char *at = bytes; at < end; count++)
        line_length(at, end, &at);
    if (count == 0)
        return cj__fail(CJ_BAD_FILE, "%s: the file has no line", path);
    const char **values = cj__new((size_t)count, sizeof *values);
    int64_t *lengths = cj__new((size_t)count, sizeof *lengths);
    cj_status status = values && lengths ? CJ_OK : CJ_OUT_OF_MEMORY;
    const char *at = bytes;
    for (int64_t i = 0; i < count && status == CJ_OK; i++) {
        values[i] = at;
        lengths[i] = line_length(at, end, &at);
    }
    if (status == CJ_OK)
        status =
            cj_tensor_from_texts(CJ_SHAPE(count, 1), (cj_texts){values, lengths, count}, lines);
    cj__free(values);
    cj__free(lengths);
    return status;
}

cj_status cj_load_lines(const char *path, cj_tensor **lines)
{
    cj__input input = {0};
    if (!path || !lines)
        return cj__fail_null(path ? "cj_load_lines: the place for the lines" :
                                    "cj_load_lines: the path");
    *lines = NULL;
    CJ_TRY(cj__input_open(&input, path));
    char *bytes = input.size < SIZE_MAX ? cj__new((size_t)input.size, 1) : NULL;
    cj_status status = bytes ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__input_read(&input, 0, bytes, (size_t)input.size);
    if (status == CJ_OK)
        status = split(bytes, (size_t)input.size, path, lines);
    cj__free(bytes);
    cj__input_close(&input);
    return status;
}
