// What an optimizer is inside: a rule (one row of optimizer_rules.c) and resolved settings. A rule is
// an update op or an expression of ops, and the slots that it keeps for each variable.
//
// What an optimizer *keeps* for the variables it trains is a list in the order of Keras's files: their
// moving averages, their sums of gradients, the rule's slots, and what a rule keeps for all together.
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

// CJ_OPTIMIZER_LATER_MEMBERS, the end of any rule's arguments.
typedef struct cj__optimizer_later {
    CJ_OPTIMIZER_LATER_MEMBERS
} cj__optimizer_later;

typedef struct cj__slot {
    const char *name; // "momentum": the slot of dense/kernel is "optimizer/dense/kernel/momentum"
    double initial;
    // Its shape: the variable's; that without the last axis, or without the last but one; a scalar.
    enum { CJ__SLOT_LIKE, CJ__SLOT_ROWS, CJ__SLOT_COLUMNS, CJ__SLOT_SCALAR } shape;
    bool copies; // begins as the variable's value
} cj__slot;

// The step of one variable, for a rule that is an expression. All symbols but `step` are of the
// variable's dtype.
typedef struct cj__stepping {
    const void *args;
    const cj_variable *variable;
    cj__build *g;
    cj_symbol *w; // after its decay
    cj_symbol *gradient, *rate;
    cj_symbol *t;      // the number of the step, from 1
    cj_symbol *shared; // the new value of what the rule keeps for all together, or NULL
    cj_symbol *const *slots;
    cj_symbol **out; // the new weights, then the new slots
} cj__stepping;

typedef struct cj__rule {
    cj__choice choice; // name "adam", class_name "Adam"
    size_t later;      // offset of CJ_OPTIMIZER_LATER_MEMBERS in the arguments
    // Keras's order: the first slots variable by variable, each further one as a block
    int together;
    // The slots that these arguments ask for of a variable (at most CJ__MAX_SLOTS), in the op's
    // order. Returns how many.
    int (*slots)(const void *args, const cj_variable *variable, cj__slot *slots);
    // A rule is an op with its attributes, weight decay apart, ...
    const cj__op *op;
    bool needs_step; // the op takes the step count after the rate
    void (*attrs)(const void *args, cj__update_attrs *attrs);
    // ... or an expression, ...
    void (*formula)(const cj__stepping *s);
    // ... which may keep a scalar for all variables together: its name, first value, and next one.
    const char *shared_name;
    double shared_initial;
    cj_symbol *(*shared)(const void *args, cj__build *g, cj_symbol *value, cj_symbol *t);
    // The decay of a variable; NULL: weight_decay.
    double (*decay)(const void *args, const cj_variable *variable);
} cj__rule;

// A loss scale that finds itself (loss_scale.c).
typedef struct cj__loss_scaling {
    bool on;
    double initial_scale;
    int64_t growth_steps;
} cj__loss_scaling;

// Its size is part of the binary interface: a program that names cj_default_optimizer has a copy of
// that object, made as large as the object was when the program was linked. So what grows, the
// arguments, lies behind the struct, and what is new takes of the filler.
struct cj_optimizer {
    cj__object object;
    const cj__rule *rule;
    unsigned char *args; // resolved; CJ__ARGS_MAX bytes, aligned to 16
    cj__loss_scaling scaling;
    unsigned char filler[256 - sizeof(void *) - sizeof(cj__loss_scaling)];
};

extern const cj__class cj__optimizer_class;
extern const cj__catalog cj__optimizers;

double cj__optimizer_rate(const cj_optimizer *optimizer); // the learning rate it starts with
const cj__optimizer_members *cj__optimizer_common(const cj_optimizer *optimizer);
const cj__optimizer_later *cj__optimizer_later_of(const cj_optimizer *optimizer);
// The spec of its schedule, or NULL if its rate is a number.
const char *cj__optimizer_schedule(const cj_optimizer *optimizer);

// What an optimizer was chosen as, with args->args; the caller frees *text (cj__free), which they may use.
cj_status cj__optimizer_chosen(const cj_optimizer *optimizer, cj__chosen *chosen, char **text);
// The spec that makes the same optimizer again, with `learning_rate` as it was at first. The caller
// frees (cj__free).
char *cj__optimizer_spec(const cj_optimizer *optimizer);

// ---- What it keeps (optimizer_updates.c) ----

enum { CJ__KEPT_SCALE = -4, CJ__KEPT_STEPS = -3, CJ__KEPT_AVERAGE = -2, CJ__KEPT_SUM = -1 };

// One variable that an optimizer keeps.
typedef struct cj__state_entry {
    cj__slot slot;
    int variable; // whose it is, of those that are trained; -1: of all
    int which;    // number of the rule's slot, or one of CJ__KEPT_...
} cj__state_entry;

// What an optimizer keeps for variables, in Keras's order. The caller frees *kept (cj__free).
cj_status cj__optimizer_kept(const cj_optimizer *optimizer, cj_variable *const *variables,
                             int count, cj__state_entry **kept, int *kept_count);
// The variable of an entry, "optimizer/dense/kernel/momentum"; NULL after a failure.
cj_variable *cj__optimizer_keep(const cj__state_entry *kept, cj_variable *const *variables);

// ---- In the graph (optimizer_updates.c) ----

// What the updates of a training step are made from.
typedef struct cj__updating {
    const cj_optimizer *optimizer;
    cj__build *g;
    int count; // of variables
    cj_variable *const *variables;
    cj_symbol *const *weights;      // what reads them
    cj_symbol **gradients;          // of the loss times cj__optimizer_scale(); they are changed
    const char *const *constraints; // spec of each, or NULL; NULL for none at all
    cj_symbol *rate;                // what reads the learning rate, a float32 scalar
    cj_symbol *iterations;          // what reads the number of steps done, int64
    const cj__state_entry *kept;
    cj_variable *const *kept_variables;
    int kept_count;
    cj_symbol *
        *next_iterations; // gets the steps done after this one, for a step that may be left out
} cj__updating;

// Appends the step: rows[] gets the updates of variables and kept variables, count + kept_count.
cj_status cj__optimizer_updates(const cj__updating *updating, cj_update *rows);
// What the loss is multiplied by before gradients are taken of it.
double cj__optimizer_scale(const cj_optimizer *optimizer);

#endif
