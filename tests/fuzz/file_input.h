// For functions that read from a path: the input as a file of the process's own.
#ifndef CJ_TESTS_FUZZ_FILE_INPUT_H
#define CJ_TESTS_FUZZ_FILE_INPUT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// The path of a file with these bytes; the next call writes the same file.
static const char *file_input(const uint8_t *data, size_t size)
{
    static char path[64];
    static FILE *file;
    if (!file) {
        char name[] = "/tmp/cajal-fuzz-XXXXXX";
        const int descriptor = mkstemp(name);
        file = descriptor < 0 ? NULL : fdopen(descriptor, "w+b");
        if (!file)
            abort();
        unlink(name); // it goes with the process, and is reached by its descriptor until then
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    rewind(file);
    if (ftruncate(fileno(file), 0) != 0 || fwrite(data, 1, size, file) != size || fflush(file) != 0)
        abort();
    return path;
}

#endif
