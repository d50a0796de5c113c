// The zoo: networks as people build them, each through the public API alone, with a twin of the
// same shapes in bench/peers/zoo.py. All but the generator are fed integers, which they scale or
// look up themselves. zoo.c has the rows; a network of a file below is a function of its name.
#ifndef BENCH_ZOO_H
#define BENCH_ZOO_H

#include "workload.h"

enum {
    ZOO_ITEMS = 100000,  // rows of each table of two_towers
    ZOO_WORDS = 20000,   // of bigru
    ZOO_CHARACTERS = 96, // of transformer
};

// zoo_vision.c
cj_model *zoo_resnet20(void);
cj_model *zoo_vgg11_bn(void);
cj_model *zoo_mobilenet(void);
cj_model *zoo_unet(void);
cj_model *zoo_densenet(void);
cj_model *zoo_mixer(void);
cj_model *zoo_video(void);
cj_model *zoo_autoencoder(void);

// zoo_sequence.c
cj_model *zoo_sound(void);
cj_model *zoo_lstm(void);
cj_model *zoo_stacked_lstm(void);
cj_model *zoo_lstm_10(void); // over as many steps
cj_model *zoo_lstm_100(void);
cj_model *zoo_lstm_1000(void);
cj_model *zoo_lstm_10000(void);
cj_model *zoo_bigru(void);
cj_model *zoo_transformer(void);
cj_model *zoo_table(void);
cj_model *zoo_two_towers(void);

// zoo_generative.c: with loops of their own
cj_model *zoo_generator(void);
cj_status zoo_train_dcgan(workload *w, const network *net);
cj_model *zoo_vae(void);
cj_status zoo_train_vae(workload *w, const network *net);

#endif
