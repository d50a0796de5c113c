// cajal datasets: what there is, where it is found, fetching it, and looking at it.
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sha256.h"

typedef struct remote_file {
    const char *name, *sha256;
} remote_file;

// The published MNIST files; checksums of what they hold when unpacked.
static const remote_file mnist_files[] = {
    {"train-images-idx3-ubyte.gz",
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte.gz",
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte.gz",
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte.gz",
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
};

static const struct {
    const char *name, *what, *address; // without an address nothing is fetched
    const remote_file *files;
    int file_count;
    const char *by_hand; // what to do instead
} sets[] = {
    {"mnist",
     "handwritten digits of LeCun, Cortes and Burges: 60000 + 10000 images of 28 x 28 bytes, 10 "
     "classes",
     "https://storage.googleapis.com/cvdf-datasets/mnist/", mnist_files, 4, NULL},
    {"cifar10",
     "small pictures of Krizhevsky: 50000 + 10000 images of 32 x 32 x 3 bytes, 10 classes", NULL,
     NULL, 0, "unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz in $CAJAL_DATA"},
    {"digits", "digits drawn by the library itself, in MNIST's shapes; always there", NULL, NULL, 0,
     NULL},
};
enum { SET_COUNT = sizeof(sets) / sizeof sets[0] };

static int find_set(const char *name)
{
    for (int i = 0; i < SET_COUNT; i++) {
        if (strcmp(sets[i].name, name) == 0)
            return i;
    }
    fprintf(stderr, "cajal datasets: there is no data set \"%s\"\n", name);
    return -1;
}

// ---- fetch ----

static int show_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                         curl_off_t up_now)
{
    (void)up_total, (void)up_now;
    if (isatty(STDERR_FILENO) && total > 0)
        fprintf(stderr, "\r%-28s %3d%% of %.1f MB", (const char *)context, (int)(100 * now / total),
                (double)total / 1e6);
    return 0;
}

static bool download(const char *address, const remote_file *file, FILE *to)
{
    char url[512], problem[CURL_ERROR_SIZE] = "";
    snprintf(url, sizeof(url), "%s%s", address, file->name);
    CURL *curl = curl_easy_init();
    if (!curl)
        return false;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, to);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1000L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)64 << 20);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)file->name);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        fprintf(stderr, "\ncajal datasets: %s: %s\n", url,
                problem[0] != '\0' ? problem : curl_easy_strerror(code));
    return code == CURLE_OK;
}

// Downloads beside its place, checks, renames.
static bool fetch_file(const char *address, const remote_file *file, const char *folder)
{
    char path[1024], part[1100], sum[65] = "";
    snprintf(path, sizeof(path), "%s/%s", folder, file->name);
    snprintf(part, sizeof(part), "%s.part", path);
    if (sha256_file(path, sum) && strcmp(sum, file->sha256) == 0) {
        printf("%-28s is there already\n", file->name);
        return true;
    }
    FILE *to = fopen(part, "wb");
    if (!to) {
        fprintf(stderr, "cajal datasets: cannot write \"%s\": %s\n", part, strerror(errno));
        return false;
    }
    bool got = download(address, file, to);
    got = fclose(to) == 0 && got;
    if (got && (!sha256_file(part, sum) || strcmp(sum, file->sha256) != 0)) {
        fprintf(stderr,
                "\ncajal datasets: %s has SHA-256 %s, not %s: it is not the published file\n",
                file->name, sum, file->sha256);
        got = false;
    }
    if (got && rename(part, path) == 0) {
        printf("%s%-28s SHA-256 is right\n", isatty(STDERR_FILENO) ? "\n" : "", file->name);
        return true;
    }
    remove(part);
    return false;
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    mkdir(path, 0777);
}

static bool cache_folder(const char *name, char *path, size_t size)
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
        return false;
    make_folders(path);
    return true;
}

static int fetch(int set, const char *address)
{
    char folder[900];
    if (!sets[set].address && sets[set].by_hand) {
        fprintf(stderr,
                "cajal datasets: %s is one archive, which this program does not unpack: %s\n",
                sets[set].name, sets[set].by_hand);
        return EXIT_FAILED;
    }
    if (!sets[set].address) {
        printf("%s needs no fetching\n", sets[set].name);
        return EXIT_DONE;
    }
    if (!cache_folder(sets[set].name, folder, sizeof(folder))) {
        fprintf(stderr, "cajal datasets: neither CAJAL_DATA nor HOME says where to put it\n");
        return EXIT_FAILED;
    }
    for (int i = 0; i < sets[set].file_count; i++) {
        if (!fetch_file(address ? address : sets[set].address, &sets[set].files[i], folder))
            return EXIT_FAILED;
    }
    printf("%s is in %s\n", sets[set].name, folder);
    return EXIT_DONE;
}

// ---- list, info, show ----

static int list(bool json)
{
    json_t *all = json_array();
    for (int i = 0; i < SET_COUNT; i++) {
        cj_dataset *train = NULL, *test = NULL;
        bool here = strcmp(sets[i].name, "digits") == 0 ||
                    cj_load_dataset(sets[i].name, &train, &test) == CJ_OK;
        cj_release(train);
        cj_release(test);
        if (!json)
            printf("%-8s %-10s %s\n", sets[i].name, here ? "here" : "not here", sets[i].what);
        json_array_append_new(all, json_pack("{s:s, s:b, s:s}", "name", sets[i].name, "here", here,
                                             "what", sets[i].what));
    }
    if (json) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(all);
    return EXIT_DONE;
}

static void describe(const char *part, const cj_dataset *data)
{
    char shape[160];
    const cj_tensor *x = cj_dataset_x(data, 0), *y = cj_dataset_y(data, 0);
    int64_t counts[256] = {0};
    for (int64_t i = 0; i < cj_tensor_count(y); i++)
        counts[(int64_t)cj_tensor_get(y, &i) & 255]++;
    printf("%s: %lld samples, images %s %s, classes", part, (long long)cj_dataset_count(data),
           cj_shape_text(cj_tensor_shape(x), shape, sizeof(shape)),
           cj_dtype_name(cj_tensor_dtype(x)));
    for (int c = 0; c < 256; c++) {
        if (counts[c] != 0)
            printf(" %d:%lld", c, (long long)counts[c]);
    }
    putchar('\n');
}

static cj_status show(const cj_dataset *train, const char *path)
{
    cj_tensor *first = NULL, *picture = NULL;
    int64_t count = cj_dataset_count(train) < 200 ? cj_dataset_count(train) : 200;
    cj_status status = cj_tensor_slice(cj_dataset_x(train, 0), 0, 0, count, &first);
    if (status == CJ_OK)
        status = cj_image_grid(first, 20, &picture);
    if (status == CJ_OK)
        status = cj_save_png(picture, path);
    cj_release(first);
    cj_release(picture);
    return status;
}

static int look(const char *verb, const char *name, const char *path)
{
    cj_dataset *train = NULL, *test = NULL;
    cj_status status = cj_load_dataset(name, &train, &test);
    if (status == CJ_OK && strcmp(verb, "info") == 0) {
        describe("train", train);
        describe("test", test);
    } else if (status == CJ_OK) {
        status = show(train, path);
        if (status == CJ_OK)
            printf("%s: the first images of %s\n", path, name);
    }
    cj_release(train);
    cj_release(test);
    return finish(status);
}

int run_datasets(int argc, char **argv)
{
    const char *words[3] = {NULL, NULL, NULL}, *address = NULL;
    bool json = false;
    const option options[] = {
        {"from", "ADDRESS", "fetch from another address (ends with a slash)", OPTION_TEXT,
         &address},
        {"json", NULL, "print the list as JSON", OPTION_FLAG, &json},
    };
    const command *self = find_command("datasets");
    int done = read_options(self, options, 2, argc, argv, 1, 3, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (strcmp(words[0], "list") == 0 && !words[1])
        return list(json);
    bool known = words[1] && find_set(words[1]) >= 0;
    if (known && strcmp(words[0], "fetch") == 0 && !words[2])
        return fetch(find_set(words[1]), address);
    if (known && strcmp(words[0], "info") == 0 && !words[2])
        return look("info", words[1], NULL);
    if (known && strcmp(words[0], "show") == 0 && words[2])
        return look("show", words[1], words[2]);
    print_help(self, options, 2, stderr);
    return EXIT_USAGE;
}
