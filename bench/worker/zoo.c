#include "zoo.h"

static cj_optimizer *sgd(void)
{
    return cj_sgd(.learning_rate = 0.01, .momentum = 0.9);
}

#define SHAPE(...)                                                                  \
    {                                                                               \
        .rank = sizeof((int[]){__VA_ARGS__}) / sizeof(int), .dims = { __VA_ARGS__ } \
    }
const network zoo[] = {
    {"resnet20", zoo_resnet20, SHAPE(32, 32, 3), .classes = 10, .batch = 128, .optimizer = sgd},
    {"vgg11_bn", zoo_vgg11_bn, SHAPE(32, 32, 3), .classes = 10, .batch = 64, .optimizer = sgd},
    {"mobilenet", zoo_mobilenet, SHAPE(64, 64, 3), .classes = 10, .batch = 32},
    {"unet", zoo_unet, SHAPE(128, 128, 1), .loss = "binary_crossentropy", .batch = 8},
    {"densenet", zoo_densenet, SHAPE(32, 32, 3), .classes = 10, .batch = 64, .optimizer = sgd},
    {"video", zoo_video, SHAPE(16, 32, 32, 3), .classes = 10, .batch = 8},
    {"autoencoder", zoo_autoencoder, SHAPE(28, 28, 1), .loss = "mse", .batch = 128},
    {"vae", zoo_vae, SHAPE(28, 28, 1), .batch = 128, .train = zoo_train_vae},
    {"dcgan", zoo_generator, SHAPE(100), .content = REALS, .batch = 64, .train = zoo_train_dcgan},
    {"sound", zoo_sound, SHAPE(16000, 1), .classes = 35, .batch = 16},
    {"lstm", zoo_lstm, SHAPE(28, 28), .classes = 10, .batch = 64},
    {"stacked_lstm", zoo_stacked_lstm, SHAPE(100, 32), .classes = 10, .batch = 32},
    {"lstm_10", zoo_lstm_10, SHAPE(10, 16), .classes = 10, .batch = 8},
    {"lstm_100", zoo_lstm_100, SHAPE(100, 16), .classes = 10, .batch = 8},
    {"lstm_1000", zoo_lstm_1000, SHAPE(1000, 16), .classes = 10, .batch = 8},
    {"lstm_10000", zoo_lstm_10000, SHAPE(10000, 16), .classes = 10, .batch = 8},
    {"table", zoo_table, SHAPE(30), .classes = 2, .batch = 256},
    {"two_towers", zoo_two_towers, SHAPE(1), .second = SHAPE(1), .content = WORDS,
     .words = ZOO_ITEMS, .classes = 2, .loss = "binary_crossentropy", .batch = 1024},
    {"bigru", zoo_bigru, SHAPE(200), .content = PADDED, .words = ZOO_WORDS, .classes = 2,
     .batch = 32},
    {"transformer", zoo_transformer, SHAPE(128), .second = SHAPE(128), .content = TEXT,
     .words = ZOO_CHARACTERS, .classes = ZOO_CHARACTERS, .batch = 32},
    {"mixer", zoo_mixer, SHAPE(32, 32, 3), .classes = 10, .batch = 64},
};
const int zoo_count = sizeof zoo / sizeof *zoo;
