#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "base/input.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A read() of more than this may be cut short by the system (Linux: 2 GiB less a page).
static const size_t read_max = (size_t)1 << 30;

cj_status cj__input_open(cj__input *input, const char *path)
{
    *input = (cj__input){.path = path};
    input->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (input->descriptor < 0)
        return cj__fail(errno == ENOENT ? CJ_NOT_FOUND : CJ_IO, "cannot read \"%s\": %s", path,
                        strerror(errno));
    struct stat facts;
    cj_status status = CJ_OK;
    if (fstat(input->descriptor, &facts) != 0)
        status = cj__fail(CJ_IO, "cannot read \"%s\": %s", path, strerror(errno));
    else if (!S_ISREG(facts.st_mode))
        status = cj__fail(CJ_IO, "cannot read \"%s\": it is not a regular file", path);
    if (status != CJ_OK) {
        cj__input_close(input);
        return status;
    }
    input->size = (uint64_t)facts.st_size;
    return CJ_OK;
}

cj__input cj__input_memory(const void *bytes, size_t size)
{
    return (cj__input){.bytes = bytes, .descriptor = -1, .size = size};
}

void cj__input_close(cj__input *input)
{
    if (input->path && input->descriptor >= 0)
        close(input->descriptor);
    *input = (cj__input){.descriptor = -1};
}

cj_status cj__input_read(const cj__input *input, uint64_t offset, void *to, size_t size)
{
    if (input->bytes) {
        if (size != 0)
            memcpy(to, input->bytes + offset, size);
        return CJ_OK;
    }
    for (size_t done = 0; done < size;) {
        const size_t left = size - done;
        const ssize_t got = pread(input->descriptor, (char *)to + done,
                                  left < read_max ? left : read_max, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return cj__fail(CJ_IO, "cannot read \"%s\": %s", input->path,
                            got < 0 ? strerror(errno) : "it became shorter while it was read");
        done += (size_t)got;
    }
    return CJ_OK;
}
