// Lists of names, and of what a folder holds; see folder.h.
#define _POSIX_C_SOURCE 200809L
#include "base/folder.h"

#include "base/error.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

cj_status cj__names_add(cj__names *names, const char *name)
{
    if (names->count == names->room) {
        const int64_t room = names->room > 0 ? 2 * names->room : 16;
        char **items = cj__new((size_t)room, sizeof *items);
        if (!items)
            return CJ_OUT_OF_MEMORY;
        if (names->count > 0)
            memcpy(items, names->items, (size_t)names->count * sizeof *items);
        cj__free(names->items);
        names->items = items;
        names->room = room;
    }
    char *copy = cj__copy_bytes(name, strlen(name) + 1);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    names->items[names->count++] = copy;
    return CJ_OK;
}

void cj__names_free(cj__names *names)
{
    for (int64_t i = 0; i < names->count; i++)
        cj__free(names->items[i]);
    cj__free(names->items);
    *names = (cj__names){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

cj_status cj__folder_list(const char *path, cj__names *names)
{
    *names = (cj__names){0};
    DIR *folder = opendir(path);
    if (!folder)
        return cj__fail(errno == ENOENT ? CJ_NOT_FOUND : CJ_IO, "%s: the folder cannot be read: %s",
                        path, strerror(errno));
    cj_status status = CJ_OK;
    errno = 0;
    for (const struct dirent *entry; status == CJ_OK && (entry = readdir(folder)); errno = 0)
        if (entry->d_name[0] != '.')
            status = cj__names_add(names, entry->d_name);
    if (status == CJ_OK && errno != 0)
        status = cj__fail(CJ_IO, "%s: the folder cannot be read: %s", path, strerror(errno));
    closedir(folder);
    if (status != CJ_OK)
        cj__names_free(names);
    else if (names->count > 0)
        qsort(names->items, (size_t)names->count, sizeof *names->items, by_bytes);
    return status;
}
