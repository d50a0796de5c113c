// A program: the part of a graph that a function needs, as a flat list of instructions over numbered values. Programs
// are rewritten by passes (passes.c, fuse.c) and then planned for a batch size (plan.h). The free axis is still free.
#ifndef CJ_GRAPH_PROGRAM_H
#define CJ_GRAPH_PROGRAM_H

#include "ops/symbol.h"

typedef enum cj__value_kind { CJ__VALUE_INPUT, CJ__VALUE_VARIABLE, CJ__VALUE_CONSTANT, CJ__VALUE_TEMPORARY } cj__value_kind;

typedef struct cj__pvalue {
    cj__value_kind kind;
    cj__type type;
    int input;             // which input of the function, or -1
    cj_variable *variable; // held
    cj_tensor *constant;   // held
    int producer;          // instruction of a temporary
} cj__pvalue;

typedef struct cj__instruction {
    const cj__op *op; // NULL once removed
    int *inputs, *outputs;
    int input_count, output_count;
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX];
} cj__instruction;

typedef struct cj__program {
    cj__pvalue *values;
    int value_count;
    size_t value_capacity;
    cj__instruction *instructions;
    int instruction_count;
    size_t instruction_capacity;
    int *outputs; // value of each output
    int output_count;
    int *updates; // value of each update
    cj_variable **updated; // held
    int update_count;
} cj__program;

cj_status cj__program_new(const cj_function_args *args, cj__program *program);
void cj__program_free(cj__program *program);

// Replaces values: wherever v was read, forward[v] is read from now on (chains are followed).
void cj__program_forward(cj__program *program, int *forward);
// How often each value is read, by instructions, outputs and updates; `uses` has value_count entries.
void cj__program_uses(const cj__program *program, int *uses);
// Takes removed instructions out of the list.
void cj__program_compact(cj__program *program);

// Applies every pass that `off` (a list such as "-cse,-fuse_bias_act"; may be NULL) does not switch off.
cj_status cj__program_optimize(cj__program *program, const char *off);
cj_status cj__fuse_bias_act(cj__program *program); // fuse.c

#endif
