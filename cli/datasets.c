// cajal datasets: what there is, where it is found, fetching it, and looking at it.
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "table.h"

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
    const char *classes; // their names, one a line; NULL if they are numbers
    const char *package; // Debian's package that holds it
} sets[] = {
    {"mnist",
     "handwritten digits of LeCun, Cortes and Burges: 60000 + 10000 images of 28 x 28 bytes, 10 "
     "classes",
     "https://storage.googleapis.com/cvdf-datasets/mnist/", mnist_files, 4, NULL, NULL, NULL},
    {"fashion-mnist",
     "clothes of Xiao, Rasul and Vollgraf: 60000 + 10000 images of 28 x 28 bytes, 10 classes", NULL,
     NULL, 0, NULL,
     "T-shirt/top\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nAnkle boot",
     "dataset-fashion-mnist"},
    {"cifar10",
     "small pictures of Krizhevsky: 50000 + 10000 images of 32 x 32 x 3 bytes, 10 classes", NULL,
     NULL, 0, "unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz in $CAJAL_DATA",
     "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck", NULL},
    {"digits", "digits drawn by the library itself, in MNIST's shapes; always there", NULL, NULL, 0,
     NULL, NULL, NULL},
};
enum { SET_COUNT = sizeof(sets) / sizeof sets[0] };

static int find_set(const char *name)
{
    for (int i = 0; i < SET_COUNT; i++) {
        if (strcmp(sets[i].name, name) == 0)
            return i;
    }
    fputs("cajal datasets: there is no data set \"", stderr);
    print_text(name, stderr);
    const char *nearest = nearest_name(name, sets, sizeof *sets, SET_COUNT);
    if (nearest)
        fprintf(stderr, "\": did you mean \"%s\"?\n", nearest);
    else
        fputs("\"; `cajal datasets list` shows all\n", stderr);
    return -1;
}

cj_status note_data(cj_model *model, const char *name, const cj_dataset *data)
{
    if (is_table_data(name))
        return cj_model_set_note(model, "data", name);
    if (is_folder_data(name) || is_text_data(name)) {
        CJ_TRY(cj_model_set_note(model, "data", name));
        return note_classes(model, data);
    }
    for (int i = 0; i < SET_COUNT; i++)
        if (strcmp(sets[i].name, name) == 0) {
            CJ_TRY(cj_model_set_note(model, "data", name));
            return cj_model_set_note(model, "classes", sets[i].classes ? sets[i].classes : "");
        }
    return CJ_OK;
}

const char *noted_data(const cj_model *model)
{
    const char *name = cj_model_note(model, "data");
    if (name && (is_folder_data(name) || is_text_data(name) || is_table_data(name)))
        return name;
    for (int i = 0; name && i < SET_COUNT; i++)
        if (strcmp(sets[i].name, name) == 0)
            return sets[i].name;
    return NULL;
}

// ---- fetch ----

static bool is_here(const char *name)
{
    cj_dataset *train = NULL, *test = NULL;
    const bool here = strcmp(name, "digits") == 0 || cj_load_dataset(name, &train, &test) == CJ_OK;
    cj_release(train);
    cj_release(test);
    return here;
}

static int fetch_package(int set)
{
    if (is_here(sets[set].name)) {
        printf("%s is there already\n", sets[set].name);
        return EXIT_DONE;
    }
    cj_status status = install_package(sets[set].package);
    cj_dataset *train = NULL, *test = NULL;
    if (status == CJ_OK)
        status = cj_load_dataset(sets[set].name, &train, &test);
    if (status == CJ_OK)
        printf("%s is there, from Debian's package %s\n", sets[set].name, sets[set].package);
    cj_release(train);
    cj_release(test);
    return finish(status);
}

static int fetch(int set, const char *address)
{
    if (sets[set].package)
        return fetch_package(set);
    if (!sets[set].address && sets[set].by_hand) {
        fprintf(stderr, "cajal: %s is one archive, which this program does not fetch; %s\n",
                sets[set].name, sets[set].by_hand);
        return EXIT_FAILED;
    }
    if (!sets[set].address) {
        printf("%s needs no fetching\n", sets[set].name);
        return EXIT_DONE;
    }
    return finish(fetch_files(sets[set].name, address ? address : sets[set].address,
                              sets[set].files, sets[set].file_count));
}

// ---- list, info, show ----

static int list(bool json)
{
    json_t *all = json_array();
    for (int i = 0; i < SET_COUNT; i++) {
        const bool here = is_here(sets[i].name);
        if (!json)
            printf("%-13s %-10s %s\n", sets[i].name, here ? "here" : "not here", sets[i].what);
        json_array_append_new(all, json_pack("{s:s, s:b, s:s}", "name", sets[i].name, "here", here,
                                             "what", sets[i].what));
    }
    if (json) {
        print_json_value(all);
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

// One training image as it is.
static cj_status show_one(const cj_dataset *train, int64_t index, const char *path)
{
    cj_tensor *one = NULL, *picture = NULL;
    if (index >= cj_dataset_count(train))
        return cj_fail(CJ_INVALID_ARGUMENT, "--index %lld: there are %lld training samples",
                       (long long)index, (long long)cj_dataset_count(train));
    cj_status status = cj_tensor_slice(cj_dataset_x(train, 0), 0, index, 1, &one);
    if (status == CJ_OK)
        status = cj_image_grid(one, 1, &picture);
    if (status == CJ_OK)
        status = cj_save_png(picture, path);
    if (status == CJ_OK)
        printf("%s: sample %lld, label %lld\n", path, (long long)index,
               (long long)cj_tensor_get(cj_dataset_y(train, 0), &index));
    cj_release(one);
    cj_release(picture);
    return status;
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

static int look(const char *verb, const char *name, const char *path, int64_t index)
{
    cj_dataset *train = NULL, *test = NULL;
    own_data own = {.side = PICTURE_SIDE};
    cj_status status = load_data(&name, NULL, &own, &train, &test);
    if (status == CJ_OK && path)
        status = check_output(path);
    if (status == CJ_OK && strcmp(verb, "info") == 0) {
        describe("train", train);
        describe("test", test);
    } else if (status == CJ_OK && index >= 0) {
        status = show_one(train, index, path);
    } else if (status == CJ_OK) {
        status = show(train, path);
        if (status == CJ_OK)
            printf("%s: the first images of %s\n", path, name);
    }
    cj_release(train);
    cj_release(test);
    json_decref(own.schema);
    return finish(status);
}

int run_datasets(int argc, char **argv)
{
    const char *words[3] = {NULL, NULL, NULL}, *address = NULL;
    int64_t index = -1;
    bool json = false;
    const option options[] = {
        INT_OPTION("index", "N", &index, 0, INFINITY,
                   "with show: training sample N alone (all of the first 200)"),
        TEXT_OPTION("from", "ADDRESS", &address, "fetch from another address (ends with a slash)"),
        FLAG_OPTION("json", &json, "print the list as JSON"),
    };
    const command *self = find_command("datasets");
    int done = read_options(self, options, 3, argc, argv, 1, 3, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (strcmp(words[0], "list") == 0 && !words[1])
        return list(json);
    const bool folder = words[1] && is_folder_data(words[1]) && strcmp(words[0], "fetch") != 0;
    const bool known = folder || (words[1] && find_set(words[1]) >= 0);
    if (known && strcmp(words[0], "fetch") == 0 && !words[2])
        return fetch(find_set(words[1]), address);
    if (known && strcmp(words[0], "info") == 0 && !words[2])
        return look("info", words[1], NULL, -1);
    if (known && strcmp(words[0], "show") == 0 && words[2])
        return look("show", words[1], words[2], index);
    if (words[1] && !known)
        return EXIT_USAGE;
    print_help(self, options, 3, stderr);
    return EXIT_USAGE;
}
