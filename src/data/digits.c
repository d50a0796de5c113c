// Digits: the data set that is always at hand, because the library draws it.
#include "base/args.h"
#include "base/fields.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "data/pen.h"
#include "tensor/tensor.h"
#include <cajal/data.h>

enum { PIXELS = CJ__DIGIT_SIDE * CJ__DIGIT_SIDE };

typedef struct sheet {
    uint64_t key;
    unsigned char *images, *labels;
} sheet;

static void draw_range(void *context, int64_t begin, int64_t end)
{
    const sheet *s = context;
    for (int64_t i = begin; i < end; i++)
        s->labels[i] = (unsigned char)cj__draw_digit(s->key, (uint64_t)i, s->images + i * PIXELS);
}

static cj_status draw_set(uint64_t seed, const char *consumer, int64_t count, cj_pool *pool,
                          cj_dataset **data)
{
    *data = NULL;
    cj_tensor *images = NULL, *labels = NULL;
    cj_status status =
        cj_tensor_new(CJ_U8, CJ_SHAPE(count, CJ__DIGIT_SIDE, CJ__DIGIT_SIDE, 1), &images);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_U8, CJ_SHAPE(count), &labels);
    if (status != CJ_OK) {
        cj_release(images);
        return status;
    }
    sheet s = {cj__key(seed, consumer), (unsigned char *)images->data,
               (unsigned char *)labels->data};
    cj__parallel(pool, count, 256, draw_range, &s);
    *data = cj_dataset(.x = {images}, .y = {labels});
    return *data ? CJ_OK : cj_error_status();
}

CJ__DEFAULTS(load_digits, LOAD_DIGITS)

cj_status cj_load_digits_with(cj_dataset **train, cj_dataset **test,
                              const cj_load_digits_args *args)
{
    cj_load_digits_args given;
    if (!train || !test)
        return cj__fail_null("cj_load_digits: the place for a data set");
    *train = *test = NULL;
    CJ_TRY(cj__args_read("cj_load_digits", args, &load_digits_defaults, sizeof given, &given));
    if (given.train_count < 1 || given.test_count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "digits: %lld training and %lld test images, it needs at least 1 of each",
                        (long long)given.train_count, (long long)given.test_count);
    cj_pool *pool = cj_pool_new(0);
    if (!pool)
        return cj_error_status();
    cj_status status = draw_set(given.seed, "digits train", given.train_count, pool, train);
    if (status == CJ_OK)
        status = draw_set(given.seed, "digits test", given.test_count, pool, test);
    cj_release(pool);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
    }
    return status;
}
