// Lists of events, as text and as N-MNIST's bytes: what is read is four finite columns.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>
#include <cajal/events.h>
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *path)
{
    cj_tensor *events = NULL;
    cj_error_clear();
    if (cj_load_events(path, &events) != CJ_OK) {
        if (events || !*cj_error())
            abort();
        return;
    }
    const cj_shape *shape = cj_tensor_shape(events);
    if (shape->rank != 2 || shape->dims[0] < 1 || shape->dims[1] != 4)
        abort();
    const double *values = cj_tensor_data(events);
    for (int64_t i = 0; i < 4 * shape->dims[0]; i++)
        if (!isfinite(values[i]))
            abort();
    cj_release(events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    look(file_input(data, size));
    snprintf(path, sizeof path, "/tmp/cajal-fuzz-%ld.bin", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    look(path);
    unlink(path);
    return 0;
}
