// Every allocation fails in turn while a model of all layers is built: a status, a sentence, and
// nothing is left.
#include "layers/helpers.h"

#include <cajal/recurrent.h>
#include <cajal/wrappers.h>

static cj_status failed(void)
{
    return cj_error_status() != CJ_OK ? cj_error_status() : CJ_INVALID_ARGUMENT;
}

static cj_status build_images(void *context)
{
    (void)context;
    cj_error_clear();
    cj_model *model = cj_sequential(
        cj_input(8, 8, 2, .dtype = "uint8"), cj_rescaling(1.0 / 255),
        cj_conv2d(4, {3, 3}, .activation = "relu", .activity_regularizer = "l1"),
        cj_batch_normalization(), cj_max_pooling2d(), cj_average_pooling2d(.padding = "same"),
        cj_dropout(0.5), cj_leaky_relu(), cj_elu(), cj_relu(.max_value = 6), cj_reshape({2, 2, 4}),
        cj_flatten(), cj_dense(3), cj_softmax());
    if (!model)
        return failed();
    cj_release(model);
    return CJ_OK;
}

static cj_status build_graph(void *context)
{
    (void)context;
    cj_error_clear();
    cj_symbol *words = cj_input_symbol(5, .dtype = "int32");
    cj_symbol *picture = cj_input_symbol(4, 4, 3);
    cj_symbol *h = cj_apply(cj_embedding(6, 4, .mask_zero = true), words);
    cj_symbol *last = cj_apply(cj_simple_rnn(3), h),
              *greatest = cj_apply(cj_global_max_pooling2d(), picture);
    cj_symbol *sum = cj_merge(cj_add(), last, greatest);
    cj_symbol *both =
        cj_merge(cj_concatenate(), sum, cj_apply(cj_global_average_pooling2d(), picture));
    cj_symbol *y = cj_apply(cj_activation("gelu"), both);
    cj_model *model = cj_functional(.inputs = {words, picture}, .outputs = {y, last},
                                    .inputs_count = 2, .outputs_count = 2);
    if (!model)
        return failed();
    cj_release(model);
    return CJ_OK;
}

static cj_status build_wrappers(void *context)
{
    (void)context;
    cj_error_clear();
    cj_model *model = cj_sequential(
        cj_input(3, 4, 2), cj_masking(), cj_time_distributed(cj_time_distributed(cj_dense(2))),
        cj_time_distributed(cj_bidirectional(cj_gru(2))),
        cj_time_distributed(cj_model_layer(cj_sequential(cj_dense(3), cj_batch_normalization()))),
        cj_bidirectional(cj_lstm(2, .return_sequences = true),
                         .backward_layer =
                             cj_gru(2, .return_sequences = true, .go_backwards = true)),
        cj_bidirectional(cj_simple_rnn(2), .merge_mode = "sum"));
    if (!model)
        return failed();
    cj_release(model);
    return CJ_OK;
}

static void wrapped_layers_survive(void **state)
{
    (void)state;
    support_fail_each_allocation(build_wrappers, NULL);
}

static void sequential_model_of_all_layers_survives(void **state)
{
    (void)state;
    support_fail_each_allocation(build_images, NULL);
}

static void functional_model_survives(void **state)
{
    (void)state;
    support_fail_each_allocation(build_graph, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequential_model_of_all_layers_survives),
        cmocka_unit_test(functional_model_survives),
        cmocka_unit_test(wrapped_layers_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
