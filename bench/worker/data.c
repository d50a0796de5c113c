// Random data, of any shapes.
#include "workload.h"

#include <string.h>

cj_status random_tensor(cj_dtype dtype, cj_shape shape, int64_t below, uint64_t seed,
                        cj_tensor **tensor)
{
    CJ_TRY(cj_tensor_new(dtype, shape, tensor));
    uint64_t state = seed * 2654435761u + 1;
    const int64_t count = cj_tensor_count(*tensor);
    void *data = cj_tensor_data(*tensor);
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
        if (dtype == CJ_U8)
            ((uint8_t *)data)[i] = (uint8_t)((state >> 56) % (uint64_t)below);
        else if (dtype == CJ_I32)
            ((int32_t *)data)[i] = (int32_t)((state >> 32) % (uint64_t)below);
        else
            ((float *)data)[i] = (float)(state >> 40) * (2.0f / 16777216) - 1;
    }
    return CJ_OK;
}

cj_dtype input_dtype(const network *net)
{
    static const cj_dtype dtypes[] = {
        [BYTES] = CJ_U8, [WORDS] = CJ_I32, [PADDED] = CJ_I32, [TEXT] = CJ_I32, [REALS] = CJ_F32};
    return dtypes[net->content];
}

cj_shape input_shape(const network *net, int index, int64_t count)
{
    const cj_shape *sample = index == 0 ? &net->sample : &net->second;
    cj_shape shape = {.rank = sample->rank + 1, .dims = {count}};
    memcpy(shape.dims + 1, sample->dims, (size_t)sample->rank * sizeof *shape.dims);
    return shape;
}

int input_count(const network *net)
{
    return net->second.rank > 0 ? 2 : 1;
}

// Zeros at the end of each sample of `steps` words.
static void pad(int32_t *words, int64_t samples, int64_t steps)
{
    for (int64_t i = 0; i < samples; i++) {
        const int64_t kept = steps - i * 7919 % (steps / 2);
        for (int64_t t = 0; t < steps; t++)
            words[i * steps + t] = t < kept ? words[i * steps + t] | 1 : 0;
    }
}

cj_status random_input(const network *net, int index, int64_t count, cj_tensor **tensor)
{
    const int64_t steps = net->sample.dims[0];
    const bool bytes = net->content == BYTES || net->content == REALS;
    CJ_TRY(random_tensor(input_dtype(net), input_shape(net, index, count), bytes ? 256 : net->words,
                         1 + 2 * (uint64_t)index, tensor));
    int32_t *words = cj_tensor_data(*tensor);
    if (net->content == PADDED)
        pad(words, count, steps);
    if (net->content == TEXT && index == 1) {
        for (int64_t i = 0; i < count * steps; i++)
            words[i] = (int32_t)(i % steps);
    }
    return CJ_OK;
}

// A label a sample, or a word; in a column where the loss compares numbers.
static cj_shape label_shape(const network *net, int64_t count)
{
    if (net->content == TEXT)
        return input_shape(net, 0, count);
    return net->loss ? CJ_SHAPE(count, 1) : CJ_SHAPE(count);
}

// The bytes of x from 0 to 1, or only these two.
static cj_status targets_of(const network *net, cj_tensor *x, cj_tensor **y)
{
    CJ_TRY(cj_tensor_new(CJ_F32, *cj_tensor_shape(x), y));
    const bool binary = net->loss && strcmp(net->loss, "binary_crossentropy") == 0;
    const uint8_t *bytes = cj_tensor_data(x);
    float *wanted = cj_tensor_data(*y);
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        wanted[i] = binary ? (float)(bytes[i] > 127) : (float)bytes[i] / 255;
    return CJ_OK;
}

cj_status random_data(const network *net, int64_t count, cj_dataset **data)
{
    cj_tensor *x[2] = {NULL}, *y = NULL;
    const int inputs = input_count(net);
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < inputs; i++)
        status = random_input(net, i, count, &x[i]);
    if (status == CJ_OK)
        status = net->classes > 0 ?
                     random_tensor(CJ_U8, label_shape(net, count), net->classes, 2, &y) :
                     targets_of(net, x[0], &y);
    if (status != CJ_OK) {
        cj_release(x[0]);
        cj_release(x[1]);
        cj_release(y);
        return status;
    }
    *data = cj_dataset(.x_list = x, .x_count = inputs, .y = {y}); // takes all over
    return *data ? CJ_OK : cj_error_status();
}
