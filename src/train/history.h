// The table behind cj_history.
#ifndef CJ_TRAIN_HISTORY_H
#define CJ_TRAIN_HISTORY_H

#include <cajal/train.h>

cj_history *cj__history_new(void);
// A new row, of the values of `logs`. Names seen for the first time become columns, with NAN above.
cj_status cj__history_add(cj_history *history, const cj_logs *logs);

#endif
