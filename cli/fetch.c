// Downloads by libcurl, which is loaded when it is needed: linked, it would cost each start of the
// program four milliseconds and seven MiB.
#define _POSIX_C_SOURCE 200809L
#include "fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "sha256.h"

// What is used of libcurl.
static struct {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
} curl;

// ISO C has no conversion from object to function pointers; POSIX promises that their bits agree.
static bool find(void *library, const char *name, void *function, size_t size)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, size);
    return symbol != NULL;
}

static cj_status load_curl(void)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"};
    void *library = NULL;
    for (int i = 0; i < 3 && !library; i++)
        library = dlopen(names[i], RTLD_NOW);
    if (library && find(library, "curl_easy_init", &curl.easy_init, sizeof curl.easy_init) &&
        find(library, "curl_easy_setopt", &curl.easy_setopt, sizeof curl.easy_setopt) &&
        find(library, "curl_easy_perform", &curl.easy_perform, sizeof curl.easy_perform) &&
        find(library, "curl_easy_cleanup", &curl.easy_cleanup, sizeof curl.easy_cleanup) &&
        find(library, "curl_easy_strerror", &curl.easy_strerror, sizeof curl.easy_strerror))
        return CJ_OK;
    return cj_fail(CJ_UNSUPPORTED, "downloads need libcurl (Debian's package libcurl4): %s",
                   dlerror());
}

static int show_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                         curl_off_t up_now)
{
    (void)up_total, (void)up_now;
    if (isatty(STDERR_FILENO) && total > 0)
        fprintf(stderr, "\r%-28s %3d%% of %.1f MB", (const char *)context, (int)(100 * now / total),
                (double)total / 1e6);
    return 0;
}

// The options are libcurl's; the parentheses keep its checking macro away from the pointer.
static cj_status download(const char *address, const remote_file *file, FILE *to)
{
    char url[1024], problem[CURL_ERROR_SIZE] = "";
    snprintf(url, sizeof url, "%s%s", address, file->name);
    CURL *c = curl.easy_init();
    if (!c)
        return cj_fail(CJ_OUT_OF_MEMORY, "%s: libcurl cannot begin", url);
    curl.easy_setopt(c, CURLOPT_URL, url);
    curl.easy_setopt(c, CURLOPT_WRITEDATA, to);
    curl.easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl.easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl.easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 15L);
    curl.easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1000L);
    curl.easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 30L);
    curl.easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)64 << 20);
    curl.easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl.easy_setopt(c, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl.easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)file->name);
    curl.easy_setopt(c, CURLOPT_ERRORBUFFER, problem);
    const CURLcode code = curl.easy_perform(c);
    curl.easy_cleanup(c);
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    return code == CURLE_OK ? CJ_OK :
                              cj_fail(CJ_IO, "%s: %s", url,
                                      problem[0] != '\0' ? problem : curl.easy_strerror(code));
}

// Downloads beside its place, checks, renames.
static cj_status fetch_file(const char *address, const remote_file *file, const char *folder)
{
    char path[1024], part[1100], sum[65] = "";
    snprintf(path, sizeof path, "%s/%s", folder, file->name);
    snprintf(part, sizeof part, "%s.part", path);
    if (sha256_file(path, sum) && strcmp(sum, file->sha256) == 0) {
        printf("%-28s is there already\n", file->name);
        return CJ_OK;
    }
    FILE *to = fopen(part, "wb");
    if (!to)
        return cj_fail(CJ_IO, "%s: cannot be written: %s", part, strerror(errno));
    cj_status status = download(address, file, to);
    if (fclose(to) != 0 && status == CJ_OK)
        status = cj_fail(CJ_IO, "%s: cannot be written: %s", part, strerror(errno));
    if (status == CJ_OK && (!sha256_file(part, sum) || strcmp(sum, file->sha256) != 0))
        status = cj_fail(CJ_BAD_FILE, "%s has SHA-256 %s, not %s: it is not the published file",
                         file->name, sum, file->sha256);
    if (status == CJ_OK && rename(part, path) != 0)
        status = cj_fail(CJ_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (status == CJ_OK)
        printf("%-28s SHA-256 is right\n", file->name);
    else
        remove(part);
    return status;
}

static cj_status cache_folder(const char *name, char *path, size_t size)
{
    const char *data = getenv("CAJAL_DATA"), *cache = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (data && *data != '\0')
        snprintf(path, size, "%s/%s", data, name);
    else if (cache && *cache != '\0')
        snprintf(path, size, "%s/cajal/%s", cache, name);
    else if (home && *home != '\0')
        snprintf(path, size, "%s/.cache/cajal/%s", home, name);
    else
        return cj_fail(CJ_NOT_FOUND, "neither CAJAL_DATA nor HOME says where to put %s", name);
    return make_folder(path);
}

cj_status fetch_files(const char *set, const char *address, const remote_file *files, int count)
{
    char folder[900];
    CJ_TRY(cache_folder(set, folder, sizeof folder));
    CJ_TRY(load_curl());
    for (int i = 0; i < count; i++)
        CJ_TRY(fetch_file(address, &files[i], folder));
    printf("%s is in %s\n", set, folder);
    return CJ_OK;
}
