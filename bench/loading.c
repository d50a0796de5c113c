// How fast data is read: decoded pictures of a folder, batch by batch as training reads them, and rows
// of a CSV file. bench/loading_peer.py does the same by PyTorch's DataLoader, Keras and pandas, and
// writes the folder and the file.
//
//     loading pictures FOLDER [SIDE] [THREADS] [PASSES]      passes after the first come from a cache
//     loading table FILE
#define _POSIX_C_SOURCE 200809L
#include "data/dataset.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { BATCH = 32 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cj_status read_passes(cj_dataset *data, int passes)
{
    cj__reader *reader;
    cj__batch batch;
    CJ_TRY(cj__reader_new(data, BATCH, false, &reader));
    for (int pass = 0; pass < passes; pass++) {
        const double begin = now();
        int64_t count = 0;
        cj__reader_set_pass(reader, (uint64_t)pass);
        cj__reader_start(reader, NULL, 0);
        while (cj__reader_next(reader, &batch))
            count += batch.count;
        const double took = now() - begin;
        printf("pass %d: %lld pictures in %.3f s, %.0f a second\n", pass + 1, (long long)count,
               took, (double)count / took);
    }
    const cj_status status = cj__reader_status(reader);
    cj__reader_free(reader);
    return status;
}

static cj_status pictures(const char *folder, int64_t side, int threads, int passes)
{
    cj_dataset *data;
    CJ_TRY(cj_load_image_folder(folder, &data, NULL, .image_size = {side, side}, .stream = true,
                                .shuffle = false,
                                .cache_bytes = passes > 1 ? (int64_t)1 << 32 : 0));
    data = cj_take(cj_dataset_prefetch(data, .threads = threads, .batches = 4));
    const cj_status status = data ? read_passes(data, passes) : cj_error_status();
    cj_release(data);
    return status;
}

static cj_status table(const char *path)
{
    struct stat facts = {0};
    cj_table *table;
    const double begin = now();
    CJ_TRY(cj_load_csv(path, &table));
    const double took = now() - begin;
    stat(path, &facts);
    printf("%lld rows of %d columns in %.3f s, %.0f MB a second\n", (long long)cj_table_rows(table),
           cj_table_columns(table), took, 1e-6 * (double)facts.st_size / took);
    cj_release(table);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    const long side = argc > 3 ? strtol(argv[3], NULL, 10) : 64;
    const long threads = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    const long passes = argc > 5 ? strtol(argv[5], NULL, 10) : 1;
    if (argc > 2 && strcmp(argv[1], "pictures") == 0)
        return cj_report(pictures(argv[2], side, (int)threads, (int)passes));
    if (argc > 2 && strcmp(argv[1], "table") == 0)
        return cj_report(table(argv[2]));
    fprintf(stderr, "usage: loading pictures FOLDER [SIDE] [THREADS] [PASSES], or table FILE\n");
    return 2;
}
