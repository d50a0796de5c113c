// Callbacks inside: the object, and telling a list of them what happened.
#ifndef CJ_TRAIN_CALLBACKS_H
#define CJ_TRAIN_CALLBACKS_H

#include "base/object.h"
#include <cajal/train.h>

struct cj_callback {
    cj__object object;
    cj_callback_methods methods;
    void *self;
    // Of a callback that may bring back a run of an ended process: gives the model the weights, the
    // train state and the place of that run, if there was one, before the run is opened. Or NULL.
    cj_status (*restore)(void *self, cj_model *model, bool *restored);
    // Before and after the validation of an epoch. Or NULL.
    cj_status (*validation)(void *self, cj_model *model, bool begins);
};

extern const cj__class cj__callback_class;

struct cj__train_state;

// For the library's own callbacks: the same as cj_callback_new(), which frees `self` with
// methods->free if it fails.
cj_callback *cj__callback_make(const cj_callback_methods *methods, void *self);

// Which method of cj_callback_methods to call.
typedef enum cj__moment {
    CJ__MOMENT_TRAIN_BEGIN,
    CJ__MOMENT_EPOCH_BEGIN,
    CJ__MOMENT_BATCH_BEGIN,
    CJ__MOMENT_BATCH_END,
    CJ__MOMENT_EPOCH_END,
    CJ__MOMENT_TRAIN_END
} cj__moment;

// Tells callbacks first .. count - 1, until one fails. *told, if not NULL, is kept at the number of
// those told, the one that is being told included.
cj_status cj__callbacks_tell(cj_callback *const *callbacks, int first, int count, cj__moment moment,
                             cj_model *model, cj_logs *logs, int *told);

// A number of a callback's state as a count: what a damaged file gives is brought into range.
int cj__count_of(double number);

// The entry of `logs` of that name; NAN if there is none.
double cj__logs_value(const cj_logs *logs, const char *name);

// The order of the entries by name, as Keras prints them. `order` has room for logs->count.
void cj__logs_order(const cj_logs *logs, int *order);

#endif
