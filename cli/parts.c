// The parts that a data set comes in, for tests by turns: see cli.h.
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { TRAINING_PARTS = 5 };

// Two tensors of one kind, one after the other along the first axis.
static cj_status join(const cj_tensor *a, const cj_tensor *b, cj_tensor **both)
{
    cj_tensor *half = NULL;
    cj_shape shape = *cj_tensor_shape(a);
    const int64_t count = shape.dims[0];
    if (cj_tensor_dtype(a) == CJ_STRING)
        return cj_fail(CJ_UNSUPPORTED, "parts of texts cannot be tested in turn");
    shape.dims[0] += cj_tensor_shape(b)->dims[0];
    CJ_TRY(cj_tensor_new(cj_tensor_dtype(a), shape, both));
    cj_status status = cj_tensor_slice(*both, 0, 0, count, &half);
    if (status == CJ_OK)
        status = cj_tensor_copy(half, a);
    cj_release(half);
    half = NULL;
    if (status == CJ_OK)
        status = cj_tensor_slice(*both, 0, count, shape.dims[0] - count, &half);
    if (status == CJ_OK)
        status = cj_tensor_copy(half, b);
    cj_release(half);
    if (status != CJ_OK) {
        cj_release(*both);
        *both = NULL;
    }
    return status;
}

static cj_status make_folds(cj_dataset *all, int64_t training, cj_folds **folds)
{
    const int64_t count = cj_dataset_count(all);
    cj_tensor *of = NULL;
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(count), &of));
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)cj_tensor_data(of))[i] =
            i < training ? (int32_t)(i * TRAINING_PARTS / training) : TRAINING_PARTS;
    const cj_status status = cj_k_fold(all, folds, .fold_of = of);
    cj_release(of);
    return status;
}

cj_status join_parts(const cj_dataset *train, const cj_dataset *test, cj_dataset **all,
                     cj_folds **folds)
{
    cj_tensor *x[CJ_IN_BRACES] = {NULL}, *y[CJ_IN_BRACES] = {NULL};
    cj_status status = CJ_OK;
    *all = NULL;
    *folds = NULL;
    if (cj_dataset_count(train) < TRAINING_PARTS)
        return cj_fail(CJ_INVALID_ARGUMENT, "%lld training samples do not make %d parts",
                       (long long)cj_dataset_count(train), TRAINING_PARTS);
    if (!cj_dataset_x(train, 0) || !cj_dataset_x(test, 0))
        return cj_fail(CJ_UNSUPPORTED,
                       "the samples are not in memory: parts cannot be made of them");
    for (int i = 0; status == CJ_OK && i < CJ_IN_BRACES && cj_dataset_x(train, i); i++)
        status = join(cj_dataset_x(train, i), cj_dataset_x(test, i), &x[i]);
    for (int i = 0; status == CJ_OK && i < CJ_IN_BRACES && cj_dataset_y(train, i); i++)
        status = join(cj_dataset_y(train, i), cj_dataset_y(test, i), &y[i]);
    if (status == CJ_OK) {
        cj_dataset_args args = {CJ_DATASET_DEFAULTS};
        memcpy(args.x, x, sizeof x);
        if (y[0])
            memcpy(args.y, y, sizeof y);
        *all = cj_dataset_new(&args);
        status = *all ? make_folds(*all, cj_dataset_count(train), folds) : cj_error_status();
    } else {
        for (int i = 0; i < CJ_IN_BRACES; i++) {
            cj_release(x[i]);
            cj_release(y[i]);
        }
    }
    if (status != CJ_OK) {
        cj_release(*all);
        *all = NULL;
    }
    return status;
}
