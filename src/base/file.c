// Whole files: see file.h.
//
// A temporary file is called .cajal-<process>-<number>.tmp, lies in the folder of its target, and is
// locked as long as its process lives. A process that can lock one knows that its owner has
// ended, and removes it: so the files of killed processes are removed by the next save in the folder.
#if defined(__linux__)
#define _DEFAULT_SOURCE // flock()
#else
#define _XOPEN_SOURCE 700
#endif
#include "base/file.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40, TARGET_MAX = 4096, TRIES = 100 };
static const char temporary_begin[] = ".cajal-", temporary_end[] = ".tmp";

static cj_status fail(const char *path, int cause)
{
    return cj__fail(cause == ENOMEM ? CJ_OUT_OF_MEMORY : CJ_IO, "cannot write \"%s\": %s", path,
                    cause != 0 ? strerror(cause) : "writing stopped short");
}

// The length of a path up to its last slash, which is included; 0 without one.
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash - path) + 1 : 0;
}

// Replaces symbolic links at the end of `target` by what they point to, which need not exist.
// Returns errno, or 0.
static int follow_links(char target[TARGET_MAX])
{
    char link[TARGET_MAX], next[TARGET_MAX];
    for (int i = 0; i < LINKS_MAX; i++) {
        const ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0)
            return 0; // no link, or nothing there
        link[length] = '\0';
        const int folder = link[0] == '/' ? 0 : folder_length(target);
        if (folder + length >= TARGET_MAX)
            return ENAMETOOLONG;
        memcpy(next, target, (size_t)folder);
        memcpy(next + folder, link, (size_t)length + 1);
        memcpy(target, next, sizeof next);
    }
    return ELOOP;
}

static bool is_temporary(const char *name)
{
    const size_t length = strlen(name), end = sizeof temporary_end - 1;
    return strncmp(name, temporary_begin, sizeof temporary_begin - 1) == 0 && length > end &&
           strcmp(name + length - end, temporary_end) == 0;
}

// Removes the temporary files in a folder whose processes have gone.
static void clean_up(const char *target)
{
    char path[TARGET_MAX];
    const int length = folder_length(target);
    snprintf(path, sizeof path, "%.*s", length > 0 ? length : 1, length > 0 ? target : ".");
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_temporary(entry->d_name) ||
            snprintf(path, sizeof path, "%.*s%s", length, target, entry->d_name) >= TARGET_MAX)
            continue;
        const int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0)
            unlink(path);
        if (file >= 0)
            close(file);
    }
    if (folder)
        closedir(folder);
}

// Locks a new temporary file. False if another process took it for an old one and removed it before
// it was locked.
static bool lock(int file)
{
    struct stat facts;
    (void)flock(file, LOCK_EX | LOCK_NB); // a file system without locks never cleans up either
    return fstat(file, &facts) != 0 || facts.st_nlink > 0;
}

// Makes a new temporary file beside `target`, with the mode that the process gives to new files.
// Returns its descriptor, or -1 with errno.
static int open_temporary(const char *target, char path[TARGET_MAX])
{
    static atomic_uint number;
    for (int i = 0; i < TRIES; i++) {
        if (snprintf(path, TARGET_MAX, "%.*s%s%ld-%u%s", folder_length(target), target,
                     temporary_begin, (long)getpid(), atomic_fetch_add(&number, 1),
                     temporary_end) >= TARGET_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST)
            return -1;
        if (file >= 0 && lock(file))
            return file;
        if (file >= 0)
            close(file);
    }
    errno = EEXIST;
    return -1;
}

// The new file gets the mode of the one that it replaces, and its owner where that is allowed.
static void copy_mode(int file, const struct stat *old)
{
    struct stat new;
    if (fstat(file, &new) == 0 && (new.st_uid != old->st_uid || new.st_gid != old->st_gid) &&
        fchown(file, old->st_uid, old->st_gid) != 0)
        errno = 0; // not allowed: the file is the writer's
    fchmod(file, old->st_mode & 0777);
}

// Opens what is to be written: the target itself if it is a device, a FIFO or a socket, else a
// temporary file. Returns its descriptor, or -1 with errno.
static int open_target(const char *target, char temporary[TARGET_MAX])
{
    struct stat old;
    *temporary = '\0';
    const bool exists = stat(target, &old) == 0;
    if (exists && !S_ISREG(old.st_mode))
        return open(target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (exists && access(target, W_OK) != 0)
        return -1;
    clean_up(target);
    const int file = open_temporary(target, temporary);
    if (file >= 0 && exists)
        copy_mode(file, &old);
    return file;
}

// Where `path` leads. A path such as /dev/stdout is a link that cannot be followed by its text: what
// is there and is no regular file is written by the name that was given.
static int find_target(const char *path, char target[TARGET_MAX])
{
    struct stat facts;
    if (strlen(path) >= TARGET_MAX)
        return ENAMETOOLONG;
    memcpy(target, path, strlen(path) + 1);
    return stat(path, &facts) == 0 && !S_ISREG(facts.st_mode) ? 0 : follow_links(target);
}

cj_status cj__output_open(cj__output *output, const char *path)
{
    char target[TARGET_MAX], temporary[TARGET_MAX];
    *output = (cj__output){0};
    if (!path)
        return cj__fail_null("the name of the file to write");
    const int wrong = find_target(path, target);
    if (wrong)
        return fail(path, wrong);
    const int file = open_target(target, temporary);
    if (file < 0)
        return fail(path, errno);
    output->path = cj__copy_text(path);
    output->target = cj__copy_text(target);
    output->temporary = cj__copy_text(temporary);
    if (output->path && output->target && output->temporary)
        output->stream = fdopen(file, "wb");
    if (output->stream)
        return CJ_OK;
    close(file);
    if (*temporary)
        unlink(temporary);
    cj__output_abandon(output);
    return cj__fail_memory(BUFSIZ, path);
}

// Makes the new name in the folder durable; a file system that cannot is no reason to fail.
static void sync_folder(const char *target)
{
    char path[TARGET_MAX];
    const int length = folder_length(target);
    snprintf(path, sizeof path, "%.*s", length > 0 ? length : 1, length > 0 ? target : ".");
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

// Why an earlier write to a stream failed: errno is long gone, and one more byte meets the same
// obstacle.
static int find_cause(FILE *stream)
{
    errno = 0;
    return write(fileno(stream), "", 1) < 0 ? errno : 0;
}

// Flushes everything to the disk. Returns 0, or the cause of the failure, -1 if that is unknown.
static int finish(FILE *stream, bool temporary)
{
    int cause = 0;
    errno = 0;
    if (ferror(stream))
        cause = temporary ? find_cause(stream) : 0;
    else if (fflush(stream) == 0 && (!temporary || fsync(fileno(stream)) == 0))
        return 0;
    else
        cause = errno;
    return cause ? cause : -1;
}

cj_status cj__output_commit(cj__output *output)
{
    const bool temporary = *output->temporary;
    int cause = finish(output->stream, temporary);
    if (cause == 0 && temporary && rename(output->temporary, output->target) != 0)
        cause = errno;
    else if (cause == 0 && temporary)
        *output->temporary = '\0';
    // Closing gives up the lock, so the file has its final name by then.
    if (fclose(output->stream) != 0 && cause == 0)
        cause = errno;
    output->stream = NULL;
    if (cause == 0 && temporary)
        sync_folder(output->target);
    const cj_status status = cause == 0 ? CJ_OK : fail(output->path, cause > 0 ? cause : 0);
    cj__output_abandon(output);
    return status;
}

void cj__output_abandon(cj__output *output)
{
    if (output->stream)
        fclose(output->stream);
    if (output->temporary && *output->temporary)
        unlink(output->temporary);
    cj__free(output->temporary);
    cj__free(output->target);
    cj__free(output->path);
    *output = (cj__output){0};
}

cj_status cj__file_read(const char *path, size_t most, char **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (!path)
        return cj__fail_null("the name of the file to read");
    FILE *file;
    uint64_t file_size;
    CJ_TRY(cj__file_open(path, &file, &file_size));
    cj_status status = CJ_OK;
    if (file_size > most)
        status = cj__fail(CJ_UNSUPPORTED, "\"%s\": %ju bytes are more than the %zu that are read",
                          path, (uintmax_t)file_size, most);
    if (status == CJ_OK) {
        *size = (size_t)file_size;
        *bytes = cj__resize(NULL, *size + 1, 1);
        if (!*bytes)
            status = CJ_OUT_OF_MEMORY;
        else if (fread(*bytes, 1, *size, file) != *size)
            status =
                cj__fail(CJ_IO, "cannot read \"%s\": it became shorter while it was read", path);
    }
    fclose(file);
    if (status == CJ_OK) {
        (*bytes)[*size] = '\0';
        return CJ_OK;
    }
    cj__free(*bytes);
    *bytes = NULL;
    return status;
}
