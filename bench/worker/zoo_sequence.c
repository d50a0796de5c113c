// The zoo's networks over sequences, and over tables.
#include "zoo.h"

// Sound -------------------------------------------------------------------------------------------

// Dai et al. 2017, "M5": convolutions over a second of sound as it is, 16,000 numbers.
cj_model *zoo_sound(void)
{
    static const int filters[] = {128, 128, 256, 512};
    cj_symbol *x = cj_input_symbol(16000, 1, .dtype = "uint8");
    cj_symbol *y = cj_apply(cj_rescaling(1.0 / 128, -1), x);
    for (int i = 0; i < 4; i++) {
        y = cj_apply(i == 0 ? cj_conv1d(filters[i], 80, .strides = 4) : cj_conv1d(filters[i], 3),
                     y);
        y = cj_apply(cj_activation("relu"), cj_apply(cj_batch_normalization(), y));
        y = cj_apply(cj_max_pooling1d(4), y);
    }
    y = cj_apply(cj_dense(35, .activation = "softmax"),
                 cj_apply(cj_global_average_pooling1d(), y));
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "sound");
}

// Recurrences -------------------------------------------------------------------------------------

// An image as a sequence of 28 rows of 28 pixels.
cj_model *zoo_lstm(void)
{
    return cj_sequential(cj_input(28, 28, .dtype = "uint8"), cj_rescaling(1.0 / 255), cj_lstm(128),
                         cj_dense(10, .activation = "softmax"));
}

// Two layers over 100 steps of 32 numbers.
cj_model *zoo_stacked_lstm(void)
{
    return cj_sequential(cj_input(100, 32, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_lstm(256, .return_sequences = true), cj_lstm(256),
                         cj_dense(10, .activation = "softmax"));
}

// Tables ------------------------------------------------------------------------------------------

enum { COLUMNS = 30, LAYERS = 4, UNITS = 256 };

cj_model *zoo_table(void)
{
    cj_symbol *x = cj_input_symbol(COLUMNS, .dtype = "uint8");
    cj_symbol *y = cj_apply(cj_rescaling(1.0 / 255), x);
    for (int i = 0; i < LAYERS; i++) {
        y = cj_apply(cj_batch_normalization(), cj_apply(cj_dense(UNITS), y));
        y = cj_apply(cj_dropout(0.2), cj_apply(cj_activation("relu"), y));
    }
    y = cj_apply(cj_dense(2, .activation = "softmax"), y);
    return cj_functional(.inputs = {x}, .outputs = {y}, .name = "table");
}

// A number of 100,000 as a row of 64, and two dense layers.
static cj_symbol *tower(cj_symbol *x)
{
    x = cj_apply(cj_flatten(), cj_apply(cj_embedding(ZOO_ITEMS, 64), x));
    return cj_apply(cj_dense(64, .activation = "relu"),
                    cj_apply(cj_dense(128, .activation = "relu"), x));
}

// A user and an item, each in a tower of its own, and whether the one takes the other.
cj_model *zoo_two_towers(void)
{
    cj_symbol *user = cj_input_symbol(1, .dtype = "int32", .name = "user");
    cj_symbol *item = cj_input_symbol(1, .dtype = "int32", .name = "item");
    cj_symbol *y = cj_merge(cj_concatenate(), tower(user), tower(item));
    y = cj_apply(cj_dense(32, .activation = "relu"), y);
    y = cj_apply(cj_dense(2, .activation = "softmax"), y);
    return cj_functional(.inputs = {user, item}, .outputs = {y}, .name = "two_towers");
}
