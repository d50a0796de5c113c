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
    y = cj_apply(cj_dense(35, .activation = "softmax"), cj_apply(cj_global_average_pooling1d(), y));
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

// The same network over sequences of any length: what a step of the sequence costs should not
// depend on how many there are.
static cj_model *recurrence(int64_t steps)
{
    return cj_sequential(cj_input(steps, 16, .dtype = "uint8"), cj_rescaling(1.0 / 255),
                         cj_lstm(64), cj_dense(10, .activation = "softmax"));
}

cj_model *zoo_lstm_10(void)
{
    return recurrence(10);
}

cj_model *zoo_lstm_100(void)
{
    return recurrence(100);
}

cj_model *zoo_lstm_1000(void)
{
    return recurrence(1000);
}

cj_model *zoo_lstm_10000(void)
{
    return recurrence(10000);
}

// Text --------------------------------------------------------------------------------------------

// The sentiment of 200 words, of which the last ones may be missing: both directions, masked.
cj_model *zoo_bigru(void)
{
    return cj_sequential(cj_input(200, .dtype = "int32"),
                         cj_embedding(ZOO_WORDS, 128, .mask_zero = true),
                         cj_bidirectional(cj_gru(64)), cj_dense(2, .activation = "softmax"));
}

enum { CONTEXT = 128, WIDTH = 256, HEADS = 8, BLOCKS = 4 };

static cj_symbol *normalized(cj_symbol *x)
{
    return cj_apply(cj_layer_normalization(.epsilon = 1e-5), x);
}

// A character transformer as GPT-2 has its blocks (Radford et al. 2019): each character is told from
// those before it. Positions are an input of their own.
cj_model *zoo_transformer(void)
{
    cj_symbol *characters = cj_input_symbol(CONTEXT, .dtype = "int32", .name = "characters");
    cj_symbol *positions = cj_input_symbol(CONTEXT, .dtype = "int32", .name = "positions");
    cj_symbol *x = cj_merge(cj_add(), cj_apply(cj_embedding(ZOO_CHARACTERS, WIDTH), characters),
                            cj_apply(cj_embedding(CONTEXT, WIDTH), positions));
    for (int i = 0; i < BLOCKS; i++) {
        cj_symbol *y = normalized(x);
        y = cj_merge(cj_multi_head_attention(HEADS, WIDTH / HEADS, .use_causal_mask = true), y, y);
        x = cj_merge(cj_add(), x, y);
        y = cj_apply(cj_dense(4 * WIDTH, .activation = "gelu"), normalized(x));
        x = cj_merge(cj_add(), x, cj_apply(cj_dense(WIDTH), y));
    }
    x = cj_apply(cj_dense(ZOO_CHARACTERS, .activation = "softmax"), normalized(x));
    return cj_functional(.inputs = {characters, positions}, .outputs = {x}, .name = "transformer");
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
    return cj_apply(cj_dense(64), cj_apply(cj_dense(128, .activation = "relu"), x));
}

// A user and an item, each in a tower of its own: whether the one takes the other is said by the
// product of both.
cj_model *zoo_two_towers(void)
{
    cj_symbol *user = cj_input_symbol(1, .dtype = "int32", .name = "user");
    cj_symbol *item = cj_input_symbol(1, .dtype = "int32", .name = "item");
    cj_symbol *y = cj_merge(cj_dot({1}), tower(user), tower(item));
    y = cj_apply(cj_activation("sigmoid"), y);
    return cj_functional(.inputs = {user, item}, .outputs = {y}, .name = "two_towers");
}
