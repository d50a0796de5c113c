// The rules that are expressions of ops: their slots and steps, for the table in optimizer_rules.c.
#ifndef CJ_TRAIN_OPTIMIZER_FORMULAS_H
#define CJ_TRAIN_OPTIMIZER_FORMULAS_H

#include "train/optimizer.h"

int cj__adamax_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__adamax_formula(const cj__stepping *s);
int cj__nadam_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__nadam_formula(const cj__stepping *s);
int cj__ftrl_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__ftrl_formula(const cj__stepping *s);
int cj__lion_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__lion_formula(const cj__stepping *s);
int cj__lamb_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__lamb_formula(const cj__stepping *s);
int cj__adafactor_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__adafactor_formula(const cj__stepping *s);
int cj__muon_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__muon_formula(const cj__stepping *s);
int cj__schedule_free_adamw_slots(const void *args, const cj_variable *variable, cj__slot *slots);
void cj__schedule_free_adamw_formula(const cj__stepping *s);
cj_symbol *cj__nadam_product(const void *args, cj__build *g, cj_symbol *value, cj_symbol *t);
double cj__muon_decay(const void *args, const cj_variable *variable);

// Whether one of the words, with "|" between them, is in a variable's own name ("bias" of
// "dense/bias"), or, if it has a "/", in the whole.
bool cj__optimizer_names(const char *words, const cj_variable *variable);

#endif
