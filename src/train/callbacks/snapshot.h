// A copy of all of a model's weights, in their own dtypes.
#ifndef CJ_TRAIN_SNAPSHOT_H
#define CJ_TRAIN_SNAPSHOT_H

#include <cajal/model.h>

typedef struct cj__snapshot {
    cj_tensor **tensors; // one a variable of the model, in their order; NULL if nothing is kept
    int count;
} cj__snapshot; // starts as {0}

// Replaces the snapshot by one of the weights as they are, in new tensors. On failure the old one
// stays.
cj_status cj__snapshot_take(cj__snapshot *snapshot, const cj_model *model);
// Copies the weights into the tensors that the snapshot has, which must be of this model.
cj_status cj__snapshot_refresh(cj__snapshot *snapshot, const cj_model *model);
// Replaces the snapshot by tensors that it holds from now on.
cj_status cj__snapshot_set(cj__snapshot *snapshot, cj_tensor *const *tensors, int count);
// Whether the tensors have the shapes of the model's weights.
bool cj__snapshot_fits(const cj__snapshot *snapshot, const cj_model *model);
// Gives the model the weights back.
cj_status cj__snapshot_restore(const cj__snapshot *snapshot, cj_model *model);
void cj__snapshot_free(cj__snapshot *snapshot);

#endif
