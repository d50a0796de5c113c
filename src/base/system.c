// Time, terminals and paths; see system.h.
#if defined(__linux__)
#define _DEFAULT_SOURCE // TIOCGWINSZ
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/system.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/ioctl.h>
#include <sys/resource.h>
#endif

int64_t cj__clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__linux__)
static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + 1e-6 * (double)time->tv_usec;
}
#endif

cj__processor_use cj__get_processor_use(void)
{
#if defined(__linux__)
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) == 0)
        return (cj__processor_use){.seconds = seconds_of(&use.ru_utime) + seconds_of(&use.ru_stime),
                                   .interruptions = use.ru_nivcsw};
#endif
    return (cj__processor_use){0};
}

bool cj__is_terminal(FILE *stream)
{
    return stream && isatty(fileno(stream)) == 1;
}

int cj__terminal_columns(FILE *stream)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (cj__is_terminal(stream) && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        return size.ws_col;
#endif
    (void)stream;
    return 0;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value != '\0';
}

static bool locale_is_utf8(void)
{
    const char *locale = is_set("LC_ALL")   ? getenv("LC_ALL") :
                         is_set("LC_CTYPE") ? getenv("LC_CTYPE") :
                         is_set("LANG")     ? getenv("LANG") :
                                              "";
    return strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8") ||
           strstr(locale, "utf-8");
}

cj__terminal cj__terminal_of(FILE *stream)
{
    if (!cj__is_terminal(stream))
        return (cj__terminal){0};
    const bool dumb = is_set("TERM") && strcmp(getenv("TERM"), "dumb") == 0;
    return (cj__terminal){.redraws = !dumb,
                          .colours = !dumb && !is_set("NO_COLOR"),
                          .utf8 = locale_is_utf8(),
                          .columns = cj__terminal_columns(stream)};
}

bool cj__path_readable(const char *path)
{
    return access(path, R_OK) == 0;
}

bool cj__path_is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static cj_status make_one(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return CJ_OK;
    const int cause = errno;
    if (cj__path_is_folder(path))
        return CJ_OK;
    return cj__fail(CJ_IO, "cannot make the folder \"%s\": %s", path, strerror(cause));
}

cj_status cj__folder_make(const char *path)
{
    char *part = cj__copy_text(path);
    if (!part)
        return path ? CJ_OUT_OF_MEMORY : cj__fail_null("the name of the folder");
    cj_status status = CJ_OK;
    for (size_t i = 1; status == CJ_OK && *part && part[i]; i++) {
        if (part[i] != '/' || part[i - 1] == '/')
            continue;
        part[i] = '\0';
        status = make_one(part);
        part[i] = '/';
    }
    if (status == CJ_OK)
        status = make_one(part);
    cj__free(part);
    return status;
}

// O_NONBLOCK keeps open() from waiting for the writer of a FIFO; regular files do not heed it.
cj_status cj__file_open(const char *path, FILE **file, uint64_t *size)
{
    *file = NULL;
    *size = 0;
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return cj__fail(errno == ENOENT || errno == ENOTDIR ? CJ_NOT_FOUND : CJ_IO,
                        "cannot read \"%s\": %s", path, strerror(errno));
    struct stat facts;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(descriptor);
        return cj__fail(CJ_IO, "cannot read \"%s\": it is not a regular file", path);
    }
    *file = fdopen(descriptor, "rb");
    if (!*file) {
        close(descriptor);
        return cj__fail_memory(BUFSIZ, path);
    }
    *size = (uint64_t)facts.st_size;
    return CJ_OK;
}
