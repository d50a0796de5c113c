// Initializers against Keras's formulas: moments and limits of large samples; see
// generator/initializers.py.
#include "fixture.h"
#include "layers/layer.h"

#include <math.h>
#include <stdlib.h>

// Whether Q^T Q (or Q Q^T, for a wide matrix) of the flattened kernel is gain^2 I.
static bool orthogonal(const float *q, int64_t rows, int64_t columns, double gain)
{
    const bool wide = rows < columns;
    const int64_t n = wide ? rows : columns, depth = wide ? columns : rows;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t k = 0; k < depth; k++)
                sum += wide ? (double)q[i * columns + k] * q[j * columns + k] :
                              (double)q[k * columns + i] * q[k * columns + j];
            if (!support_near(sum, i == j ? gain * gain : 0, 1e-5, 0))
                return false;
        }
    return true;
}

static bool moments(const json_t *one, const float *data, int64_t count)
{
    double sum = 0, squares = 0, least = INFINITY, greatest = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        sum += data[i];
        squares += (double)data[i] * data[i];
        least = fmin(least, data[i]);
        greatest = fmax(greatest, data[i]);
    }
    const double mean = sum / (double)count,
                 stddev = sqrt(fmax(squares / (double)count - mean * mean, 0));
    const double wanted = fixture_number(one, "stddev"),
                 error = 5 * wanted / sqrt((double)count) + 1e-6;
    bool right = support_near(mean, fixture_number(one, "mean"), error, 0) &&
                 support_near(stddev, wanted, error, 0);
    // one rounding to float32 past the limits is allowed
    if (json_is_number(json_object_get(one, "low")))
        right = right && least >= fixture_number(one, "low") - 1e-6 &&
                greatest <= fixture_number(one, "high") + 1e-6;
    if (!right)
        print_message("mean %g, deviation %g, from %g to %g\n", mean, stddev, least, greatest);
    return right;
}

// Element by element: Keras computes in float, here it is done in double.
static bool exact(const fixture *file, const json_t *one, const float *data, int64_t count)
{
    cj_tensor *expected = fixture_tensor(file, fixture_case_name(one), "exact");
    bool right = cj_tensor_count(expected) == count;
    for (int64_t i = 0; right && i < count; i++)
        right = support_near((double)data[i], (double)((const float *)cj_tensor_data(expected))[i],
                             1e-5, 0);
    cj_release(expected);
    return right;
}

static bool equals_keras(const fixture *file, const json_t *one)
{
    const json_t *lengths = json_object_get(one, "shape");
    cj_shape shape = {.rank = (int)json_array_size(lengths)};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = json_integer_value(json_array_get(lengths, (size_t)i));
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &tensor), CJ_OK);
    const int64_t count = cj_tensor_count(tensor), columns = shape.dims[shape.rank - 1];
    const float *data = cj_tensor_data(tensor);
    bool right = cj__initialize(tensor, fixture_text(one, "spec"), "parity", 7) == CJ_OK;
    if (right && fixture_has(file, fixture_case_name(one), "exact"))
        right = exact(file, one, data, count);
    else if (right && json_is_number(json_object_get(one, "orthogonal")))
        right = orthogonal(data, count / columns, columns, fixture_number(one, "orthogonal"));
    else if (right)
        right = moments(one, data, count);
    cj_release(tensor);
    return right;
}

static void initializers_follow_keras(void **state)
{
    (void)state;
    fixture_run("initializers", equals_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(initializers_follow_keras)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
