// Downloading the files of a data set; see fetch.c.
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include <cajal.h>

typedef struct remote_file {
    const char *name, *sha256; // the sum of what it holds when unpacked
} remote_file;

// Brings the files of a data set into $CAJAL_DATA or the user's cache, each checked against its sum.
cj_status fetch_files(const char *set, const char *address, const remote_file *files, int count);

#endif
