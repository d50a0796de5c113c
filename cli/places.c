// See cli.h.
#define _XOPEN_SOURCE 700
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

cj_status make_folder(const char *path)
{
    char part[4096];
    struct stat info;
    if (strlen(path) >= sizeof part)
        return cj_fail(CJ_INVALID_ARGUMENT, "%.60s...: the name is too long", path);
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return cj_fail(CJ_IO, "%s: the folder cannot be made: %s", part, strerror(errno));
    }
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return cj_fail(CJ_IO, "%s: not a folder", path);
    if (access(path, W_OK | X_OK) != 0)
        return cj_fail(CJ_IO, "%s: nothing can be written there: %s", path, strerror(errno));
    return CJ_OK;
}

cj_status check_output(const char *path)
{
    char folder[4096];
    struct stat info;
    const char *slash = strrchr(path, '/');
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return cj_fail(CJ_IO, "%s: a folder, not a file", path);
        if (access(path, W_OK) != 0)
            return cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
        return CJ_OK;
    }
    if (strlen(path) >= sizeof folder)
        return cj_fail(CJ_INVALID_ARGUMENT, "%.60s...: the name is too long", path);
    if (!slash)
        return make_folder(".");
    const size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    return make_folder(folder);
}
