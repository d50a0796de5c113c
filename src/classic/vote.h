// Votes of neighbours: see cj_knn_predict() and cj_knn_predict_proba().
#ifndef CJ_CLASSIC_VOTE_H
#define CJ_CLASSIC_VOTE_H

#include "classic/heap.h"
#include <cajal/base.h>

typedef enum cj__weights { CJ__WEIGHTS_UNIFORM, CJ__WEIGHTS_DISTANCE } cj__weights;

// NULL is "uniform". CJ_INVALID_ARGUMENT, with a suggestion.
cj_status cj__weights_find(const char *name, cj__weights *weights);

typedef struct cj__ballot {
    int32_t label;
    int32_t place; // among the neighbours, from the nearest
    double weight;
} cj__ballot;

// The ballots of k neighbours, nearest first, into `ballots` of k entries: sorted by label, then
// place.
void cj__ballots_of(const cj__neighbor *neighbors, int64_t k, const int32_t *labels,
                    cj__weights weights, cj__ballot *ballots);

// The label with the greatest sum of weights, of several the smallest.
int32_t cj__ballots_winner(const cj__ballot *ballots, int64_t k);

#endif
