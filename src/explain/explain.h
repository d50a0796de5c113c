// Inside the explain room: one computed application of a layer, and the words to tell how an
// element came about.
//
// explain.c finds out what every layer was given and gave, and walks over them; show.c prints
// arrays; curve.c applies activations in double. Each family's file has functions that derive one
// output element from the inputs and weights alone, in double, and print the way; explain.def says
// which function tells of which class. What a teller derives is compared with what the model
// computed, so that no explanation can drift away from the truth unnoticed.
#ifndef CJ_EXPLAIN_EXPLAIN_H
#define CJ_EXPLAIN_EXPLAIN_H

#include "base/error.h"
#include "base/memory.h"
#include "layers/layer.h"
#include <cajal/explain.h>

// What one application of a layer was given and gave. All tensors are contiguous, with a batch axis
// of 1.
typedef struct cj__sight {
    cj_layer *layer;
    int which; // the how-manieth application of this layer, from 0
    bool masked;
    int input_count, output_count;
    cj_tensor *inputs[CJ__LAYER_IO_MAX], *outputs[CJ__LAYER_IO_MAX];
    // under mixed_bfloat16, while it is told: variables as they are read
    cj_tensor *rounded[CJ__LAYER_VARIABLES_MAX];
} cj__sight;

// One telling: a sight, and the element of its first output that is to be derived.
typedef struct cj__telling {
    const cj__sight *sight;
    FILE *stream;
    int64_t max_rows;
    int64_t index[CJ_MAX_RANK]; // with the batch axis, which is 0
    int64_t place;              // the same, counted through the contiguous output
} cj__telling;

#define CJ__TELLER(class_name, function) cj_status function(cj__telling *telling);
#include "explain/explain.def"
#undef CJ__TELLER

// Element `place` of a contiguous tensor.
double cj__at(const cj_tensor *tensor, int64_t place);
// Where an index lies in a contiguous tensor; its batch entry is 0.
int64_t cj__place_of(const cj_tensor *tensor, const int64_t *index);
// The variable of a layer by its own name ("kernel"), as the layer reads it; NULL if the layer has
// none of that name.
const cj_tensor *cj__weight(const cj__sight *sight, const char *name);
// Rounded to bfloat16 under mixed_bfloat16, else the number itself.
double cj__as_given(const cj_layer *layer, double value);

// show.c
// ------------------------------------------------------------------------------------------------------------

enum { CJ__SHORT_TEXT = 32, CJ__INDEX_TEXT = 192 };

// A number in six digits.
const char *cj__short(double value, char text[CJ__SHORT_TEXT]);
// "[0, 2, 1]": an index without its batch entry.
const char *cj__index_text(const int64_t *index, int rank, char text[CJ__INDEX_TEXT]);
// One line, indented.
void cj__say(const cj__telling *telling, const char *format, ...) CJ_PRINTF(2, 3);
// "label (5, 5, 1):" and the elements, channels one by one, long axes shortened. Leaves out the
// batch axis.
void cj__show_tensor(const cj__telling *telling, const char *label, const cj_tensor *tensor);
// Up to three grids of rows x columns side by side, each under its title; NULL values are left out.
typedef struct cj__grid {
    const char *title;
    const double *values;
} cj__grid;
void cj__show_grids(const cj__telling *telling, const cj__grid *grids, int count, int64_t rows,
                    int64_t columns);

// "a x b" and their sum: products of two lists, in one line if there are few, else the greatest
// ones.
typedef struct cj__products {
    const char *a_name, *b_name; // "input", "kernel": for the long form
    const double *a, *b;
    int64_t count;
} cj__products;
// Prints them and adds to *sum and *magnitude (of absolute values).
cj_status cj__show_products(const cj__telling *telling, const cj__products *products, double *sum,
                            double *magnitude);

// Ends a telling: says the value, and fails if the computed one is outside [low, high] widened by
// float32's rounding, and rounded as the layer rounds what it gives.
cj_status cj__conclude(const cj__telling *telling, double low, double high);

// curve.c
// ------------------------------------------------------------------------------------------------------------

// An activation over a row of numbers, in double: the library's own graph, run with its kernels for
// double.
typedef struct cj__curve {
    cj_function *function;
    cj_tensor *input, *output; // (1, count)
} cj__curve;                   // starts as {0}
cj_status cj__curve_open(cj__curve *curve, const char *spec, const char *who, int64_t count);
cj_status cj__curve_apply(const cj__curve *curve, const double *z, double *y);
void cj__curve_close(cj__curve *curve);

// The value of entry `chosen` of activation(z) in float32 lies between *low and *high if the z lie
// within z ± slack.
cj_status cj__curve_range(const cj__curve *curve, const double *z, const double *slack,
                          int64_t count, int64_t chosen, double *low, double *high);
// Prints the activation step for entry `chosen` of z, and concludes.
cj_status cj__tell_activation(const cj__telling *telling, const char *spec, const double *z,
                              const double *slack, int64_t count, int64_t chosen);

// How far a sum in float32, in any order, may be from the true one: a small multiple of the sum of
// absolute terms.
double cj__slack(double magnitude);

#endif
