// Arrays, recordings and series as data; see arrays.c.
#ifndef CLI_ARRAYS_H
#define CLI_ARRAYS_H

#include "cli.h"

// "npy:X.npy,y.npy" (four fifths and one fifth, mixed), "npy:X.npy,y.npy,X_test.npy,y_test.npy",
// "npy:FILE.npz" (of x_train, y_train, x_test, y_test, or of x and y), "wav:FOLDER" (a folder a class;
// one channel, 16 kHz, a second long or as long as the model says), "series:FILE.csv:COLUMN" (windows
// over the columns of numbers, the next number of the column as target; the last fifth is for tests).
bool is_array_data(const char *name);
cj_status load_array_data(const char *name, const cj_model *model, own_data *own,
                          cj_dataset **train, cj_dataset **test);
// A WAV file as the model's input.
cj_status read_sound(const cj_model *model, const char *path, cj_tensor **input);

#endif
