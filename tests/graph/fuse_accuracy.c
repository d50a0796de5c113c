// The pass fuse_accuracy: the count has the bits of argmax, comparison and sum one by one, and what
// is not such a chain, or is read by somebody else, is left alone.
#include "fixture.h"

#include <math.h>
#include <string.h>

enum { ROWS = 70, STEPS = 3, CLASSES = 13, ODD = 5 };

typedef enum form {
    SPARSE,      // labels are given
    CATEGORICAL, // labels are the argmax of the targets
    SWAPPED,     // the comparison's sides exchanged
    SEQUENCES,   // (batch, steps, classes)
    LONG,        // many classes
    FUSED_FORMS,
    OTHER_AXIS = FUSED_FORMS, // argmax along the first axis but one
    SHOWN,                    // the classes found are an output too
    BY_SAMPLE,                // one count for each sample
    FORMS
} form;

static cj_shape scores_shape(form f, bool free)
{
    const int64_t batch = free ? CJ_BATCH : ROWS, classes = f == LONG ? 1000 : CLASSES;
    const bool sequences = f == SEQUENCES || f == OTHER_AXIS || f == BY_SAMPLE;
    return sequences ? CJ_SHAPE(batch, STEPS, classes) : CJ_SHAPE(batch, classes);
}

static cj_shape labels_shape(form f, bool free)
{
    cj_shape shape = scores_shape(f, free);
    if (f == OTHER_AXIS)
        shape.dims[1] = CLASSES;
    if (f != CATEGORICAL)
        shape.rank--;
    return shape;
}

static cj_function *make(form f, const char *off, int threads)
{
    fixture x = {.pool = cj_pool_new(threads)};
    cj__build *g = &x.g;
    cj_symbol *p = fixture_input(&x, scores_shape(f, true)),
              *given = fixture_input(&x, labels_shape(f, true));
    const int last = cj_symbol_shape(p)->rank - 1;
    cj_symbol *labels = f == CATEGORICAL ? cj__argmax(g, given, last) : cj__cast(g, given, CJ_I32);
    cj_symbol *found = cj__argmax(g, p, f == OTHER_AXIS ? last - 1 : last);
    cj_symbol *a = cj__cast(g, labels, CJ_F32), *b = cj__cast(g, found, CJ_F32);
    cj_symbol *right =
        cj__compare(g, CJ__COMPARISON_equal, f == SWAPPED ? b : a, f == SWAPPED ? a : b);
    right = cj__cast(g, right, CJ_F32);
    fixture_output(&x, cj__sum(g, right, f == BY_SAMPLE ? 2 : cj__all_axes(right), false));
    if (f == SHOWN)
        fixture_output(&x, cj__cast(g, found, CJ_F32));
    cj_function *function = fixture_function(&x, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

// Few different scores, so that there are ties; in every third row zeros of both signs, infinite
// ones, and some that are no numbers. Labels that are no class, and some that are surely right.
static void fill(cj_tensor *scores, cj_tensor *labels, int classes)
{
    static const float odd[ODD] = {0, -0.0f, NAN, INFINITY, -INFINITY};
    float *p = cj_tensor_data(scores), *l = cj_tensor_data(labels);
    fixture_fill(scores, 5);
    fixture_fill(labels, 6);
    for (int64_t i = 0; i < cj_tensor_count(scores); i++)
        p[i] = i / classes % 3 == 1 && i % 29 == 7 ? odd[i / 29 % ODD] : roundf(4 * p[i]);
    for (int64_t i = 0; i < cj_tensor_count(labels); i++)
        l[i] =
            i % 17 == 3 ? (float)(i % 2 ? -1 : classes) : floorf((l[i] + 1) / 2 * (float)classes);
    for (int64_t i = 0; i < cj_tensor_count(labels) && (i + 1) * classes <= cj_tensor_count(scores);
         i += 4) {
        l[i] = (float)(i % classes);
        p[i * classes + i % classes] = INFINITY;
    }
}

// The counts, one for the batch or one for each sample.
static cj_tensor *run(form f, const char *off, int threads)
{
    cj_tensor *in[2] = {fixture_tensor(scores_shape(f, false), NULL),
                        fixture_tensor(labels_shape(f, false), NULL)};
    cj_tensor *out[2] = {fixture_tensor(f == BY_SAMPLE ? CJ_SHAPE(ROWS) : (cj_shape){0}, NULL),
                         f == SHOWN ? fixture_tensor(CJ_SHAPE(ROWS), NULL) : NULL};
    const cj_shape scores = scores_shape(f, false);
    fill(in[0], in[1], (int)scores.dims[scores.rank - 1]);
    cj_function *function = make(f, off, threads);
    assert_int_equal(cj_function_call(function, in, out), CJ_OK);
    cj_release(function);
    cj_release(in[0]), cj_release(in[1]), cj_release(out[1]);
    return out[0];
}

static void fused_and_apart_give_the_same_bits(void **state)
{
    (void)state;
    for (form f = 0; f < FORMS; f++) {
        cj_tensor *apart = run(f, "-fuse_accuracy", 1);
        float all = 0;
        for (int64_t i = 0; i < cj_tensor_count(apart); i++)
            all += ((const float *)cj_tensor_data(apart))[i];
        if (!(all > 0 && all < ROWS * STEPS))
            fail_msg("form %d: %g right answers test nothing", (int)f, (double)all);
        for (int threads = 1; threads <= 3; threads += 2) {
            cj_tensor *fused = run(f, NULL, threads);
            assert_memory_equal(fused->data, apart->data,
                                (size_t)cj_tensor_count(apart) * sizeof(float));
            cj_release(fused);
        }
        cj_release(apart);
    }
}

static void only_whole_chains_are_fused(void **state)
{
    (void)state;
    for (form f = 0; f < FORMS; f++) {
        cj_function *fused = make(f, NULL, 1), *apart = make(f, "-fuse_accuracy", 1);
        assert_int_equal(fixture_planned(fused, ROWS, "count_correct") > 0, f < FUSED_FORMS);
        assert_int_equal(fixture_planned(fused, ROWS, "equal") > 0, f >= FUSED_FORMS);
        assert_int_equal(fixture_planned(apart, ROWS, "count_correct"), 0);
        cj_release(fused);
        cj_release(apart);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_and_apart_give_the_same_bits),
        cmocka_unit_test(only_whole_chains_are_fused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
