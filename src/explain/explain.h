// Inside the explain room: records of what layers computed, and the functions that explain them.
//
// explain.c records what every application of a layer was given and gave, and walks over these
// records; show.c prints arrays; curve.c applies activations in double. For each class, explain.def
// names an *explainer*: a function that derives one output element from the inputs and weights
// alone, in double, and prints each step. The derived value is compared with the computed one, so
// an explanation cannot drift away from the model unnoticed.
#ifndef CJ_EXPLAIN_EXPLAIN_H
#define CJ_EXPLAIN_EXPLAIN_H

#include "base/error.h"
#include "base/memory.h"
#include "layers/layer.h"
#include <cajal/explain.h>

// The inputs and outputs of one application of a layer. All tensors are contiguous, with a batch
// axis of 1.
typedef struct cj__record {
    cj_layer *layer;
    uint32_t called; // the call settings that were on, bit i: that of row i
    int which;       // index of this application among those of the same layer, from 0
    bool shown;      // it is printed; others are kept for the layers around them
    int input_count, output_count;
    cj_tensor **inputs, **outputs;
    cj_tensor **masks; // of the inputs; NULL for none
    // under mixed_bfloat16: the variables as the layer reads them
    cj_tensor *rounded[CJ__LAYER_VARIABLES_MAX];
} cj__record;

// One explanation: a record, and the element of its first output that is to be derived.
typedef struct cj__explanation {
    const cj__record *record;
    FILE *stream;
    int64_t max_rows;
    int64_t index[CJ_MAX_RANK]; // with the batch axis, which is 0
    int64_t offset;             // the same, in the contiguous output
    const cj__record *first;    // all records, in the order of their computation, of which
    const cj__record *recorded; // this is the one that is explained, with its whole batch
    int64_t sample;             // of that batch; `record` has it alone
} cj__explanation;

#define CJ__EXPLAINER(class_name, function) cj_status function(cj__explanation *explanation);
#include "explain/explain.def"
#undef CJ__EXPLAINER

// Element `offset` of a contiguous tensor.
double cj__element_at(const cj_tensor *tensor, int64_t offset);
// The offset of an index in a contiguous tensor; its batch entry is 0.
int64_t cj__offset_of(const cj_tensor *tensor, const int64_t *index);
// The variable of a layer by its own name ("kernel"), as the layer reads it; NULL if the layer has
// none of that name.
const cj_tensor *cj__weight(const cj__record *record, const char *name);
// Reads the variables as the layer reads them; ends that.
cj_status cj__record_open(cj__record *record);
void cj__record_close(cj__record *record);
// Setting `key` of the layer is that text; or is true.
bool cj__is_setting(const cj_layer *layer, const char *key, const char *text);
bool cj__setting_flag(const cj_layer *layer, const char *key);
// The mask that a recurrent layer goes by: none of its own accord where it is given states.
const cj_tensor *cj__mask_of_steps(const cj__record *record);
// The records of a layer that is called by the one that is explained, in this application of it;
// their number. Tensors have one sample more for each time the layer works on the batch.
int cj__records_of(const cj__explanation *explanation, const cj_layer *layer,
                   const cj__record **records, int capacity);
// The value as the layer outputs it: rounded to bfloat16 under mixed_bfloat16, else unchanged.
double cj__as_output(const cj_layer *layer, double value);

// show.c
// -------------------------------------------------------------------------------------------------

enum { CJ__DIGITS_TEXT = 32, CJ__INDEX_TEXT = 192 };

// A number in six digits.
const char *cj__digits(double value, char text[CJ__DIGITS_TEXT]);
// "[0, 2, 1]": an index without its batch entry.
const char *cj__index_text(const int64_t *index, int rank, char text[CJ__INDEX_TEXT]);
// One line, indented.
void cj__print_line(const cj__explanation *explanation, const char *format, ...) CJ_PRINTF(2, 3);
// "label (5, 5, 1):" and the elements, channels one by one, long axes shortened. Leaves out the
// batch axis.
void cj__show_tensor(const cj__explanation *explanation, const char *label,
                     const cj_tensor *tensor);
// Up to three grids of rows x columns side by side, each under its title; NULL values are left out.
typedef struct cj__grid {
    const char *title;
    const double *values;
} cj__grid;
void cj__show_grids(const cj__explanation *explanation, const cj__grid *grids, int count,
                    int64_t rows, int64_t columns);

// The products of two lists and their sum: in one line if there are few, else the largest ones.
typedef struct cj__products {
    const char *a_name, *b_name; // "input", "kernel": for the long form
    const double *a, *b;
    int64_t count;
} cj__products;
// Prints them, adds their sum to *sum and the sum of their absolute values to *magnitude.
cj_status cj__show_products(const cj__explanation *explanation, const cj__products *products,
                            double *sum, double *magnitude);

// Ends an explanation: prints the value, and fails if the computed value is not within [low, high],
// widened by float32's rounding error and rounded as the layer rounds its outputs.
cj_status cj__conclude(const cj__explanation *explanation, double low, double high);
// The same for a value with the rounding error of terms whose absolute values add up to `magnitude`.
cj_status cj__conclude_near(const cj__explanation *explanation, double value, double magnitude);
// Ends an explanation by an element of the input that is the one of the output: "how: input 0,
// element [1, 2] = 3".
cj_status cj__explain_copy(const cj__explanation *explanation, const char *how, int input,
                           int64_t offset);

// curve.c
// -------------------------------------------------------------------------------------------------

// An activation over a row of numbers in double: a graph of this library, run with its kernels for
// double.
typedef struct cj__curve {
    cj_function *function;
    cj_tensor *input, *output; // (1, count)
} cj__curve;                   // starts as {0}
cj_status cj__curve_open(cj__curve *curve, const char *spec, const char *who, int64_t count);
cj_status cj__curve_apply(const cj__curve *curve, const double *z, double *y);
void cj__curve_close(cj__curve *curve);

// The range [*low, *high] of entry `chosen` of activation(z) for z within z ± bound.
cj_status cj__curve_range(const cj__curve *curve, const double *z, const double *bound,
                          int64_t count, int64_t chosen, double *low, double *high);
// A row of numbers and a bound for the error of each.
typedef struct cj__bounded {
    double *value, *bound;
} cj__bounded;
// to = activation(from); the bound is what from's bounds can do, by both ends of their range, and with
// `joint` for a function of all entries. `scratch` has room for a row.
cj_status cj__curve_row(const cj__curve *curve, bool joint, const cj__bounded *from, int64_t count,
                        double *scratch, const cj__bounded *to);
// The bound of a product of two numbers with bounds.
double cj__product_bound(double a, double a_bound, double b, double b_bound);

// Prints the activation step for entry `chosen` of z, and concludes.
cj_status cj__explain_activation(const cj__explanation *explanation, const char *spec,
                                 const double *z, const double *bound, int64_t count,
                                 int64_t chosen);

// A bound for the error of a sum in float32, in any order: a small multiple of the sum of the
// absolute terms.
double cj__rounding_bound(double magnitude);

#endif
