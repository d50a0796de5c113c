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
    int32_t rank; // of the neighbour; 0 is the nearest
    double weight;
} cj__ballot;

// Writes the ballots of k neighbours, given nearest first, into `ballots` of k entries, sorted by
// label, then by rank.
void cj__ballots_of(const cj__neighbor *neighbors, int64_t k, const int32_t *labels,
                    cj__weights weights, cj__ballot *ballots);

// The label with the largest sum of weights; of equal ones the smallest label.
int32_t cj__ballots_winner(const cj__ballot *ballots, int64_t k);

#endif
