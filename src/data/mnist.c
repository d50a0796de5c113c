// MNIST and Fashion-MNIST from the user's disk, and data sets by name.
#include "base/error.h"
#include "base/system.h"
#include "base/text.h"
#include "data/places.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 28, CLASSES = 10 };

// Writes the path of `part` ("train-images", 3) in `folder` if it is there: with a dash as
// published or with a dot, as some copies have it; plain or packed.
static bool find_file(const char *folder, const char *part, int rank, char path[CJ__PATH_SIZE])
{
    for (int form = 0; form < 4; form++) {
        char joint = form < 2 ? '-' : '.';
        const char *packed = form % 2 ? ".gz" : "";
        int length = snprintf(path, CJ__PATH_SIZE, "%s/%s%cidx%d-ubyte%s", folder, part, joint,
                              rank, packed);
        if (length > 0 && length < CJ__PATH_SIZE && cj__path_readable(path))
            return true;
    }
    return false;
}

// The two halves of MNIST, and what they are called on disk.
typedef struct half {
    const char *images, *labels;
} half;

static const half halves[2] = {{"train-images", "train-labels"}, {"t10k-images", "t10k-labels"}};

static bool has_all(const char *folder)
{
    char path[CJ__PATH_SIZE];
    for (int i = 0; i < 2; i++)
        if (!find_file(folder, halves[i].images, 3, path) ||
            !find_file(folder, halves[i].labels, 1, path))
            return false;
    return true;
}

// The first folder that has all four files, or NULL.
static const char *find_folder(const cj__places *p)
{
    for (int i = 0; i < p->count; i++)
        if (has_all(p->path[i]))
            return p->path[i];
    return NULL;
}

static cj_status check_half(const cj_tensor *images, const cj_tensor *labels, const char *path)
{
    if (images->dtype != CJ_U8 || images->shape.rank != 3 || images->shape.dims[1] != SIDE ||
        images->shape.dims[2] != SIDE || labels->dtype != CJ_U8 || labels->shape.rank != 1)
        return cj__fail(
            CJ_BAD_FILE,
            "%s: MNIST and its like need bytes of shape (samples, 28, 28) and labels (samples)",
            path);
    if (images->shape.dims[0] != labels->shape.dims[0])
        return cj__fail(CJ_BAD_FILE, "%s: %lld labels for %lld images", path,
                        (long long)labels->shape.dims[0], (long long)images->shape.dims[0]);
    const unsigned char *label = (const unsigned char *)labels->data;
    for (int64_t i = 0; i < labels->shape.dims[0]; i++)
        if (label[i] >= CLASSES)
            return cj__fail(CJ_BAD_FILE, "%s: label %d of image %lld, it needs 0 to 9", path,
                            label[i], (long long)i);
    return CJ_OK;
}

static cj_status load_half(const char *folder, const half *names, cj_dataset **data)
{
    char path[CJ__PATH_SIZE];
    cj_tensor *images = NULL, *labels = NULL, *shaped = NULL;
    find_file(folder, names->images, 3, path);
    cj_status status = cj_load_idx(path, &images);
    if (status == CJ_OK) {
        find_file(folder, names->labels, 1, path);
        status = cj_load_idx(path, &labels);
    }
    if (status == CJ_OK)
        status = check_half(images, labels, path);
    if (status == CJ_OK)
        status = cj_tensor_reshape(images, CJ_SHAPE(images->shape.dims[0], SIDE, SIDE, 1), &shaped);
    cj_release(images); // the view keeps it
    if (status != CJ_OK) {
        cj_release(labels);
        return status;
    }
    *data = cj_dataset(.x = {shaped}, .y = {labels});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status load_from(const char *folder, cj_dataset **train, cj_dataset **test)
{
    *train = *test = NULL;
    cj_status status = load_half(folder, &halves[0], train);
    if (status == CJ_OK)
        status = load_half(folder, &halves[1], test);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
    }
    return status;
}

// A set of MNIST's four files, looked for by its name and in `folders`.
static cj_status load_set(const char *name, const char *const *folders, cj_dataset **train,
                          cj_dataset **test)
{
    cj__places p;
    cj__places_of(name, folders, &p);
    *train = *test = NULL;
    const char *folder = find_folder(&p);
    return folder ? load_from(folder, train, test) :
                    cj__places_fail(&p, name, "its four files are");
}

cj_status cj_load_mnist(cj_dataset **train, cj_dataset **test)
{
    static const char *const folders[] = {"mnist", "", NULL};
    if (!train || !test)
        return cj__fail_null("cj_load_mnist: the place for a data set");
    return load_set("mnist", folders, train, test);
}

// Its files have the names of MNIST's: they need a folder that says so.
cj_status cj_load_fashion_mnist(cj_dataset **train, cj_dataset **test)
{
    static const char *const folders[] = {"fashion-mnist", NULL};
    if (!train || !test)
        return cj__fail_null("cj_load_fashion_mnist: the place for a data set");
    return load_set("fashion-mnist", folders, train, test);
}

static cj_status load_digits(cj_dataset **train, cj_dataset **test)
{
    return cj_load_digits(train, test);
}

// Falls back only if a set is absent: damaged files are an error.
static cj_status load_auto(cj_dataset **train, cj_dataset **test)
{
    cj_status status = cj_load_mnist(train, test);
    if (status == CJ_NOT_FOUND)
        status = cj_load_fashion_mnist(train, test);
    if (status != CJ_NOT_FOUND)
        return status;
    cj__error_forget();
    return load_digits(train, test);
}

typedef struct named {
    const char *name;
    cj_status (*load)(cj_dataset **train, cj_dataset **test);
} named;

static const named names[] = {{"mnist", cj_load_mnist},
                              {"fashion-mnist", cj_load_fashion_mnist},
                              {"cifar10", cj_load_cifar10},
                              {"digits", load_digits},
                              {"auto", load_auto}};

cj_status cj_load_dataset(const char *name, cj_dataset **train, cj_dataset **test)
{
    const int count = (int)(sizeof names / sizeof *names);
    if (!name || !train || !test)
        return cj__fail_null(name ? "cj_load_dataset: the place for a data set" :
                                    "cj_load_dataset: the name of the data set");
    for (int i = 0; i < count; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].load(train, test);
    *train = *test = NULL;
    return cj__fail_unknown(CJ_INVALID_ARGUMENT, "data set", name, names, sizeof *names, count);
}
