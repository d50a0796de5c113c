// Services of the operating system other than threads (sync.h), CPUs (cpu.h) and whole files
// (file.h): time, terminals and paths. No file outside base includes <unistd.h>,
// <sys/stat.h> or another header that ISO C does not have.
#ifndef CJ_BASE_SYSTEM_H
#define CJ_BASE_SYSTEM_H

#include <cajal/base.h>
#include <stdio.h>

// Nanoseconds of a monotonic clock; its zero is arbitrary.
int64_t cj__clock(void);

// What this process has had of the processors; zeros where the system does not say.
typedef struct cj__processor_use {
    double seconds;        // of all its threads
    int64_t interruptions; // how often a processor was taken from one of them for other work
} cj__processor_use;

cj__processor_use cj__get_processor_use(void);

// Whether a stream writes to a terminal; false for NULL.
bool cj__is_terminal(FILE *stream);

// What a stream's terminal can do; nothing, and 0 columns, if it is none. `redraws` is false for
// TERM=dumb, `colours` also where NO_COLOR is set (no-color.org), `utf8` where the locale of the
// environment (LC_ALL, LC_CTYPE, LANG) is another.
typedef struct cj__terminal {
    bool redraws, colours, utf8;
    int columns;
} cj__terminal;
cj__terminal cj__terminal_of(FILE *stream);

// The width of a stream's terminal in columns; 0 if it is no terminal or does not say.
int cj__terminal_columns(FILE *stream);

// Whether `path` names something that this process may read.
bool cj__path_readable(const char *path);

// Whether `path` names a folder.
bool cj__path_is_folder(const char *path);

// Makes the folder `path` and those above it that are missing; one that exists is fine. CJ_IO,
// CJ_OUT_OF_MEMORY.
cj_status cj__folder_make(const char *path);

// Opens a regular file to read and tells its size. A FIFO, a device or a folder is refused at once,
// without waiting for a writer. CJ_NOT_FOUND, or CJ_IO.
cj_status cj__file_open(const char *path, FILE **file, uint64_t *size);

#endif
