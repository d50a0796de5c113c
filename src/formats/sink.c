#include "formats/sink.h"

#include "base/memory.h"

#include <string.h>

cj_status cj__sink_begin(cj__sink *sink, size_t size)
{
    if (sink->path)
        return cj__output_open(&sink->output, sink->path);
    sink->bytes = cj__resize(NULL, size != 0 ? size : 1, 1);
    sink->size = size;
    return sink->bytes ? CJ_OK : CJ_OUT_OF_MEMORY;
}

void cj__sink_write(cj__sink *sink, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    if (sink->path)
        fwrite(bytes, 1, size, sink->output.stream);
    else
        memcpy(sink->bytes + sink->used, bytes, size);
    sink->used += size;
}

cj_status cj__sink_end(cj__sink *sink, cj_status status)
{
    if (sink->path && status == CJ_OK)
        return cj__output_commit(&sink->output);
    if (sink->path)
        cj__output_abandon(&sink->output);
    if (status != CJ_OK) {
        cj__free(sink->bytes);
        sink->bytes = NULL;
    }
    return status;
}
