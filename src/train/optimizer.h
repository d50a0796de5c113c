// What an optimizer is inside: a rule (one row of optimizers.c) and resolved settings. A rule is an
// update op, the slots it keeps for each variable, and how its arguments become the op's
// attributes.
#ifndef CJ_TRAIN_OPTIMIZER_H
#define CJ_TRAIN_OPTIMIZER_H

#include "base/fields.h"
#include "base/object.h"
#include "ops/build.h"
#include <cajal/train.h>

enum { CJ__MAX_SLOTS = 3 };

// CJ_OPTIMIZER_MEMBERS as a struct of its own, the head of any rule's arguments.
typedef struct cj__optimizer_members {
    CJ_OPTIMIZER_MEMBERS
} cj__optimizer_members;

typedef struct cj__slot {
    const char *name; // "momentum": the slot of dense/kernel is "optimizer/dense/kernel/momentum"
    double initial;
} cj__slot;

typedef struct cj__rule {
    cj__choice choice; // name "adam", class_name "Adam"
    const cj__op *op;
    bool needs_step; // the op takes the step count after the rate
    // Keras's order: the first slots variable by variable, each further one as a block
    int together;
    // The slots that these arguments ask for (at most CJ__MAX_SLOTS), in the op's order. Returns
    // how many.
    int (*slots)(const void *args, cj__slot *slots);
    void (*attrs)(const void *args, cj__update_attrs *attrs); // weight decay apart
} cj__rule;

struct cj_optimizer {
    cj__object object;
    const cj__rule *rule;
    _Alignas(16) unsigned char args[CJ__ARGS_MAX]; // resolved
};

extern const cj__class cj__optimizer_class;
extern const cj__catalog cj__optimizers;

double cj__optimizer_rate(const cj_optimizer *optimizer); // the learning rate it starts with
const cj__optimizer_members *cj__optimizer_common(const cj_optimizer *optimizer);
int cj__optimizer_slots(const cj_optimizer *optimizer, cj__slot *slots);

// Where slot `slot` of variable `variable` is in Keras's order of all slots of `count` variables.
int cj__optimizer_place(const cj_optimizer *optimizer, int variable, int slot, int count);

// The spec that makes the same optimizer again, with `learning_rate` as it was at first. The caller
// frees (cj__free).
char *cj__optimizer_spec(const cj_optimizer *optimizer);

// Clips gradients[i] in place as the settings say.
void cj__optimizer_clip(const cj_optimizer *optimizer, cj__build *g, cj_symbol **gradients,
                        int count);

// Appends the step of one variable: outputs gets the new weights, then the new slots.
cj_status cj__optimizer_step(const cj_optimizer *optimizer, cj__build *g, cj_symbol *weights,
                             cj_symbol *gradient, cj_symbol *rate, cj_symbol *step,
                             cj_symbol *const *slots, cj_symbol **outputs);

#endif
