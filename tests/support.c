// See support.h.
#define _XOPEN_SOURCE 700
#include "support.h"
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    pthread_mutex_t lock;
    long requests, live, fail_at;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .fail_at = -1};

static void *counted_resize(void *context, void *block, size_t size)
{
    (void)context;
    pthread_mutex_lock(&memory.lock);
    void *result = NULL;
    if (size == 0) {
        memory.live -= block != NULL;
        free(block);
    } else if (memory.requests++ != memory.fail_at) {
        result = realloc(block, size);
        memory.live += !block && result != NULL;
    }
    pthread_mutex_unlock(&memory.lock);
    return result;
}

void support_memory_begin(long fail_at)
{
    memory.requests = memory.live = 0;
    memory.fail_at = fail_at;
    support_memory_hook();
}

void support_memory_hook(void)
{
    cj_set_memory_hook(&(cj_memory_hook){counted_resize, NULL});
}

long support_memory_live(void)
{
    return memory.live;
}

long support_memory_end(void)
{
    cj_set_memory_hook(NULL);
    if (memory.live != 0)
        fail_msg("%ld blocks are still alive", memory.live);
    return memory.requests;
}

void support_fail_each_allocation(cj_status (*body)(void *context), void *context)
{
    support_memory_begin(-1);
    const cj_status whole = body(context);
    const long requests = support_memory_end();
    if (whole != CJ_OK)
        fail_msg("without a failing request: %s", cj_error());
    for (long i = 0; i < requests; i++) {
        cj_error_clear();
        support_memory_begin(i);
        const cj_status status = body(context);
        support_memory_end();
        if (status != CJ_OK && status != CJ_OUT_OF_MEMORY)
            fail_msg("request %ld of %ld failing gave %s: %s", i, requests, cj_status_name(status),
                     cj_error());
        if (status != CJ_OK && !*cj_error())
            fail_msg("request %ld of %ld failing left no sentence", i, requests);
    }
}

bool support_near(double actual, double expected, double absolute, double relative)
{
    if (isnan(actual) || isnan(expected))
        return isnan(actual) && isnan(expected);
    if (isinf(actual) || isinf(expected))
        return actual == expected;
    return fabs(actual - expected) <= absolute + relative * fabs(expected);
}

void support_assert_near(double actual, double expected, double absolute, double relative,
                         const char *file, int line)
{
    if (support_near(actual, expected, absolute, relative))
        return;
    print_error("%.17g is not near %.17g (differs by %g)\n", actual, expected,
                fabs(actual - expected));
    _fail(file, line);
}

void support_assert_all_near(const float *actual, const float *expected, size_t count,
                             double absolute, double relative, const char *file, int line)
{
    for (size_t i = 0; i < count; i++) {
        if (support_near((double)actual[i], (double)expected[i], absolute, relative))
            continue;
        print_error("element %zu of %zu: %.9g is not near %.9g (differs by %g)\n", i, count,
                    (double)actual[i], (double)expected[i],
                    fabs((double)actual[i] - (double)expected[i]));
        _fail(file, line);
    }
}

void support_assert_error(const char *part, const char *file, int line)
{
    if (strstr(cj_error(), part))
        return;
    print_error("\"%s\" does not contain \"%s\"\n", cj_error(), part);
    _fail(file, line);
}

static char folder[512];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *support_folder(void)
{
    if (!*folder) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/cajal-test-XXXXXX", base && *base ? base : "/tmp");
        if (!mkdtemp(folder))
            fail_msg("cannot make the folder %s", folder);
        atexit(remove_folder);
    }
    return folder;
}

const char *support_path(const char *name)
{
    static char paths[4][1024];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", support_folder(), name);
    return path;
}

void support_write(const char *path, const void *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");
    if (!stream || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0)
        fail_msg("cannot write %s", path);
}

void *support_read(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    struct stat info;
    if (!stream || stat(path, &info) != 0)
        fail_msg("cannot open %s", path);
    *size = (size_t)info.st_size;
    void *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, stream) != *size)
        fail_msg("cannot read %s", path);
    fclose(stream);
    return bytes;
}

const char *support_data(const char *name)
{
    const char *data = getenv("CAJAL_DATA");
    char path[1024];
    struct stat info;
    if (!data || snprintf(path, sizeof path, "%s/%s", data, name) >= (int)sizeof path)
        return NULL;
    return stat(path, &info) == 0 ? data : NULL;
}

bool support_flushes_denormals(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
    const char *wanted = getenv("CAJAL_DENORMALS");
    return !wanted || strcmp(wanted, "keep") != 0;
#else
    return false;
#endif
}

bool support_locale_with_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    char command[1400];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]))
            return true;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 '%s' >/dev/null 2>&1",
             support_path("de_DE.UTF-8"));
    return system(command) == 0 && setenv("LOCPATH", support_folder(), 1) == 0 &&
           setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}
