// What the examples share: their data, and fewer of them where CAJAL_EXAMPLE_SAMPLES says so.
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <cajal.h>
#include <stdlib.h>

// Keeps the first `count` samples of a data set.
static inline cj_status keep_first(cj_dataset **data, int64_t count)
{
    cj_dataset *part;
    if (count <= 0 || count >= cj_dataset_count(*data))
        return CJ_OK;
    CJ_TRY(cj_dataset_slice(*data, 0, count, &part));
    cj_release(*data);
    *data = part;
    return CJ_OK;
}

// The number of samples that the environment asks for; 0 for all.
static inline int64_t sample_limit(void)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES");
    return limit != NULL ? strtoll(limit, NULL, 10) : 0;
}

// Handwritten digits: MNIST where it is found, digits that the library draws elsewhere.
static inline cj_status load_digits(cj_dataset **train, cj_dataset **test)
{
    CJ_TRY(cj_load_dataset("auto", train, test));
    CJ_TRY(keep_first(train, sample_limit()));
    return keep_first(test, sample_limit());
}

#endif
