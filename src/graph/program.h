// A program: the part of a graph that a function needs, as a flat list of instructions over
// numbered values. Programs are rewritten by passes (passes.c, fuse.c) and then planned for a batch
// size (plan.h). The free axis is still free.
#ifndef CJ_GRAPH_PROGRAM_H
#define CJ_GRAPH_PROGRAM_H

#include "ops/symbol.h"

typedef enum cj__value_kind {
    CJ__VALUE_INPUT,
    CJ__VALUE_VARIABLE,
    CJ__VALUE_CONSTANT,
    CJ__VALUE_TEMPORARY
} cj__value_kind;

typedef struct cj__value_info {
    cj__value_kind kind;
    cj__type type;
    int input;             // which input of the function, or -1
    bool invariant;        // of a loop's body: an input that is the same in all steps
    cj_variable *variable; // held
    cj_tensor *constant;   // held
    int producer;          // instruction of a temporary
} cj__value_info;

// How an instruction is cut along its operands' first axis, together with its neighbours of the
// same group.
typedef struct cj__cut {
    int group;    // 0 for none
    int64_t rows; // in all
    int64_t part; // at a time
} cj__cut;

typedef struct cj__instruction {
    const cj__op *op; // NULL once removed
    int *inputs, *outputs;
    int input_count, output_count;
    bool keeps;  // its call keeps what it prepares of an input from run to run (keep_prepared.c)
    bool steady; // it need not run again while the variables stay as they are (keep_steady.c)
    bool rounds; // element-wise: its result is rounded to bfloat16 (fuse_round.c)
    cj__cut cut;
    void *attrs_object; // what the attributes refer to (cj__op.object), held; or NULL
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX];
} cj__instruction;

struct cj__device;

typedef struct cj__program {
    struct cj__device *device; // where it will run; the function's
    int64_t steps;             // of a loop's body: how many the loop has; else 0
    bool samples_apart;        // and whether each sample goes its own way (split_loop.c)
    cj__value_info *values;
    int value_count;
    size_t value_capacity;
    cj__instruction *instructions;
    int instruction_count;
    size_t instruction_capacity;
    int *outputs; // value of each output
    int output_count;
    int *updates;          // value of each update
    cj_variable **updated; // held
    int update_count;
} cj__program;

cj_status cj__program_new(const cj_function_args *args, cj__program *program);
void cj__program_free(cj__program *program);

// Replaces values: wherever v was read, forward[v] is read from now on (chains are followed).
void cj__program_forward(cj__program *program, int *forward);
// A new array in which every value is read as itself; NULL without memory.
int *cj__program_as_is(const cj__program *program);
// How often each value is read, by instructions, outputs and updates; `uses` has value_count
// entries.
void cj__program_uses(const cj__program *program, int *uses);
// Takes removed instructions out of the list.
void cj__program_compact(cj__program *program);

// A second program of the same graph; on failure it is empty.
cj_status cj__program_copy(const cj__program *program, cj__program *copy);
// Makes every type concrete: the free axis becomes `batch`. Needed again after a pass that changed
// attributes.
cj_status cj__program_infer(cj__program *program, int64_t batch);

// Building blocks of passes. A new value of a type, or -1. An instruction at the end of the list
// (its arrays change hands). New operands for an instruction; its old arrays are freed.
int cj__program_add_value(cj__program *program, const cj__type *type);
cj_status cj__program_append(cj__program *program, const cj__instruction *instruction);
cj_status cj__program_operands(cj__instruction *instruction, const int *inputs, int input_count,
                               const int *outputs, int output_count);
// The instructions that read a value: their number, of which the first `most` go to `readers`. More
// than `most` if the value is also an output or update: a result of at most `most` means that
// `readers` has all uses.
int cj__program_readers(const cj__program *program, int value, int *readers, int most);

// The call that an instruction will be, with types and without memory; `operands` has room for
// inputs and outputs.
cj__call cj__program_call(const cj__program *program, const cj__instruction *instruction,
                          cj__operand *operands);

// A part of such a call, for rows of its operands' first axis; the data's places are still those of
// the whole.
enum { CJ__PART_OPERANDS = 8 };
typedef struct cj__part {
    cj__call call;
    cj__operand operands[CJ__PART_OPERANDS];
    char roles[CJ__PART_OPERANDS]; // of each operand: see split_batch.c
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX];
} cj__part;
// How an operand of an instruction (inputs, then outputs) takes part in a cut along the first axis,
// which has so many rows: 's': it has samples; 'w': whole; 'v': whole and large; '+': a sum over
// samples; 0: it cannot (split_batch.c).
char cj__sample_role(const cj__program *program, const cj__instruction *instruction, int i,
                     int64_t rows);
// The part that begins at row `first` of an instruction with a cut, whose whole call is `call`.
void cj__part_of(const cj__program *program, const cj__instruction *instruction,
                 const cj__call *call, int64_t first, cj__part *part);

// Whether a value is likely the same in the next run: a constant, or a variable that no update names.
bool cj__program_leaf_stays(const cj__program *program, int value);
// The same where a change would be seen without comparing (ops/variable.h).
bool cj__program_leaf_is_counted(const cj__program *program, int value);
// The input, variable or constant whose memory a value is, through views; -1 for what is computed.
// And its variable, or NULL.
int cj__leaf_of(const cj__program *program, int value);
const cj_variable *cj__variable_of(const cj__program *program, int value);

// Crops a max pool's gradient to the rows and columns that its windows reach, if all its readers can
// do without the zeros beyond; the readers are changed too. False, and nothing is changed, if they
// cannot.
bool cj__crop_pool_grad(cj__program *program, cj__instruction *pool_grad, int64_t rows,
                        int64_t cols);

// Whether all numbers of a value are bfloat16 numbers, as far as the program shows it
// (fuse_round.c).
bool cj__is_bf16(const cj__program *program, int value);

// Passes come in two stages: those that leave the free axis free, done once for a function, and
// those that look at concrete shapes, done for each plan on its own copy.
typedef enum cj__stage { CJ__STAGE_GRAPH, CJ__STAGE_PLAN } cj__stage;
// Applies every pass of a stage that `off` (a list such as "-cse,-fuse_bias_act"; may be NULL) does
// not switch off.
cj_status cj__program_optimize(cj__program *program, cj__stage stage, const char *off);
// Rejects a list that names no pass; and the list of a kind of devices.
cj_status cj__check_switches(const char *off);
struct cj__device_kind;
cj_status cj__check_device_passes(const struct cj__device_kind *kind);
cj_status cj__remove_dead(cj__program *program);          // passes.c
cj_status cj__factor_sums(cj__program *program);          // factor_sums.c
cj_status cj__fuse_bias_act(cj__program *program);        // fuse.c
cj_status cj__fuse_cross_entropy(cj__program *program);   // fuse_cross_entropy.c
cj_status cj__fuse_round(cj__program *program);           // fuse_round.c
cj_status cj__fold_scale(cj__program *program);           // fold_scale.c
cj_status cj__fuse_accuracy(cj__program *program);        // fuse_accuracy.c
cj_status cj__fuse_pool(cj__program *program);            // fuse_pool.c
cj_status cj__fuse_dropout(cj__program *program);         // fuse_dropout.c
cj_status cj__fuse_bias_grad(cj__program *program);       // fuse_bias_grad.c
cj_status cj__drop_dead_pixels(cj__program *program);     // dead_pixels.c
cj_status cj__choose_blocks(cj__program *program);        // blocks.c
cj_status cj__choose_bf16_products(cj__program *program); // bf16_products.c
cj_status cj__choose_winograd(cj__program *program);      // winograd.c
cj_status cj__choose_winograd4(cj__program *program);
cj_status cj__choose_sparse(cj__program *program);
cj_status cj__fuse_pool_grad(cj__program *program); // fuse_pool_grad.c
cj_status cj__fuse_step(cj__program *program);
cj_status cj__fuse_rows(cj__program *program); // fuse_rows.c
// For both (fuse_step.c): nobody but the update of the variable reads the step's outputs; and the
// step of the two operands of its gradient's instruction takes their place, as `op`.
bool cj__step_is_plain(const cj__program *program, const cj__instruction *step);
cj_status cj__fuse_gradient(cj__instruction *step, cj__instruction *gradient, const cj__op *op);
cj_status cj__one_sweep(cj__program *program);      // one_sweep.c
cj_status cj__round_elements(cj__program *program); // fuse_round.c
cj_status cj__recompute(cj__program *program);      // recompute.c
cj_status cj__fuse_elements(cj__program *program);  // fuse_elements.c
cj_status cj__split_batch(cj__program *program);    // split_batch.c
cj_status cj__split_loop(cj__program *program);     // split_loop.c
cj_status cj__keep_steady(cj__program *program);    // keep_steady.c
cj_status cj__keep_prepared(cj__program *program);  // keep_prepared.c

#endif
