// cajal datasets: what there is, where it is found, fetching it, and looking at it.
#include "arrays.h"
#include "cli.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "look.h"
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
    if (is_folder_data(name) || is_text_data(name) || is_array_data(name)) {
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

// Line `index` of a text of lines, empty past its end.
static void line_of(const char *lines, int64_t index, char *text, size_t size)
{
    for (; index > 0 && (lines = strchr(lines, '\n')); index--)
        lines++;
    const size_t length = lines ? strcspn(lines, "\n") : 0;
    snprintf(text, size, "%.*s", (int)(length < size ? length : size), lines ? lines : "");
}

void name_of_class(const char *name, const cj_dataset *data, int64_t label, char *text, size_t size)
{
    const char *given = label <= INT_MAX ? cj_dataset_class_name(data, (int)label) : NULL;
    snprintf(text, size, "%s", given ? given : "");
    for (int i = 0; i < SET_COUNT && !given; i++)
        if (strcmp(sets[i].name, name) == 0 && sets[i].classes && label >= 0)
            line_of(sets[i].classes, label, text, size);
    if (!*text)
        snprintf(text, size, "%lld", (long long)label);
}

const char *noted_data(const cj_model *model)
{
    const char *name = cj_model_note(model, "data");
    if (name &&
        (is_folder_data(name) || is_text_data(name) || is_array_data(name) || is_table_data(name)))
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

// Numbers, and with `path` a picture: one image, or some of each class.
static int look(const char *name, const char *path, int64_t index)
{
    cj_dataset *train = NULL, *test = NULL;
    own_data own = {OWN_DATA_DEFAULTS};
    cj_status status = path ? check_output(path) : CJ_OK;
    const bool table = is_table_data(name);
    if (status == CJ_OK && table)
        status =
            path ? cj_fail(CJ_INVALID_ARGUMENT, "%s is a table, of which there is no sheet", name) :
                   describe_table(name);
    if (status == CJ_OK && !table)
        status = load_data(&name, NULL, &own, &train, &test);
    if (status == CJ_OK && !table && index < 0) {
        describe_data("train", name, train);
        if (test)
            describe_data("test", name, test);
    }
    if (status == CJ_OK && path && index >= 0) {
        status = show_one(train, index, path);
    } else if (status == CJ_OK && path) {
        status = draw_contact_sheet(name, train, path);
        if (status == CJ_OK)
            printf("%s: the first images of each class of %s\n", path, name);
    }
    cj_release(train);
    cj_release(test);
    json_decref(own.schema);
    return finish(status);
}

int run_datasets(int argc, char **argv)
{
    const char *words[3] = {NULL, NULL, NULL}, *address = NULL, *sheet = NULL;
    int64_t index = -1;
    bool json = false;
    const option options[] = {
        TEXT_OPTION(
            "sheet", "FILE.png", &sheet,
            "with show: draw the first images of each class, as a FILE.png after the name does"),
        INT_OPTION("index", "N", &index, 0, INFINITY,
                   "with show and a file: draw training sample N alone, as it is"),
        TEXT_OPTION("from", "ADDRESS", &address, "fetch from another address (ends with a slash)"),
        FLAG_OPTION("json", &json, "print the list as JSON"),
    };
    const command *self = find_command("datasets");
    int done = read_options(self, options, 4, argc, argv, 1, 3, words);
    if (done != EXIT_DONE)
        return done < 0 ? EXIT_DONE : done;
    if (strcmp(words[0], "list") == 0 && !words[1])
        return list(json);
    const bool looks = strcmp(words[0], "info") == 0 || strcmp(words[0], "show") == 0;
    const bool own = words[1] && looks && strchr(words[1], ':');
    const bool file = words[1] && looks && !own && strpbrk(words[1], "./");
    const bool known = own || file || (words[1] && find_set(words[1]) >= 0);
    if (known && strcmp(words[0], "fetch") == 0 && !words[2])
        return fetch(find_set(words[1]), address);
    const char *path = words[2] ? words[2] : sheet;
    if (index >= 0 && !path) {
        fprintf(stderr, "cajal datasets: --index needs a FILE.png to draw\n");
        return EXIT_USAGE;
    }
    if (file && index >= 0) {
        fprintf(stderr, "cajal datasets: --index is for data sets, not for a file\n");
        return EXIT_USAGE;
    }
    if (file)
        return finish(describe_file(words[1], path));
    if (known && looks)
        return look(words[1], path, index);
    if (words[1] && !known)
        return EXIT_USAGE;
    print_help(self, options, 4, stderr);
    return EXIT_USAGE;
}
