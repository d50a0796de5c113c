// CIFAR-10 from the user's disk, in the binary version: https://www.cs.toronto.edu/~kriz/cifar.html
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "data/mapped.h"
#include "data/places.h"
#include "tensor/tensor.h"
#include <cajal/arrays.h>
#include <cajal/streams.h>
#include <stdio.h>
#include <string.h>

enum {
    SIDE = 32,
    PLANE = SIDE * SIDE,
    COLOURS = 3,
    PIXELS = PLANE * COLOURS,
    RECORD = 1 + PIXELS, // a label, then the planes of red, green and blue
    RECORDS_MAX = 10000, // in a file
    CLASSES = 10,
    BATCHES = 5,
};

static const char *const train_files[BATCHES] = {"data_batch_1.bin", "data_batch_2.bin",
                                                 "data_batch_3.bin", "data_batch_4.bin",
                                                 "data_batch_5.bin"};
static const char *const test_files[1] = {"test_batch.bin"};

static bool file_path(const char *folder, const char *name, char path[CJ__PATH_SIZE])
{
    const int length = snprintf(path, CJ__PATH_SIZE, "%s/%s", folder, name);
    return length > 0 && length < CJ__PATH_SIZE;
}

static bool has_all(const char *folder)
{
    char path[CJ__PATH_SIZE];
    bool all = file_path(folder, test_files[0], path) && cj__path_readable(path);
    for (int i = 0; i < BATCHES; i++)
        all = all && file_path(folder, train_files[i], path) && cj__path_readable(path);
    return all;
}

// How many records a file has, by its size.
static cj_status count_records(const char *path, int64_t *records)
{
    FILE *file;
    uint64_t size;
    CJ_TRY(cj__file_open(path, &file, &size));
    fclose(file);
    *records = (int64_t)(size / RECORD);
    if (size % RECORD != 0 || *records < 1 || *records > RECORDS_MAX)
        return cj__fail(CJ_BAD_FILE, "%s: %llu bytes are not 1 to %d records of %d bytes", path,
                        (unsigned long long)size, RECORDS_MAX, RECORD);
    return CJ_OK;
}

// Reads `records` records: planes become the last axis.
static cj_status read_records(const char *path, int64_t records, uint8_t *images, uint8_t *labels)
{
    uint8_t record[RECORD];
    cj_status status = CJ_OK;
    FILE *file;
    uint64_t size;
    CJ_TRY(cj__file_open(path, &file, &size));
    for (int64_t i = 0; status == CJ_OK && i < records; i++, images += PIXELS) {
        if (fread(record, 1, RECORD, file) != RECORD) {
            status = cj__fail(CJ_IO, "%s: it ends within record %lld, or cannot be read", path,
                              (long long)i);
        } else if (record[0] >= CLASSES) {
            status = cj__fail(CJ_BAD_FILE, "%s: label %d of image %lld, it needs 0 to 9", path,
                              record[0], (long long)i);
        } else {
            labels[i] = record[0];
            for (int p = 0; p < PLANE; p++)
                for (int c = 0; c < COLOURS; c++)
                    images[p * COLOURS + c] = record[1 + c * PLANE + p];
        }
    }
    fclose(file);
    return status;
}

// One half of the data set out of some files, one after the other.
static cj_status load_files(const char *folder, const char *const *names, int count,
                            cj_dataset **data)
{
    char path[CJ__PATH_SIZE];
    int64_t records[BATCHES], all = 0, done = 0;
    cj_tensor *images = NULL, *labels = NULL;
    for (int i = 0; i < count; i++) {
        file_path(folder, names[i], path);
        CJ_TRY(count_records(path, &records[i]));
        all += records[i];
    }
    cj_status status = cj_tensor_new(CJ_U8, CJ_SHAPE(all, SIDE, SIDE, COLOURS), &images);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_U8, CJ_SHAPE(all), &labels);
    for (int i = 0; status == CJ_OK && i < count; i++) {
        file_path(folder, names[i], path);
        status = read_records(path, records[i], (uint8_t *)images->data + done * PIXELS,
                              (uint8_t *)labels->data + done);
        done += records[i];
    }
    if (status != CJ_OK) {
        cj_release(images);
        cj_release(labels);
        return status;
    }
    *data = cj_dataset(.x = {images}, .y = {labels});
    return *data ? CJ_OK : cj_error_status();
}

// A view of other lengths and strides than its base has.
static cj_status view(cj_tensor *base, const cj_shape *shape, size_t begin, const int64_t *strides,
                      cj_tensor **tensor)
{
    CJ_TRY(cj__tensor_over(CJ_U8, shape, base->data + begin, tensor));
    memcpy((*tensor)->strides, strides, (size_t)shape->rank * sizeof *strides);
    (*tensor)->base = cj_retain(base);
    return CJ_OK;
}

// The records of one file: a label, then three planes of bytes.
static cj_status map_records(const char *path, cj_dataset **data)
{
    cj__mapping m;
    cj_tensor *records = NULL, *images = NULL, *labels = NULL;
    CJ_TRY(cj__mapping_open(path, &m));
    const int64_t count = (int64_t)(m.size / RECORD);
    cj_status status =
        m.size % RECORD == 0 ?
            cj__mapped_tensor(&m, CJ_U8, &CJ_SHAPE(count, RECORD), 0, &records) :
            cj__fail(CJ_BAD_FILE, "%s: %zu bytes are no whole number of records of %d", path,
                     m.size, RECORD);
    cj__mapping_close(&m);
    if (status == CJ_OK)
        status = view(records, &CJ_SHAPE(count, SIDE, SIDE, COLOURS), 1,
                      (int64_t[]){RECORD, SIDE, 1, PLANE}, &images);
    if (status == CJ_OK)
        status = view(records, &CJ_SHAPE(count), 0, (int64_t[]){RECORD}, &labels);
    cj_release(records); // the views hold it
    if (status == CJ_OK) {
        *data = cj_dataset(.x = {images}, .y = {labels});
        return *data ? CJ_OK : cj_error_status();
    }
    cj_release(images);
    cj_release(labels);
    return status;
}

// Files one after the other, as one data set.
static cj_status map_files(const char *folder, const char *const *names, int count,
                           cj_dataset **data)
{
    for (int i = 0; i < count; i++) {
        char path[CJ__PATH_SIZE];
        cj_dataset *next = NULL;
        file_path(folder, names[i], path);
        CJ_TRY(map_records(path, &next));
        cj_dataset *both = *data ? cj_dataset_concatenate(*data, next) : next;
        *data = NULL; // it is in `both`
        CJ_TRY(both ? CJ_OK : cj_error_status());
        *data = both;
    }
    return CJ_OK;
}

typedef cj_status load_function(const char *folder, const char *const *names, int count,
                                cj_dataset **data);

// Both halves, where they lie.
static cj_status load_both(load_function *load, cj_dataset **train, cj_dataset **test)
{
    static const char *const folders[] = {"cifar-10-batches-bin", "cifar10", "", NULL};
    const char *folder = NULL;
    cj__places p;
    *train = *test = NULL;
    cj__places_of("cifar10", folders, &p);
    for (int i = 0; i < p.count && !folder; i++)
        if (has_all(p.path[i]))
            folder = p.path[i];
    if (!folder)
        return cj__places_fail(&p, "cifar10", "its six files are");
    cj_status status = load(folder, train_files, BATCHES, train);
    if (status == CJ_OK)
        status = load(folder, test_files, 1, test);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
    }
    return status;
}

cj_status cj_load_cifar10(cj_dataset **train, cj_dataset **test)
{
    if (!train || !test)
        return cj__fail_null("cj_load_cifar10: the place for a data set");
    return load_both(load_files, train, test);
}

cj_status cj_map_cifar10(cj_dataset **train, cj_dataset **test)
{
    if (!train || !test)
        return cj__fail_null("cj_map_cifar10: the place for a data set");
    return load_both(map_files, train, test);
}
