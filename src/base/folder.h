// What a folder holds.
#ifndef CJ_BASE_FOLDER_H
#define CJ_BASE_FOLDER_H

#include <cajal/base.h>

// Names, each with a 0 byte at its end, in the order of their bytes.
typedef struct cj__names {
    char **items;
    int64_t count, room;
} cj__names;

// Appends a copy of `name`. CJ_OUT_OF_MEMORY.
cj_status cj__names_add(cj__names *names, const char *name);
void cj__names_free(cj__names *names);

// The entries of a folder but those that begin with a dot. CJ_NOT_FOUND, CJ_IO, CJ_OUT_OF_MEMORY;
// then there are no names.
cj_status cj__folder_list(const char *path, cj__names *names);

#endif
