// What `cajal knn` prints and draws besides accuracies.
#ifndef CLI_KNN_H
#define CLI_KNN_H

#include "cli.h"

// The first `rows` queries, each with the neighbours that vote on it, as a picture: PNG. A frame is
// green where the class is the query's, red elsewhere; the query's own frame says whether the vote is
// right.
cj_status draw_neighbors(cj_knn *knn, const cj_dataset *train, const cj_dataset *queries,
                         const char *data_name, int64_t k, int64_t rows, const char *path);
// Accuracy by k: the folds as points, their mean as a line, the standard deviation as bars: SVG.
cj_status draw_scores(const cj_knn_scores *scores, const char *path);
// The tutorial's table: which parts were learnt, which was tested, and the accuracy for each k. `batches`:
// the parts are CIFAR-10's files.
void print_rotation(const cj_knn_scores *scores, bool batches);

#endif
