// The pass fuse_xent: loss, probabilities and gradient have the bits of the ops one by one, whatever else reads them.
#include "fixture.h"

#include <string.h>

enum { ROWS = 70, CLASSES = 13, RESULTS = 4 };

// What the function gives: loss and gradient, and with `shows` the probabilities and a softmax of its own. The share of a
// sample comes from an input, or from the loss itself: then the gradient cannot go before it.
static void run(const char *off, bool shows, bool depends, int threads, cj_tensor **results)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj_symbol *z = fixture_input(&f, CJ_SHAPE(CJ_BATCH, CLASSES)), *label = fixture_input(&f, CJ_SHAPE(CJ_BATCH));
    cj_symbol *share = fixture_input(&f, CJ_SHAPE(CJ_BATCH));
    cj_symbol *labels = cj__append(&f.g, &cj__op_cast, &(cj__cast_attrs){CJ_I32}, &label, 1);
    cj_symbol *loss = cj__softmax_xent(&f.g, z, labels), *weighted = cj__mul(&f.g, loss, depends ? loss : share);
    cj_symbol *total = cj__sum(&f.g, weighted, cj__all_axes(weighted), false);
    fixture_output(&f, loss);
    assert_int_equal(cj__gradients(&f.g, total, &z, 1, f.outputs + 1), CJ_OK);
    f.output_count = 2;
    if (shows) {
        fixture_output(&f, cj__softmax(&f.g, z));
        fixture_output(&f, cj__node_output(&f.g, loss->node, 1));
    }
    cj_tensor *in[3] = {fixture_tensor(CJ_SHAPE(ROWS, CLASSES), NULL), fixture_tensor(CJ_SHAPE(ROWS), NULL),
                        fixture_tensor(CJ_SHAPE(ROWS), NULL)};
    fixture_fill(in[0], 5);
    fixture_fill(in[2], 6);
    for (int i = 0; i < ROWS; i++)
        ((float *)cj_tensor_data(in[1]))[i] = (float)(i * 7 % CLASSES);
    for (int i = 0; i < RESULTS; i++)
        results[i] = fixture_tensor(i == 0 ? CJ_SHAPE(ROWS) : CJ_SHAPE(ROWS, CLASSES), NULL);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_function_call(function, in, results), CJ_OK);
    cj_release(function);
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
}

static void fused_and_apart_give_the_same_bits(void **state)
{
    (void)state;
    for (int way = 0; way < 8; way++) {
        cj_tensor *apart[RESULTS], *fused[RESULTS];
        run("-fuse_xent", way & 1, way & 2, 1, apart);
        run(NULL, way & 1, way & 2, way & 4 ? 3 : 1, fused);
        for (int i = 0; i < RESULTS; i++) {
            const size_t bytes = (size_t)cj_tensor_count(apart[i]) * sizeof(float);
            if (i < 2 || (way & 1))
                assert_memory_equal(apart[i]->data, fused[i]->data, bytes);
            cj_release(apart[i]);
            cj_release(fused[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_and_apart_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
