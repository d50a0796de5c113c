// The reader of the fixtures; see fixture.h.
#include "fixture.h"
#include "base/object.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture_worst {
    double share; // of the tolerance
    char where[160];
    size_t compared;
};

static const struct {
    const char *name;
    cj_dtype dtype;
} DTYPES[] = {{"F32", CJ_F32}, {"F64", CJ_F64}, {"I32", CJ_I32},
              {"I64", CJ_I64}, {"U8", CJ_U8},   {"BOOL", CJ_BOOL}};

const char *fixture_folder = CAJAL_TEST_SOURCES "/parity/fixtures";

fixture *fixture_open(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.safetensors", fixture_folder, name);
    fixture *file = calloc(1, sizeof *file);
    assert_non_null(file);
    file->worst = calloc(1, sizeof *file->worst);
    assert_non_null(file->worst);
    size_t size = 0;
    file->bytes = support_read(path, &size);
    assert_true(size > 8);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | file->bytes[i];
    assert_true(length <= size - 8);
    file->data = file->bytes + 8 + length;
    file->data_size = size - 8 - (size_t)length;
    json_error_t error;
    file->header = json_loadb((const char *)file->bytes + 8, (size_t)length, 0, &error);
    assert_non_null(file->header);
    const json_t *metadata = json_object_get(file->header, "__metadata__");
    file->cases = json_loads(fixture_text(metadata, "cases"), 0, &error);
    assert_true(json_is_array(file->cases));
    file->rtol = strtod(fixture_text(metadata, "rtol"), NULL);
    file->atol = strtod(fixture_text(metadata, "atol"), NULL);
    return file;
}

void fixture_close(fixture *file)
{
    json_decref(file->header);
    json_decref(file->cases);
    free(file->bytes);
    free(file->worst);
    free(file);
}

size_t fixture_count(const fixture *file)
{
    return json_array_size(file->cases);
}

const json_t *fixture_case(const fixture *file, size_t index)
{
    return json_array_get(file->cases, index);
}

const char *fixture_case_name(const json_t *one)
{
    return fixture_text(one, "name");
}

const char *fixture_text(const json_t *one, const char *key)
{
    const char *text = json_string_value(json_object_get(one, key));
    return text ? text : "";
}

double fixture_number(const json_t *one, const char *key)
{
    return json_number_value(json_object_get(one, key));
}

bool fixture_flag(const json_t *one, const char *key)
{
    return json_is_true(json_object_get(one, key));
}

static const json_t *entry(const fixture *file, const char *case_name, const char *part)
{
    char name[256];
    snprintf(name, sizeof name, "%s/%s", case_name, part);
    return json_object_get(file->header, name);
}

bool fixture_has(const fixture *file, const char *case_name, const char *part)
{
    return entry(file, case_name, part) != NULL;
}

cj_tensor *fixture_tensor(const fixture *file, const char *case_name, const char *part)
{
    const json_t *found = entry(file, case_name, part);
    if (!found)
        fail_msg("the fixture has no %s/%s", case_name, part);
    cj_dtype dtype = CJ_DTYPE_COUNT;
    for (size_t i = 0; i < sizeof DTYPES / sizeof DTYPES[0]; i++)
        if (strcmp(DTYPES[i].name, fixture_text(found, "dtype")) == 0)
            dtype = DTYPES[i].dtype;
    assert_int_not_equal(dtype, CJ_DTYPE_COUNT);
    const json_t *lengths = json_object_get(found, "shape");
    const json_t *offsets = json_object_get(found, "data_offsets");
    cj_shape shape = {.rank = (int)json_array_size(lengths)};
    assert_true(shape.rank <= CJ_MAX_RANK);
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = json_integer_value(json_array_get(lengths, (size_t)i));
    size_t begin = (size_t)json_integer_value(json_array_get(offsets, 0));
    size_t end = (size_t)json_integer_value(json_array_get(offsets, 1));
    assert_true(begin <= end && end <= file->data_size);
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    assert_int_equal((size_t)cj_tensor_count(tensor) * cj_dtype_size(dtype), end - begin);
    // the file may be unaligned for the dtype
    memcpy(cj_tensor_data(tensor), file->data + begin, end - begin);
    return cj__own(tensor); // never floating: a graph that uses it does not take it over
}

// Element `i` of a contiguous tensor of any real or integer dtype.
static double element(const cj_tensor *tensor, int64_t i)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    int64_t index[CJ_MAX_RANK] = {0};
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        index[axis] = i % shape->dims[axis];
        i /= shape->dims[axis];
    }
    return cj_tensor_get(tensor, index);
}

// Notes an error, and returns by how much it is too great: 0 if it is within the tolerance.
static double excess_of(const fixture *file, const char *case_name, const char *part, double actual,
                        double expected)
{
    const double error = fabs(actual - expected),
                 allowed = file->atol + file->rtol * fabs(expected);
    struct fixture_worst *worst = file->worst;
    worst->compared++;
    if (isfinite(error) && allowed > 0 && error / allowed > worst->share) {
        worst->share = error / allowed;
        snprintf(worst->where, sizeof worst->where, "%s/%s", case_name, part);
    }
    if (support_near(actual, expected, file->atol, file->rtol))
        return 0;
    return isnan(error) ? INFINITY : error;
}

bool fixture_near(const fixture *file, const char *case_name, const char *part, double actual,
                  double expected)
{
    if (excess_of(file, case_name, part, actual, expected) <= 0)
        return true;
    print_message("%s/%s: %.9g, Keras has %.9g\n", case_name, part, actual, expected);
    return false;
}

bool fixture_compare(const fixture *file, const char *case_name, const char *part,
                     const cj_tensor *actual)
{
    cj_tensor *expected = fixture_tensor(file, case_name, part);
    const int64_t count = cj_tensor_count(expected);
    int64_t worst = -1;
    double greatest = 0;
    const bool same = cj_tensor_count(actual) == count;
    for (int64_t i = 0; same && i < count; i++) {
        const double excess =
            excess_of(file, case_name, part, element(actual, i), element(expected, i));
        if (excess > greatest) {
            greatest = excess;
            worst = i;
        }
    }
    if (!same)
        print_message("%s/%s: %lld elements, Keras has %lld\n", case_name, part,
                      (long long)cj_tensor_count(actual), (long long)count);
    else if (worst >= 0)
        print_message("%s/%s: element %lld is %.9g, Keras has %.9g\n", case_name, part,
                      (long long)worst, element(actual, worst), element(expected, worst));
    cj_release(expected);
    return same && worst < 0;
}

const json_t *fixture_find(const fixture *file, const char *case_name)
{
    for (size_t i = 0; i < fixture_count(file); i++)
        if (strcmp(fixture_case_name(fixture_case(file, i)), case_name) == 0)
            return fixture_case(file, i);
    fail_msg("the fixture has no case %s", case_name);
    return NULL;
}

void fixture_report(const fixture *file, const char *name)
{
    if (file->worst->compared > 0)
        print_message("%s: %zu numbers, the greatest error is %.2g of the tolerance (%s)\n", name,
                      file->worst->compared, file->worst->share, file->worst->where);
}

const char *fixture_part(const char *stem, int number)
{
    static char buffers[8][32];
    static int next;
    char *buffer = buffers[next++ % 8];
    snprintf(buffer, sizeof buffers[0], "%s%d", stem, number);
    return buffer;
}

void fixture_run(const char *name, bool (*body)(const fixture *file, const json_t *one))
{
    fixture *file = fixture_open(name);
    size_t wrong = 0, count = fixture_count(file);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = fixture_case(file, i);
        cj_error_clear();
        if (!body(file, one)) {
            print_message("FAILED %s: %s\n", fixture_case_name(one), cj_error());
            wrong++;
        }
    }
    fixture_report(file, name);
    fixture_close(file);
    if (wrong)
        fail_msg("%zu of %zu cases of %s differ from Keras", wrong, count, name);
}
